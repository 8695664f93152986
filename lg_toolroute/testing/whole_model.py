"""A scripted chat model that cannot stream, and everything that the one which can shares with it.

How an answer becomes chunks is in `render`; in which order answers come is in `tape`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import ConfigDict, Field, PrivateAttr

from lg_toolroute.testing.bound_tools import choice_for, tool_for
from lg_toolroute.testing.expect import chosen_tool, tool_name
from lg_toolroute.testing.render import Dialect, Voice, chunks, whole
from lg_toolroute.testing.steps import Chunks, Eof, Fail, Hang, Say
from lg_toolroute.testing.tape import ModelRequest, ScriptError, Tape


class Play(NamedTuple):
    """How one answer runs: its chunks, and what happens before one of them."""

    step: Any
    chunks: list[AIMessageChunk]
    stop: int | None


class ScriptedWholeModel(BaseChatModel):
    """A scripted chat model that cannot stream: each answer comes as one message. Otherwise as `ScriptedModel`.

    Args:
        script: Steps or short forms of them, one a request.
        answer: A function asked for the step of every request, instead of a script. It may be called from several threads.
        loop: Begin the script again after its last step.
        name: Its model spec, `provider/model`; traces show both halves.
        dialect: `"openai"`: text is a string. `"anthropic"`: content is a list of indexed blocks once tools are bound or it thinks, and no chunk
            holds more than one of them.
        usage_at: Where a stream reports the input tokens: with the rest on the `"last"` chunk, or on a `"first"` one of their own.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    name: str | None = "scripted/model"
    dialect: Dialect = "openai"
    usage_at: Literal["first", "last"] = "last"
    temperature: float | None = None
    max_tokens: int | None = None
    script: Sequence[Any] = Field(default=(), repr=False, exclude=True)
    answer: Callable[[ModelRequest], Any] | None = Field(default=None, repr=False, exclude=True)
    loop: bool = Field(default=False, repr=False, exclude=True)
    _tape: Tape = PrivateAttr()

    def __init__(self, script: Sequence[Any] = (), **settings: Any) -> None:
        super().__init__(**{"script": script, **settings})

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self._tape = Tape(self.spec, self.script, answer=self.answer, loop=self.loop)

    # -- what a test asks ------------------------------------------------------------------------------------------------------------

    @property
    def spec(self) -> str:
        """Its model spec, `provider/model`."""
        return self.name or "scripted/model"

    @property
    def model_name(self) -> str:
        """The second half of its spec."""
        return _halves(self.spec)[1]

    @property
    def requests(self) -> list[ModelRequest]:
        """Every request so far, also those made through copies and bindings."""
        return self._tape.requests

    @property
    def bindings(self) -> list[tuple[tuple[str, ...], str | None]]:
        """The tools and the tool choice of every `bind_tools`."""
        return self._tape.bindings

    @property
    def last(self) -> ModelRequest:
        """The latest request.

        Raises:
            ScriptError: There was none.
        """
        if not self._tape.requests:
            raise ScriptError(f"{self.spec} was never asked")
        latest: ModelRequest = self._tape.requests[-1]
        return latest

    @property
    def remaining(self) -> int:
        """Steps that were not asked for yet."""
        return self._tape.remaining

    def assert_done(self) -> None:
        """Everything that was scripted was asked for, and nothing else.

        Raises:
            ScriptError: Steps are left, or a request came that the script does not have.
        """
        self._tape.assert_done()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.assert_done()

    # -- a chat model ----------------------------------------------------------------------------------------------------------------

    @property
    def _llm_type(self) -> str:
        return "scripted-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.spec}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        provider, model = _halves(self.spec)
        params["ls_provider"] = provider
        if not isinstance(kwargs.get("model"), str):
            params["ls_model_name"] = model
        return params

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with these tools bound, in the format of its dialect.

        Args:
            tools: Tools of any kind that LangChain takes.
            tool_choice: A tool's name, `"any"`, `"auto"`, `"none"`, or what the provider's API takes.
            **kwargs: Bound as they are.
        """
        formatted = [tool_for(tool, self.dialect) for tool in tools]
        self._tape.note_binding(tuple(tool_name(tool) for tool in formatted), chosen_tool(tool_choice))
        if tool_choice is not None and tool_choice is not False:
            kwargs["tool_choice"] = choice_for(tool_choice, self.dialect)
        return self.bind(tools=formatted, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._record(messages, stop, kwargs, streamed=False, is_async=False)
        step = self._take(request)
        if isinstance(step, Hang) and not step.latch.wait(step.limit_s):
            raise self._latch_stayed_closed(request, step)
        return self._whole(request, step)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._record(messages, stop, kwargs, streamed=False, is_async=True)
        step = self._take(request)
        if isinstance(step, Hang):
            try:
                opened = await step.latch.wait_async(step.limit_s)
            except asyncio.CancelledError:
                request.closed_at = 0
                raise
            if not opened:
                raise self._latch_stayed_closed(request, step)
        await asyncio.sleep(0)  # let others run, as a real client does
        return self._whole(request, step)

    # -- how an answer is played -----------------------------------------------------------------------------------------------------

    def _record(self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any], *, streamed: bool, is_async: bool) -> ModelRequest:
        def build(index: int) -> ModelRequest:
            return ModelRequest(
                index=index,
                messages=list(messages),
                tools=tuple(tool_name(tool) for tool in kwargs.get("tools") or ()),
                tool_choice=chosen_tool(kwargs.get("tool_choice")),
                kwargs=dict(kwargs),
                stop=stop,
                streamed=streamed,
                is_async=is_async,
            )

        request: ModelRequest = self._tape.record(build)
        return request

    def _take(self, request: ModelRequest) -> Any:
        step = self._tape.take(request)
        if not isinstance(step, Say | Fail | Eof | Hang | Chunks):
            raise self._tape.problem(f"{self.spec}: {step!r} is not a step; write Say, Fail, Eof, Hang, Chunks, a string, an error or a function")
        return step

    def _voice(self, request: ModelRequest, say: Say) -> Voice:
        lists = self.dialect == "anthropic" and bool(request.tools or say.calls or say.thinking)
        return Voice(self.model_name, self.dialect, self.usage_at, lists)

    def _say(self, step: Any) -> Say:
        say = step if isinstance(step, Say) else step.say
        return Say() if say is None else say

    def _ids(self, say: Say) -> list[str]:
        return self._tape.new_ids([call.id for call in say.calls])

    def _latch_stayed_closed(self, request: ModelRequest, step: Hang) -> ScriptError:
        return self._tape.problem(f"{self.spec}: request {request.index + 1} hangs and its latch was not opened within {step.limit_s:g} s")

    def _whole(self, request: ModelRequest, step: Any) -> ChatResult:
        request.chunks_total = 1
        if isinstance(step, Fail):
            raise noted(request, step)
        if isinstance(step, Chunks):
            message = _merged(step.chunks)
        else:
            say = self._say(step)
            if isinstance(step, Eof):
                play = self._play(request, step)
                message = _merged(play.chunks[: play.stop])
            else:
                message = whole(say, self._ids(say), self._voice(request, say), request.messages)
        request.chunks_sent, request.finished = 1, True
        output = {"model_name": self.model_name}
        if message.usage_metadata:
            used = message.usage_metadata
            output["token_usage"] = {"prompt_tokens": used["input_tokens"], "completion_tokens": used["output_tokens"]}  # type: ignore[assignment]
        return ChatResult(generations=[ChatGeneration(message=message)], llm_output=output)

    def _play(self, request: ModelRequest, step: Any) -> Play:
        if isinstance(step, Chunks):
            play = Play(step, [chunk.model_copy(deep=True) for chunk in step.chunks], None)
        else:
            say = self._say(step)
            place = None if isinstance(step, Say) else step.place
            made, before = chunks(say, self._ids(say), self._voice(request, say), request.messages, place=place)
            play = Play(step, made, None if isinstance(step, Say) else before)
        request.chunks_total = len(play.chunks)
        return play


def noted(request: ModelRequest, step: Fail) -> BaseException:
    request.error = step.raised()
    return request.error


def note_closed(request: ModelRequest) -> None:
    if request.chunks_sent >= request.chunks_total:
        request.finished = True  # closed behind the last chunk: nothing was left to pull
    else:
        request.closed_at = request.chunks_sent


def _merged(made: Sequence[AIMessageChunk]) -> AIMessage:
    if not made:
        return AIMessage(content="")
    merged = made[0].model_copy(deep=True)
    for chunk in made[1:]:
        merged = merged + chunk
    message = message_chunk_to_message(merged)
    assert isinstance(message, AIMessage)  # noqa: S101  # an AIMessageChunk becomes an AIMessage
    return message


def _halves(spec: str) -> tuple[str, str]:
    """Provider and model of a spec; the first `/` or `:` splits."""
    for position, character in enumerate(spec):
        if character in "/:":
            return spec[:position].lower(), spec[position + 1 :]
    return "scripted", spec
