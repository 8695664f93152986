"""The chunks of several inner models as the chunks of one message: one id, indices that never meet, calls in the primary's order.

Usage and metadata are kept back, because adding chunks would glue two models' names together; the last chunk carries what landed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.chunks import generation, is_call_block
from lg_toolroute.cut import ReasonGate
from lg_toolroute.request import Request
from lg_toolroute.write import WriteGate

_KEPT = ("model_provider", "output_version")
"""What a chunk's own content is read by."""


class Outward:
    """Makes chunks of inner models chunks of the outer one.

    Args:
        message_id: The id every chunk carries.
        first_index: The first index of a block or a call.
    """

    def __init__(self, message_id: str, *, first_index: int = 0) -> None:
        self.message_id = message_id
        self._next = first_index
        self._blocks: dict[tuple[int, int], int] = {}
        self._calls: dict[int, int] = {}
        self._held: dict[int, list[AIMessageChunk]] = {}
        self._awaited: set[int] = set()
        self._written: set[int] = set()
        self._segments: list[Request] = []
        self._owner: dict[str, Any] = {}
        self._listed = False

    def show(self, chunk: AIMessageChunk, request: Request) -> Iterator[ChatGenerationChunk]:
        """What a consumer sees of a chunk, now.

        Args:
            chunk: From the inner model, past its gate.
            request: What the inner model was asked.
        """
        if not self._segments or self._segments[-1] is not request:
            self._segments.append(request)
        if isinstance(request.gate, ReasonGate):
            self._awaited.update(call.slot for call in request.gate.routed if call.slot not in self._written)
        if not chunk.tool_call_chunks:
            yield from self._text(chunk)
            return
        for slot in dict.fromkeys(_slot(piece, request) for piece in chunk.tool_call_chunks):
            part = self._call_part(chunk, slot, request)
            if any(awaited < slot for awaited in self._awaited):
                self._held.setdefault(slot, []).append(part)
            else:
                yield self._call(part, slot)

    def written(self, slots: Iterable[int]) -> Iterator[ChatGenerationChunk]:
        """What may be shown now that the calls in `slots` are whole.

        A call is shown when those before it are whole: whoever adds up chunks gets the primary's order, and in the protocol of v3 a
        block that another one has followed is finished.
        """
        self._written.update(slots)
        self._awaited -= self._written
        yield from self._released()

    def last(self, landed: AIMessage) -> Iterator[ChatGenerationChunk]:
        """What is left to show, and the chunk that ends the message, with everything that belongs to the whole of it."""
        self._awaited.clear()
        yield from self._released()
        yield generation(
            AIMessageChunk(
                content=[] if self._listed else "",
                id=self.message_id,
                chunk_position="last",
                usage_metadata=landed.usage_metadata,
                response_metadata=landed.response_metadata,
            )
        )

    # -- text ------------------------------------------------------------------------------------------------------------------------

    def _text(self, chunk: AIMessageChunk) -> Iterator[ChatGenerationChunk]:
        extra = {key: value for key, value in chunk.additional_kwargs.items() if value}
        if not chunk.content and not extra:
            return  # it said something about the answer as a whole, and that is said at the end
        yield generation(AIMessageChunk(content=self._indexed(chunk.content), additional_kwargs=extra, id=self.message_id, **self._read_by(chunk)))

    def _read_by(self, chunk: AIMessageChunk) -> dict[str, Any]:
        """The metadata that the content of a chunk is read by; the words' owner has the say for the whole message."""
        metadata = {key: chunk.response_metadata[key] for key in _KEPT if chunk.response_metadata.get(key)}
        for key, value in metadata.items():
            self._owner.setdefault(key, value)
        if isinstance(chunk.content, list):
            self._listed = True
            metadata = {**self._owner, **metadata}
        return {"response_metadata": {key: value for key, value in metadata.items() if self._owner[key] == value}}

    def _indexed(self, content: str | list[Any]) -> str | list[Any]:
        if isinstance(content, str):
            return content
        return [self._block(block) for block in content]

    def _block(self, block: Any) -> Any:
        if not isinstance(block, dict) or not isinstance(block.get("index"), int):
            return block
        place = (len(self._segments), block["index"])
        if place not in self._blocks:
            self._blocks[place] = self._fresh()
        return {**block, "index": self._blocks[place]}

    def _fresh(self) -> int:
        self._next += 1
        return self._next - 1

    # -- calls -----------------------------------------------------------------------------------------------------------------------

    def _call_part(self, chunk: AIMessageChunk, slot: int, request: Request) -> AIMessageChunk:
        """What a chunk says about one call. A gate sends the pieces of one call at a time, so its blocks are that call's."""
        pieces = [piece for piece in chunk.tool_call_chunks if _slot(piece, request) == slot]
        blocks = [block for block in chunk.content if is_call_block(block)] if isinstance(chunk.content, list) else []
        if isinstance(request.gate, WriteGate) and self._owner.get("output_version") != "v1" and not any(b is not None for b in request.gate.blocks):
            blocks = []  # the words are another model's, whose content does not name the calls
        return AIMessageChunk(
            content=blocks or "",
            additional_kwargs=chunk.additional_kwargs,
            tool_call_chunks=pieces,
            response_metadata={key: chunk.response_metadata[key] for key in _KEPT if chunk.response_metadata.get(key)},
        )

    def _call(self, part: AIMessageChunk, slot: int) -> ChatGenerationChunk:
        if slot not in self._calls:
            self._calls[slot] = self._fresh()
        index = self._calls[slot]
        # The blocks of a call and its chunks have one index, as they have where a provider sends both.
        content = [{**block, "index": index} for block in part.content if isinstance(block, dict)] if isinstance(part.content, list) else ""
        pieces = [tool_call_chunk(name=piece["name"], args=piece["args"], id=piece["id"], index=index) for piece in part.tool_call_chunks]
        message = AIMessageChunk(
            content=content or "",
            additional_kwargs=part.additional_kwargs,
            tool_call_chunks=pieces,
            id=self.message_id,
            **self._read_by(part),
        )
        return generation(message)

    def _released(self) -> Iterator[ChatGenerationChunk]:
        """Calls that waited for one before them, which is whole now."""
        for slot in sorted(self._held):
            if any(awaited < slot for awaited in self._awaited):
                return
            for part in self._held.pop(slot):
                yield self._call(part, slot)


def _slot(piece: ToolCallChunk, request: Request) -> int:
    """The position of a call among the message's calls. Its own index is the provider's, and may count blocks."""
    gate, mark = request.gate, piece["id"]
    if isinstance(gate, WriteGate):
        known = [*zip(gate.call_ids, gate.slots, strict=True), *((call_id, slot) for slot, call_id, _, _ in gate.accepted)]
    else:
        known = [*((call.call_id, call.slot) for call in gate.routed), *((call.id or "", call.slot) for call in gate.calls)]
    return next((slot for call_id, slot in known if call_id == mark), piece["index"] or 0)
