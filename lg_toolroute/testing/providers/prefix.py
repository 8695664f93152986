"""What thinking blocks of Claude 5.1 and newer are bound to."""

from __future__ import annotations

import json
from typing import Any


def prefix_of(body: Any, before: int | None = None) -> dict[str, str]:
    """What thinking blocks of an Anthropic request are bound to, by name.

    Args:
        body: The body of the request.
        before: The place of the message that holds the blocks; `None` is the answer to the request.
    """
    messages = (body.get("messages") or [])[:before]
    return {"system": _plain(body.get("system")), "tools": _plain(body.get("tools")), "messages": _plain(messages)}


def _plain(value: Any) -> str:
    """A value without what may change: cache markers, thinking that was left out, and how a text is written down."""
    if isinstance(value, list):
        kept = [item for item in value if not (isinstance(item, dict) and item.get("type") in {"thinking", "redacted_thinking"})]
        return json.dumps([_plain(item) for item in kept])
    if isinstance(value, dict):
        content = value.get("content")
        text = {"content": [{"type": "text", "text": content}]} if isinstance(content, str) else {}
        return json.dumps({key: _plain(item) for key, item in sorted({**value, **text}.items()) if key != "cache_control"})
    return json.dumps(value)
