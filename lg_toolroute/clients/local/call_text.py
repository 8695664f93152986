"""Tool calls that a model wrote into its text, in the form that its chat template asks for.

Most open models write `<tool_call>{"name": "edit", "arguments": {"path": "a.py"}}</tool_call>`; engines that know other forms bring their own
markers and parser.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call


@dataclass(frozen=True, slots=True)
class CallMarkup:
    """How a model marks a call in its text.

    Attributes:
        start: Stands before a call.
        end: Stands behind it; empty if the next `start` or the end of the text ends a call.
        parse: Reads the text between them: `{"name": …, "arguments": {…}}`, or a list of these.
    """

    start: str = "<tool_call>"
    end: str = "</tool_call>"
    parse: Callable[[str], Any] = json.loads


DEFAULT_MARKUP = CallMarkup()


def message_of(text: str, markup: CallMarkup = DEFAULT_MARKUP) -> AIMessage:
    """The message that a model's text means: its words, and its calls as tool calls. What cannot be parsed is an invalid tool call."""
    words, *marked = text.split(markup.start)
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for piece in marked:
        body, _, behind = piece.partition(markup.end) if markup.end else (piece, "", "")
        words += behind.strip()
        try:
            parsed = markup.parse(body)
            calls += [_call(found) for found in (parsed if isinstance(parsed, list) else [parsed])]
        except (ValueError, LookupError, TypeError) as error:
            invalid.append(invalid_tool_call(name=None, args=body.strip(), id=_new_id(), error=f"{type(error).__name__}: {error}"))
    return AIMessage(content=words.strip() if marked else text, tool_calls=calls, invalid_tool_calls=invalid)


def _call(found: dict[str, Any]) -> ToolCall:
    arguments = found["arguments"] if "arguments" in found else found["parameters"]
    return tool_call(name=found["name"], args=json.loads(arguments) if isinstance(arguments, str) else dict(arguments), id=_new_id())


def _new_id() -> str:
    return f"call_{uuid4().hex[:24]}"
