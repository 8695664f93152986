"""The ids that a turn gives, and what identifies the thread that it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
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

    The same in every process, and after a trip through JSON. Covered are the `NEWEST` last messages and the last human one before them, so that
    the price does not grow with the thread.

    Args:
        messages: The thread.
    """
    question = next((message for message in reversed(messages[:-NEWEST]) if isinstance(message, HumanMessage)), None)
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


def _digest(messages: Sequence[BaseMessage]) -> str:
    digest = sha256()  # the fastest of the standard library, and no price beside a request: about 1 ms for a megabyte
    for message in messages:
        said: list[Any] = [message.type, message.id, message.content]
        if isinstance(message, AIMessage):
            said.extend((call["id"], call["name"], call["args"]) for call in message.tool_calls)
        elif isinstance(message, ToolMessage):
            said.extend((message.tool_call_id, message.status))
        _add(digest, said)
    return digest.hexdigest()[:24]


def _add(digest: Any, value: Any) -> None:
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    elif isinstance(value, Mapping):
        _add(digest, [each for item in value.items() for each in (str(item[0]), item[1])])
    elif isinstance(value, (list, tuple)):
        digest.update(b"%d[" % len(value))
        for each in value:
            _add(digest, each)
    else:
        # What JSON does not know stands there as its type: its text may hold an address in memory.
        digest.update(f"{value!r};".encode() if isinstance(value, (bool, int, float, type(None))) else type(value).__name__.encode())
