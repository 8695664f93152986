"""OpenAI Responses.

Sources: OpenAI OpenAPI description, `InputItem`; 400s as reported: "Item 'rs_…' of type 'reasoning' was provided without its
required following item" (vercel/ai#7099), "Item 'fc_…' of type 'function_call' was provided without its required 'reasoning' item"
(mastra#8738), "Item with id '…' not found", "No tool output found for function call", "No tool call found for function call
output with call_id", "Missing required parameter: 'input[n].id'" and "Unknown parameter: 'input[n].…'" for reasoning items.
"""

from __future__ import annotations

from typing import Any

from tests.support.provider_rules.minted import Minted

_PREFIX = {"reasoning": "rs_", "message": "msg_", "function_call": "fc_", "web_search_call": "ws_"}
_KEYS = {
    "message": {"type", "role", "content", "id", "status", "phase"},
    "function_call": {"type", "id", "call_id", "name", "arguments", "status"},
    "function_call_output": {"type", "id", "call_id", "output", "status"},
    "reasoning": {"type", "id", "summary", "content", "encrypted_content", "status"},
    "web_search_call": {"type", "id", "action", "status"},
}
_PARTS = {
    "user": {"input_text", "input_image", "input_file"},
    "system": {"input_text"},
    "developer": {"input_text"},
    "assistant": {"output_text", "refusal"},
}


def check(body: dict[str, Any], minted: Minted) -> list[str]:
    """Give every rule that a request breaks."""
    wrong: list[str] = []
    items = body.get("input") or []
    if not items:
        wrong.append("input is empty")
    calls: dict[str, int] = {}
    answered: set[str] = set()
    for place, item in enumerate(items):
        wrong += [f"input[{place}]: {what}" for what in _item(item)]
        if item.get("type") == "function_call":
            if item.get("call_id") in calls:
                wrong.append(f"input[{place}]: call_id {item.get('call_id')!r} is used twice")
            calls[str(item.get("call_id"))] = place
        if item.get("type") == "function_call_output":
            if item.get("call_id") not in calls:
                wrong.append(f"input[{place}]: no tool call found for function call output {item.get('call_id')!r}")
            answered.add(str(item.get("call_id")))
    wrong += [f"no tool output found for function call {identity}" for identity in calls.keys() - answered]
    return wrong + _references(body, items, minted)


def _item(item: dict[str, Any]) -> list[str]:
    kind = item.get("type")
    if kind not in _KEYS:
        return [f"item type {kind!r} does not exist"]
    wrong = [f"unknown parameter {key!r} in a {kind}" for key in item.keys() - _KEYS[kind]]
    identity = item.get("id")
    if identity is not None and not str(identity).startswith(_PREFIX.get(kind, "")):
        wrong.append(f"id {identity!r} of a {kind} does not begin with {_PREFIX.get(kind)!r}")
    if kind == "reasoning" and not identity:
        wrong.append("a reasoning item without its id")
    if kind in ("function_call", "function_call_output") and not 1 <= len(str(item.get("call_id") or "")) <= 64:
        wrong.append(f"call_id {item.get('call_id')!r} is not 1 to 64 characters")
    if kind == "function_call" and not isinstance(item.get("arguments"), str):
        wrong.append("arguments is not a string")
    if kind == "function_call_output" and not isinstance(item.get("output"), (str, list)):
        wrong.append("output is neither a string nor an array")
    if kind == "message":
        wrong += _content(item)
    return wrong


def _content(item: dict[str, Any]) -> list[str]:
    role, content = item.get("role"), item.get("content")
    if role not in _PARTS:
        return [f"role {role!r} does not exist"]
    if isinstance(content, str):
        return []
    if not isinstance(content, list) or not content:
        return ["content is empty"]
    return [f"part of type {part.get('type')!r} in a message of role {role!r}" for part in content if part.get("type") not in _PARTS[role]]


def _references(body: dict[str, Any], items: list[dict[str, Any]], minted: Minted) -> list[str]:
    """Check that ids point to items of complete answers of this model, and that reasoning travels with what it led to."""
    wrong = []
    known = {identity: answer for model, answer in minted.answers if model == body.get("model") for identity in answer}
    sent = [str(item["id"]) for item in items if item.get("id")]
    for identity in sent:
        answer = known.get(identity)
        if answer is None:
            wrong.append(f"item with id {identity!r} not found")
            continue
        for reasoning in (other for other in answer if other.startswith("rs_") and other not in sent):
            wrong.append(f"item {identity!r} was provided without its required reasoning item {reasoning!r}")
        following = answer[answer.index(identity) + 1 :]
        if identity.startswith("rs_") and following and following[0] not in sent:
            wrong.append(f"reasoning {identity!r} was provided without its required following item")
    if len(set(sent)) != len(sent):
        wrong.append("an item id is sent twice")
    return wrong
