"""The rule that all chat-completion-shaped APIs share: calls are answered at once, each once."""

from __future__ import annotations

from typing import Any

from lg_toolroute.testing.providers.rule import Refusal

RULES = {
    "calls are answered": "OpenAI API reference, tool messages; kimi-cli#1977",
    "results answer a call": "OpenAI API reference, tool messages",
    "call ids are unique": "OpenAI API reference, `tool_call_id`",
}


def check_pairs(messages: list[dict[str, Any]], *, ids: bool = True) -> list[Refusal]:
    """Check that results follow their calls.

    Args:
        messages: The messages of a request.
        ids: Calls and results name each other; otherwise only their number counts.
    """
    wrong: list[Refusal] = []
    waiting: list[str] = []
    seen: set[str] = set()
    for place, message in enumerate(messages):
        if message.get("role") == "tool":
            identity = message.get("tool_call_id") if ids else (waiting[0] if waiting else None)
            if identity not in waiting:
                says = "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                wrong.append(Refusal(says, f"messages.[{place}].role", rule="results answer a call"))
            else:
                waiting.remove(identity)
            continue
        wrong += _unanswered(waiting, place)
        waiting = []
        for call in message.get("tool_calls") or []:
            identity = call.get("id", "")
            if identity in seen and ids:
                says = f"Invalid 'messages[{place}].tool_calls': the id '{identity}' is used twice."
                wrong.append(Refusal(says, f"messages.[{place}].tool_calls", rule="call ids are unique"))
            seen.add(identity)
            waiting.append(identity)
    return wrong + _unanswered(waiting, len(messages))


def _unanswered(waiting: list[str], place: int) -> list[Refusal]:
    if not waiting:
        return []
    says = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(map(str, waiting))}"
    )
    return [Refusal(says, f"messages.[{place}].role", rule="calls are answered")]
