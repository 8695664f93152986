"""Other providers whose models think, and those that lead to such models."""

from __future__ import annotations

from typing import Final

from lg_toolroute.testing.providers import bodies, forcing, ids, settings, thinks
from lg_toolroute.testing.providers.chat_rules import CHAT, CHOICE, IMITATION, UNFORCED
from lg_toolroute.testing.providers.histories import deepseek
from lg_toolroute.testing.providers.profile import History, ProviderProfile
from lg_toolroute.testing.providers.rule import Refusal, Rule

DEEPSEEK_V4: Final = ProviderProfile(
    "deepseek-v4",
    "DeepSeek V4; thinks unless `thinking: {type: disabled}`",
    models=("deepseek-v4-pro", "deepseek-v4-flash"),
    apis={CHAT: History(deepseek.check, deepseek.RULES)},
    rules=(
        Rule(
            # Servers were seen to take `auto` (litellm#37470); the guide says that the parameter is refused, and the guide is what is enforced.
            "no choice while it thinks, not even auto",
            "DeepSeek-V3#1376, langchain#40769, any-llm#1384",
            forcing.refuses("Thinking mode does not support this tool_choice", forcing.FORCED | {"auto", "none"}, when=thinks.unless_disabled),
        ),
        *CHOICE,
        Rule("its reasoning comes back", "zed#55321, pi#3636", thinks.deepseek_reasoning),
    ),
    body=bodies.deepseek,
    thinks=thinks.unless_disabled,
    new_id=ids.deepseek,
)
QWEN_THINKING: Final = ProviderProfile(
    "qwen-thinking",
    "Qwen at DashScope; thinks unless `enable_thinking: false`",
    models=("qwen3.6-plus", "qwen3.7-plus"),
    apis=IMITATION,
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
        *CHOICE,
    ),
    body=bodies.dashscope,
    thinks=thinks.unless_switched_off,
    new_id=ids.prefixed("call_", 24),
)
ZAI_GLM: Final = ProviderProfile(
    "zai-glm",
    "GLM at Z.ai; thinks unless `thinking: {type: disabled}`",
    models=("glm-5.1", "glm-4.7"),
    apis=IMITATION,
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
    apis=IMITATION,
    rules=(Rule("no forced choice", "zed#36094, hermes-agent#23411", forcing.refuses(_NOWHERE), Refusal("", status=404)), *UNFORCED),
    body=bodies.openrouter,
    new_id=ids.prefixed("call_", 24),
)
OPENROUTER_GEMINI_3: Final = ProviderProfile(
    "openrouter-gemini-3",
    "Gemini 3 behind OpenRouter; thinks",
    models=("google/gemini-3-pro-preview",),
    apis=IMITATION,
    rules=(Rule("its reasoning_details come back", "jan#7009, vscode#279676, agent-framework#2947", thinks.openrouter_details), *CHOICE),
    body=bodies.behind_openrouter,
    thinks=thinks.always,
    thinking_as="reasoning_details",
    new_id=lambda tool, place, digest: f"tool_{place}_{tool}_{digest[:20]}",
)
GEMINI: Final = ProviderProfile(
    "gemini",
    "Gemini 3 by its API for OpenAI's clients; thinks, and shows a signature only",
    models=("gemini-3-pro-preview",),
    apis=IMITATION,
    rules=(
        Rule(
            "parameters exist",
            "openclaude#585, free-claude-code#542",
            settings.unknown('Invalid JSON payload received. Unknown name "{name}": Cannot find field.', settings.CHAT | {"extra_body"}),
        ),
        *CHOICE,
        Rule("its signatures come back", "OpenChatCut#6, openclaude#431, opencode#4832", thinks.gemini_signature),
    ),
    body=bodies.gemini,
    thinks=thinks.always,
    shows_thinking=thinks.never,
    signs_calls=True,
    new_id=lambda tool, place, digest: f"function-call-{int(digest[:15], 16)}",
)
THINKERS: Final = (DEEPSEEK_V4, QWEN_THINKING, ZAI_GLM, OPENROUTER, OPENROUTER_GEMINI_3, GEMINI)
