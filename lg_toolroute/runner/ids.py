"""The ids that a turn gives, and what identifies the thread that it answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

NEWEST = 16
"""So many messages at the end of a thread are compared by what they say."""


def new_message_id() -> str:
    """The id of a turn's message. The prefix is LangChain's own for ids that a provider may still replace; here none does."""
    return f"lc_run--{uuid4()}"


def new_call_id() -> str:
    """The id of a routed call: legal at every provider that takes forty characters."""
    return f"call_{uuid4().hex[:24]}"


def base_of(messages: Sequence[BaseMessage]) -> str:
    """What tells whether a thread is still the one that a turn answers: its length, and a digest of what its newest messages say.

    The same in every process, and after a trip through JSON. Covered are the `NEWEST` last messages and the last human one, so that the price
    does not grow with the thread.

    Args:
        messages: The thread.
    """
    newest: Sequence[BaseMessage] = messages[-NEWEST:]
    question = next((message for message in reversed(messages) if isinstance(message, HumanMessage)), None)
    digest = sha256()  # the fastest of the standard library on machines of today
    for message in newest if question is None else (question, *newest):
        calls = message.tool_calls if isinstance(message, AIMessage) else ()
        result = (message.tool_call_id, message.status) if isinstance(message, ToolMessage) else ()
        text = message.content if isinstance(message.content, str) else ""
        head = json.dumps([message.type, message.id, len(text), None if text else message.content, calls, result], default=_kind, skipkeys=True)
        digest.update(head.encode())
        digest.update(text.encode("utf-8", "surrogatepass"))
    return f"{len(messages)}:{digest.hexdigest()[:24]}"


def _kind(value: object) -> str:
    """Stands for what JSON does not know: its text may hold an address in memory."""
    return type(value).__name__
