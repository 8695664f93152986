"""The segments of a turn: what each of its models has added to the message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, ToolCall

from lg_toolroute.gates.chunks import highest_block


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a turn, as it was shown.

    Attributes:
        message: What one model said: words and kept calls, or the calls it wrote.
        slots: The position in the landed message of each of its calls.
        writes: It holds calls that a rule gave to this model; otherwise it is reasoning.
        cut: The model was stopped in the middle.
    """

    message: AIMessage
    slots: tuple[int, ...] = ()
    writes: bool = False
    cut: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"message": self.message, "slots": list(self.slots), "writes": self.writes, "cut": self.cut}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Segment:
        message = data["message"]
        if isinstance(message, Mapping):  # after a trip through JSON, as clients of a LangGraph server make it
            message = AIMessage.model_validate({**message, "type": "ai"})
        return cls(message, tuple(data["slots"]), data["writes"], data["cut"])


def placed_calls(segments: Sequence[Segment]) -> dict[int, ToolCall]:
    """The calls of a message that are written already, by slot, in order."""
    found = {slot: call for segment in segments for slot, call in zip(segment.slots, segment.message.tool_calls, strict=False)}
    return dict(sorted(found.items()))


def shown_text(segments: Sequence[Segment]) -> str:
    """The words that were shown so far, for the model that goes on."""
    return "".join(segment.message.text for segment in segments if not segment.writes)


def next_block_index(segments: Sequence[Segment]) -> int:
    """Where the content blocks of the next segment start; 0 while no segment has indexed blocks."""
    return max((highest_block(segment.message.content) for segment in segments), default=-1) + 1


def message_of(chunks: Sequence[AIMessageChunk]) -> AIMessage:
    """The chunks that a model has streamed, added up; an empty message where it streamed none."""
    if not chunks:
        return AIMessageChunk(content="")
    return chunks[0] + list(chunks[1:]) if len(chunks) > 1 else chunks[0]
