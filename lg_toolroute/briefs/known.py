"""What a thread tells of its files: from messages to `KnownFiles`, turn by turn."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolCall, ToolMessage

from lg_toolroute.files.known import KnownFiles, Step
from lg_toolroute.files.tools import FileTool

MOST_THREADS = 64
MOST_MESSAGES = 16_384
"""So many messages are remembered, in all threads together; the thread that has waited longest is forgotten first."""


def known_files(messages: Sequence[BaseMessage], tools: Mapping[str, FileTool]) -> KnownFiles:
    """What a thread tells of its files, as far as its messages still stand there.

    Args:
        messages: The thread. A result whose call is not among them, and a call that has no result, tell nothing.
        tools: What the arguments of its file tools mean, by the tools' names: from `file_tool`.
    """
    return _folded(KnownFiles(), messages, tools)


@dataclass(frozen=True, slots=True)
class _Told:
    """The beginning of a thread, and what it tells.

    Attributes:
        messages: They are kept alive, so that no other message gets their identity.
        contents: What each of them held, in containers of our own: a message may be edited in place.
        calls: The calls of those that have some, likewise.
        tools: The file tools with which they were read.
        known: What they tell.
    """

    messages: Sequence[BaseMessage]
    contents: Sequence[Any]
    calls: Sequence[Any]
    tools: Mapping[str, FileTool]
    known: KnownFiles

    def leads(self, thread: Sequence[BaseMessage], tools: Mapping[str, FileTool]) -> bool:
        """Whether a thread begins with these very messages."""
        if len(thread) < len(self.messages) or not all(map(operator.is_, self.messages, thread)) or tools != self.tools:
            return False
        return _contents(self.messages) == self.contents and _calls(self.messages) == self.calls


class KnownThreads:
    """What the threads of a process tell of their files. A thread that has grown is read from where it ended before."""

    def __init__(self) -> None:
        self._told: dict[int, _Told] = {}
        self._lock = threading.Lock()

    def of(self, messages: Sequence[BaseMessage], tools: Mapping[str, FileTool]) -> KnownFiles:
        """What a thread tells of its files; the same as `known_files`, without reading again what was read before."""
        first = next((each for each in messages if not isinstance(each, SystemMessage)), None)
        if first is None:
            return KnownFiles()
        told = self._told.get(id(first))
        begun = told if told is not None and told.leads(messages, tools) else _Told([], [], [], tools, KnownFiles())
        end = _settled(messages)
        if end > len(begun.messages):
            new = messages[len(begun.messages) : end]
            contents, calls = [*begun.contents, *_copied(_contents(new))], [*begun.calls, *_copied(_calls(new))]
            begun = _Told([*begun.messages, *new], contents, calls, dict(tools), _folded(begun.known, new, tools))
            self._keep(id(first), begun)
        return _folded(begun.known, messages[len(begun.messages) :], tools)

    def _keep(self, key: int, told: _Told) -> None:
        with self._lock:
            self._told.pop(key, None)
            self._told[key] = told
            size = sum(len(each.messages) for each in self._told.values())
            while len(self._told) > 1 and (len(self._told) > MOST_THREADS or size > MOST_MESSAGES):
                size -= len(self._told.pop(next(iter(self._told))).messages)


def _contents(messages: Sequence[BaseMessage]) -> list[Any]:
    """What the messages hold. It is read past pydantic: each message of a thread is asked in every turn."""
    return [message.__dict__["content"] for message in messages]


def _calls(messages: Sequence[BaseMessage]) -> list[Any]:
    return [calls for message in messages if (calls := message.__dict__.get("tool_calls"))]


def _copied(value: Any) -> Any:
    """A list or dict, with lists and dicts of its own at every depth."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _settled(messages: Sequence[BaseMessage]) -> int:
    """How many messages are settled: calls at the end that have no result yet may still get one, and are told in their order."""
    answered: set[str | None] = set()
    for at in range(len(messages) - 1, -1, -1):
        message = messages[at]
        if isinstance(message, AIMessage):
            return len(messages) if answered.issuperset(call["id"] for call in message.tool_calls) else at
        if isinstance(message, ToolMessage):
            answered.add(message.tool_call_id)
    return 0


def _folded(known: KnownFiles, messages: Sequence[BaseMessage], tools: Mapping[str, FileTool]) -> KnownFiles:
    for step in _steps(messages, tools):
        known = known.after(step)
    return known


def _steps(messages: Sequence[BaseMessage], tools: Mapping[str, FileTool]) -> Iterator[Step]:
    """The calls that have a result behind them, before the model spoke again; those of one message in their order."""
    calls: Sequence[ToolCall] = ()
    results: dict[str, ToolMessage] = {}
    for message in (*messages, None):
        if isinstance(message, ToolMessage):
            results.setdefault(message.tool_call_id, message)
        elif message is None or isinstance(message, AIMessage):
            for call in calls:
                result = results.get(call["id"] or "")
                if result is not None:
                    yield Step(call["name"], call["args"], _text(result), result.status == "error", tools.get(call["name"]))
            calls, results = (message.tool_calls if isinstance(message, AIMessage) else ()), {}


def _text(message: ToolMessage) -> str:
    """The text of a result; an image in it leaves nothing that could be taken for a file."""
    content = message.content
    if isinstance(content, str):
        return content
    texts = [each if isinstance(each, str) else str(each["text"]) for each in content if isinstance(each, str) or each.get("type") == "text"]
    return "".join(texts) if len(texts) == len(content) else ""
