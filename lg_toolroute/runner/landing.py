"""The message that lands: one `AIMessage` from all segments of a turn, as if one model had spoken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata, add_usage

from lg_toolroute.core.turn.changes import record
from lg_toolroute.core.turn.turn import Turn
from lg_toolroute.gates.chunks import is_call_block
from lg_toolroute.runner.segments import Segment

_ITEM_IDS = ("rs_", "msg_", "fc_")


def land(turn: Turn, segments: Sequence[Segment], *, name: str | None = None) -> AIMessage:
    """The one message of a turn.

    Args:
        turn: The turn, done.
        segments: Its segments, in the order in which they were shown.
        name: The name of the agent that speaks; otherwise the segments' own.
    """
    if len(segments) == 1 and _is_plain(segments[0]):
        message = segments[0].message
        metadata = {**message.response_metadata, "toolroute": _record(turn, message)}
        return message.model_copy(update={"id": turn.id, "name": name or message.name, "response_metadata": metadata})
    reasoning = [segment for segment in segments if not segment.writes]
    owner = (reasoning or list(segments))[0]
    standard = owner.message.response_metadata.get("output_version") == "v1"
    content: str | list[Any] = ""
    calls: list[tuple[int, ToolCall]] = []
    usage: UsageMetadata | None = None
    extra: dict[str, Any] = {}
    for segment in segments:
        message = without_response_items(segment.message) if segment.cut else segment.message
        content = _joined(content, message.content if segment is owner or not segment.writes else _call_blocks(message.content, standard))
        calls.extend(zip(segment.slots, message.tool_calls, strict=False))
        if message.usage_metadata is not None:
            usage = message.usage_metadata if usage is None else add_usage(usage, message.usage_metadata)
        if not segment.writes:
            extra.update({key: value for key, value in message.additional_kwargs.items() if key not in {"tool_calls", "function_call"}})
    calls.sort(key=lambda item: item[0])
    ordered = [call for _, call in calls]
    if not isinstance(content, str) and (standard or any(block.get("type") == "function_call" for block in _blocks(content))):
        content = _with_calls(content, ordered, standard)
    return AIMessage(
        content=_in_order(content, [call["id"] for call in ordered]),
        tool_calls=ordered,
        invalid_tool_calls=[call for segment in reasoning for call in segment.message.invalid_tool_calls],
        id=turn.id,
        name=name or owner.message.name,
        usage_metadata=usage,
        additional_kwargs=extra,
        response_metadata=_metadata(turn, segments, owner.message),
    )


def _is_plain(segment: Segment) -> bool:
    """Whether a segment is a whole message of words and calls, which lands as it is."""
    message = segment.message
    in_order = list(segment.slots) == sorted(segment.slots)
    return type(message) is AIMessage and isinstance(message.content, str) and not message.additional_kwargs and not segment.cut and in_order


def _metadata(turn: Turn, segments: Sequence[Segment], owner: AIMessage) -> dict[str, Any]:
    metadata = {key: value for key, value in owner.response_metadata.items() if key != "usage_estimated"}
    if any(segment.cut for segment in segments):
        for key in ("id", "object", "status", "created_at", "incomplete_details"):
            metadata.pop(key, None)
    last = segments[-1].message.response_metadata
    for key in ("finish_reason", "stop_reason", "done_reason"):
        if last.get(key) is not None and (key in metadata or len(segments) > 1):
            metadata[key] = last[key]
    metadata["toolroute"] = _record(turn, owner)
    return metadata


def _record(turn: Turn, owner: AIMessage) -> dict[str, Any]:
    """The turn's record, and what the owner's thinking is bound to."""
    return {**record(turn), **owner.response_metadata.get("toolroute", {})}


def _joined(left: str | list[Any], right: str | list[Any]) -> str | list[Any]:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if not left:
        return right
    if not right:
        return left
    first = [{"type": "text", "text": left}] if isinstance(left, str) else list(left)
    second = [{"type": "text", "text": right}] if isinstance(right, str) else list(right)
    return [*first, *second]


def _call_blocks(content: str | list[Any], standard: bool) -> str | list[Any]:
    """What a writer's content adds: blocks of its calls, if the words they stand beside are in the same dialect."""
    if isinstance(content, str):
        return ""
    return [block for block in content if is_call_block(block) and (block.get("type") == "tool_call") == standard]


