"""A stand-in for mlx-lm: its signatures, without weights. What a model says is a script, `SCRIPT`; each prompt is kept in `PROMPTS`.

The prompt that the tokenizer's chat template makes is the JSON of the messages and tools, so that a test can read what the model sees.

Source: the behaviour of mlx-lm 0.31.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SCRIPT: list[str] = []
PROMPTS: list[dict[str, Any]] = []
SETTINGS: list[dict[str, Any]] = []
LOADED: list[str] = []
_GENERATING = threading.Lock()


@dataclass
class GenerationResponse:
    text: str
    token: int
    logprobs: Any
    from_draft: bool
    prompt_tokens: int
    prompt_tps: float
    generation_tokens: int
    generation_tps: float
    peak_memory: float
    finish_reason: str | None = None


class Weights:
    """Stands for the loaded model."""


class TokenizerWrapper:
    """The parts of mlx-lm's tokenizer that clients use."""

    eos_token_id = 0
    has_tool_calling = False
    tool_call_start: str | None = None
    tool_call_end: str | None = None
    tool_parser: Callable[..., Any] | None = None

    def apply_chat_template(
        self, conversation: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None, *, add_generation_prompt: bool = False,
        tokenize: bool = True, return_tensors: str | None = None, **template_settings: Any,
    ) -> Any:  # fmt: skip
        for message in conversation:
            assert message["role"] in {"system", "user", "assistant", "tool"}, message
            assert message.get("content") is None or isinstance(message["content"], str), message
            for call in message.get("tool_calls") or ():
                assert isinstance(call["function"]["arguments"], Mapping), "templates write the arguments as JSON themselves"
        text = json.dumps({"messages": conversation, "tools": tools, "generate": add_generation_prompt})
        return [ord(letter) for letter in text] if tokenize else text


class PythonicTokenizer(TokenizerWrapper):
    """Of a model whose calls have another form, which mlx-lm knows a parser for: `[TOOL_CALLS]edit[ARGS]{…}`."""

    has_tool_calling = True
    tool_call_start = "[TOOL_CALLS]"
    tool_call_end = ""

    @staticmethod
    def tool_parser(text: str, tools: Any = None) -> dict[str, Any]:
        name, marked, arguments = text.partition("[ARGS]")
        if not marked:
            raise ValueError(f"Could not parse tool call from: {text}")
        return {"name": name.strip(), "arguments": json.loads(arguments)}


def load(
    path_or_hf_repo: str, tokenizer_config: dict[str, Any] | None = None, model_config: dict[str, Any] | None = None, adapter_path: str | None = None,
    lazy: bool = False, return_config: bool = False, revision: str | None = None, trust_remote_code: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    LOADED.append(path_or_hf_repo)
    return Weights(), (PythonicTokenizer() if "mistral" in path_or_hf_repo.lower() else TokenizerWrapper())


def stream_generate(
    model: Any, tokenizer: Any, prompt: str | list[int], max_tokens: int = 256, draft_model: Any = None, **kwargs: Any
) -> Iterator[GenerationResponse]:
    return _generate_step(prompt, model, max_tokens=max_tokens, **kwargs)


def generate(model: Any, tokenizer: Any, prompt: str | list[int], verbose: bool = False, **kwargs: Any) -> str:
    return "".join(piece.text for piece in stream_generate(model, tokenizer, prompt, **kwargs))


def _generate_step(
    prompt: str | list[int], model: Any, *, max_tokens: int = 256, sampler: Any = None, logits_processors: Any = None, max_kv_size: int | None = None,
    prompt_cache: Any = None, prefill_step_size: int = 2048, kv_bits: int | None = None, kv_group_size: int = 64, quantized_kv_start: int = 0,
    prompt_progress_callback: Any = None, input_embeddings: Any = None,
) -> Iterator[GenerationResponse]:  # fmt: skip
    assert isinstance(model, Weights)
    assert _GENERATING.acquire(blocking=False), "two generations at once"
    try:
        PROMPTS.append(json.loads(prompt if isinstance(prompt, str) else "".join(map(chr, prompt))))
        SETTINGS.append({"max_tokens": max_tokens, "sampler": sampler, "logits_processors": logits_processors})
        words = [piece + " " for piece in SCRIPT.pop(0).split(" ")]
        for at, word in enumerate(words[:max_tokens]):
            yield _response(word, at + 1)
        yield _response("", len(words), "stop" if len(words) <= max_tokens else "length")
    finally:
        _GENERATING.release()


def _response(text: str, generated: int, finish: str | None = None) -> GenerationResponse:
    return GenerationResponse(text, 1, None, False, 10, 100.0, generated, 10.0, 1.0, finish)
