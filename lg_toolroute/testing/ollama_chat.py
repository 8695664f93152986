"""An answer in the words of Ollama's chat API: one JSON object a line, calls whole.

A forced tool is not honoured, because Ollama does not know of such a thing. Source: Ollama's API documentation, "Generate a chat completion".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from lg_toolroute.testing import completions
from lg_toolroute.testing.anthropic_messages import parsed
from lg_toolroute.testing.layout import Piece, events_of
from lg_toolroute.testing.render import finish_reason, used_tokens
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Place, Say

stream_type = "application/x-ndjson"
"""The content type of a stream."""

CREATED_AT = "2025-01-01T00:00:00.000000Z"
"""The time stamp of every answer: the same in every run."""


def default_answer(request: ServerRequest) -> Say:
    """What a model without a script says: a sentence; a provider's model calls the only tool when it is told to do something."""
    return completions.default_answer(request) if request.voice is not None else Say(f"This is {request.model} speaking.")


def whole(say: Say, ids: Sequence[str], request: ServerRequest) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    message: dict[str, Any] = {"content": say.text}
    if say.thinking:
        message["thinking"] = say.thinking
    if say.calls:
        message["tool_calls"] = [_call(say, index) for index in range(len(say.calls))]
    return {**_line(request, message), **_end(say, request)}


def events(say: Say, ids: Sequence[str], request: ServerRequest, *, place: Place | None = None) -> tuple[list[bytes], int]:
    """The lines of a stream, and how many of them come before a place in it."""
    left = [len(call.name) + len(call.json) for call in say.calls]

    def write(pieces: Sequence[Piece]) -> Iterator[bytes]:
        message: dict[str, Any] = {"content": ""}
        for piece in pieces:
            if piece.call < 0:
                key = "content" if piece.kind == "text" else "thinking"
                message[key] = message.get(key, "") + piece.text
                continue
            left[piece.call] -= len(piece.text)
            if not left[piece.call]:
                message.setdefault("tool_calls", []).append(_call(say, piece.call))
        if message != {"content": ""}:
            yield _encoded(_line(request, message))

    def closing() -> Iterator[bytes]:
        if end := _end(say, request):
            yield _encoded({**_line(request, {"content": ""}), **end})

    return events_of(say, place, (), write, closing)


def done(say: Say) -> bytes:
    """What follows the last line: nothing."""
    return b""


def unreadable(body: Any) -> bytes:
    """Something else in the place of a line."""
    if isinstance(body, bytes):
        return body + b"\n"
    return _encoded({"error": body["error"]["message"]} if "error" in body else body)


def _call(say: Say, index: int) -> dict[str, Any]:
    call = say.calls[index]
    return {"function": {"name": call.name, "arguments": parsed(call.json)}}


def _line(request: ServerRequest, message: dict[str, Any]) -> dict[str, Any]:
    return {"model": request.model, "created_at": CREATED_AT, "message": {"role": "assistant", **message}, "done": False}


def _end(say: Say, request: ServerRequest) -> dict[str, Any]:
    reason = finish_reason(say, "openai")
    if not reason:
        return {}
    used = used_tokens(say, request.prompt_characters)
    counts = {} if used is None else {"prompt_eval_count": used[0], "eval_count": used[1]}
    return {"done": True, "done_reason": "stop" if reason == "tool_calls" else reason, "total_duration": 1_000_000, **counts}


def _encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
