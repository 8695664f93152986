"""Settings bound for one model, as far as another one takes them.

A middleware around the model adds settings for the model it sees (`cache_control`, `prompt_cache_key`, betas); a handoff
sends the request to another provider, which refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lg_toolroute.history.target import Target

_LANGCHAIN: Final = frozenset({
    "tools", "tool_choice", "temperature", "top_p", "max_tokens", "stop", "strict", "response_format", "ls_structured_output_format",
})  # fmt: skip
"""LangChain's own names, which each client translates or LangChain itself reads."""


def sanitize_settings(settings: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """Keep the settings that the target's client and API know.

    Args:
        settings: Bound or per-call settings that were meant for another model.
        target: The model they would go to.

    Returns:
        A new mapping, in the same order. An unknown name is left out: a provider answers an unknown parameter with an error,
        and a setting meant for another model is not missed.
    """
    known = _LANGCHAIN | target.rules.settings | ({"cache_control"} if target.cache_markers else set())
    return {name: value for name, value in settings.items() if name in known}
