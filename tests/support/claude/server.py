"""The Messages API over loopback HTTP, with answers made of content blocks.

It refuses what Claude 5.5 refuses: thinking whose prefix changed ("Prefix checks on thinking blocks"), a server-side tool's call that never gets its
result, an assistant message at the end that was not paused ("does not support assistant message prefill"), more than four breakpoints.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.support.claude.prompt_cache import PromptCache, Usage, blocks, plain
from tests.support.loopback import LoopbackServer

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Says:
    """One answer.

    Attributes:
        content: Its blocks, in order.
        stop: Its `stop_reason`; by default what the blocks imply.
    """

    content: tuple[Block, ...]
    stop: str = ""

    def __init__(self, *content: Block, stop: str = "") -> None:
        object.__setattr__(self, "content", content)
        object.__setattr__(self, "stop", stop or ("tool_use" if any(block["type"] == "tool_use" for block in content) else "end_turn"))


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def thought(words: str = "") -> Block:
    """Thinking; its signature is made when it is sent."""
    return {"type": "thinking", "thinking": words}


def redacted() -> Block:
    return {"type": "redacted_thinking", "data": ""}


def call(name: str, **arguments: Any) -> Block:
    return {"type": "tool_use", "id": "", "name": name, "input": arguments}


def searched(query: str, mark: str = "srvtoolu_1", *, result: bool = True) -> tuple[Block, ...]:
    """A search that the provider makes, with its result."""
    asked: Block = {"type": "server_tool_use", "id": mark, "name": "web_search", "input": {"query": query}}
    found = {"type": "web_search_result", "url": "https://example.com", "title": "A page", "encrypted_content": "b64", "page_age": None}
    return (asked, {"type": "web_search_tool_result", "tool_use_id": mark, "content": [found]}) if result else (asked,)


@dataclass(frozen=True, slots=True)
class Received:
    """One request that was answered.

    Attributes:
        body: The request.
        usage: What the prompt cache made of it.
    """

    body: Mapping[str, Any]
    usage: Usage


class ClaudeServer(LoopbackServer):
    """A Claude that says what it is told to.

    Args:
        answers: What it says, in order; the last is said again and again. A function is called with the request's body.
        clock: Gives the time in seconds.

    Attributes:
        received: The requests that were answered.
        refused: What was wrong with the others.
    """

    def __init__(self, *answers: Says | Callable[[Mapping[str, Any]], Says], clock: Callable[[], float] = lambda: 0.0) -> None:
        self._answers, self._clock = list(answers), clock
        self._cache = PromptCache()
        self._lock = threading.Lock()
        self._calls = 0
        self.received: list[Received] = []
        self.refused: list[str] = []
        super().__init__()

    @property
    def bodies(self) -> list[Mapping[str, Any]]:
        """The requests that were answered."""
        return [each.body for each in self.received]

    def reply(self, path: str, sent: bytes) -> tuple[int, str, bytes]:
        body = json.loads(sent)
        with self._lock:
            wrong = problems(body)
            usage = Usage(0, 0, 0)
            try:
                usage = self._cache.use(body, self._clock())
            except ValueError as error:
                wrong.append(str(error))
            if wrong:
                self.refused.extend(wrong)
                error = {"type": "error", "error": {"type": "invalid_request_error", "message": "; ".join(wrong)}}
                return 400, "application/json", json.dumps(error).encode()
            says = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            says = says if isinstance(says, Says) else says(body)
            content = self._signed(body, says)
            usage = replace(usage, output=len(json.dumps(content)) // 4)
            self.received.append(Received(body, usage))
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_sequence": None}
        counts = {
            "input_tokens": usage.uncached,
            "cache_read_input_tokens": usage.read,
            "cache_creation_input_tokens": usage.written,
            "output_tokens": usage.output,
        }
        if not body.get("stream"):
            whole = {**message, "content": content, "stop_reason": says.stop, "usage": counts}
            return 200, "application/json", json.dumps(whole).encode()
        start = {**message, "content": [], "stop_reason": None, "usage": counts}
        events = [{"type": "message_start", "message": start}]
        for index, block in enumerate(content):
            events += _streamed(index, block)
        end = {"type": "message_delta", "delta": {"stop_reason": says.stop, "stop_sequence": None}, "usage": counts}
        stream = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in [*events, end, {"type": "message_stop"}])
        return 200, "text/event-stream", stream.encode()

    def _signed(self, body: Mapping[str, Any], says: Says) -> list[Block]:
        """The blocks of an answer, its thinking bound to all that stands before it, its calls with ids."""
        said: list[Block] = []
        for block in says.content:
            if block["type"] in {"thinking", "redacted_thinking"}:
                key = "signature" if block["type"] == "thinking" else "data"
                block = {**block, key: bound_to(body, [*_turns(body.get("messages") or []), *_turns([{"role": "assistant", "content": said}])])}
            elif block["type"] == "tool_use" and not block["id"]:
                self._calls += 1
                block = {**block, "id": f"toolu_{self._calls:04}"}
            said.append(block)
        return said


def bound_to(body: Mapping[str, Any], before: Sequence[tuple[str, Any]]) -> str:
    """The signature of a thinking block behind these blocks."""
    prefix = [plain(blocks(body.get("system"))), plain(body.get("tools") or []), before]
    return hashlib.sha256(json.dumps(prefix, sort_keys=True).encode()).hexdigest()


def _turns(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    return [(message["role"], plain(block)) for message in messages for block in blocks(message["content"])]


def problems(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with a request."""
    messages = body.get("messages") or []
    wrong: list[str] = []
    before: list[tuple[str, Any]] = []
    for place, message in enumerate(messages):
        for block in blocks(message["content"]):
            signature = block.get("signature") if block["type"] == "thinking" else block.get("data") if block["type"] == "redacted_thinking" else None
            if block["type"] in {"thinking", "redacted_thinking"} and signature != bound_to(body, before):
                wrong.append(f"messages.{place}: Invalid `signature` in `thinking` block: it is bound to a different conversation")
            if "index" in block or "partial_json" in block:
                wrong.append(f"messages.{place}: Extra inputs are not permitted")
            before.append((message["role"], plain(block)))
    return wrong + _server_tools(messages) + _last(messages) + _unanswered(messages)


