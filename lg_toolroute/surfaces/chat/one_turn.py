"""One call of the routed chat model, which is one turn: begun from what the call brings, gone through, landed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.runtime import get_runtime

from lg_toolroute.core.rules.spec import canonical, parse_spec
from lg_toolroute.core.turn.flow import begin, take_turn
from lg_toolroute.errors import ChainExhausted, ConfigError, Problem
from lg_toolroute.router import ToolRouter, tool_name
from lg_toolroute.runner import events
from lg_toolroute.runner.drivers import adrive, drive
from lg_toolroute.runner.landing import land
from lg_toolroute.runner.request import Stage
from lg_toolroute.runner.scene import make_scene
from lg_toolroute.state import context_value
from lg_toolroute.surfaces.chat.bound import BoundTool, bound_tools, read_choice
from lg_toolroute.surfaces.chat.opening import Opening
from lg_toolroute.surfaces.chat.outer_run import OuterRun
from lg_toolroute.surfaces.chat.outward import Outward
from lg_toolroute.surfaces.chat.relay import Relay


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a call is made in: the runtime context of a LangGraph run, and where its custom events go.

    Attributes:
        context: The run's context; `None` outside of a run.
        emit: Takes events.
    """

    context: Any = None
    emit: events.Emit = events.silent

    @classmethod
    def look(cls) -> Surroundings:
        try:
            runtime: Any = get_runtime()
        except RuntimeError:  # LangGraph's word for: not in a run
            return cls()
        return cls() if runtime is None else cls(runtime.context, runtime.stream_writer)


@dataclass(frozen=True, slots=True)
class Call:
    """What a call of the chat model brings.

    Attributes:
        messages: The history, with its system prompt.
        settings: Keyword arguments: bound tools, tool choice, settings of the inner models.
        stop: Where the words end.
        agent: Whose rules apply.
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


class OneTurn:
    """A turn under way.

    Args:
        router: Rules, models, health.
        call: What was asked for.
        run: The outer run.

    Raises:
        ConfigError: A model cannot be built, two tools have one name, or `tool_choice` names none of them.
    """

    def __init__(self, router: ToolRouter, call: Call, run: OuterRun) -> None:
        router.check_models()
        around = Surroundings.look()
        settings = dict(call.settings)
        settings.pop("stream", None)  # LangChain's word to the outer model
        tools = bound_tools(settings.pop("tools", None) or ())
        _refuse_twins(tools)
        choice = read_choice(settings.pop("tool_choice", None), [tool_name(tool) for tool in tools])
        origins = [] if choice.none else [tool.for_inner for tool in tools]
        messages = list(call.messages)
        agent = call.agent or context_value(around.context, "agent") or None
        role = call.role or context_value(around.context, "role") or None
        override = call.model or context_value(around.context, "model") or None
        scene = make_scene(
            router,
            messages,
            origins,
            agent=agent,
            role=role,
            override=None if override is None else named(router, override, agent, role),
            forced=choice.forced,
        )
        self._router = router
        self._emit = around.emit
        self._stage = Stage(router, scene, messages, origins, lambda: f"call_{uuid4().hex[:24]}", tool_choice=choice.passed, only_bound=True)
        self._relay = Relay(self._stage, Opening(router, run.config, settings, call.stop, call.timeout_s), emit=around.emit)
        base = messages[-1].id if messages else None
        self._flow = take_turn(begin(run.message_id, base, scene, self._stage.new_id), scene)
        # Text without blocks of its own becomes the block 0, and a call must not meet it there.
        self._outward = Outward(run.message_id, first_index=1 if call.v1 else 0)

    def message(self) -> AIMessage:
        """The message.

        Raises:
            ChainExhausted: No model is left.
        """
        with self._causes():
            return self._landed(drive(self._flow, self._relay.perform))

    async def amessage(self) -> AIMessage:
        """The message, awaited."""
        with self._causes():
            return self._landed(await adrive(self._flow, self._relay.aperform))

    def chunks(self) -> Iterator[ChatGenerationChunk]:
        """The message in chunks, as it is written."""
        with self._causes():
            yield from self._relay.stream(self._flow, self._outward)
            yield self._outward.last(self._landed(self._relay.turn))

    async def achunks(self) -> AsyncIterator[ChatGenerationChunk]:
        """The message in chunks, as it is written."""
        with self._causes():
            async with aclosing(self._relay.astream(self._flow, self._outward)) as chunks:
                async for chunk in chunks:
                    yield chunk
            yield self._outward.last(self._landed(self._relay.turn))

    def _landed(self, turn: Any) -> AIMessage:
        message = land(turn, self._relay.parts)
        self._emit(events.landed(turn, message.response_metadata["toolroute"]))
        return message

    @contextmanager
    def _causes(self) -> Iterator[None]:
        try:
            yield
        except ChainExhausted as error:
            raise self._router.with_causes(error, self._outward.message_id) from None


def named(router: ToolRouter, model: str, agent: str | None, role: str | None) -> str:
    """The spec of a model that a caller names; without a provider, it is the primary's."""
    try:
        return canonical(model)
    except ValueError:
        primary = next(iter(router.book.reasoning_chain(agent=agent, role=role)), None)
        if primary is None or not model.strip():
            raise
        return canonical(f"{parse_spec(primary).provider}/{model}")


def _refuse_twins(tools: Sequence[BoundTool]) -> None:
    names = [tool_name(tool) for tool in tools]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        hint = "a tool's name must be unique among the bound tools; rename one of them"
        raise ConfigError([Problem("tools", f"{name!r} is bound {names.count(name)} times", hint) for name in twice], source="tools")
