"""OpenAI Responses."""

from __future__ import annotations

from typing import Any

from lg_toolroute.testing.providers.histories.openai_chat import empty
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.rule import Refusal

_DESCRIPTION = "OpenAI OpenAPI description, `InputItem`"
RULES = {
    "there are messages": _DESCRIPTION,
    "item types exist": _DESCRIPTION,
    "keys exist": _DESCRIPTION,
    "item ids have their prefix": _DESCRIPTION,
    "call ids have 1 to 64 characters": _DESCRIPTION,
    "arguments are a string": _DESCRIPTION,
    "outputs are text or parts": _DESCRIPTION,
    "roles exist": _DESCRIPTION,
    "content is there": _DESCRIPTION,
    "parts fit the role": _DESCRIPTION,
    "call ids are unique": _DESCRIPTION,
    "calls are answered": '"No tool output found for function call"',
    "results answer a call": '"No tool call found for function call output with call_id"',
    "items are its own": '"Item with id … not found"; only items of complete answers of this model',
    "reasoning stands before what it led to": "vercel/ai#7099, mastra#8738",
    "items are sent once": '"Duplicate item found with id …"',
}

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


def check(body: dict[str, Any], minted: Minted) -> list[Refusal]:
    """Give every rule that a request breaks."""
    found = body.get("input") or []
    items = [{"type": "message", "role": "user", "content": found}] if isinstance(found, str) else found
    wrong = [] if items else [empty("input")]
    calls: dict[str, int] = {}
    answered: set[str] = set()
    for place, item in enumerate(items):
        wrong += _item(item, f"input[{place}]")
        identity = str(item.get("call_id"))
        if item.get("type") == "function_call":
            if identity in calls:
                wrong.append(Refusal(f"Duplicate call_id '{identity}' in the input.", f"input[{place}].call_id", rule="call ids are unique"))
            calls[identity] = place
        if item.get("type") == "function_call_output":
            if identity not in calls:
                says = f"No tool call found for function call output with call_id {identity}."
                wrong.append(Refusal(says, "input", rule="results answer a call"))
            answered.add(identity)
    left = sorted(calls.keys() - answered)
    wrong += [Refusal(f"No tool output found for function call {identity}.", "input", rule="calls are answered") for identity in left]
    return wrong + _references(body, items, minted)


def _item(item: dict[str, Any], where: str) -> list[Refusal]:
    kind = item.get("type", "message")
    if kind not in _KEYS:
        return [Refusal(f"Invalid value: '{kind}'.", where, code="invalid_value", rule="item types exist")]
    wrong = [
        Refusal(f"Unknown parameter: '{where}.{key}'.", f"{where}.{key}", code="unknown_parameter", rule="keys exist")
        for key in sorted(item.keys() - _KEYS[kind])
    ]
    identity, prefix = item.get("id"), _PREFIX.get(kind, "")
    if identity is not None and not str(identity).startswith(prefix):
        says = f"Invalid '{where}.id': '{identity}'. Expected an ID that begins with '{prefix.rstrip('_')}'."
        wrong.append(Refusal(says, f"{where}.id", code="invalid_value", rule="item ids have their prefix"))
    if kind == "reasoning" and not identity:
        says = f"Missing required parameter: '{where}.id'."
        wrong.append(Refusal(says, f"{where}.id", code="missing_required_parameter", rule="item ids have their prefix"))
    if kind in ("function_call", "function_call_output") and not 1 <= len(str(item.get("call_id") or "")) <= 64:
        says = f"Invalid '{where}.call_id': string too long. Expected a string with maximum length 64."
        wrong.append(Refusal(says, f"{where}.call_id", code="string_above_max_length", rule="call ids have 1 to 64 characters"))
    if kind == "function_call" and not isinstance(item.get("arguments"), str):
        says = f"Invalid type for '{where}.arguments': expected a string."
        wrong.append(Refusal(says, f"{where}.arguments", code="invalid_type", rule="arguments are a string"))
    if kind == "function_call_output" and not isinstance(item.get("output"), str | list):
        says = f"Invalid type for '{where}.output': expected one of a string or array of objects."
        wrong.append(Refusal(says, f"{where}.output", code="invalid_type", rule="outputs are text or parts"))
    return wrong + (_content(item, where) if kind == "message" else [])


def _content(item: dict[str, Any], where: str) -> list[Refusal]:
    role, content = item.get("role"), item.get("content")
    if role not in _PARTS:
        says = f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
        return [Refusal(says, f"{where}.role", code="invalid_value", rule="roles exist")]
    if isinstance(content, str):
        return []
    if not isinstance(content, list) or not content:
        says = f"Invalid '{where}.content': it is empty."
        return [Refusal(says, f"{where}.content", code="empty_array", rule="content is there")]
    allowed = ", ".join(f"'{name}'" for name in sorted(_PARTS[role]))
    return [
        Refusal(
            f"Invalid value: '{part.get('type')}'. Supported values are: {allowed}.",
            f"{where}.content[{number}]",
            code="invalid_value",
            rule="parts fit the role",
        )
        for number, part in enumerate(content)
        if part.get("type") not in _PARTS[role]
    ]


def _references(body: dict[str, Any], items: list[dict[str, Any]], minted: Minted) -> list[Refusal]:
    """Check that ids point to items of complete answers of this model, and that reasoning travels with what it led to."""
    wrong = []
    known = {identity: answer for model, answer in minted.answers if model == body.get("model") for identity in answer}
    sent = [str(item["id"]) for item in items if item.get("id")]
    apart = "reasoning stands before what it led to"
    for identity in sent:
        answer = known.get(identity)
        if answer is None:
            wrong.append(Refusal(f"Item with id '{identity}' not found.", "input", rule="items are its own"))
            continue
        kind = next((name for name, prefix in _PREFIX.items() if identity.startswith(prefix)), "message")
        for reasoning in (other for other in answer if other.startswith("rs_") and other not in sent):
            says = f"Item '{identity}' of type '{kind}' was provided without its required 'reasoning' item: '{reasoning}'."
            wrong.append(Refusal(says, "input", rule=apart))
        following = answer[answer.index(identity) + 1 :]
        if identity.startswith("rs_") and following and following[0] not in sent:
            says = f"Item '{identity}' of type 'reasoning' was provided without its required following item."
            wrong.append(Refusal(says, "input", rule=apart))
    if len(set(sent)) != len(sent):
        twice = next(identity for identity in sent if sent.count(identity) > 1)
        wrong.append(Refusal(f"Duplicate item found with id {twice}.", "input", rule="items are sent once"))
    return wrong
