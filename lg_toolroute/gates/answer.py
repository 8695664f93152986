"""Whether an answer can be used: finish reasons, strict JSON, the tool's own schema.

LangChain's parser accepts JSON that is cut off: `{"target": "ALL", "dry_run": false` becomes a valid call. So arguments are parsed strictly here,
from the text that the model wrote, and an answer from a client that reports finish reasons must have one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as JsonSchemaError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError
from referencing import Registry

from lg_toolroute.core.failures.spellings import words

_FINISH_KEYS = ("finish_reason", "stop_reason", "done_reason", "stopReason")
_PROPER = words(
    """stop stop_sequence end_turn tool_calls tool_call tool_use function_call complete completed done end eos eos_token end_of_text
    finish finished success"""
)
_LENGTH = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "incomplete", "model_context_window_exceeded", "token_limit"})
_REFUSAL = words(
    """content_filter content_filtered refusal safety recitation prohibited_content blocklist spii guardrail_intervened sensitive error_toxic
    image_safety image_prohibited_content image_recitation"""
)
_INTERRUPTED = re.compile(
    "abort|cancel|disconnect|error|fail|insufficient|interrupt|malformed|not_finished|overload|preempt|time_?limit|time_?out|too_many|unexpected"
    "|^(?:language|missing_thought_signature|image_other|no_image|other|pause_turn)$"
)
"""What providers say of an answer that they did not finish, which is neither too long nor refused.

