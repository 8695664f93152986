"""Mistral chat completions.

Sources: mistral-common `protocol/instruct/validator.py`, `MistralRequestValidatorV3` in serving mode (ids of exactly nine
letters and digits, order of roles, number of calls and results, last role, text or calls but not both) and
`protocol/instruct/messages.py` (pydantic models with `extra="forbid"`: unknown keys are refused); Mistral API reference for parts.
"""

from __future__ import annotations

import re
from typing import Any

from tests.support.provider_rules.minted import Minted
from tests.support.provider_rules.pairing_rules import check_pairs

_NEXT = {
    "system": {"user", "assistant", "system"},
    "user": {"assistant", "system", "user"},
    "assistant": {"assistant", "user", "tool"},
    "tool": {"assistant", "tool"},
}
_KEYS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "prefix"},
    "tool": {"role", "content", "tool_call_id", "name"},
}
_PARTS = {
    "system": {"text", "thinking"},
    "user": {"text", "image_url", "input_audio", "document_url"},
    "assistant": {"text", "thinking", "reference"},
    "tool": {"text"},
}
_PART_KEYS = {"text": {"type", "text"}, "thinking": {"type", "thinking", "closed"}, "image_url": {"type", "image_url"}}


def check(body: dict[str, Any], minted: Minted) -> list[str]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    if not messages:
        return ["conversation must have at least one message"]
    wrong = []
    before = None
    for place, message in enumerate(messages):
        role = message.get("role")
        here = [f"unknown key {key!r}" for key in message.keys() - _KEYS.get(role, set())]
        if before is not None and role not in _NEXT.get(before, set()):
            here.append(f"unexpected role {role!r} after role {before!r}")
        before = role
        here += _content(message, role)
        if role == "assistant":
            if bool(message.get("content")) == bool(message.get("tool_calls")):
                here.append("assistant message must have either content or tool_calls, but not both")
            here += [what for call in message.get("tool_calls") or [] for what in _call(call)]
        if role == "tool":
            here += _id(message.get("tool_call_id")) + (_name(message["name"]) if message.get("name") is not None else [])
        wrong += [f"messages[{place}]: {what}" for what in here]
    if before not in ("user", "tool") and not messages[-1].get("prefix"):
        wrong.append(f"expected last role User or Tool for serving but got {before}")
    return wrong + check_pairs(messages)


def _content(message: dict[str, Any], role: Any) -> list[str]:
    content = message.get("content")
    if not isinstance(content, list):
        return [] if isinstance(content, str) or (content is None and role == "assistant") else ["content is no string"]
    wrong = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _PARTS.get(role, set()):
            wrong.append(f"part of type {kind!r} in a message of role {role!r}")
        elif kind in _PART_KEYS:
            wrong += [f"extra key {key!r} in a part of type {kind!r}" for key in part.keys() - _PART_KEYS[kind]]
    return wrong


def _call(call: dict[str, Any]) -> list[str]:
    function = call.get("function") or {}
    wrong = _id(call.get("id")) + _name(function.get("name"))
    return wrong if isinstance(function.get("arguments"), (str, dict)) else [*wrong, "arguments is neither a string nor an object"]


def _id(identity: Any) -> list[str]:
    if re.fullmatch(r"[a-zA-Z0-9]{9}", str(identity)):
        return []
    return [f"tool call id was {identity} but must be a-z, A-Z, 0-9, with a length of 9"]


def _name(name: Any) -> list[str]:
    return [] if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(name)) else [f"function name was {name}"]
