"""What the rules read of a tool, in whatever form it is bound: its name and its tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def tool_name(tool: Any) -> str:
    """The name of a tool as a model sees it: of a `BaseTool`, a tool dict in any dialect, a function, or a name itself."""
    if isinstance(tool, str):
        return tool
    if isinstance(tool, Mapping):
        function = tool.get("function")
        name = (function.get("name") if isinstance(function, Mapping) else None) or tool.get("name") or tool.get("title") or tool.get("type")
        return str(name or "")
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", None) or type(tool).__name__)


def tool_tags(tool: Any) -> tuple[str, ...]:
    """The tags of a tool, for `tag:` patterns."""
    tags = getattr(tool, "tags", None)
    return tuple(tags) if isinstance(tags, (list, tuple)) else ()


def named_tools(tools: Sequence[Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The name and the tags of each tool."""
    return tuple((tool_name(tool), tool_tags(tool)) for tool in tools)
