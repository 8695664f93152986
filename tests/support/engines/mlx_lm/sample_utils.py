"""The signatures of mlx-lm's sampling functions; what they return is shown to the tests."""

from __future__ import annotations

from typing import Any


def make_sampler(
    temp: float = 0.0, top_p: float = 0.0, min_p: float = 0.0, min_tokens_to_keep: int = 1, top_k: int = 0, xtc_probability: float = 0.0,
    xtc_threshold: float = 0.1, xtc_special_tokens: Any = (),
) -> dict[str, Any]:  # fmt: skip
    return {"temp": temp, "top_p": top_p, "min_p": min_p, "top_k": top_k}


def make_logits_processors(
    logit_bias: Any = None, repetition_penalty: float | None = None, repetition_context_size: int | None = 20, presence_penalty: float | None = None,
    presence_context_size: int | None = 20, frequency_penalty: float | None = None, frequency_context_size: int | None = 20,
) -> dict[str, Any]:  # fmt: skip
    return {"repetition_penalty": repetition_penalty}
