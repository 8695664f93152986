"""An answer as LangChain chunks or as one message, in the shape that a provider's client would give it.

Two dialects: `openai` has text as a string and calls in `tool_call_chunks` only; `anthropic` has a list of indexed blocks and the calls
both as blocks and in `tool_call_chunks`. What is claimed here of the real clients is pinned by tests that run them side by side.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk

from lg_toolroute.testing.layout import Piece, events_of
from lg_toolroute.testing.steps import Place, Say

Dialect = Literal["openai", "anthropic"]
CHARACTERS_PER_TOKEN = 4
"""The rule of thumb that counts tokens where a script does not say."""

SIGNATURE = "c2NyaXB0ZWQ="
"""The signature of every thinking block."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How a scripted model speaks.

    Attributes:
        model_name: What it calls itself in its answers.
        dialect: The shape of its content.
        usage_at: Whether input tokens are reported at the beginning of a stream, or all at its end.
        lists: Whether its content is a list of blocks; only the Anthropic dialect has them.
    """

    model_name: str
    dialect: Dialect = "openai"
    usage_at: Literal["first", "last"] = "last"
    lists: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        return {"model_provider": self.dialect}


def used_tokens(say: Say, prompt_characters: int) -> tuple[int, int] | None:
    """Input and output tokens that an answer reports; `None` if it reports none.

    Args:
        say: The answer.
        prompt_characters: The length of all texts it answers.
    """
    if say.usage is False:
        return None
    if isinstance(say.usage, Mapping):
        return int(say.usage.get("input_tokens", 0)), int(say.usage.get("output_tokens", 0))
    if say.usage is not None:
        return say.usage
    written = len(say.thinking) + len(say.text) + sum(len(call.name) + len(call.json) for call in say.calls)
    return tokens(prompt_characters), tokens(written)


def usage_of(say: Say, messages: Sequence[BaseMessage]) -> UsageMetadata | None:
    """The same as LangChain has it, with whatever else a usage mapping holds."""
    used = used_tokens(say, sum(len(str(message.text)) for message in messages))
    if used is None:
        return None
    more = say.usage if isinstance(say.usage, Mapping) else {}
    return cast("UsageMetadata", {"total_tokens": sum(used), **more, "input_tokens": used[0], "output_tokens": used[1]})


def tokens(characters: int) -> int:
    """Tokens for so many characters, rounded up."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def finish_reason(say: Say, dialect: Dialect) -> str:
    """Why the answer ends; empty if it does not say."""
    if say.finish_reason is not None:
        return say.finish_reason
    if dialect == "anthropic":
        return "tool_use" if say.calls else "end_turn"
    return "tool_calls" if say.calls else "stop"


def chunks(
    say: Say, ids: Sequence[str], voice: Voice, messages: Sequence[BaseMessage], *, place: Place | None = None
) -> tuple[list[AIMessageChunk], int]:
    """The chunks of an answer, and how many of them come before a place in it.

    Args:
        say: The answer.
        ids: The ids of its calls.
        voice: Whose answer it is.
        messages: What it answers, for counting.
        place: The place; `None` is the end.
    """
    usage = usage_of(say, messages)
    blocks = _Blocks(say, ids, voice)

    def write(pieces: Sequence[Piece]) -> Iterator[AIMessageChunk]:
        # Anthropic sends one block at a time, never the end of one and the beginning of the next together.
        for group in [[piece] for piece in pieces] if voice.lists else [pieces]:
            yield blocks.chunk(group)

    return events_of(say, place, _opening(say, voice, usage), write, lambda: _closing(say, voice, usage))


def _opening(say: Say, voice: Voice, usage: UsageMetadata | None) -> Iterator[AIMessageChunk]:
    if voice.usage_at == "first" and usage is not None:
        first = UsageMetadata(input_tokens=usage["input_tokens"], output_tokens=0, total_tokens=usage["input_tokens"])
        yield AIMessageChunk(content=[] if voice.lists else "", usage_metadata=first, response_metadata=voice.metadata)


def _closing(say: Say, voice: Voice, usage: UsageMetadata | None) -> Iterator[AIMessageChunk]:
    reason = finish_reason(say, voice.dialect)
    if not reason:
        return  # the stream just stops
    if usage is not None and voice.usage_at == "first":
        rest = {key: value for key, value in usage.items() if key != "input_token_details"}
        usage = cast("UsageMetadata", {**rest, "input_tokens": 0, "total_tokens": usage["output_tokens"]})
    yield AIMessageChunk(
        content=[] if voice.lists else "",
        usage_metadata=usage,
        response_metadata=_final_metadata(say, voice, reason),
        chunk_position="last",
    )


