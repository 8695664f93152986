"""OpenAI, and the providers that can be forced as it can."""

from __future__ import annotations

from typing import Final

from lg_toolroute.testing.providers import bodies, forcing, ids, settings, thinks
from lg_toolroute.testing.providers.chat_rules import CHAT, CHOICE, IMITATION
from lg_toolroute.testing.providers.histories import groq, imitation, mistral, openai_chat, openai_responses
from lg_toolroute.testing.providers.profile import History, ProviderProfile
from lg_toolroute.testing.providers.rule import Refusal, Rule
from lg_toolroute.testing.server_request import ServerRequest

_OPENAI_ONLY: Final = frozenset({
    "logit_bias", "logprobs", "top_logprobs", "store", "metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention",
    "prompt_cache_options", "safety_identifier", "verbosity", "modalities", "audio", "prediction", "web_search_options", "functions", "function_call",
})  # fmt: skip


def _reasons(request: ServerRequest) -> bool:
    return request.model.startswith(("gpt-5", "o1", "o3", "o4"))


def _old_limit(request: ServerRequest) -> Refusal | None:
    if request.body.get("max_tokens") is None or not _reasons(request):
        return None
    says = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    return Refusal(says, "max_tokens", code="unsupported_parameter")


OPENAI: Final = ProviderProfile(
    "openai",
    "OpenAI's chat completions",
    models=("gpt-5.4", "gpt-4o"),
    apis={CHAT: History(openai_chat.check, openai_chat.RULES)},
    rules=(
        *CHOICE,
        Rule(
            "parameters exist",
            "OpenAI API reference, error code `unknown_parameter`",
            settings.unknown("Unknown parameter: '{name}'.", settings.CHAT | _OPENAI_ONLY),
            Refusal("", code="unknown_parameter"),
        ),
        Rule("a model that reasons takes max_completion_tokens", "OpenAI API reference, `max_tokens`", _old_limit),
    ),
    new_id=ids.prefixed("call_", 24),
)
OPENAI_RESPONSES: Final = ProviderProfile(
    "openai-responses",
    "OpenAI's Responses; reasons, and shows a summary where one is asked for",
    models=("gpt-5.4",),
    apis={"/v1/responses": History(openai_responses.check, openai_responses.RULES)},
    rules=CHOICE,
    thinks=thinks.always,
    shows_thinking=lambda request: bool((request.body.get("reasoning") or {}).get("summary")),
    new_id=ids.prefixed("call_", 24),
)
MISTRAL: Final = ProviderProfile(
    "mistral",
    "Mistral",
    models=("mistral-large-latest",),
    apis={CHAT: History(mistral.check, mistral.RULES)},
    rules=(
        Rule("a choice is no bare name", "Mistral API reference, `ToolChoiceEnum`", forcing.bare_name("auto", "none", "any", "required")),
        Rule(
            "parameters exist",
            'mistral-common, `ChatCompletionRequest` (pydantic, `extra="forbid"`)',
            settings.unknown(
                "body.{name}: Extra inputs are not permitted",
                settings.CHAT - {"max_completion_tokens", "seed", "user"} | {"safe_prompt", "random_seed", "prompt_mode", "prediction", "metadata"},
            ),
            Refusal("", status=422),
        ),
    ),
    body=bodies.mistral,
    new_id=ids.prefixed("", 9),
)
GROQ: Final = ProviderProfile(
    "groq",
    "Groq",
    models=("llama-3.3-70b-versatile",),
    apis={CHAT: History(groq.check, groq.RULES)},
    rules=(
        *CHOICE,
        Rule(
            "no logprobs and no logit_bias",
            'Groq docs, "Currently unsupported OpenAI features"',
            settings.unsupported("`{name}` is not supported with this model", "logprobs", "logit_bias", "top_logprobs"),
        ),
    ),
    new_id=ids.prefixed("call_", 4),
)


def _xai(name: str, wire: str) -> Rule:
    check = settings.unsupported(f"Argument not supported on this model: {wire}", name)
    return Rule(f"no {name}", "uni-api#105, NativeTavern#83, langchain#38335", check)


XAI: Final = ProviderProfile(
    "xai",
    "xAI's Grok",
    models=("grok-4.6",),
    apis=IMITATION,
    rules=(*CHOICE, _xai("presence_penalty", "presencePenalty"), _xai("frequency_penalty", "frequencyPenalty"), _xai("stop", "stop")),
    body=bodies.xai,
    new_id=ids.prefixed("call_", 8),
)
TOGETHER: Final = ProviderProfile(
    "together", "Together", models=("Qwen/Qwen3-Coder",), apis=IMITATION, rules=CHOICE, new_id=ids.prefixed("call_", 24)
)
_CEREBRAS_SAYS: Final = "messages.{place}.assistant.{key}: property 'messages.{place}.assistant.{key}' is unsupported"
CEREBRAS: Final = ProviderProfile(
    "cerebras",
    "Cerebras; thinks under the name `reasoning`",
    models=("gpt-oss-120b",),
    apis={
        CHAT: History(
            imitation.refusing("assistant", {"reasoning_content"}, _CEREBRAS_SAYS),
            {**imitation.RULES, "keys exist": "kilocode#10375, qwen-code#11045"},
        )
    },
    rules=(
        *CHOICE,
        Rule("parameters exist", "Empryo#209", settings.unknown("{name}: property '{name}' is unsupported", settings.CHAT | _OPENAI_ONLY)),
    ),
    body=bodies.cerebras,
    thinks=thinks.always,
    thinking_as="reasoning",
    new_id=ids.prefixed("", 9),
)
FORCEABLE: Final = (OPENAI, OPENAI_RESPONSES, MISTRAL, GROQ, XAI, TOGETHER, CEREBRAS)
