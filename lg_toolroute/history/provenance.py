"""The writer of a stored message, and whether it is the model that reads it now."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from langchain_core.messages import AIMessage

from lg_toolroute.history.api_rules import API_RULES
from lg_toolroute.history.target import Target, plain_name

_KNOWN_MAKERS: Final = frozenset().union(*(rules.makers for rules in API_RULES.values()))

AUTHOR_MARKS: Final = frozenset({"model_provider", "model_name", "model", "toolroute"})
"""The keys of `response_metadata` that say who wrote a message."""

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
    """Say whether the words and thoughts of a message are the reader's own; when in doubt they are not.

    The record of routing decides where there is one: it names the spec that was asked. Otherwise the client's own marks decide,
    `model_provider` and `model_name`: both must be the reader's. A client that is not known here may set no `model_provider`; a message
    without any mark is the application's own, which writes for its own model.
    """
    metadata, rules = message.response_metadata, target.rules
    record = _routing_record(message)
    if _was_continued(record):
        return False
    maker, speaker = metadata.get("model_provider"), _speaker(record)
    its_makers = maker in rules.makers or (isinstance(maker, str) and plain_name(maker) in target.makers)
    if target.spec and speaker == target.spec:
        return its_makers or rules.opaque or maker not in _KNOWN_MAKERS
    written = metadata.get("model_name") or metadata.get("model") or speaker
    if rules.opaque and not maker:
        return same_model(str(written), target.model) if written else target.addressed
    return its_makers and isinstance(written, str) and same_model(written, target.model)


def wrote_call(message: AIMessage, call_id: str, target: Target) -> bool:
    """Say whether the reader wrote this call itself, in a message whose words are its own."""
    record = _routing_record(message)
    calls, speaker = record.get("calls"), _speaker(record)
    if call_id in _sent_back(record):
        return False
    return is_own(message, target) and (calls.get(call_id, speaker) == speaker if isinstance(calls, dict) else not is_cut(message))


def is_cut(message: AIMessage) -> bool:
    """Say whether a message holds a call that was written in another answer than its words: by another model, or again after a look sent it back.

    The provider's own record of such an answer ends where the stream was cut, so ids that point into that record do not lead
    to the message that is stored.
    """
    record = _routing_record(message)
    speaker = record.get("reasoner") or record.get("primary")
    calls = record.get("calls")
    writers = {record.get("model"), *(calls.values() if isinstance(calls, dict) else ())} - {None}
    return speaker is not None and bool(writers - {speaker} or _sent_back(record))


def _sent_back(record: Mapping[str, Any]) -> Collection[str]:
    """The ids of calls that were written once more, in a request of their own."""
    looked = record.get("looked")
    return looked if isinstance(looked, dict) else ()


def _speaker(record: Mapping[str, Any]) -> str:
    """Give the spec of the model whose words a message holds; empty if its record does not say: another model than the primary wrote all of it."""
    return str(record.get("reasoner") or (record.get("primary") if record.get("model") == record.get("primary") else "") or "")


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
