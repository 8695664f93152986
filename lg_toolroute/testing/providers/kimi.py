"""Moonshot's Kimi."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from lg_toolroute.testing.providers import bodies, forcing, ids, settings, thinks
from lg_toolroute.testing.providers.chat_rules import CHOICE, IMITATION, UNFORCED
from lg_toolroute.testing.providers.profile import ProviderProfile
from lg_toolroute.testing.providers.rule import Refusal, Rule
from lg_toolroute.testing.server_request import ServerRequest

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
    apis=IMITATION,
    rules=(
        Rule(
            "no forced choice while it thinks",
            "inspect_ai#5152, oh-my-pi#827, oh-my-pi#1077",
            forcing.refuses(_INCOMPATIBLE, when=thinks.unless_disabled),
        ),
        *CHOICE,
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
        *UNFORCED,
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
    rules=(Rule("no named choice", "oh-my-pi#5994", forcing.refuses(_INCOMPATIBLE, {"name"})), *UNFORCED, _ONLY_ONE, _NOT_BOTH, _KIMI_REASONING),
    thinks=thinks.always,
)
KIMI: Final = (KIMI_K2_6, KIMI_K2_7_CODE, KIMI_FOR_CODING, KIMI_CODING_AGENTS_ONLY, KIMI_K3)
