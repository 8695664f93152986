"""The tool policy where tools run: hiding a tool from a model is not enforcement, because LangChain runs a call of a tool that was never bound."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.prebuilt.tool_node import ToolCallRequest

from lg_toolroute.core.rules.meant import meant
from lg_toolroute.core.rules.tools import tool_tags
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner import events
from lg_toolroute.runner.overrides import context_value


def refusal(
    router: ToolRouter, request: ToolCallRequest, *, agent: str | None = None, own_model: str | None = None, bound: Collection[str] = ()
) -> ToolMessage | None:
    """What a model reads instead of a tool's result; `None` if the call may run. A refusal is told as the event `denied`.

    A call is held to the policy of the model that wrote it. One that no routed turn wrote (a human's, another graph's) is held to the policy of
    the agent's primary.

    Args:
        router: The rules.
        request: The call, as LangGraph's `ToolNode` gives it to its wrappers.
        agent: The agent that the policy is for; unset: the runtime context's `agent`, or the defaults.
        own_model: The agent's own model, where the configuration names no primary.
        bound: The names of the agent's tools: a call is held to the policy for the tool that its name means.
    """
    call, state = request.tool_call, request.state
    messages = state.get("messages", []) if isinstance(state, dict) else getattr(state, "messages", [])
    # Only these two: a model that the context names wrongly is an error of the model's node, not of the tools.
    agent = agent or context_value(request.runtime.context, "agent") or None
    role = context_value(request.runtime.context, "role") or None
    about: dict[str, Any] = {"agent": agent, "role": role, "tags": tool_tags(request.tool), "own_model": own_model}
    tool = meant(call["name"], bound)
    found = denied(router, tool, call.get("id"), messages, **about)
    if found is None:
        return None
    request.runtime.stream_writer(events.denied(tool, *found))
    return refused(call)


def denied(
    router: ToolRouter,
    tool: str,
    call_id: str | None,
    messages: Sequence[BaseMessage],
    *,
    agent: str | None,
    role: str | None = None,
    tags: Sequence[str] = (),
    own_model: str | None = None,
) -> tuple[str, str] | None:
    """The model that may not run this call, and the place in the configuration that says so; `None` if the call may run.

    A model outside of a boundary cannot have been stopped at a tool that it was not offered; its call is refused here.
    """
    book, writer = router.book, writer_of(messages, call_id)
    model = writer or book.primary(agent=agent) or own_model or next(iter(book.reasoning_chain(agent=agent)), None)
    why = None if model is None else book.verdict(tool, model, agent=agent, tags=tuple(tags))
    if why is None and writer is not None:
        decision = book.decide(tool, agent=agent, tags=tuple(tags), role=role)
        if decision.options.boundary and "call" in decision.moments and writer not in decision.chain:
            why = decision.path
    return None if model is None or why is None else (model, why)


def refused(call: Any) -> ToolMessage:
    """What a model reads when it may not run a tool: short, without internals."""
    text = f"The tool {call['name']!r} is not available to you. Do not call it again; go on without it."
    mark = {"toolroute": {"refused": True}}
    return ToolMessage(content=text, name=call["name"], tool_call_id=call.get("id") or "", status="error", response_metadata=mark)


def refused_just_now(messages: Sequence[BaseMessage]) -> bool:
    """Whether a call of the last message was refused: the model has yet to read that, also where the tool answers for the agent."""
    for message in reversed(messages):
        if not isinstance(message, ToolMessage):
            return False
        record = message.response_metadata.get("toolroute")
        if isinstance(record, dict) and record.get("refused"):
            return True
    return False


def writer_of(messages: Sequence[BaseMessage], call_id: str | None) -> str | None:
    """The model that wrote a call, from the record on its message; `None` if there is none."""
    record = record_of(messages, call_id)
    return record.get("calls", {}).get(call_id) or record.get("model")


def record_of(messages: Sequence[BaseMessage], call_id: str | None) -> dict[str, Any]:
    """The routing record of the message that holds a call; empty if it has none."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and any(call["id"] == call_id for call in message.tool_calls):
            record = message.response_metadata.get("toolroute")
            return record if isinstance(record, dict) else {}
    return {}
