"""What a successful edit leaves of the known parts of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lg_toolroute.files.pieces import Piece, Pieces, of_lines, piece
from lg_toolroute.files.tools import Replacement

MOST_COMPARED = 400
MOST_LETTERS = 20_000
"""Of an old text, so many lines, or characters, are compared with the ends of a known part; a longer one takes the part with it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What is known behind an edit.

    Attributes:
        pieces: The known parts.
        grown: By how many lines the file has grown; `None` if that is not known.
        fits: What was known and the success of the edit do not contradict each other.
    """

    pieces: Pieces
    grown: int | None
    fits: bool = True


def apply(pieces: Pieces, edit: Replacement, *, whole: bool, place: int | None = None) -> Applied:
    """The known parts behind an edit that the tool says it made.

    Args:
        pieces: The known parts.
        edit: What was replaced.
        whole: They are the whole file.
        place: A line that the tool has shown of the place of the edit, as numbered behind it; `None` if it has shown none.
    """
    edit = _as_file(pieces, edit)
    grown = edit.new.count("\n") - edit.old.count("\n")
    if edit.every and edit.old:
        left = pieces if whole else tuple(part for each in pieces if (part := _sure(each, edit.old)) is not None)
        hidden = not whole and grown != 0
        total = sum(each.text.count(edit.old) for each in left)
        return Applied(_replaced(left, edit, -1, lost=hidden), None if hidden else grown * total, fits=total > 0 or not whole)
    placed, loose = [each for each in pieces if each.start is not None], [each for each in pieces if each.start is None]
    found = sum(each.text.count(edit.old) for each in placed) if edit.old else 0
    if not found:
        return _elsewhere(placed, loose, edit, grown, place, whole=whole)
    return Applied((*_replaced(tuple(placed), edit, 1, lost=False), *_without(loose, edit)), grown, fits=found == 1)


def _sure(each: Piece, old: str) -> Piece | None:
    """What of a piece is not touched by an occurrence that begins or ends where nothing is known; nothing, if it could overlap one inside."""
    left = _trimmed(each, old)
    return left if old not in each.text or left == each else None


def _without(loose: Sequence[Piece], edit: Replacement) -> list[Piece]:
    """Parts without a place, one of which may lie where an edit was made: what it has replaced is replaced there, or taken off."""
    result: list[Piece] = []
    for each in loose:
        if edit.old and edit.old in each.text:
            result.append(piece(None, each.text.replace(edit.old, edit.new, 1)))
        elif (left := _trimmed(each, edit.old)) is not None:
            result.append(left)
    return result


def _as_file(pieces: Pieces, edit: Replacement) -> Replacement:
    """The edit with the line ends that the file has: a tool that shows carriage returns may take an old text without."""
    if "\n" not in edit.old or "\r" in edit.old or any(edit.old in each.text for each in pieces):
        return edit
    old = edit.old.replace("\n", "\r\n")
    if not any(old in each.text for each in pieces):
        return edit
    return replace(edit, old=old, new=edit.new.replace("\r\n", "\n").replace("\n", "\r\n"))


def _replaced(pieces: Pieces, edit: Replacement, most: int, *, lost: bool) -> Pieces:
    """The pieces with `most` replacements made (-1: all), and those behind moved. `lost`: more may be made in gaps; no place behind one is known."""
    result: list[Piece] = []
    moved, stop, gap = 0, 1, False
    for each in pieces:
        times = each.text.count(edit.old) if most < 0 else min(each.text.count(edit.old), most)
        text = each.text.replace(edit.old, edit.new, times) if times else each.text
        most -= 0 if most < 0 else times
        gap = gap or (each.start is not None and each.start > stop)
        start = None if each.start is None or (lost and gap) else each.start + moved
        changed = Piece(start, text, text.count("\n") + 1 if times else each.count)
        if each.start is not None:
            moved, stop = moved + changed.count - each.count, each.stop
        result.append(changed)
    return tuple(result)


def _elsewhere(placed: Sequence[Piece], loose: Sequence[Piece], edit: Replacement, grown: int, place: int | None, *, whole: bool) -> Applied:
    """An edit of text that has no known place: in a gap, at the edge of one, or in a file that is not what it was."""
    kept: list[Piece] = []
    holes = _holes(placed)
    where = place if place is not None else holes[0] if len(holes) == 1 else None
    for each in placed:
        trimmed = each if whole else _trimmed(each, edit.old)
        if trimmed is not None:
            kept += _moved(trimmed, grown, where)
    kept.sort(key=lambda each: (each.start is None, each.start or 0))
    known = any(edit.old in each.text for each in loose) if edit.old else False
    new = [piece(None, edit.new)] if edit.new.strip() and not known else []
    return Applied((*kept, *_without(loose, edit), *new), grown, fits=not whole)


def _moved(each: Piece, grown: int, where: int | None) -> list[Piece]:
    """A piece, when the file has grown at a line; at one that is not known, a piece that does not begin the file may stand anywhere."""
    if each.start is None or not grown or (where is None and each.start == 1) or (where is not None and each.stop <= where):
        return [each]
    if where is None:
        return [replace(each, start=None)]
    if each.start >= where:
        return [replace(each, start=each.start + grown)]
    lines = each.text.split("\n")
    cut = where - each.start
    behind = of_lines(where + max(grown, 0), lines[cut + max(-grown, 0) :]) if cut + max(-grown, 0) < len(lines) else None
    return [of_lines(each.start, lines[:cut]), *([behind] if behind is not None else [])]


def _holes(pieces: Sequence[Piece]) -> list[int]:
    """Where nothing is known: the number of the first line of each gap, the one behind the last known line included."""
    found, at = [], 1
    for each in pieces:
        if each.start is not None:
            if each.start > at:
                found.append(at)
            at = each.stop
    return [*found, at]


def _trimmed(each: Piece, old: str) -> Piece | None:
    """A piece without what a text may have held of it that was replaced, and began or ended beyond it; `None` if nothing is left."""
    if not old:
        return each
    if each.start is None:
        return _trimmed_loose(each.text, old)
    lines, sought = each.text.split("\n"), old.split("\n")
    if len(sought) > MOST_COMPARED or (len(sought) > len(lines) + 1 and each.text in old):
        return None
    last = max((size for size in range(1, min(len(lines), len(sought) - 1) + 1) if _meets(lines[-size:], sought[:size])), default=0)
    first = max((size for size in range(1, min(len(lines), len(sought) - 1) + 1) if _begins(lines[:size], sought[-size:])), default=0)
    left = lines[first : len(lines) - last]
    return of_lines(each.start + first, left) if left else None


def _trimmed_loose(text: str, old: str) -> Piece | None:
    """As `_trimmed`, of a text that may begin and end inside a line."""
    most = min(len(text), len(old))
    if most > MOST_LETTERS or text in old:
        return None
    last = next((size for size in range(most, 0, -1) if text.endswith(old[:size])), 0)
    first = next((size for size in range(most, 0, -1) if text.startswith(old[-size:])), 0)
    left = text[first : len(text) - last]
    return piece(None, left) if left.strip() else None


def _meets(lines: list[str], sought: list[str]) -> bool:
    return lines[0].endswith(sought[0]) and lines[1:] == sought[1:]


def _begins(lines: list[str], ends: list[str]) -> bool:
    return lines[-1].startswith(ends[-1]) and lines[:-1] == ends[:-1]
