"""The content blocks of an assistant message that goes back to the model that wrote it: thoughts, signatures, server-side tools.

They mean something only to that model; a signature that another model made is refused, sometimes many turns later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from langchain_core.messages import AIMessage

from lg_toolroute.history.api_rules import ApiRules
from lg_toolroute.history.content import is_blank
from lg_toolroute.history.notes import AddNote
from lg_toolroute.history.provenance import is_cut

CALL_BLOCKS: Final = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use", "function_call", "custom_tool_call"})
_SERVER_CALLS: Final = frozenset({"server_tool_use", "mcp_tool_use", "server_tool_call"})
_THINKING: Final = frozenset({"thinking", "redacted_thinking", "reasoning"})


def opens_with_thinking(message: AIMessage) -> bool:
    """Say whether the first block of a message is a thought."""
    first = message.content[0] if isinstance(message.content, list) and message.content else None
    return isinstance(first, dict) and first.get("type") in _THINKING


def kept_blocks(message: AIMessage, calls: Collection[Any], rules: ApiRules, note: AddNote) -> list[str | dict[Any, Any]] | None:
    """Give the blocks that the writer of a message takes back.

    Args:
        message: A message with a list of blocks, which the reader wrote.
        calls: The tool calls that will be sent.
        rules: What the reader's API takes.
        note: Takes a note of each repair.

    Returns:
        The message's own list if all of it may stay; `None` if only its text can be kept.
    """
    content = [block for block in message.content if isinstance(block, (str, dict))]
    ids = {call.get("id") for call in calls}
    if rules.whole_answers:
        named = {_call_id(block) for block in content if isinstance(block, dict) and block.get("type") in CALL_BLOCKS}
        if named != ids or is_cut(message):
            note("reasoning items and item ids left out: the answer they belong to was changed")
            return None
    if message.tool_calls and not rules.standard_blocks_with_calls and message.response_metadata.get("output_version") == "v1":
        return None
    torn = _torn_server_tools(content) if rules.paired_server_tools else set()

    def stays(block: str | dict[Any, Any]) -> bool:
        if isinstance(block, str):
            return not is_blank(block)
        kind = block.get("type")
        if kind in CALL_BLOCKS:
            return kind in rules.own_blocks and _call_id(block) in ids
        if kind == "text":
            return not is_blank(block.get("text") or "")
        if kind not in rules.own_blocks or (torn and _server_tool_id(block) in torn):
            note(f"{kind} left out: it is not complete, or not this provider's")
            return False
        if rules.signed_thinking and kind in ("thinking", "reasoning") and not _is_signed(block):
            note(f"{kind} without a signature left out")
            return False
        return kind != "function_call_signature" or not is_cut(message)

    kept = [block for block in content if stays(block)]
    return message.content if isinstance(message.content, list) and len(kept) == len(message.content) else kept


def _call_id(block: Mapping[str, Any]) -> str | None:
    """Give the id that pairs a call with its result; OpenAI's items have another one, of their own, under `id`."""
    identity = block.get("call_id") or block.get("id")
    return identity if isinstance(identity, str) else None


def _server_tool_id(block: Mapping[str, Any]) -> str:
    """Give the id that a server-side tool's call shares with its result; empty for any other block."""
    identity = block.get("id") if block.get("type") in _SERVER_CALLS else block.get("tool_use_id") or block.get("tool_call_id")
    return identity if isinstance(identity, str) else ""


def _torn_server_tools(content: list[str | dict[Any, Any]]) -> set[str]:
    """Give the ids of server-side tool calls that lost their result, and of results that lost their call."""
    blocks = [block for block in content if isinstance(block, dict)]
    called = {_server_tool_id(block) for block in blocks if block.get("type") in _SERVER_CALLS}
    returned = {_server_tool_id(block) for block in blocks if block.get("type") not in _SERVER_CALLS}
    return (called ^ returned) - {""}


def _is_signed(block: Mapping[str, Any]) -> bool:
    signature = block.get("signature") or (block.get("extras") or {}).get("signature")
    return isinstance(signature, str) and not is_blank(signature)
