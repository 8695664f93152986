"""Line ranges: which lines, by number, and what takes their place; one range a call, or a list of ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeGuard

from lg_toolroute.forms.notation import CREATES, Arguments, Part, read_back, text_of
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText, Gap, Hunk, content, contents


@dataclass(frozen=True, slots=True)
class Lines:
    """Line ranges, 1-based and inclusive. All numbers of one call mean the file as it is before that call.

    Attributes:
        file: The argument that names the file.
        start: The argument, or the key in a list of ranges, with the first line that is replaced.
        end: The same for the last one; one less than the first to insert before it.
        new: The same for the new lines.
        ranges: The argument with a list of ranges; `None` for one range a call.
        was: The key with what the first line says now, which is compared: models count lines wrongly. `None` for tools that do not ask for it.
    """

    file: str
    start: str = "start"
    end: str = "end"
    new: str = "text"
    ranges: str | None = None
    was: str | None = None

    @property
    def uses(self) -> frozenset[str]:
        return frozenset({self.file, self.ranges} if self.ranges is not None else {self.file, self.start, self.end, self.new})

    @property
    def tells(self) -> str:
        return (
            f"Replaces lines of a file. Each change replaces the lines from `{self.start}` to `{self.end}`, both included and counted from 1, "
            f"by `{self.new}`. To insert before a line, `{self.end}` is one less than `{self.start}`; an empty `{self.new}` deletes. All numbers "
            f"mean the file as it is now, before any of the changes. `{self.was}` is what line `{self.start}` says now, as a check of the number; "
            "it is empty behind the last line."
        )

    @property
    def properties(self) -> dict[str, Any]:
        ranges: dict[str, Any] = {
            self.start: {"type": "integer", "minimum": 1, "description": "The first line that is replaced."},
            self.end: {"type": "integer", "minimum": 0, "description": "The last line that is replaced."},
            self.new: {"type": "string", "description": "The whole lines that take their place."},
        }
        if self.was is not None:
            ranges[self.was] = {"type": "string", "description": "What the first line says now."}
        named = {self.file: {"type": "string", "description": "The file's name."}}
        if self.ranges is None:
            return {**named, **ranges}
        item = {"type": "object", "properties": ranges, "required": list(ranges)}
        return {**named, self.ranges: {"type": "array", "minItems": 1, "items": item, "description": "The changes."}}

    def parts(self, arguments: Arguments) -> list[Part]:
        listed = [arguments] if self.ranges is None else arguments.get(self.ranges)
        if not isinstance(listed, (list, tuple)) or not all(isinstance(each, Mapping) for each in listed):
            raise FormRefused(f"`{self.ranges}` is not a list of changes", f"write `{self.ranges}` as a list of objects")
        said = [self._range(each) for each in listed]
        return [Part(text_of(arguments, self.file), sorted(said, key=lambda one: (one.start, one.end)))]

    def _range(self, said: Mapping[str, Any]) -> _Range:
        start, end = said.get(self.start), said.get(self.end)
        if not _is_number(start) or not _is_number(end) or end < start - 1 or start < 1:
            raise FormRefused(f"lines {start!r} to {end!r} are no range", f"`{self.end}` is at least `{self.start}` - 1, and lines count from 1")
        return _Range(start, end, text_of(said, self.new), None if self.was is None else text_of(said, self.was))

    def apply(self, part: Part, text: FileText) -> FileText:
        said: list[_Range] = part.said
        for one, following in pairwise(said):
            if following.start <= one.end:
                raise FormRefused(f"two changes overlap at line {following.start}", "write them as one change")
            if following.start == one.start:
                raise FormRefused(f"two changes begin at line {one.start}", "write them as one change")
        for each in reversed(said):
            first = text.place(each.start)
            behind = text.place(each.end + 1) if each.end >= each.start else first
            if each.was is not None:
                _compare(each.was, each.start, text, first)
            new = each.new.split("\n")
            text = text.replaced(first, behind, new if new[-1] else new[:-1])
        return text

    def write(self, file: str, before: FileText | None, after: FileText) -> list[dict[str, Any]]:
        if before is None:
            raise CREATES

        def one(hunk: Hunk) -> dict[str, Any]:
            new = "".join(f"{line}\n" for line in contents(after, hunk.new_start, hunk.new_end))
            start = before.number(hunk.start)
            was = {} if self.was is None else {self.was: "".join(contents(before, hunk.start, hunk.start + 1))}
            return {self.start: start, self.end: start + hunk.end - hunk.start - 1, self.new: new, **was}

        ranges = [one(each) for each in before.grouped(before.hunks(after), 0)]
        # Calls of their own are written from the last line to the first: then no call moves the lines of the next one.
        calls = [{self.file: file, self.ranges: ranges}] if self.ranges is not None else [{self.file: file, **each} for each in reversed(ranges)]
        if read_back(self, calls, before) != after:
            raise FormRefused("this change cannot be written as whole lines without loss", own=True)
        return calls


@dataclass(frozen=True, slots=True)
class _Range:
    start: int
    end: int
    new: str
    was: str | None


def _compare(was: str, number: int, text: FileText, place: int) -> None:
    """Raises unless a line says what the model takes it to say."""
    line = text.lines[place] if place < len(text.lines) else ""
    if isinstance(line, Gap):  # it stands behind what is known, and lines are inserted before it
        return
    if content(line).strip() != was.strip():
        numbers = [text.number(each) for each in text.find([was])]
        told = f"that is line {' and line '.join(map(str, numbers[:4]))}" if numbers else "no line does"
        raise FormRefused(f"line {number} does not say what was given; {told}", "count the lines again, and copy what the first one says")


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
