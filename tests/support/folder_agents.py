"""What the tests of the graph share: a folder in memory with two tools, and agents with scripted models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, ToolException, tool

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.testing import ScriptedModel

KIMI, DEEPSEEK, LOCAL = "kimi/kimi-for-coding", "deepseek/deepseek-v4-pro", "ollama/gpt-oss:20b"
DROPPED = "the-dropped-call"
FORCEABLE = {"models": {"providers": {"kimi": {"toolChoice": "name"}, "deepseek": {"toolChoice": "name"}}}}
"""A configuration in which these models are made to call by a tool's name, which neither takes while it thinks."""


@dataclass
class Folder:
    """Files in memory, and a note of everything that ran."""

    files: dict[str, str] = field(default_factory=lambda: {"a.py": "x = 1\n"})
    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def tools(self) -> list[BaseTool]:
        @tool
        def read(path: str) -> str:
            """Read a file."""
            self.ran.append(("read", {"path": path}))
            return self.files.get(path, "")

        @tool
        def edit(path: str, old: str, new: str) -> str:
            """Replace text in a file."""
            self.ran.append(("edit", {"path": path, "old": old, "new": new}))
            if old not in self.files.get(path, ""):
                raise ToolException("old text not found")
            self.files[path] = self.files[path].replace(old, new)
            return "edited"

        @tool
        def write(path: str, text: str) -> str:
            """Write a file."""
            self.ran.append(("write", {"path": path, "text": text}))
            self.files[path] = text
            return "written"

        @tool
        def web_search(query: str) -> str:
            """Search the web."""
            self.ran.append(("web_search", {"query": query}))
            return "found"

        edit.handle_tool_error = True
        return [read, edit, write, web_search]


def routed(
    models: dict[str, ScriptedModel], *, rules: dict[str, Any] | None = None, folder: Folder | None = None, clock: Any = None, **more: Any
) -> Any:
    """An agent whose `edit` calls go to deepseek, unless `rules` says otherwise."""
    folder = folder or Folder()
    config = {
        "model": {"primary": KIMI, **({"fallbacks": more.pop("fallbacks")} if "fallbacks" in more else {})},
        "toolRouting": rules if rules is not None else {"edit": {"primary": DEEPSEEK}},
        **more.pop("config", {}),
    }
    router = ToolRouter(config, models=models, clock=clock)
    return create_toolroute_agent(router, folder.tools(), **more)


def ask(text: str = "Fix a.py") -> dict[str, Any]:
    return {"messages": [("user", text)]}


def ai(messages: list[BaseMessage]) -> list[AIMessage]:
    return [message for message in messages if isinstance(message, AIMessage)]


def results(messages: list[BaseMessage]) -> list[ToolMessage]:
    return [message for message in messages if isinstance(message, ToolMessage)]


def called(message: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["args"]) for call in message.tool_calls]


def record(message: AIMessage) -> dict[str, Any]:
    found: dict[str, Any] = message.response_metadata["toolroute"]
    return found
