"""V4A patches, as OpenAI's models write them for `apply_patch`: `*** Begin Patch`, files by name, hunks placed by their lines and not by numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lg_toolroute.forms.notation import CREATES, Arguments, Part, read_back, text_of
from lg_toolroute.forms.patch_hunks import PatchHunk, apply_hunks, hunk_of
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText, contents, widened

BEGIN, END, UPDATE, ADD, END_OF_FILE = "*** Begin Patch", "*** End Patch", "*** Update File: ", "*** Add File: ", "*** End of File"


@dataclass(frozen=True, slots=True)
class V4A:
    """V4A patches.

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
            f"Changes files by a patch in the format of apply_patch:\n{BEGIN}\n{UPDATE}name of the file\n@@ optionally a line above the place\n "
            f"three lines as they stand\n-a line that goes\n+a line that comes\n three lines as they stand\n{END}\nEach line of a hunk begins with a "
            f"space, '-' or '+'. The lines that stay or go are copied from the file and must be there once; `@@` with a line above them tells "
            f"places apart. {END_OF_FILE} behind a hunk says that it ends the file. {ADD}name, and lines with '+', make a file."
        )

    @property
    def properties(self) -> dict[str, Any]:
        return {self.patch: {"type": "string", "description": f"The patch, from {BEGIN} to {END}."}}

    def parts(self, arguments: Arguments) -> list[Part]:
        parts: list[Part] = []
        for line in _body(text_of(arguments, self.patch)):
            if line.startswith((UPDATE, ADD)):
                kind = UPDATE if line.startswith(UPDATE) else ADD
                parts.append(Part(line.removeprefix(kind).strip(), list[PatchHunk](), new=kind == ADD))
            elif line.startswith("*** ") and not line.startswith(END_OF_FILE):
                raise FormRefused(
                    "the patch deletes or moves a file, or has a mark that is not known",
                    f"only {UPDATE.strip()} and {ADD.strip()} can be carried out",
                )
            elif parts:
                _add(parts[-1].said, line)
            elif line.strip():
                raise FormRefused("the patch names no file before its first line", f"write {UPDATE}and the file's name first")
        for part in parts:
            part.said[:] = [hunk for hunk in part.said if hunk.without_stray().lines]
        if not parts or not all(part.said or part.new for part in parts):
            raise FormRefused("the patch changes nothing", f"write {UPDATE}and the file's name, and a hunk below it")
        return parts

    def apply(self, part: Part, text: FileText) -> FileText:
        if not part.new:
            return apply_hunks(part.said, text)
        if text.lines:
            raise FormRefused(f"{part.file} exists", f"write {UPDATE}{part.file} and a hunk below it")
        lines = [line for hunk in part.said for line in hunk.lines]
        if any(mark != "+" for mark, _ in lines):
            raise FormRefused(f"a new file has lines without '+': {part.file}", "begin each of its lines with '+'")
        return text.replaced(0, 0, [line for _, line in lines])

    def write(self, file: str, before: FileText | None, after: FileText) -> list[dict[str, Any]]:
        source = before or FileText(())
        if before is None and not after.lines:
            raise CREATES
        if before is None:
            lines = [f"{ADD}{file}", *(f"+{line}" for line in contents(after, 0, len(after.lines)))]
            calls = [{self.patch: "\n".join((BEGIN, *lines, END))}]
            if read_back(self, calls, source) != after:
                raise FormRefused("a new file cannot be written in that form without loss", own=True)
            return calls
        hunks = source.hunks(after)

        def patch(context: int) -> list[dict[str, Any]]:
            lines = [f"{UPDATE}{file}"]
            for wide in source.grouped(hunks, context):
                lines += ["@@", *hunk_of(source, after, wide, hunks)]
            return [{self.patch: "\n".join((BEGIN, *lines, END))}]

        return widened(source, after, patch, lambda written: read_back(self, written, source), least=3)


def _body(patch: str) -> list[str]:
    """The lines between the first and the last mark, and without a fence around them."""
    lines = patch.strip("\n").split("\n")
    if all(line.endswith("\r") for line in lines[:-1]) and len(lines) > 1:  # the patch itself has such line breaks (codex#15035)
        lines = [line.removesuffix("\r") for line in lines]
    lines = lines[1:] if lines[0].startswith("```") else lines
    lines = lines[:-1] if lines and lines[-1].startswith("```") else lines
    if not lines or lines[0].strip() != BEGIN or lines[-1].strip() != END:
        raise FormRefused("the patch does not begin and end as it must", f"begin it with a line {BEGIN} and end it with a line {END}")
    return lines[1:-1]


def _add(hunks: list[PatchHunk], line: str) -> None:
    if line.startswith("@@"):
        anchor = line.removeprefix("@@").strip()
        if not hunks or hunks[-1].lines:
            hunks.append(PatchHunk())
        if anchor:
            hunks[-1].anchors += (anchor,)
    elif line.startswith(END_OF_FILE):
        if hunks:
            hunks[-1].at_end = True
    else:
        if not hunks or hunks[-1].at_end:
            hunks.append(PatchHunk())
        hunks[-1].add(line)
