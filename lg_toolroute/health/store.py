"""The health of models shared by many workers through a LangGraph store.

**What lies in the store.** One item a troubled model (`circuits`, key: the model) and one item a running probe (`claims/<model>`, key:
the caller that probes). A healthy model has none. One item a model that wrote routed calls, with their counts (`calls`, key: the model).

**What it costs.** The circuits are cached here and read again at most every `refresh_s`, one batched read for all models; in between, a
healthy chain costs a dictionary look-up. Only a change is written: a success of a healthy model writes nothing but, at most every
`COUNTS_EVERY_S`, the counts of calls.

**One probe a cooldown, without compare-and-set.** A caller that wants to probe a half-open model takes a `lease`, and then reads the
circuit once more: if it changed meanwhile, another caller has probed, and the lease is given back. A lease is given back only after
the new circuit is written, so a caller that no longer sees the lease sees what it led to. The lease of a caller that dies lapses after
`probe_timeout_s`.

**What is guaranteed, and where.** The lease needs a store in which a finished write is seen by every later read. That holds for
`InMemoryStore` (one process), `SqliteStore` and `AsyncSqliteStore` on one file, `PostgresStore` and `AsyncPostgresStore` on one
primary server. It does not hold for reads from a replica, nor for a cache put in front: there a cooldown may see a second probe.
Changes to a circuit are read-modify-write: when two workers report in the same instant the later write stands, so a cooldown
may miss one doubling. The workers' clocks must agree to a few seconds (`time.time`).

**When the store is down** the cache is used and kept up to date, and the store is tried again after `retry_s`; what happened meanwhile
is then written if it is newer. A run never fails because of it. `inspect()` and one log line say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from langgraph.store.base import BaseStore, GetOp, Item, Op, PutOp, SearchOp

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.failures.circuit import CLOSED, Circuit, after_report
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.failures.stored_circuit import read_circuit, write_circuit
from lg_toolroute.health.book import HealthBook
from lg_toolroute.health.cache import CircuitCache, shared_part
from lg_toolroute.health.lease import take, unique_key
from lg_toolroute.health.tally import SharedTally, by_model, plain
from lg_toolroute.health.tolerant_store import Batches, TolerantStore

_MOST_ITEMS = CircuitCache.most_models

COUNTS_EVERY_S = 10.0
"""How long the counts of written calls are kept back, in seconds."""


class StoreHealth(HealthBook):
    """A `HealthBook` over any LangGraph `BaseStore`, shared by every process that uses the same store.

    The sync methods need a store with sync methods, the async ones take either; a sync store is then used in a thread. An async
    store (`AsyncSqliteStore`, `AsyncPostgresStore`) must be used in the event loop in which it was made.

    What a model cannot do (`no_tool_support`, `model_not_found`) is remembered by each process for itself, and for a while: it is learned
    by one call, and must not outlive the `ollama pull` that mends it by long.

    Args:
        store: The store, after its `setup()`.
        limits: `CooldownLimits`, or any object with attributes of these names, such as `config.health`; `None` for the defaults.
        clock: Seconds of a clock that all workers share: `time.time`.
        refresh_s: How old the cached reports of other workers may be, in seconds.
        retry_s: How long a store that refused is left alone, in seconds.
        namespace: Where in the store; workers that share health have it in common.
        key: Makes the keys of leases; no two may ever be the same in any process.
    """

    def __init__(
        self,
        store: BaseStore,
        limits: object | None = None,
        clock: Callable[[], float] = time.time,
        *,
        refresh_s: float = 1.0,
        retry_s: float = 5.0,
        namespace: tuple[str, ...] = ("lg_toolroute", "health"),
        key: Callable[[], str] = unique_key,
    ) -> None:
        self.limits = CooldownLimits.of(limits)
        self._clock = clock
        self._store = TolerantStore(store, clock, retry_s)
        self._cache = CircuitCache(self.limits, clock)
        self._refresh_s = refresh_s
        self._key = key
        self._circuits_at = (*namespace, "circuits")
        self._claims_at = (*namespace, "claims")
        self._calls_at = (*namespace, "calls")
        self._tally = SharedTally(self._calls_at, clock, COUNTS_EVERY_S)
        self._read_at: float | None = None
        self._reading = threading.Lock()

    # The plain and the async form of each method differ only in how they send the same batches.

    def now(self) -> float:
        """See `HealthBook.now`."""
        return self._clock()

    def snapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """The circuits of these models, at most `refresh_s` old."""
        wanted = tuple(specs)
        if not self._fresh(wanted):
            self._store.run(self._refresh(wanted), _nothing)
        return self._cache.snapshot(wanted)

    async def asnapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """See `snapshot`."""
        wanted = tuple(specs)
        if not self._fresh(wanted):
            await self._store.arun(self._refresh(wanted), _nothing)
        return self._cache.snapshot(wanted)

    def known(self, spec: str) -> Circuit:
        """See `HealthBook.known`."""
        return self._cache.known(spec)

    def claim(self, spec: str) -> bool:
        """See `HealthBook.claim`."""
        return self._store.run(self._claim(spec), partial(self._cache.claim, spec))

    async def aclaim(self, spec: str) -> bool:
        """See `claim`."""
        return await self._store.arun(self._claim(spec), partial(self._cache.claim, spec))

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """See `HealthBook.report`."""
        if not self._cache.changes_nothing(spec, failure, tool):
            self._store.run(self._report(spec, failure, tool), partial(self._cache.report, spec, failure, tool=tool))

    async def areport(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """See `report`."""
        if not self._cache.changes_nothing(spec, failure, tool):
            await self._store.arun(self._report(spec, failure, tool), partial(self._cache.report, spec, failure, tool=tool))

    def add_calls(self, spec: str, tool: str, counts: CallCounts) -> None:
        """See `HealthBook.add_calls`; they are written with a later `snapshot` or `inspect`."""
        self._tally.add(spec, tool, counts)

    def calls_of(self, spec: str, tool: str) -> CallCounts:
        """See `HealthBook.calls_of`; those of other workers as they were when this one last wrote its own, or last called `inspect`."""
        return self._tally.of(spec, tool)

    def models_of(self, tool: str) -> Mapping[str, CallCounts]:
        """See `HealthBook.models_of`."""
        return by_model(self._tally.all(), tool)

    def reset(self, spec: str | None = None) -> None:
        """Forget one model's troubles and counts, or all, for every worker; what a model cannot do is forgotten by this process only."""
        self._cache.reset(spec)
        self._tally.forget(spec)
        self._store.run(self._reset(spec), _nothing)

    async def areset(self, spec: str | None = None) -> None:
        """See `reset`."""
        self._cache.reset(spec)
        self._tally.forget(spec)
        await self._store.arun(self._reset(spec), _nothing)

    def inspect(self) -> dict[str, Any]:
        """What is known, JSON-able: `{"book": "store", "models": {...}, "calls": {...}, "store": {...}, "notes": {...}}`. Reads the store."""
        self._store.run(self._read_all(), _nothing)
        return self._inspected()

    async def ainspect(self) -> dict[str, Any]:
        """See `inspect`."""
        await self._store.arun(self._read_all(), _nothing)
        return self._inspected()

    # Batches of store operations.

    def _refresh(self, wanted: tuple[str, ...]) -> Batches[None]:
        """Read all known models; one caller at a time, the others take what is cached unless it lacks a model."""
        first = self._reading.acquire(blocking=False)
        try:
            if first or self._cache.lacks(wanted):
                before = self._cache.copy()
                specs = tuple(dict.fromkeys((*before, *wanted)))
                items = yield [GetOp(self._circuits_at, spec) for spec in specs]
                yield from self._settle({spec: self._parse(spec, item) for spec, item in zip(specs, items, strict=True)}, before)
                if self._tally.due:
                    yield from self._tally.write()
        finally:
            if first:
                self._reading.release()

    def _read_all(self) -> Batches[None]:
        before = self._cache.copy()
        [items] = yield [SearchOp(self._circuits_at, limit=_MOST_ITEMS)]
        yield from self._settle({**dict.fromkeys(before, CLOSED), **{item.key: self._parse(item.key, item) for item in items}}, before)
        yield from self._tally.write()
        yield from self._tally.read(_MOST_ITEMS)

    def _settle(self, found: dict[str, Circuit], before: Mapping[str, Circuit]) -> Batches[None]:
        """Cache what was read, after writing what happened here while the store was down, unless the store knows something newer."""
        unwritten = self._cache.take_unwritten()
        writes: list[Op] = []
        for spec, changed_at in unwritten.items():
            stored = found.get(spec, CLOSED)
            if max(stored.since, stored.failed_at) <= changed_at:
                found[spec] = before.get(spec, CLOSED)
                writes.append(self._put(spec, found[spec]))
        if writes:
            try:
                yield writes
            except GeneratorExit:
                self._cache.give_back_unwritten(unwritten)
                raise
        self._cache.adopt(found, before)
        self._read_at = self.now()

    def _claim(self, spec: str) -> Batches[bool]:
        known = self._cache.get(spec)
        if known is not None and not known.half_open(self.now()) and self._fresh((spec,)):
            return not known.opened  # a fresh closed circuit, or a cooldown or a probe that is known to run
        circuit = yield from self._read(spec)
        self._cache.put(spec, circuit)
        if not circuit.opened:
            return True
        if circuit.state(self.now()) == "open":
            return False
        lease = yield from take(self._claims_of(spec), self.now, self.limits.probe_timeout_s, self._key)
        if lease is None:
            return False
        if lease.ours:
            again = yield from self._read(spec)
            if (again.since, again.opened) != (circuit.since, circuit.opened):
                self._cache.put(spec, again)
                yield [PutOp(lease.namespace, lease.key, None)]
                return not again.opened
            self._cache.leases[spec] = lease
        self._cache.put(spec, replace(circuit, probe_at=lease.since, probe_until=lease.until))
        return lease.ours

    def _report(self, spec: str, failure: Failure | None, tool: str | None) -> Batches[None]:
        before = yield from self._read(spec)
        after = after_report(before, failure, tool, self.now(), self.limits)
        if shared_part(after) != shared_part(before):
            yield [self._put(spec, after)]
        self._cache.put(spec, after)
        # Of a cancelled probe nothing is known: its lease lapses by itself.
        lease = None if failure is not None and failure.cls == "cancelled" else self._cache.leases.pop(spec, None)
        if lease is not None:
            # Only now: a caller that no longer sees the lease must see the circuit that it led to.
            yield [PutOp(lease.namespace, lease.key, None)]

    def _read(self, spec: str) -> Batches[Circuit]:
        [item] = yield [GetOp(self._circuits_at, spec)]
        return self._cache.joined(spec, self._parse(spec, item))

    def _reset(self, spec: str | None) -> Batches[None]:
        if spec is not None:
            [claims] = yield [SearchOp(self._claims_of(spec), limit=_MOST_ITEMS)]
            forgotten = [(self._circuits_at, spec), (self._calls_at, spec), *((tuple(claim.namespace), claim.key) for claim in claims)]
            yield [PutOp(place, key, None) for place, key in forgotten]
            return
        found = yield [SearchOp(place, limit=_MOST_ITEMS) for place in (self._circuits_at, self._claims_at, self._calls_at)]
        if items := [item for items in found for item in items]:
            yield [PutOp(tuple(item.namespace), item.key, None) for item in items]

    def _put(self, spec: str, circuit: Circuit) -> PutOp:
        part = shared_part(circuit)
        return PutOp(self._circuits_at, spec, None if part == CLOSED else write_circuit(part), index=False)

    # What needs no store.

    def _fresh(self, wanted: tuple[str, ...]) -> bool:
        if self._store.resting:
            return True
        if self._read_at is None or not 0 <= self._clock() - self._read_at < self._refresh_s:
            return False
        return not self._cache.lacks(wanted)

    def _parse(self, spec: str, item: Item | None) -> Circuit:
        if item is None:
            return CLOSED
        circuit, wrong = read_circuit(item.value, self.limits)
        if wrong is not None:
            self._cache.notes[spec] = f"the store's value was taken for a closed circuit: {wrong}"
        return shared_part(circuit)

    def _claims_of(self, spec: str) -> tuple[str, ...]:
        # A label of a namespace may not contain a dot, a model's name may.
        return (*self._claims_at, sha256(spec.encode("utf-8", "surrogatepass")).hexdigest()[:24])

    def _inspected(self) -> dict[str, Any]:
        store = {"kind": type(self._store.store).__name__, "reachable": self._store.reachable, "last_error": self._store.last_error}
        models, calls = self._cache.inspect()["models"], plain(self._tally.all())
        return {"book": "store", "models": models, "calls": calls, "store": store, "notes": dict(self._cache.notes)}


def _nothing() -> None:
    """The fallback of a read: what is cached stays as it is."""
