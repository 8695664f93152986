"""Exact replacement: the old text, which must be in the file once, and the new one; one pair a call, or a list of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lg_toolroute.forms.notation import CREATES, Arguments, Part, read_back, text_of
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText, Hunk, split, widened

MOST_JOINED = 8_000
"""Characters of old text in one call that joins several hunks.

LangGraph runs the calls of one message at the same time, and of two edits of one file the second overwrites the first without an error
(deepagents#6297): one call is safe, so hunks are joined up to this length, and stand in calls of their own beyond it.
"""


@dataclass(frozen=True, slots=True)
class Exact:
    """Exact replacement.

    Attributes:
        file: The argument that names the file.
        old: The argument, or the key in a list of pairs, with the old text.
        new: The same for the new text.
        every: The same for the flag that replaces every occurrence; `None` if there is none.
        pairs: The argument with a list of pairs, which are carried out one after the other; `None` for one pair a call.
        literal: Line breaks are taken as written, as a tool takes them; otherwise line breaks mean those of the file, which a model does not see.
    """

    file: str
    old: str = "old_text"
    new: str = "new_text"
    every: str | None = None
    pairs: str | None = None
    literal: bool = False

    @property
    def uses(self) -> frozenset[str]:
        names = (self.file, self.pairs) if self.pairs is not None else (self.file, self.old, self.new, self.every)
        return frozenset(name for name in names if name is not None)

    @property
    def tells(self) -> str:
        return (
            f"Replaces text in a file. `{self.old}` is copied from the file character for character, with its white space and line breaks, and "
            f"must be in the file exactly once: take more of the lines around it where it is not. `{self.new}` is what stands there afterwards."
        )

    @property
    def properties(self) -> dict[str, Any]:
        return {
            self.file: {"type": "string", "description": "The file's name."},
            self.old: {"type": "string", "description": "The text that is replaced, exactly as it stands in the file."},
            self.new: {"type": "string", "description": "The text that takes its place; empty to delete."},
        }

    def parts(self, arguments: Arguments) -> list[Part]:
        return [Part(text_of(arguments, self.file), arguments)]

    def _pairs(self, arguments: Arguments) -> Iterator[tuple[str, str, bool]]:
        listed = [arguments] if self.pairs is None else arguments.get(self.pairs)
        if not isinstance(listed, (list, tuple)) or not all(isinstance(each, dict) for each in listed):
            raise FormRefused(f"`{self.pairs}` is not a list of changes", f"write `{self.pairs}` as a list of objects")
        for pair in listed:
            yield text_of(pair, self.old), text_of(pair, self.new), self.every is not None and pair.get(self.every) is True

    def apply(self, part: Part, text: FileText) -> FileText:
        for old, new, every in self._pairs(part.said):
            if not self.literal and text.newline == "\r\n" and "\r" not in old and not any(_places(text, old)):
                old, new = old.replace("\n", "\r\n"), new.replace("\r\n", "\n").replace("\n", "\r\n")
            text = _replaced(text, old, new, every)
        return text

    def _pair(self, before: FileText, after: FileText, hunk: Hunk) -> dict[str, Any]:
        old, new = before.between(hunk.start, hunk.end), after.between(hunk.new_start, hunk.new_end)
        if before.open_end and hunk.end == len(before.lines):  # without the newline that the file may not have
            if not old.endswith("\n") or not new.endswith("\n"):
                raise FormRefused("whether the file ends in a newline is not known", own=True)
            old, new = old[:-1], new[:-1]
        return {self.old: old, self.new: new}

    def write(self, file: str, before: FileText | None, after: FileText) -> list[dict[str, Any]]:
        if before is None:
            raise CREATES
        hunks = before.hunks(after)
        if not before.lines or not hunks:
            raise FormRefused("the file is empty, and this tool replaces text that is there" if hunks else "nothing changes", own=bool(hunks))

        def calls(context: int, most_apart: int = 0) -> list[dict[str, Any]]:
            groups = before.grouped(hunks, context, most_apart=most_apart)
            pairs = [self._pair(before, after, each) for each in groups]
            return [{self.file: file, self.pairs: pairs}] if self.pairs is not None else [{self.file: file, **pair} for pair in pairs]

        def read(written: list[dict[str, Any]]) -> FileText:
            if len(written) > 1:
                read_back(self, written[::-1], before)  # LangGraph keeps no order among the calls of a message
            return read_back(self, written, before)

        span = sum(len(line) for line in before.lines[hunks[0].start : hunks[-1].end] if isinstance(line, str))
        if self.pairs is None and span <= MOST_JOINED:
            return widened(before, after, lambda context: calls(context, 1 << 30), read)
        return widened(before, after, calls, read)


def _replaced(text: FileText, old: str, new: str, every: bool) -> FileText:
    if not old and not text.lines:
        return FileText(split(new))
    if not old:
        raise FormRefused("the old text is empty", "copy the text that is to be replaced, or a line beside it, from the file")
    if every and not text.whole:
        raise FormRefused("not all of the file is known, so not every occurrence is", own=True)
    places = list(_places(text, old))
    if not places:
        raise FormRefused("the old text is not in the file", "copy it from the file as it is now, white space included")
    if every:
        return FileText(split(text.text.replace(old, new)))
    if len(places) > 1:
        raise FormRefused(f"the old text is in the file {len(places)} times", "add more of the text around it, so that it is there once")
    start, end, at = places[0]
    known = text.between(start, end)
    return FileText((*text.lines[:start], *split(known[:at] + new + known[at + len(old) :]), *text.lines[end:]))


def _places(text: FileText, wanted: str) -> Iterator[tuple[int, int, int]]:
    """Where a text occurs: the run of lines, and the place in its text. Occurrences that overlap count, too: a tool may count them."""
    for start, end in text.runs():
        known = text.between(start, end)
        at = known.find(wanted)
        while at >= 0:
            yield start, end, at
            at = known.find(wanted, at + 1)
