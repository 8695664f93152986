"""One turn over a thread in which a file was read, on every surface, with everything that a consumer can see of it."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.tools import BaseTool, tool

from lg_toolroute.testing import Call, Say
from tests.support.first_turn import FirstTurn, read_before

TEXT = "import os\n\ndef total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n"
OLD, WRONG, NEAREST = "        result += value", "        total += value", "result += value"
"""A line of the file, a line that is not in it, and what of the file is nearest to that."""


@tool
def read_file(file_path: str) -> str:
    """Read a file."""
    return TEXT


@tool
def edit_file(file_path: str, old_string: str, new_string: str) -> str:
    """Replace text in a file."""
    return "done"


@tool
def write_file(file_path: str, content: str) -> str:
    """Write a file."""
    return "done"


@tool
def grep(pattern: str) -> str:
    """Search."""
    return ""


TOOLS: tuple[BaseTool, ...] = (read_file, edit_file, write_file, grep)


def edit(old: str, new: str = "NEW TEXT", path: str = "a.py") -> Call:
    return Call("edit_file", {"file_path": path, "old_string": old, "new_string": new})


def thread(path: str = "a.py", text: str = TEXT) -> list[AnyMessage]:
    """A thread in which a file was read."""
    return read_before("The sum is wrong.", text, path)


class Turn(FirstTurn):
    """One turn over that thread."""

    own_tools = TOOLS
    own_thread = staticmethod(thread)

    def asked(self, spec: str) -> list[str]:
        """The last words of each request to a model."""
        return [request.last_text for request in self.models[spec].requests]

    @property
    def calls(self) -> list[tuple[str, Any]]:
        return [(call["name"], call["args"].get("old_string", call["args"])) for call in self.landed.tool_calls]

    @property
    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = self.landed.response_metadata["toolroute"]
        return record

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for mode, event in self.told if mode == "custom"]


GOOD, BAD, MENDED = Say("Let me fix it.", [edit(OLD)]), Say("Let me fix it.", [edit(WRONG)]), Say("Here it is.", [edit(OLD)], chunks=3)
