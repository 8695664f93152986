"""A stand-in for llama-cpp-python: its signatures and its refusals, without weights.

What a model says is a script, `Llama.script`; each request is kept in `Llama.requests`. The real engine's rules are enforced: an argument that it
does not have is a `TypeError`; a model file must exist; calls must not overlap, because the real engine's context would be corrupted; and the chat
format decides how tools work:

- the model's own template (`chat_format=None`): a tool that is forced comes back as a tool call, any other call as text in the template's markup.
- `chatml-function-calling`: tools without a choice are ignored, an automatic choice cannot be streamed, and a choice is `"none"`, `"auto"`
  or an object.

Source: the behaviour of llama-cpp-python 0.3.35.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar


@dataclass
class Reply:
    """What the model says next: words, then calls of (tool, arguments)."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    finish_reason: str | None = None


class LlamaGrammar:
    @classmethod
    def from_string(cls, grammar: str, verbose: bool = True) -> LlamaGrammar:
        return cls()

    @classmethod
    def from_file(cls, file: str | Path, verbose: bool = True) -> LlamaGrammar:
        return cls()


class Llama:
    script: ClassVar[list[Reply]] = []
    requests: ClassVar[list[dict[str, Any]]] = []
    loaded: ClassVar[list[dict[str, Any]]] = []
    pause: ClassVar[threading.Event | None] = None
    """If it is set, each generation waits for it between two pieces."""

    def __init__(
        self, model_path: str, *, n_gpu_layers: int = 0, n_ctx: int = 512, n_batch: int = 512, n_threads: int | None = None, seed: int = 0xFFFFFFFF,
        vocab_only: bool = False, use_mmap: bool = True, use_mlock: bool = False, logits_all: bool = False, last_n_tokens_size: int = 64,
        lora_base: str | None = None, lora_path: str | None = None, rope_freq_base: float = 0.0, rope_freq_scale: float = 0.0,
        flash_attn: bool = False, chat_format: str | None = None, verbose: bool = True, **kwargs: Any,
    ) -> None:  # fmt: skip
        if not Path(model_path).exists():
            raise ValueError(f"Model path does not exist: {model_path}")
        self.n_ctx, self.chat_format = n_ctx, chat_format
        self._generating = threading.Lock()
        type(self).loaded.append({"model_path": model_path, "n_ctx": n_ctx, "n_gpu_layers": n_gpu_layers, "chat_format": chat_format})

    def create_chat_completion(
        self, messages: list[dict[str, Any]], functions: Any = None, function_call: Any = None, tools: list[dict[str, Any]] | None = None,
        tool_choice: Any = None, temperature: float = 0.2, top_p: float = 0.95, top_k: int = 40, min_p: float = 0.05, typical_p: float = 1.0,
        stream: bool = False, stop: Any = (), seed: int | None = None, response_format: Any = None, max_tokens: int | None = None,
        presence_penalty: float = 0.0, frequency_penalty: float = 0.0, repeat_penalty: float = 1.0, tfs_z: float = 1.0, mirostat_mode: int = 0,
        mirostat_tau: float = 5.0, mirostat_eta: float = 0.1, model: str | None = None, logits_processor: Any = None, grammar: Any = None,
        logit_bias: Any = None, logprobs: bool | None = None, top_logprobs: int | None = None,
    ) -> Any:  # fmt: skip
        check_messages(messages)
        request = {"messages": messages, "tools": tools, "tool_choice": tool_choice, "temperature": temperature, "stream": stream, "stop": stop}
        if stream:
            return self._pieces(request)
        with self._alone():
            type(self).requests.append(request)
            message, finish = self._answer(request)
            return {
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "stand-in",
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            }  # fmt: skip

    def _pieces(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        with self._alone():
            type(self).requests.append(request)
            message, finish = self._answer(request)
            if self.chat_format == "chatml-function-calling" and request["tool_choice"] == "auto" and message.get("tool_calls"):
                raise ValueError("Automatic streaming tool choice is not supported")
            yield _piece({"role": "assistant"})
            for word in (message["content"] or "").split(" "):
                if type(self).pause is not None:
                    type(self).pause.wait(10)
                yield _piece({"content": word + " "})
            for index, call in enumerate(message.get("tool_calls", [])):
                yield _piece({"tool_calls": [{**call, "index": index}]})
            yield _piece({}, finish)

    def _answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], str]:
        reply = type(self).script.pop(0)
        tools, choice = request["tools"] or [], request["tool_choice"]
        names = [tool["function"]["name"] for tool in tools]
        assert all(name in names for name, _ in reply.calls), f"the script calls a tool that the model does not see: {names}"
        if isinstance(choice, dict):
            assert choice["function"]["name"] in names, "Tool choice not found in tools."
            return self._message("", _chosen(reply, choice["function"]["name"])), reply.finish_reason or "tool_calls"
        if self.chat_format == "chatml-function-calling":
            assert choice in {None, "none", "auto"}
            if choice != "auto" or not tools:
                assert not reply.calls, "tools without a choice are not seen by this chat format"
                return self._message(reply.text, ()), reply.finish_reason or "stop"
            calls = reply.calls
            return self._message("" if calls else reply.text, calls), reply.finish_reason or ("tool_calls" if calls else "stop")
        marked = "".join(f'<tool_call>\n{json.dumps({"name": name, "arguments": arguments})}\n</tool_call>' for name, arguments in reply.calls)
        return self._message(reply.text + marked, ()), reply.finish_reason or "stop"

    @staticmethod
    def _message(text: str, calls: Any) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": text or None}
        if calls:
            message["tool_calls"] = [
                {"id": f"call__{at}_{name}_cmpl-1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
                for at, (name, arguments) in enumerate(calls)
            ]
        return message

    @contextmanager
    def _alone(self) -> Iterator[None]:
        assert self._generating.acquire(blocking=False), "two generations at once corrupt the context"
        try:
            yield
        finally:
            self._generating.release()


def _chosen(reply: Reply, name: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    chosen = tuple(call for call in reply.calls if call[0] == name)
    assert chosen, f"the script has no call of the forced tool {name}"
    return chosen[:1]


def _piece(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "stand-in",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }  # fmt: skip


def check_messages(messages: list[dict[str, Any]]) -> None:
    """Chat templates read these keys; a result needs its call."""
    open_calls: set[str] = set()
    for message in messages:
        assert message["role"] in {"system", "user", "assistant", "tool"}, message
        assert message["content"] is None or isinstance(message["content"], str), message
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls, f"a result without its call: {message}"
        for call in message.get("tool_calls") or ():
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            open_calls.add(call["id"])
