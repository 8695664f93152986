"""What a server says in a tool loop of two answers, in each API's own words: a thought, a word and a call of `read`; then `Done.`

Each answer carries what only its own client understands (signatures, `reasoning_content`, `reasoning_details`, items), because that must come
back to it. An answer is one body, or the bytes of a stream.

Source: the API references of OpenAI, Anthropic, Google, Ollama, Cohere and Amazon Bedrock; OpenRouter's "Preserving reasoning blocks".
"""

from __future__ import annotations

import json
from binascii import crc32
from collections.abc import Callable
from dataclasses import dataclass
from struct import pack
from typing import Any

THOUGHT, WORDS, DONE = "I should look first.", "Looking.", "Done."
ARGUMENTS = {"path": "a.py"}
CALL_ID = "chatcmpl-tool-0123456789abcdef0123456789abcdef"
"""As long as vLLM's: longer than OpenAI's own API would take from anybody else."""
DETAILS: list[dict[str, Any]] = [
    {"type": "reasoning.text", "text": THOUGHT, "format": "google-gemini-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "c2lnbmF0dXJl", "id": CALL_ID, "format": "google-gemini-v1", "index": 1},
]
"""OpenRouter's, for Gemini: the signature belongs to the call whose id it names."""


@dataclass(frozen=True)
class Reply:
    """What goes over the wire."""

    content_type: str
    body: bytes


Writer = Callable[[bool, bool, str], Reply]
"""Takes whether this is the first answer, whether it is streamed, and the model's name."""


def _sse(*events: dict[str, Any], named: bool = False, end: bytes = b"") -> Reply:
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" if named else f"data: {json.dumps(event)}\n\n" for event in events)
    return Reply("text/event-stream", text.encode() + end)


def _json(body: Any) -> Reply:
    return Reply("application/json", json.dumps(body).encode())


def completions(call_id: str = CALL_ID, *, whole_calls: bool = False, **private: Any) -> Writer:
    """Chat completions.

    Args:
        call_id: The id that the server gives its call.
        whole_calls: A streamed call comes in one piece.
        private: Private fields in the message of the first answer.
    """

    def write(first: bool, streamed: bool, model: str) -> Reply:
        head = {"id": "chatcmpl-1", "created": 1, "model": model, "system_fingerprint": None}
        usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
        call = {"id": call_id, "type": "function", "function": {"name": "read", "arguments": json.dumps(ARGUMENTS)}}
        reason = "tool_calls" if first else "stop"
        if not streamed:
            said = {"content": WORDS, **private, "tool_calls": [call]} if first else {"content": DONE}
            choice = {"index": 0, "message": {"role": "assistant", **said}, "finish_reason": reason}
            return _json({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        if first:
            for key, value in private.items():
                deltas += [{key: value[:7]}, {key: value[7:]}] if isinstance(value, str) else [{key: [item]} for item in _pieces(value)]
            opening = call if whole_calls else {**call, "function": {"name": "read", "arguments": ""}}
            written = json.dumps(ARGUMENTS)
            rest = [] if whole_calls else [{"index": 0, "function": {"arguments": part}} for part in (written[:5], written[5:])]
            deltas += [{"content": WORDS}, {"tool_calls": [{"index": 0, **opening}]}, *({"tool_calls": [part]} for part in rest)]
        else:
            deltas.append({"content": DONE})
        frame = {**head, "object": "chat.completion.chunk"}
        events = [{**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        events.append({**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        events.append({**frame, "choices": [], "usage": usage})
        return _sse(*events, end=b"data: [DONE]\n\n")

    return write


def _pieces(details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reasoning details as they are streamed: a text in two pieces of one index, and whatever else is whole."""
    text, *others = details
    return [{**text, "text": text["text"][:7]}, {**text, "text": text["text"][7:]}, *others]


def responses(first: bool, streamed: bool, model: str) -> Reply:
    """OpenAI's Responses API."""
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": THOUGHT}], "encrypted_content": "ZW5j"}
    part = {"type": "output_text", "text": WORDS if first else DONE, "annotations": []}
    words = {"type": "message", "id": "msg_1" if first else "msg_2", "role": "assistant", "status": "completed", "content": [part]}
    call = {
        "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": json.dumps(ARGUMENTS), "status": "completed",
    }  # fmt: skip
    output: list[dict[str, Any]] = [reasoning, words, call] if first else [words]
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    answer = {
        "id": "resp_1" if first else "resp_2", "object": "response", "created_at": 1, "status": "completed", "model": model, "output": output,
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None, "instructions": None,
        "metadata": {}, "temperature": 1.0, "top_p": 1.0, "usage": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14, **details},
    }  # fmt: skip
    if not streamed:
        return _json(answer)
    events: list[dict[str, Any]] = [{"type": "response.created", "response": {**answer, "status": "in_progress", "output": []}}]
    for place, item in enumerate(output):
        at = {"output_index": place, "item_id": item["id"]}
        if item is words:
            events += [
                {"type": "response.output_item.added", "output_index": place, "item": {**item, "content": []}},
                {"type": "response.content_part.added", **at, "content_index": 0, "part": {**part, "text": ""}},
                {"type": "response.output_text.delta", **at, "content_index": 0, "delta": part["text"], "logprobs": []},
                {"type": "response.output_text.done", **at, "content_index": 0, "text": part["text"], "logprobs": []},
                {"type": "response.content_part.done", **at, "content_index": 0, "part": part},
            ]
        elif item is call:
            events += [
                {"type": "response.output_item.added", "output_index": place, "item": {**item, "arguments": ""}},
                {"type": "response.function_call_arguments.delta", **at, "delta": item["arguments"]},
                {"type": "response.function_call_arguments.done", **at, "arguments": item["arguments"]},
            ]
        else:
            summary = {"type": "summary_text", "text": ""}
            events += [
                {"type": "response.output_item.added", "output_index": place, "item": {**item, "summary": []}},
                {"type": "response.reasoning_summary_part.added", **at, "summary_index": 0, "part": summary},
                {"type": "response.reasoning_summary_text.delta", **at, "summary_index": 0, "delta": THOUGHT},
            ]
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    events.append({"type": "response.completed", "response": answer})
    return _sse(*({**event, "sequence_number": number} for number, event in enumerate(events)), named=True)


def anthropic(first: bool, streamed: bool, model: str) -> Reply:
    """Anthropic's Messages API."""
    thinking = {"type": "thinking", "thinking": THOUGHT, "signature": "c2lnbmF0dXJl"}
    call = {"type": "tool_use", "id": "toolu_01", "name": "read", "input": ARGUMENTS}
    content: list[dict[str, Any]] = [thinking, {"type": "text", "text": WORDS}, call] if first else [{"type": "text", "text": DONE}]
    reason = "tool_use" if first else "end_turn"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content, "stop_sequence": None}
    usage = {"input_tokens": 9, "output_tokens": 5}
    if not streamed:
        return _json({**message, "stop_reason": reason, "usage": usage})
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": usage}}]
    for index, block in enumerate(content):
        empty, deltas = {
            "thinking": (
                {"thinking": "", "signature": ""},
                [{"type": "thinking_delta", "thinking": THOUGHT}, {"type": "signature_delta", "signature": thinking["signature"]}],
            ),
            "text": ({"text": ""}, [{"type": "text_delta", "text": block.get("text")}]),
            "tool_use": ({"input": {}}, [{"type": "input_json_delta", "partial_json": json.dumps(ARGUMENTS)}]),
        }[block["type"]]
        events.append({"type": "content_block_start", "index": index, "content_block": {**block, **empty}})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage})
    return _sse(*events, {"type": "message_stop"}, named=True)


def google(first: bool, streamed: bool, model: str) -> Reply:
    """Gemini's generateContent."""
    call = {"functionCall": {"name": "read", "args": ARGUMENTS}, "thoughtSignature": "c2lnbmF0dXJl"}
    parts: list[dict[str, Any]] = [{"text": THOUGHT, "thought": True}, {"text": WORDS}, call] if first else [{"text": DONE}]
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14}

    def body(parts: list[dict[str, Any]], **end: Any) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **end}
        return {"candidates": [candidate], "modelVersion": model, "responseId": "r", "usageMetadata": usage}

    if not streamed:
        return _json(body(parts, finishReason="STOP"))
    return _sse(*(body([part]) for part in parts[:-1]), body(parts[-1:], finishReason="STOP"))


def ollama(first: bool, streamed: bool, model: str) -> Reply:
    """Ollama's chat: one JSON object a line, streamed or not."""
    call = {"function": {"name": "read", "arguments": ARGUMENTS}}
    said = [{"content": "", "thinking": THOUGHT}, {"content": WORDS}, {"content": "", "tool_calls": [call]}] if first else [{"content": DONE}]
    head = {"model": model, "created_at": "2026-01-01T00:00:00Z"}
    lines: list[dict[str, Any]] = [{**head, "message": {"role": "assistant", **message}, "done": False} for message in said]
    counts = {"total_duration": 1, "load_duration": 1, "prompt_eval_count": 9, "prompt_eval_duration": 1, "eval_count": 5, "eval_duration": 1}
    lines.append({**head, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **counts})
    return Reply("application/x-ndjson", "".join(json.dumps(line) + "\n" for line in lines).encode())


def cohere(first: bool, streamed: bool, model: str) -> Reply:
    """Cohere's chat, version 2."""
    call = {"id": "read_abc", "type": "function", "function": {"name": "read", "arguments": json.dumps(ARGUMENTS)}}
    counts = {"input_tokens": 9, "output_tokens": 5}
    usage = {"tokens": counts, "billed_units": counts}
    reason = "TOOL_CALL" if first else "COMPLETE"
    if not streamed:
        said: dict[str, Any] = {"tool_plan": WORDS, "tool_calls": [call]} if first else {"content": [{"type": "text", "text": DONE}]}
        return _json({"id": "c1", "finish_reason": reason, "message": {"role": "assistant", **said}, "usage": usage})
    events: list[dict[str, Any]] = [{"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}}]
    if first:
        opening = {**call, "function": {"name": "read", "arguments": ""}}
        events += [
            {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": WORDS}}},
            {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": opening}}},
            {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": json.dumps(ARGUMENTS)}}}}},
            {"type": "tool-call-end", "index": 0},
        ]
    else:
        events += [
            {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
            {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": DONE}}}},
            {"type": "content-end", "index": 0},
        ]
    return _sse(*events, {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage}}, named=True)


def bedrock(first: bool, streamed: bool, model: str) -> Reply:
    """Amazon Bedrock's Converse."""
    thought = {"reasoningText": {"text": THOUGHT, "signature": "c2lnbmF0dXJl"}}
    call = {"toolUseId": "tooluse_1", "name": "read", "input": ARGUMENTS}
    reason, usage = "tool_use" if first else "end_turn", {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}
    if not streamed:
        content: list[dict[str, Any]] = [{"reasoningContent": thought}, {"text": WORDS}, {"toolUse": call}] if first else [{"text": DONE}]
        message = {"role": "assistant", "content": content}
        return _json({"output": {"message": message}, "stopReason": reason, "usage": usage, "metrics": {"latencyMs": 1}})
    deltas: list[tuple[dict[str, Any] | None, list[dict[str, Any]]]] = [(None, [{"text": DONE}])]
    if first:
        thinking = [{"reasoningContent": {"text": THOUGHT}}, {"reasoningContent": {"signature": "c2lnbmF0dXJl"}}]
        start = {"toolUse": {"toolUseId": "tooluse_1", "name": "read"}}
        deltas = [(None, thinking), (None, [{"text": WORDS}]), (start, [{"toolUse": {"input": json.dumps(ARGUMENTS)}}])]
    frames = [_frame("messageStart", {"role": "assistant"})]
    for index, (start_of, parts) in enumerate(deltas):
        if start_of is not None:
            frames.append(_frame("contentBlockStart", {"contentBlockIndex": index, "start": start_of}))
        frames += [_frame("contentBlockDelta", {"contentBlockIndex": index, "delta": part}) for part in parts]
        frames.append(_frame("contentBlockStop", {"contentBlockIndex": index}))
    frames += [_frame("messageStop", {"stopReason": reason}), _frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}})]
    return Reply("application/vnd.amazon.eventstream", b"".join(frames))


def _frame(event: str, payload: dict[str, Any]) -> bytes:
    """One message of Amazon's event stream: lengths, their checksum, headers, payload, the checksum of all."""
    body = json.dumps(payload).encode()
    headers = {":message-type": "event", ":event-type": event, ":content-type": "application/json"}
    head = b"".join(pack("!B", len(name)) + name.encode() + b"\x07" + pack("!H", len(value)) + value.encode() for name, value in headers.items())
    prelude = pack("!II", len(head) + len(body) + 16, len(head))
    message = prelude + pack("!I", crc32(prelude)) + head + body
    return message + pack("!I", crc32(message))
