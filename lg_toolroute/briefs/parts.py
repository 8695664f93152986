"""The parts of the built-in brief: what is read from a thread for the model that writes a call, as plain words.

Only the end of the thread is read, from the newest message back. Reasoning, signatures and other fields that only their provider reads are left out;
an image is a note.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage

from lg_toolroute.briefs.request import PlannedCall
from lg_toolroute.files.outcome import failed
from lg_toolroute.files.tools import FileTool, replacements
from lg_toolroute.history.assistant import text_of

CUT = "[…]"
"""Stands where a text was cut."""


@dataclass(frozen=True, slots=True)
class Done:
    """A call that has its result."""

    call: ToolCall
    result: ToolMessage

    def meant(self, tools: Mapping[str, FileTool]) -> FileTool | None:
        """What the call does to a file; `None` if it is none of a file tool."""
        tool = tools.get(self.call["name"])
        return None if tool is None else tool.called(self.call["args"])

    def failed(self, tools: Mapping[str, FileTool]) -> bool:
        """Whether the result is marked as a failure, or says of a file tool that it failed."""
        marked, meant = self.result.status == "error", self.meant(tools)
        return marked if meant is None else failed(text_of(self.result.content), meant.kind, marked=marked)

    def told(self, most: int) -> str:
        """The call and its result, each in at most about `most` characters."""
        arguments = json.dumps(self.call["args"], ensure_ascii=False, default=repr)
        return f"{self.call['name']}({cut(arguments, most)})\ngave: {cut(text_of(self.result.content), most)}"


def cut(text: str, most: int) -> str:
    """A text of at most about `most` characters: of a longer one its beginning and its end."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]}\n{CUT}\n{text[len(text) - most // 3 :]}"


def ending(text: str, most: int) -> str:
    """The end of a text, of at most about `most` characters, from the beginning of a line."""
    if len(text) <= most:
        return text
    tail = text[len(text) - most :]
    whole_lines = tail.partition("\n")[2]
    return f"{CUT}\n{whole_lines or tail}"


def turn_start(thread: Sequence[BaseMessage]) -> int:
    """The place of the last human message; 0 if there is none."""
    return next((place for place in range(len(thread) - 1, -1, -1) if isinstance(thread[place], HumanMessage)), 0)


def asked(thread: Sequence[BaseMessage], start: int) -> str:
    """What the user last said."""
    return text_of(thread[start].content).strip() if thread and isinstance(thread[start], HumanMessage) else ""


def said_before(thread: Sequence[BaseMessage], start: int, most: int) -> str:
    """What was said before the user's last message, by both, at most about `most` characters of it: the last."""
    lines: list[str] = []
    left = most
    for message in reversed(thread[:start]):
        if left <= 0:
            break
        if isinstance(message, (HumanMessage, AIMessage)) and (text := text_of(message.content).strip()):
            who = "User" if isinstance(message, HumanMessage) else "Assistant"
            lines.append(f"{who}: {ending(text, left)}")
            left -= len(text)
    return "\n\n".join(reversed(lines))


def said_since(thread: Sequence[BaseMessage], start: int, most: int) -> str:
    """What the assistant said since the user's last message, at most about `most` characters of it: the last."""
    texts = (text_of(message.content).strip() for message in thread[start:] if isinstance(message, AIMessage))
    return ending("\n\n".join(filter(None, texts)), most)


def done(thread: Sequence[BaseMessage]) -> Iterator[Done]:
    """The calls that have a result, the newest first."""
    results: dict[str, ToolMessage] = {}
    for message in reversed(thread):
        if isinstance(message, ToolMessage):
            results.setdefault(message.tool_call_id, message)
        elif isinstance(message, AIMessage):
            for call in reversed(message.tool_calls):
                if (result := results.pop(call["id"] or "", None)) is not None:
                    yield Done(call, result)


def last_failure(thread: Sequence[BaseMessage], tool: str, tools: Mapping[str, FileTool]) -> Done | None:
    """The last call of a tool, if it failed."""
    last = next((each for each in done(thread) if each.call["name"] == tool), None)
    return last if last is not None and last.failed(tools) else None


def last_steps(thread: Sequence[BaseMessage], tools: Mapping[str, FileTool], most: int, *, reads: bool) -> list[Done]:
    """The last edits and the last other calls, in order.

    Args:
        thread: The history.
        tools: What the arguments of its file tools mean.
        most: So many edits at most, and so many other calls.
        reads: Reads of files are among the other calls.
    """
    edits: list[tuple[int, Done]] = []
    others: list[tuple[int, Done]] = []
    for place, each in enumerate(done(thread)):
        meant = each.meant(tools)
        is_read = meant is not None and meant.kind == "read"
        if is_read and not reads:
            continue
        kept = others if meant is None or is_read else edits
        if len(kept) < most:
            kept.append((place, each))
        if len(edits) == len(others) == most:
            break
    return [each for _, each in sorted(edits + others, key=lambda item: -item[0])]


def region(thread: Sequence[BaseMessage], call: PlannedCall, tools: Mapping[str, FileTool]) -> str | None:
    """The text of the file in whose neighbourhood the call will be: where the last edit of it failed, or else where it was last changed."""
    if call.file is None:
        return None
    tool = tools.get(call.tool)
    names = {call.file.name, tool.names(call.arguments) if tool is not None else None}
    for each in done(thread):
        meant = each.meant(tools)
        if meant is None or meant.kind != "edit" or meant.names(each.call["args"]) not in names:
            continue
        made = replacements(meant, each.call["args"]) or ()
        old = each.failed(tools)
        text = next((text for one in made if (text := one.old if old else one.new).strip()), None)
        if text is not None:
            return text
    return None


def planned_file(tool: FileTool | None, arguments: Mapping[str, Any]) -> str | None:
    """The file that the arguments of a call name, as far as they are known."""
    meant = None if tool is None else tool.called(arguments) if tool.command in (None, *arguments) else tool
    return None if meant is None else meant.names(arguments)
