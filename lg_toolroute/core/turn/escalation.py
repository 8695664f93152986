"""When a tool's calls go one step up its chain: after failures in a row, or when a failed call is issued again unchanged.

Measured on an older coding agent (261 runs, aggregate): after k failed edits in a row the next one succeeds with .55, .40, .32, .23, .13
(k = 1 ... 5), and all 235 identical re-issues of a failed edit failed. So two failures are enough evidence, and a repetition is proof.
A success of the same tool resets; another tool in between (a `read`) does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """One tool result within a user's turn.

    Attributes:
        tool: The tool's name.
        args_key: Equal for equal arguments; see `args_key`.
        error: Whether the call failed.
    """

    tool: str
    args_key: str
    error: bool


@dataclass(frozen=True, slots=True)
class Escalation:
    """How far up its chain a tool's next call goes.

    Attributes:
        steps: Candidates to pass over; 0 for none.
        reason: One sentence for the decision record; empty when nothing is passed over.
    """

    steps: int
    reason: str


def args_key(args: Mapping[str, Any]) -> str:
    """A short key, the same for the same arguments in any order of their names."""
    text = json.dumps(args, sort_keys=True, ensure_ascii=False, default=repr, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def escalation(results: Iterable[ToolOutcome | tuple[str, str, bool]], tool: str, after: int = 2) -> Escalation:
    """How far up its chain the next call of `tool` goes, and why.

    Each `after` failures in a row are a step, and so is each failed call that was issued again unchanged; a step starts the count anew.

    Args:
        results: The results of this user's turn, oldest first: `ToolOutcome`s or `(tool, args_key, error)`.
        tool: The tool to be called next.
        after: Failed results in a row that make a step, at least 1.

    Raises:
        ValueError: `after` is less than 1.
    """
    if after < 1:
        raise ValueError(f"escalate.after: {after!r} is less than 1; write 1 or more, or leave `escalate` out")
    steps = count = total = repeats = 0
    failed: set[str] = set()
    for name, key, error in ((r.tool, r.args_key, r.error) if isinstance(r, ToolOutcome) else r for r in results):
        if name != tool:
            continue
        if not error:
            steps = count = total = repeats = 0
            failed.clear()
            continue
        count, total = count + 1, total + 1
        repeated = key in failed
        failed.add(key)
        if repeated or count >= after:
            steps, count, repeats = steps + 1, 0, repeats + repeated
    return Escalation(steps, _reason(tool, total, repeats, steps))


def _reason(tool: str, failures: int, repeats: int, steps: int) -> str:
    if not steps:
        return ""
    failed = f"{tool!r} failed once" if failures == 1 else f"{tool!r} failed {failures} times in a row"
    again = ", a failed call was issued again unchanged" if repeats else ""
    return f"Escalated {steps} step{'s' if steps > 1 else ''}: {failed} in this turn{again}."


def pick_start(chain: Sequence[str], steps: int, to: str | None = None) -> tuple[str, ...]:
    """The chain after an escalation: it starts further up, and what was passed over stands at its end.

    What was passed over is still better than nothing when everything above it is down. Beyond the last candidate there is no step.

    Args:
        chain: The candidates in order.
        steps: Candidates to pass over.
        to: The model that an escalation goes to, instead of the next one in the chain.
    """
    if steps <= 0 or not chain:
        return tuple(chain)
    if to is not None:
        return (to, *(spec for spec in chain if spec != to))
    start = min(steps, len(chain) - 1)
    return (*chain[start:], *chain[:start])
