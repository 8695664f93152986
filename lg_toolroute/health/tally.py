"""Counts of written calls, by model and tool: in this process (`Tally`), or added up with those of other workers in a store (`SharedTally`)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import ClassVar

from langgraph.store.base import GetOp, Item, PutOp, SearchOp

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.failures.circuit import LONGEST_NAME
from lg_toolroute.health.tolerant_store import Batches

Counted = dict[str, dict[str, CallCounts]]
"""Counts by model, and then by tool."""


def by_model(counted: Counted, tool: str) -> dict[str, CallCounts]:
    """The counts of a tool, by model."""
    name = tool[:LONGEST_NAME]
    return {spec: tools[name] for spec, tools in counted.items() if name in tools}


class Tally:
    """Counts, safe for threads."""

    most_pairs: ClassVar = 4096
    """Pairs of a model and a tool that are kept; beyond this the one that came first is forgotten."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], CallCounts] = {}
        self._lock = threading.Lock()

    def add(self, spec: str, tool: str, counts: CallCounts) -> None:
        """Count more calls of a pair."""
        pair = (spec, tool[:LONGEST_NAME])
        with self._lock:
            self._counts[pair] = self._counts.get(pair, CallCounts()) + counts
            if len(self._counts) > self.most_pairs:
                del self._counts[next(iter(self._counts))]

    def add_all(self, counted: Mapping[str, Mapping[str, CallCounts]]) -> None:
        """Count more calls of many pairs."""
        for spec, tools in counted.items():
            for tool, counts in tools.items():
                self.add(spec, tool, counts)

    def of(self, spec: str, tool: str) -> CallCounts:
        """The counts of a pair."""
        return self._counts.get((spec, tool[:LONGEST_NAME]), CallCounts())

    def all(self) -> Counted:
        """All counts."""
        found: Counted = {}
        for (spec, tool), counts in list(self._counts.items()):
            found.setdefault(spec, {})[tool] = counts
        return found

    def forget(self, spec: str | None = None) -> None:
        """Forget the counts of one model, or all."""
        with self._lock:
            self._counts = {} if spec is None else {pair: counts for pair, counts in self._counts.items() if pair[0] != spec}


class SharedTally:
    """Counts that many workers add to, one item of a store a model.

    What is counted here is written at most every `every_s`, so a worker that ends loses the counts of its last seconds. Writing is
    read-modify-write: when two workers write in the same instant, the counts of one of them are lost. They are for people, and decide nothing.

    Args:
        namespace: Where in the store.
        clock: Seconds.
        every_s: How long counts are kept back, in seconds.
    """

    def __init__(self, namespace: tuple[str, ...], clock: Callable[[], float], every_s: float) -> None:
        self._namespace = namespace
        self._clock = clock
        self._every_s = every_s
        self._stored: Counted = {}
        self._new = Tally()
        self._new_since: float | None = None

    def add(self, spec: str, tool: str, counts: CallCounts) -> None:
        """Count more calls of a pair."""
        self._new.add(spec, tool, counts)
        if self._new_since is None:
            self._new_since = self._clock()

    def of(self, spec: str, tool: str) -> CallCounts:
        """The counts of a pair, as the store was last seen, and what was counted here since."""
        return self._stored.get(spec, {}).get(tool[:LONGEST_NAME], CallCounts()) + self._new.of(spec, tool)

    def all(self) -> Counted:
        """All counts, as the store was last seen, and what was counted here since."""
        both = Tally()
        both.add_all(self._stored)
        both.add_all(self._new.all())
        return both.all()

    def forget(self, spec: str | None = None) -> None:
        """Forget the counts of one model, or all; the caller removes what is stored."""
        self._new.forget(spec)
        self._stored = {} if spec is None else {other: tools for other, tools in self._stored.items() if other != spec}

    @property
    def due(self) -> bool:
        """Whether counts were kept back long enough."""
        return self._new_since is not None and not 0 <= self._clock() - self._new_since < self._every_s

    def write(self) -> Batches[None]:
        """Add what was counted here to what the store says."""
        mine, self._new, self._new_since = self._new.all(), Tally(), None
        if not mine:
            return
        sums = Tally()
        try:
            items = yield [GetOp(self._namespace, spec) for spec in mine]
            for spec, item in zip(mine, items, strict=True):
                sums.add_all({spec: _read(item)})
            sums.add_all(mine)
            yield [PutOp(self._namespace, spec, {"tools": _plain(tools)}, index=False) for spec, tools in sums.all().items()]
        except GeneratorExit:  # the store refused
            self._new.add_all(mine)
            self._new_since = self._clock()
            raise
        self._stored.update(sums.all())

    def read(self, limit: int) -> Batches[None]:
        """See what all workers have counted."""
        [items] = yield [SearchOp(self._namespace, limit=limit)]
        self._stored = {item.key: _read(item) for item in items}


def _read(item: Item | None) -> dict[str, CallCounts]:
    tools = item.value.get("tools") if item is not None and isinstance(item.value, Mapping) else None
    return {str(tool)[:LONGEST_NAME]: CallCounts.from_dict(counts) for tool, counts in tools.items()} if isinstance(tools, Mapping) else {}


def _plain(tools: Mapping[str, CallCounts]) -> dict[str, dict[str, int]]:
    return {tool: counts.to_dict() for tool, counts in tools.items()}


def plain(counted: Mapping[str, Mapping[str, CallCounts]]) -> dict[str, dict[str, dict[str, int]]]:
    """Counts as plain data: JSON-able, models in the order of their names."""
    return {spec: _plain(tools) for spec, tools in sorted(counted.items())}
