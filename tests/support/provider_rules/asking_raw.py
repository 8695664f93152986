"""Requests as they go over the wire, without a client: a legal one for each profile, and what the server says to it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from lg_toolroute.testing import PROFILES, FaultServer
from lg_toolroute.testing.signatures import sign

CHAT, RESPONSES, MESSAGES, OLLAMA = "/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat"
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
FUNCTION = {"name": "edit", "description": "Edit a file.", "parameters": SCHEMA}
ASKED = "Edit a.py."
KIMI = frozenset(name for name in PROFILES if name.startswith("kimi"))


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        status: The status.
        body: The JSON body.
    """

    status: int
    body: Any


def post(server: FaultServer, path: str, body: dict[str, Any], **headers: str) -> Answer:
    """Send a body as it is."""
    sent = {"content-type": "application/json", "user-agent": "KimiCLI/1.0", **headers}
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), sent, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return Answer(response.status, json.loads(response.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, json.loads(error.read()))


def first_request(profile: str, path: str) -> dict[str, Any]:
    """A user's first words and one tool."""
    body: dict[str, Any] = {"model": profile, "stream": False}
    if path == RESPONSES:
        return {**body, "input": [{"type": "message", "role": "user", "content": ASKED}], "tools": [{"type": "function", **FUNCTION}]}
    body["messages"] = [{"role": "user", "content": ASKED}]
    if path == MESSAGES:
        return {**body, "max_tokens": 100, "tools": [{"name": "edit", "description": "Edit a file.", "input_schema": SCHEMA}]}
    return {**body, "tools": [{"type": "function", "function": FUNCTION}]}


def tool_loop(profile: str, path: str) -> dict[str, Any]:
    """A legal request in the middle of a tool loop: the model has called, the tool has answered."""
    body = first_request(profile, path)
    if path == RESPONSES:
        call = {"type": "function_call", "call_id": "call_1", "name": "edit", "arguments": '{"path": "a.py"}'}
        body["input"] += [call, {"type": "function_call_output", "call_id": "call_1", "output": "edited"}]
    elif path == MESSAGES:
        call = {"type": "tool_use", "id": "toolu_1", "name": "edit", "input": {"path": "a.py"}}
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "edited"}
        body["messages"] += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    elif path == OLLAMA:
        call = {"function": {"name": "edit", "arguments": {"path": "a.py"}}}
        body["messages"] += [{"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "tool", "content": "edited", "tool_name": "edit"}]
    else:
        body["messages"] += [_called(profile), {"role": "tool", "tool_call_id": "abcdefgh1", "content": "edited"}]
    return body


def _called(profile: str) -> dict[str, Any]:
    call: dict[str, Any] = {"id": "abcdefgh1", "type": "function", "function": {"name": "edit", "arguments": '{"path": "a.py"}'}}
    message: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [call]}
    if profile in KIMI or profile == "deepseek-v4":
        message["reasoning_content"] = "Edit comes next."
    if profile == "gemini":
        call["extra_content"] = {"google": {"thought_signature": sign(profile)}}
    if profile == "openrouter-gemini-3":
        message["reasoning_details"] = [{"type": "reasoning.encrypted", "data": sign(profile), "id": "abcdefgh1"}]
    return message
