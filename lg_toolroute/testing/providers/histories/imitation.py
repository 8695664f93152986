"""Chat completions as most servers take them that imitate OpenAI's: keys that they do not know are left alone, the rest is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lg_toolroute.testing.providers.histories.openai_chat import empty
from lg_toolroute.testing.providers.histories.pairs import RULES as PAIRS
from lg_toolroute.testing.providers.histories.pairs import check_pairs
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal

RULES = {
    "there are messages": "OpenAI API reference, `messages`",
    "roles exist": "OpenAI API reference, `messages.role`",
    "an assistant says something": "FastGPT#3575",
    "arguments are a string": "OpenAI API reference, `tool_calls.function.arguments`",
    **PAIRS,
}
ROLES = {"system", "developer", "user", "assistant", "tool"}


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    wrong = [] if messages else [empty("messages")]
    for place, message in enumerate(messages):
        role = message.get("role")
        if role not in ROLES:
            wrong.append(Refusal(f"Invalid request: unsupported role '{role}'", f"messages[{place}].role", rule="roles exist"))
        if role == "assistant" and not message.get("content") and not message.get("tool_calls"):
            says = f"Invalid request: the message at position {place} with role 'assistant' must not be empty"
            wrong.append(Refusal(says, rule="an assistant says something"))
        for call in message.get("tool_calls") or []:
            if not isinstance((call.get("function") or {}).get("arguments"), str):
                wrong.append(Refusal("Invalid request: function arguments must be a string", rule="arguments are a string"))
    return wrong + check_pairs(messages)


def refusing(role: str, keys: set[str], says: str) -> Callable[[dict[str, Any], Minted], list[Refusal]]:
    """The same, and messages of a role may not have some keys.

    Args:
        role: The role.
        keys: The keys.
        says: The words; `{place}` becomes the message's place, `{key}` the key.
    """

    def strict(body: dict[str, Any], minted: Minted) -> list[Refusal]:
        found = [
            Refusal(says.format(place=place, key=key), rule="keys exist")
            for place, message in enumerate(body.get("messages") or [])
            if message.get("role") == role
            for key in sorted(keys & message.keys())
        ]
        return found + check(body, minted)

    return strict
