"""Reads and makes streamed chunks: which part of a chunk is text, and which part belongs to which tool call.

A chunk holds a call in `tool_call_chunks`, and a second time as blocks in `content` if its client makes `content` a list. The gates handle both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, cast

from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import add_usage
from langchain_core.messages.tool import ToolCallChunk, invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils._merge import merge_dicts
from langchain_core.utils.json import parse_partial_json

from lg_toolroute.gates.answer import parse_arguments

CALL_BLOCKS = frozenset({"tool_use", "input_json_delta", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call", "custom_tool_call"})
"""Types of content blocks that are (part of) a call of one of the agent's tools. A server-side tool runs at the provider: its call is content."""

_PREFIX_BOUND = frozenset({"thinking", "redacted_thinking"})
"""Types of Claude's thinking blocks. Their signatures hold only behind the same system prompt, tools and messages."""

Content = str | list[Any]
"""The content of a message: text, or a list of strings and blocks."""


def is_call_block(block: Any) -> bool:
    """Whether a content block is (part of) a tool call."""
    return isinstance(block, dict) and block.get("type") in CALL_BLOCKS


def as_chunk(message: AIMessage) -> AIMessageChunk:
    """A complete message as the only chunk of a stream.

    Clients turn arguments that are an empty string into `{}`. Here `{}` becomes an empty string again: it means *no arguments*
    only if the answer was finished, which the gate checks.
    """
    if isinstance(message, AIMessageChunk):
        return message
    content = message.content
    if not isinstance(content, str) and any(map(is_call_block, content)):  # a stream would have numbered the blocks
        content = [{"index": position, **block} if isinstance(block, dict) else block for position, block in enumerate(content)]
    calls = [(call["name"], json.dumps(call["args"]) if call["args"] else "", call["id"]) for call in message.tool_calls]
    calls += [(call.get("name"), call.get("args"), call.get("id")) for call in message.invalid_tool_calls]  # type: ignore[misc]  # may be None
    return AIMessageChunk(
        content=content,
        additional_kwargs={key: value for key, value in message.additional_kwargs.items() if key not in {"tool_calls", "function_call"}},
        response_metadata=message.response_metadata,
        tool_call_chunks=[tool_call_chunk(name=name, args=args, id=id_, index=index) for index, (name, args, id_) in enumerate(calls)],
        usage_metadata=message.usage_metadata,
        id=message.id,
        name=message.name,
        chunk_position="last",
    )


def split_at_calls(content: Content, is_call: Callable[[Any], bool] = is_call_block) -> tuple[Content, list[dict[str, Any]], list[Any]]:
    """Three parts of a content: what stands before the first call block, all call blocks, and the other blocks behind the first call block."""
    if isinstance(content, str):
        return content, [], []
    calls = [position for position, block in enumerate(content) if is_call(block)]
    first = calls[0] if calls else len(content)
    return content[:first], [content[position] for position in calls], [block for block in content[first:] if not is_call(block)]


def without_thoughts(content: Content) -> Content:
    """The content without Claude's thinking blocks; the same object if it has none."""
    if isinstance(content, str) or not any(map(_is_thought, content)):
        return content
    return [block for block in content if not _is_thought(block)]


