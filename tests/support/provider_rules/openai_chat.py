"""OpenAI Chat Completions.

Sources: OpenAI OpenAPI description, `ChatCompletionRequest*Message` (roles, parts a role, `name`); 400s as reported:
"string too long. Expected a string with maximum length 40" for `tool_calls[].id` (vercel/ai#5171, autogen#6377); "Image URLs are
only allowed for messages with role 'user'" (OpenHands#7700); "string does not match pattern '^[^\\s<|\\\\/>]+$'" for `name`;
"Invalid value: 'reasoning'. Supported values are: 'text' and 'refusal'" for assistant parts. A server that imitates this API takes the ids that
it gave itself, whatever their form.
"""

from __future__ import annotations

import re
from typing import Any

from tests.support.provider_rules.minted import Minted
from tests.support.provider_rules.pairing_rules import check_pairs

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


def check(body: dict[str, Any], minted: Minted) -> list[str]:
    """Give every rule that a request breaks."""
    wrong: list[str] = []
    messages = body.get("messages") or []
    if not messages:
        wrong.append("messages is empty")
    given = frozenset(call_id for call_id, model in minted.call_ids.items() if model == body.get("model"))
    for place, message in enumerate(messages):
        wrong += [f"messages[{place}]: {what}" for what in _message(message, given)]
    return wrong + check_pairs(messages)


def _message(message: dict[str, Any], given: frozenset[str]) -> list[str]:
    role = message.get("role")
    if role not in _KEYS:
        return [f"role {role!r} does not exist"]
    wrong = [f"unknown key {key!r}" for key in message.keys() - _KEYS[role]]
    content = message.get("content")
    if content is None:
        if not message.get("tool_calls"):
            wrong.append("content is null without tool_calls")
    elif isinstance(content, list):
        if not content:
            wrong.append("content is an empty array")
        wrong += [what for part in content for what in _part(part, role)]
    elif not isinstance(content, str):
        wrong.append("content is neither a string nor an array")
    if "name" in message and not re.fullmatch(r"[^\s<|\\/>]{1,64}", str(message["name"])):
        wrong.append(f"name {message['name']!r} does not match the pattern")
    for call in message.get("tool_calls") or []:
        wrong += check_call(call, longest=100 if call.get("id") in given else 40)
    return wrong


def _part(part: Any, role: str) -> list[str]:
    if not isinstance(part, dict):
        return [f"part is a {type(part).__name__}"]
    kind = part.get("type")
    if kind not in _PARTS[role]:
        return [f"part of type {kind!r} in a message of role {role!r}"]
    wrong = [f"unknown key {key!r} in a part of type {kind!r}" for key in part.keys() - _PART_KEYS[kind]]
    if kind == "image_url" and not re.match(r"https?://|data:image/[a-z]+;base64,", str((part.get("image_url") or {}).get("url"))):
        wrong.append("image_url is no URL")
    return wrong


def check_call(call: dict[str, Any], *, longest: int = 40) -> list[str]:
    """Check one entry of `tool_calls`."""
    wrong = []
    identity, function = call.get("id"), call.get("function") or {}
    if not isinstance(identity, str) or not 1 <= len(identity) <= longest:
        wrong.append(f"tool_calls id {identity!r} is not 1 to {longest} characters")
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(function.get("name"))):
        wrong.append(f"function name {function.get('name')!r} does not match the pattern")
    if not isinstance(function.get("arguments"), str):
        wrong.append("arguments is not a string")
    return wrong
