"""The health of one model as a circuit breaker: its state, and how a report or a claim changes it.

```text
                       2 transient failures in a row,
                       or one rate_limit, quota, auth
             ┌────────┐ ────────────────────────────► ┌──────┐
             │ closed │                               │ open │ ◄──────────────┐
             └────────┘ ◄───────────────┐             └──────┘                │ failure: the
                  ▲        any success  │   the cooldown │                    │ cooldown doubles
                  │                     │        is over ▼                    │
                  │                     │          ┌───────────┐  one claim  ┌┴────────┐
                  └─────────────────────┴───────── │ half-open │ ──────────► │ probing │
                                                   └───────────┘ ◄────────── └─────────┘
                                                                  no report for
                                                                  `probe_timeout_s`
```

How long a cooldown lasts is in `cooldowns`. Failures that open no circuit: `model_not_found` and `no_tool_support` are believed for a
while, twice as long each time they are said again, until a success disproves them; `invalid_tool_call`, `empty_response` and `truncated`
are counted for the tool, and close the circuit, because the model is up, as `content_policy` does; of
`parameter_refused` it is kept for a day what the provider refused (`rungs`); the rest changes nothing. A failure while a cooldown runs
does not extend it.

A circuit knows no clock: every question takes `now`. A clock that went backwards by more than a few seconds ends a cooldown (and a
claim) instead of prolonging it, so no model is locked for ever; one failed probe is the price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from lg_toolroute.core.failures.cooldowns import CooldownLimits, cooldown_s, failures_to_open, incapable_s
from lg_toolroute.core.failures.failure import BAD_ANSWER, INCAPABLE, LONGEST_TEXT, Failure, Refused
from lg_toolroute.core.failures.rungs import believed, learned

SKEW_S: Final = 5.0
"""Clocks of hosts that share health may differ by this much; a cooldown that begins further in the future is not believed."""

MOST_TOOLS: Final = 256
"""Tools a circuit counts bad answers for."""

LONGEST_NAME: Final = 256
"""Characters of a tool's name that are kept."""


@dataclass(frozen=True, slots=True)
class BadAnswers:
    """A model's unusable answers for one tool.

    Attributes:
        in_a_row: Since the last usable one.
        total: Since the circuit was reset.
        cls: The class of the last one.
    """

    in_a_row: int
    total: int
    cls: str


@dataclass(frozen=True, slots=True)
class Incapacity:
    """What a provider said that a model cannot do. A provider may be wrong, and a model may be installed: it is believed for a while.

    Attributes:
        cls: `"no_tool_support"` or `"model_not_found"`.
        why: The provider's words, masked and shortened.
        since: When it was last said, in the clock's seconds.
        until: When the model may be asked for that again.
        times: How often it was said in a row: each doubles the time.
    """

    cls: str
    why: str
    since: float
    until: float
    times: int = 1


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
        incapable_of: What the model cannot do, each class once; an entry that has lapsed is kept, so that the next one lasts longer.
        bad_answers: Unusable answers, by tool; the tool that was counted last stands last.
        refused: Parameters of ours that its provider refused.
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
    incapable_of: tuple[Incapacity, ...] = ()
    bad_answers: tuple[tuple[str, BadAnswers], ...] = ()
    refused: tuple[Refused, ...] = ()

    def blocked(self, now: float) -> tuple[str, float] | None:
        """Why the model is left alone, and for how many seconds more; `None` when it may be asked or probed."""
        state = self.state(now)
        if state == "open":
            due_in_s = min(self.until - now, self.until - self.since)
            return f"cooling down for {_duration(due_in_s)} ({self.cls})", due_in_s
        if state == "probing":
            return f"being probed after {self.cls}", min(self.probe_until - now, self.probe_until - self.probe_at)
        return None

    def half_open(self, now: float) -> bool:
        """Whether exactly one caller may claim a probe now."""
        return self.state(now) == "half-open"

    def state(self, now: float) -> Literal["closed", "open", "half-open", "probing"]:
        """The state in one word."""
        if not self.opened:
            return "closed"
        if within(self.since, self.until, now):
            return "open"
        return "probing" if within(self.probe_at, self.probe_until, now) else "half-open"

    def incapable(self, what: str, now: float) -> bool:
        """Whether it is believed that the model cannot do this: `"no_tool_support"` or `"model_not_found"`."""
        return any(entry.cls == what and within(entry.since, entry.until, now) for entry in self.incapable_of)

    def bad_answers_for(self, tool: str) -> BadAnswers | None:
        """What went wrong when the model wrote calls of this tool; `None` if nothing did."""
        return next((bad for name, bad in self.bad_answers if name == tool), None)

    def refuses(self, now: float) -> tuple[Refused, ...]:
        """What its provider refused of late."""
        return tuple(each for each in self.refused if believed(each, now)) if self.refused else ()


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
        "incapable": {entry.cls: entry.why for entry in circuit.incapable_of if within(entry.since, entry.until, now)},
        "bad_answers": {tool: {"in_a_row": bad.in_a_row, "total": bad.total, "last": bad.cls} for tool, bad in circuit.bad_answers},
        "refused": [
            {"parameter": each.parameter, "left": each.left, "while_thinking": each.while_thinking, "why": each.why, "ago_s": round(now - each.at, 3)}
            for each in circuit.refuses(now)
        ],
    }


