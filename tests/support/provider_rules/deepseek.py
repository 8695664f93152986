"""DeepSeek chat completions.

Sources: DeepSeek API reference, "Create Chat Completion" (`content` is a string for every role; no image parts); "Thinking
Mode" guide (in thinking mode an assistant message with calls needs its `reasoning_content`); 400s as reported: "invalid type:
sequence, expected a string", "unknown variant `image_url`, expected `text`", "The `reasoning_content` in the thinking mode must
be passed back to the API" (pi#3636).
"""

from __future__ import annotations

from typing import Any

from tests.support.provider_rules.minted import Minted
from tests.support.provider_rules.openai_chat import check_call
from tests.support.provider_rules.pairing_rules import check_pairs

_KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "prefix", "reasoning_content"},
    "tool": {"role", "content", "tool_call_id"},
}


def check(body: dict[str, Any], minted: Minted) -> list[str]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    wrong = [] if messages else ["messages is empty"]
    thinks = str(body.get("model")).startswith("deepseek-v4") and (body.get("thinking") or {}).get("type") != "disabled"
    for place, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        here = [f"unknown key {key!r}" for key in message.keys() - _KEYS.get(role, set())]
        if not isinstance(content, str) and not (content is None and message.get("tool_calls")):
            here.append(f"invalid type: {type(content).__name__}, expected a string")
        if thinks and message.get("tool_calls") and "reasoning_content" not in message:
            here.append("the reasoning_content in the thinking mode must be passed back to the API")
        here += [what for call in message.get("tool_calls") or [] for what in check_call(call)]
        wrong += [f"messages[{place}]: {what}" for what in here]
    return wrong + check_pairs(messages)
