"""Messages as a provider might send them: several calls in any order of chunks, broken or missing arguments, an end that comes early or late."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call_chunk

from lg_toolroute.core.failures.spellings import words
from lg_toolroute.testing import Call, Chunks, Say

ANTHROPIC = {"model_provider": "anthropic"}
PROPER = {"finish_reason": "tool_calls", "model_name": "a"}
INTERRUPTIONS = sorted(
    words("""length content_filter insufficient_system_resource abort cancelled OTHER ERROR_LIMIT error USER_CANCEL network_error time_limit
    malformed_tool_use TOO_MANY_TOOL_CALLS""")
)
DIALECTS = ("one by one", "names first", "in turn", "blocks", "no index")


@dataclass(frozen=True)
class Sent:
    """A call as a model writes it, under a name that plainly means `name`."""

    name: str
    written: str
    args: str
    id: str | None

    @property
    def parsed(self) -> dict[str, Any] | None:
        """The arguments; `None` if they are broken."""
        try:
            return json.loads(self.args) if self.args else {}
        except ValueError:
            return None


@dataclass(frozen=True)
class Message:
    """A model's message, in the order of its chunks.

    Attributes:
        calls: What it was going to write.
        sent: The arguments of each call as far as they were sent; `None` for a call that had not begun.
        proper: It ended with a finish reason that says it is complete.
    """

    text: str
    calls: tuple[Sent, ...]
    chunks: tuple[AIMessageChunk, ...] = field(repr=False)
    sent: tuple[str | None, ...]
    proper: bool
    finish: str
    dialect: str

    def step(self, *, whole: bool) -> Any:
        """What a scripted model plays; `whole`, as clients read an answer that is not streamed: an empty string is `{}` to them."""
        if not whole:
            return Chunks(list(self.chunks))
        calls = [Call(call.written, sent or {}, call.id) for call, sent in zip(self.calls, self.sent, strict=True) if sent is not None]
        return Say(self.text, calls, finish_reason="tool_calls" if self.proper else self.finish)

    def is_sent(self, place: int, args: Any) -> bool:
        """Whether a call was sent to its end, with these arguments: of two that are alike, one may have broken off."""
        return self.calls[place].parsed == args and self.sent[place] == self.calls[place].args

    def moved_on(self, place: int) -> bool:
        """Whether the stream says that a call without arguments is finished: a later block has begun, or arguments of a later call have come."""
        later = self.sent[place + 1 :]
        return any(later) or (self.dialect in {"blocks", "no index"} and any(sent is not None for sent in later))


def spelled(dice: random.Random, name: str) -> str:
    """A name as models write it: mostly as it is."""
    return dice.choice([name] * 4 + [name.title(), f"functions.{name}", f"functions.{name}:0", f"default_api.{name}"])


def message_of(dice: random.Random, text: str, calls: Sequence[Sent], *, finish: str, sizes: Sequence[int] = range(1, 10)) -> Message:
    """A message in a random dialect, cut into random chunks.

    Args:
        dice: The dice.
        text: Its words.
        calls: Its calls.
        finish: Its finish reason, `proper` for one that says it is complete, empty for none. Without a proper one it ends at a random chunk.
        sizes: How many characters of arguments a chunk may have.
    """
    dialect = dice.choice(DIALECTS)
    columns = [_column(dice, place, call, dialect, dice.choice(sizes)) for place, call in enumerate(calls)]
    order = [chunk for column in columns for chunk in column]
    if dialect == "names first":
        order = [column[0] for column in columns] + [chunk for column in columns for chunk in column[1:]]
    elif dialect == "in turn":
        order = [column[step] for step in range(max(map(len, columns), default=0)) for column in columns if step < len(column)]
    if finish != "proper":
        order = order[: dice.randint(0, len(order))]
    sent: list[str | None] = [None] * len(calls)
    for place, chunk in order:
        sent[place] = (sent[place] or "") + (chunk.tool_call_chunks[0]["args"] or "")
    words: Any = [{"type": "text", "text": text, "index": 0}] if dialect == "blocks" and text else text
    first = AIMessageChunk(content=words, response_metadata=ANTHROPIC if dialect == "blocks" else {})
    ends = {"model_name": "a"} if finish == "" else {**PROPER, **({} if finish == "proper" else {"finish_reason": finish})}
    chunks = (first, *(chunk for _, chunk in order), AIMessageChunk(content="", response_metadata=ends))
    return Message(text, tuple(calls), chunks, tuple(sent), finish == "proper", finish, dialect)


def part(place: int | None, **piece: Any) -> AIMessageChunk:
    """A chunk with a piece of a call."""
    return AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(**{"name": None, "args": None, "id": None, "index": place, **piece})])


_EMPTY = AIMessageChunk(content="")


def _later_part(place: int, args: str, content: str | list[Any] = "", metadata: Mapping[str, Any] = MappingProxyType({})) -> AIMessageChunk:
    """A chunk with a piece of arguments, without what LangChain reads in such a piece, which takes it longer than all else."""
    piece = tool_call_chunk(name=None, args=args, id=None, index=place)
    unread = [invalid_tool_call(name=None, args=args, id=None, error=None)]
    fields = {"content": content, "additional_kwargs": {}, "response_metadata": dict(metadata), "tool_calls": [], "invalid_tool_calls": unread}
    return _EMPTY.model_copy(update={**fields, "tool_call_chunks": [piece]})


def _column(dice: random.Random, place: int, call: Sent, dialect: str, size: int) -> list[tuple[int, AIMessageChunk]]:
    """The chunks of one call, each with its place."""
    pieces = [call.args[at : at + size] for at in range(0, len(call.args), size)]
    if dialect == "no index":
        return [(place, part(None, name=call.written, id=call.id, args=call.args))]
    if dialect == "blocks":
        return [(place, _block(place, call)), *((place, _later_block(place, piece)) for piece in pieces)]
    opening = part(place, name=call.written, id=call.id, args=dice.choice(["", None]))
    return [(place, opening), *((place, _later_part(place, piece)) for piece in pieces)]


def _block(place: int, call: Sent) -> AIMessageChunk:
    """The beginning of a call in Anthropic's form."""
    block: Any = {"type": "tool_use", "id": call.id, "name": call.written, "input": {}, "index": place + 1}
    piece = tool_call_chunk(name=call.written, args="", id=call.id, index=place + 1)
    return AIMessageChunk(content=[block], tool_call_chunks=[piece], response_metadata=ANTHROPIC)


def _later_block(place: int, args: str) -> AIMessageChunk:
    """A piece of its arguments."""
    return _later_part(place + 1, args, [{"type": "input_json_delta", "partial_json": args, "index": place + 1}], ANTHROPIC)
