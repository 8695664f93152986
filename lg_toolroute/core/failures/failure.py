"""What a failed attempt means: its class, and what that class does to the chain.

The table is here and nowhere else. `classify` finds the class of an exception, `health` knows how long each class cools a model down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

FailureClass = Literal[
    "rate_limit",
    "quota",
    "overloaded",
    "server_error",
    "timeout",
    "connection",
    "auth",
    "model_not_found",
    "no_tool_support",
    "context_overflow",
    "invalid_request",
    "invalid_tool_call",
    "empty_response",
    "truncated",
    "content_policy",
    "cancelled",
    "bug",
]

CLASSES: Final[tuple[FailureClass, ...]] = get_args(FailureClass)

TRANSIENT: Final[frozenset[str]] = frozenset({"overloaded", "server_error", "timeout", "connection"})
"""The server or the way to it had a bad moment: a circuit opens after a few of these in a row."""

BAD_ANSWER: Final[frozenset[str]] = frozenset({"invalid_tool_call", "empty_response", "truncated"})
"""The model answered, but not with a message that may be believed: one repair try, then the next candidate."""

INCAPABLE: Final[frozenset[str]] = frozenset({"model_not_found", "no_tool_support"})
"""Waiting does not help: the model is not asked again for that by this process."""

TERMINAL: Final[frozenset[str]] = frozenset({"content_policy", "cancelled", "bug"})
"""No other candidate is asked; for `content_policy` a rule may say otherwise."""

LONGEST_TEXT: Final = 300
"""Characters of a provider's message that are kept: enough to act on, too few to carry a prompt along."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed.

    Attributes:
        cls: The class, one of `CLASSES`.
        retry_after_s: Seconds the provider asked us to wait, not capped; `None` when it did not say.
        text: The provider's own words on one line, shortened, secrets masked.
        next_candidate: Whether another candidate may be asked.
        status: The HTTP status, or `None`.
        larger_window: Only candidates with a larger context window (or an unknown one) are worth asking.
    """

    cls: FailureClass
    retry_after_s: float | None
    text: str
    next_candidate: bool
    status: int | None = None
    larger_window: bool = False

    @property
    def transient(self) -> bool:
        """Whether it may be gone in a moment."""
        return self.cls in TRANSIENT

    @property
    def repairable(self) -> bool:
        """Whether the same model deserves one more try with the error text."""
        return self.cls in BAD_ANSWER

    def __str__(self) -> str:
        status = f" {self.status}" if self.status is not None else ""
        return f"{self.cls}{status}: {self.text}" if self.text else f"{self.cls}{status}"


def failure(
    cls: FailureClass, text: str = "", *, retry_after_s: float | None = None, status: int | None = None, larger_window: bool | None = None
) -> Failure:
    """A `Failure` with what its class implies filled in.

    Args:
        cls: The class.
        text: What happened, already free of secrets.
        retry_after_s: Seconds the provider asked us to wait.
        status: The HTTP status.
        larger_window: Whether only larger windows help; unset, that is so for `context_overflow`.
    """
    larger = cls == "context_overflow" if larger_window is None else larger_window
    return Failure(cls, retry_after_s, text, cls not in TERMINAL, status, larger)
