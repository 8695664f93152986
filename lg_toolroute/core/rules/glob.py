"""Globs over tool names: `*`, `?`, `[..]`, matched in linear steps whatever the pattern is.

`fnmatch` would do for a few patterns; it compiles a regular expression for each, which costs more for a thousand rules than all the rest
of compiling, and lets a hostile pattern backtrack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

_Chars: TypeAlias = "str | _Set | None"  # a letter, a set of letters, or any letter


@dataclass(frozen=True, slots=True)
class _Set:
    negated: bool
    ranges: tuple[tuple[str, str], ...]

    def holds(self, letter: str) -> bool:
        return any(low <= letter <= high for low, high in self.ranges) != self.negated


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob, taken apart.

    Attributes:
        pieces: What stands between the stars: plain text, or one entry a letter where `?` or a set occurs.
        literals: How many of its characters stand for themselves.
        runs: The stretches of characters that stand for themselves.
    """

    pieces: tuple[str | tuple[_Chars, ...], ...]
    literals: int
    runs: tuple[str, ...]

    def matches(self, name: str) -> bool:
        """Whether the whole name fits."""
        pieces = self.pieces
        if len(pieces) == 1:
            return len(name) == len(pieces[0]) and _at(pieces[0], name, 0)
        first, last = pieces[0], pieces[-1]
        end = len(name) - len(last)
        if end < len(first) or not _at(first, name, 0) or not _at(last, name, end):
            return False
        # Each piece as far left as possible: if any placing fits, this one does.
        place = len(first)
        for piece in pieces[1:-1]:
            place = _find(piece, name, place, end)
            if place < 0:
                return False
            place += len(piece)
        return True


def is_glob(pattern: str) -> bool:
    """Whether a pattern holds a character that does not stand for itself."""
    return any(mark in pattern for mark in "*?[")


def parse_glob(pattern: str) -> Glob:
    """Takes a pattern apart. A `[` that is never closed stands for itself, as in `fnmatch`.

    Args:
        pattern: The pattern.
    """
    pieces: list[list[_Chars]] = [[]]
    place = 0
    while place < len(pattern):
        mark = pattern[place]
        place += 1
        if mark == "*":
            pieces.append([])
        elif mark == "?":
            pieces[-1].append(None)
        elif mark == "[" and (close := _closing(pattern, place)) > 0:
            pieces[-1].append(_set(pattern[place:close]))
            place = close + 1
        else:
            pieces[-1].append(mark)
    # `**` is `*`: an empty piece in the middle changes nothing.
    pieces = [piece for number, piece in enumerate(pieces) if piece or number in (0, len(pieces) - 1)]
    if len(pieces) == 1 and "*" in pattern and not pieces[0]:
        pieces = [[], []]
    runs: list[str] = []
    for piece in pieces:
        run = ""
        for char in (*piece, None):
            if isinstance(char, str):
                run += char
            elif run:
                runs.append(run)
                run = ""
    flat = tuple("".join(piece) if all(isinstance(char, str) for char in piece) else tuple(piece) for piece in pieces)  # type: ignore[arg-type]
    return Glob(flat, sum(map(len, runs)), tuple(runs))


def _closing(pattern: str, start: int) -> int:
    place = start
    if pattern[place : place + 1] == "!":
        place += 1
    if pattern[place : place + 1] == "]":
        place += 1
    return pattern.find("]", place)


def _set(body: str) -> _Set:
    negated = body[:1] == "!"
    body = body[1:] if negated else body
    ranges, place = [], 0
    while place < len(body):
        if body[place + 1 : place + 2] == "-" and place + 2 < len(body):
            ranges.append((body[place], body[place + 2]))
            place += 3
        else:
            ranges.append((body[place], body[place]))
            place += 1
    return _Set(negated, tuple(ranges))


def _at(piece: str | tuple[_Chars, ...], name: str, place: int) -> bool:
    if isinstance(piece, str):
        return name.startswith(piece, place)
    return all(
        char is None or (char == name[place + offset] if isinstance(char, str) else char.holds(name[place + offset]))
        for offset, char in enumerate(piece)
    )


def _find(piece: str | tuple[_Chars, ...], name: str, start: int, end: int) -> int:
    if isinstance(piece, str):
        return name.find(piece, start, end)
    return next((place for place in range(start, end - len(piece) + 1) if _at(piece, name, place)), -1)
