"""Warnings that point at the line of the application which caused them."""

from __future__ import annotations

import inspect
import warnings
from typing import Final

_INSIDE: Final = frozenset({"lg_toolroute", "langchain", "langchain_core", "langgraph"})
"""Packages whose lines tell an author nothing."""


def warn(message: object) -> None:
    """A `UserWarning` at the nearest calling line outside of this package, LangChain and LangGraph; at the caller's if there is none, as in a thread.

    Args:
        message: Where, what, and what to write instead.
    """
    here = inspect.currentframe()
    frame, level = here.f_back if here is not None else None, 2
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(str(message), UserWarning, stacklevel=2 if frame is None else level)
