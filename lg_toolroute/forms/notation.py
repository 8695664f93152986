"""`Notation`: one way to write a change of a file as arguments of a call. Each of the files beside this one has one of them.

A notation reads arguments as a change of a text that is known, and writes such a change as arguments. What it writes is always read back before it
is believed, so a change that it cannot express is refused and never bent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """What one call says of one file.

    Attributes:
        file: The file's name, as the model wrote it.
        said: The change, as its notation reads it.
        new: The file is to be made.
    """

    file: str
    said: Any
    new: bool = False


class Notation(Protocol):
    """One way to write a change of a file."""

    @property
    def uses(self) -> frozenset[str]:
        """The arguments that it reads and writes."""
        ...

    @property
    def tells(self) -> str:
        """What a model is told of it, as the description of a tool."""
        ...

    @property
    def properties(self) -> dict[str, Any]:
        """The JSON Schema of each of its arguments; all of them are required."""
        ...

    def parts(self, arguments: Arguments) -> list[Part]:
        """What a call says, file by file.

        Raises:
            FormRefused: It cannot be read.
        """
        ...

    def apply(self, part: Part, text: FileText) -> FileText:
        """The text with what was said carried out.

        Raises:
            FormRefused: It does not fit the text, or fits it at several places.
        """
        ...

    def write(self, file: str, before: FileText | None, after: FileText) -> list[dict[str, Any]]:
        """The arguments of the calls, in order, that make one text of another.

        Args:
            file: The file's name.
            before: The text as it is; `None` for a file that is to be made.
            after: The text as it is to be.

        Raises:
            FormRefused: That cannot be written without loss.
        """
        ...


def read_back(notation: Notation, calls: Sequence[Arguments], before: FileText) -> FileText:
    """The text after these calls, one after the other.

    Raises:
        FormRefused: One of them cannot be carried out.
    """
    for arguments in calls:
        for part in notation.parts(arguments):
            before = notation.apply(part, before)
    return before


def text_of(arguments: Arguments, name: str) -> str:
    """An argument that is a text.

    Raises:
        FormRefused: It is missing, or no text.
    """
    value = arguments.get(name)
    if not isinstance(value, str):
        raise FormRefused(f"`{name}` is missing or is no text", f"write `{name}` as a text")
    return value


def only_one(places: Sequence[int], what: str) -> int:
    """The one place where lines were found.

    Args:
        places: Where they were found.
        what: What they are, in the notation's words. The lines themselves are not told: reasons are kept with the message.

    Raises:
        FormRefused: They were not found, or at several places.
    """
    if not places:
        raise FormRefused(f"{what} is not in the file", "copy the lines from the file as it is now, white space included")
    if len(places) > 1:
        raise FormRefused(f"{what} stands at {len(places)} places of the file", "add more of the lines around it")
    return places[0]


CREATES = FormRefused("this tool cannot make a file", "change a file that exists", own=True)
