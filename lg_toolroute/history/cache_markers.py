"""Where the breakpoints of Claude's prompt cache stand in a request: behind what the next request will hold too, never behind what is not stored.

A breakpoint behind our instruction is written in every request and read in none, because the next one holds another message in that place. So an
application's own marker moves up to the last stored message; and where an application has none, markers are set behind the tools, the system
prompt, the last stored message, and the last stored message of the model's previous request, which may lie farther back than the 20 places in
which the API looks for an entry.

Source: Anthropic, "Prompt caching" (at most four breakpoints; automatic caching marks the last block; what cannot be marked) and "Programmatic tool
calling" (blocks of a call that code execution made take no marker).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

UNSTORED: Final = "toolroute-unstored"
"""How the ids of messages begin that belong to one request and are never stored."""

MOST_MARKERS: Final = 4
EPHEMERAL: Final[Mapping[str, str]] = {"type": "ephemeral"}
_KEY: Final = "cache_control"
_UNMARKABLE: Final = frozenset({"thinking", "redacted_thinking", "reasoning"})

Sent = tuple[list[BaseMessage], dict[str, Any]]
"""The messages and the keyword arguments of one call of a client."""


def is_stored(message: BaseMessage) -> bool:
    """Whether a message of a request stands in the thread, or will."""
    return not (message.id or "").startswith(UNSTORED)


@dataclass(frozen=True, slots=True)
class CacheMarkers:
    """How the markers of one request are placed.

    Attributes:
        sets: Set markers where the application has set none.
        since: How many human and tool messages were stored since the model was last asked for the same; `None` if it never was.
    """

    sets: bool
    since: int | None = None

    def place(self, model: Any, messages: list[BaseMessage], settings: dict[str, Any]) -> Sent:
        """What the client is sent, with its markers in place. Nothing that is given is changed.

        Args:
            model: A `ChatAnthropic`.
            messages: The messages, the system prompt in front.
            settings: Keyword arguments of the call: bound tools, `cache_control`.
        """
        fields = getattr(model, "model_kwargs", None) or {}
        control = settings[_KEY] if _KEY in settings else fields.get(_KEY)
        end = len(messages)
        while end and not is_stored(messages[end - 1]):
            end -= 1
        behind = next((found for message in messages[end:] if (found := _marker_in(message.content)) is not None), None)
        if end < len(messages) and (control or behind):
            unmarked = [*messages[:end], *(_without_marker(message) for message in messages[end:])]
            if _KEY in settings or _KEY in fields:
                settings = {**settings, _KEY: None}  # the client leaves out what is `None`
            return self._marked(unmarked, end, control or behind, _count(unmarked, settings)), settings
        if not self.sets or control or _count(messages, settings):
            return messages, settings
        tools = _marked_tools(settings.get("tools"))
        if tools is not settings.get("tools"):
            settings = {**settings, "tools": tools}
        if messages and isinstance(messages[0], SystemMessage) and (first := _marked(messages[0], EPHEMERAL)) is not None:
            messages = [first, *messages[1:]]
        return self._marked(messages, end, EPHEMERAL, _count(messages, settings)), settings

    def _marked(self, messages: list[BaseMessage], end: int, control: Any, used: int) -> list[BaseMessage]:
        """The messages, with the last stored one marked, and the last one of the model's previous request."""
        barred = _called_by_code(messages)
        places = [place for place in range(end - 1, -1, -1) if isinstance(messages[place], (HumanMessage, ToolMessage))]
        marked = list(messages)
        for newest in (0, self.since) if self.since else (0,):
            # `places[since]` ended the model's previous request. A result that takes no marker leaves it to the one before it.
            place = next((each for each in places[newest:] if getattr(messages[each], "tool_call_id", None) not in barred), None)
            if place is None:
                continue
            message = _marked(marked[place], control) if used < MOST_MARKERS and _marker_in(marked[place].content) is None else None
            if message is not None:
                marked[place], used = message, used + 1
        return marked


def since_last(messages: Sequence[BaseMessage], spec: str, *, writes: bool) -> int | None:
    """How many human and tool messages were stored since a model last answered; `None` if it never did.

    Args:
        messages: The history, as it is stored.
        spec: The model.
        writes: It was asked for a call; otherwise it was asked to reason.
    """
    count = 0
    for message in reversed(messages):
        if isinstance(message, (HumanMessage, ToolMessage)):
            count += 1
        elif isinstance(message, AIMessage) and isinstance(record := message.response_metadata.get("toolroute"), dict):
            reasoner, calls = record.get("reasoner"), record.get("calls")
            wrote = isinstance(calls, dict) and spec != reasoner and spec in calls.values()
            if wrote if writes else reasoner == spec:
                return count
    return None


def _marked(message: BaseMessage, control: Any) -> BaseMessage | None:
    """The message with a marker on its last block that can have one; `None` if none can. What is sent is otherwise the same."""
    content = message.content
    if isinstance(message, ToolMessage) and not _is_result(content):
        # The client would put a text into a block to mark it, and cannot mark an empty one; so the whole result is given as the block it becomes.
        result = {"type": "tool_result", "content": content, "tool_use_id": message.tool_call_id, "is_error": message.status == "error"}
        return message.model_copy(update={"content": [{**result, _KEY: control}]})
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    for place in range(len(blocks) - 1, -1, -1):
        block = blocks[place]
        block = {"type": "text", "text": block} if isinstance(block, str) else block
        if block.get("type") in _UNMARKABLE or (block.get("type") == "text" and not str(block.get("text") or "").strip()):
            continue
        blocks[place] = {**block, _KEY: control}
        return message.model_copy(update={"content": blocks})
    return None


def _is_result(content: Any) -> bool:
    return isinstance(content, list) and bool(content) and all(isinstance(block, dict) and block.get("type") == "tool_result" for block in content)


def _marked_tools(tools: Any) -> Any:
    """The tools with a marker behind the last one that can have it: one that is found by searching cannot."""
    if not isinstance(tools, list):
        return tools
    for place in range(len(tools) - 1, -1, -1):
        if isinstance(tools[place], dict) and not tools[place].get("defer_loading"):
            return [*tools[:place], {**tools[place], _KEY: EPHEMERAL}, *tools[place + 1 :]]
    return tools


def _marker_in(content: Any) -> Any:
    blocks = content if isinstance(content, list) else ()
    return next((block[_KEY] for block in blocks if isinstance(block, dict) and block.get(_KEY)), None)


def _without_marker(message: BaseMessage) -> BaseMessage:
    if _marker_in(message.content) is None:
        return message
    blocks = [{key: value for key, value in block.items() if key != _KEY} if isinstance(block, dict) else block for block in message.content]
    return message.model_copy(update={"content": blocks})


def _count(messages: Sequence[BaseMessage], settings: Mapping[str, Any]) -> int:
    """How many markers stand on blocks."""
    blocks = [block for message in messages if isinstance(message.content, list) for block in message.content]
    return sum(isinstance(block, dict) and bool(block.get(_KEY)) for block in (*blocks, *(settings.get("tools") or ())))


def _called_by_code(messages: Sequence[BaseMessage]) -> frozenset[str]:
    """The ids of the calls that code execution made."""
    calls = (block for message in messages if isinstance(message, AIMessage) and isinstance(message.content, list) for block in message.content)
    return frozenset(
        str(block.get("id"))
        for block in calls
        if isinstance(block, dict) and isinstance(caller := block.get("caller"), dict) and str(caller.get("type", "")).startswith("code_execution")
    )
