"""Unified patches, as `diff -u` and git write them.

Hunks are placed by their lines; their numbers, which models get wrong, only choose among places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lg_toolroute.forms.notation import CREATES, Arguments, Part, read_back, text_of
from lg_toolroute.forms.patch_hunks import PatchHunk, apply_hunks, hunk_of
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText, Hunk, widened

_HEADER = re.compile(r"^@@(?: -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? ?@@.*)?")
"""The header of a hunk; models write it without numbers, too (holon#3041)."""
_GIT = ("diff ", "index ", "new file mode", "old mode", "new mode", "similarity index")
NO_NEWLINE = "\\ No newline at end of file"
NO_FILE = "/dev/null"


@dataclass(frozen=True, slots=True)
class Unified:
    """Unified patches.

    Attributes:
        patch: The argument with the patch, which names its files itself.
    """

    patch: str = "patch"

    @property
    def uses(self) -> frozenset[str]:
        return frozenset({self.patch})

    @property
    def tells(self) -> str:
        return (
            "Changes files by a unified patch, as `diff -u` writes it:\n--- a/name of the file\n+++ b/name of the file\n@@ -10,7 +10,7 @@\n three "
            "lines as they stand\n-a line that goes\n+a line that comes\n three lines as they stand\nEach line of a hunk begins with a space, '-' "
            "or '+'. The lines that stay or go are copied from the file, and are there once, or at the line number of the hunk. `--- /dev/null` "
            "makes a file."
        )

    @property
    def properties(self) -> dict[str, Any]:
        return {self.patch: {"type": "string", "description": "The unified patch, from its `---` line on."}}

    def parts(self, arguments: Arguments) -> list[Part]:
        parts = list(_parts(_lines(text_of(arguments, self.patch))))
        for part in parts:
            part.said[:] = [hunk for hunk in part.said if hunk.without_stray().lines]
        if not parts or not all(part.said for part in parts):
            raise FormRefused("the patch changes nothing", "write `--- a/name`, `+++ b/name` and a hunk that begins with `@@`")
        return parts

    def apply(self, part: Part, text: FileText) -> FileText:
        if part.new and text.lines:
            raise FormRefused(f"{part.file} exists", f"write `--- a/{part.file}` and a hunk of its lines")
        return apply_hunks(part.said, text)

    def write(self, file: str, before: FileText | None, after: FileText) -> list[dict[str, Any]]:
        source = before or FileText(())
        if before is None and not after.lines:
            raise CREATES
        source_name, name = (file, file) if file.startswith("/") else (f"a/{file}", f"b/{file}")
        hunks = source.hunks(after)

        def patch(context: int) -> list[dict[str, Any]]:
            lines = [f"--- {NO_FILE if before is None else source_name}", f"+++ {name}"]
            for wide in source.grouped(hunks, context):
                old, new = wide.end - wide.start, wide.new_end - wide.new_start
                start = source.number(wide.start) + wide.new_start - wide.start
                lines.append(f"@@ -{_range(source.number(wide.start), old)} +{_range(start, new)} @@")
                lines += _with_ends(source, after, wide, hunk_of(source, after, wide, hunks))
            return [{self.patch: "\n".join((*lines, ""))}]

        return widened(source, after, patch, lambda written: read_back(self, written, source), least=3)


def _range(start: int, count: int) -> str:
    return f"{start if count else start - 1},{count}"


def _with_ends(source: FileText, after: FileText, wide: Hunk, lines: list[str]) -> list[str]:
    """The lines of a hunk, with the mark behind those that end their file without a newline."""
    old = _unended(source) and wide.end == len(source.lines)
    new = _unended(after) and wide.new_end == len(after.lines)
    ends = {
        next(place for place in reversed(range(len(lines))) if lines[place][0] in marks)
        for marks, wanted in ((" -", old), (" +", new))
        if wanted and any(line[0] in marks for line in lines)
    }
    return [each for place, line in enumerate(lines) for each in ((line, NO_NEWLINE) if place in ends else (line,))]


def _unended(text: FileText) -> bool:
    return bool(text.lines) and isinstance(text.lines[-1], str) and not text.lines[-1].endswith("\n")


def _lines(patch: str) -> list[str]:
    lines = patch.strip("\n").split("\n")
    if all(line.endswith("\r") for line in lines[:-1]) and len(lines) > 1:
        lines = [line.removesuffix("\r") for line in lines]
    lines = lines[1:] if lines[0].startswith("```") else lines
    return lines[:-1] if lines and lines[-1].startswith("```") else lines


def _parts(lines: list[str]) -> Iterator[Part]:
    part: Part | None = None
    left = [0, 0]  # lines of the old and of the new file that the hunk's header has promised
    place = 0
    while place < len(lines):
        line = lines[place]
        if not any(left) and line.startswith("--- ") and place + 1 < len(lines) and lines[place + 1].startswith("+++ "):
            if part is not None:
                yield part
            part = _named(line, lines[place + 1])
            place += 1
        elif line.startswith("@@") and not any(left):
            if part is None:
                raise FormRefused("the patch names no file before its first hunk", "write `--- a/name` and `+++ b/name` first")
            hunk, left = _begun(line)
            part.said.append(hunk)
        elif line.startswith("\\") and part is not None and part.said:
            _unend(part.said[-1])
        elif part is not None and part.said and not (line.startswith(_GIT) and not any(left)):
            part.said[-1].add(line or " " * any(left))  # an empty line that the header has promised is one that stays
            left = [max(left[0] - (line[:1] != "+"), 0), max(left[1] - (line[:1] != "-"), 0)]
        elif line.strip() and not line.startswith(_GIT):
            raise FormRefused("it begins with a line that is no part of a unified patch", "begin with `--- a/name` and `+++ b/name`")
        place += 1
    if part is not None:
        yield part


def _named(old: str, new: str) -> Part:
    source, target = (line[4:].split("\t")[0].strip() for line in (old, new))
    if target == NO_FILE:
        raise FormRefused("the patch deletes a file", "change files by this tool, and delete none")
    if source.startswith("a/") and target.startswith("b/"):
        source = source[2:]
    if target.startswith("b/") and (source == target[2:] or source == NO_FILE):
        target = target[2:]
    if source not in (target, NO_FILE):
        raise FormRefused(f"the patch renames {source!r} to {target!r}", "write the same name behind `---` and `+++`")
    return Part(target, list[PatchHunk](), new=source == NO_FILE)


def _begun(header: str) -> tuple[PatchHunk, list[int]]:
    read = _HEADER.match(header)
    if read is None or read[1] is None:
        return PatchHunk(), [0, 0]
    counts = [1 if read[group] is None else int(read[group]) for group in (2, 4)]
    return PatchHunk(number=int(read[1])), counts


def _unend(hunk: PatchHunk) -> None:
    """Reads that the line before ends its file without a newline. Of an old line alone it says that the new file does end with one."""
    if hunk.lines:
        hunk.final = hunk.lines[-1][0] == "-"
        hunk.at_end = True
