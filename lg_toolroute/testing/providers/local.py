"""Servers on one's own machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lg_toolroute.testing.providers import bodies, forcing, ids, thinks
from lg_toolroute.testing.providers.chat_rules import CHOICE, IMITATION
from lg_toolroute.testing.providers.histories import ollama
from lg_toolroute.testing.providers.profile import History, ProviderProfile
from lg_toolroute.testing.providers.rule import Rule

LM_STUDIO: Final = ProviderProfile(
    "lmstudio",
    "LM Studio",
    models=("qwen3-30b-a3b",),
    apis=IMITATION,
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
    apis={"/api/chat": History(ollama.check, ollama.RULES), **IMITATION},
    body=bodies.lm_studio,
    thinks=thinks.if_think,
    obeys=False,
    new_id=ids.prefixed("call_", 8),
)
VLLM: Final = ProviderProfile(
    "vllm",
    "vLLM with a tool parser",
    models=("Qwen/Qwen3-8B",),
    apis=IMITATION,
    rules=CHOICE,
    body=bodies.vllm,
    new_id=ids.prefixed("chatcmpl-tool-", 32),
)
_FLAGS: Final = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
VLLM_WITHOUT_PARSER: Final = replace(
    VLLM,
    name="vllm-without-parser",
    about="vLLM started without one: a name is all it takes",
    rules=(
        *CHOICE,
        Rule(
            "no choice of its own",
            "vllm#30613, `serving_chat.py`",
            forcing.refuses(_FLAGS, {"auto", "absent"}, when=lambda request: bool(request.tools)),
        ),
    ),
)
LOCAL: Final = (LM_STUDIO, OLLAMA, VLLM, VLLM_WITHOUT_PARSER)
