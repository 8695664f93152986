"""A routed turn as a chat model, for everything that takes one: supervisors, swarms, chains, agents of other makers.

It is one model to its caller: one run, one message, one stream. Inside, every call is a turn of the router. It runs no tools, so the tool
policy is kept by what is bound, and by withholding calls of anything else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from functools import cached_property
from typing import Any, Literal, cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput, ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.tools import BaseTool
from pydantic import ConfigDict, Field, PrivateAttr

from lg_toolroute.clients.wrappers import first_leaf
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.landing import without_response_items
from lg_toolroute.runner.overrides import context_value
from lg_toolroute.surfaces.chat.bound_tools import bound_tools, read_choice
from lg_toolroute.surfaces.chat.outer_run import OuterRun, outer_run_of, start_outer_run
from lg_toolroute.surfaces.chat.structured import call_parser, response_format, text_parser, with_parser
from lg_toolroute.surfaces.chat.turn import CallArguments, ChatTurn, RunContext

_CLIENTS_OWN = ("api_key", "max_retries")
"""What every LangChain constructor takes and every inner client has for itself: accepted, and of no effect here."""


class ToolRoutedChatModel(BaseChatModel):
    """A chat model whose tool calls are written by the models that its router's rules name.

    Args:
        router: Rules, models, health.
        agent: An id under `agents`, for the agent's own rules and tool policy; unset: the run's context, otherwise the defaults.
        role: The role of its runs, which picks the chain that reasons.
        model: Reason on this model instead of the primary, `provider/model`.
        temperature: For every inner call; unset: each model's own.
        max_tokens: For every inner call.
        stop: Where the words end. Not for the arguments of calls.
        timeout: How long one inner call may take, in seconds.
        streaming: `True` streams every call, `False` none; unset: a call is streamed when a consumer listens.

    Raises:
        ConfigError: A field is unknown.
        TypeError: `router` is no `ToolRouter`.

    Example:
        ```python
        from lg_toolroute import ToolRoutedChatModel, ToolRouter

        model = ToolRoutedChatModel(router=router)
        agent = create_agent(model, tools=[read, edit])
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    router: ToolRouter = Field(repr=False, exclude=True)
    agent: str | None = None
    role: str | None = None
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: list[str] | None = None
    timeout: float | None = None
    streaming: bool | None = None

    _run: OuterRun | None = PrivateAttr(default=None)
    _config: RunnableConfig | None = PrivateAttr(default=None)

    def __init__(self, *, router: ToolRouter, **fields: Any) -> None:
        if not isinstance(cast("Any", router), ToolRouter):
            given = type(router).__name__
            raise TypeError(f"ToolRoutedChatModel takes a ToolRouter, not a {given}; write ToolRoutedChatModel(router=ToolRouter(config))")
        known = type(self).model_fields
        unknown = [name for name in fields if name not in known and name not in _CLIENTS_OWN]
        if unknown:
            problems = [Problem(name, "there is no such field", did_you_mean(name, known)) for name in unknown]
            raise ConfigError(problems, source="ToolRoutedChatModel")
        super().__init__(**{"router": router, **{name: value for name, value in fields.items() if name in known}})

    # -- what it is ------------------------------------------------------------------------------------------------------------------

    @property
    def _llm_type(self) -> str:
        return "toolroute"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("agent", "role", "temperature", "max_tokens", "output_version")}
        return {"model": self._primary, "routing": self._digest, **{key: value for key, value in own.items() if value is not None}}

    @cached_property
    def _digest(self) -> str:
        """A hash of the configuration and the models that were handed in: differs where the routing differs, and reveals nothing of it."""
        text = json.dumps([self.router.config.to_dict(), self.router.models.identities()], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def _primary(self) -> str | None:
        return self.model or next(iter(self.router.book.reasoning_chain(agent=self.agent, role=self.role)), None)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "toolroute"
        params["ls_model_name"] = kwargs.get("model") or self._primary or "toolroute"
        if self.stop and "ls_stop" not in params:
            params["ls_stop"] = self.stop
        return params

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        # A remembered answer is the answer to the same question only under the same rules.
        context = RunContext.current().context
        about = [context_value(context, name) for name in ("agent", "role", "model")]
        return f"{super()._get_llm_string(stop=stop or self.stop, **kwargs)}---{about}"

    def _resolve_model_profile(self) -> ModelProfile | None:
        primary = self._primary
        leaf = None if primary is None else first_leaf(self.router.models.get(primary))
        if primary is None:
            return None
        profile = dict((leaf.profile if leaf is not None else None) or {})
        facts = self.router.models.facts(primary)
        said: dict[str, Any] = {
            "max_input_tokens": facts.context_window,
            "max_output_tokens": facts.max_output,
            "tool_calling": facts.supports_tools,
            "image_inputs": None if facts.inputs is None else "image" in facts.inputs,
        }
        profile.update({key: value for key, value in said.items() if value is not None})
        return cast("ModelProfile", profile) or None

    # -- tools and structure ---------------------------------------------------------------------------------------------------------

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools.

        Args:
            tools: In any form that a LangChain model takes.
            tool_choice: A tool's name, `any`, `auto`, `none`, or a provider's dict. A routed tool that is forced is written by its model at once.
            kwargs: For the reasoning models' own `bind_tools`: `strict`, `parallel_tool_calls`, `response_format`, …

        Raises:
            ConfigError: Something is no tool, two tools have one name, `tool_choice` names none of them, a model that was handed in cannot be
                given tools, or a tool cannot have the form or the look that a rule gives it.
        """
        bound = bound_tools(tools)
        read_choice(tool_choice, bound)
        if bound:
            self.router.refuse_toolless(bound, agent=self.agent)
            self.router.refuse_forms(bound, agent=self.agent)
            self.router.refuse_blind_looks(bound, agent=self.agent)
        choice = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=bound, **choice, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: Literal["function_calling", "json_schema", "json_mode"] = "function_calling",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model, its answers in the shape of a schema.

        Args:
            schema: A pydantic class, a `TypedDict`, or a JSON Schema.
            include_raw: Give `{"raw", "parsed", "parsing_error"}`.
            method: `function_calling` works with every model that calls tools; a rule for the schema's name routes it. The others ask the
                reasoning model's client for JSON in the way of OpenAI, which most clients read.
            strict: For clients that know strict schemas.
            kwargs: Bound to the model.
        """
        about = {"kwargs": {"method": method}, "schema": schema}
        if method == "function_calling":
            extra = {**({} if strict is None else {"strict": strict}), **kwargs}
            llm = self.bind_tools([schema], tool_choice="any", ls_structured_output_format=about, **extra)
            return with_parser(llm, call_parser(schema), include_raw=include_raw)
        llm = self.bind(response_format=response_format(schema, method, strict=strict), ls_structured_output_format=about, **kwargs)
        return with_parser(llm, text_parser(schema), include_raw=include_raw)

    # -- LangChain's entry points: each call runs on a copy with its run ----------------------------------------------------------------

    def stream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, *, stop: list[str] | None = None, **kwargs: Any
    ) -> Iterator[AIMessageChunk]:
        given, run = start_outer_run(ensure_config(config))
        yield from super(ToolRoutedChatModel, self._copy_for(run, given)).stream(input, given, stop=stop, **kwargs)

    async def astream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, *, stop: list[str] | None = None, **kwargs: Any
    ) -> AsyncIterator[AIMessageChunk]:
        given, run = start_outer_run(ensure_config(config))
        stream = super(ToolRoutedChatModel, self._copy_for(run, given)).astream(input, given, stop=stop, **kwargs)
        async with aclosing(cast("Any", stream)) as chunks:
            async for chunk in chunks:
                yield chunk

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, *, stop: list[str] | None = None, **kwargs: Any) -> AIMessage:
        return super(ToolRoutedChatModel, self._copy_for(None, ensure_config(config))).invoke(input, config, stop=stop, **kwargs)

    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, *, stop: list[str] | None = None, **kwargs: Any
    ) -> AIMessage:
        return await super(ToolRoutedChatModel, self._copy_for(None, ensure_config(config))).ainvoke(input, config, stop=stop, **kwargs)

    def _generate_with_cache(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        copy = self._copy_for(outer_run_of(run_manager, self._given_config), self._given_config)
        return _without_unfinished_items(
            super(ToolRoutedChatModel, copy)._generate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)
        )

    async def _agenerate_with_cache(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        copy = self._copy_for(outer_run_of(run_manager, self._given_config), self._given_config)
        return _without_unfinished_items(
            await super(ToolRoutedChatModel, copy)._agenerate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)
        )

    def _copy_for(self, run: OuterRun | None, config: RunnableConfig) -> ToolRoutedChatModel:
        copy = self.model_copy()
        copy._run, copy._config = run, config
        return copy

    @property
    def _given_config(self) -> RunnableConfig:
        return self._config if self._config is not None else ensure_config()

    # -- one turn --------------------------------------------------------------------------------------------------------------------

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return _result(self._turn(messages, stop, run_manager, kwargs).message())

    async def _agenerate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return _result(await self._turn(messages, stop, run_manager, kwargs).amessage())

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        chunk = None
        with closing(cast("Any", self._turn(messages, stop, run_manager, kwargs).chunks())) as chunks:
            for chunk in chunks:
                yield chunk
        self._strip_last_chunk(chunk)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        chunk = None
        async with aclosing(cast("Any", self._turn(messages, stop, run_manager, kwargs).achunks())) as chunks:
            async for chunk in chunks:
                yield chunk
        self._strip_last_chunk(chunk)

    def _strip_last_chunk(self, last: ChatGenerationChunk | None) -> None:
        """Removes from the last chunk, once it has been yielded, what handlers that count the inner runs would count twice."""
        if last is not None and self._run is not None and self._run.strip_last is not None:
            last.message = cast("AIMessageChunk", self._run.strip_last(cast("AIMessage", last.message)))

    def _turn(self, messages: list[BaseMessage], stop: list[str] | None, run_manager: Any, kwargs: dict[str, Any]) -> ChatTurn:
        own = {name: value for name in ("temperature", "max_tokens") if (value := getattr(self, name)) is not None}
        settings = {**own, **kwargs}
        model = settings.pop("model", None) or self.model
        timeout_s = settings.pop("timeout", None) or self.timeout
        call = CallArguments(messages, settings, stop or self.stop or None, self.agent, self.role, model, timeout_s, self.output_version == "v1")
        return ChatTurn(self.router, call, self._run or outer_run_of(run_manager, self._given_config))


def _result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])


def _without_unfinished_items(result: ChatResult) -> ChatResult:
    """The result; where a model was cut, without the ids of items that were never finished."""
    for generation in result.generations:
        message = generation.message
        record = message.response_metadata.get("toolroute")
        if isinstance(message, AIMessage) and isinstance(record, Mapping) and any(a["outcome"] == "cut" for a in record["attempts"]):
            generation.message = without_response_items(message)
    return result
