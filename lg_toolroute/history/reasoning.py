"""`reasoning_content` and `reasoning_details` for the APIs that want them back, which `ChatOpenAI` does not send.

DeepSeek and Kimi, while thinking, refuse a request in which an earlier assistant message lacks the field; so does OpenRouter for calls of
Gemini 3. The client drops it, so it is put into the finished payload: the model's own where it was kept, else a line that says that there
is none, because the model did not think before a call that another model wrote. An empty string is taken by some of these servers and
refused by others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from lg_toolroute.history.private_fields import CONTENT, DETAILS, NOT_RECORDED, whole_details
from lg_toolroute.history.target import Target


def replay_reasoning(payload: Mapping[str, Any], messages: Sequence[BaseMessage], target: Target) -> dict[str, Any]:
    """Put `reasoning_content` and `reasoning_details` into the assistant messages, where the target's API wants them.

    Args:
        payload: What the client's `_get_request_payload` made of `messages`; not changed.
        messages: The messages it was made of, already adapted to the target: no other model's reasoning is left in them.
        target: The reader.

    Returns:
        A new payload; an equal one if the API does not ask for the fields.
    """
    if not (target.echo_reasoning or target.echo_details) or not isinstance(payload.get("messages"), list):
        return dict(payload)
    answers = iter([message for message in messages if isinstance(message, AIMessage)])
    sent = [_replayed(entry, next(answers, None), target) if entry.get("role") == "assistant" else entry for entry in payload["messages"]]
    return {**payload, "messages": sent}


def _replayed(entry: dict[str, Any], message: AIMessage | None, target: Target) -> dict[str, Any]:
    private = {} if message is None else message.additional_kwargs
    if target.echo_reasoning:
        # With the field present `content` may not be null.
        entry = {CONTENT: private.get(CONTENT) or NOT_RECORDED, **entry, "content": entry.get("content") or ""}
    details = private.get(DETAILS)
    return {**entry, DETAILS: whole_details(details)} if target.echo_details and details else entry
