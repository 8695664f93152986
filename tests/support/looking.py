"""One turn over a thread in which a file was read, on every surface, with everything that a consumer can see of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, tool

from lg_toolroute import ToolRouter
from lg_toolroute.testing import Call, Say, ScriptedModel
from tests.support.one_turn import SURFACES, A, B, C

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
    read = {"name": "read_file", "args": {"file_path": path}, "id": "read1", "type": "tool_call"}
    return [
        HumanMessage("The sum is wrong.", id="q1"),
        AIMessage("", tool_calls=[read], id="a1"),
        ToolMessage(text, tool_call_id="read1", name="read_file", id="t1"),
    ]


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
        *,
        messages: Sequence[AnyMessage] | None = None,
        tools: Sequence[BaseTool] = TOOLS,
        state: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        is_async, streamed = way
        self.models = {spec: ScriptedModel(scripts.get(spec, ()), name=spec) for spec in (A, B, C)}
        self.router = ToolRouter(config, models=self.models, clock=lambda: 0.0, **settings)
        agent = SURFACES[surface](self.router, self.models, tools)
        run: Any = {"configurable": {"thread_id": "1"}}
        modes = ["custom", "messages", "updates", "values", "debug", "tasks"] if streamed else ["custom", "values"]
        self.told: list[Any] = []
        given = {"messages": list(messages if messages is not None else thread()), **(state or {})}

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

    @property
    def added_up(self) -> AIMessageChunk | None:
        """The sum of the chunks that a consumer saw."""
        total = None
        for mode, event in self.told:
            if mode == "messages" and isinstance(event[0], AIMessageChunk):
                total = event[0] if total is None else total + event[0]
        return total


GOOD, BAD, MENDED = Say("Let me fix it.", [edit(OLD)]), Say("Let me fix it.", [edit(WRONG)]), Say("Here it is.", [edit(OLD)], chunks=3)
