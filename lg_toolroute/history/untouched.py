"""The quick look: does this history need anything at all? Most do not, and this runs before every request.

It may say "no" to a history that turns out to be fine, never "yes" to one that is not; a property test holds it to that.
It is one long loop on purpose: 100 messages are to cost less than 100 µs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from lg_toolroute.history.assistant import NO_NAME_CHANGE
from lg_toolroute.history.dialects import AI, CALL, START, SYSTEM, TOOL, USER
from lg_toolroute.history.ids import any_id, short_id, tool_name
from lg_toolroute.history.order import opens_with_thinking
from lg_toolroute.history.provenance import is_own
from lg_toolroute.history.target import Target

_USUAL = frozenset({HumanMessage, AIMessage, ToolMessage, SystemMessage})

_KNOWN_NAMES: dict[str, bool] = {}
"""Tool names seen, and whether they are legal; an agent has few of them."""


def untouched(messages: Sequence[BaseMessage], target: Target) -> bool:
    """Say whether a history can be sent to the target as it is.

    Args:
        messages: The history.
        target: The reader.

    Returns:
        `True` only if every stage of `adapt` would leave it alone.
    """
    if messages.__class__ is not list or not messages:
        return False
    dialect = target.dialect
    forbidden = dialect.forbidden
    legal = short_id if dialect.short_ids else any_id
    named, beside = dialect.named, dialect.text_beside_calls
    responses = target.api == "openai-responses"
    waiting: set[str] = set()
    seen: set[str] = set()
    before = START
    for message in messages:
        cls = message.__class__
        if cls not in _USUAL:
            return False
        content = message.content
        if cls is ToolMessage:
            identity = message.tool_call_id
            if identity not in waiting or content.__class__ is not str:
                return False
            waiting.remove(identity)
            if message.name and not _known(message.name):
                return False
            before = TOOL
            continue
        if waiting:
            return False
        if cls is AIMessage:
            calls = message.tool_calls
            if message.invalid_tool_calls:
                return False
            metadata = message.response_metadata
            if content.__class__ is str:
                if "output_version" in metadata or "container" in metadata or (responses and str(metadata.get("id")).startswith("resp_")):
                    return False
                if message.additional_kwargs and not _quiet(message.additional_kwargs, bool(calls)) and not is_own(message, target):
                    return False
                if not content and not calls:
                    return False
                if content and (content.isspace() or (calls and not beside)):
                    return False
            elif not _own_blocks(message, target):
                return False
            for call in calls:
                identity = call["id"]
                if not identity or identity in seen or not legal(identity) or not _known(call["name"]):
                    return False
                seen.add(identity)
                waiting.add(identity)
            kind = CALL if calls else AI
        else:
            if content.__class__ is not str:
                if not _plain_blocks(content, target):
                    return False
            elif not content or content.isspace():
                return False
            kind = USER
            if cls is SystemMessage:
                kind = SYSTEM
                if before not in (START, SYSTEM) and not target.system_anywhere:
                    return False
        if (before, kind) in forbidden or (named and message.name and not NO_NAME_CHANGE(message.name)):
            return False
        before = kind
    if waiting or (dialect.ends_with_user and before in (AI, SYSTEM)):
        return False
    return not target.thinking_leads or loop_thinks(messages)


def loop_thinks(messages: Sequence[BaseMessage]) -> bool:
    """Say whether every message with calls since the last human one opens with thinking."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return True
        if isinstance(message, AIMessage) and message.tool_calls and not opens_with_thinking(message):
            return False
    return True


def _known(name: str) -> bool:
    known = _KNOWN_NAMES.get(name)
    if known is None:
        if len(_KNOWN_NAMES) > 4096:  # names come from outside; they may not fill the memory
            _KNOWN_NAMES.clear()
        known = _KNOWN_NAMES[name] = tool_name(name) is not None
    return known


def _quiet(kwargs: Mapping[str, Any], calls: bool) -> bool:
    return all(key in ("refusal", "parsed") or (key == "tool_calls" and calls) for key in kwargs)


def _own_blocks(message: AIMessage, target: Target) -> bool:
    """Say whether a list of blocks is the reader's own, in its own dialect, and complete."""
    if target.api != "anthropic" or not is_own(message, target):
        return False
    if "output_version" in message.response_metadata or "container" in message.response_metadata:
        return False
    ids = {call["id"] for call in message.tool_calls}
    named = set()
    for block in message.content:
        if block.__class__ is not dict:
            return False
        kind = block.get("type")
        if kind == "text":
            text = block.get("text")
            if not text or text.isspace():
                return False
        elif kind == "tool_use":
            named.add(block.get("id"))
        elif kind == "thinking":
            if not block.get("signature"):
                return False
        elif kind != "redacted_thinking":
            return False
    return named <= ids and bool(message.content or ids)


def _plain_blocks(content: Any, target: Target) -> bool:
    """Say whether a list holds text blocks only, without marks, for an API that takes such a list."""
    if target.flat_text or not content:
        return False
    for block in content:
        if block.__class__ is not dict or len(block) != 2 or block.get("type") != "text":
            return False
        text = block.get("text")
        if not isinstance(text, str) or not text or text.isspace():
            return False
    return True
