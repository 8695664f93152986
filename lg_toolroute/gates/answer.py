"""Is an answer to be believed? Finish reasons, strict JSON, the tool's own schema.

LangChain's parser accepts cut-off JSON: `{"target": "ALL", "dry_run": false` becomes a valid call. So arguments are parsed strictly
here, from the text that the model wrote, and a finish reason is wanted where the client gives one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry

from lg_toolroute.errors import AnswerRejected

_FINISH_KEYS = ("finish_reason", "stop_reason", "done_reason", "stopReason")
_LENGTH = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "incomplete", "model_context_window_exceeded"})
_REFUSAL = frozenset({"content_filter", "refusal", "safety", "recitation", "prohibited_content", "blocklist", "spii"})
_FAILED = frozenset({"error", "network_error", "malformed_function_call"})
_PROVIDER_KEYS = ("model_provider", "model_name", "model")


class Finish:
    """Why a model stopped, put together from the metadata of its chunks, whatever the client calls it."""

    __slots__ = ("known_provider", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.known_provider = False

    def see(self, metadata: Mapping[str, Any]) -> None:
        """Take note of one chunk's `response_metadata` or `generation_info`."""
        for key in _FINISH_KEYS:
            if value := metadata.get(key):  # some servers say "" until the end
                self.reason = str(value).rpartition(".")[2].lower()  # Gemini writes `FinishReason.STOP`
        if metadata.get("status") in {"completed", "incomplete", "failed"}:  # OpenAI Responses
            details = metadata.get("incomplete_details") or {}
            self.reason = {"completed": "stop", "failed": "error"}.get(metadata["status"]) or str(details.get("reason") or "incomplete")
        if metadata.get("done") is True and self.reason is None:  # Ollama without a reason
            self.reason = "stop"
        self.known_provider = self.known_provider or any(metadata.get(key) for key in _PROVIDER_KEYS)

    @property
    def truncated(self) -> bool:
        """Cut off: by the model's own limit, or the stream ended without a word about why."""
        return self.by_length or (self.reason is None and self.known_provider) or self.reason in _FAILED

    @property
    def by_length(self) -> bool:
        return self.reason in _LENGTH

    @property
    def refused(self) -> bool:
        return self.reason in _REFUSAL

    def detail(self) -> str:
        if self.by_length:
            return f"the answer was cut off by its length limit (finish reason {self.reason!r})"
        if self.reason in _FAILED:
            return f"the answer ended with the finish reason {self.reason!r}"
        return "the stream ended without a finish reason"


def parse_arguments(text: str) -> dict[str, Any] | str:
    """The arguments as a dict, or a sentence that says why they are none. Strict JSON; nothing is repaired.

    Args:
        text: What the model wrote; empty means no arguments.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        return f"the arguments are not valid JSON ({error})"
    except RecursionError:
        return "the arguments are nested too deeply"
    if not isinstance(value, dict):
        return f"the arguments must be a JSON object, not {type(value).__name__}"
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def fits(arguments: Mapping[str, Any], schema: Mapping[str, Any] | None) -> str | None:
    """`None` if the arguments satisfy the tool's JSON Schema, otherwise a sentence a model can act on."""
    if not schema:
        return None
    try:
        # A registry of its own: without one, the validator would fetch a `$ref` to an address from the network.
        error = best_match(Draft202012Validator(dict(schema), registry=Registry()).iter_errors(dict(arguments)))
    except Exception:
        # Unknown types, dead references, patterns of another dialect: a broken schema makes the validator raise whatever it likes. The schema
        # is the tool author's, and the tool will validate for itself; a schema we cannot read refuses nobody.
        return None
    if error is None:
        return None
    where = ".".join(str(part) for part in error.absolute_path) or "the arguments"
    return f"{where}: {_demand(str(error.validator), error.validator_value, error.instance)}"


def _demand(validator: str, wanted: Any, instance: Any) -> str:
    """What the schema asks for, in words, without repeating what the model wrote: it may be long, or secret."""
    if validator == "required" and isinstance(instance, Mapping):
        missing = [name for name in wanted if name not in instance]
        return f"missing {', '.join(map(repr, missing))}"
    if validator == "type":
        return f"must be of type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
    if validator in {"enum", "const"}:
        return f"must be one of {wanted!r}" if validator == "enum" else f"must be {wanted!r}"
    if validator == "additionalProperties":
        return "has properties that the tool does not take"
    if validator in {"anyOf", "oneOf", "allOf", "not", "if"}:
        return f"does not satisfy {validator!r} of the tool's schema"
    text = repr(wanted)
    return f"must satisfy {validator!r}: {text if len(text) <= 120 else text[:117] + '…'}"


def rejected(model: str, reason: str, detail: str) -> AnswerRejected:
    return AnswerRejected(model, reason, detail)
