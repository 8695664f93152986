"""A server that answers LangChain's standard questions about chat models, as a good model would."""

from __future__ import annotations

import json
import re
from typing import Any

from lg_toolroute.testing import Call, FaultServer, Say, ServerRequest
from lg_toolroute.testing.sample_values import sample

PRIMARY, WRITER, OTHER = "speaker", "writer", "another"


def answer(request: ServerRequest) -> Say:
    """A call where one is forced or asked for, JSON where that is, otherwise a greeting."""
    asked = _question(request)
    tool = request.forced_tool or (request.tools[0] if request.tools and (request.tool_choice == "any" or _wants_weather(request, asked)) else None)
    if tool is not None:
        return Say(calls=[Call(tool, _arguments(request, tool, asked))], chunks=3)
    if request.body.get("response_format"):
        return Say(json.dumps({"setup": "Why do cats purr?", "punchline": "Because they can."}), chunks=9)
    return Say("Hello! How can I help you?", chunks=4)


def server() -> FaultServer:
    """The server, not started."""
    made = FaultServer(strict=False)
    for model in (PRIMARY, WRITER, OTHER):
        made.answer(model, answer)
    return made


def _question(request: ServerRequest) -> str:
    users = [message for message in request.messages if message.get("role") == "user"]
    return " ".join(str(message.get("content")) for message in users)


def _wants_weather(request: ServerRequest, asked: str) -> bool:
    return "get_weather" in request.tools and "weather" in asked and request.messages[-1].get("role") == "user"


def _arguments(request: ServerRequest, tool: str, asked: str) -> dict[str, Any]:
    schema = request.schema(tool)
    values: dict[str, Any] = sample(schema) if schema.get("properties") else {}
    number = re.search(r"magic_function\((\d+)\)", asked)
    name = re.search(r"named '([^']+)'", asked)
    if number and "input" in values:
        values["input"] = int(number.group(1))
    if name and "customer_name" in values:
        values["customer_name"] = name.group(1)
    return values
