"""Groq chat completions.

Sources: Groq API reference; 400s as reported: "property 'reasoning_content' is unsupported" (freellmapi#1070, jan#8136),
"property 'reasoning' is unsupported" (gptel#774), "messages.0.content : value must be a string" for role system
(OpenHands#4643), "message[0].content must be a string" for an image to a text model (vercel/ai#2837).
"""

from __future__ import annotations

from typing import Any

from tests.support.provider_rules.minted import Minted
from tests.support.provider_rules.openai_chat import check_call
from tests.support.provider_rules.pairing_rules import check_pairs

_KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls"},
    "tool": {"role", "content", "tool_call_id"},
}
_VISION = ("llama-4", "vision")


def check(body: dict[str, Any], minted: Minted) -> list[str]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    wrong = [] if messages else ["messages is empty"]
    sees = any(word in str(body.get("model")) for word in _VISION)
    for place, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        here = [f"property {key!r} is unsupported" for key in message.keys() - _KEYS.get(role, set())]
        if isinstance(content, list):
            kinds = {part.get("type") if isinstance(part, dict) else None for part in content}
            if role != "user" or (not sees and kinds != {"text"}):
                here.append("content must be a string")
            here += [f"part of type {kind!r}" for kind in kinds - {"text", "image_url"}]
            here += [f"unknown key in a text part: {sorted(part)}" for part in content if part.get("type") == "text" and len(part) != 2]
        elif not isinstance(content, str) and not (content is None and message.get("tool_calls")):
            here.append("content must be a string")
        here += [what for call in message.get("tool_calls") or [] for what in check_call(call)]
        wrong += [f"messages[{place}]: {what}" for what in here]
    return wrong + check_pairs(messages)
