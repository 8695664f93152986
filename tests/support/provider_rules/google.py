"""Gemini `generateContent`.

Sources: Gemini API reference, `Content` and `Part` (one kind of data a part); "Function calling" and "Thought signatures"
guides; 400s as reported: "Please ensure that function call turn comes immediately after a user turn or after a function
response turn" (gemini-cli#26486), "Please ensure that the number of function response parts is equal to the number of function
call parts of the function call turn" (vscode#299295), "Please ensure that function response turn comes immediately after a
function call turn" (langchain#27799), "Unable to submit request because it must include at least one parts field", "Function
call is missing a thought_signature" (Gemini 3), "Corrupted thought signature"; executable code and its result come in pairs.
"""

from __future__ import annotations

import re
from typing import Any

from lg_toolroute.testing.signatures import SKIP, signed
from tests.support.provider_rules.minted import Minted

_DATA = {"text", "inlineData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "fileData"}
_KEYS = _DATA | {"thought", "thoughtSignature"}


def check(body: dict[str, Any], minted: Minted) -> list[str]:
    """Give every rule that a request breaks."""
    contents = body.get("contents") or []
    if not contents:
        return ["contents is empty"]
    wrong = [] if contents[0].get("role") == "user" else ["contents[0]: the conversation must begin with a user turn"]
    if contents[-1].get("role") != "user":
        wrong.append("the conversation must end with a user turn")
    expected: list[str] = []
    previous: dict[str, Any] = {}
    for place, content in enumerate(contents):
        parts = content.get("parts") or []
        here = [] if parts else ["must include at least one part"]
        if content.get("role") not in ("user", "model"):
            here.append(f"role {content.get('role')!r} does not exist")
        here += [what for part in parts for what in _part(part, str(body.get("model", "")))]
        calls = [part["functionCall"]["name"] for part in parts if "functionCall" in part]
        results = [part["functionResponse"].get("name") for part in parts if "functionResponse" in part]
        if sorted(map(str, results)) != sorted(expected):
            here.append(f"function responses {results} do not answer the function calls {expected}")
        if calls and previous.get("role") != "user":
            here.append("a function call turn must come immediately after a user turn or a function response turn")
        if calls and content.get("role") != "model":
            here.append("a function call in a user turn")
        kinds = [next(iter(part.keys() & _DATA), "") for part in parts]
        if kinds.count("executableCode") != kinds.count("codeExecutionResult"):
            here.append("executable code without its result, or the reverse")
        expected, previous = calls, content
        wrong += [f"contents[{place}]: {what}" for what in here]
    if expected:
        wrong.append(f"function calls {expected} were not answered")
    return wrong


def _part(part: dict[str, Any], model: str) -> list[str]:
    wrong = [f"unknown field {key!r}" for key in part.keys() - _KEYS]
    data = part.keys() & _DATA
    if len(data) != 1:
        wrong.append(f"a part must hold one kind of data, it holds {sorted(data)}")
    if "text" in part and not part["text"] and not part.get("thoughtSignature"):
        wrong.append("empty text part")
    call = part.get("functionCall")
    if call is not None and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}", str(call.get("name"))):
        wrong.append(f"function name {call.get('name')!r} does not match the pattern")
    response = part.get("functionResponse")
    if response is not None and not isinstance(response.get("response"), dict):
        wrong.append("a function response is not an object")
    signature = part.get("thoughtSignature")
    if signature and signature != SKIP and signed(signature).get("model") != model:
        wrong.append("corrupted thought signature")
    if part.get("thought") and not signature:
        wrong.append("a thought has no signature, so it cannot be checked")
    return wrong
