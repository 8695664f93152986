"""Anthropic's Claude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lg_toolroute.testing.providers import bodies, forcing, ids, settings, thinks
from lg_toolroute.testing.providers.histories import anthropic, bound_thinking
from lg_toolroute.testing.providers.profile import History, ProviderProfile
from lg_toolroute.testing.providers.rule import Refusal, Rule
from lg_toolroute.testing.server_request import ServerRequest

_MESSAGES: Final = "/v1/messages"
_WHATS_NEW: Final = 'Anthropic docs, "What\'s new in Claude Opus 5.5"'


def _shows_thinking(request: ServerRequest) -> bool:
    thinking = request.body.get("thinking")
    return isinstance(thinking, Mapping) and thinking.get("display", "omitted") != "omitted"


def _temperature(request: ServerRequest) -> Refusal | None:
    if not thinks.if_enabled(request) or request.body.get("temperature") in (None, 1):
        return None
    return Refusal("`temperature` may only be set to 1 when thinking is enabled.")


def _unbound(request: ServerRequest) -> str | None:
    named = request.forced_tool
    return None if named is None or named in request.tools else f"Tool '{named}' not found in provided tools"


_BOUND: Final = Rule("the tool that is chosen is bound", "Anthropic API reference, `tool_choice`", _unbound)

CLAUDE_5_5: Final = ProviderProfile(
    "claude-5.5",
    "Claude Opus 5.5, Sonnet 5.5, Fable 5.1 and newer; always think, and do not show it unless asked",
    models=("claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1"),
    apis={_MESSAGES: History(bound_thinking.check, bound_thinking.RULES)},
    rules=(
        Rule(
            "no forced choice",
            f"oh-my-pi#12939; {_WHATS_NEW}",
            forcing.refuses('tool_choice: type "tool" and "any" are not supported for this model.'),
        ),
        Rule(
            "thinking cannot be switched off",
            f"{_WHATS_NEW}; Claude Opus 5.5 migration guide",
            settings.type_of(
                "thinking",
                {
                    "disabled": '"thinking.type.disabled" is not supported for this model.',
                    "enabled": '"thinking.type.enabled" is not supported for this model.',
                },
            ),
        ),
    ),
    body=bodies.anthropic,
    thinks=thinks.always,
    shows_thinking=_shows_thinking,
    binds_thinking=True,
    between_calls=True,
    new_id=ids.prefixed("toolu_01", 22),
)
CLAUDE_4_5: Final = ProviderProfile(
    "claude-4.5",
    "Claude Sonnet 4.5 and its like; think where `thinking` says so",
    models=("claude-sonnet-4-5", "claude-opus-4-5"),
    apis={_MESSAGES: History(anthropic.check, anthropic.RULES)},
    rules=(
        Rule(
            "no forced choice while it thinks",
            "mastra#7507, oh-my-pi#341",
            forcing.refuses("Thinking may not be enabled when tool_choice forces tool use.", when=thinks.if_enabled),
        ),
        _BOUND,
        Rule("temperature is 1 while it thinks", 'Anthropic docs, "Extended thinking"', _temperature),
    ),
    body=bodies.anthropic,
    thinks=thinks.if_enabled,
    new_id=ids.prefixed("toolu_01", 22),
)
CLAUDE: Final = (CLAUDE_5_5, CLAUDE_4_5)
