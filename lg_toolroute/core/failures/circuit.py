"""The health of one model at one moment: closed, open, half-open or being probed. How it changes is `health`'s part.

A circuit is immutable, knows no clock (every question takes `now`), and survives a trip through JSON, also a trip on which others wrote.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from lg_toolroute.core.failures.failure import BAD_ANSWER, CLASSES, INCAPABLE, LONGEST_TEXT
from lg_toolroute.core.failures.limits import Limits

SKEW_S: Final = 5.0
"""Clocks of hosts that share health may differ by this much; a cooldown that begins further in the future is not believed."""

MOST_PAIRS: Final = 256
"""Tools a circuit keeps counts for."""

LONGEST_NAME: Final = 256
"""Characters of a tool's name that are kept."""

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Pair:
    """Answers of one model for one tool that could not be believed.

    Attributes:
        in_a_row: Since the last one that could.
        total: Since the circuit was reset.
        cls: The class of the last one.
    """

    in_a_row: int
    total: int
    cls: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is known of a model's health. Immutable; `CLOSED` is the one of a model that was never in trouble.

    Attributes:
        opened: Cooldowns in a row; 0 means closed. The exponent of the doubling.
        since: When the cooldown began, in the clock's seconds.
        until: When it ends.
        cls: The failure class that opened it.
        why: The provider's words, masked and shortened.
        failures: Transient failures in a row while closed.
        failed_at: When the last of them happened.
        probe_at: When the running probe was claimed; `probe_until` is when its claim lapses. Both 0: no probe.
        incapable: What the model cannot do, as `(class, the provider's words)`.
        pairs: Answers that could not be believed, by tool.
    """

    opened: int = 0
    since: float = 0.0
    until: float = 0.0
    cls: str = ""
    why: str = ""
    failures: int = 0
    failed_at: float = 0.0
    probe_at: float = 0.0
    probe_until: float = 0.0
    incapable_of: tuple[tuple[str, str], ...] = ()
    pairs: tuple[tuple[str, Pair], ...] = ()

    def blocked(self, now: float) -> tuple[str, float] | None:
        """Why the model is left alone, and for how many seconds more; `None` when it may be asked or probed."""
        if not self.opened:
            return None
        if runs(self.since, self.until, now):
            due_in_s = min(self.until - now, self.until - self.since)
            return f"cooling down for {_span(due_in_s)} ({self.cls})", due_in_s
        if runs(self.probe_at, self.probe_until, now):
            due_in_s = min(self.probe_until - now, self.probe_until - self.probe_at)
            return f"being probed after {self.cls}", due_in_s
        return None

    def half_open(self, now: float) -> bool:
        """Whether exactly one caller may claim a probe now."""
        return bool(self.opened) and self.blocked(now) is None

    def state(self, now: float) -> Literal["closed", "open", "half-open", "probing"]:
        """The state in one word."""
        if not self.opened:
            return "closed"
        if runs(self.since, self.until, now):
            return "open"
        return "probing" if runs(self.probe_at, self.probe_until, now) else "half-open"

    def incapable(self, what: str) -> bool:
        """Whether it was learned that the model cannot do this: `"no_tool_support"` or `"model_not_found"`."""
        return any(cls == what for cls, _ in self.incapable_of)

    def pair(self, tool: str) -> Pair | None:
        """What went wrong when the model wrote calls of this tool; `None` if nothing did."""
        return next((pair for name, pair in self.pairs if name == tool), None)

    @property
    def clean(self) -> bool:
        """Whether a success would change nothing: the case that must cost nothing."""
        return not self.opened and not self.failures

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `read_circuit` turns it back."""
        return {
            "format": _FORMAT,
            "opened": self.opened,
            "since": self.since,
            "until": self.until,
            "cls": self.cls,
            "why": self.why,
            "failures": self.failures,
            "failed_at": self.failed_at,
            "probe_at": self.probe_at,
            "probe_until": self.probe_until,
            "incapable_of": [list(entry) for entry in self.incapable_of],
            "pairs": {tool: [pair.in_a_row, pair.total, pair.cls] for tool, pair in self.pairs},
        }


CLOSED: Final = Circuit()


def describe(circuit: Circuit, now: float) -> dict[str, Any]:
    """A circuit for people and for the command line: JSON-able, times as seconds from `now`."""
    blocked = circuit.blocked(now)
    return {
        "state": circuit.state(now),
        "class": circuit.cls or None,
        "why": circuit.why or None,
        "due_in_s": None if blocked is None else round(blocked[1], 3),
        "cooldowns_in_a_row": circuit.opened,
        "failures_in_a_row": circuit.failures,
        "incapable": dict(circuit.incapable_of),
        "bad_answers": {tool: {"in_a_row": p.in_a_row, "total": p.total, "last": p.cls} for tool, p in circuit.pairs},
    }


def runs(since: float, until: float, now: float) -> bool:
    """Whether `now` lies in a window; before its beginning only as far as clocks may differ."""
    return since - min(SKEW_S, until - since) <= now < until


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def read_circuit(value: object, limits: Limits) -> tuple[Circuit, str | None]:
    """A circuit out of what a store holds, and what was wrong with it; what cannot be read is a closed circuit.

    Cooldowns and claims longer than these limits allow are cut to them: another process may run with other limits.

    Args:
        value: What `Circuit.to_dict` gave, or anything at all.
        limits: This process's limits.
    """
    if not isinstance(value, Mapping):
        return CLOSED, f"not a mapping but {type(value).__name__}"
    if value.get("format") != _FORMAT:
        return CLOSED, f"written in format {value.get('format')!r}, this version reads {_FORMAT}"
    try:
        opened, failures = _count(value["opened"]), _count(value["failures"])
        since, until = _window(value["since"], value["until"], limits.longest_s)
        probe_at, probe_until = _window(value["probe_at"], value["probe_until"], limits.probe_timeout_s)
        cls, why = _name(value["cls"], CLASSES if opened else None), str(value["why"])[:LONGEST_TEXT]
        incapable = tuple((_name(known, INCAPABLE), str(text)[:LONGEST_TEXT]) for known, text in value["incapable_of"])
        pairs = tuple(
            (str(tool)[:LONGEST_NAME], Pair(_count(row), _count(total), _name(last, BAD_ANSWER)))
            for tool, (row, total, last) in list(value["pairs"].items())[-MOST_PAIRS:]
        )
        circuit = Circuit(opened, since, until, cls, why, failures, _moment(value["failed_at"]), probe_at, probe_until, incapable, pairs)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return CLOSED, f"unreadable ({type(error).__name__}: {str(error)[:80]})"
    return circuit, None


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a moment")
    return float(value)


def _window(since: object, until: object, longest_s: float) -> tuple[float, float]:
    start, end = _moment(since), _moment(until)
    if end < start:
        raise ValueError("a window ends before it begins")
    return start, min(end, start + max(longest_s, 0.0))


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise ValueError(f"{value!r} is not a count")
    return value


def _name(value: object, known: Collection[str] | None) -> str:
    if not isinstance(value, str) or (known is not None and value not in known):
        raise ValueError(f"{value!r} is not a failure class of this place")
    return value
