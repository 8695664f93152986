"""Taking streamed chunks apart: which part of a chunk is text, which belongs to which tool call.

A call lives twice in a chunk: in `tool_call_chunks`, and, with clients whose content is a list, as blocks in `content`. Both go the
same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

CALL_BLOCKS = frozenset({"tool_use", "input_json_delta", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call", "custom_tool_call"})
"""Content blocks that are (a part of) a call of a tool of ours. Server-side tools run at the provider and are content."""


def is_call_block(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") in CALL_BLOCKS


def as_chunk(message: AIMessage) -> AIMessageChunk:
    """A whole message as the one chunk of its stream."""
    if isinstance(message, AIMessageChunk):
        return message
    calls = [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index) for index, call in enumerate(message.tool_calls)
    ]
    broken = [
        tool_call_chunk(name=call.get("name"), args=call.get("args"), id=call.get("id"), index=len(calls) + index)
        for index, call in enumerate(message.invalid_tool_calls)
    ]
    return AIMessageChunk(
        content=_indexed(message.content),
        additional_kwargs={key: value for key, value in message.additional_kwargs.items() if key not in {"tool_calls", "function_call"}},
        response_metadata=message.response_metadata,
        tool_call_chunks=[*calls, *broken],
        usage_metadata=message.usage_metadata,
        id=message.id,
        name=message.name,
    )


def _indexed(content: str | list[Any]) -> str | list[Any]:
    """The blocks of a whole message with the indices they would have had in its stream, where there are calls among them."""
    if isinstance(content, str) or not any(map(is_call_block, content)):
        return content
    return [{"index": position, **block} if isinstance(block, dict) else block for position, block in enumerate(content)]


def text_part(chunk: AIMessageChunk, *, until: int | None = None) -> str | list[Any]:
    """The content of a chunk without what belongs to calls.

    Args:
        chunk: The chunk.
        until: Position in a content list from which on nothing is wanted.
    """
    if isinstance(chunk.content, str):
        return chunk.content
    blocks = chunk.content if until is None else chunk.content[:until]
    return [block for block in blocks if not is_call_block(block)]


def call_blocks(chunk: AIMessageChunk) -> list[dict[str, Any]]:
    """The content blocks of a chunk that belong to calls, in order."""
    if isinstance(chunk.content, str):
        return []
    return [block for block in chunk.content if isinstance(block, dict) and block.get("type") in CALL_BLOCKS]


def deal_blocks(blocks: Iterable[dict[str, Any]], pieces: list[ToolCallChunk]) -> list[list[dict[str, Any]]]:
    """Which content blocks belong to which tool call chunk: by id, else by index, else by order."""
    dealt: list[list[dict[str, Any]]] = [[] for _ in pieces]
    for position, block in enumerate(blocks):
        mark = block.get("id") or block.get("call_id")
        home = next((i for i, piece in enumerate(pieces) if mark and mark == piece.get("id")), None)
        if home is None:
            index = block.get("index")
            home = next((i for i, piece in enumerate(pieces) if index is not None and index == piece.get("index")), None)
        if home is None:
            home = min(position, len(pieces) - 1)
        dealt[home].append(block)
    return dealt


def has_content(content: str | list[Any]) -> bool:
    """Is there anything a consumer would see? An empty string, or blocks of empty text, are nothing."""
    if isinstance(content, str):
        return bool(content)
    return any(bool(block) if isinstance(block, str) else _block_shows(block) for block in content)


def _block_shows(block: dict[str, Any]) -> bool:
    return any(bool(value) for key, value in block.items() if key not in {"type", "index", "id", "annotations"})


def shift_blocks(content: str | list[Any], offset: int) -> str | list[Any]:
    """Content whose block indices start behind those of an earlier segment of the same message."""
    if not offset or isinstance(content, str):
        return content
    return [
        {**block, "index": block["index"] + offset} if isinstance(block, dict) and isinstance(block.get("index"), int) else block for block in content
    ]


def highest_block(content: str | list[Any]) -> int:
    """The highest block index in a content list; -1 if there is none."""
    if isinstance(content, str):
        return -1
    return max((block["index"] for block in content if isinstance(block, dict) and isinstance(block.get("index"), int)), default=-1)


def generation(message: AIMessageChunk, info: dict[str, Any] | None = None) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=message, generation_info=info)


def merged(chunks: Iterable[ChatGenerationChunk]) -> AIMessageChunk | None:
    """All chunks as one; `None` if there are none."""
    messages: Iterator[AIMessageChunk] = (chunk.message for chunk in chunks if isinstance(chunk.message, AIMessageChunk))
    first = next(messages, None)
    if first is None:
        return None
    rest = list(messages)
    return first + rest if rest else first
