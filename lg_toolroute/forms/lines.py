"""Line ranges: which lines, by number, and what takes their place; one range a call, or a list of ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lg_toolroute.forms.notation import CREATES, Arguments, Part, read_back, text_of
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText, Hunk, contents


@dataclass(frozen=True, slots=True)
class Lines:
    """Line ranges, 1-based and inclusive. All numbers of one call mean the file as it is before that call.

    Attributes:
        file: The argument that names the file.
        start: The argument, or the key in a list of ranges, with the first line that is replaced.
        end: The same for the last one; one less than the first to insert before it.
        new: The same for the new lines.
        ranges: The argument with a list of ranges; `None` for one range a call.
    """

    file: str
    start: str = "start"
    end: str = "end"
    new: str = "text"
    ranges: str | None = None

    @property
    def uses(self) -> frozenset[str]:
        return frozenset({self.file, self.ranges} if self.ranges is not None else {self.file, self.start, self.end, self.new})

    @property
    def tells(self) -> str:
        return (
            f"Replaces lines of a file. Each change replaces the lines from `{self.start}` to `{self.end}`, both included and counted from 1, "
            f"by `{self.new}`. To insert before a line, `{self.end}` is one less than `{self.start}`; an empty `{self.new}` deletes. All numbers "
            "mean the file as it is now, before any of the changes."
        )

    @property
    def properties(self) -> dict[str, Any]:
        ranges = {
            self.start: {"type": "integer", "minimum": 1, "description": "The first line that is replaced."},
            self.end: {"type": "integer", "minimum": 0, "description": "The last line that is replaced."},
            self.new: {"type": "string", "description": "The whole lines that take their place."},
        }
        named = {self.file: {"type": "string", "description": "The file's name."}}
        if self.ranges is None:
            return {**named, **ranges}
        item = {"type": "object", "properties": ranges, "required": list(ranges), "additionalProperties": False}
        return {**named, self.ranges: {"type": "array", "minItems": 1, "items": item, "description": "The changes."}}

    def parts(self, arguments: Arguments) -> list[Part]:
        listed = [arguments] if self.ranges is None else arguments.get(self.ranges)
        if not isinstance(listed, (list, tuple)) or not all(isinstance(each, Mapping) for each in listed):
            raise FormRefused(f"`{self.ranges}` is not a list of changes", f"write `{self.ranges}` as a list of objects")
        said = []
        for each in listed:
            start, end = each.get(self.start), each.get(self.end)
            if not _is_number(start) or not _is_number(end) or end < start - 1 or start < 1:
                raise FormRefused(f"lines {start!r} to {end!r} are no range", f"`{self.end}` is at least `{self.start}` - 1, and lines count from 1")
            said.append((start, end, text_of(each, self.new)))
        return [Part(text_of(arguments, self.file), sorted(said, key=lambda one: one[:2]))]

    def apply(self, part: Part, text: FileText) -> FileText:
        for (_, end, _), (start, _, _) in pairwise(part.said):
            if start <= end:
                raise FormRefused(f"two changes overlap at line {start}", "write them as one change")
        starts = [start for start, end, _ in part.said if end == start - 1]
        if len(set(starts)) < len(starts):
            raise FormRefused("two changes insert before the same line", "write them as one change")
        for start, end, new in reversed(part.said):
            first = text.place(start)
            behind = text.place(end + 1) if end >= start else first
            new_lines = new.split("\n")
            text = text.replaced(first, behind, new_lines[:-1] if not new_lines[-1] else new_lines)
        return text

    def write(self, file: str, before: FileText | None, after: FileText) -> list[dict[str, Any]]:
        if before is None:
            raise CREATES

        def one(hunk: Hunk) -> dict[str, Any]:
            new = "".join(f"{line}\n" for line in contents(after, hunk.new_start, hunk.new_end))
            start = before.number(hunk.start)
            return {self.start: start, self.end: start + hunk.end - hunk.start - 1, self.new: new}

        ranges = [one(each) for each in before.grouped(before.hunks(after), 0)]
        # Calls of their own are written from the last line to the first: then no call moves the lines of the next one.
        calls = [{self.file: file, self.ranges: ranges}] if self.ranges is not None else [{self.file: file, **each} for each in reversed(ranges)]
        if read_back(self, calls, before) != after:
            raise FormRefused("this change cannot be written as whole lines without loss", own=True)
        return calls


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
