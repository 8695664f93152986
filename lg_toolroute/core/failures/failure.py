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

Rung = Literal["name", "required", "none"]
"""How a model is made to call a tool; see `rungs`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A parameter of ours that a model's provider refused, so that it is not sent again for a while.

    Attributes:
        parameter: `tool_choice`, or `thinking`: the switch that was to turn it off.
        left: Of `tool_choice`: the highest rung that is left.
        asked: Of `tool_choice`: the rung that was refused.
        while_thinking: It was refused because the model thinks; a request in which it does not think is not concerned.
        why: The provider's words, shortened, secrets masked.
        at: When, in the seconds of the clock that health is kept with; 0 in the turn in which it was refused.
        model: Whose provider, in the turn in which it was refused; empty in what is known of one model.
    """

    parameter: str
    left: Rung = "none"
    asked: Rung = "name"
    while_thinking: bool = False
    why: str = ""
    at: float = 0.0
    model: str = ""


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
        refused: What the refusal teaches about this model: it is asked once more at once, without what it refused.
    """

    cls: FailureClass
    text: str = ""
    retry_after_s: float | None = None
    status: int | None = None
    larger_window: bool = False
    parameter: str = ""
    while_thinking: bool = False
    refused: Refused | None = None

    @property
    def next_candidate(self) -> bool:
        """Whether another candidate may be asked."""
        return self.cls not in TERMINAL
