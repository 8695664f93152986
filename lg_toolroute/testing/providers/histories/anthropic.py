"""Anthropic Messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal
from lg_toolroute.testing.signatures import signed

_REFERENCE = 'Anthropic API reference, "Create a Message"'
_TOOLS = 'Anthropic docs, "Handle tool calls"'
RULES = {
    "there are messages": _REFERENCE,
    "the user begins": _REFERENCE,
    "the user ends": '"This model does not support assistant message prefill"',
    "content is there": '"all messages must have non-empty content"',
    "text is not empty": '"text content blocks must contain non-whitespace text"',
    "blocks fit the role": _REFERENCE,
    "keys exist": _REFERENCE,
    "ids are plain": "\"String should match pattern '^[a-zA-Z0-9_-]+$'\"",
    "names of functions are plain": _REFERENCE,
    "input is an object": _REFERENCE,
    "images have a source": _REFERENCE,
    "call ids are unique": '"tool_use ids must be unique"',
    "calls are answered": _TOOLS,
    "results answer a call": _TOOLS,
    "results come first": _TOOLS,
    "server tools come in pairs": '"web_search tool use … without a corresponding web_search_tool_result block"',
    "thinking is signed": "dirge#821",
    "signatures are its own": "llxprt-code#2335, openclaw#99382",
    "results of server tools are its own": _REFERENCE,
    "thinking opens the tool loop": 'Anthropic docs, "Extended thinking"; opencode#8010',
}

_KEYS = {
    "text": {"type", "text", "cache_control", "citations"},
    "image": {"type", "source", "cache_control"},
    "document": {"type", "source", "cache_control", "citations", "title", "context"},
    "tool_use": {"type", "id", "name", "input", "cache_control", "caller"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "server_tool_use": {"type", "id", "name", "input", "cache_control", "caller"},
    "web_search_tool_result": {"type", "tool_use_id", "content", "cache_control", "caller"},
}
_ROLE = {
    "user": {"text", "image", "document", "tool_result"},
    "assistant": {"text", "tool_use", "thinking", "redacted_thinking", "server_tool_use", "web_search_tool_result"},
}
_RESULT = {"text", "image", "document"}
_ID = re.compile(r"[a-zA-Z0-9_-]+")


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    if not messages:
        return [Refusal("messages: at least one message is required", rule="there are messages")]
    wrong = [] if messages[0]["role"] == "user" else [Refusal('messages: first message must use the "user" role', rule="the user begins")]
    if messages[-1]["role"] == "assistant":
        says = "This model does not support assistant message prefill. The conversation must end with a user message."
        wrong.append(Refusal(says, rule="the user ends"))
    for number, block in enumerate(blocks_of(body.get("system") or [])):
        wrong += _block(block, {"text"}, f"system.{number}")
    seen: set[str] = set()
    waiting: list[str] = []
    for place, message in enumerate(messages):
        blocks, where = blocks_of(message.get("content")), f"messages.{place}"
        if not blocks:
            wrong.append(Refusal(f"{where}: all messages must have non-empty content", rule="content is there"))
        for number, block in enumerate(blocks):
            wrong += _block(block, _ROLE.get(message["role"], set()), f"{where}.content.{number}")
        wrong += _answers(blocks, waiting, where)
        waiting = [str(block.get("id")) for block in blocks if block.get("type") == "tool_use"]
        if len({*waiting}) != len(waiting) or seen & {*waiting}:
            wrong.append(Refusal(f"{where}: `tool_use` ids must be unique", rule="call ids are unique"))
        seen |= {*waiting}
        wrong += _server_tools(blocks, where) + _secrets(blocks, str(body.get("model")), where)
    wrong += _unanswered(waiting, f"messages.{len(messages) - 1}")
    return wrong + _opens_with_thinking(body, messages)


def blocks_of(content: Any) -> list[dict[str, Any]]:
    """Content as blocks."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or [])


