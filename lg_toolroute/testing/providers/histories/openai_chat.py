"""OpenAI Chat Completions, and what its parts have in common with the APIs that imitate it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lg_toolroute.testing.providers.histories.pairs import RULES as PAIRS
from lg_toolroute.testing.providers.histories.pairs import check_pairs
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal

_DESCRIPTION = "OpenAI OpenAPI description, `ChatCompletionRequest*Message`"
CALLS = {
    "ids have 1 to 40 characters": "vercel/ai#5171, autogen#6377",
    "names of functions are plain": "OpenAI API reference, `tools.function.name`",
    "arguments are a string": _DESCRIPTION,
}
"""The rules of `check_call`."""

RULES: Mapping[str, str] = {
    "there are messages": _DESCRIPTION,
    "roles exist": _DESCRIPTION,
    "keys exist": _DESCRIPTION,
    "content is there": _DESCRIPTION,
    "content is text or parts": _DESCRIPTION,
    "parts fit the role": "OpenHands#7700; `ChatCompletionRequestMessageContentPart*`",
    "names are plain": "OpenAI API reference, `messages.name`",
    **CALLS,
    **PAIRS,
}

_PARTS = {
    "system": {"text"},
    "developer": {"text"},
    "user": {"text", "image_url", "input_audio", "file"},
    "assistant": {"text", "refusal"},
    "tool": {"text"},
}
_KEYS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "refusal", "audio"},
    "tool": {"role", "content", "tool_call_id"},
}
_PART_KEYS = {
    "text": {"type", "text", "prompt_cache_breakpoint"},
    "refusal": {"type", "refusal"},
    "image_url": {"type", "image_url", "prompt_cache_breakpoint"},
    "input_audio": {"type", "input_audio"},
    "file": {"type", "file", "prompt_cache_breakpoint"},
}


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    wrong = [] if messages else [empty("messages")]
    for place, message in enumerate(messages):
        wrong += _message(message, f"messages[{place}]")
    return wrong + check_pairs(messages)


def empty(what: str) -> Refusal:
    """The refusal of a request without messages."""
    says = f"Invalid '{what}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    return Refusal(says, what, code="empty_array", rule="there are messages")


def _message(message: dict[str, Any], where: str) -> list[Refusal]:
    role = message.get("role")
    if role not in _KEYS:
        says = f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'."
        return [Refusal(says, f"{where}.role", code="invalid_value", rule="roles exist")]
    wrong = unknown_keys(message, _KEYS[role], where)
    content = message.get("content")
    if content is None:
        if not message.get("tool_calls"):
            says = f"Invalid value for 'content': expected a string, got null. ({where})"
            wrong.append(Refusal(says, f"{where}.content", rule="content is there"))
    elif isinstance(content, list):
        if not content:
            says = f"Invalid '{where}.content': empty array. Expected an array with minimum length 1, but got an empty array instead."
            wrong.append(Refusal(says, f"{where}.content", code="empty_array", rule="content is there"))
        wrong += [what for number, part in enumerate(content) for what in _part(part, role, f"{where}.content[{number}]")]
    elif not isinstance(content, str):
        says = f"Invalid type for '{where}.content': expected one of a string or array of objects."
        wrong.append(Refusal(says, f"{where}.content", code="invalid_type", rule="content is text or parts"))
    if "name" in message and not re.fullmatch(r"[^\s<|\\/>]{1,64}", str(message["name"])):
        says = f"Invalid '{where}.name': string does not match pattern. Expected a string that matches the pattern '^[^\\s<|\\\\/>]+$'."
        wrong.append(Refusal(says, f"{where}.name", code="invalid_value", rule="names are plain"))
    for number, call in enumerate(message.get("tool_calls") or []):
        wrong += check_call(call, f"{where}.tool_calls[{number}]")
    return wrong


def unknown_keys(message: Mapping[str, Any], known: set[str], where: str) -> list[Refusal]:
    """The refusals of keys that do not exist, in OpenAI's words."""
    return [
        Refusal(f"Unknown parameter: '{where}.{key}'.", f"{where}.{key}", code="unknown_parameter", rule="keys exist")
        for key in sorted(message.keys() - known)
    ]


def _part(part: Any, role: str, where: str) -> list[Refusal]:
    kind = part.get("type") if isinstance(part, dict) else type(part).__name__
    if kind not in _PARTS[role]:
        allowed = ", ".join(f"'{name}'" for name in sorted(_PARTS[role]))
        says = f"Invalid value: '{kind}'. Supported values are: {allowed}."
        if kind == "image_url":
            says = f"Invalid '{where}'. Image URLs are only allowed for messages with role 'user', but this message with role '{role}' contains one."
        return [Refusal(says, f"{where}.type", code="invalid_value", rule="parts fit the role")]
    wrong = unknown_keys(part, _PART_KEYS[kind], where)
    if kind == "image_url" and not re.match(r"https?://|data:image/[a-z]+;base64,", str((part.get("image_url") or {}).get("url"))):
        wrong.append(Refusal("Invalid image_url: it is no URL.", where, code="invalid_image_url", rule="parts fit the role"))
    return wrong


def check_call(call: dict[str, Any], where: str, *, longest: int = 40) -> list[Refusal]:
    """Check one entry of `tool_calls`.

    Args:
        call: The entry.
        where: Where it stands.
        longest: How long its id may be.
    """
    wrong = []
    identity, function = call.get("id"), call.get("function") or {}
    if not isinstance(identity, str) or not 1 <= len(identity) <= longest:
        length = f"maximum length {longest}, but got a string with length {len(str(identity))} instead"
        says = f"Invalid '{where}.id': string too long. Expected a string with {length}."
        wrong.append(Refusal(says, f"{where}.id", code="string_above_max_length", rule="ids have 1 to 40 characters"))
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(function.get("name"))):
        says = f"Invalid '{where}.function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        wrong.append(Refusal(says, f"{where}.function.name", code="invalid_value", rule="names of functions are plain"))
    if not isinstance(function.get("arguments"), str):
        says = f"Invalid type for '{where}.function.arguments': expected a string."
        wrong.append(Refusal(says, f"{where}.function.arguments", code="invalid_type", rule="arguments are a string"))
    return wrong
