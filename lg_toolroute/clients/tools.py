"""What is bound: anything LangChain takes for a tool, made into tools, and refused in the same words everywhere if it is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool, tool

from lg_toolroute.core.rules.tools import tool_name
from lg_toolroute.errors import ConfigError, Problem


def as_tools(tools: Sequence[Any]) -> list[Any]:
    """Functions made into tools; tools and tool dicts as they are.

    Raises:
        ConfigError: Something among them is no tool.
    """
    refuse_no_tools(tools)
    made: list[Any] = []
    problems: list[Problem] = []
    for position, each in enumerate(tools):
        if isinstance(each, (BaseTool, Mapping)):
            made.append(each)
            continue
        try:
            made.append(tool(each))
        except ValueError as error:  # a function without a docstring
            problems.append(Problem(f"tools[{position}]", str(error), "write the docstring: it is what the model reads"))
    if problems:
        raise ConfigError(problems, source="tools")
    return made


def refuse_no_tools(tools: Sequence[Any]) -> None:
    """Raise if something is no tool.

    Raises:
        ConfigError: All that are none.
    """
    hint = "bind a BaseTool, a function with a docstring and type hints, or a tool dict with a name"
    problems = [
        Problem(f"tools[{position}]", f"{_shown(each)} is not a tool", hint)
        for position, each in enumerate(tools)
        if not (isinstance(each, BaseTool) or (isinstance(each, Mapping) and tool_name(each)) or callable(each))
    ]
    if problems:
        raise ConfigError(problems, source="tools")


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, (str, int, float, type(None))) else f"a {type(value).__name__}"
