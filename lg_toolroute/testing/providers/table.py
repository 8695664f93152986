"""The table of providers: one profile for each, with what it refuses and where that is documented or was reported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from lg_toolroute.testing.providers import bodies, forcing, ids, settings, thinks
from lg_toolroute.testing.providers.claude import CLAUDE
from lg_toolroute.testing.providers.histories import deepseek, groq, imitation, mistral, ollama, openai_chat, openai_responses
from lg_toolroute.testing.providers.profile import History, ProviderProfile
from lg_toolroute.testing.providers.rule import Refusal, Rule
from lg_toolroute.testing.server_request import ServerRequest

_CHAT: Final = "/v1/chat/completions"
_REFERENCE: Final = "OpenAI API reference, `tool_choice`"
_CHOICE: Final = (
    Rule("a choice is no bare name", f"{_REFERENCE}; ChatLiteLLM and ChatCohere send one", forcing.bare_name),
    Rule("a choice needs tools", _REFERENCE, forcing.without_tools),
    Rule("the tool that is chosen is bound", _REFERENCE, forcing.unbound_name),
)
"""What all that speak OpenAI's chat completions want of a choice."""
_IMITATION: Final = {_CHAT: History(imitation.check, imitation.RULES)}

# -- DeepSeek ----------------------------------------------------------------------------------------------------------------------------

DEEPSEEK_V4: Final = ProviderProfile(
    "deepseek-v4",
    "DeepSeek V4; thinks unless `thinking: {type: disabled}`",
    models=("deepseek-v4-pro", "deepseek-v4-flash"),
    apis={_CHAT: History(deepseek.check, deepseek.RULES)},
    rules=(
        Rule(
            # Servers were seen to take `auto` (litellm#37470); the guide says that the parameter is refused, and the guide is what is enforced.
            "no choice while it thinks, not even auto",
            "DeepSeek-V3#1376, langchain#40769, any-llm#1384",
            forcing.refuses("Thinking mode does not support this tool_choice", forcing.FORCED | {"auto", "none"}, when=thinks.unless_disabled),
        ),
        *_CHOICE,
        Rule("its reasoning comes back", "zed#55321, pi#3636", thinks.deepseek_reasoning),
    ),
    body=bodies.deepseek,
    thinks=thinks.unless_disabled,
    new_id=ids.deepseek,
)

# -- Moonshot ----------------------------------------------------------------------------------------------------------------------------

_INCOMPATIBLE: Final = "tool_choice '{kind}' is incompatible with thinking enabled"
_KIMI_REASONING: Final = Rule("its reasoning comes back, not empty", "opencode#10996, llmgateway#2093, pi#4178", thinks.kimi_reasoning)
_NOT_BOTH: Final = Rule("thinking or reasoning_effort, not both", "nanobot#3939", thinks.kimi_effort)
_ONLY_ONE: Final = Rule(
    "temperature is 1",
    "kodus-ai#1120, opencode-copilot-chat#45",
    settings.fixed("temperature", lambda request: 1, "invalid temperature: only {value} is allowed for this model"),
)

KIMI_K2_6: Final = ProviderProfile(
    "kimi-k2.6",
    "Kimi K2.5 and K2.6; think unless `thinking: {type: disabled}`",
    models=("kimi-k2.6", "kimi-k2.5"),
    apis=_IMITATION,
    rules=(
        Rule(
            "no forced choice while it thinks",
            "inspect_ai#5152, oh-my-pi#827, oh-my-pi#1077",
            forcing.refuses(_INCOMPATIBLE, when=thinks.unless_disabled),
        ),
        *_CHOICE,
        Rule(
            "temperature is 1 while it thinks, otherwise 0.6",
            "zeroclaw#7022, VideoAdGuard#34",
            settings.fixed(
                "temperature",
                lambda request: 1 if thinks.unless_disabled(request) else 0.6,
                "invalid temperature: only {value} is allowed for this model",
            ),
        ),
        _NOT_BOTH,
        _KIMI_REASONING,
    ),
    body=bodies.moonshot,
    thinks=thinks.unless_disabled,
    new_id=ids.kimi,
)
KIMI_K2_7_CODE: Final = replace(
    KIMI_K2_6,
    name="kimi-k2.7-code",
    about="Kimi K2.7 Code; always thinks",
    models=("kimi-k2.7-code", "kimi-k2.7-code-highspeed"),
    rules=(
        Rule(
            "thinking cannot be switched off",
            "oh-my-pi#3852, modelparams.dev#168",
            settings.type_of("thinking", {"disabled": "invalid thinking: only type=enabled is allowed for this model"}),
        ),
        Rule("no forced choice", "inspect_ai#5152", forcing.refuses(_INCOMPATIBLE)),
        *_CHOICE,
        _ONLY_ONE,
        _NOT_BOTH,
        _KIMI_REASONING,
    ),
    thinks=thinks.always,
)
KIMI_FOR_CODING: Final = replace(
    KIMI_K2_7_CODE, name="kimi-for-coding", about="api.kimi.com/coding; K2.7 Code behind another name (oh-my-pi#3853)", models=("kimi-for-coding",)
)
_LISTED_AGENTS: Final = re.compile(r"kimi[-_ ]?(cli|code)|claude-(cli|code)|roo-?code|kilo-?code", re.IGNORECASE)


