"""DeepSeek chat completions. That `reasoning_content` must come back is a rule of thinking, in `thinks`."""

from __future__ import annotations

from typing import Any

from lg_toolroute.testing.providers.histories.openai_chat import CALLS, check_call, empty
from lg_toolroute.testing.providers.histories.pairs import RULES as PAIRS
from lg_toolroute.testing.providers.histories.pairs import check_pairs
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal

_REFERENCE = 'DeepSeek API reference, "Create Chat Completion"'
RULES = {"there are messages": _REFERENCE, "keys exist": _REFERENCE, "content is a string": f"{_REFERENCE} (no parts)", **CALLS, **PAIRS}

_KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "prefix", "reasoning_content"},
    "tool": {"role", "content", "tool_call_id"},
}


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    wrong = [] if messages else [empty("messages")]
    for place, message in enumerate(messages):
        role, content, where = message.get("role"), message.get("content"), f"messages[{place}]"
        prefix = f"Failed to deserialize the JSON body into the target type: {where}: "
        wrong += [Refusal(f"{prefix}unknown field `{key}`", rule="keys exist") for key in sorted(message.keys() - _KEYS.get(role, set()))]
        if not isinstance(content, str) and not (content is None and message.get("tool_calls")):
            kind = "sequence" if isinstance(content, list) else "null"
            wrong.append(Refusal(f"{prefix}invalid type: {kind}, expected a string", rule="content is a string"))
        for number, call in enumerate(message.get("tool_calls") or []):
            wrong += check_call(call, f"{where}.tool_calls[{number}]")
    return wrong + check_pairs(messages)
