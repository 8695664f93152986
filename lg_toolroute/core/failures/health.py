"""A model's circuit as a pure function: `transition(circuit, event, now, limits) -> circuit`.

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
                                                                  the prober said nothing
                                                                  for `probe_timeout_s`
```

| failure | opens | cooldown |
|---|---|---|
| `rate_limit` | at once | what `Retry-After` says, else 30 s doubling to 5 min |
| `quota` | at once | 10 min doubling to 1 h, or longer if `Retry-After` says so, never above 1 h |
| `auth` | at once | 10 min |
| `overloaded`, `server_error`, `timeout`, `connection` | after 2 in a row | what `Retry-After` says, else 30 s doubling to 5 min |
| `model_not_found`, `no_tool_support` | never | remembered apart: waiting does not help |
| `invalid_tool_call`, `empty_response`, `truncated` | never | counted for the (model, tool) pair; the model is up, so they close |
| everything else | never | nothing |

A `Retry-After` is believed between a second and an hour (`quota_max_s`): a longer one costs one probe an hour. "In a row" is forgotten
after `transient_max_s` without a failure. A failure while a cooldown runs does not extend it.

**Clocks.** `now` is the caller's. A clock that went backwards by more than a few seconds ends a cooldown (and a claim) instead of
prolonging it, so no model is locked for ever; one failed probe is the price.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from lg_toolroute.core.failures.circuit import CLOSED, LONGEST_NAME, MOST_PAIRS, Circuit, Pair, read_circuit, runs
from lg_toolroute.core.failures.failure import BAD_ANSWER, INCAPABLE, LONGEST_TEXT, TRANSIENT, Failure
from lg_toolroute.core.failures.limits import Limits

__all__ = ["CLOSED", "Circuit", "Claimed", "Event", "Failed", "Limits", "Pair", "Succeeded", "read_circuit", "transition"]

SHORTEST_WAIT_S: Final = 1.0
"""A `Retry-After` below this is rounded up, so that "0" does not make every turn a probe."""

_MOST_DOUBLINGS: Final = 40


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed; `tool` is the tool whose call was to be written."""

    failure: Failure
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    """An attempt gave a message that is believed; `tool` is the tool whose call it holds."""

    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A caller takes the one probe of a half-open circuit."""


Event: TypeAlias = Failed | Succeeded | Claimed


def transition(circuit: Circuit, event: Event, now: float, limits: Limits) -> Circuit:
    """The circuit after an event; the same object when the event changes nothing.

    Args:
        circuit: The circuit before it.
        event: What happened.
        now: When, in seconds of a clock that all who share the circuit share.
        limits: How long a model is left alone.
    """
    if isinstance(event, Claimed):
        if not circuit.half_open(now):
            return circuit
        return replace(circuit, probe_at=now, probe_until=now + max(limits.probe_timeout_s, 0.0))
    if isinstance(event, Succeeded):
        return _answered(_with_pair(circuit, event.tool, None))
    failure = event.failure
    if failure.cls in BAD_ANSWER:
        return _answered(_with_pair(circuit, event.tool, failure.cls))
    if failure.cls == "content_policy":
        return _answered(circuit)
    if failure.cls in INCAPABLE:
        return _answered(_without(circuit, failure))
    if failure.cls in TRANSIENT or failure.cls in {"rate_limit", "quota", "auth"}:
        return _failed(circuit, failure, now, limits)
    if failure.cls == "cancelled":
        # Whether the model would have answered is not known. The claim lapses by itself, so a model that hangs is not asked again at once.
        return circuit
    return replace(circuit, probe_at=0.0, probe_until=0.0) if circuit.probe_until else circuit


def _answered(circuit: Circuit) -> Circuit:
    """Closed, with what was learned kept."""
    if circuit.clean:
        return circuit
    return Circuit(incapable_of=circuit.incapable_of, pairs=circuit.pairs)


def _failed(circuit: Circuit, failure: Failure, now: float, limits: Limits) -> Circuit:
    if circuit.opened and runs(circuit.since, circuit.until, now):
        return circuit
    if not circuit.opened and failure.cls in TRANSIENT:
        fresh = circuit.failures and runs(circuit.failed_at, circuit.failed_at + limits.transient_max_s, now)
        failures = circuit.failures + 1 if fresh else 1
        if failures < limits.transient_after:
            return replace(circuit, failures=failures, failed_at=now)
    cooldown_s = _cooldown_s(failure, circuit.opened, limits)
    return replace(
        circuit,
        opened=circuit.opened + 1,
        since=now,
        until=now + cooldown_s,
        cls=failure.cls,
        why=failure.text[:LONGEST_TEXT],
        failures=0,
        failed_at=0.0,
        probe_at=0.0,
        probe_until=0.0,
    )


def _cooldown_s(failure: Failure, opened: int, limits: Limits) -> float:
    doubled = 2.0 ** min(opened, _MOST_DOUBLINGS)
    asked = failure.retry_after_s
    if asked is not None:
        asked = None if math.isnan(asked) else min(max(asked, SHORTEST_WAIT_S), limits.quota_max_s)
    if failure.cls == "auth":
        return limits.auth_s
    if failure.cls == "quota":
        return max(min(limits.quota_s * doubled, limits.quota_max_s), asked or 0.0)
    if asked is not None:
        return asked
    if failure.cls == "rate_limit":
        return min(limits.rate_limit_s * doubled, limits.rate_limit_max_s)
    return min(limits.transient_s * doubled, limits.transient_max_s)


def _without(circuit: Circuit, failure: Failure) -> Circuit:
    if circuit.incapable(failure.cls):
        return circuit
    return replace(circuit, incapable_of=(*circuit.incapable_of, (failure.cls, failure.text[:LONGEST_TEXT])))


def _with_pair(circuit: Circuit, tool: str | None, cls: str | None) -> Circuit:
    """The circuit with a bad answer for the tool counted, or, without a class, with its row ended."""
    if tool is None:
        return circuit
    tool = tool[:LONGEST_NAME]
    before = circuit.pair(tool)
    if cls is None:
        if before is None or not before.in_a_row:
            return circuit
        pair = replace(before, in_a_row=0)
    else:
        pair = Pair(1, 1, cls) if before is None else Pair(before.in_a_row + 1, before.total + 1, cls)
    # The newest stands last; beyond the limit the one that was not touched for longest is forgotten.
    others = tuple(entry for entry in circuit.pairs if entry[0] != tool)
    return replace(circuit, pairs=(*others, (tool, pair))[-MOST_PAIRS:])
