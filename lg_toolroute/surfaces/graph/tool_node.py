"""The tools node: runs calls, and refuses those that the model which wrote them may not run.

Hiding a tool from a model is not enforcement: LangChain runs a call of a tool that was never bound.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.prebuilt import ToolNode
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command

from lg_toolroute.errors import ToolDeniedError
from lg_toolroute.runner import events
from lg_toolroute.state import context_value

if TYPE_CHECKING:
    from lg_toolroute.router import ToolRouter

Result = ToolMessage | Command[Any]


class Guard:
    """Refuses denied calls, in words that a model can act on.

    Args:
        router: The rules.
        tags: The tags of each tool, by name.
        agent: Whose policy applies; unset: the runtime context's `agent`, or the defaults.
    """

    def __init__(self, router: ToolRouter, tags: dict[str, tuple[str, ...]], agent: str | None = None) -> None:
        self._router = router
        self._tags = tags
        self._agent = agent

    def refusal(self, call: Any, messages: Sequence[BaseMessage], context: Any, emit: events.Emit) -> ToolMessage | None:
        """What the model reads instead of a result; `None` if the call may run."""
        agent = self._agent or context_value(context, "agent") or None
        error = denied(self._router, call["name"], call.get("id"), messages, agent=agent, tags=self._tags.get(call["name"], ()))
        if error is None:
            return None
        emit(events.denied(None, error.tool, error.model, error.why))
        return refused(call)

    def wrap(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Result]) -> Result:
        return self._refusal(request) or handler(request)

    async def awrap(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Result]]) -> Result:
        return self._refusal(request) or await handler(request)

    def _refusal(self, request: ToolCallRequest) -> ToolMessage | None:
        state = request.state
        messages = state.get("messages", []) if isinstance(state, dict) else getattr(state, "messages", [])
        return self.refusal(request.tool_call, messages, request.runtime.context, request.runtime.stream_writer)


def denied(
    router: ToolRouter, tool: str, call_id: str | None, messages: Sequence[BaseMessage], *, agent: str | None, tags: Sequence[str] = ()
) -> ToolDeniedError | None:
    """The refusal of a call by the policy of the model that wrote it; `None` if it may run.

    A call that no routed turn wrote (a human's, another graph's) is held to the policy of the agent's primary.
    """
    model = writer_of(messages, call_id) or next(iter(router.book.reasoning_chain(agent=agent)), None)
    if model is None:
        return None
    why = router.book.verdict(tool, model, agent=agent, tags=tuple(tags))
    return None if why is None else ToolDeniedError(tool, model, why)


def refused(call: Any) -> ToolMessage:
    """What a model reads when it may not run a tool: short, without internals."""
    text = f"The tool {call['name']!r} is not available to you. Do not call it again; go on without it."
    return ToolMessage(content=text, name=call["name"], tool_call_id=call.get("id") or "", status="error")


def writer_of(messages: Sequence[BaseMessage], call_id: str | None) -> str | None:
    """The model that wrote a call, from the record on its message; `None` if nobody noted it."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and any(call["id"] == call_id for call in message.tool_calls):
            record = message.response_metadata.get("toolroute")
            if not isinstance(record, dict):
                return None
            return record.get("calls", {}).get(call_id) or record.get("model")
    return None


def tool_node(
    router: ToolRouter, tools: Sequence[Any], *, name: str = "tools", handle_tool_errors: Any = None, agent: str | None = None
) -> ToolNode:
    """A `ToolNode` that enforces the tool policy.

    Args:
        router: The rules.
        tools: What it runs.
        name: The node's name.
        handle_tool_errors: As `ToolNode` takes it; unset: LangGraph's default.
        agent: Whose policy applies; unset: the runtime context's `agent`, or the defaults.
    """
    from lg_toolroute.router import tool_name, tool_tags

    guard = Guard(router, {tool_name(tool): tool_tags(tool) for tool in tools}, agent)
    more = {} if handle_tool_errors is None else {"handle_tool_errors": handle_tool_errors}
    return ToolNode(list(tools), name=name, wrap_tool_call=guard.wrap, awrap_tool_call=guard.awrap, **more)
