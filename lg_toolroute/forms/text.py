"""A file's text, line by line, as forms read and change it.

Lines end at a line feed and nowhere else: a form feed, a lone carriage return or a Unicode line separator is part of its line. Each line keeps its
ending, so that CRLF and a missing final newline stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TypeVar

from lg_toolroute.forms.refused import FormRefused

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines that are not known.

    Attributes:
        first: The number of the first one, from 1; it tells one gap from another.
        count: How many there are; `None` if that is not known.
    """

    first: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `start` to `end` of one text, which are lines `new_start` to `new_end` of another."""

    start: int
    end: int
    new_start: int
    new_end: int


def split(text: str) -> tuple[str, ...]:
    """The lines of a text, each with its ending."""
    parts = text.split("\n")
    return (*(f"{part}\n" for part in parts[:-1]), *parts[-1:]) if parts[-1] else tuple(f"{part}\n" for part in parts[:-1])


def content(line: str) -> str:
    """A line without its ending."""
    return line[:-1].removesuffix("\r") if line.endswith("\n") else line


@dataclass(frozen=True, slots=True)
class FileText:
    """What is known of a file's text.

    Attributes:
        lines: Its lines, each with its ending, and the gaps between them.
        open_end: Whether the file ends in a newline is not known. One is assumed.
    """

    lines: tuple[str | Gap, ...]
    open_end: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, text: str) -> FileText:
        """A text that is known whole."""
        return cls(split(text))

    @property
    def whole(self) -> bool:
        return all(isinstance(line, str) for line in self.lines)

    @property
    def newline(self) -> str:
        """The ending of its lines, which is that of the first one."""
        first = next((line for line in self.lines if isinstance(line, str) and line.endswith("\n")), "\n")
        return "\r\n" if first.endswith("\r\n") else "\n"

    @property
    def text(self) -> str:
        """The whole text.

        Raises:
            FormRefused: Not all of it is known.
        """
        return self.between(0, len(self.lines))

    def between(self, start: int, end: int) -> str:
        """The text of some lines.

        Raises:
            FormRefused: Not all of them are known.
        """
        try:
            return "".join(self.lines[start:end])  # type: ignore[arg-type]  # a gap, which is no text, is what the error is about
        except TypeError:
            raise FormRefused("not all of the file is known here", own=True) from None

    def runs(self) -> Iterator[tuple[int, int]]:
        """Where each unbroken run of known lines starts and ends."""
        start = 0
        for place, line in enumerate((*self.lines, Gap(0, None))):
            if isinstance(line, Gap):
                if place > start:
                    yield start, place
                start = place + 1

    def number(self, place: int) -> int:
        """The number, from 1, of the line at a place.

        Raises:
            FormRefused: A gap of unknown length stands before it.
        """
        number = 1
        for line in self.lines[:place]:
            count = 1 if isinstance(line, str) else line.count
            if count is None:
                raise FormRefused("the line's number is not known", own=True)
            number += count
        return number

    def place(self, number: int) -> int:
        """Where the line of a number stands; behind the last line for the number after it.

        Raises:
            FormRefused: That line is not known.
        """
        at = 1
        for place, line in enumerate(self.lines):
            if at == number:
                return place
            if isinstance(line, Gap) and (line.count is None or at + line.count > number):
                raise FormRefused(f"line {number} was not read yet", own=True)
            at += 1 if isinstance(line, str) else line.count or 0
        if at == number:
            return len(self.lines)
        raise FormRefused(f"there is no line {number}: the file has {at - 1} lines", "name lines of the file as it is now")

    def find(self, wanted: Sequence[str]) -> list[int]:
        """Where lines with these contents start; where none are, lines that differ in trailing white space alone.

        Args:
            wanted: The contents, without endings.
        """
        return self._matches(wanted, str) or self._matches(wanted, str.rstrip)

    def _matches(self, wanted: Sequence[str], key: Callable[[str], str]) -> list[int]:
        asked = [key(each) for each in wanted]
        if not asked:
            return []
        begun = [place for place, line in enumerate(self.lines) if isinstance(line, str) and line.startswith(asked[0])]
        return [place for place in begun if self._says(place, asked, key)]

    def _says(self, place: int, asked: Sequence[str], key: Callable[[str], str]) -> bool:
        lines = self.lines[place : place + len(asked)]
        return len(lines) == len(asked) and all(isinstance(line, str) and key(content(line)) == each for line, each in zip(lines, asked, strict=True))

    def replaced(self, start: int, end: int, contents: Sequence[str], *, final: bool | None = None) -> FileText:
        """The text with other lines in the place of some. New lines end as those do that they replace, or else as the file's do.

        Args:
            start: The first line that is replaced.
            end: Behind the last one; the same as `start` to insert.
            contents: The new lines, without endings.
            final: Whether the file is to end with a newline, if its end is replaced. `None`: as it did.
        """
        lines, new = list(self.lines), [each.removesuffix("\r") for each in contents] if self.newline == "\r\n" else list(contents)
        if not all(isinstance(line, str) for line in lines[start:end]):
            raise FormRefused("not all of these lines are known", own=True)
        last = lines[-1] if lines else "\n"
        ended = isinstance(last, Gap) or last.endswith("\n")
        if start == end == len(lines) and isinstance(last, str) and not ended and new:  # a line that ended the file is followed by others now
            start, new = start - 1, [content(last), *new]
        endings = [_ending(lines[start + place] if start + place < end else "", self.newline) for place in range(len(new))]
        if end == len(lines) and new and not (ended if final is None else final):
            endings[-1] = ""
        changed = [*lines[:start], *(f"{each}{ending}" for each, ending in zip(new, endings, strict=True)), *lines[end:]]
        if final is False and end == len(lines) and not new and changed and isinstance(changed[-1], str):
            changed[-1] = content(changed[-1])
        return FileText(tuple(changed))

    def hunks(self, after: FileText) -> list[Hunk]:
        """What differs in another text, in order."""
        ours, theirs = self.lines, after.lines
        most = min(len(ours), len(theirs))
        head = next((place for place in range(most) if ours[place] != theirs[place]), most)
        tail = next((place for place in range(most - head) if ours[-1 - place] != theirs[-1 - place]), most - head)
        middle = SequenceMatcher(None, ours[head : len(ours) - tail], theirs[head : len(theirs) - tail])
        return [
            Hunk(head + start, head + end, head + new_start, head + new_end)
            for kind, start, end, new_start, new_end in middle.get_opcodes()
            if kind != "equal"
        ]

    def grouped(self, hunks: Sequence[Hunk], context: int, *, most_apart: int = 0) -> list[Hunk]:
        """Hunks widened by lines of context, those joined that then touch or overlap, or stand no more than `most_apart` lines apart."""
        groups: list[Hunk] = []
        after = len(self.lines) + sum((hunk.new_end - hunk.new_start) - (hunk.end - hunk.start) for hunk in hunks)
        for hunk in hunks:
            above = min(context, self._known_above(hunk.start))
            below = min(context, self._known_below(hunk.end))
            wide = Hunk(hunk.start - above, hunk.end + below, hunk.new_start - above, min(hunk.new_end + below, after))
            last = groups[-1] if groups else None
            if last is not None and wide.start <= last.end + most_apart and all(isinstance(line, str) for line in self.lines[last.end : wide.start]):
                wide = Hunk(last.start, wide.end, last.new_start, wide.new_end)
                groups.pop()
            groups.append(wide)
        return groups

    def _known_above(self, place: int) -> int:
        return next((count for count, line in enumerate(reversed(self.lines[:place])) if isinstance(line, Gap)), place)

    def _known_below(self, place: int) -> int:
        return next((count for count, line in enumerate(self.lines[place:]) if isinstance(line, Gap)), len(self.lines) - place)


def contents(text: FileText, start: int, end: int) -> list[str]:
    """Some lines of a text, without their endings. A gap is never among them."""
    return [content(line) for line in text.lines[start:end] if isinstance(line, str)]


def _ending(line: str | Gap, otherwise: str) -> str:
    if isinstance(line, str) and line.endswith("\n"):
        return "\r\n" if line.endswith("\r\n") else "\n"
    return otherwise


CONTEXTS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 1 << 30)
"""Lines of context to try; the last one is the whole file."""


def widened(before: FileText, after: FileText, write: Callable[[int], T], read: Callable[[T], FileText], *, least: int = 0) -> T:
    """What `write` gives with the fewest lines of context with which `read` gives the changed text.

    Args:
        before: The text.
        after: The changed text.
        write: Writes the change with so many lines of context around each hunk.
        read: What comes of it when it is applied to the text.
        least: The fewest lines of context.

    Raises:
        FormRefused: With no context is it read as the same change.
    """
    refusal = FormRefused("this change cannot be written in that form without loss", own=True)
    most = len(before.lines)
    for context in (each for each in CONTEXTS if each >= least):
        try:
            written = write(context)
            if read(written) == after:
                return written
        except FormRefused as error:
            refusal = error
        if context > most:
            break
    raise FormRefused(refusal.reason, own=True)
