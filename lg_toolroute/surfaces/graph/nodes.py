"""The nodes of a routed graph. Each is usable alone in another graph.

```text
route ─► policy ─► model ─┬─► tools ─► route
            ▲             ├─► route      (a routed tool was named: its chain)
            │             ├─► fallback   (a candidate failed: the next one)
            └── fallback ◄┘
```

`messages` is written once a turn, by `model`. What a turn has so far lies in the private key `toolroute`, so that between any two nodes
there is a checkpoint, and a resumed thread repeats only what had not finished.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.runtime import get_runtime
from langgraph.types import Send

from lg_toolroute.core.rules.spec import canonical
from lg_toolroute.core.turn.flow import ask, begin, hand_off, select, take_turn
from lg_toolroute.core.turn.turn import Turn, advance
from lg_toolroute.errors import ChainExhausted, ConfigError, Problem
from lg_toolroute.router import ToolRouter, tool_name
from lg_toolroute.runner import events
from lg_toolroute.runner.drivers import adrive, drive
from lg_toolroute.runner.landing import Part, land
from lg_toolroute.runner.perform import Performer
from lg_toolroute.runner.request import Request, Stage
from lg_toolroute.runner.scene import Failed, failed, make_scene, named_tools
from lg_toolroute.runner.send import asend, send
from lg_toolroute.state import context_value, state_for_tools

State = dict[str, Any]


def new_message_id() -> str:
    """The id of a turn's message. The prefix is LangChain's own for ids that a provider may still replace; here none does."""
    return f"lc_run--{uuid4()}"


def new_call_id() -> str:
    """The id of a routed call: legal at every provider that takes forty characters."""
    return f"call_{uuid4().hex[:24]}"


class TurnNode(Runnable[Any, Any]):
    """What the nodes share: they read the thread, find the turn, and know the tools.

    Args:
        router: Rules, models, health.
        tools: The tools of the graph: `BaseTool`s, functions or tool dicts.
        system_prompt: Stands before the messages of every request.
        name: The node's name, for traces; also the agent's name on the message where `agent_name` is given.
        agent: Whose rules and tool policy apply; unset: the runtime context's `agent`, or the defaults.
        agent_name: Written on every message.
        is_failure: Says whether a tool's result is a failure, for escalation.
    """

    def __init__(
        self,
        router: ToolRouter,
        tools: Sequence[Any],
        *,
        system_prompt: str | SystemMessage | None = None,
        name: str,
        agent: str | None = None,
        agent_name: str | None = None,
        is_failure: Failed = failed,
    ) -> None:
        self.router = router
        self.tools = list(tools)
        self._named = named_tools(self.tools)
        self.system = SystemMessage(content=system_prompt) if isinstance(system_prompt, str) else system_prompt
        self.name = name
        self.agent = agent
        self.agent_name = agent_name
        self.is_failure = is_failure

    def turn(self, state: Any) -> tuple[Turn, list[Part]] | None:
        """The turn under way; `None` if there is none, or if the thread has gone on without it."""
        data = _read(state, "toolroute")
        if not data:
            return None
        turn = Turn.from_dict(data["turn"])
        messages = _read(state, "messages") or []
        if turn.base != _base(messages):
            return None
        return turn, [Part.from_dict(part) for part in data["parts"]]

    def current(self, state: Any, stage: Stage) -> tuple[Turn, list[Part]]:
        """The turn under way, or a new one: where the node stands alone, or the thread has gone on without the turn."""
        return self.turn(state) or (begin(new_message_id(), _base(stage.messages), stage.scene, new_call_id), [])

    def stage(self, state: Any, *, forced: str | None = None) -> Stage:
        """What the requests of this turn have in common, read off the thread and the run."""
        messages: list[BaseMessage] = list(_read(state, "messages") or [])
        context = get_runtime().context
        scene = make_scene(
            self.router,
            messages,
            self.tools,
            agent=self.agent or context_value(context, "agent") or None,
            role=context_value(context, "role") or None,
            override=_override(context),
            forced=forced,
            is_failure=self.is_failure,
            named=self._named,
        )
        return Stage(self.router, scene, messages, self.tools, new_call_id, system=self.system)

    def write(self, turn: Turn, parts: Sequence[Part], **more: Any) -> State:
        return {"toolroute": {"turn": turn.to_dict(), "parts": [part.to_dict() for part in parts]}, **more}


class RouteNode(TurnNode):
    """Begins a turn: which tool is expected, and whose chain it goes to. Goes on with one in which a routed tool was named."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        found = self.turn(input)
        if found is not None and found[0].phase == "hand_off":
            turn, parts = found
            turn = hand_off(turn, self.stage(input).scene)
            emit = _writer()
            for event in events.handed_off(turn):
                emit(event)
            return self.write(turn, parts)
        self.router.check_models()
        expected = _read(input, "expected_tool")
        if expected and expected not in (names := [tool_name(tool) for tool in self.tools]):
            message = f"expected_tool: {expected!r} is none of the {len(names)} bound tools ({', '.join(names)}); the primary decides instead"
            warnings.warn(message, UserWarning, stacklevel=2)
        stage = self.stage(input, forced=expected or None)
        turn = begin(new_message_id(), _base(stage.messages), stage.scene, new_call_id)
        if not turn.jobs[0].chain:
            raise ConfigError([Problem("model.primary", "no model is configured", 'write model.primary, for instance "openai/gpt-5"')])
        # An expected tool is used once: it says what comes next, not what comes ever after.
        return self.write(turn, [], expected_tool=None) if expected else self.write(turn, [])

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        return self.invoke(input, config)  # nothing here waits for anything


