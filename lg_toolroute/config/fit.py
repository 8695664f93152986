"""The document against the schema: shapes, spellings, unknown keys, types. Every mistake is collected with its path."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from lg_toolroute.config.arrange import arranged, snake, twice
from lg_toolroute.config.nodes import Location, Node, shown
from lg_toolroute.config.places import Places
from lg_toolroute.config.section import Section
from lg_toolroute.core.rules.nearest import did_you_mean, is_slip, nearest
from lg_toolroute.errors import Problem

_S = TypeVar("_S", bound=Section)
KEY = "[key]"
"""Stands at the end of the path of a key that was written elsewhere than its value."""
_SECRET_BELOW = ("models", "providers")
_NOT_SECRET = frozenset({"api", "id", "input", "tool_choice"})


@dataclass(slots=True)
class Fitting:
    """Rewrites a tree of nodes into plain data that pydantic can validate.

    Attributes:
        problems: Mistakes found on the way.
        written: The author's path by the schema's path.
        ignored: Paths of sections that are not ours.
    """

    problems: list[Problem] = field(default_factory=list)
    written: dict[Location, Location] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    def section(self, node: Node, kind: type[Section], loc: Location = ()) -> dict[str, Any]:
        """A mapping of the document, or the text in its place, as keyword arguments of its section; `loc` is the schema's path."""
        if kind.text_key and isinstance(node.value, str):
            node = Node({kind.text_key: node}, node.path)
        self.written[loc] = node.path
        if node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self._no_mapping(node, kind, loc)
            return {}
        spellings = kind.keys()
        found: dict[str, Any] = {}
        first: dict[str, Node] = {}
        for key, child in arranged(kind, node, node.value, self.problems).items():
            name = spellings.get(key) or spellings.get(snake(key))
            if name is None:
                self._unknown(kind, key, child, spellings)
            elif name in found:
                self.problems.append(twice(child, first[name]))
            else:
                first[name] = child
                found[name] = self._value(child, kind.model_fields[name].annotation, (*loc, name))
        return found

    def _no_mapping(self, node: Node, kind: type[Section], loc: Location) -> None:
        keys = list(dict.fromkeys(kind.keys().values()))
        hint = kind.instead or f"its keys are {', '.join(to_camel(key) for key in keys)}"
        if "model" in keys and isinstance(node.value, str) and not hidden(loc):
            hint = f'write {{"model": {json.dumps(node.value)}}}'
        value = "it" if hidden(loc) else shown(node.plain())
        self.problems.append(Problem(node.where, f"{value} should be a mapping", hint))

    def _unknown(self, kind: type[Section], key: str, child: Node, spellings: dict[str, str]) -> None:
        meant = nearest(key, [*spellings, *map(to_camel, kind.short)])
        if (instead := kind.without.get(snake(key))) is not None:
            hint = instead
        elif snake(key) in map(snake, kind.foreign) or (kind.open_ended and not (meant and is_slip(_letters(key), _letters(meant)))):
            self.ignored.append(child.where)
            return
        else:
            hint = f"known here: {', '.join(sorted(name for name in spellings if '_' not in name))}" if meant is None else f"did you mean {meant!r}?"
        self.problems.append(Problem(child.where, "is not a key that is known here", hint))

    def _value(self, node: Node, annotation: Any, loc: Location) -> Any:
        self.written[loc] = node.path
        kind = _without_none(annotation)
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if isinstance(kind, type) and issubclass(kind, Section):
            return None if node.value is None and kind is not annotation else self.section(node, kind, loc)
        if origin is dict and isinstance(node.value, dict):
            self.written.update({(*loc, key, KEY): child.key for key, child in node.value.items() if child.key is not None})
            return {key: self._value(child, args[1], (*loc, key)) for key, child in node.value.items()}
        if origin is tuple and isinstance(node.value, list):
            return tuple(self._value(child, args[0], (*loc, place)) for place, child in enumerate(node.value))
        if origin is tuple and isinstance(node.value, str):
            # One word where a list of words may stand is a list of one.
            return (node.value,)
        if isinstance(node.value, (dict, list)):
            return node.plain()
        if node.value is None and annotation is kind:
            # `key:` with nothing behind it says nothing, where nothing cannot be meant.
            return {} if origin is dict else () if origin is tuple else None
        return node.value


def validate(kind: type[_S], data: dict[str, Any], places: Places, aliases: Mapping[str, str]) -> tuple[_S | None, list[Problem]]:
    """The section that the data make, or what is wrong with them; `aliases` are model specs by their short names."""
    try:
        return kind.model_validate(data, context={"aliases": aliases}), []
    except ValidationError as error:
        return None, [_problem(details, places) for details in _as_written(error.errors())]


def hidden(loc: Iterable[str | int]) -> bool:
    """Whether the value at a path may be a secret, and must not be shown."""
    parts = tuple(loc)
    return parts[:2] == _SECRET_BELOW and not _NOT_SECRET.intersection(str(part) for part in parts[3:])


def _as_written(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without what a mapping is told for not being a text, where a text or a mapping may stand and something inside of the mapping is wrong."""
    inside = {details["loc"][:place] for details in errors for place in range(len(details["loc"]) - 1)}
    no_text = [details["type"] == "string_type" and isinstance(details["input"], dict) for details in errors]
    return [details for details, beside in zip(errors, no_text, strict=True) if not (beside and details["loc"][:-1] in inside)]


def _problem(details: ErrorDetails, places: Places) -> Problem:
    loc = tuple(part for part in details["loc"] if part != KEY)
    where = places.nearest(*loc)
    value = "it" if hidden(loc) else shown(details["input"])
    context = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return Problem(where, f"has no {loc[-1]!r}", "write it")
        case "literal_error":
            known = [word.strip().strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
            meant = did_you_mean(str(details["input"]), known) if isinstance(details["input"], str) and not hidden(loc) else ""
            if details["input"] in known:
                meant = f"write {details['input']} without quotes"
            return Problem(where, f"{value} is not one of {', '.join(known)}", meant)
        case "value_error":
            message, _, hint = str(context["error"]).partition("; ")
            return Problem(where, message, hint)
        case "too_short":
            return Problem(where, "is empty", f"write at least {context['min_length']}")
        case _:
            return Problem(where, f"{value} is not accepted", details["msg"].replace("Input should", "it should"))


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else annotation
    return annotation


def _letters(key: str) -> str:
    return key.replace("_", "").lower()
