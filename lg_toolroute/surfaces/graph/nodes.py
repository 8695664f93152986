"""The nodes of a routed graph. Each is usable alone in another graph.

```text
route ─► policy ─► model ─┬─► tools ─► route
            ▲             ├─► route      (a routed tool was named: its chain)
            │             ├─► fallback   (a candidate failed: the next one)
            └── fallback ◄┘
```

A node runs the phases of a turn that its name says, and writes down where the turn stands. `messages` is written once a turn, by `model`. What
a turn has so far lies in the private key `toolroute`, so that between any two nodes there is a checkpoint, and a resumed thread repeats only
what had not finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from langchain_core.messages import BaseMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.runtime import get_runtime

from lg_toolroute.core.rules.tools import named_tools
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.calling import ModelCaller
from lg_toolroute.runner.inputs import IsFailure, has_error_status, read_inputs
from lg_toolroute.runner.overrides import read_expected, read_overrides
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.runner.runner import TurnRunner, resumed

State = dict[str, Any]


class TurnNode(Runnable[Any, Any]):
    """What the nodes share: they read the thread, find the turn or begin one, run their phases, and write down where it stands.

    Args:
        router: Rules, models, health.
        tools: The tools of the graph: `BaseTool`s, functions or tool dicts.
        system_prompt: Stands before the messages of every request.
        name: The node's name, for traces.
        agent: An id under `agents`, for the agent's own rules and tool policy; unset: the runtime context's `agent`, or the defaults.
        agent_name: Written on every message.
        is_failure: Says whether a tool's result is a failure, for escalation.
    """

    phases: ClassVar[frozenset[str]] = frozenset()
    """The phases of a turn that run in this node."""
    _begins: ClassVar[bool] = True
    """A new turn begins where there is none."""
    _only_own_phases: ClassVar[bool] = False
    """A turn that stands in a phase of another node is left, and a new one begins."""

    def __init__(
        self,
        router: ToolRouter,
        tools: Sequence[Any],
        *,
        system_prompt: str | SystemMessage | None = None,
        name: str,
        agent: str | None = None,
        agent_name: str | None = None,
        is_failure: IsFailure = has_error_status,
    ) -> None:
        self.router = router
        self.tools = list(tools)
        self._named = named_tools(self.tools)
        self.system = SystemMessage(content=system_prompt) if isinstance(system_prompt, str) else system_prompt
        self.name = name
        self.agent = agent
        self.agent_name = agent_name
        self.is_failure = is_failure

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        runner = self._runner(input, config)
        if runner is None:
            return {}
        runner.run()
        return self._written(runner, input)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> State:
        runner = self._runner(input, config)
        if runner is None:
            return {}
        await runner.arun()
        return self._written(runner, input)

    def _runner(self, state: Any, config: RunnableConfig | None) -> TurnRunner | None:
        """The turn under way, or a new one: where the node stands alone, or the thread has gone on without the turn."""
        runtime = get_runtime()
        messages: list[BaseMessage] = list(read_state(state, "messages") or [])
        overrides = read_overrides(self.router.book, runtime.context, agent=self.agent)
        forced = self._expected(state)
        inputs = read_inputs(self.router, messages, self.tools, overrides, forced=forced, is_failure=self.is_failure, named=self._named)
        builder = RequestBuilder(self.router, inputs, messages, self.tools, system=self.system)
        turn, segments = resumed(read_state(state, "toolroute"), messages, builder) or (None, ())
        if turn is None and not self._begins:
            return None
        if turn is not None and self._only_own_phases and turn.phase not in self.phases:
            turn, segments = None, ()
        caller = ModelCaller(self.router, config)
        return TurnRunner(builder, caller, emit=runtime.stream_writer, turn=turn, segments=segments, phases=self.phases)

    def _expected(self, state: Any) -> str | None:
        return None

    def _written(self, runner: TurnRunner, state: Any) -> State:
        return {"toolroute": runner.parked()}


class RouteNode(TurnNode):
    """Begins a turn: which tool is expected, and whose chain it goes to. Goes on with one in which a routed tool was named."""

    phases = frozenset({"hand_off"})
    _only_own_phases = True

    def _expected(self, state: Any) -> str | None:
        return read_expected(read_state(state, "expected_tool"), self._named)

    def _written(self, runner: TurnRunner, state: Any) -> State:
        # An expected tool is used once: it says what comes next, not what comes ever after.
        used = {"expected_tool": None} if read_state(state, "expected_tool") else {}
        return {"toolroute": runner.parked(), **used}


class PolicyNode(TurnNode):
    """Picks the candidate that is asked: by policy, capability, window and health. Recomputed for every attempt."""

    phases = frozenset({"select"})


class ModelNode(TurnNode):
    """Asks the candidates, through their gates. Writes `messages` when the turn is done, and only then."""

    phases = frozenset({"select", "ask"})

    def _written(self, runner: TurnRunner, state: Any) -> State:
        if runner.done:
            return {"messages": [runner.landed(name=self.agent_name)], "toolroute": None}
        return {"toolroute": runner.parked()}


class FallbackNode(TurnNode):
    """Takes note of a failed attempt: the next candidate, or the same one once more with the reason its answer was refused."""

    phases = frozenset({"advance"})
    _begins = False


def read_state(state: Any, key: str) -> Any:
    """One key of a state that is a mapping, a dataclass or a pydantic model; `None` if it is not there."""
    return state.get(key) if isinstance(state, dict) else getattr(state, key, None)


__all__ = ["FallbackNode", "ModelNode", "PolicyNode", "RouteNode", "TurnNode", "read_state"]
