"""A lease that at most one of many processes holds, in a store that can only put, get and search.

1. search: if another process holds a live claim, give up;
2. put a claim under a key that no other process writes;
3. search again: the lease is won by a process that sees its own live claim and *no* other.

Each process writes before it reads, so of two callers at least one sees the other, and two can never both win. If both see each other,
the smaller key reads again for a few rounds while the larger withdraws; in the worst case neither wins, and the next call tries again.
A claim lapses by itself after its time, so a holder that dies gives the lease back.

This needs a store in which a finished write is seen by every later read.

Source: the flags of Dekker's algorithm, without its waiting.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from langgraph.store.base import Item, PutOp, SearchOp

from lg_toolroute.core.failures.circuit import within
from lg_toolroute.health.tolerant_store import Batches

_ROUNDS: Final = 8
_MOST_CLAIMS: Final = 100


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim that stands in the store.

    Attributes:
        namespace: Where.
        key: Under which key; no other process writes it.
        since: When it was claimed, in the clock's seconds.
        until: When it lapses.
        ours: Whether this call won it; else another caller was first and holds it.
    """

    namespace: tuple[str, ...]
    key: str
    since: float
    until: float
    ours: bool


def unique_key() -> str:
    """A key that no other process writes."""
    return uuid.uuid4().hex


def take(namespace: tuple[str, ...], clock: Callable[[], float], longest_s: float, key: Callable[[], str]) -> Batches[Lease | None]:
    """The lease if it was won, the holder's if there is one, `None` if several callers met and none won.

    Args:
        namespace: Where the claims on this lease lie.
        clock: Seconds of a clock that all callers share.
        longest_s: When a claim lapses, in seconds; another process's claim is not believed for longer either.
        key: Gives a new key; `unique_key`.
    """
    [items] = yield [SearchOp(namespace, limit=_MOST_CLAIMS)]
    live, lapsed = _live_and_lapsed(items, clock(), longest_s)
    if live:
        holder, (since, until) = min(live.items())
        return Lease(namespace, holder, since, until, ours=False)
    mine, since = key(), clock()
    until = since + longest_s
    yield [PutOp(namespace, mine, {"at": since, "until": until}, index=False), *(PutOp(namespace, old, None) for old in lapsed)]
    for _ in range(_ROUNDS):
        [items] = yield [SearchOp(namespace, limit=_MOST_CLAIMS)]
        live, _lapsed = _live_and_lapsed(items, clock(), longest_s)
        if len(live) == 1 and mine in live:
            return Lease(namespace, mine, since, until, ours=True)
        # A store that does not show us our own claim shows us an old state, and may hide a rival's.
        if mine not in live or min(live) != mine:
            break
    yield [PutOp(namespace, mine, None)]
    return None


def _live_and_lapsed(items: Iterable[Item], now: float, longest_s: float) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """The claims that hold, by key, and the keys of those that lapsed or cannot be read."""
    live: dict[str, tuple[float, float]] = {}
    lapsed: list[str] = []
    for item in items:
        value = item.value if isinstance(item.value, Mapping) else {}
        since, until = value.get("at"), value.get("until")
        if isinstance(since, int | float) and isinstance(until, int | float):
            until = min(until, since + longest_s)
            if within(since, until, now):
                live[item.key] = (since, until)
                continue
        lapsed.append(item.key)
    return live, lapsed
