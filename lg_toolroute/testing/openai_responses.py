"""An answer in the words of OpenAI's Responses API.

Like Anthropic, it never splits a tool's name. Source: OpenAI's API reference, "Create a model response" and "Streaming events".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from lg_toolroute.testing.completions import CREATED, default_answer, sse
from lg_toolroute.testing.layout import Piece, events_of
from lg_toolroute.testing.render import finish_reason, used_tokens
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Place, Say

__all__ = ["default_answer", "done", "events", "stream_type", "unreadable", "whole"]

stream_type = "text/event-stream; charset=utf-8"
"""The content type of a stream."""


def whole(say: Say, ids: Sequence[str], request: ServerRequest) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    return _response(say, ids, request, status=_status(say) or "incomplete")


def events(say: Say, ids: Sequence[str], request: ServerRequest, *, place: Place | None = None) -> tuple[list[bytes], int]:
    """The events of a stream, and how many of them come before a place in it."""
    writer = _Writer(say, ids, request)
    begun = _response(Say(usage=False), [], request, status="in_progress")

    def closing() -> Iterator[bytes]:
        yield from writer.close()
        if status := _status(say):
            yield writer.event(f"response.{status}", response=_response(say, ids, request, status=status))

    return events_of(say, place, [writer.event("response.created", response=begun)], writer.write, closing)


def done(say: Say) -> bytes:
    """What follows the last event: nothing."""
    return b""


def unreadable(body: Any) -> bytes:
    """Something else in the place of an event; bytes are sent as they are behind `data:`."""
    if isinstance(body, bytes):
        return b"event: response.output_text.delta\ndata: " + body + b"\n\n"
    error = body.get("error", {})
    return sse({"type": "error", "sequence_number": 0, "param": None, "code": error.get("code"), "message": error.get("message", "")}, "error")


class _Writer:
    """Opens and closes output items as the pieces come."""

    def __init__(self, say: Say, ids: Sequence[str], request: ServerRequest) -> None:
        self.items = _items(say, ids, request)
        self.numbers = count()
        self.output = -1
        self.open: tuple[str, int] | None = None

    def event(self, kind: str, **data: Any) -> bytes:
        return sse({"type": kind, "sequence_number": next(self.numbers), **data}, kind)

    def write(self, pieces: Sequence[Piece]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self._write(piece)

    def _write(self, piece: Piece) -> Iterator[bytes]:
        kind = piece.kind if piece.call < 0 else "call"
        if self.open != (kind, piece.call):
            yield from self.close()
            self.open = (kind, piece.call)
            self.output += 1
            yield from self._begin()
        where = {"item_id": self.items[self.output]["id"], "output_index": self.output}
        if piece.kind == "text":
            yield self.event("response.output_text.delta", **where, content_index=0, delta=piece.text, logprobs=[])
        elif piece.kind == "thinking" and self.items[self.output]["summary"]:
            yield self.event("response.reasoning_summary_text.delta", **where, summary_index=0, delta=piece.text)
        elif piece.kind == "args":
            yield self.event("response.function_call_arguments.delta", **where, delta=piece.text)

    def _begin(self) -> Iterator[bytes]:
        item = self.items[self.output]
        where = {"item_id": item["id"], "output_index": self.output}
        kind = item["type"]
        empty: dict[str, Any] = {"message": {"content": []}, "reasoning": {"summary": []}}.get(kind, {"arguments": ""})
        yield self.event("response.output_item.added", output_index=self.output, item={**item, **empty, "status": "in_progress"})
        if kind == "message":
            part = {"type": "output_text", "text": "", "annotations": []}
            yield self.event("response.content_part.added", **where, content_index=0, part=part)
        elif kind == "reasoning" and item["summary"]:
            yield self.event("response.reasoning_summary_part.added", **where, summary_index=0, part={"type": "summary_text", "text": ""})

    def close(self) -> Iterator[bytes]:
        if self.open is None:
            return
        self.open = None
        item = self.items[self.output]
        if item["type"] == "function_call":
            where = {"item_id": item["id"], "output_index": self.output}
            yield self.event("response.function_call_arguments.done", **where, arguments=item["arguments"])
        yield self.event("response.output_item.done", output_index=self.output, item=item)


def _items(say: Say, ids: Sequence[str], request: ServerRequest) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    number = request.index
    if say.thinking:
        hidden = request.voice is not None and not request.voice.shows_thinking
        items.append({"id": f"rs_{number}", "type": "reasoning", "summary": [] if hidden else [{"type": "summary_text", "text": say.thinking}]})
    if say.text:
        part = {"type": "output_text", "text": say.text, "annotations": []}
        items.append({"id": f"msg_{number}", "type": "message", "role": "assistant", "status": "completed", "content": [part]})
    for index, (call, mark) in enumerate(zip(say.calls, ids, strict=True)):
        named = {"call_id": mark, "name": call.name, "arguments": call.json}
        items.append({"id": f"fc_{number}_{index}", "type": "function_call", "status": "completed", **named})
    request.items = [item["id"] for item in items]
    return items


def _response(say: Say, ids: Sequence[str], request: ServerRequest, *, status: str) -> dict[str, Any]:
    used = used_tokens(say, request.prompt_characters)
    details = {"reason": "content_filter" if say.finish_reason == "content_filter" else "max_output_tokens"} if status == "incomplete" else None
    return {
        "id": f"resp_{request.index}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": details,
        "instructions": None,
        "metadata": {},
        "model": request.model,
        "output": _items(say, ids, request),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None
        if used is None
        else {
            "input_tokens": used[0],
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": used[1],
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sum(used),
        },
    }


def _status(say: Say) -> str:
    reason = finish_reason(say, "openai")
    return "" if not reason else "incomplete" if reason in {"length", "content_filter"} else "completed"
