"""The ids that a turn gives, and what identifies the thread that it answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

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

    The same in every process, and after a trip through JSON. Covered are the `NEWEST` last messages and the last human one before them, so that
    the price does not grow with the thread.

    Args:
        messages: The thread.
    """
    question = next((message for message in reversed(messages[:-NEWEST]) if message.type in _HUMAN), None)
    covered = tuple(messages[-NEWEST:]) if question is None else (question, *messages[-NEWEST:])
    # The nodes of one turn read the same message objects, one after the other.
    known = _BASES.get(len(messages)) if covered else None
    if known is not None and len(known[0]) == len(covered) and all(one is other for one, other in zip(known[0], covered, strict=True)):
        return known[1]
    base = f"{len(messages)}:{_digest(covered)}"
    if len(_BASES) >= _MOST_BASES:
        _BASES.clear()
    _BASES[len(messages)] = (covered, base)
    return base


_BASES: dict[int, tuple[tuple[BaseMessage, ...], str]] = {}
"""The last base of a thread of each length, with the messages that it was made of."""
_MOST_BASES = 64
_HUMAN = frozenset({"human", "HumanMessageChunk"})
"""The types of a human's messages: `isinstance` takes four times as long to say no, and a thread is long."""


def _digest(messages: Sequence[BaseMessage]) -> str:
    said = _WRITER.encode([_said(message) for message in messages])
    return sha256(said.encode()).hexdigest()[:24]  # the fastest of the standard library, and no price beside a request


def _said(message: BaseMessage) -> list[Any]:
    said: list[Any] = [message.type, message.id, message.content]
    if isinstance(message, AIMessage):
        said.extend((call["id"], call["name"], call["args"]) for call in message.tool_calls)
    elif isinstance(message, ToolMessage):
        said.extend((message.tool_call_id, message.status))
    return said


def _type_name(value: Any) -> str:
    """What stands for a value that JSON does not know: its text may hold an address in memory."""
    return type(value).__name__


_WRITER = json.JSONEncoder(skipkeys=True, default=_type_name)