def after_claim(circuit: Circuit, now: float, limits: CooldownLimits) -> Circuit:
    """The circuit after a caller asked for the one probe: the same object if the caller may not have it."""
    if not circuit.half_open(now):
        return circuit
    return replace(circuit, probe_at=now, probe_until=now + max(limits.probe_timeout_s, 0.0))


def after_report(circuit: Circuit, failure: Failure | None, tool: str | None, now: float, limits: CooldownLimits) -> Circuit:
    """The circuit after an attempt; the same object when the attempt changes nothing.

    Args:
        circuit: The circuit before it.
        failure: Why the attempt failed; `None` for a success.
        tool: The tool whose call was to be written, if one was.
        now: When, in seconds of a clock that all who share the circuit share.
        limits: How long a model is left alone.
    """
    if failure is None or failure.cls in BAD_ANSWER:
        return _closed(_counted(circuit if failure else _disproved(circuit, tool), tool, failure))
    if failure.cls == "content_policy":
        return _closed(circuit)
    if failure.cls in INCAPABLE:
        return _closed(_incapable(circuit, failure, now))
    if (needed := failures_to_open(failure.cls, limits)) is not None:
        return _after_outage(circuit, failure, needed, now, limits)
    if failure.refused is not None:
        circuit = replace(circuit, refused=learned(circuit.refused, failure.refused, now))
    if failure.cls == "cancelled":
        # Whether the model would have answered is not known. The claim lapses by itself, so a model that hangs is not asked again at once.
        return circuit
    return replace(circuit, probe_at=0.0, probe_until=0.0) if circuit.probe_until else circuit


def _incapable(circuit: Circuit, failure: Failure, now: float) -> Circuit:
    """The circuit with what the model cannot do; said again by a call that was under way meanwhile, it lasts no longer."""
    if circuit.incapable(failure.cls, now):
        return circuit
    times = 1 + max((entry.times for entry in circuit.incapable_of if entry.cls == failure.cls), default=0)
    others = tuple(entry for entry in circuit.incapable_of if entry.cls != failure.cls)
    entry = Incapacity(failure.cls, failure.text[:LONGEST_TEXT], now, now + incapable_s(times), times)
    return replace(circuit, incapable_of=(*others, entry))


def _disproved(circuit: Circuit, tool: str | None) -> Circuit:
    """The circuit after a good answer: the model is there, and if it wrote a call, it can call tools."""
    kept = tuple(entry for entry in circuit.incapable_of if entry.cls == "no_tool_support" and tool is None)
    return circuit if kept == circuit.incapable_of else replace(circuit, incapable_of=kept)


def _closed(circuit: Circuit) -> Circuit:
    """The circuit closed, with what was learned about the model kept."""
    if not circuit.opened and not circuit.failures:
        return circuit
    return Circuit(incapable_of=circuit.incapable_of, bad_answers=circuit.bad_answers, refused=circuit.refused)


def _after_outage(circuit: Circuit, failure: Failure, needed: int, now: float, limits: CooldownLimits) -> Circuit:
    """The circuit after a failure that opens it when it is one of `needed` in a row."""
    if circuit.state(now) == "open":
        return circuit
    in_a_row = circuit.failures and within(circuit.failed_at, circuit.failed_at + limits.transient_max_s, now)
    failures = circuit.failures + 1 if in_a_row else 1
    if not circuit.opened and failures < needed:
        return replace(circuit, failures=failures, failed_at=now)
    return Circuit(
        opened=circuit.opened + 1,
        since=now,
        until=now + cooldown_s(failure, circuit.opened, limits),
        cls=failure.cls,
        why=failure.text[:LONGEST_TEXT],
        incapable_of=circuit.incapable_of,
        bad_answers=circuit.bad_answers,
        refused=circuit.refused,
    )


def _counted(circuit: Circuit, tool: str | None, failure: Failure | None) -> Circuit:
    """The circuit with a bad answer for the tool counted, or, without a failure, with its row of them ended."""
    if tool is None:
        return circuit
    tool = tool[:LONGEST_NAME]
    before = circuit.bad_answers_for(tool) or BadAnswers(0, 0, "")
    if failure is None and not before.in_a_row:
        return circuit
    counted = replace(before, in_a_row=0) if failure is None else BadAnswers(before.in_a_row + 1, before.total + 1, failure.cls)
    # The newest stands last; beyond the limit the tool that was not counted for longest is forgotten.
    others = tuple(entry for entry in circuit.bad_answers if entry[0] != tool)
    return replace(circuit, bad_answers=(*others, (tool, counted))[-MOST_TOOLS:])


def within(since: float, until: float, now: float) -> bool:
    """Whether `now` lies between two moments; before the first one only as far as clocks may differ."""
    return since - min(SKEW_S, until - since) <= now < until


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