def _final_metadata(say: Say, voice: Voice, reason: str) -> dict[str, Any]:
    key = "stop_reason" if voice.dialect == "anthropic" else "finish_reason"
    why = {key: reason} if reason else {}
    return {**why, "model_name": voice.model_name, **voice.metadata, **say.response_metadata}


class _Blocks:
    """Turns pieces into chunks; knows the index of every content block."""

    def __init__(self, say: Say, ids: Sequence[str], voice: Voice) -> None:
        self.say, self.ids, self.voice = say, ids, voice
        self._text_block = 1 if say.thinking else 0
        self._first_call = self._text_block + (1 if say.text else 0)
        self._thought = 0

    def chunk(self, pieces: Sequence[Piece]) -> AIMessageChunk:
        calls: list[Any] = []
        content: list[str | dict[str, Any]] = []
        text, thinking = "", ""
        for piece in pieces:
            if piece.kind == "text":
                text += piece.text
                content.append({"type": "text", "text": piece.text, "index": self._text_block})
            elif piece.kind == "thinking":
                thinking += piece.text
                content.append(self._thinking(piece.text))
            else:
                self._call_piece(piece, calls, content)
        return AIMessageChunk(
            content=content if self.voice.lists else text,
            additional_kwargs={"reasoning_content": thinking} if thinking and not self.voice.lists else {},
            tool_call_chunks=calls,
            response_metadata=self.voice.metadata,
        )

    def _thinking(self, text: str) -> dict[str, Any]:
        self._thought += len(text)
        signed = {"signature": SIGNATURE} if self._thought == len(self.say.thinking) else {}
        return {"type": "thinking", "thinking": text, **signed, "index": 0}

    def _call_piece(self, piece: Piece, calls: list[Any], content: list[str | dict[str, Any]]) -> None:
        index = self._first_call + piece.call if self.voice.lists else piece.call
        name = piece.text if piece.kind == "name" else None
        args = piece.text if piece.kind == "args" else None
        mark = self.ids[piece.call] if piece.opens else None
        if calls and calls[-1]["index"] == index:
            last = calls[-1]
            for key, value in (("name", name), ("args", args)):
                if value is not None:
                    last[key] = (last[key] or "") + value
        else:
            # Clients open a call with empty arguments, and send none of its name later on.
            calls.append(tool_call_chunk(name=name, args=args if args is not None or not piece.opens else "", id=mark, index=index))
        if piece.kind == "args":
            content.append({"type": "input_json_delta", "partial_json": piece.text, "index": index})
        elif piece.opens:
            content.append({"type": "tool_use", "id": mark or "", "name": name or "", "input": {}, "index": index})
        else:
            content.append({"type": "tool_use", "name": name or "", "index": index})


def whole(say: Say, ids: Sequence[str], voice: Voice, messages: Sequence[BaseMessage]) -> AIMessage:
    """An answer as one message, as a client gives it when it does not stream: broken JSON is an invalid tool call."""
    valid, invalid = [], []
    blocks: list[str | dict[str, Any]] = []
    if say.thinking:
        blocks.append({"type": "thinking", "thinking": say.thinking, "signature": SIGNATURE})
    if say.text:
        blocks.append({"type": "text", "text": say.text})
    for call, mark in zip(say.calls, ids, strict=True):
        arguments = _object(call.json)
        blocks.append({"type": "tool_use", "id": mark, "name": call.name, "input": call.json if arguments is None else arguments})
        if arguments is None:
            invalid.append(invalid_tool_call(name=call.name, args=call.json, id=mark, error=f"Function {call.name} arguments are not a JSON object"))
        else:
            valid.append(tool_call(name=call.name, args=arguments, id=mark))
    plain = not voice.lists or (len(blocks) == 1 and not say.calls and not say.thinking)
    return AIMessage(
        content=say.text if plain else blocks,
        additional_kwargs={"reasoning_content": say.thinking} if say.thinking and not voice.lists else {},
        tool_calls=valid,
        invalid_tool_calls=invalid,
        usage_metadata=usage_of(say, messages),
        response_metadata=_final_metadata(say, voice, finish_reason(say, voice.dialect)),
    )


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
