"""The known text of a file as a model reads it: gaps are marked, and a long file is shown around one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lg_toolroute.files.nearest import nearest
from lg_toolroute.files.pieces import Piece, Pieces, of_lines

MARK = 60
"""Characters that are kept back for the mark of each gap."""


def shown(
    pieces: Pieces, *, complete: bool, changed: bool, most_chars: int | None, around: str | None, place: int | None, numbered: bool = False
) -> str:
    """The text of the pieces, with a line in brackets where something is missing.

    Args:
        pieces: What is known.
        complete: Nothing is missing behind the last piece.
        changed: Something else may have changed the file since.
        most_chars: At most so many characters.
        around: A text; what is shown lies around the place that is most like it.
        place: The line around which it lies otherwise.
        numbered: Each line stands behind its number and a tab.
    """
    note = "[something else may have changed this file since it was shown]\n" if changed else ""
    text = note + _joined(pieces, cut=False, complete=complete, numbered=numbered)
    if most_chars is None or len(text) <= most_chars:
        return text
    room = most_chars - len(note) - 3 * MARK
    kept = _window(pieces, room * 3 // 4 if numbered else room, around, place)  # numbers take about a fifth of what is shown
    text = note + _joined(kept, cut=True, complete=complete and bool(kept) and kept[-1].stop == pieces[-1].stop, numbered=numbered)
    return text if len(text) <= most_chars else text[: max(most_chars - 4, 0)] + "\n[…]"[: most_chars]


def _joined(pieces: Sequence[Piece], *, cut: bool, complete: bool, numbered: bool) -> str:
    parts: list[str] = []
    at = 1
    missing = "are left out" if cut else "are not known"
    for each in pieces:
        if each.start is None:
            parts.append("[somewhere in the file:]")
        elif each.start > at:
            parts.append(f"[line {at} {missing.replace('are', 'is')}]" if each.start == at + 1 else f"[lines {at}–{each.start - 1} {missing}]")
        parts.append(each.text if each.start is None or not numbered else _numbered(each.text, each.start))
        at = each.stop if each.start is not None else at
    if not complete:
        parts.append(f"[what follows {missing.replace('are', 'is')}]")
    return "\n".join(parts)


def _numbered(text: str, start: int) -> str:
    lines, end = (text[:-1], "\n") if text.endswith("\n") else (text, "")
    return "\n".join(f"{number}\t{line}" for number, line in enumerate(lines.split("\n"), start)) + end


def _window(pieces: Pieces, most: int, around: str | None, place: int | None) -> list[Piece]:
    """The pieces, as far as they lie nearest to a place and have room: whole lines, the one at the place first."""
    number, line = _middle(pieces, around, place)
    room = max(most, 0)
    kept: dict[int, Piece] = {}
    for at in sorted(range(len(pieces)), key=lambda each: abs(each - number)):
        part = pieces[at]
        if len(part.text) + MARK <= room:
            kept[at] = part
            room -= len(part.text) + MARK
            continue
        lines = part.text.split("\n")
        middle = min(line, len(lines) - 1) if at == number else 0 if at > number else len(lines) - 1
        first, last = _around([len(each) + 1 for each in lines], middle, room)
        if first < last:
            kept[at] = of_lines(None if part.start is None else part.start + first, lines[first:last])
        elif at == number:
            kept[at] = replace(of_lines(None if part.start is None else part.start + middle, [lines[middle][:room]]))
        break
    return [kept[at] for at in sorted(kept)]


def _around(sizes: Sequence[int], middle: int, room: int) -> tuple[int, int]:
    """The lines around one that have room, in turn before and behind it."""
    first = last = middle
    before = behind = True
    while before or behind:
        if behind and (behind := last < len(sizes) and sizes[last] <= room):
            room -= sizes[last]
            last += 1
        if before and (before := first > 0 and sizes[first - 1] <= room):
            first -= 1
            room -= sizes[first]
    return first, last


def _middle(pieces: Pieces, around: str | None, place: int | None) -> tuple[int, int]:
    """The piece and the line in it around which is shown."""
    if around and around.strip():
        for number, each in enumerate(pieces):
            if (found := each.text.find(around)) >= 0:
                return number, each.text.count("\n", 0, found) + around.count("\n") // 2
        near = nearest(around, pieces)
        if near is not None:
            return next(number for number, each in enumerate(pieces) if each is near.piece), (near.first + near.last) // 2
    for number, each in enumerate(pieces):
        if place is not None and each.start is not None and each.start <= place < each.stop:
            return number, place - each.start
    return 0, 0
