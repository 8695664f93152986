"""What a read has shown: its lines, their numbers, and whether it was cut."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBERED = re.compile(r"^( *)(?:L)?(\d+)(→|\t|\||│|: ?| \| ?| │ ?|  )")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the result of a read shows.

    Attributes:
        start: The number of its first line, counted from 1; `None` if that is not known.
        lines: The lines, without numbers and line ends.
        numbered: The result had numbers.
        cut: The tool says that it left something out at the end.
    """

    start: int | None
    lines: tuple[str, ...]
    numbered: bool
    cut: bool = False


def reading(text: str) -> Reading:
    """What a read has shown."""
    body = re.sub(r"\n*<system-reminder>.*?</system-reminder>\s*$", "", text, flags=re.DOTALL)
    rows = body.split("\n")
    first = _NUMBERED.match(rows[0])
    if first is None:
        return Reading(None, tuple(rows), numbered=False)
    number, lines = int(first[2]), []
    for place, row in enumerate(rows):
        found = _NUMBERED.match(row)
        if found is None or int(found[2]) != number + place or found[3] != first[3]:
            return Reading(number, tuple(lines), numbered=True, cut=bool("".join(rows[place:]).strip()))
        lines.append(row[found.end() :])
    return Reading(number, tuple(lines), numbered=True)
