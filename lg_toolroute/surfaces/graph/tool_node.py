"""The tools node: a `ToolNode` that refuses calls which the model that wrote them may not run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.prebuilt import ToolNode
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command, Send

from lg_toolroute.core.rules.tools import tool_name
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.one_at_a_time import EditTurns
from lg_toolroute.runner.refusals import refusal

ToolOutput = ToolMessage | Command[Any]


def tool_node(
    router: ToolRouter,
    tools: Sequence[Any],
    *,
    name: str = "tools",
    handle_tool_errors: Any = None,
    agent: str | None = None,
    entries: Mapping[str, str] | None = None,
) -> ToolNode:
    """A `ToolNode` that enforces the tool policy.

    Args:
        router: The rules.
        tools: What it runs.
        name: The node's name.
        handle_tool_errors: As `ToolNode` takes it; unset: LangGraph's default.
        agent: The agent that the policy is for; unset: the runtime context's `agent`, or the defaults.
        entries: Where a `Command` of a tool goes that names one of these nodes.
    """
    bound, turns = frozenset(map(tool_name, tools)), EditTurns(router)

    def wrap(request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolOutput]) -> ToolOutput:
        if (refused := refusal(router, request, agent=agent, bound=bound)) is not None:
            return refused
        with turns.turn(request):
            outcome: ToolOutput = entered(handler(request), entries or {})
        return outcome

    async def awrap(request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolOutput]]) -> ToolOutput:
        if (refused := refusal(router, request, agent=agent, bound=bound)) is not None:
            return refused
        async with turns.aturn(request):
            outcome: ToolOutput = entered(await handler(request), entries or {})
        return outcome

    more = {} if handle_tool_errors is None else {"handle_tool_errors": handle_tool_errors}
    return ToolNode(list(tools), name=name, wrap_tool_call=wrap, awrap_tool_call=awrap, **more)


def entered(outcome: Any, entries: Mapping[str, str]) -> Any:
    """What a tool returned; a `Command` that goes into the middle of a turn goes to its beginning instead, where the edge behind the tools leads.

    Otherwise two nodes of one turn would run in the same step.

    Args:
        outcome: A tool message, a `Command`, or a list of these.
        entries: The node to go to instead, by node.
    """
    if isinstance(outcome, list):
        return [entered(each, entries) for each in outcome]
    if not isinstance(outcome, Command) or outcome.graph is not None:
        return outcome
    targets = [outcome.goto] if isinstance(outcome.goto, (str, Send)) else outcome.goto
    return replace(outcome, goto=[entries.get(each, each) if isinstance(each, str) else each for each in targets])
