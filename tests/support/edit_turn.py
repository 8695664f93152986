"""One turn over a thread in which a file was read, with edit tools, on every surface, and everything that a consumer can see of it."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.tools import BaseTool, tool

from lg_toolroute.testing import Call, Say
from tests.support.first_turn import FirstTurn, read_before
from tests.support.one_turn import A, B, C

TEXT = "def one():\n    return 1\n\ndef two():\n    return 2\n"


@tool
def read_file(file_path: str) -> str:
    """Read a file."""
    return ""


@tool
def edit_file(file_path: str, old_string: str, new_string: str, why: str = "") -> str:
    """Replace text in a file."""
    return "done"


@tool
def multi_edit(file_path: str, edits: list[dict[str, str]]) -> str:
    """Replace several texts in a file."""
    return "done"


TOOLS: tuple[BaseTool, ...] = (read_file, edit_file, multi_edit)


def patch(*lines: str, file: str = "a.py") -> dict[str, str]:
    return {"patch": "\n".join(("*** Begin Patch", f"*** Update File: {file}", *lines, "*** End Patch"))}


TWO = patch("@@", " def two():", "-    return 2", "+    return 3")
"""The patch that the writer writes, and what it is as the application's call."""
EDIT = {"file_path": "a.py", "old_string": "    return 2\n", "new_string": "    return 3\n"}


def thread(text: str = TEXT, path: str = "a.py") -> list[AnyMessage]:
    """A thread in which a file was read, to its end."""
    return read_before("Two is wrong.", text, path)


def config(form: Any, tool: str = "edit_file", **rule: Any) -> dict[str, Any]:
    said = {"primary": B, "fallbacks": [C], "handoff": "full", "cutAt": "name", "form": form, **rule}
    return {"model": A, "toolRouting": {tool: {key: value for key, value in said.items() if value is not None}}}


def named(tool: str = "edit_file") -> Say:
    """What a primary says that is cut at the tool's name."""
    return Say("Let me fix it.", [Call(tool, {"file_path": "dropped"})])


class Turn(FirstTurn):
    """One turn over that thread."""

    own_tools = TOOLS
    own_thread = staticmethod(thread)

    @property
    def calls(self) -> list[Any]:
        return [call["args"] for call in self.landed.tool_calls]
