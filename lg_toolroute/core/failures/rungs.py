"""How a model is made to call a tool: a ladder of three rungs, and what a refusal leaves of it.

| rung | what is sent |
|---|---|
| `name` | the tool's name as `tool_choice`; other tools of the same route may be bound beside it |
| `required` | `required` (LangChain's `any`), with no other tool bound |
| `none` | no `tool_choice` at all, with no other tool bound; the instruction asks for the call |

A provider that refuses a rung is asked once more, on the rung that its words point to, so that a model which is met for the first time costs at
most one more request. What was refused is remembered for `REMEMBERED_S`, then the model is tried from its first rung again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, get_args

from lg_toolroute.core.failures.failure import Failure, Refused, Rung
from lg_toolroute.core.failures.spellings import REQUIRED_IS_LEFT

RUNGS: Final[tuple[Rung, ...]] = get_args(Rung)
"""From the one that leaves a model no choice to the one that leaves it every choice."""

REMEMBERED_S: Final = 86_400.0
"""How long a refusal is believed, in seconds: providers change their minds."""

CHOICE: Final = "tool_choice"
THINKING: Final = "thinking"
_SWITCHES: Final = frozenset({THINKING, "enable_thinking", "reasoning", "reasoning_effort"})
"""How the parameters are called that switch thinking off."""


def lowest(*rungs: Rung) -> Rung:
    """The rung of these that leaves a model the most choice."""
    return max(rungs, key=RUNGS.index)


def refusal(failure: Failure, asked: Rung, *, thinks: bool | None, switched: bool) -> Refused | None:
    """What a refusal teaches, if the same candidate is to be asked once more; `None` if there is nothing of ours left to leave out.

    Args:
        failure: Why the request failed.
        asked: The rung on which the call was asked for.
        thinks: Whether the model thinks in this request; `None` if that is not known.
        switched: The request switched thinking off.
    """
    if failure.cls != "parameter_refused":
        return None
    if failure.parameter in _SWITCHES and switched:
        return Refused(THINKING, why=failure.text)
    if failure.parameter != CHOICE or asked == "none":
        return None
    left: Rung = "required" if asked == "name" and not failure.while_thinking and REQUIRED_IS_LEFT.search(failure.text) else "none"
    return Refused(CHOICE, left, asked, while_thinking=failure.while_thinking and thinks is not False, why=failure.text)


def rung_left(refused: Iterable[Refused], *, thinks: bool | None) -> Refused | None:
    """The refusal that leaves the least of the ladder; `None` if none of these concerns it.

    Args:
        refused: What a model's provider refused.
        thinks: Whether the model thinks in this request; a refusal that holds while it thinks says nothing about a request in which it does not.
    """
    choices = (each for each in refused if each.parameter == CHOICE and not (each.while_thinking and thinks is False))
    return max(choices, key=lambda each: RUNGS.index(each.left), default=None)


def learned(known: tuple[Refused, ...], new: Refused, now: float) -> tuple[Refused, ...]:
    """What is known of a model after one more refusal: one entry for each parameter, and one more for while it thinks."""
    others = tuple(each for each in known if (each.parameter, each.while_thinking) != (new.parameter, new.while_thinking) and believed(each, now))
    return (*others, replace(new, at=now))


def believed(refused: Refused, now: float) -> bool:
    """Whether a refusal is still remembered at a moment of the clock that it was noted with."""
    return abs(now - refused.at) < REMEMBERED_S
