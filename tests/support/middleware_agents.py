"""Agents for the middleware's tests: a primary that reasons, a writer that writes edits, two tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from lg_toolroute import ToolRouteMiddleware, ToolRouter
from lg_toolroute.testing import Call, Say, ScriptedModel

PRIMARY, WRITER, SPARE = "kimi/k2", "deepseek/v4", "qwen/coder"
ASK = {"messages": [("user", "Fix a.py")]}
RULES: Mapping[str, Any] = {"edit": {"primary": WRITER}}
DROPPED = "DROPPED"
"""Stands in the arguments that the primary writes for a routed tool: it must never be shown."""


@tool
def edit(path: str, text: str) -> str:
    """Edit a file."""
    return f"edited {path}: {text}"


@tool
def read(path: str) -> str:
    """Read a file."""
    return f"content of {path}"


def wrong_edit(path: str = DROPPED) -> Call:
    return Call("edit", {"path": path, "text": DROPPED * 3})


def good_edit(path: str = "a.py") -> Say:
    return Say("", [Call("edit", {"path": path, "text": "good"})])


def story() -> list[Say]:
    """Look, then fix, then say so."""
    return [Say("Let me look.", [Call("read", {"path": "a.py"})]), Say("Let me fix that.", [wrong_edit()]), Say("Done.")]


def primary(script: Sequence[Any] | None = None, **settings: Any) -> ScriptedModel:
    return ScriptedModel(story() if script is None else script, name=PRIMARY, **settings)


def writer(script: Sequence[Any] | None = None, **settings: Any) -> ScriptedModel:
    return ScriptedModel([good_edit()] if script is None else script, name=WRITER, **settings)


def router_for(*models: ScriptedModel, rules: Mapping[str, Any] = RULES, **config: Any) -> ToolRouter:
    return ToolRouter({"toolRouting": rules, **config}, models={model.spec: model for model in models})


def agent_of(
    model: Any,
    *models: ScriptedModel,
    rules: Mapping[str, Any] = RULES,
    config: Mapping[str, Any] | None = None,
    before: Sequence[Any] = (),
    after: Sequence[Any] = (),
    settings: Mapping[str, Any] | None = None,
    tools: Sequence[Any] = (read, edit),
    **more: Any,
) -> Any:
    """An agent with the routing between `before` and `after`."""
    routing = ToolRouteMiddleware(router_for(*models, rules=rules, **(config or {})), **(settings or {}))
    return create_agent(model, list(tools), middleware=[*before, routing, *after], **more)


def last_call(messages: Sequence[Any], name: str = "edit") -> tuple[AIMessage, Any]:
    """The newest message that calls a tool, and the call."""
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                if call["name"] == name:
                    return message, call
    raise AssertionError(f"no message calls {name}")


def record_of(message: AIMessage) -> dict[str, Any]:
    record: dict[str, Any] = message.response_metadata["toolroute"]
    return record
