"""What a failed attempt means: its class, and what that class does to the chain.

`classify` finds the class of an exception, `circuit` and `cooldowns` say what each class does to the model's health.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

FailureClass = Literal[
    "cancelled",
    "bug",
    "content_policy",
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
    "parameter_refused",
    "invalid_request",
    "invalid_tool_call",
    "empty_response",
    "truncated",
]

CLASSES: Final[tuple[FailureClass, ...]] = get_args(FailureClass)
"""All classes. A group of errors has the class of its members that stands first here."""

TRANSIENT: Final[frozenset[str]] = frozenset({"overloaded", "server_error", "timeout", "connection"})
"""The server or the connection had a bad moment: a circuit opens after a few of these in a row."""

BAD_ANSWER: Final[frozenset[str]] = frozenset({"invalid_tool_call", "empty_response", "truncated"})
"""The model answered, but its message cannot be used: the same model repairs it once, then the next candidate is asked."""

INCAPABLE: Final[frozenset[str]] = frozenset({"model_not_found", "no_tool_support"})
"""A little waiting does not help: this process does not ask the model for that for a while."""

TERMINAL: Final[frozenset[str]] = frozenset({"content_policy", "cancelled", "bug"})
"""No other candidate is asked; for `content_policy` a rule may say otherwise."""

LONGEST_TEXT: Final = 300
"""Characters of a provider's message that are kept: enough to act on, too few to carry a prompt along."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed.

    Attributes:
        cls: The class, one of `CLASSES`.
        text: The provider's own words on one line, shortened, secrets masked.
        retry_after_s: Seconds the provider asked us to wait, not capped; `None` when it did not say.
        status: The HTTP status, or `None`.
        larger_window: Only candidates with a larger context window (or an unknown one) are worth asking.
        parameter: Of a `parameter_refused`: the name of the refused request parameter, as OpenAI's API spells it: `tool_choice`, `thinking`,
            `temperature`. Empty otherwise.
        while_thinking: Of a `parameter_refused`: the provider says that it is because the model thinks, so another value of the same
            parameter will hardly help: leave it out, or switch thinking off.
    """

    cls: FailureClass
    text: str = ""
    retry_after_s: float | None = None
    status: int | None = None
    larger_window: bool = False
    parameter: str = ""
    while_thinking: bool = False

    @property
    def next_candidate(self) -> bool:
        """Whether another candidate may be asked."""
        return self.cls not in TERMINAL