def _unlisted_agent(request: ServerRequest) -> str | None:
    if _LISTED_AGENTS.search(request.headers.get("user-agent", "")):
        return None
    return "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code, Roo Code, Kilo Code, etc."


KIMI_CODING_AGENTS_ONLY: Final = replace(
    KIMI_FOR_CODING,
    name="kimi-coding-agents-only",
    about="the same, and only listed agents are served, by `User-Agent`",
    rules=(
        Rule("only listed agents", "cline#10307, kimi-code#413", _unlisted_agent, Refusal("", status=403, kind="access_terminated_error")),
        *KIMI_FOR_CODING.rules,
    ),
)
KIMI_K3: Final = replace(
    KIMI_K2_6,
    name="kimi-k3",
    about="Kimi K3; always thinks, takes `required`",
    models=("kimi-k3", "k3"),
    rules=(Rule("no named choice", "oh-my-pi#5994", forcing.refuses(_INCOMPATIBLE, {"name"})), *_CHOICE, _ONLY_ONE, _NOT_BOTH, _KIMI_REASONING),
    thinks=thinks.always,
)

# -- other models that think -------------------------------------------------------------------------------------------------------------

QWEN_THINKING: Final = ProviderProfile(
    "qwen-thinking",
    "Qwen at DashScope; thinks unless `enable_thinking: false`",
    models=("qwen3.6-plus", "qwen3.7-plus"),
    apis=_IMITATION,
    rules=(
        Rule(
            "no forced choice while it thinks",
            "eino#994, qwen-code#7659, oh-my-pi#886",
            forcing.refuses(
                "<400> InternalError.Algo.InvalidParameter: The tool_choice parameter does not support being set to required or object in "
                "thinking mode",
                when=thinks.unless_switched_off,
            ),
        ),
        *_CHOICE,
    ),
    body=bodies.dashscope,
    thinks=thinks.unless_switched_off,
    new_id=ids.prefixed("call_", 24),
)
ZAI_GLM: Final = ProviderProfile(
    "zai-glm",
    "GLM at Z.ai; thinks unless `thinking: {type: disabled}`",
    models=("glm-5.1", "glm-4.7"),
    apis=_IMITATION,
    rules=(
        Rule(
            "auto is the only choice",
            "hindsight#4246, agentscope docs; the words: OpenDeepWiki#271",
            forcing.refuses("API 调用参数有误，请检查文档。", {"name", "any", "none"}),
            Refusal("", code="1210"),
        ),
    ),
    body=bodies.zai,
    thinks=thinks.unless_disabled,
    new_id=ids.zai,
)
_NOWHERE: Final = (
    "No endpoints found that support the provided 'tool_choice' value. To learn more about provider routing, visit: "
    "https://openrouter.ai/docs/provider-routing"
)
OPENROUTER: Final = ProviderProfile(
    "openrouter",
    "OpenRouter, with endpoints behind it that cannot be forced",
    models=("z-ai/glm-4.7",),
    apis=_IMITATION,
    rules=(Rule("no forced choice", "zed#36094, hermes-agent#23411", forcing.refuses(_NOWHERE), Refusal("", status=404)), *_CHOICE),
    body=bodies.openrouter,
    new_id=ids.prefixed("call_", 24),
)
OPENROUTER_GEMINI_3: Final = ProviderProfile(
    "openrouter-gemini-3",
    "Gemini 3 behind OpenRouter; thinks",
    models=("google/gemini-3-pro-preview",),
    apis=_IMITATION,
    rules=(Rule("its reasoning_details come back", "jan#7009, vscode#279676, agent-framework#2947", thinks.openrouter_details), *_CHOICE),
    body=bodies.behind_openrouter,
    thinks=thinks.always,
    thinking_as="reasoning_details",
    new_id=lambda tool, place, digest: f"tool_{place}_{tool}_{digest[:20]}",
)
GEMINI: Final = ProviderProfile(
    "gemini",
    "Gemini 3 by its API for OpenAI's clients; thinks, and shows a signature only",
    models=("gemini-3-pro-preview",),
    apis=_IMITATION,
    rules=(
        Rule(
            "parameters exist",
            "openclaude#585, free-claude-code#542",
            settings.unknown('Invalid JSON payload received. Unknown name "{name}": Cannot find field.', settings.CHAT | {"extra_body"}),
        ),
        *_CHOICE,
        Rule("its signatures come back", "OpenChatCut#6, openclaude#431, opencode#4832", thinks.gemini_signature),
    ),
    body=bodies.gemini,
    thinks=thinks.always,
    shows_thinking=thinks.never,
    signs_calls=True,
    new_id=lambda tool, place, digest: f"function-call-{int(digest[:15], 16)}",
)

