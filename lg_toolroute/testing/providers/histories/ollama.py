"""Ollama `/api/chat`. It does not look whether calls are answered, and leaves alone what it does not know."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal

_TYPES_GO = "ollama, `api/types.go`, `Message` (Go's decoder refuses a field of another type)"
RULES = {
    "there are messages": "ollama, `server/routes.go`, `ChatHandler`",
    "fields have their types": _TYPES_GO,
    "roles exist": _TYPES_GO,
    "images are base64": "ollama docs/api.md",
    "calls are whole": "ollama, `api/types.go`, `ToolCall`",
}

TYPES: dict[str, type] = {
    "role": str,
    "content": str,
    "thinking": str,
    "images": list,
    "tool_calls": list,
    "tool_name": str,
    "tool_call_id": str,
}
"""The keys of a message."""
_GO = {str: "string", list: "array", dict: "object", bool: "bool", int: "number", float: "number"}


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    wrong = [] if messages else [Refusal("messages is empty", rule="there are messages")]
    for message in messages:
        for key, value in message.items():
            if value is not None and key in TYPES and not isinstance(value, TYPES[key]):
                found = _GO.get(type(value), type(value).__name__)
                says = f"json: cannot unmarshal {found} into Go struct field ChatRequest.messages.{key} of type {_GO[TYPES[key]]}"
                wrong.append(Refusal(says, rule="fields have their types"))
        if message.get("role") not in ("system", "user", "assistant", "tool"):
            wrong.append(Refusal(f'invalid role: "{message.get("role")}"', rule="roles exist"))
        images = [image for image in message.get("images") or [] if not _is_base64(image)]
        wrong += [Refusal("illegal base64 data at input byte 0", rule="images are base64") for _ in images]
        for call in message.get("tool_calls") or []:
            function = call.get("function") or {}
            if not function.get("name") or not isinstance(function.get("arguments"), dict):
                wrong.append(Refusal("tool call without a name, or with arguments that are no object", rule="calls are whole"))
    return wrong


def _is_base64(image: Any) -> bool:
    try:
        base64.b64decode(image, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return False
    return True
