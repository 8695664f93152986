"""What the rules read of a tool, in whatever form it is bound: its name and its tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Tools = tuple[tuple[str, tuple[str, ...]], ...]
"""The tools that an agent binds: `(name, tags)`."""


def tool_name(tool: Any) -> str:
    """The name of a tool as rules know it: of a `BaseTool`, a tool dict in any dialect, a function, or a name itself.

    A tool that runs at its provider may have no name; it goes by its type, or by the key of its settings (`{"google_search": {}}`).
    """
    if isinstance(tool, str):
        return tool
    if isinstance(tool, Mapping):
        keys = (key for key, value in tool.items() if isinstance(value, (Mapping, list)))
        return str(_called(tool) or tool.get("type") or next(keys, ""))
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", None) or type(tool).__name__)


def is_called_by_name(tool: Any) -> bool:
    """Whether a model calls a tool by its name; one that runs at its provider and has no name is only switched on."""
    return not isinstance(tool, Mapping) or bool(_called(tool))


def _called(tool: Mapping[str, Any]) -> Any:
    function = tool.get("function")
    return (function.get("name") if isinstance(function, Mapping) else None) or tool.get("name") or tool.get("title")


def tool_tags(tool: Any) -> tuple[str, ...]:
    """The tags of a tool, for `tag:` patterns."""
    tags = getattr(tool, "tags", None)
    return tuple(tags) if isinstance(tags, (list, tuple)) else ()


def named_tools(tools: Sequence[Any]) -> Tools:
    """The name and the tags of each tool."""
    return tuple((tool_name(tool), tool_tags(tool)) for tool in tools)
