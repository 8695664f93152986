"""Anthropic Messages.

Sources: Anthropic API reference, "Create a Message" (roles, blocks, required keys); "Tool use" guide (results come first in
the next user message, each call answered); "Thinking" guide (signature required, thinking opens the turn in manual mode); 400s
as reported: "tool_use ids must be unique", "String should match pattern '^[a-zA-Z0-9_-]+$'", "text content blocks must be
non-empty", "text content blocks must contain non-whitespace text", "all messages must have non-empty content", "Invalid
`signature` in `thinking` block" after a switch of model (llxprt-code#2335), "thinking.signature: Field required"
(dirge#821), "Expected `thinking` or `redacted_thinking`, but found `tool_use`", "This model does not support assistant
message prefill", "web_search tool use … without a corresponding web_search_tool_result block".
"""

from __future__ import annotations

import re
from typing import Any

from tests.support.provider_rules.minted import Minted

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


def check(body: dict[str, Any], minted: Minted) -> list[str]:
    """Give every rule that a request breaks."""
    messages = body.get("messages") or []
    if not messages:
        return ["messages: at least one message is required"]
    wrong = [] if messages[0]["role"] == "user" else ["messages[0]: the first message must be the user's"]
    if messages[-1]["role"] == "assistant":
        wrong.append("the conversation must end with a user message (no prefill)")
    wrong += [f"system: {what}" for block in _blocks(body.get("system") or []) for what in _block(block, {"text"})]
    seen: set[str] = set()
    waiting: list[str] = []
    for place, message in enumerate(messages):
        blocks = _blocks(message.get("content"))
        here = [what for block in blocks for what in _block(block, _ROLE.get(message["role"], set()))]
        if not blocks:
            here.append("content is empty")
        results = [block["tool_use_id"] for block in blocks if block.get("type") == "tool_result"]
        here += _answers(blocks, results, waiting)
        calls = [block["id"] for block in blocks if block.get("type") == "tool_use"]
        here += [f"tool_use id {identity!r} is not unique" for place_, identity in enumerate(calls) if identity in seen | set(calls[:place_])]
        seen |= set(calls)
        waiting = calls
        here += _server_tools(blocks) + _secrets(blocks, str(body.get("model")), minted)
        wrong += [f"messages[{place}]: {what}" for what in here]
    if waiting:
        wrong.append(f"tool_use ids {waiting} were found without tool_result blocks")
    return wrong + _opens_with_thinking(body, messages)


def _blocks(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or [])


def _block(block: dict[str, Any], allowed: set[str]) -> list[str]:
    kind = str(block.get("type"))
    if kind not in allowed:
        return [f"block of type {kind!r} is not allowed here"]
    wrong = [f"{kind}.{key}: extra inputs are not permitted" for key in block.keys() - _KEYS[kind]]
    if kind == "text" and not str(block.get("text", "")).strip():
        wrong.append("text content blocks must contain non-whitespace text")
    for key in ("id", "tool_use_id"):
        if key in _KEYS[kind] and not _ID.fullmatch(str(block.get(key) or "")):
            wrong.append(f"{kind}.{key} {block.get(key)!r} does not match the pattern")
    if kind == "tool_use" and not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", str(block.get("name"))):
        wrong.append(f"tool_use.name {block.get('name')!r} does not match the pattern")
    if kind in ("tool_use", "server_tool_use") and not isinstance(block.get("input"), dict):
        wrong.append(f"{kind}.input is not an object")
    if kind == "thinking" and not block.get("signature"):
        wrong.append("thinking.signature: field required")
    if kind == "image" and (block.get("source") or {}).get("type") not in ("base64", "url", "file"):
        wrong.append("image.source is of no known type")
    if kind == "tool_result" and isinstance(block.get("content"), list):
        wrong += [what for inner in block["content"] for what in _block(inner, _RESULT)]
    return wrong


def _answers(blocks: list[dict[str, Any]], results: list[str], waiting: list[str]) -> list[str]:
    wrong = [f"unexpected tool_use_id {identity!r} found in tool_result blocks" for identity in results if identity not in waiting]
    wrong += [f"tool_use id {identity!r} was found without a tool_result immediately after" for identity in waiting if identity not in results]
    first_other = next((place for place, block in enumerate(blocks) if block.get("type") != "tool_result"), len(blocks))
    if any(block.get("type") == "tool_result" for block in blocks[first_other:]):
        wrong.append("tool_result blocks must come before other content")
    if len(set(results)) != len(results):
        wrong.append("each tool_use must have a single result")
    return wrong


def _server_tools(blocks: list[dict[str, Any]]) -> list[str]:
    used = {block.get("id") for block in blocks if block.get("type") == "server_tool_use"}
    returned = {block.get("tool_use_id") for block in blocks if block.get("type") == "web_search_tool_result"}
    return [f"server tool use {identity!r} without its result, or the reverse" for identity in used ^ returned]


def _secrets(blocks: list[dict[str, Any]], model: str, minted: Minted) -> list[str]:
    wrong = []
    for block in blocks:
        signature = block.get("signature")
        if signature and minted.signatures.get(signature) != model:
            wrong.append("invalid signature in thinking block")
        if block.get("type") == "web_search_tool_result":
            secrets = [str(result.get("encrypted_content")) for result in block["content"]]
            wrong += ["invalid encrypted_content" for secret in secrets if minted.opaque.get(secret) != model]
    return wrong


def _opens_with_thinking(body: dict[str, Any], messages: list[dict[str, Any]]) -> list[str]:
    if (body.get("thinking") or {}).get("type") != "enabled":
        return []
    in_loop = any(block.get("type") == "tool_result" for block in _blocks(messages[-1].get("content")))
    if not in_loop or len(messages) < 2:
        return []
    opening = _blocks(messages[-2].get("content"))[:1]
    if opening and opening[0].get("type") in ("thinking", "redacted_thinking"):
        return []
    return ["expected thinking or redacted_thinking at the start of the last assistant message"]
