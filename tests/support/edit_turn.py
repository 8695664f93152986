"""One turn over a thread in which a file was read, with edit tools, on every surface, and everything that a consumer can see of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, tool

from lg_toolroute import ToolRouter
from lg_toolroute.testing import Call, Say, ScriptedModel
from tests.support.one_turn import SURFACES, A, B, C

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
    read = {"name": "read_file", "args": {"file_path": path}, "id": "read1", "type": "tool_call"}
    return [
        HumanMessage("Two is wrong.", id="q1"),
        AIMessage("", tool_calls=[read], id="a1"),
        ToolMessage(text, tool_call_id="read1", name="read_file", id="t1"),
    ]


def config(form: Any, tool: str = "edit_file", **rule: Any) -> dict[str, Any]:
    said = {"primary": B, "fallbacks": [C], "handoff": "full", "cutAt": "name", "form": form, **rule}
    return {"model": A, "toolRouting": {tool: {key: value for key, value in said.items() if value is not None}}}


def named(tool: str = "edit_file") -> Say:
    """What a primary says that is cut at the tool's name."""
    return Say("Let me fix it.", [Call(tool, {"file_path": "dropped"})])


class Turn:
    """One turn, up to the first tool.

    Attributes:
        router: The router.
        models: The models, by spec.
        told: What a consumer saw: mode and event.
        landed: The message.
        seen: All of it and every state, as text.
    """

    def __init__(
        self,
        surface: str,
        way: tuple[bool, bool],
        scripts: Mapping[str, Sequence[Any]],
        config: Any,
        messages: Sequence[AnyMessage] | None = None,
        **settings: Any,
    ) -> None:
        is_async, streamed = way
        self.models = {spec: ScriptedModel(scripts.get(spec, ()), name=spec) for spec in (A, B, C)}
        self.router = ToolRouter(config, models=self.models, clock=lambda: 0.0, **settings)
        agent = SURFACES[surface](self.router, self.models, TOOLS)
        run: Any = {"configurable": {"thread_id": "1"}}
        modes = ["custom", "messages", "updates", "values", "debug", "tasks"] if streamed else ["custom", "values"]
        self.told: list[Any] = []
        given = {"messages": list(messages if messages is not None else thread())}

        async def listen() -> None:
            async for event in agent.astream(given, run, stream_mode=modes):
                self.told.append(event)

        if is_async:
            asyncio.run(listen())
        else:
            self.told.extend(agent.stream(given, run, stream_mode=modes))
        state = agent.get_state(run)
        self.seen = repr((self.told, state.values, [each.values for each in agent.get_state_history(run)]))
        self.landed: AIMessage = state.values["messages"][-1]

    @property
    def calls(self) -> list[Any]:
        return [call["args"] for call in self.landed.tool_calls]

    @property
    def added_up(self) -> AIMessageChunk | None:
        """The sum of the chunks that a consumer saw."""
        total = None
        for mode, event in self.told:
            if mode == "messages" and isinstance(event[0], AIMessageChunk):
                total = event[0] if total is None else total + event[0]
        return total