class PolicyNode(TurnNode):
    """Picks the candidate that is asked: by policy, capability, window and health. Recomputed for every attempt."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        stage = self.stage(input)
        turn, parts = self.current(input, stage)
        performer = Performer(stage, emit=_writer())
        try:
            return self.write(drive(select(turn, stage.scene), performer.perform), parts)
        except ChainExhausted as error:
            raise self.router.with_causes(error, turn.id) from None

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        stage = self.stage(input)
        turn, parts = self.current(input, stage)
        performer = Performer(stage, emit=_writer())
        try:
            return self.write(await adrive(select(turn, stage.scene), performer.aperform), parts)
        except ChainExhausted as error:
            raise self.router.with_causes(error, turn.id) from None


class ModelNode(TurnNode):
    """Asks the candidates, through their gates. Writes `messages` when the turn is done, and only then."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        stage = self.stage(input)
        turn, parts = self.current(input, stage)
        performer = Performer(stage, parts, send=lambda request: send(request, self.router, config), emit=_writer())
        try:
            if turn.phase == "select":
                turn = drive(select(turn, stage.scene), performer.perform)
            turn = drive(ask(turn), performer.perform)
            if self._needs_drafts(turn, stage):
                turn = drive(take_turn(turn, stage.scene), performer.perform)
        except ChainExhausted as error:
            raise self.router.with_causes(error, turn.id) from None
        return self._settled(turn, performer)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        stage = self.stage(input)
        turn, parts = self.current(input, stage)

        async def asending(request: Request) -> AIMessage:
            return await asend(request, self.router, config)

        performer = Performer(stage, parts, asend=asending, emit=_writer())
        try:
            if turn.phase == "select":
                turn = await adrive(select(turn, stage.scene), performer.aperform)
            turn = await adrive(ask(turn), performer.aperform)
            if self._needs_drafts(turn, stage):
                turn = await adrive(take_turn(turn, stage.scene), performer.aperform)
        except ChainExhausted as error:
            raise self.router.with_causes(error, turn.id) from None
        return self._settled(turn, performer)

    def _needs_drafts(self, turn: Turn, stage: Stage) -> bool:
        """A draft is never written into the state, where a consumer could see it; so it is handed off at once, in this node."""
        return turn.phase == "hand_off" and any(stage.scene.decide(call.tool, "intercepted")[0].options.handoff == "draft" for call in turn.pending)

    def _settled(self, turn: Turn, performer: Performer) -> State:
        if turn.phase != "done":
            return self.write(turn, performer.parts)
        message = land(turn, performer.parts, name=self.agent_name)
        _writer()(events.landed(turn, message.response_metadata["toolroute"]))
        return {"messages": [message], "toolroute": None}


class FallbackNode(TurnNode):
    """Takes note of a failed attempt: the next candidate, or the same one once more with the reason its answer was refused."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        found = self.turn(input)
        return self.write(advance(found[0]), found[1]) if found is not None else {}

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        return self.invoke(input, config)  # nothing here waits for anything


class AfterModel:
    """Where a turn goes after `model`: the edge of the same name in the drawn graph.

    Args:
        route: The name of the route node.
        tools: The name of the tools node; `None` if the graph has no tools.
        fallback: The name of the fallback node.
        end: Where a finished run goes.
        schema: The graph's state, in whose shape tools have it injected; unset: a dict.
    """

    def __init__(self, *, route: str, tools: str | None, fallback: str, end: str, schema: type[Any] | None = None) -> None:
        self.route, self.tools, self.fallback, self.end = route, tools, fallback, end
        self.schema = schema

    def __call__(self, state: Any) -> str | list[Send]:
        data = _read(state, "toolroute")
        if data:
            return self.fallback if data["turn"]["phase"] == "advance" else self.route
        pending = pending_calls(_read(state, "messages") or [])
        if not pending or self.tools is None:
            return self.end
        given = state_for_tools(state, self.schema)
        # One task a call: when one of them is interrupted, the others are not run again.
        return [Send(self.tools, {"__type": "tool_call_with_context", "tool_call": call, "state": given}) for call in pending]


def pending_calls(messages: Sequence[BaseMessage]) -> list[Any]:
    """The calls of the last AI message that have no result yet."""
    answered: set[str] = set()
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            answered.add(message.tool_call_id)
        elif isinstance(message, AIMessage):
            return [call for call in message.tool_calls if call["id"] not in answered]
        elif isinstance(message, HumanMessage):
            return []
    return []


def _read(state: Any, key: str) -> Any:
    return state.get(key) if isinstance(state, dict) else getattr(state, key, None)


def _base(messages: Sequence[BaseMessage]) -> str | None:
    """What tells whether the thread has gone on: the id of its last message; without ids (another reducer than `add_messages`), how many."""
    return (messages[-1].id or f"#{len(messages)}") if messages else None


def _override(context: Any) -> str | None:
    value = context_value(context, "model")
    if not value:
        return None
    try:
        return canonical(value)
    except (ValueError, TypeError, AttributeError) as error:
        hint = "" if isinstance(value, str) else "write provider/model"
        message = str(error) if isinstance(value, str) else f"a {type(value).__name__} is not a model spec"
        raise ConfigError([Problem("context.model", message, hint)], source="runtime context") from error


def _writer() -> events.Emit:
    return get_runtime().stream_writer


__all__ = ["AfterModel", "FallbackNode", "ModelNode", "PolicyNode", "RouteNode", "TurnNode"]
