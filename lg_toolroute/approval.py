"""What a human who approves a tool call is told about it: which model wrote it, and under which rule."""

from __future__ import annotations

import json
from typing import Any

from lg_toolroute.runner.refusals import record_of, writer_of


def written_by(tool_call: Any, state: Any, runtime: Any = None) -> str:
    """The description of a tool call for `HumanInTheLoopMiddleware`.

    Args:
        tool_call: The call that waits for approval.
        state: The agent's state.
        runtime: The agent's runtime; not needed.

    Returns:
        One sentence on who wrote the call, and its arguments.

    Example:
        ```python
        from langchain.agents.middleware import HumanInTheLoopMiddleware
        from lg_toolroute.approval import written_by

        decisions = ["approve", "edit", "reject"]
        HumanInTheLoopMiddleware({"edit": {"allowed_decisions": decisions, "description": written_by}})
        ```
    """
    messages = state["messages"] if isinstance(state, dict) else state.messages
    arguments = json.dumps(tool_call["args"], ensure_ascii=False, indent=2, default=str)
    writer = writer_of(messages, tool_call["id"])
    if writer is None:
        return f"{tool_call['name']}\n\n{arguments}"
    record = record_of(messages, tool_call["id"])
    reasoner, rule = record.get("reasoner"), record.get("rule")
    told = f"{tool_call['name']}, written by {writer}"
    if writer != reasoner and reasoner is not None:
        told += f" for {reasoner}" + (f" (rule {rule!r})" if rule else "")
    return f"{told}\n\n{arguments}"


__all__ = ["written_by"]
