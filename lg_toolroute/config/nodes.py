"""The document as a tree in which every value knows where its author wrote it.

Sections are moved about before they are read (`toolRouting` at the top becomes `agents.defaults.model.toolRouting`), but a mistake
has to be shown where it stands. So a value keeps its `Location` wherever it goes.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lg_toolroute.errors import Problem

Location: TypeAlias = "tuple[str | int, ...]"

MAX_DEPTH = 64
MAX_VALUES = 200_000
_PLAIN = re.compile(r"[^\W\d][\w-]*")
_SHOWN = 60


def write_path(path: Location) -> str:
    """A path as people write it: `agents.list[0].model`, `tools.byModel['ollama/*'].deny`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text


def shown(value: Any) -> str:
    """A value for a message, cut to a length that can be read."""
    if isinstance(value, (dict, list, tuple)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@dataclass(slots=True)
class Node:
    """A value of the document and where it was written.

    Attributes:
        value: A mapping of nodes, a list of nodes, or a plain value.
        path: Where, in the author's spelling.
        key: Where its key was written, if not right before it.
    """

    value: dict[str, Node] | list[Node] | str | int | float | bool | None
    path: Location
    key: Location | None = None

    @property
    def where(self) -> str:
        return write_path(self.path)

    def plain(self) -> Any:
        """The value without the paths."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass(slots=True)
class _Reader:
    problems: list[Problem]
    left: int = MAX_VALUES
    open: set[int] = field(default_factory=set)

    def node(self, value: Any, path: Location) -> Node:
        self.left -= 1
        if self.left == 0:
            self.problems.append(Problem("", f"holds more than {MAX_VALUES} values once its anchors are followed", "write it shorter"))
        if self.left <= 0:
            return Node(None, path)
        if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, (str, bytes))):
            return self._container(value, path)
        if isinstance(value, (datetime.date, datetime.time)):
            return Node(value.isoformat(), path)
        if value is None or isinstance(value, (str, int, float, bool)):
            return Node(value, path)
        hint = "write text, a number, a list or a mapping"
        self.problems.append(Problem(write_path(path), f"a value of type {type(value).__name__} cannot stand in a configuration", hint))
        return Node(None, path)

    def _container(self, value: Mapping[Any, Any] | Sequence[Any], path: Location) -> Node:
        if id(value) in self.open:
            self.problems.append(Problem(write_path(path), "contains itself", "write the value out instead of pointing back at it"))
            return Node(None, path)
        if len(path) >= MAX_DEPTH:
            self.problems.append(Problem(write_path(path), f"is nested more than {MAX_DEPTH} levels deep", "write it flatter"))
            return Node(None, path)
        self.open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return Node(self._mapping(value, path), path)
            return Node([self.node(item, (*path, place)) for place, item in enumerate(value)], path)
        finally:
            self.open.discard(id(value))

    def _mapping(self, value: Mapping[Any, Any], path: Location) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                self.problems.append(Problem(write_path(path), f"the key {key!r} is not text", f'put it in quotes: "{key}"'))
                continue
            found[key] = self.node(item, (*path, key))
        return found


def tree(document: Mapping[str, Any]) -> tuple[Node, list[Problem]]:
    """The document as nodes, and what cannot be one: cycles, keys that are no text, too much depth, too many values."""
    problems: list[Problem] = []
    return _Reader(problems).node(document, ()), problems
