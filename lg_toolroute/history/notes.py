"""What was repaired in a history, and the error for one that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lg_toolroute.errors import ToolRouteError

AddNote = Callable[[str], None]
"""Takes what was repaired in the message at hand."""


@dataclass(frozen=True, slots=True)
class Note:
    """One repair made for one request; the stored history still has the original.

    Attributes:
        index: The message's place in the history that was given, from 0; its length for something added at the end.
        what: What was done and why, in one clause, free of message text.
    """

    index: int
    what: str

    def __str__(self) -> str:
        return f"messages[{self.index}]: {self.what}"


class HistoryError(ToolRouteError, ValueError):
    """A history that no repair makes acceptable to the target.

    Attributes:
        index: The place of the offending message, from 0.
        reason: What is wrong with it, and what to do instead.
    """

    def __init__(self, index: int, reason: str) -> None:
        self.index, self.reason = index, reason
        super().__init__(f"messages[{index}]: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (HistoryError, (self.index, self.reason))
