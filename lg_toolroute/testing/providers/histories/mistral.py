"""Mistral chat completions."""

from __future__ import annotations

import re
from typing import Any

from lg_toolroute.testing.providers.histories.pairs import RULES as PAIRS
from lg_toolroute.testing.providers.histories.pairs import check_pairs
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal

_VALIDATOR = "mistral-common, `protocol/instruct/validator.py`, `MistralRequestValidatorV3`"
_MESSAGES = 'mistral-common, `protocol/instruct/messages.py` (pydantic, `extra="forbid"`)'
RULES = {
    "there are messages": _VALIDATOR,
    "keys exist": _MESSAGES,
    "roles follow their order": f"{_VALIDATOR}; datapizza-ai#98",
    "the last role is user or tool": f"{_VALIDATOR}; rig#1130",
    "content is text or parts": _MESSAGES,
    "parts fit the role": _MESSAGES,
    "text or calls, not both": _VALIDATOR,
    "ids are 9 letters and digits": f"{_VALIDATOR}; ironclaw#1241, zed#53034",
    "names of functions are plain": _VALIDATOR,
    "arguments are a string": _MESSAGES,
    **PAIRS,
}

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


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    if not messages:
        return [_order("Conversation must have at least one message", "there are messages")]
    wrong: list[Refusal] = []
    before = None
    for place, message in enumerate(messages):
        role = message.get("role")
        wrong += [_forbidden(f"messages.{place}.{key}") for key in sorted(message.keys() - _KEYS.get(role, set()))]
        if before is not None and role not in _NEXT.get(before, set()):
            wrong.append(_order(f"Unexpected role '{role}' after role '{before}'", "roles follow their order"))
        before = role
        wrong += _content(message, role, place)
        if role == "assistant":
            if bool(message.get("content")) == bool(message.get("tool_calls")):
                says = "Assistant message must have either content or tool_calls, but not both."
                wrong.append(Refusal(says, kind="invalid_request_assistant_message", code="3240", rule="text or calls, not both"))
            wrong += [what for call in message.get("tool_calls") or [] for what in _call(call)]
        if role == "tool":
            wrong += _id(message.get("tool_call_id")) + (_name(message["name"]) if message.get("name") is not None else [])
    if before not in ("user", "tool") and not messages[-1].get("prefix"):
        says = f"Expected last role User or Tool (or Assistant with prefix True) for serving but got {before}"
        wrong.append(_order(says, "the last role is user or tool"))
    return wrong + check_pairs(messages)


def _order(says: str, rule: str) -> Refusal:
    return Refusal(says, kind="invalid_request_message_order", code="3230", rule=rule)


def _forbidden(where: str, rule: str = "keys exist") -> Refusal:
    return Refusal(f"{where}: Extra inputs are not permitted", status=422, kind="extra_forbidden", rule=rule)


def _content(message: dict[str, Any], role: Any, place: int) -> list[Refusal]:
    content = message.get("content")
    if not isinstance(content, list):
        fits = isinstance(content, str) or (content is None and role == "assistant")
        says = f"messages.{place}.content: Input should be a valid string"
        return [] if fits else [Refusal(says, status=422, rule="content is text or parts")]
    wrong = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _PARTS.get(role, set()):
            wrong.append(_forbidden(f"messages.{place}.content: a part of type {kind!r} in a message of role {role!r}", "parts fit the role"))
        elif kind in _PART_KEYS:
            wrong += [_forbidden(f"messages.{place}.content.{kind}.{key}") for key in sorted(part.keys() - _PART_KEYS[kind])]
    return wrong


def _call(call: dict[str, Any]) -> list[Refusal]:
    function = call.get("function") or {}
    wrong = _id(call.get("id")) + _name(function.get("name"))
    if not isinstance(function.get("arguments"), str | dict):
        wrong.append(Refusal("arguments: Input should be a valid string", status=422, rule="arguments are a string"))
    return wrong


def _id(identity: Any) -> list[Refusal]:
    if re.fullmatch(r"[a-zA-Z0-9]{9}", str(identity)):
        return []
    says = f"Tool call id was {identity} but must be a-z, A-Z, 0-9, with a length of 9."
    return [Refusal(says, kind="invalid_function_call", code="3280", rule="ids are 9 letters and digits")]


def _name(name: Any) -> list[Refusal]:
    if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(name)):
        return []
    says = f"Function name was {name} but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64."
    return [Refusal(says, kind="invalid_function_call", code="3280", rule="names of functions are plain")]
