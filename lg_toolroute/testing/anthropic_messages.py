"""An answer in the words of Anthropic's Messages API.

A tool's name is never split there: a place inside it is the beginning of the call's block. Source: Anthropic's API reference, "Messages" and
"Streaming messages".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from lg_toolroute.testing.completions import default_answer, sse
from lg_toolroute.testing.layout import Piece, events_of
from lg_toolroute.testing.render import SIGNATURE, finish_reason, used_tokens
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Place, Say
from lg_toolroute.testing.voice import Voice

__all__ = ["default_answer", "done", "events", "stream_type", "unreadable", "whole"]

stream_type = "text/event-stream; charset=utf-8"
"""The content type of a stream."""


def whole(say: Say, ids: Sequence[str], request: ServerRequest) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    content: list[dict[str, Any]] = []
    if say.thinking:
        content.append(_thinking(say.thinking, request.voice))
    if say.text:
        content.append({"type": "text", "text": say.text})
    for place, (call, mark) in enumerate(zip(say.calls, ids, strict=True)):
        if place and request.voice is not None and request.voice.thinks_between_calls:
            content.append(_thinking("", request.voice, calls=place))
        content.append({"type": "tool_use", "id": mark, "name": call.name, "input": parsed(call.json)})
    return {**_message(request), "content": content, "stop_reason": _reason(say), "usage": _usage(say, request)}


def parsed(text: str) -> Any:
    """Arguments as an object, or as the text that they are if they are not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def events(say: Say, ids: Sequence[str], request: ServerRequest, *, place: Place | None = None) -> tuple[list[bytes], int]:
    """The events of a stream, and how many of them come before a place in it."""
    usage = _usage(say, request)
    start = {**_message(request), "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    writer = _Writer(ids, say.thinking, request.voice)

    def closing() -> Iterator[bytes]:
        yield from writer.close()
        if reason := _reason(say):
            yield _event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)
            yield _event("message_stop")

    return events_of(say, place, [_event("message_start", message=start)], writer.write, closing)


def done(say: Say) -> bytes:
    """What follows the last event: nothing."""
    return b""


def unreadable(body: Any) -> bytes:
    """Something else in the place of an event; bytes are sent as they are behind `data:`."""
    return b"event: content_block_delta\ndata: " + body + b"\n\n" if isinstance(body, bytes) else sse({"type": "error", **body}, "error")


class _Writer:
    """Opens and closes content blocks as the pieces come."""

    def __init__(self, ids: Sequence[str], thinking: str, voice: Voice | None) -> None:
        self.ids = ids
        self.voice = voice
        self.thought = _thinking(thinking, voice)
        self.block = -1
        self.open: tuple[str, int] | None = None

    def write(self, pieces: Sequence[Piece]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self._write(piece)

    def _write(self, piece: Piece) -> Iterator[bytes]:
        kind = piece.kind if piece.call < 0 else "tool_use"
        if self.open != (kind, piece.call):
            yield from self.close()
            if piece.call > 0 and self.voice is not None and self.voice.thinks_between_calls:
                yield from self._think_between(piece.call)
            self.open = (kind, piece.call)
            self.block += 1
            yield _event("content_block_start", index=self.block, content_block=self._block(piece))
        if piece.kind == "text":
            yield self._delta({"type": "text_delta", "text": piece.text})
        elif piece.kind == "thinking" and self.thought["thinking"]:
            yield self._delta({"type": "thinking_delta", "thinking": piece.text})
        elif piece.kind == "args":
            yield self._delta({"type": "input_json_delta", "partial_json": piece.text})

    def _think_between(self, calls: int) -> Iterator[bytes]:
        self.block += 1
        self.thought = _thinking("", self.voice, calls=calls)
        yield _event("content_block_start", index=self.block, content_block={"type": "thinking", "thinking": "", "signature": ""})
        self.open = ("thinking", -1)
        yield from self.close()

    def _block(self, piece: Piece) -> dict[str, Any]:
        if piece.kind == "text":
            return {"type": "text", "text": ""}
        if piece.kind == "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        return {"type": "tool_use", "id": self.ids[piece.call], "name": piece.whole, "input": {}}

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", index=self.block, delta=delta)

    def close(self) -> Iterator[bytes]:
        if self.open is None:
            return
        if self.open[0] == "thinking":
            yield self._delta({"type": "signature_delta", "signature": self.thought["signature"]})
        self.open = None
        yield _event("content_block_stop", index=self.block)


def _thinking(text: str, voice: Voice | None, *, calls: int = 0) -> dict[str, Any]:
    """A thinking block; its text is empty where the provider does not show it."""
    if voice is None:
        return {"type": "thinking", "thinking": text, "signature": SIGNATURE}
    shown = text if voice.shows_thinking else ""
    return {"type": "thinking", "thinking": shown, "signature": voice.signature(shown, calls)}


def _message(request: ServerRequest) -> dict[str, Any]:
    return {"id": f"msg_{request.index}", "type": "message", "role": "assistant", "model": request.model, "stop_sequence": None}


def _usage(say: Say, request: ServerRequest) -> dict[str, int]:
    used = used_tokens(say, request.prompt_characters) or (0, 0)
    return {"input_tokens": used[0], "output_tokens": used[1]}


def _reason(say: Say) -> str | None:
    """Why it ended; OpenAI's words, which faults are written in, are put into Anthropic's."""
    reason = finish_reason(say, "anthropic")
    return {"length": "max_tokens", "content_filter": "refusal", "stop": "end_turn", "tool_calls": "tool_use"}.get(reason, reason) or None


def _event(kind: str, **data: Any) -> bytes:
    return sse({"type": kind, **data}, kind)
