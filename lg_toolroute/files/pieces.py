"""The known parts of one file: lines by number, and how reads are laid over them.

Lines are what splitting at newlines gives: a file that ends in a newline has one more, empty line at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

MOST_LOOSE = 16


@dataclass(frozen=True, slots=True)
class Piece:
    """Known lines that stand one behind the other.

    Attributes:
        start: The number of the first, counted from 1; `None`: they stand somewhere.
        text: The lines, joined by newlines, the last one without.
        count: How many lines these are.
    """

    start: int | None
    text: str
    count: int

    @property
    def stop(self) -> int:
        """The number behind the last line; only of a piece whose place is known."""
        return (self.start or 0) + self.count


def piece(start: int | None, text: str) -> Piece:
    """A piece of a text."""
    return Piece(start, text, text.count("\n") + 1)


def of_lines(start: int | None, lines: Sequence[str]) -> Piece:
    """A piece of lines."""
    return Piece(start, "\n".join(lines), len(lines))


Pieces = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Laid:
    """What came of laying new lines over known ones.

    Attributes:
        pieces: The known parts now: those with a place first, in order.
        against: The new lines are not those that were known there: something else has changed the file.
        shift: By how many lines the parts behind were moved for that.
    """

    pieces: Pieces
    against: bool = False
    shift: int = 0


def lay(pieces: Pieces, new: Piece) -> Laid:
    """Lays lines that were just shown over what was known. What was shown is true; what lies around it stays, in the place that fits.

    Args:
        pieces: What was known.
        new: What was shown; its place is known.
    """
    pieces = _anchored(pieces, new)
    against, shift, begin = False, 0, new.start or 0
    shown = new.text.split("\n")
    before: list[Piece] = []
    behind: list[Piece] = []
    for each in pieces:
        if each.start is None:
            continue
        if each.stop <= begin:
            before.append(each)
        elif each.start >= new.stop:
            behind.append(replace(each, start=each.start + shift))
        else:
            lines = each.text.split("\n")
            first, last = max(each.start, begin), min(each.stop, new.stop)
            if lines[first - each.start : last - each.start] != shown[first - begin : last - begin]:
                against = True
                shift = _shift(lines, each.start, shown, new)
            if each.start < begin:
                before.append(of_lines(each.start, lines[: begin - each.start]))
            rest = max(new.stop - shift - each.start, 0)
            if rest < len(lines):
                behind = [of_lines(new.stop, lines[rest:])]
    joined = _join([*before, new, *_in_order(behind, new.stop)])
    return Laid((*joined, *_loose(pieces, joined)), against, shift)


def _loose(pieces: Sequence[Piece], joined: Sequence[Piece]) -> list[Piece]:
    """The pieces without a place that hold something that those with one do not."""
    loose = [each for each in pieces if each.start is None]
    return [each for each in loose if not any(each.text in other.text for other in joined)][-MOST_LOOSE:]


def _anchored(pieces: Pieces, new: Piece) -> Pieces:
    """The pieces; of those without a place that share lines with a new one, the inner lines, which are whole, in the place that follows from it."""
    if all(each.start is not None for each in pieces):
        return pieces
    lines = new.text.split("\n")
    placed: list[Piece] = []
    for each in pieces:
        start = each.start
        for at in dict.fromkeys((0, max(len(lines) // 2 - 1, 0), max(len(lines) - 3, 0))) if start is None and each.count >= 5 else ():
            ending = "\n".join(lines[at : at + 3])
            if len(ending) > 20 and each.text.count(ending) == 1:
                start = (new.start or 0) + at - each.text.count("\n", 0, each.text.find(ending))
                break
        free = start is not None and start > 0 and all(
            other is each or other.start is None or other.stop <= start or other.start >= start + each.count for other in (*pieces, *placed)
        )  # fmt: skip
        inner = each.text.split("\n")[1:-1] if each.start is None and free else []
        placed.append(of_lines((start or 0) + 1, inner) if inner else each)
    return tuple(sorted(placed, key=lambda each: (each.start is None, each.start or 0)))


def _in_order(pieces: Sequence[Piece], stop: int) -> list[Piece]:
    """Of pieces that were moved, those that do not stand on one another."""
    kept: list[Piece] = []
    for each in pieces:
        if (each.start or 0) >= (kept[-1].stop if kept else stop):
            kept.append(each)
    return kept


def _shift(old: Sequence[str], at: int, shown: Sequence[str], new: Piece) -> int:
    """By how many lines what follows has moved: the last shown lines are looked for among the known ones. 0 if they do not stand there once."""
    for size in (3, 6, 12):
        if len(shown) < size:
            return 0
        ending = list(shown[-size:])
        places = [place for place in range(len(old) - size + 1) if old[place + size - 1] == ending[-1] and list(old[place : place + size]) == ending]
        if len(places) == 1:
            return new.stop - (at + places[0] + size)
        if not places:
            return 0
    return 0


def _join(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces in order, those that touch made one."""
    groups: list[list[Piece]] = []
    for each in pieces:
        if groups and groups[-1][-1].stop == each.start:
            groups[-1].append(each)
        else:
            groups.append([each])
    return [group[0] if len(group) == 1 else _one(group) for group in groups]


def _one(group: Sequence[Piece]) -> Piece:
    return Piece(group[0].start, "\n".join(each.text for each in group), sum(each.count for each in group))