def _with_calls(content: list[Any], calls: Sequence[ToolCall], standard: bool) -> list[Any]:
    """Content with a block for each call, where readers look for calls in the content alone.

    That is so for standard content (`output_version="v1"`) and for that of OpenAI's Responses API. A block of text with a call's id is
    one that was added up with it: LangChain's chat completions give both the index 0.
    """
    kind, mark = ("tool_call", "id") if standard else ("function_call", "call_id")
    ids = {call["id"] for call in calls}
    kept = [block for block in content if not (is_call_block(block) and block.get(mark) in ids)]
    for place, block in enumerate(kept):
        if isinstance(block, dict) and block.get("type") == "text" and block.get("id") in ids:
            kept[place] = {key: value for key, value in block.items() if key not in {"id", "name", "args"}}
    known = {block.get(mark): block for block in content if isinstance(block, dict) and block.get("type") == kind}
    return [*kept, *(known.get(call["id"]) or _call_block(call, standard) for call in calls)]


def _call_block(call: ToolCall, standard: bool) -> dict[str, Any]:
    if standard:
        return {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}
    return {"type": "function_call", "call_id": call["id"], "name": call["name"], "arguments": json.dumps(call["args"], ensure_ascii=False)}


def _in_order(content: str | list[Any], call_ids: Sequence[str | None]) -> str | list[Any]:
    """Content whose blocks name the calls in the order of the calls, where it names them."""
    if isinstance(content, str):
        return content
    places = [i for i, block in enumerate(content) if isinstance(block, dict) and is_call_block(block) and block.get("id") in call_ids]
    ordered = sorted((content[i] for i in places), key=lambda block: call_ids.index(block["id"]))
    moved = list(content)
    for place, block in zip(places, ordered, strict=True):
        moved[place] = block
    return moved


def without_response_items(message: AIMessage) -> AIMessage:
    """A cut answer of OpenAI's Responses API without the ids of items and of a response that were never finished.

    A reasoning item must be followed by the item it belongs to, and that one was cut off: the next request would be refused.
    """
    metadata = message.response_metadata
    from_responses = str(metadata.get("id") or "").startswith("resp_") or any(_is_item(block) for block in _blocks(message.content))
    reasoning = message.additional_kwargs.get("reasoning")
    if not from_responses and not (isinstance(reasoning, dict) and str(reasoning.get("id", "")).startswith("rs_")):
        return message
    content: str | list[Any] = message.content
    if not isinstance(content, str):
        content = [_stripped(block) for block in content if not (isinstance(block, dict) and block.get("type") == "reasoning")]
    return message.model_copy(
        update={
            "content": content,
            "additional_kwargs": {k: v for k, v in message.additional_kwargs.items() if k != "reasoning"},
            "response_metadata": {k: v for k, v in metadata.items() if k != "id"},
        }
    )


def _blocks(content: str | list[Any]) -> list[dict[str, Any]]:
    return [] if isinstance(content, str) else [block for block in content if isinstance(block, dict)]


def _is_item(block: Mapping[str, Any]) -> bool:
    own = str(block.get("id") or "")
    extras = block.get("extras")
    return own.startswith(_ITEM_IDS) or (isinstance(extras, Mapping) and str(extras.get("item_id") or "").startswith(_ITEM_IDS))


def _stripped(block: Any) -> Any:
    if not isinstance(block, dict):
        return block
    if isinstance(extras := block.get("extras"), dict) and "item_id" in extras:  # standard content keeps the item's id there
        block = {**block, "extras": {key: value for key, value in extras.items() if key != "item_id"}}
    # In other blocks of a call, `id` is the call's own.
    if _is_item(block) and (block.get("type") == "function_call" or not is_call_block(block)):
        block = {key: value for key, value in block.items() if key != "id"}
    return block


__all__ = ["land", "without_response_items"]
