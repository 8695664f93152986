"""The conditional edges of a routed graph: where a run goes after the model, and after its tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.types import Send

from lg_toolroute.runner.inputs import results_just_in
from lg_toolroute.runner.refusals import refused_just_now
from lg_toolroute.runner.runner import is_parked
from lg_toolroute.state import state_for_tools
from lg_toolroute.surfaces.graph.nodes import read_state


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
        parked, messages = read_state(state, "toolroute"), read_state(state, "messages") or []
        if is_parked(parked, messages):
            return self.fallback if parked["turn"].get("phase") == "advance" else self.route
        pending = pending_calls(messages)  # of the turn that landed, or of an answer that the thread's owner wrote
        if messages and isinstance(messages[-1], ToolMessage) and not pending:
            return self.route  # the owner wrote an answer's results, too
        if not pending or self.tools is None:
            return self.end
        injected = state_for_tools(state, self.schema)
        # One task a call: when one of them is interrupted, the others are not run again.
        return [Send(self.tools, {"__type": "tool_call_with_context", "tool_call": call, "state": injected}) for call in pending]


class AfterTools:
    """Where a run goes after tools of which some answer for the agent (`return_direct`).

    Args:
        direct: The names of those tools.
        route: The name of the route node.
        end: Where a finished run goes.
    """

    def __init__(self, direct: frozenset[str], route: str, end: str) -> None:
        self._direct, self._route, self._end = direct, route, end

    def __call__(self, state: Any) -> str:
        messages = read_state(state, "messages") or []
        results = results_just_in(messages)
        direct = bool(results) and all(name in self._direct for name in results)
        return self._end if direct and not refused_just_now(messages) else self._route


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