def _server_tools(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    said = [(place, block) for place, message in enumerate(messages) for block in blocks(message["content"])]
    used = {block["id"]: place for place, block in said if block["type"] == "server_tool_use"}
    answered = {block["tool_use_id"] for _, block in said if block["type"] == "web_search_tool_result"}
    last = max((place for place, message in enumerate(messages) if message["role"] == "assistant"), default=-1)
    torn = [mark for mark, place in used.items() if mark not in answered and place != last]
    wrong = [f"`web_search` tool use with id `{mark}` was found without a corresponding `web_search_tool_result` block" for mark in torn]
    return wrong + [f"unexpected `tool_use_id` in `web_search_tool_result` blocks: {mark}" for mark in answered - used.keys()]


def _last(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    final = messages[-1] if messages else {"role": "user", "content": ""}
    paused = any(block["type"] == "server_tool_use" for block in blocks(final["content"]))
    return ["This model does not support assistant message prefill"] if final["role"] == "assistant" and not paused else []


def _unanswered(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    wrong = []
    for place, message in enumerate(messages):
        calls = [block["id"] for block in blocks(message["content"]) if block["type"] == "tool_use"]
        after = blocks(messages[place + 1]["content"]) if place + 1 < len(messages) else []
        results = [block["tool_use_id"] for block in after if block["type"] == "tool_result"]
        wrong += [f"messages.{place}: `tool_use` ids were found without `tool_result` blocks: {mark}" for mark in calls if mark not in results]
        wrong += [f"messages.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {mark}" for mark in results if mark not in calls]
    return wrong


def _streamed(index: int, block: Block) -> list[dict[str, Any]]:
    """The events of one block, its text or arguments in two pieces."""
    kind = block["type"]
    start, deltas = dict(block), []
    if kind == "text":
        start["text"], deltas = "", [{"type": "text_delta", "text": piece} for piece in _halves(block["text"])]
    elif kind == "thinking":
        start = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _halves(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif kind in {"tool_use", "server_tool_use"}:
        start["input"], deltas = {}, [{"type": "input_json_delta", "partial_json": piece} for piece in _halves(json.dumps(block["input"]))]
    events = [{"type": "content_block_start", "index": index, "content_block": start}]
    events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [*events, {"type": "content_block_stop", "index": index}]


def _halves(whole: str) -> list[str]:
    middle = len(whole) // 2
    return [piece for piece in (whole[:middle], whole[middle:]) if piece]
