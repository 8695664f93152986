"""Thinking of Claude 5.1 and newer, which is bound to its model, to its place, and to all that stood before it."""

from __future__ import annotations

from typing import Any

from lg_toolroute.testing.providers.histories.anthropic import RULES as PLAIN
from lg_toolroute.testing.providers.histories.anthropic import blocks_of
from lg_toolroute.testing.providers.histories.anthropic import check as check_plain
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.prefix import prefix_of
from lg_toolroute.testing.providers.rule import Refusal
from lg_toolroute.testing.signatures import digest, signed

# With `thinking: {type: enabled}`, which these models refuse, goes the rule that it opens a tool loop.
RULES = {
    **{name: source for name, source in PLAIN.items() if name != "thinking opens the tool loop"},
    "thinking stays behind its system prompt": "pydantic-ai#7984, opencode#48637",
    "thinking stays behind its tools": "pydantic-ai#7984",
    "thinking stays behind its messages": 'Anthropic docs, "Preserved thinking"; hermes-agent#106426',
    "thinking is unchanged and in its place": "claude-code#63448, CLIProxyAPI#3624",
}


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    return check_plain(body, minted) + [what for place in range(len(body.get("messages") or [])) for what in _message(body, place)]


def _message(body: dict[str, Any], place: int) -> list[Refusal]:
    blocks = blocks_of(body["messages"][place].get("content"))
    calls = 0
    wrong: list[Refusal] = []
    for number, block in enumerate(blocks):
        if block.get("type") == "tool_use":
            calls += 1
        if block.get("type") != "thinking":
            continue
        held, where = signed(block.get("signature")), f"messages.{place}.content.{number}"
        if held.get("text") != digest(block.get("thinking")) or held.get("calls") != digest(calls):
            says = (
                f"{where}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as "
                "they were in the original response."
            )
            wrong.append(Refusal(says, rule="thinking is unchanged and in its place"))
        elif not _may_be_dropped(body):
            wrong += _prefix(body, place, held, where)
    return wrong


def _prefix(body: dict[str, Any], place: int, held: Any, where: str) -> list[Refusal]:
    names = {
        "system": ("The `system` prompt differs from the one", "thinking stays behind its system prompt"),
        "tools": ("The `tools` differ from the ones", "thinking stays behind its tools"),
        "messages": ("An earlier message differs from the one", "thinking stays behind its messages"),
    }
    changed = [name for name, value in prefix_of(body, place).items() if held.get(name) != digest(value)]
    says = (
        "{}: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set "
        '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block". That setting requires the `thinking-binding-controls-2026-08-01` value '
        "in the `anthropic-beta` header. {} this block was created with."
    )
    return [Refusal(says.format(where, names[name][0]), rule=names[name][1]) for name in changed[:1]]


def _may_be_dropped(body: dict[str, Any]) -> bool:
    binding = (body.get("thinking") or {}).get("block_binding") or {}
    return bool(binding.get("prefix_mismatch_behavior") == "drop_block")
