"""Ollama `/api/chat`.

Sources: ollama `api/types.go`, `Message` (Go's JSON decoder refuses a field of another type: "cannot unmarshal … into Go
struct field"), `Message.UnmarshalJSON`, and `server/routes.go`, `ChatHandler`; docs/api.md, "Generate a chat completion".
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from tests.support.provider_rules.minted import Minted
from tests.support.provider_rules.pairing_rules import check_pairs

_TYPES: dict[str, type] = {
    "role": str,
    "content": str,
    "thinking": str,
    "images": list,
    "tool_calls": list,
    "tool_name": str,
    "tool_call_id": str,
}


def check(body: dict[str, Any], minted: Minted) -> list[str]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    wrong = [] if messages else ["messages is empty"]
    for place, message in enumerate(messages):
        here = [f"field {key!r} does not exist" for key in message.keys() - _TYPES.keys()]
        here += [
            f"cannot unmarshal {key} of type {type(value).__name__}"
            for key, value in message.items()
            if value is not None and key in _TYPES and not isinstance(value, _TYPES[key])
        ]
        if message.get("role") not in ("system", "user", "assistant", "tool"):
            here.append(f"role {message.get('role')!r} does not exist")
        here += ["image is not base64" for image in message.get("images") or [] if not _is_base64(image)]
        for call in message.get("tool_calls") or []:
            function = call.get("function") or {}
            if not function.get("name") or not isinstance(function.get("arguments"), dict):
                here.append("tool call without a name, or with arguments that are no object")
        if message.get("thinking") and minted.signatures.get(message["thinking"], body.get("model")) != body.get("model"):
            here.append("another model's thinking")
        wrong += [f"messages[{place}]: {what}" for what in here]
    # The client leaves the id of a result out, and the server does not look at it.
    return wrong + check_pairs(messages, ids=False)


def _is_base64(image: Any) -> bool:
    try:
        base64.b64decode(image, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return False
    return True
