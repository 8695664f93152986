"""`reasoning_content` for the APIs that want it back, which LangChain's clients do not send.

DeepSeek and Kimi, while thinking, refuse a request in which an earlier assistant message lacks the field. The clients drop
it, so it is put into the finished payload: the model's own reasoning where it was kept, else a line that says that there is
none, because the model did not think before a call that another model wrote. An empty string is taken by some of these
servers and refused by others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage

from lg_toolroute.history.provenance import is_own
from lg_toolroute.history.target import Target

NOT_RECORDED: Final = "(not recorded)"


def replay_reasoning(payload: Mapping[str, Any], messages: Sequence[BaseMessage], target: Target) -> dict[str, Any]:
    """Put `reasoning_content` into the assistant messages, where the target's API wants it.

    Args:
        payload: What the client's `_get_request_payload` made of `messages`; not changed.
        messages: The messages it was made of, already adapted to the target.
        target: The reader.

    Returns:
        A new payload; an equal one if the API does not ask for the field.
    """
    if not target.echo_reasoning or not isinstance(payload.get("messages"), list):
        return dict(payload)
    kept = [_own_reasoning(message, target) for message in messages if isinstance(message, AIMessage)]
    sent = []
    place = 0
    for entry in payload["messages"]:
        if entry.get("role") == "assistant":
            reasoning = kept[place] if place < len(kept) else NOT_RECORDED
            place += 1
            # With the field present `content` may not be null.
            entry = {"reasoning_content": reasoning, **entry, "content": entry.get("content") or ""}
        sent.append(entry)
    return {**payload, "messages": sent}


def _own_reasoning(message: AIMessage, target: Target) -> str:
    reasoning = message.additional_kwargs.get("reasoning_content")
    return reasoning if isinstance(reasoning, str) and reasoning and is_own(message, target) else NOT_RECORDED
