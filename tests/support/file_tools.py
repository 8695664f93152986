"""Tools that do nothing to any file, for tests that look at who writes their calls."""

from __future__ import annotations

from langchain_core.tools import tool


@tool
def edit(path: str, text: str) -> str:
    """Edit a file."""
    return "edited"


@tool
def write(path: str, text: str) -> str:
    """Write a file."""
    return "written"


@tool
def read(path: str) -> str:
    """Read a file."""
    return "read"
