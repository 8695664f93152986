"""The ids that a turn gives to its message and calls, and the id of the message that it answers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from langchain_core.messages import BaseMessage


def new_message_id() -> str:
    """The id of a turn's message. The prefix is LangChain's own for ids that a provider may still replace; here none does."""
    return f"lc_run--{uuid4()}"


def new_call_id() -> str:
    """The id of a routed call: legal at every provider that takes forty characters."""
    return f"call_{uuid4().hex[:24]}"


def base_of(messages: Sequence[BaseMessage]) -> str | None:
    """Identifies the end of a thread: the id of the last message; without ids (another reducer than `add_messages`), the number of messages."""
    return (messages[-1].id or f"#{len(messages)}") if messages else None