# -- OpenAI and those that can be forced -------------------------------------------------------------------------------------------------

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
    apis={_CHAT: History(openai_chat.check, openai_chat.RULES)},
    rules=(
        *_CHOICE,
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
    rules=_CHOICE,
    thinks=thinks.always,
    shows_thinking=lambda request: bool((request.body.get("reasoning") or {}).get("summary")),
    new_id=ids.prefixed("call_", 24),
)
MISTRAL: Final = ProviderProfile(
    "mistral",
    "Mistral",
    models=("mistral-large-latest",),
    apis={_CHAT: History(mistral.check, mistral.RULES)},
    rules=(
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
    apis={_CHAT: History(groq.check, groq.RULES)},
    rules=(
        *_CHOICE,
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
    apis=_IMITATION,
    rules=(*_CHOICE, _xai("presence_penalty", "presencePenalty"), _xai("frequency_penalty", "frequencyPenalty"), _xai("stop", "stop")),
    body=bodies.xai,
    new_id=ids.prefixed("call_", 8),
)
TOGETHER: Final = ProviderProfile(
    "together", "Together", models=("Qwen/Qwen3-Coder",), apis=_IMITATION, rules=_CHOICE, new_id=ids.prefixed("call_", 24)
)
_CEREBRAS_SAYS: Final = "messages.{place}.assistant.{key}: property 'messages.{place}.assistant.{key}' is unsupported"
CEREBRAS: Final = ProviderProfile(
    "cerebras",
    "Cerebras; thinks under the name `reasoning`",
    models=("gpt-oss-120b",),
    apis={
        _CHAT: History(
            imitation.refusing("assistant", {"reasoning_content"}, _CEREBRAS_SAYS),
            {**imitation.RULES, "keys exist": "kilocode#10375, qwen-code#11045"},
        )
    },
    rules=(
        *_CHOICE,
        Rule("parameters exist", "Empryo#209", settings.unknown("{name}: property '{name}' is unsupported", settings.CHAT | _OPENAI_ONLY)),
    ),
    body=bodies.cerebras,
    thinks=thinks.always,
    thinking_as="reasoning",
    new_id=ids.prefixed("", 9),
)

# -- on one's own machine ----------------------------------------------------------------------------------------------------------------

LM_STUDIO: Final = ProviderProfile(
    "lmstudio",
    "LM Studio",
    models=("qwen3-30b-a3b",),
    apis=_IMITATION,
    rules=(
        Rule(
            "a choice is a word",
            "lmstudio-bug-tracker#670, oh-my-pi#6925",
            forcing.refuses("Invalid tool_choice type: 'object'. Supported string values: none, auto, required", {"name"}),
        ),
    ),
    body=bodies.lm_studio,
    new_id=ids.number,
)
OLLAMA: Final = ProviderProfile(
    "ollama",
    "Ollama, its own API and `/v1`; does not look at the choice",
    models=("qwen3:8b", "gpt-oss:20b"),
    apis={"/api/chat": History(ollama.check, ollama.RULES), **_IMITATION},
    body=bodies.lm_studio,
    thinks=thinks.if_think,
    obeys=False,
    new_id=ids.prefixed("call_", 8),
)
VLLM: Final = ProviderProfile(
    "vllm",
    "vLLM with a tool parser",
    models=("Qwen/Qwen3-8B",),
    apis=_IMITATION,
    rules=_CHOICE,
    body=bodies.vllm,
    new_id=ids.prefixed("chatcmpl-tool-", 32),
)
_FLAGS: Final = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
VLLM_WITHOUT_PARSER: Final = replace(
    VLLM,
    name="vllm-without-parser",
    about="vLLM started without one: a name is all it takes",
    rules=(
        *_CHOICE,
        Rule(
            "no choice of its own",
            "vllm#30613, `serving_chat.py`",
            forcing.refuses(_FLAGS, {"auto", "absent"}, when=lambda request: bool(request.tools)),
        ),
    ),
)

PROFILES: Final[Mapping[str, ProviderProfile]] = {
    profile.name: profile
    for profile in (
        DEEPSEEK_V4, KIMI_K2_6, KIMI_K2_7_CODE, KIMI_FOR_CODING, KIMI_CODING_AGENTS_ONLY, KIMI_K3, QWEN_THINKING, ZAI_GLM, OPENROUTER,
        OPENROUTER_GEMINI_3, *CLAUDE, GEMINI, OPENAI, OPENAI_RESPONSES, MISTRAL, GROQ, XAI, TOGETHER, CEREBRAS, LM_STUDIO, OLLAMA, VLLM,
        VLLM_WITHOUT_PARSER,
    )
}  # fmt: skip
"""The table, by name."""