Source: DeepSeek (`insufficient_system_resource`), vLLM and SGLang (`abort`), Cohere (`ERROR_LIMIT`, `USER_CANCEL`), Gemini (`OTHER`,
`UNEXPECTED_TOOL_CALL`), Bedrock (`malformed_tool_use`), watsonx (`time_limit`, `not_finished`), Z.ai (`network_error`).
"""
_NO_REASON = frozenset({"null", "none", "finish_reason_unspecified"})
_STATUS = {"completed": "stop", "failed": "error", "cancelled": "cancelled"}
_TELLING = frozenset({*_FINISH_KEYS, "status", "done"})
"""The keys under which a client tells why an answer ended."""
_PROVIDER_KEYS = ("model_provider", "model_name", "model")


class Finish:
    """Why a model stopped, read from the metadata of its chunks, under the keys and values of any client.

    Attributes:
        reason: The finish reason, in lower case.
        known_provider: The client says which provider or model it is for; such clients also report finish reasons.
        model_named: The model's name was reported.
    """

    __slots__ = ("known_provider", "model_named", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.known_provider = False
        self.model_named = False

    def update(self, metadata: Mapping[str, Any]) -> None:
        """Read the `response_metadata` or the `generation_info` of one chunk."""
        self.model_named = self.model_named or bool(metadata.get("model_name"))
        self.known_provider = self.known_provider or any(metadata.get(key) for key in _PROVIDER_KEYS)
        if not _TELLING.isdisjoint(metadata):  # most chunks say no more than their provider
            self._read_reason(metadata)

    def _read_reason(self, metadata: Mapping[str, Any]) -> None:
        for key in _FINISH_KEYS:
            if value := metadata.get(key):  # some servers send "" or "null" until the end
                reason = str(value).rpartition(".")[2].lower().replace("-", "_")  # Gemini writes `FinishReason.STOP`
                self.reason = self.reason if reason in _NO_REASON else reason
        if metadata.get("status") in {*_STATUS, "incomplete"}:  # OpenAI Responses
            details = metadata.get("incomplete_details") or {}
            self.reason = _STATUS.get(metadata["status"]) or str(details.get("reason") or "incomplete")
        if metadata.get("done") is True and self.reason is None:  # Ollama without a reason
            self.reason = "stop"

    @property
    def truncated(self) -> bool:
        """The answer is incomplete: it reached a length limit, was interrupted, or ended without a finish reason."""
        return self.by_length or (self.reason is None and self.known_provider) or self.interrupted

    @property
    def proper(self) -> bool:
        """The provider said that the answer is complete, in a word that is known to mean that."""
        return self.reason in _PROPER

    @property
    def interrupted(self) -> bool:
        """The provider said that it did not finish the answer."""
        return self.reason is not None and not self.refused and _INTERRUPTED.search(self.reason) is not None

    @property
    def by_length(self) -> bool:
        return self.reason in _LENGTH

    @property
    def refused(self) -> bool:
        return self.reason in _REFUSAL

    def detail(self) -> str:
        if self.by_length:
            return f"the answer was cut off by its length limit (finish reason {self.reason!r})"
        if self.interrupted:
            return f"the answer ended with the finish reason {self.reason!r}"
        return "the stream ended without a finish reason"


NO_ARGUMENTS = "it has no arguments, and the stream did not say that it was finished"


def parse_arguments(text: str) -> dict[str, Any] | str:
    """The arguments of a call, or a sentence that says why they are not valid. Strict JSON; nothing is repaired.

    Args:
        text: What the model wrote; empty means no arguments, which is true only of a call that was finished.
    """
    if not text.strip():
        return {}
    try:
        value = STRICT.decode(text)
    except ValueError as error:
        return f"the arguments are not valid JSON ({error})"
    except RecursionError:
        return "the arguments are nested too deeply"
    if not isinstance(value, dict):
        return f"the arguments must be a JSON object, not {type(value).__name__}"
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


STRICT = json.JSONDecoder(parse_constant=_refuse_constant)
"""Made once: `json.loads` makes a decoder in every call with settings, which takes longer than the decoding."""


def schema_problem(arguments: Mapping[str, Any], schema: Mapping[str, Any] | None) -> str | None:
    """What is wrong with the arguments by the tool's JSON Schema, in a sentence that a model can act on; `None` if nothing is."""
    if not schema:
        return None
    try:
        # With an empty registry, the validator does not fetch a `$ref` to an address from the network.
        error = best_match(_Validator(dict(schema), registry=Registry()).iter_errors(dict(arguments)))
    except Exception:
        # A broken schema (unknown types, dead references, patterns of another dialect) makes the validator raise errors of any class. The schema
        # is its author's mistake, not the model's, and the tool validates its arguments itself.
        return None
    if error is None:
        return None
    where = ".".join(str(part) for part in error.absolute_path) or "the arguments"
    return f"{where}: {_demand(str(error.validator), error.validator_value, error.instance)}"


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text, in time that grows with both: the pattern may be a stranger's. One that cannot be read so always is."""
    try:
        _matcher(pattern).validate_python(text)
    except ValidationError as error:
        return error.errors()[0]["type"] != "string_pattern_mismatch"
    except SchemaError:  # it looks around or back, which takes a machine that may need exponential time
        return True
    return True


@lru_cache(maxsize=512)
def _matcher(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)], config=ConfigDict(regex_engine="rust-regex"))


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[JsonSchemaError]:
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield JsonSchemaError("does not match")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[JsonSchemaError]:
    for pattern, inner in patterns.items() if isinstance(instance, Mapping) else ():
        for name, value in instance.items():
            if _matches(pattern, name):
                yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, additional: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[JsonSchemaError]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    names = instance if isinstance(instance, Mapping) else ()
    extra = [name for name in names if name not in known and not any(_matches(pattern, name) for pattern in patterns)]
    if isinstance(additional, Mapping):
        for name in extra:
            yield from validator.descend(instance[name], additional, path=name)
    elif not additional and extra:
        yield JsonSchemaError("additional properties")


_LINEAR = {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional_properties}
_Validator = extend(Draft202012Validator, {**_LINEAR, "unevaluatedProperties": None})
"""JSON Schema without Python's `re`, which a pattern can keep busy for years. `unevaluatedProperties`, which needs it, is left to the tool."""


def _demand(validator: str, wanted: Any, instance: Any) -> str:
    """What the schema asks for, in words, without the model's value, which may be long or secret."""
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
