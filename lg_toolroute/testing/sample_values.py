"""A value for a JSON Schema, always the same: what a server answers when a call is forced and no script says with which arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEEPEST = 12
"""A schema that refers to itself is followed so far; deeper down only what is required is filled in."""

_FORMATS = {
    "date": "2025-01-01",
    "date-time": "2025-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "127.0.0.1",
    "duration": "PT1S",
}


def sample(schema: Any, *, root: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
    """A value that satisfies the schema, as far as types, enums, bounds, lengths and required properties go. A `pattern` is not looked at.

    Args:
        schema: The schema; anything that is not one gives a string.
        root: The document that `$ref` points into.
        depth: How deep we are.
    """
    if not isinstance(schema, Mapping):
        return "sample"
    root = schema if root is None else root
    if "$ref" in schema:
        return sample(_target(str(schema["$ref"]), root), root=root, depth=depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return sample(_simplest(schema[key], depth), root=root, depth=depth + 1)
    if schema.get("allOf"):
        return sample(_together(schema, root), root=root, depth=depth + 1)
    return _typed(schema, root, depth)


def _typed(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if kind == "object":
        properties = schema.get("properties") or {}
        required = schema.get("required") or ()
        names = [name for name in properties if depth < DEEPEST and name in required]
        return {name: sample(properties[name], root=root, depth=depth + 1) for name in names}
    if kind == "array":
        count = int(schema.get("minItems", 0)) if depth else max(1, int(schema.get("minItems", 0)))
        return [sample(schema.get("items", {}), root=root, depth=depth + 1) for _ in range(count)]
    if kind in {"integer", "number"}:
        return _number(schema, whole=kind == "integer")
    if kind == "boolean":
        return False
    return None if kind == "null" else _text(schema)


def _text(schema: Mapping[str, Any]) -> str:
    text = _FORMATS.get(str(schema.get("format")), "sample")
    return text.ljust(int(schema.get("minLength", 0)), "x")[: schema.get("maxLength")]


def _number(schema: Mapping[str, Any], *, whole: bool) -> float | int:
    step = schema.get("multipleOf") or (1 if whole else 0.5)
    low = schema.get("minimum")
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + step
    high = schema.get("maximum")
    if "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - step
    value = 1 if low is None else low
    if high is not None and value > high:
        value = high
    if schema.get("multipleOf"):
        value = -(-value // step) * step
    return int(value) if whole else value


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
    return found


def _simplest(options: list[Any], depth: int) -> Any:
    """The first option that is not null; null where it goes too deep."""
    null = next((option for option in options if isinstance(option, Mapping) and option.get("type") == "null"), None)
    if depth >= DEEPEST and null is not None:
        return null
    return next((option for option in options if option is not null), options[0])


def _together(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        whole = _target(str(part["$ref"]), root) if isinstance(part, Mapping) and "$ref" in part else part
        for key, value in whole.items():
            if key == "properties":
                merged["properties"] = {**merged.get("properties", {}), **value}
            elif key == "required":
                merged["required"] = [*merged.get("required", ()), *value]
            else:
                merged.setdefault(key, value)
    return merged