def _is_thought(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") in _PREFIX_BOUND


def blocks_of_pieces(blocks: list[dict[str, Any]], pieces: list[ToolCallChunk]) -> list[list[dict[str, Any]]]:
    """The content blocks of each tool call chunk. A block goes to the chunk with its id and index, else its id, else its index, else its position.

    Args:
        blocks: The call blocks of one message chunk.
        pieces: The tool call chunks of the same message chunk; at least one if there are blocks.
    """
    found: list[list[dict[str, Any]]] = [[] for _ in pieces]
    for position, block in enumerate(blocks):
        call_id, index = block.get("id") or block.get("call_id"), block.get("index")
        same_id = [at for at, piece in enumerate(pieces) if call_id and piece.get("id") == call_id]
        same_index = [at for at, piece in enumerate(pieces) if index is not None and piece.get("index") == index]
        both = [at for at in same_id if at in same_index]  # some servers give several calls one id
        found[next(iter(both or same_id or same_index), min(position, len(pieces) - 1))].append(block)
    return found


def has_content(content: Content) -> bool:
    """Whether a consumer would see anything of this content. An empty string and blocks of empty text show nothing."""
    if isinstance(content, str):
        return bool(content)
    unseen = {"type", "index", "id", "annotations"}
    return any(any(value for key, value in block.items() if key not in unseen) if isinstance(block, dict) else block for block in content)


def shortened(text: str, most: int = 2000) -> str:
    """The text, cut to about `most` characters: three quarters from its beginning, one quarter from its end."""
    return text if len(text) <= most else f"{text[: most * 3 // 4]} […] {text[-most // 4 :]}"


def thought(message: AIMessage) -> str:
    """The reasoning text in a message or chunk; empty if its provider sends none, or only encrypted reasoning."""
    kwargs = message.additional_kwargs
    for said in (kwargs.get("reasoning_content"), kwargs.get("reasoning"), kwargs.get("reasoning_details")) if kwargs else ():
        if text := _readable(said):
            return text
    blocks = () if isinstance(message.content, str) else message.content
    return "".join(_readable(block) for block in blocks if isinstance(block, dict) and block.get("type") in _READABLE_REASONING)


_READABLE_REASONING = frozenset({"thinking", "reasoning", "reasoning_content"})
"""Types of content blocks with reasoning in plain text: Anthropic's and Mistral's `thinking`, OpenAI's and LangChain's `reasoning`, and Bedrock's."""


def _readable(value: Any) -> str:
    """The text in a piece of reasoning: a string, a block, or a list of these."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_readable, value))
    keys = ("thinking", "reasoning", "reasoning_content", "summary", "text", "content")
    return next((text for key in keys if (text := _readable(value.get(key)))), "") if isinstance(value, dict) else ""


def _has_index(block: Any) -> bool:
    return isinstance(block, dict) and isinstance(block.get("index"), int)


def shift_blocks(content: Content, offset: int) -> Content:
    """The content with `offset` added to its block indices, which then follow those of the message's earlier segment."""
    if not offset or isinstance(content, str):
        return content
    return [{**block, "index": block["index"] + offset} if _has_index(block) else block for block in content]


def highest_block(content: Content) -> int:
    """The highest block index in a content list; -1 if there is none."""
    return -1 if isinstance(content, str) else max((block["index"] for block in content if _has_index(block)), default=-1)


def generation(message: AIMessageChunk, info: dict[str, Any] | None = None) -> ChatGenerationChunk:
    """The message chunk wrapped as a chat model's `_stream` yields it."""
    return ChatGenerationChunk(message=message, generation_info=info)


def call_chunk(
    message_id: str, *, name: str | None, args: str, call_id: str | None, slot: int, block: int | None = None, provider: str | None = None
) -> AIMessageChunk:
    """A chunk with one tool call, or a piece of it.

    Args:
        message_id: The id of the message.
        name: The tool's name; `None` if an earlier chunk held it.
        args: The arguments, or a piece of them, as JSON.
        call_id: The id of the call.
        slot: The position of the call among the calls of its message.
        block: The index of the call's content block, where content blocks name the calls (Anthropic's); `None` elsewhere.
        provider: The provider whose format the content block has; LangChain needs it to read the block.
    """
    content: list[str | dict[str, Any]] = []
    if block is not None and name is not None:
        content = [{"type": "tool_use", "id": call_id, "name": name, "input": {}, "index": block, **({"partial_json": args} if args else {})}]
    elif block is not None and args:
        content = [{"type": "input_json_delta", "partial_json": args, "index": block}]
    piece = tool_call_chunk(name=name, args=args, id=call_id, index=slot if block is None else block)
    arguments = _arguments_so_far(args)
    calls = [tool_call(name=name or "", args=arguments, id=call_id)] if isinstance(arguments, dict) else []
    return own_chunk(
        message_id,
        content=content or "",
        tool_call_chunks=[piece],
        tool_calls=calls,
        invalid_tool_calls=[] if calls else [invalid_tool_call(name=name, args=args, id=call_id)],
        response_metadata={"model_provider": provider} if content and provider else {},
    )


def _arguments_so_far(text: str) -> Any:
    """The arguments as LangChain would parse them, which may be cut off; no dict if it could not."""
    if not text:
        return {}
    if text.strip() and isinstance(arguments := parse_arguments(text), dict):
        return arguments
    try:
        return parse_partial_json(text)
    except Exception:  # `AIMessageChunk` catches the same
        return None


def own_chunk(message_id: str, **fields: Any) -> AIMessageChunk:
    """A chunk that the gate makes itself, without pydantic's validation, which would take longer than the rest of the gate's work.

    Args:
        message_id: The id of the message.
        fields: Other fields of `AIMessageChunk`, valid and complete: `tool_calls` beside `tool_call_chunks`.
    """
    fresh: dict[str, Any] = {name: [] for name in ("tool_calls", "invalid_tool_calls", "tool_call_chunks")}
    return _EMPTY.model_copy(update={**fresh, "additional_kwargs": {}, "response_metadata": {}, **fields, "id": message_id})


_EMPTY = AIMessageChunk(content="")


def added_up(shown: Iterable[ChatGenerationChunk]) -> ChatResult:
    """The result of LangChain's `generate_from_stream` for the chunks that a gate has shown, twice as fast: it parses and validates nothing again.

    Args:
        shown: The chunks, at least one, all with the message's id.
    """
    chunks = list(shown)
    messages = [cast("AIMessageChunk", chunk.message) for chunk in chunks]
    indices = [piece["index"] for message in messages for piece in message.tool_call_chunks]
    extra = merge_dicts({}, *(message.additional_kwargs for message in messages))
    in_text = all(type(message) is AIMessageChunk and isinstance(message.content, str) for message in messages)
    if not in_text or len(set(indices)) < len(indices) or "tool_calls" in extra:
        return generate_from_stream(iter(chunks))  # LangChain merges content blocks, calls in pieces and raw calls by rules of its own
    usages = [message.usage_metadata for message in messages if message.usage_metadata is not None]
    message = AIMessage(
        content="".join(cast("str", message.content) for message in messages),
        additional_kwargs=extra,
        response_metadata=merge_dicts({}, *(message.response_metadata for message in messages)),
        tool_calls=[call for message in messages for call in message.tool_calls],
        invalid_tool_calls=[call for message in messages for call in message.invalid_tool_calls],
        usage_metadata=reduce(add_usage, usages) if usages else None,
        id=messages[-1].id,
    )
    info = merge_dicts({}, *(chunk.generation_info for chunk in chunks if chunk.generation_info))
    return ChatResult(generations=[ChatGeneration(message=message, generation_info=info or None)])


def merged(chunks: Iterable[ChatGenerationChunk]) -> AIMessageChunk | None:
    """The sum of the chunks; `None` without chunks."""
    messages = [chunk.message for chunk in chunks if isinstance(chunk.message, AIMessageChunk)]
    return messages[0] + messages[1:] if len(messages) > 1 else next(iter(messages), None)
