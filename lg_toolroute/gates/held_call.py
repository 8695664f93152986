"""A tool call on its way: what it says so far, and what a chunk says about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk

from lg_toolroute.core.turn.turn import Intercepted


class HeldCall:
    """A call on its way: what it says so far, and its pieces as chunks, if one of them carries more than name, id and arguments."""

    __slots__ = ("args", "block", "decided", "id", "name", "pieces", "routed", "slot")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.name = ""
        self.id: str | None = None
        self.args = ""
        self.pieces: list[AIMessageChunk] = []
        self.block: int | None = None
        self.decided = False
        self.routed: Intercepted | None = None


def index_of(call: HeldCall | Intercepted) -> int:
    """The index of a call's chunks: that of its content block, where there is one, as a provider sends it; otherwise its position."""
    return call.slot if call.block is None else call.block


def kwargs_of(extra: Mapping[str, Any], call_id: str | None) -> dict[str, Any]:
    """What a chunk says beside its content about one call. The raw copy of all calls, which some clients put there, is left out."""
    kept = {key: value for key, value in extra.items() if key not in {"tool_calls", "function_call"}}
    for key, value in kept.items():
        if isinstance(value, dict) and call_id in value:  # by call id, as Gemini's thought signatures are
            kept[key] = {call_id: value[call_id]}
    return kept
