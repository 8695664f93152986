"""The tools node: a `ToolNode` that refuses calls which the model that wrote them may not run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.prebuilt import ToolNode
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command

from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.refusals import refusal

Outcome = ToolMessage | Command[Any]


def tool_node(
    router: ToolRouter, tools: Sequence[Any], *, name: str = "tools", handle_tool_errors: Any = None, agent: str | None = None
) -> ToolNode:
    """A `ToolNode` that enforces the tool policy.

    Args:
        router: The rules.
        tools: What it runs.
        name: The node's name.
        handle_tool_errors: As `ToolNode` takes it; unset: LangGraph's default.
        agent: The agent that the policy is for; unset: the runtime context's `agent`, or the defaults.
    """

    def wrap(request: ToolCallRequest, handler: Callable[[ToolCallRequest], Outcome]) -> Outcome:
        return refusal(router, request, agent=agent) or handler(request)

    async def awrap(request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Outcome]]) -> Outcome:
        return refusal(router, request, agent=agent) or await handler(request)

    more = {} if handle_tool_errors is None else {"handle_tool_errors": handle_tool_errors}
    return ToolNode(list(tools), name=name, wrap_tool_call=wrap, awrap_tool_call=awrap, **more)
