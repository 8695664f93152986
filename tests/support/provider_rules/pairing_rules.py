"""The rule that all chat-completion-shaped APIs share: calls are answered at once, each once.

Sources: OpenAI, "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'"
and "messages with role 'tool' must be a response to a preceding message with 'tool_calls'" (both 400s).
"""

from __future__ import annotations

from typing import Any


def check_pairs(messages: list[dict[str, Any]], *, ids: bool = True) -> list[str]:
    """Check that results follow their calls.

    Args:
        messages: The messages of a request.
        ids: Calls and results name each other; otherwise only their number counts.
    """
    wrong: list[str] = []
    waiting: list[str] = []
    seen: set[str] = set()
    for place, message in enumerate(messages):
        if message.get("role") == "tool":
            identity = message.get("tool_call_id") if ids else (waiting[0] if waiting else None)
            if identity not in waiting:
                wrong.append(f"messages[{place}]: tool message answers no call before it ({identity!r})")
            else:
                waiting.remove(identity)
            continue
        if waiting:
            wrong.append(f"messages[{place}]: calls {waiting} were not answered")
            waiting = []
        for call in message.get("tool_calls") or []:
            identity = call.get("id", "")
            if identity in seen and ids:
                wrong.append(f"messages[{place}]: call id {identity!r} is used twice")
            seen.add(identity)
            waiting.append(identity)
    if waiting:
        wrong.append(f"calls {waiting} were not answered")
    return wrong