def _block(block: dict[str, Any], allowed: set[str], where: str) -> list[Refusal]:
    kind = str(block.get("type"))
    if kind not in allowed:
        says = f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {', '.join(sorted(allowed))}"
        return [Refusal(says, rule="blocks fit the role")]
    wrong = [Refusal(f"{where}.{kind}.{key}: Extra inputs are not permitted", rule="keys exist") for key in sorted(block.keys() - _KEYS[kind])]
    if kind == "text" and not str(block.get("text", "")).strip():
        wrong.append(Refusal("messages: text content blocks must contain non-whitespace text", rule="text is not empty"))
    for key in ("id", "tool_use_id"):
        if key in _KEYS[kind] and not _ID.fullmatch(str(block.get(key) or "")):
            wrong.append(Refusal(f"{where}.{kind}.{key}: String should match pattern '^[a-zA-Z0-9_-]+$'", rule="ids are plain"))
    if kind == "tool_use" and not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", str(block.get("name"))):
        says = f"{where}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        wrong.append(Refusal(says, rule="names of functions are plain"))
    if kind in ("tool_use", "server_tool_use") and not isinstance(block.get("input"), dict):
        wrong.append(Refusal(f"{where}.{kind}.input: Input should be a valid dictionary", rule="input is an object"))
    if kind == "thinking" and not block.get("signature"):
        wrong.append(Refusal(f"{where}.thinking.signature: Field required", rule="thinking is signed"))
    if kind == "image" and (block.get("source") or {}).get("type") not in ("base64", "url", "file"):
        says = f"{where}.image.source: Input tag found using 'type' does not match any of the expected tags"
        wrong.append(Refusal(says, rule="images have a source"))
    if kind == "tool_result" and isinstance(block.get("content"), list):
        wrong += [what for number, inner in enumerate(block["content"]) for what in _block(inner, _RESULT, f"{where}.tool_result.content.{number}")]
    return wrong


def _answers(blocks: list[dict[str, Any]], waiting: list[str], where: str) -> list[Refusal]:
    results = [str(block.get("tool_use_id")) for block in blocks if block.get("type") == "tool_result"]
    wrong = []
    if strange := [identity for identity in results if identity not in waiting]:
        says = (
            f"{where}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(strange)}. Each `tool_result` block must "
            "have a corresponding `tool_use` block in the previous message."
        )
        wrong.append(Refusal(says, rule="results answer a call"))
    wrong += _unanswered([identity for identity in waiting if identity not in results], where)
    first_other = next((place for place, block in enumerate(blocks) if block.get("type") != "tool_result"), len(blocks))
    if any(block.get("type") == "tool_result" for block in blocks[first_other:]):
        wrong.append(Refusal(f"{where}: `tool_result` blocks must come before other content", rule="results come first"))
    if len(set(results)) != len(results):
        wrong.append(Refusal(f"{where}: each tool_use must have a single result", rule="results answer a call"))
    return wrong


def _unanswered(waiting: list[str], where: str) -> list[Refusal]:
    if not waiting:
        return []
    says = (
        f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(waiting)}. Each `tool_use` block must "
        "have a corresponding `tool_result` block in the next message."
    )
    return [Refusal(says, rule="calls are answered")]


def _server_tools(blocks: list[dict[str, Any]], where: str) -> list[Refusal]:
    used = {str(block.get("id")) for block in blocks if block.get("type") == "server_tool_use"}
    returned = {str(block.get("tool_use_id")) for block in blocks if block.get("type") == "web_search_tool_result"}
    says = "`web_search` tool use with id `{}` was found without a corresponding `web_search_tool_result` block"
    return [Refusal(f"{where}: {says.format(identity)}", rule="server tools come in pairs") for identity in sorted(used ^ returned)]


def _secrets(blocks: list[dict[str, Any]], model: str, where: str) -> list[Refusal]:
    wrong = []
    for number, block in enumerate(blocks):
        signature = block.get("signature")
        if signature and signed(signature).get("model") != model:
            wrong.append(Refusal(f"{where}.content.{number}: Invalid `signature` in `thinking` block", rule="signatures are its own"))
        if block.get("type") == "web_search_tool_result" and isinstance(block.get("content"), list):
            foreign = [result for result in block["content"] if signed(result.get("encrypted_content")).get("model") != model]
            rule = "results of server tools are its own"
            wrong += [Refusal(f"{where}.content.{number}: Invalid `encrypted_content` in search result", rule=rule) for _ in foreign]
    return wrong


def _opens_with_thinking(body: Mapping[str, Any], messages: list[dict[str, Any]]) -> list[Refusal]:
    if (body.get("thinking") or {}).get("type") != "enabled":
        return []
    in_loop = any(block.get("type") == "tool_result" for block in blocks_of(messages[-1].get("content")))
    if not in_loop or len(messages) < 2:
        return []
    kind = str(next(iter(blocks_of(messages[-2].get("content"))), {}).get("type"))
    if kind in ("thinking", "redacted_thinking"):
        return []
    says = (
        f"messages.{len(messages) - 2}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{kind}`. When `thinking` is enabled, a "
        "final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
    )
    return [Refusal(says, rule="thinking opens the tool loop")]
