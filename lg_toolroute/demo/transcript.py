"""What the demo's scripted models read: the task, the answered tool calls and the last words in a chat-completions request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.messages.utils import convert_to_messages

from lg_toolroute.testing import ServerRequest

_FILE_OF_A_BRIEF = re.compile(r'<file name="([^"]+)">\n(.*?)\n</file>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """A tool call and its answer.

    Attributes:
        tool: The tool's name.
        args: The arguments.
        text: The tool's answer.
    """

    tool: str
    args: Mapping[str, Any]
    text: str

    @property
    def path(self) -> str:
        return str(self.args.get("path", ""))

    @property
    def replaced(self) -> bool:
        """An `edit` that changed the file."""
        return self.text.startswith("replaced")


@dataclass(frozen=True, slots=True)
class Transcript:
    """One request, as a model reads it.

    Attributes:
        task: The user's last message.
        answered: Every answered call, oldest first.
        pages: What `web_fetch` answered since the user's last message.
        words: The last text of an assistant; a routed model goes on from it.
        tools: The names of the bound tools.
        forced: The tool that must be called, or is asked for as the only one; `None` if the model may choose.
        files: The files that a brief shows as they are now, by name.
    """

    task: str
    answered: tuple[AnsweredCall, ...]
    pages: tuple[str, ...]
    words: str
    tools: tuple[str, ...]
    forced: str | None
    files: Mapping[str, str]

    @classmethod
    def of(cls, request: ServerRequest) -> Transcript:
        """Reads a request."""
        messages = convert_to_messages([dict(message) for message in request.messages])
        if request.expected_call and isinstance(messages[-1], HumanMessage):
            messages.pop()  # the router's instruction for the call, not a message of the user
        task = words = ""
        calls: dict[str | None, ToolCall] = {}
        answered: list[AnsweredCall] = []
        pages: list[str] = []
        files: dict[str, str] = {}
        for message in messages:
            if isinstance(message, HumanMessage):
                task, pages = str(message.text), []
                files.update(_FILE_OF_A_BRIEF.findall(task))
            elif isinstance(message, AIMessage):
                words = str(message.text) or words
                calls.update({call["id"]: call for call in message.tool_calls})
            elif isinstance(message, ToolMessage) and message.tool_call_id in calls:
                call = calls[message.tool_call_id]
                answered.append(AnsweredCall(call["name"], call["args"], str(message.text)))
                if call["name"] == "web_fetch":
                    pages.append(str(message.text))
        return cls(task, tuple(answered), tuple(pages), words, request.tools, request.expected_call, files)

    def calls(self, tool: str, path: str | None = None, *, after: str | None = None) -> list[AnsweredCall]:
        """The answered calls of a tool, oldest first.

        Args:
            tool: The tool's name.
            path: Only calls on this file.
            after: Only calls after the last call of this other tool (on the same file, if `path` is given).
        """
        found: list[AnsweredCall] = []
        for call in self.answered:
            if path in (None, call.path):
                if call.tool == after:
                    found = []
                elif call.tool == tool:
                    found.append(call)
        return found
