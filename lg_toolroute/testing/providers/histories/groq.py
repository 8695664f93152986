"""Groq chat completions."""

from __future__ import annotations

from typing import Any

from lg_toolroute.testing.providers.histories.openai_chat import CALLS, check_call, empty
from lg_toolroute.testing.providers.histories.pairs import RULES as PAIRS
from lg_toolroute.testing.providers.histories.pairs import check_pairs
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal

RULES = {
    "there are messages": "Groq API reference",
    "keys exist": "freellmapi#1070, jan#8136, gptel#774",
    "content is a string": "OpenHands#4643 (system), vercel/ai#2837 (images to a text model)",
    "parts fit the role": "Groq API reference",
    **CALLS,
    **PAIRS,
}

_KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls"},
    "tool": {"role", "content", "tool_call_id"},
}
_VISION = ("llama-4", "vision")


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    wrong = [] if messages else [empty("messages")]
    sees = any(word in str(body.get("model")) for word in _VISION)
    for place, message in enumerate(messages):
        role = message.get("role")
        for key in sorted(message.keys() - _KEYS.get(role, set())):
            says = f"'messages.{place}' : for 'role:{role}' the following must be satisfied[('messages.{place}' : property '{key}' is unsupported)]"
            wrong.append(Refusal(says, rule="keys exist"))
        wrong += _content(message, place, sees=sees)
        for number, call in enumerate(message.get("tool_calls") or []):
            wrong += check_call(call, f"messages[{place}].tool_calls[{number}]")
    return wrong + check_pairs(messages)


def _content(message: dict[str, Any], place: int, *, sees: bool) -> list[Refusal]:
    role, content = message.get("role"), message.get("content")
    no_string = Refusal(f"'messages.{place}.content' : value must be a string", rule="content is a string")
    if not isinstance(content, list):
        return [] if isinstance(content, str) or (content is None and message.get("tool_calls")) else [no_string]
    kinds = {part.get("type") if isinstance(part, dict) else None for part in content}
    wrong = [no_string] if role != "user" or (not sees and kinds != {"text"}) else []
    strange = [str(kind) for kind in kinds - {"text", "image_url"}]
    strange += [str(sorted(part)) for part in content if isinstance(part, dict) and part.get("type") == "text" and len(part) != 2]
    return wrong + [Refusal(f"'messages.{place}.content' : part {what} is unsupported", rule="parts fit the role") for what in strange]
