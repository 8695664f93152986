"""Warnings that point at the line of the application which caused them."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Final

_INSIDE: Final = frozenset({"lg_toolroute", "langchain", "langchain_core", "langgraph"})
"""Packages whose lines tell an author nothing."""


def warn(message: object) -> None:
    """A `UserWarning` at the nearest calling line outside of this package, LangChain and LangGraph; at the caller's if there is none, as in a thread.

    Args:
        message: Where, what, and what to write instead.
    """
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(str(message), UserWarning, stacklevel=2 if frame is None else level)
