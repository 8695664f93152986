"""Tools and tool choices in the format in which a provider's client binds them."""

from __future__ import annotations

from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool

from lg_toolroute.testing.expect import chosen_tool
from lg_toolroute.testing.render import Dialect


def tool_for(tool: Any, dialect: Dialect) -> dict[str, Any]:
    """A tool of any kind that LangChain takes, in a dialect's format; one that has it already is left alone."""
    if isinstance(tool, dict) and "function" not in tool and ("input_schema" in tool or "type" in tool):
        return tool
    formatted = convert_to_openai_tool(tool)
    if dialect == "openai":
        return formatted
    function = formatted["function"]
    return {"name": function["name"], "description": function.get("description", ""), "input_schema": function["parameters"]}


def choice_for(choice: Any, dialect: Dialect) -> Any:
    """A tool choice in a dialect's format; one that is a dict has it already.

    Args:
        choice: A tool's name, `"any"`, `"auto"`, `"none"`, `True` or a dict.
        dialect: The dialect.
    """
    if isinstance(choice, dict):
        return choice
    name = chosen_tool(choice)
    if dialect == "anthropic":
        return {"type": name} if name in {"any", "auto", "none"} else {"type": "tool", "name": name}
    if name == "any":
        return "required"
    return name if name in {"auto", "none"} else {"type": "function", "function": {"name": name}}
