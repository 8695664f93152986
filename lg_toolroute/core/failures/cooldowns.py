"""How long a model is left alone after a failure: the only place for a cooldown's curve and its numbers.

| failure | opens the circuit | cooldown |
|---|---|---|
| `rate_limit` | at once | what `Retry-After` says, else 30 s doubling to 5 min |
| `quota` | at once | 10 min doubling to 1 h, or what `Retry-After` says if that is longer |
| `auth` | at once | 10 min |
| `overloaded`, `server_error`, `timeout`, `connection` | after 2 in a row | what `Retry-After` says, else 30 s doubling to 5 min |
| `model_not_found`, `no_tool_support` | never | not asked for that for 10 min doubling to 1 h |
| everything else | never | none |

A `Retry-After` is believed between a second and an hour (`quota_max_s`): a longer one costs one probe an hour. "In a row" is forgotten
after `transient_max_s` without a failure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

from lg_toolroute.core.failures.failure import TRANSIENT, Failure

_OPENS_AT_ONCE: Final = frozenset({"rate_limit", "quota", "auth"})
_MOST_DOUBLINGS: Final = 40

INCAPABLE_S: Final = 600.0
"""For so long a provider is believed that it does not know a model, or that the model cannot call tools."""

INCAPABLE_MAX_S: Final = 3600.0
"""The longest time for which it is believed, however often it was said."""

SHORTEST_WAIT_S: Final = 1.0
"""A `Retry-After` below this is rounded up, so that "0" does not make every turn a probe."""


@dataclass(frozen=True, slots=True)
class CooldownLimits:
    """The numbers of the table, in seconds, but `transient_after`: failures in a row. The configuration's `health` has the same names.

    Attributes:
        probe_timeout_s: A probe that reports nothing for so long counts as lost, and another caller may probe.
    """

    rate_limit_s: float = 30.0
    rate_limit_max_s: float = 300.0
    quota_s: float = 600.0
    quota_max_s: float = 3600.0
    transient_after: int = 2
    transient_s: float = 30.0
    transient_max_s: float = 300.0
    auth_s: float = 600.0
    probe_timeout_s: float = 60.0

    @classmethod
    def of(cls, source: object) -> CooldownLimits:
        """The limits in any object that has attributes of these names; what it lacks keeps its default."""
        if isinstance(source, cls):
            return source
        return cls(**{f.name: value for f in fields(cls) if (value := getattr(source, f.name, None)) is not None})

    @property
    def longest_s(self) -> float:
        """The longest cooldown there can be, whatever a provider asks for."""
        rate_limit_s, quota_s = max(self.rate_limit_s, self.rate_limit_max_s), max(self.quota_s, self.quota_max_s)
        return max(rate_limit_s, quota_s, self.transient_s, self.transient_max_s, self.auth_s)


def failures_to_open(cls: str, limits: CooldownLimits) -> int | None:
    """How many failures in a row open a circuit; `None` if failures of this class never do."""
    if cls in _OPENS_AT_ONCE:
        return 1
    return limits.transient_after if cls in TRANSIENT else None


def cooldown_s(failure: Failure, cooldowns: int, limits: CooldownLimits) -> float:
    """Seconds for which a model is left alone.

    Args:
        failure: Why.
        cooldowns: How many cooldowns in a row it had before: each doubles the time.
        limits: The numbers.
    """
    doubled = 2.0 ** min(cooldowns, _MOST_DOUBLINGS)
    asked_s = failure.retry_after_s
    if asked_s is not None:
        asked_s = None if math.isnan(asked_s) else min(max(asked_s, SHORTEST_WAIT_S), limits.quota_max_s)
    if failure.cls == "auth":
        return limits.auth_s
    if failure.cls == "quota":
        return max(min(limits.quota_s * doubled, limits.quota_max_s), asked_s or 0.0)
    if asked_s is not None:
        return asked_s
    if failure.cls == "rate_limit":
        return min(limits.rate_limit_s * doubled, limits.rate_limit_max_s)
    return min(limits.transient_s * doubled, limits.transient_max_s)


def incapable_s(times: int) -> float:
    """Seconds for which it is believed that a model cannot do something, once that was said `times` times in a row."""
    return min(INCAPABLE_S * 2.0 ** min(times - 1, _MOST_DOUBLINGS), INCAPABLE_MAX_S)
