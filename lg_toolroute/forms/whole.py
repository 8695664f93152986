"""The whole file: its text as it is to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lg_toolroute.forms.notation import Arguments, Part, read_back, text_of
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole file.

    Attributes:
        file: The argument that names the file.
        content: The argument with its text.
        literal: Line breaks are taken as written, as a tool takes them; otherwise line breaks mean those of the file, which a model does not see.
    """

    file: str
    content: str = "content"
    literal: bool = False

    @property
    def uses(self) -> frozenset[str]:
        return frozenset({self.file, self.content})

    @property
    def tells(self) -> str:
        return (
            f"Changes a file. `{self.content}` is the whole text of the file as it is to be afterwards, every line of it: nothing is left out, "
            "and no comment stands for lines that stay the same."
        )

    @property
    def properties(self) -> dict[str, Any]:
        return {
            self.file: {"type": "string", "description": "The file's name."},
            self.content: {"type": "string", "description": "The whole new text of the file, with its final line break."},
        }

    def parts(self, arguments: Arguments) -> list[Part]:
        return [Part(text_of(arguments, self.file), text_of(arguments, self.content), new=True)]

    def apply(self, part: Part, text: FileText) -> FileText:
        written: str = part.said
        if not self.literal and text.newline == "\r\n" and "\r\n" not in written:
            written = written.replace("\n", "\r\n")
        if text.open_end and written and not written.endswith("\n"):
            written += "\n"
        return FileText.of(written)

    def write(self, file: str, before: FileText | None, after: FileText) -> list[dict[str, Any]]:
        if before is not None and before.open_end:
            raise FormRefused("whether the file ends in a newline is not known", own=True)
        calls = [{self.file: file, self.content: after.text}]
        if read_back(self, calls, before or FileText(())) != after:
            raise FormRefused("the file's line breaks cannot be changed in that form", own=True)
        return calls
