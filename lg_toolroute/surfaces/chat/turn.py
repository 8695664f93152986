"""One call of the routed chat model, which is one turn: begun from what the call brings, run, landed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.runtime import get_runtime

from lg_toolroute.clients.bound_names import refuse_duplicate_names
from lg_toolroute.core.rules.spec import parse_spec
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner import events
from lg_toolroute.runner.inputs import read_inputs
from lg_toolroute.runner.overrides import context_value, read_overrides
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.runner.runner import TurnRunner
from lg_toolroute.surfaces.chat.bound_tools import bound_tools, read_choice
from lg_toolroute.surfaces.chat.inner_calls import InnerCalls
from lg_toolroute.surfaces.chat.outer_chunks import OuterChunks
from lg_toolroute.surfaces.chat.outer_run import OuterRun


@dataclass(frozen=True, slots=True)
class RunContext:
    """The LangGraph run that a call is part of: its runtime context, and where its custom events go.

    Attributes:
        context: The run's context; `None` outside of a run.
        emit: Takes events.
    """

    context: Any = None
    emit: events.Emit = events.silent

    @classmethod
    def current(cls) -> RunContext:
        try:
            runtime: Any = get_runtime()
        except RuntimeError:  # LangGraph's word for: not in a run
            return cls()
        return cls() if runtime is None else cls(runtime.context, runtime.stream_writer)


@dataclass(frozen=True, slots=True)
class CallArguments:
    """What a call of the chat model brings.

    Attributes:
        messages: The history, with its system prompt.
        settings: Keyword arguments: bound tools, tool choice, settings of the inner models.
        stop: Stop sequences for text.
        agent: The agent that the rules are for.
        role: Which chain reasons.
        model: Reason on this model instead of the primary.
        timeout_s: How long one inner call may take, in seconds.
        v1: The content of the message is made of LangChain's standard blocks.
    """

    messages: Sequence[BaseMessage]
    settings: Mapping[str, Any] = field(default_factory=dict)
    stop: list[str] | None = None
    agent: str | None = None
    role: str | None = None
    model: str | None = None
    timeout_s: float | None = None
    v1: bool = False


class ChatTurn:
    """A turn under way.

    Args:
        router: Rules, models, health.
        call: What was asked for.
        run: The outer run.

    Raises:
        ConfigError: A model cannot be built, two tools have one name, or `tool_choice` names none of them.
    """

    def __init__(self, router: ToolRouter, call: CallArguments, run: OuterRun) -> None:
        run_context = RunContext.current()
        settings = dict(call.settings)
        settings.pop("stream", None)  # LangChain's word to the outer model
        tools = bound_tools(settings.pop("tools", None) or ())
        refuse_duplicate_names(tools)
        choice = read_choice(settings.pop("tool_choice", None), tools)
        origins = [] if choice.none else [tool.for_inner for tool in tools]
        messages = list(call.messages)
        model = _full_spec(router, call, run_context.context)
        overrides = read_overrides(router.book, run_context.context, agent=call.agent, role=call.role, model=model)
        inputs = read_inputs(router, messages, origins, overrides, forced=choice.forced)
        router.refuse_blind_looks(origins, agent=inputs.agent)
        builder = RequestBuilder(router, inputs, messages, origins, tool_choice=choice.passed, only_bound=True, settings=lambda _: settings)
        inner = InnerCalls(router, run.config, settings=settings, stop=call.stop, timeout_s=call.timeout_s)
        self._runner = TurnRunner(builder, inner, emit=run_context.emit, message_id=run.message_id)
        # Text without blocks of its own becomes the block 0, and a call must not meet it there.
        self._outer = OuterChunks(run.message_id, first_index=1 if call.v1 else 0)

    def message(self) -> AIMessage:
        """The message.

        Raises:
            ChainExhausted: No model is left.
        """
        self._runner.run()
        return self._runner.landed()

    async def amessage(self) -> AIMessage:
        """The message, awaited."""
        await self._runner.arun()
        return self._runner.landed()

    def chunks(self) -> Iterator[ChatGenerationChunk]:
        """The message in chunks, as it is written."""
        with closing(self._runner.chunks()) as chunks:
            for chunk, request in chunks:
                if (shown := self._outer.show(chunk, request)) is not None:
                    yield shown
        yield self._outer.last(self._runner.landed())

    async def achunks(self) -> AsyncIterator[ChatGenerationChunk]:
        """The message in chunks, as it is written."""
        async with aclosing(self._runner.achunks()) as chunks:
            async for chunk, request in chunks:
                if (shown := self._outer.show(chunk, request)) is not None:
                    yield shown
        yield self._outer.last(self._runner.landed())


def _full_spec(router: ToolRouter, call: CallArguments, context: Any) -> str | None:
    """The model that the call names; where it names no provider, that of the run's primary."""
    model = call.model
    if not isinstance(model, str) or not model or "/" in model or ":" in model or model.strip() in router.config.aliases:
        return model
    agent, role = (getattr(call, name) or context_value(context, name) or None for name in ("agent", "role"))
    primary = next(iter(router.book.reasoning_chain(agent=agent, role=role)), None)
    return model if primary is None else f"{parse_spec(primary).provider}/{model}"
