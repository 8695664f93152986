"""Who wrote a stored message, and whether that is who reads it now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from langchain_core.messages import AIMessage

from lg_toolroute.history.target import Target

_SNAPSHOT: Final = re.compile(r"(?:[-@]\d{8}|-\d{4}-\d{2}-\d{2}|[-:]latest)?(?:-v\d+:\d+)?$")
"""A dated or moving snapshot of a model, as its maker or a cloud spells it: the same model for our purposes."""

_VENDOR: Final = re.compile(r"^(?:[a-z-]+\.)?(?:anthropic|openai|mistral|deepseek|google)\.")
"""How a cloud marks the maker: `us.anthropic.`."""


@lru_cache(maxsize=1024)
def same_model(written: str, reading: str) -> bool:
    """Say whether two names mean one model: vendor prefixes and snapshot dates aside, they are equal.

    Thinking signatures are bound to the model, so `claude-opus-4-1` and `claude-sonnet-4-5` are two, and so are a Claude and
    another vendor's model behind an Anthropic-shaped endpoint.
    """
    first, second = _bare(written), _bare(reading)
    return first == second and first != ""


def _bare(name: str) -> str:
    return _SNAPSHOT.sub("", _VENDOR.sub("", name.rsplit("/", 1)[-1].lower()), count=1)


def routed(message: AIMessage) -> dict[str, Any]:
    """Give the record of routing that a message carries; empty if it was not routed."""
    record = message.response_metadata.get("toolroute")
    return record if isinstance(record, dict) else {}


def speaker(record: Mapping[str, Any]) -> str:
    """Give the spec of the model whose words a routed message holds; empty if the record does not say."""
    who = record.get("reasoner") or (record.get("primary") if record.get("model") == record.get("primary") else "")
    return who if isinstance(who, str) else ""


def is_cut(message: AIMessage) -> bool:
    """Say whether the calls of a message were written by another model than its words.

    The provider's own record of such an answer ends where the stream was cut: ids that point into it lead to something else
    than the message that is stored.
    """
    record = routed(message)
    owner = record.get("reasoner") or record.get("primary")
    calls = record.get("calls")
    writers = {record.get("model"), *(calls.values() if isinstance(calls, dict) else ())} - {None}
    return owner is not None and bool(writers - {owner})


def is_mixed(record: Mapping[str, Any]) -> bool:
    """Say whether several models spoke: one failed after its first words were shown, and another went on."""
    attempts = record.get("attempts")
    tried = [attempt for attempt in attempts if isinstance(attempt, dict)] if isinstance(attempts, list) else []
    models = [attempt.get("model") for attempt in tried if not attempt.get("tool")]
    owner = record.get("reasoner")
    return owner in models and any(model != owner for model in models[models.index(owner) :])


def is_own(message: AIMessage, target: Target) -> bool:
    """Say whether the words and thoughts of a message are the reader's own; when in doubt they are not."""
    metadata = message.response_metadata
    if metadata.get("model_provider") not in target.dialect.makers:
        return False
    record = routed(message)
    if record and is_mixed(record):
        return False
    who = speaker(record)
    if target.spec and who == target.spec:
        return True
    written = metadata.get("model_name") or metadata.get("model") or who
    return isinstance(written, str) and same_model(written, target.model)
