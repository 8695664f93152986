"""The writer of a stored message, and whether it is the model that reads it now."""

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


def is_own(message: AIMessage, target: Target) -> bool:
    """Say whether the words and thoughts of a message are the reader's own; when in doubt they are not."""
    metadata = message.response_metadata
    if metadata.get("model_provider") not in target.rules.makers:
        return False
    record = _routing_record(message)
    if _was_continued(record):
        return False
    speaker = record.get("reasoner") or (record.get("primary") if record.get("model") == record.get("primary") else "")
    if target.spec and speaker == target.spec:
        return True
    written = metadata.get("model_name") or metadata.get("model") or speaker
    return isinstance(written, str) and same_model(written, target.model)


def is_cut(message: AIMessage) -> bool:
    """Say whether another model wrote the calls of a message than its words.

    The provider's own record of such an answer ends where the stream was cut, so ids that point into that record do not lead
    to the message that is stored.
    """
    record = _routing_record(message)
    speaker = record.get("reasoner") or record.get("primary")
    calls = record.get("calls")
    writers = {record.get("model"), *(calls.values() if isinstance(calls, dict) else ())} - {None}
    return speaker is not None and bool(writers - {speaker})


def _routing_record(message: AIMessage) -> Mapping[str, Any]:
    record = message.response_metadata.get("toolroute")
    return record if isinstance(record, dict) else {}


def _was_continued(record: Mapping[str, Any]) -> bool:
    """Say whether one model failed after its first words were shown, and another continued them."""
    attempts = record.get("attempts")
    if not isinstance(attempts, list):
        return False
    models = [attempt.get("model") for attempt in attempts if isinstance(attempt, dict) and not attempt.get("tool")]
    speaker = record.get("reasoner")
    return speaker in models and any(model != speaker for model in models[models.index(speaker) :])
