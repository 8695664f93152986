"""The chunks of several inner models as the chunks of one message: one id, and indices that never meet.

Usage and metadata are kept back, because adding chunks would glue two models' names together; the last chunk carries what landed.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.gates.chunks import generation, is_call_block
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.runner.request_parts import Request

_FORMAT_KEYS = ("model_provider", "output_version")
"""The metadata keys that say in which format a chunk's content is."""


class OuterChunks:
    """Makes chunks of inner models chunks of the outer one.

    Args:
        message_id: The id every chunk carries.
        first_index: The first index of a block or a call.
    """

    def __init__(self, message_id: str, *, first_index: int = 0) -> None:
        self.message_id = message_id
        self._index = first_index
        self._blocks: dict[tuple[int, int], int] = {}
        self._calls: dict[int, int] = {}
        self._requests: list[Request] = []
        self._format: dict[str, Any] = {}
        self._has_blocks = False

    def show(self, chunk: AIMessageChunk, request: Request) -> ChatGenerationChunk | None:
        """The outer chunk for an inner one; `None` if it holds metadata only, which goes onto the last chunk.

        Args:
            chunk: From the inner model, past its gate, which lets the pieces of one call through at a time.
            request: What the inner model was asked.
        """
        if not self._requests or self._requests[-1] is not request:
            self._requests.append(request)
        extra = {key: value for key, value in chunk.additional_kwargs.items() if value}
        if not chunk.content and not chunk.tool_call_chunks and not extra:
            return None
        pieces = [self._call_chunk(piece, request) for piece in chunk.tool_call_chunks]
        content = self._content(chunk, pieces, request)
        metadata = self._format_metadata(chunk, content, request)
        if not pieces:  # a copy costs a third of a new chunk, and most chunks are words
            changed = {"content": content, "additional_kwargs": extra, "response_metadata": metadata, "id": self.message_id}
            return generation(chunk.model_copy(update={**changed, "usage_metadata": None, "chunk_position": None}))
        return generation(
            AIMessageChunk(content=content, additional_kwargs=extra, tool_call_chunks=pieces, response_metadata=metadata, id=self.message_id)
        )

    def last(self, landed: AIMessage) -> ChatGenerationChunk:
        """The chunk that ends the message, with everything that belongs to the whole of it."""
        return generation(
            AIMessageChunk(
                content=[] if self._has_blocks else "",
                id=self.message_id,
                chunk_position="last",
                usage_metadata=landed.usage_metadata,
                response_metadata=landed.response_metadata,
            )
        )

    def _call_chunk(self, piece: ToolCallChunk, request: Request) -> ToolCallChunk:
        slot = _slot(piece, request)
        if slot not in self._calls:
            self._calls[slot] = self._next_index()
        return tool_call_chunk(name=piece["name"], args=piece["args"], id=piece["id"], index=self._calls[slot])

    def _content(self, chunk: AIMessageChunk, pieces: list[ToolCallChunk], request: Request) -> str | list[Any]:
        if pieces and isinstance(request.gate, WriteGate):
            # The model that speaks first decides whether content holds blocks of the calls, not the one that writes them.
            if self._format.get("output_version") == "v1":
                return [dict(piece) for piece in pieces]
            if all(block is None for block in request.gate.blocks):
                return ""
        if isinstance(chunk.content, str):
            return chunk.content
        # The blocks of a call have the index of its chunks, as they have where a provider sends both.
        return [
            {**block, "index": pieces[0]["index"]} if pieces and isinstance(block, dict) and is_call_block(block) else self._block(block)
            for block in chunk.content
        ]

    def _block(self, block: Any) -> Any:
        if not isinstance(block, dict) or not isinstance(block.get("index"), int):
            return block
        place = (len(self._requests), block["index"])
        if place not in self._blocks:
            self._blocks[place] = self._next_index()
        return {**block, "index": self._blocks[place]}

    def _next_index(self) -> int:
        self._index += 1
        return self._index - 1

    def _format_metadata(self, chunk: AIMessageChunk, content: str | list[Any], request: Request) -> dict[str, Any]:
        """The metadata that says how a chunk's content is to be read. The model that speaks first decides the format of the whole message."""
        is_words = request is self._requests[0] or not isinstance(request.gate, WriteGate)
        # A writer's blocks are in the dialect of the `model_provider` that its gate sets; its `output_version` describes its own message only.
        keys = _FORMAT_KEYS if is_words else ("model_provider",)
        metadata = {key: chunk.response_metadata[key] for key in keys if chunk.response_metadata.get(key)}
        for key, value in metadata.items():
            self._format.setdefault(key, value)
        if not is_words and isinstance(content, list) and "output_version" in self._format:
            metadata["output_version"] = self._format["output_version"]
        self._has_blocks = self._has_blocks or isinstance(content, list)
        return {key: value for key, value in metadata.items() if self._format.get(key) == value}


def _slot(piece: ToolCallChunk, request: Request) -> int:
    """The position of a call among the message's calls. Its own index is the provider's, and may count blocks."""
    gate, call_id = request.gate, piece["id"]
    if isinstance(gate, WriteGate):
        known = [*zip(gate.call_ids, gate.slots, strict=True), *((call_id, slot) for slot, call_id, _, _ in gate.accepted)]
    else:
        known = [*((call.call_id, call.slot) for call in gate.routed), *((call.id or "", call.slot) for call in gate.calls)]
    return next((slot for known_id, slot in known if known_id == call_id), piece["index"] or 0)
