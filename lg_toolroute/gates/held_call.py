"""A tool call that is held back while its model is still writing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk

from lg_toolroute.core.turn.turn import Intercepted
from lg_toolroute.gates.arguments import ShortArguments
from lg_toolroute.gates.chunks import call_chunk


@dataclass(slots=True, eq=False)
class HeldCall:
    """A tool call as far as its model has written it.

    Attributes:
        slot: Its position among the calls of the message.
        name: The tool's name.
        id: The call's id.
        args: The arguments, as JSON.
        block: The index of the call's content block; `None` where the content does not name the calls.
        decided: The name is complete, so it is known whether the call is routed.
        routed: The record of the routed call; `None` for a call that is kept.
        short: Its arguments up to the first long one, where it may be cut there.
    """

    slot: int
    name: str = ""
    id: str | None = None
    args: str = ""
    block: int | None = None
    decided: bool = False
    routed: Intercepted | None = None
    short: ShortArguments | None = None
    _beside: list[AIMessageChunk] = field(default_factory=list)

    def add(self, piece: ToolCallChunk, blocks: Sequence[Any] = (), extras: Mapping[str, Any] | None = None) -> None:
        """Add one piece of the call, with its content blocks and the `additional_kwargs` of its chunk."""
        self.name += piece.get("name") or ""
        self.id = piece.get("id") or self.id
        self.args += piece.get("args") or ""
        if self.block is None and blocks and blocks[0].get("type") == "tool_use" and isinstance(blocks[0].get("index"), int):
            self.block = blocks[0]["index"]
        own = _of_call(extras, self.id) if extras else {}
        if blocks or own:
            self._beside.append(AIMessageChunk(content=list(blocks), additional_kwargs=own))

    def rename(self, call_id: str) -> None:
        """Give the call another id, also in its content blocks and in what is kept beside it."""
        old, self.id = self.id, call_id
        for beside in self._beside:
            beside.content = [_renamed(block, old, call_id) for block in beside.content]
            beside.additional_kwargs = {
                key: {call_id: value[old]} if isinstance(value, dict) and old in value else value for key, value in beside.additional_kwargs.items()
            }

    def retitle(self, tool: str) -> None:
        """Give the call the name of the tool that it means, also in its content blocks."""
        self.name, title = tool, tool
        for beside in self._beside:
            content: list[Any] = []
            for block in beside.content:
                if isinstance(block, dict) and block.get("name"):
                    block, title = {**block, "name": title}, ""  # names that come in pieces are added up
                content.append(block)
            beside.content = content

    def as_chunk(self, message_id: str, provider: str | None) -> AIMessageChunk:
        """The complete call as one chunk, its content blocks in the format of `provider`.

        Its pieces cannot be shown as they came: one that ends inside an escape sequence could not be serialised.
        """
        index = self.slot if self.block is None else self.block
        chunk = call_chunk(message_id, name=self.name or None, args=self.args if self.args.strip() else "{}", call_id=self.id, slot=index)
        if self._beside:
            beside = self._beside[0] + self._beside[1:] if self._beside[1:] else self._beside[0]
            chunk.content, chunk.additional_kwargs = beside.content or "", beside.additional_kwargs
            chunk.response_metadata = {"model_provider": provider} if beside.content and provider else {}
        return chunk


def _renamed(block: Any, old: str | None, new: str) -> Any:
    mark = "call_id" if block.get("type") in {"function_call", "custom_tool_call"} else "id"
    return {**block, mark: new} if "name" in block and (block.get(mark) or None) == (old or None) else block


def _of_call(extras: Mapping[str, Any], call_id: str | None) -> dict[str, Any]:
    """What `additional_kwargs` say about one call. The raw copy of all calls, which some clients put there, is left out."""
    kept = {key: value for key, value in extras.items() if key not in {"tool_calls", "function_call"}}
    for key, value in kept.items():
        if isinstance(value, dict) and call_id in value:  # keyed by call id, as Gemini's thought signatures are
            kept[key] = {call_id: value[call_id]}
    return kept
