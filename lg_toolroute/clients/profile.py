"""What is known of a model: the configuration, completed by LangChain's `model.profile`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lg_toolroute.clients.wrappers import first_leaf
from lg_toolroute.core.rules.facts import ModelFacts


def profile_of(model: Any) -> Mapping[str, Any]:
    """LangChain's profile of the chat model inside a runnable; empty if it has none."""
    leaf = first_leaf(model) if model is not None else None
    return getattr(leaf, "profile", None) or {}


def complete(facts: ModelFacts, profile: Mapping[str, Any]) -> ModelFacts:
    """The facts of the configuration, with what only the profile knows filled in."""
    if not profile:
        return facts
    return replace(
        facts,
        context_window=facts.context_window or profile.get("max_input_tokens"),
        max_output=facts.max_output or profile.get("max_output_tokens"),
        inputs=facts.inputs if facts.inputs is not None else _inputs(profile),
        supports_tools=facts.supports_tools if facts.supports_tools is not None else profile.get("tool_calling"),
    )


def _inputs(profile: Mapping[str, Any]) -> frozenset[str] | None:
    """What the model reads; `None` unless the profile says so of every kind."""
    reads = {kind: profile.get(f"{kind}_inputs") for kind in ("image", "pdf")}
    if None in reads.values():
        return None
    return frozenset({"text", *(kind for kind, accepted in reads.items() if accepted)})
