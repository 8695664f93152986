"""What a successful edit leaves of the known parts of a file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lg_toolroute.files.pieces import Piece, Pieces, of_lines, piece
from lg_toolroute.files.tools import Replacement

MOST_COMPARED = 400
"""So many lines of an old text are compared with the ends of a known part."""


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
    counts = [each.text.count(edit.old) for each in pieces] if edit.old else [0] * len(pieces)
    grown = edit.new.count("\n") - edit.old.count("\n")
    if not any(counts):
        return _elsewhere(pieces, edit, grown, place, whole=whole)
    if edit.every:
        hidden = not whole and grown != 0  # there may be more of them where nothing is known
        return Applied(_replaced(pieces, edit, counts, -1, lost=hidden), None if hidden else grown * sum(counts))
    first = next(at for at, count in enumerate(counts) if count)
    only = [1 if at == first else 0 for at in range(len(pieces))]
    return Applied(_replaced(pieces, edit, only, 1, lost=False), grown, fits=sum(counts) == 1)


def _as_file(pieces: Pieces, edit: Replacement) -> Replacement:
    """The edit with the line ends that the file has: tools that show `\\r` may take an old text without."""
    if "\n" not in edit.old or "\r" in edit.old or not any("\r\n" in each.text for each in pieces):
        return edit
    if any(edit.old in each.text for each in pieces):
        return edit
    return replace(edit, old=edit.old.replace("\n", "\r\n"), new=edit.new.replace("\r\n", "\n").replace("\n", "\r\n"))


def _replaced(pieces: Pieces, edit: Replacement, counts: list[int], most: int, *, lost: bool) -> Pieces:
    """The pieces with the replacements made; those behind one move. `lost`: so many more may have been made in gaps that no place behind one is known."""
    result: list[Piece] = []
    moved = 0
    gap = False
    for each, count in zip(pieces, counts, strict=True):
        gap = gap or (each.start is not None and each.start > (result[-1].stop - moved if result and result[-1].start is not None else 1))
        start = each.start if each.start is None else None if lost and gap else each.start + moved
        text = each.text.replace(edit.old, edit.new, most) if count else each.text
        changed = Piece(start, text, each.count + (text.count("\n") - each.text.count("\n") if count else 0))
        if each.start is not None:
            moved += changed.count - each.count
        result.append(changed)
    return tuple(result)


def _elsewhere(pieces: Pieces, edit: Replacement, grown: int, place: int | None, *, whole: bool) -> Applied:
    """An edit of text that is not known: somewhere in a gap, or at the edge of one, or of a file that is not what it was."""
    kept: list[Piece] = []
    holes = _holes(pieces)
    where = place if place is not None else holes[0] if len(holes) == 1 else None
    for each in pieces:
        trimmed = each if whole else _trimmed(each, edit.old)
        if trimmed is not None:
            kept += _moved(trimmed, grown, where)
    kept.sort(key=lambda each: (each.start is None, each.start or 0))
    new = [piece(None, edit.new)] if edit.new.strip() else []
    return Applied((*kept, *new), grown, fits=not whole)


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


def _holes(pieces: Pieces) -> list[int]:
    """Where nothing is known: the number of the first line of each gap, the one behind the last known line included."""
    found, at = [], 1
    for each in pieces:
        if each.start is not None:
            if each.start > at:
                found.append(at)
            at = each.stop
    return [*found, at]


def _trimmed(each: Piece, old: str) -> Piece | None:
    """A piece without the lines at its ends that an old text beyond it may have held."""
    lines = each.text.split("\n")
    sought = old.split("\n")[:MOST_COMPARED] if old else []
    ends = old.split("\n")[-MOST_COMPARED:] if old else []
    last = max((size for size in range(1, min(len(lines), len(sought) - 1) + 1) if _meets(lines[-size:], sought[:size])), default=0)
    first = max((size for size in range(1, min(len(lines), len(ends) - 1) + 1) if _begins(lines[:size], ends[-size:])), default=0)
    if not last and not first:
        return each
    left = lines[first : len(lines) - last]
    return Piece(None if each.start is None else each.start + first, "\n".join(left), len(left)) if left else None


def _meets(lines: list[str], sought: list[str]) -> bool:
    return lines[0].endswith(sought[0]) and lines[1:] == sought[1:]


def _begins(lines: list[str], ends: list[str]) -> bool:
    return lines[-1].startswith(ends[-1]) and lines[:-1] == ends[:-1]
