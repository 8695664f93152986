"""Tools and tool choices as a chat model's `bind_tools` takes them, in every form, made into what a turn needs.

What is bound is a tool dict in OpenAI's shape, because other code reads it (`create_react_agent` compares names, traces show schemas).
It remembers the tool it was made from, so that each inner client converts the original in its own way.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from lg_toolroute.clients.tools import refuse_no_tools
from lg_toolroute.core.rules.tools import is_called_by_name, tool_name, tool_tags
from lg_toolroute.errors import ConfigError, Problem

_CACHED = 512
_converted: OrderedDict[int, tuple[BoundTool, Any]] = OrderedDict()
_lock = threading.Lock()


class BoundTool(dict[str, Any]):
    """A bound tool: a dict in OpenAI's shape for other code, with the original tool for the inner models.

    Attributes:
        tags: The tool's own tags, for `tag:` patterns.
    """

    def __init__(self, shape: Mapping[str, Any], origin: Any = None, tags: Sequence[str] = ()) -> None:
        super().__init__(shape)
        self._origin = origin
        self.tags = tuple(tags)

    def __repr__(self) -> str:
        # LangChain's cache knows bound tools by this text, and other tags may mean other rules.
        return super().__repr__() + (f" tagged {self.tags}" if self.tags else "")

    @property
    def for_inner(self) -> Any:
        """What an inner model's `bind_tools` is given."""
        return self if self._origin is None else self._origin

    def __reduce__(self) -> tuple[Any, ...]:
        # A tool holds functions, which need not survive pickling; what the model sees of it does.
        return (BoundTool, (dict(self), None, self.tags))


def bound_tools(tools: Sequence[Any]) -> list[BoundTool]:
    """Tools in any form that `bind_tools` of a LangChain model takes: tools, functions, classes, dicts of any provider.

    Raises:
        ConfigError: Something among them is no tool.
    """
    refuse_no_tools(tools)
    return [_bound(tool, f"tools[{position}]") for position, tool in enumerate(tools)]


def _bound(tool: Any, path: str) -> BoundTool:
    if isinstance(tool, BoundTool):
        return tool
    with _lock:
        known = _converted.get(id(tool))
        if known is not None:
            _converted.move_to_end(id(tool))
            return known[0]
    made = _convert(tool, path)
    if not isinstance(tool, Mapping):  # the caller may change a dict
        with _lock:
            # The entry keeps the tool alive, so that no other object gets its id.
            _converted[id(tool)] = (made, tool)
            while len(_converted) > _CACHED:
                _converted.popitem(last=False)
    return made


def _convert(tool: Any, path: str) -> BoundTool:
    if isinstance(tool, Mapping) and tool_name(tool) and tool.get("type", "function") not in {"function", "object"}:
        return BoundTool(tool)  # runs at the provider, or is its own kind of tool; its client knows it
    try:
        shape = convert_to_openai_tool(tool)
    except Exception as error:  # whatever a schema generator raises on something that is no tool
        if isinstance(tool, Mapping) and tool_name(tool):
            return BoundTool(tool)
        hint = "bind a BaseTool, a function with a docstring and type hints, a pydantic class, or a tool dict"
        raise ConfigError([Problem(path, f"{type(tool).__name__} is not a tool that a model can be shown ({_first_line(error)})", hint)]) from error
    if isinstance(tool, BaseTool):
        return BoundTool(shape, tool, tool_tags(tool))
    # A function or a class may have another name than the one the model sees; what the model sees is what it calls.
    if isinstance(tool, Mapping) and "input_schema" in tool:
        return BoundTool(shape, dict(tool))  # in the shape of its provider, perhaps with settings that only that one knows
    return BoundTool(shape)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


@dataclass(frozen=True, slots=True)
class Choice:
    """What a caller's `tool_choice` asks for.

    Attributes:
        forced: The one tool that has to be called; `None` if the model chooses.
        passed: What the reasoning model's `bind_tools` is given; `None` where `forced` says it all.
        none: No tool may be called.
    """

    forced: str | None = None
    passed: Any = None
    none: bool = False


def read_choice(choice: Any, tools: Sequence[Any]) -> Choice:
    """Read a `tool_choice` in any dialect: a name, `any`, `required`, `auto`, `none`, a boolean, or a provider's dict.

    Args:
        choice: As the caller wrote it.
        tools: The bound tools. With one that is called by name, *any* tool is that tool.

    Raises:
        ConfigError: It names a tool that is not bound.
    """
    names = [tool_name(tool) for tool in tools]
    if isinstance(choice, Mapping):
        kind = choice.get("type")
        function = choice.get("function")
        name = (function.get("name") if isinstance(function, Mapping) else None) or choice.get("name")
        if name is None and kind in {"any", "auto", "none", "required"}:
            read = read_choice(kind, tools)
            return Choice(read.forced, choice if read.passed is not None else None, read.none)
        if name is None or name not in names:
            return Choice(passed=choice)  # a provider's own: `{"type": "allowed_tools", …}`
        return Choice(forced=str(name))
    if choice is None or choice is False or choice == "auto":
        return Choice(passed="auto" if choice == "auto" else None)
    if choice == "none":
        return Choice(passed="none", none=True)
    if choice is True or choice in {"any", "required"}:
        return Choice(forced=names[0]) if len(tools) == 1 and is_called_by_name(tools[0]) else Choice(passed="any")
    if choice not in names:
        raise ConfigError([Problem("tool_choice", f"{choice!r} is not among the bound tools", f"bind it, or write one of {', '.join(names)}")])
    return Choice(forced=str(choice))
