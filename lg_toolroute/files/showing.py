"""The known text of a file as a model reads it: gaps are marked, and a long file is shown around one place."""

from __future__ import annotations

from lg_toolroute.files.pieces import Pieces


def shown(pieces: Pieces, *, whole: bool, changed: bool, most_chars: int | None, around: str | None, place: int | None) -> str:
    """The text of the pieces, with marks where something is missing."""
    parts = []
    at = 1
    for each in pieces:
        if each.start is None:
            parts.append("[somewhere in the file:]")
        elif each.start > at:
            parts.append(f"[lines {at}–{each.start - 1} are not known]")
        parts.append(each.text)
        at = each.stop if each.start is not None else at
    text = "\n".join(parts)
    return text if most_chars is None else text[:most_chars]
