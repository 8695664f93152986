"""What a request shows of a session: the words of a chat-completions request, put in order for the demo's scripted models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """A tool call that has been answered.

    Attributes:
        tool: The tool's name.
        args: What it was called with.
        text: What it answered.
        turn: How many messages of the user stand before it.
    """

    tool: str
    args: Mapping[str, Any]
    text: str
    turn: int

    @property
    def path(self) -> str:
        return str(self.args.get("path", ""))


@dataclass(frozen=True, slots=True)
class Transcript:
    """One request, as a model reads it.

    Attributes:
        task: The last thing the user asked for.
        turn: How many things the user asked for.
        results: Every answered call, oldest first.
        words: The last words of an assistant, which a routed model goes on from.
        tools: The names of the tools that are bound.
        forced: The tool that must be called; `None` if the model may choose.
    """

    task: str
    turn: int
    results: tuple[Result, ...]
    words: str
    tools: tuple[str, ...]
    forced: str | None

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Transcript:
        """Reads a request.

        Args:
            request: The body of a chat-completions request.
        """
        tools = tuple(tool["function"]["name"] for tool in request.get("tools") or ())
        choice = request.get("tool_choice")
        forced = choice.get("function", {}).get("name") if isinstance(choice, Mapping) else None
        task = words = ""
        turn = 0
        calls: dict[str, tuple[str, Mapping[str, Any]]] = {}
        results: list[Result] = []
        messages: Sequence[Mapping[str, Any]] = request["messages"]
        for number, message in enumerate(messages):
            text = _text(message.get("content"))
            if message["role"] == "assistant":
                words = text or words
                for call in message.get("tool_calls") or ():
                    calls[call["id"]] = (call["function"]["name"], _arguments(call["function"]["arguments"]))
            elif message["role"] == "tool":
                name, args = calls.get(message["tool_call_id"], ("", {}))
                results.append(Result(name, args, text, turn))
            elif message["role"] == "user" and not (forced and number == len(messages) - 1):
                # The last message of a forced call is the instruction that goes with a handoff, not the user's.
                task, turn = text, turn + 1
        return cls(task, turn, tuple(results), words, tools, forced)

    def of_tool(self, tool: str, path: str | None = None) -> list[Result]:
        """The answered calls of a tool, oldest first.

        Args:
            tool: The tool's name.
            path: Only those on this file.
        """
        return [result for result in self.results if result.tool == tool and path in (None, result.path)]

    def since(self, tool: str, path: str | None = None) -> tuple[Result, ...]:
        """The answered calls since the last one of a tool; all of them if there is none.

        Args:
            tool: The tool's name.
            path: Only calls on this file count as the last one.
        """
        found = [number for number, result in enumerate(self.results) if result.tool == tool and path in (None, result.path)]
        return self.results[found[-1] + 1 :] if found else self.results


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(block.get("text", "")) for block in content if isinstance(block, Mapping))
    return ""


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
