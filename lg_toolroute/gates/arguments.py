"""Arguments that two models write: reading them while they come, up to the first long one, and putting both parts together.

`ArgumentReader` reads strict JSON in pieces of any size. `ShortArguments` says where the arguments of one call are cut, and whether they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lg_toolroute.gates.answer import STRICT

MOST_SHORT = 16_000
"""Characters of arguments among which a long one has to begin. Further on, the argument that is being written is taken for it."""

_SPACE = " \t\n\r"
_IN_STRING = re.compile(r'[^"\\]*')
_IN_VALUE = re.compile(r'[^"\[\]{}, \t\n\r]+')

Wanted = Literal["object", "first name", "name", "colon", "value", "rest of the value", "comma"]
Ended = Literal["closed", "stopped", "broken"]


class ArgumentReader:
    """Reads the text of a JSON object as it comes, each character once.

    Args:
        stops: It reads up to the first of these names.

    Attributes:
        members: The text of each value that is whole, by name; of a name that comes twice, the later one.
        at: How many characters it has read.
        ended: Why it reads no further: the object is `closed`, a name `stopped` it, or what stands there is `broken` JSON. `None`: it reads on.
    """

    def __init__(self, stops: Collection[str] = ()) -> None:
        self.members: dict[str, str] = {}
        self.at = 0
        self.ended: Ended | None = None
        self._stops = stops
        self._wanted: Wanted = "object"
        self._start = 0  # of the name or the value that is being read
        self._name = ""
        self._depth = 0
        self._in_string = self._escaped = False

    def read(self, text: str) -> None:
        """Read on.

        Args:
            text: All that has come of the object, what was read before among it.
        """
        while self.ended is None and self.at < len(text):
            if self._in_string:
                self._read_string(text)
            elif self._wanted == "rest of the value":
                self._read_value(text)
            elif text[self.at] in _SPACE:
                self.at += 1
            else:
                self._take(text[self.at])

    def _take(self, mark: str) -> None:
        """A character between names and values."""
        match self._wanted, mark:
            case "value", _:
                self._wanted, self._start = "rest of the value", self.at
                return
            case ("name" | "first name"), '"':
                self._in_string, self._start, self._wanted = True, self.at, "name"
            case "object", "{":
                self._wanted = "first name"
            case "colon", ":":
                self._wanted = "value"
            case "comma", ",":
                self._wanted = "name"
            case ("first name" | "comma"), "}":
                self.ended = "closed"
            case _:
                self.ended = "broken"
                return
        self.at += 1

    def _read_string(self, text: str) -> None:
        if not self._escaped and (found := _IN_STRING.match(text, self.at)) is not None:
            self.at = found.end()
            if self.at == len(text):
                return
        mark, escaped = text[self.at], self._escaped
        self._escaped = mark == "\\" and not escaped
        self.at += 1
        if mark != '"' or escaped:
            return
        self._in_string = False
        if self._wanted != "name":
            if self._depth == 0:
                self._end_value(text)
            return
        self._name, self._wanted = str(self._decoded(text)), "colon"
        if self.ended is None and self._name in self._stops:
            self.ended = "stopped"

    def _read_value(self, text: str) -> None:
        mark = text[self.at]
        if self._depth == 0 and (mark in _SPACE or mark in ",]}"):
            self._end_value(text)  # a number or a word, which ends where something else begins
            return
        plain = _IN_VALUE.match(text, self.at)
        self.at = self.at + 1 if plain is None else plain.end()
        if mark == '"':
            self._in_string = True
        elif mark in "[{":
            self._depth += 1
        elif mark in "]}":
            self._depth -= 1
            if self._depth == 0:
                self._end_value(text)

    def _end_value(self, text: str) -> None:
        self._decoded(text)
        if self.ended is None:
            self.members[self._name] = text[self._start : self.at]
            self._wanted = "comma"

    def _decoded(self, text: str) -> Any:
        try:
            return STRICT.decode(text[self._start : self.at])
        except (ValueError, RecursionError):
            self.ended = "broken"
            return None


def object_text(members: Mapping[str, str]) -> str:
    """A JSON object, from the text of its values by name."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in members.items()) + "}"


def members_of(text: str) -> dict[str, str]:
    """The text of each value of a JSON object that is whole, by name."""
    reader = ArgumentReader()
    reader.read(text)
    return reader.members


@dataclass(frozen=True, slots=True)
class ArgumentCut:
    """Where the calls of a tool are cut.

    Attributes:
        long: The arguments that another model writes.
        kept: Says which of the short arguments stay as they are while another model writes the rest; `None` if the call stands as it is. It is
            given the arguments, and whether the call is whole, so that none that is long will follow.
    """

    long: frozenset[str]
    kept: Callable[[Mapping[str, Any], bool], Collection[str] | None]

    def fixed(self, members: Mapping[str, str], *, whole: bool) -> str | None:
        """The arguments that stay, as the text of an object, empty if none does; `None` if the call stands as it is.

        Args:
            members: The text of the values that have come, by name.
            whole: The call is whole.
        """
        short = {name: value for name, value in members.items() if name not in self.long}
        kept = self.kept({name: STRICT.decode(value) for name, value in short.items()}, whole and len(short) == len(members))
        if kept is None:
            return None
        stays = {name: value for name, value in short.items() if name in kept}
        return object_text(stays) if stays else ""


class ShortArguments:
    """The arguments of one call, as far as its model is to write them.

    Args:
        cut: Where the calls of its tool are cut.

    Attributes:
        open: It is not known yet whether the call is cut.
        fixed: The arguments that stay when it is cut, as the text of an object, empty if none does; `None` if it stands as it is.
    """

    def __init__(self, cut: ArgumentCut) -> None:
        self._cut = cut
        self._reader = ArgumentReader(cut.long)
        self.open = True
        self.fixed: str | None = None

    @property
    def at(self) -> int:
        """How many characters of the arguments were read."""
        return self._reader.at

    def read(self, args: str, *, last: bool = False) -> bool:
        """Read on; gives whether it is known now if the call is cut.

        Args:
            args: All that has come of the arguments.
            last: No more of them will come.
        """
        reader = self._reader
        reader.read(args[:MOST_SHORT])
        if self.open and (last or reader.ended is not None or len(args) > MOST_SHORT):
            self.open = False
            self.fixed = self._cut.fixed(reader.members, whole=reader.ended == "closed" or not args.strip())
        return not self.open


def with_fixed(written: str, fixed: str) -> tuple[str, str | None]:
    """The arguments of a call that two models wrote, and what is wrong with them, as a sentence; `None` if nothing is.

    Args:
        written: What the writer wrote: a JSON object.
        fixed: The arguments that stay as they are: a JSON object, or nothing.
    """
    if not fixed:
        return written, None
    kept, new = members_of(fixed), members_of(written)
    for name in kept.keys() & new.keys():
        if not _same(kept[name], new[name]):
            return written, f"{name!r} is decided and cannot be changed: it must be {kept[name]}"
    return object_text({**kept, **{name: value for name, value in new.items() if name not in kept}}), None


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same JSON value: `1` and `1.0` are, `1` and `true`, which are the same in Python, are not."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text, parse_int=float), sort_keys=True)
