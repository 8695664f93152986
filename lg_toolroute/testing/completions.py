"""An answer in the words of OpenAI's chat completions: one JSON body, or the events of a stream.

Pure. Source: OpenAI's API reference, "Create chat completion" and "The chat completion chunk object".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lg_toolroute.testing.layout import Piece, events_of
from lg_toolroute.testing.render import finish_reason, used_tokens
from lg_toolroute.testing.sample_values import sample
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Call, Place, Say
from lg_toolroute.testing.voice import Voice

stream_type = "text/event-stream; charset=utf-8"
"""The content type of a stream."""

CREATED = 1_735_689_600
"""The time stamp of every answer: the same in every run."""

GEMINI = {"format": "google-gemini-v1", "index": 0}
"""What OpenRouter writes on each of Gemini's `reasoning_details`."""


def default_answer(request: ServerRequest) -> Say:
    """What a model without a script says: the expected call, with arguments that fit the tool's schema; otherwise a sentence."""
    wanted = request.expected_call
    if wanted is None:
        return Say(f"This is {request.model or 'a model'} speaking.")
    return Say(calls=[Call(wanted, sample(request.schema(wanted)) if request.schema(wanted) else {})])


def usage_of(say: Say, prompt_characters: int) -> dict[str, Any] | None:
    """The `usage` of an answer; `None` if it reports none."""
    used = used_tokens(say, prompt_characters)
    return None if used is None else {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)}


def whole(say: Say, ids: Sequence[str], request: ServerRequest) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": say.text or None}
    message |= _thought(say.thinking, request.voice)
    if say.calls:
        message["tool_calls"] = [
            {"id": mark, "type": "function", "function": {"name": call.name, "arguments": call.json}, **_vouched(request.voice, place)}
            for place, (call, mark) in enumerate(zip(say.calls, ids, strict=True))
        ]
        if signature := _signature_of_calls(request.voice, ids):
            message.setdefault("reasoning_details", []).append(signature)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(say, "openai") or None}
    body: dict[str, Any] = {**_frame(request, "chat.completion"), "choices": [choice]}
    if (usage := usage_of(say, request.prompt_characters)) is not None:
        body["usage"] = usage
    return body


def events(say: Say, ids: Sequence[str], request: ServerRequest, *, place: Place | None = None) -> tuple[list[bytes], int]:
    """The events of a stream, and how many of them come before a place in it.

    Args:
        say: The answer.
        ids: The ids of its calls.
        request: What it answers.
        place: The place; `None` is the end.
    """
    opening = [_event(request, {"role": "assistant", "content": ""})]
    return events_of(say, place, opening, lambda pieces: [_event(request, _delta(pieces, ids, request.voice))], lambda: _closing(say, request))


def _closing(say: Say, request: ServerRequest) -> Iterator[bytes]:
    if reason := finish_reason(say, "openai"):
        yield _event(request, {}, finish=reason)
        usage = usage_of(say, request.prompt_characters)
        if usage is not None and request.include_usage:
            yield sse({**_frame(request, "chat.completion.chunk"), "choices": [], "usage": usage})


def unreadable(body: Any) -> bytes:
    """Something else in the place of an event; bytes are sent as they are behind `data:`."""
    return b"data: " + body + b"\n\n" if isinstance(body, bytes) else sse(body)


def sse(data: Any, event: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def done(say: Say) -> bytes:
    """What follows the last event; nothing behind an answer that does not say why it ends."""
    return b"data: [DONE]\n\n" if finish_reason(say, "openai") else b""


def _thought(text: str, voice: Voice | None) -> dict[str, Any]:
    """Thinking, under the provider's name for it."""
    if not text or (voice is not None and not voice.shows_thinking):
        return {}
    if voice is not None and voice.thinking_as == "reasoning_details":
        return {"reasoning": text, "reasoning_details": [{"type": "reasoning.text", "text": text, **GEMINI}]}
    return {"reasoning_content" if voice is None else voice.thinking_as: text}


def _vouched(voice: Voice | None, place: int) -> dict[str, Any]:
    """What a provider writes beside a call: Gemini signs the first one."""
    if voice is None or not voice.signs_calls or place:
        return {}
    return {"extra_content": {"google": {"thought_signature": voice.signature("")}}}


def _signature_of_calls(voice: Voice | None, ids: Sequence[str]) -> dict[str, Any] | None:
    """OpenRouter's form of Gemini's signature."""
    if voice is None or voice.thinking_as != "reasoning_details":
        return None
    return {"type": "reasoning.encrypted", "data": voice.signature(""), "id": ids[0], **GEMINI}


def _delta(pieces: Sequence[Piece], ids: Sequence[str], voice: Voice | None) -> dict[str, Any]:
    delta: dict[str, Any] = {}
    calls: list[dict[str, Any]] = []
    for piece in pieces:
        if piece.kind == "text":
            delta["content"] = piece.text
        elif piece.kind == "thinking":
            delta |= _thought(piece.text, voice)
        else:
            if not calls or calls[-1]["index"] != piece.call:
                calls.append({"index": piece.call, "function": {}})
            call = calls[-1]
            if piece.opens:
                call.update({"id": ids[piece.call], "type": "function", **_vouched(voice, piece.call)})
                signature = _signature_of_calls(voice, ids) if piece.call == 0 else None
                if signature:
                    delta.setdefault("reasoning_details", []).append(signature)
                call["function"] = {"name": "", "arguments": ""}
            key = "name" if piece.kind == "name" else "arguments"
            call["function"][key] = call["function"].get(key, "") + piece.text
    if calls:
        delta["tool_calls"] = calls
    return delta


def _event(request: ServerRequest, delta: Mapping[str, Any], *, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return sse({**_frame(request, "chat.completion.chunk"), "choices": [choice]})


def _frame(request: ServerRequest, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{request.index}", "object": kind, "created": CREATED, "model": request.model}
