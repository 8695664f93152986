"""Settings bound for one model, as far as another one takes them.

A middleware around the model adds settings for the model it sees (`cache_control`, `prompt_cache_key`, betas); a handoff
sends the request to another provider, which refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lg_toolroute.history.dialects import Api
from lg_toolroute.history.target import Target

_EVERYWHERE: Final = frozenset({"tools", "tool_choice", "temperature", "top_p", "max_tokens", "stop", "strict", "response_format"})
"""LangChain's own names, which each client translates."""

_OPENAI: Final = frozenset({
    "n", "seed", "user", "logprobs", "top_logprobs", "logit_bias", "presence_penalty", "frequency_penalty", "parallel_tool_calls",
    "reasoning_effort", "service_tier", "metadata", "store", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options",
    "safety_identifier", "verbosity", "max_completion_tokens", "stream_options", "extra_body", "extra_headers", "extra_query", "timeout",
    "ls_structured_output_format",
})  # fmt: skip

_KNOWN: Final[dict[Api, frozenset[str]]] = {
    "openai-chat": _OPENAI | {"modalities", "audio", "prediction", "web_search_options", "functions", "function_call"},
    "openai-responses": _OPENAI
    | {"reasoning", "include", "truncation", "text", "previous_response_id", "context_management", "background", "instructions"},
    "anthropic": frozenset({
        "cache_control", "betas", "thinking", "container", "mcp_servers", "context_management", "output_config", "output_format",
        "effort", "reasoning_effort", "inference_geo", "user_profile_id", "top_k", "stop_sequences", "metadata", "service_tier",
        "parallel_tool_calls", "system", "speed", "extra_headers", "extra_body", "extra_query", "timeout", "ls_structured_output_format",
    }),
    "google": frozenset({
        "top_k", "safety_settings", "generation_config", "cached_content", "thinking_budget", "thinking_level", "thinking_config",
        "include_thoughts", "response_mime_type", "response_schema", "response_json_schema", "response_modalities", "media_resolution",
        "image_config", "seed", "labels", "tool_config", "functions", "max_output_tokens", "stop_sequences", "timeout", "max_retries",
        "presence_penalty", "frequency_penalty", "logprobs", "ls_structured_output_format",
    }),
    "mistral": frozenset({
        "safe_prompt", "random_seed", "presence_penalty", "frequency_penalty", "n", "prediction", "parallel_tool_calls", "prompt_mode",
        "metadata", "guardrails", "ls_structured_output_format",
    }),
    "groq": frozenset({
        "n", "seed", "user", "logprobs", "top_logprobs", "logit_bias", "presence_penalty", "frequency_penalty", "parallel_tool_calls",
        "reasoning_effort", "reasoning_format", "include_reasoning", "service_tier", "search_settings", "compound_custom", "documents",
        "citation_options", "metadata", "store", "max_completion_tokens", "stream_options", "extra_body", "extra_headers", "timeout",
        "ls_structured_output_format",
    }),
    "ollama": frozenset({
        "format", "keep_alive", "reasoning", "num_ctx", "num_predict", "num_gpu", "num_thread", "num_keep", "seed", "top_k", "min_p",
        "tfs_z", "repeat_last_n", "repeat_penalty", "mirostat", "mirostat_eta", "mirostat_tau", "options", "logprobs", "top_logprobs",
        "ls_structured_output_format",
    }),
    "deepseek": frozenset({
        "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "reasoning_effort", "user", "stream_options", "extra_body",
        "extra_headers", "extra_query", "timeout", "ls_structured_output_format",
    }),
    "unknown": frozenset(),
}  # fmt: skip

_FIRST_PARTY_ONLY: Final = frozenset({
    "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "verbosity", "store", "service_tier",
    "web_search_options", "prediction", "modalities", "audio",
})  # fmt: skip
"""What servers that imitate OpenAI often refuse."""


def sanitize_settings(settings: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """Keep the settings that the target's client and API know.

    Args:
        settings: Bound or per-call settings that were meant for another model.
        target: The model they would go to.

    Returns:
        A new mapping, in the same order. A name that nobody here knows is left out: a provider answers an unknown parameter
        with an error, and a setting meant for another model is not missed.
    """
    known = _EVERYWHERE | _KNOWN[target.api]
    if not target.first_party:
        known -= _FIRST_PARTY_ONLY
    if target.cache_markers:
        known |= {"cache_control"}
    return {name: value for name, value in settings.items() if name in known}
