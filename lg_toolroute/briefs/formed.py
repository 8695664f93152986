"""`FormedThreads`: earlier calls of a thread as the reader of a request would have written them, in the forms in which it is shown the tools."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage

from lg_toolroute.files.known import KnownFiles, Step
from lg_toolroute.files.tools import FileTool
from lg_toolroute.forms.form import FormTool, ToolForm
from lg_toolroute.forms.refused import FormRefused

_MOST_THREADS = 16
_ARGUMENTS = {"tool_use": "input", "tool_call": "args"}
"""Where the arguments stand in content blocks that hold them as an object."""


class Formed(Protocol):
    """A tool in a form."""

    @property
    def tool(self) -> FormTool: ...
    @property
    def form(self) -> ToolForm: ...


@dataclass(slots=True)
class _Thread:
    """A thread as far as it was read.

    Attributes:
        messages: As they are stored. They are kept alive, so that no other message gets their identity.
        sent: As they are shown.
        held: What the changed ones held.
        files: What is known of the files behind them.
        calls: The calls without a result.
    """

    messages: list[BaseMessage] = field(default_factory=list)
    sent: list[BaseMessage] = field(default_factory=list)
    held: list[tuple[int, Any]] = field(default_factory=list)
    files: KnownFiles = field(default_factory=KnownFiles)
    calls: dict[str | None, ToolCall] = field(default_factory=dict)

    def leads(self, thread: Sequence[BaseMessage]) -> bool:
        """Whether a thread begins with these very messages, and the changed ones hold what they held."""
        if len(self.messages) > len(thread) or any(ours is not theirs for ours, theirs in zip(self.messages, thread, strict=False)):
            return False
        return all(_holds(self.messages[place]) == held for place, held in self.held)


class FormedThreads:
    """Threads in the forms of their readers. A thread that has grown is read from where it ended before, and what was shown once stays the same."""

    def __init__(self) -> None:
        self._threads: OrderedDict[tuple[Any, ...], _Thread] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, messages: Sequence[BaseMessage], formed: Mapping[str, Formed], tools: Mapping[str, FileTool]) -> list[BaseMessage]:
        """A thread, its calls of formed tools in their forms; those that a form cannot express as they are. Other messages are the same objects.

        Args:
            messages: The thread, as it is stored.
            formed: The tools that have a form, by name.
            tools: What the arguments of its file tools mean, by the tools' names.
        """
        if not messages:
            return []
        key = (id(messages[0]), *((name, id(each.form)) for name, each in sorted(formed.items())))
        with self._lock:
            known = self._threads.get(key)
            if known is None or not known.leads(messages):
                known = self._threads[key] = _Thread()
            for message in messages[len(known.messages) :]:
                _read(known, message, formed, tools)
            self._threads.move_to_end(key)
            while len(self._threads) > _MOST_THREADS:
                self._threads.popitem(last=False)
            return list(known.sent)


def _read(known: _Thread, message: BaseMessage, formed: Mapping[str, Formed], tools: Mapping[str, FileTool]) -> None:
    shown = message
    if isinstance(message, AIMessage):
        shown = _in_forms(message, formed, known.files)
        known.calls.update((call["id"], call) for call in message.tool_calls)
    elif isinstance(message, ToolMessage) and (call := known.calls.pop(message.tool_call_id, None)) is not None:
        step = Step(call["name"], call["args"], message.text, message.status == "error", tools.get(call["name"]))
        known.files = known.files.after(step)
    if shown is not message:
        known.held.append((len(known.messages), _holds(message)))
    known.messages.append(message)
    known.sent.append(shown)


def _in_forms(message: AIMessage, formed: Mapping[str, Formed], files: KnownFiles) -> AIMessage:
    """A message with its calls in their forms; the message itself where there is none to change."""
    changed: dict[str | None, dict[str, Any]] = {}
    for call in message.tool_calls:
        if (found := formed.get(call["name"])) is not None:
            try:
                changed[call["id"]] = dict(found.form.arguments(tool=found.tool, arguments=call["args"], known=files.of))
            except FormRefused:  # it is shown as it is, as the protocol says
                continue
    if not changed:
        return message
    content = message.content if isinstance(message.content, str) else [_block(block, changed) for block in message.content]
    calls = [{**call, "args": changed.get(call["id"], call["args"])} for call in message.tool_calls]
    return message.model_copy(update={"content": content, "tool_calls": calls})


def _block(block: Any, changed: Mapping[str | None, dict[str, Any]]) -> Any:
    """A content block, with the arguments of the call that it is about."""
    kind = block.get("type") if isinstance(block, dict) else None
    arguments = changed.get(block.get("call_id") if kind == "function_call" else block.get("id")) if kind is not None else None
    if arguments is None:
        return block
    if kind == "function_call":
        return {**block, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {**block, _ARGUMENTS[kind]: arguments} if kind in _ARGUMENTS else block


def _holds(message: BaseMessage) -> Any:
    """What a message says, in containers of our own: it may be edited in place."""
    calls = [{**call, "args": dict(call["args"])} for call in message.tool_calls] if isinstance(message, AIMessage) else []
    return message.content if isinstance(message.content, str) else list(message.content), calls
