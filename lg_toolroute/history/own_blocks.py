"""The content blocks of an assistant message that goes back to the model that wrote it: thoughts, signatures, server-side tools.

They mean something only to that model; a signature that another model made is refused, sometimes many turns later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.tool import ToolCall

from lg_toolroute.history.content import is_blank
from lg_toolroute.history.notes import AddNote
from lg_toolroute.history.provenance import is_cut, wrote_call
from lg_toolroute.history.target import Target

CALL_BLOCKS: Final = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use", "function_call", "custom_tool_call"})
_SERVER_CALLS: Final = frozenset({"server_tool_use", "mcp_tool_use", "server_tool_call"})
_THINKING: Final = frozenset({"thinking", "redacted_thinking", "reasoning"})


def opens_with_thinking(message: AIMessage) -> bool:
    """Say whether the first block of a message is a thought."""
    first = message.content[0] if isinstance(message.content, list) and message.content else None
    return isinstance(first, dict) and first.get("type") in _THINKING


def kept_blocks(
    message: AIMessage, calls: Collection[ToolCall], target: Target, history: Sequence[BaseMessage], note: AddNote
) -> list[str | dict[Any, Any]] | None:
    """Give the blocks of a message that can go back to the model that wrote it, beside these calls; `None` if only its text can.

    If all of them stay, the message's own list is returned. In `history`, the messages around it, late results of server-side tools are looked up.
    """
    rules = target.rules
    bound_elsewhere = bool(target.prefix) and _prefix_of(message) not in (None, target.prefix)
    content = message.content if isinstance(message.content, list) else []
    ids = {call["id"] for call in calls}
    if rules.whole_answers:
        named = {_call_id(block) for block in content if isinstance(block, dict) and block.get("type") in CALL_BLOCKS}
        if named != ids or is_cut(message):
            note("reasoning items and item ids left out: the answer they belong to was changed")
            return None
    if message.tool_calls and not rules.standard_blocks_with_calls and message.response_metadata.get("output_version") == "v1":
        return None

    def stays(block: str | dict[Any, Any]) -> bool:
        if isinstance(block, str):
            return not is_blank(block)
        kind = block.get("type")
        if kind == "text":
            return not is_blank(block.get("text") or "")
        if kind in CALL_BLOCKS:
            return kind in rules.own_blocks and _call_id(block) in ids
        torn = rules.paired_server_tools and _is_torn(block, content)
        if kind not in rules.own_blocks or (torn and not (rules.late_server_results and _is_late(block, message, history))):
            note(f"{kind} left out: it is not complete, or not this provider's")
            return False
        if rules.signed_thinking and kind in ("thinking", "reasoning") and not _is_signed(block):
            note(f"{kind} without a signature left out")
            return False
        if bound_elsewhere and _is_thought(block):
            note(f"{kind} left out: it is bound to another system prompt or other tools")
            return False
        return kind != "function_call_signature" or not is_cut(message)

    kept = [block for block in content if stays(block)]
    return content if len(kept) == len(content) else kept


def without_foreign_calls(message: AIMessage, target: Target) -> str | list[str | dict[Any, Any]]:
    """Give the content of an own message of a client that is not known here, without blocks of calls that another model wrote.

    The client makes its own form of a call that has no block.
    """
    if isinstance(message.content, str) or not is_cut(message):
        return message.content
    return [
        block
        for block in message.content
        if not (isinstance(block, dict) and block.get("type") in CALL_BLOCKS and not wrote_call(message, _call_id(block) or "", target))
    ]


def _call_id(block: Mapping[str, Any]) -> str | None:
    """Give the id that pairs a call with its result; OpenAI's items have another one, of their own, under `id`."""
    identity = block.get("call_id") or block.get("id")
    return identity if isinstance(identity, str) else None


def _server_tool_id(block: Mapping[str, Any]) -> str:
    """Give the id that a server-side tool's call shares with its result; empty for any other block."""
    identity = block.get("id") if block.get("type") in _SERVER_CALLS else block.get("tool_use_id") or block.get("tool_call_id")
    return identity if isinstance(identity, str) else ""


def _is_torn(block: Mapping[str, Any], content: list[str | dict[Any, Any]]) -> bool:
    """Say whether a block is the call of a server-side tool without its result, or a result without its call."""
    identity, is_call = _server_tool_id(block), block.get("type") in _SERVER_CALLS
    return bool(identity) and not any(
        isinstance(other, dict) and _server_tool_id(other) == identity and (other.get("type") in _SERVER_CALLS) is not is_call for other in content
    )


def _is_late(block: Mapping[str, Any], message: AIMessage, history: Sequence[BaseMessage]) -> bool:
    """Say whether the other half of a server-side tool's call stands in another message, or will: the API gives the result in the answer that
    follows the results of the agent's own tools.

    Source: Anthropic, "Handling stop reasons" (`tool_use`).
    """
    answers = [each for each in history if isinstance(each, AIMessage)]
    place = next((place for place, each in enumerate(answers) if each is message), 0)
    is_call = block.get("type") in _SERVER_CALLS
    others = answers[place + 1 :] if is_call else answers[:place]
    if is_call and not others:
        return bool(message.tool_calls)
    return any(isinstance(each.content, list) and not _is_torn(block, each.content) for each in others)


def waits_for_server(message: AIMessage) -> bool:
    """Say whether a message holds the call of a server-side tool whose result is yet to come."""
    content = message.content if isinstance(message.content, list) else []
    return any(isinstance(block, dict) and block.get("type") in _SERVER_CALLS and _is_torn(block, content) for block in content)


def _is_thought(block: Mapping[str, Any]) -> bool:
    """Say whether a block is a thought, in its maker's or the standard form."""
    inner = block.get("value") if block.get("type") == "non_standard" else block
    return isinstance(inner, Mapping) and inner.get("type") in _THINKING


def _prefix_of(message: AIMessage) -> Any:
    """Give the `Target.prefix` of the request that a message answered, from its routing record; `None` if the record has none."""
    record = message.response_metadata.get("toolroute")
    return record.get("prefix") if isinstance(record, Mapping) else None


def _is_signed(block: Mapping[str, Any]) -> bool:
    signature = block.get("signature") or (block.get("extras") or {}).get("signature")
    return isinstance(signature, str) and not is_blank(signature)
