"""The hunks of a patch, V4A or unified: lines that stay, go and come, and where in a file they belong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lg_toolroute.forms.notation import only_one
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText, content, contents
from lg_toolroute.forms.text import Hunk as Difference


@dataclass(slots=True)
class PatchHunk:
    """One hunk.

    Attributes:
        lines: Its lines: the mark (a space, `-` or `+`) and the content.
        anchors: Lines that stand somewhere above it, outermost first.
        at_end: It is the end of the file.
        number: The number of its first line, as the patch has it; `None` if it has none.
        final: Whether the file ends with a newline afterwards, as the patch says; `None` if it does not.
        stray: How many of the last lines came empty, without the space of a line that stays.
    """

    lines: list[tuple[str, str]] = field(default_factory=list)
    anchors: tuple[str, ...] = ()
    at_end: bool = False
    number: int | None = None
    final: bool | None = None
    stray: int = 0

    @property
    def old(self) -> list[str]:
        """The lines as the file has them."""
        return [text for mark, text in self.lines if mark != "+"]

    def add(self, line: str) -> None:
        """Reads one more line. One that is empty is an empty line that stays: models leave out the space before it.

        Raises:
            FormRefused: It has none of the marks.
        """
        if line and line[0] not in " -+":
            raise FormRefused("a line of the patch has no mark", "begin each line of a hunk with a space, '-' or '+'")
        self.lines.append((line[0], line[1:]) if line else (" ", ""))
        self.stray = 0 if line else self.stray + 1

    def without_stray(self) -> PatchHunk:
        """The hunk without the empty lines behind it, of which it cannot be told whether they belong to the file."""
        del self.lines[len(self.lines) - self.stray :]
        self.stray = 0
        return self


def apply_hunks(hunks: Sequence[PatchHunk], text: FileText) -> FileText:
    """The text with the hunks carried out. All of them mean the text as it is before any of them.

    Raises:
        FormRefused: One fits nowhere or at several places, or two change the same lines.
    """
    changes: list[_Change] = []
    behind = 0
    for number, hunk in enumerate(hunks, 1):
        start = _place(hunk, text, behind, f"hunk {number}")
        behind = start + len(hunk.old)
        changes += _changes(hunk, start)
    changes.sort(key=lambda change: change.start)
    for change, following in pairwise(changes):
        if following.start < change.end:
            raise FormRefused("two hunks change the same lines", "write them as one hunk")
    for change in reversed(changes):
        text = text.replaced(change.start, change.end, change.new, final=change.final)
    return text


@dataclass(frozen=True, slots=True)
class _Change:
    start: int
    end: int
    new: list[str]
    final: bool | None


def _changes(hunk: PatchHunk, start: int) -> Iterator[_Change]:
    """What a hunk replaces. Lines that stay are left as the file has them."""
    at, gone, come = start, 0, list[str]()
    for mark, line in (*hunk.lines, (" ", "")):
        if mark == " ":
            if gone or come:
                yield _Change(at, at + gone, come, hunk.final)
            at, gone, come = at + gone + 1, 0, []
        elif mark == "-":
            gone += 1
        else:
            come.append(line)


def _place(hunk: PatchHunk, text: FileText, behind: int, what: str) -> int:
    """Where a hunk belongs.

    Of several places the one counts that its line number, its anchors or its being the end of the file say, or the only one that is left behind the
    hunk before it; a hunk that could stand at several is refused, because the wrong place is not noticed (openclaw#124470).
    """
    old = hunk.old
    if not old:
        if not text.lines or (hunk.at_end and isinstance(text.lines[-1], str)):
            return len(text.lines)
        raise FormRefused(
            f"{what} adds lines and does not say where", "put a line of the file that stands beside them into it, with a space before it"
        )
    places = text.find(old)
    if hunk.at_end:
        places = [place for place in places if place + len(old) == len(text.lines)]
    if len(places) < 2:
        return only_one(places, what)
    if hunk.number is not None and (told := [place for place in places if text.number(place) == hunk.number]):
        return told[0]
    if hunk.anchors:
        below = {next((place for place in places if place >= anchor), -1) for anchor in _anchored(hunk.anchors, text, behind)} - {-1}
        return only_one(sorted(below), what)
    following = [place for place in places if place >= behind]
    return only_one(following if behind else places, what)


def _anchored(anchors: Sequence[str], text: FileText, behind: int) -> list[int]:
    """The places of the last anchor below the others."""
    places = [behind - 1]
    for anchor in anchors:
        found = [place for place, line in enumerate(text.lines) if isinstance(line, str) and content(line).strip() == anchor.strip()]
        places = sorted({place for above in places for place in found if place > above})
    return places


def hunk_of(source: FileText, after: FileText, wide: Difference, differences: Sequence[Difference]) -> list[str]:
    """The lines of one hunk of a patch.

    Args:
        source: The text.
        after: The changed text.
        wide: The hunk with its context.
        differences: What differs.
    """
    lines: list[str] = []
    at = wide.start
    for each in differences:
        if wide.start <= each.start and each.end <= wide.end:
            lines += [f" {line}" for line in contents(source, at, each.start)]
            lines += [f"-{line}" for line in contents(source, each.start, each.end)]
            lines += [f"+{line}" for line in contents(after, each.new_start, each.new_end)]
            at = each.end
    return lines + [f" {line}" for line in contents(source, at, wide.end)]
