"""The health of models shared by many workers through a LangGraph store.

**What lies in the store.** One item a troubled model (`circuits`, key: the model) and one item a running probe (`claims/<model>`, key:
the prober). A healthy model has none.

**What it costs.** A view of the circuits is kept here and read again at most every `refresh_s`, one batched read for all models; in
between, a healthy chain costs a dictionary look-up. Only a change is written: a success of a healthy model writes nothing.

**One probe a window, without compare-and-set.** Whoever wants to probe a half-open model takes a lease (`store_lease`), and then reads
the circuit once more: if it changed meanwhile, the window is over and the lease is given back. A prober gives its lease back only after
the new circuit is written, so whoever no longer sees the lease sees what it led to. A prober that dies gives it back after
`probe_timeout_s`.

**What is guaranteed, and where.** The lease needs a store in which a finished write is seen by every later read. That holds for
`InMemoryStore` (one process), `SqliteStore` and `AsyncSqliteStore` on one file, `PostgresStore` and `AsyncPostgresStore` on one
primary server. It does not hold for reads from a replica, nor for a cache put in front: there a window may see a second probe.
Changes to a circuit are read-modify-write: when two workers report in the same instant the later write stands, so a cooldown
may miss one doubling. The workers' clocks must agree to a few seconds (`time.time`).

**When the store is down** the view in this process is used and kept up to date, and the store is tried again after `retry_s`;
what happened meanwhile is then written if it is newer. A run never fails because of it. `inspect()` and one log line say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from langgraph.store.base import BaseStore, GetOp, Item, Op, PutOp, SearchOp

from lg_toolroute.core.circuit import describe, runs
from lg_toolroute.core.failure import Failure
from lg_toolroute.core.health import CLOSED, Circuit, Claimed, Limits, read_circuit, transition
from lg_toolroute.memory_health import changes_nothing, event_of
from lg_toolroute.store_driver import Flow, StoreDriver
from lg_toolroute.store_lease import Lease, give_back, take, unique

_MOST_ITEMS: Final = 1000


class StoreHealth:
    """A `HealthBook` over any LangGraph `BaseStore`, shared by every process that uses the same store.

    The sync methods need a store with sync methods, the async ones take either; a sync store is then used in a thread. An async
    store (`AsyncSqliteStore`, `AsyncPostgresStore`) must be used in the event loop in which it was made.

    What a model cannot do (`no_tool_support`, `model_not_found`) is remembered by each process for itself: it is learned by one call,
    and must not outlive the `ollama pull` that mends it.

    Args:
        store: The store; its `setup()` was run by whoever made it.
        limits: `Limits`, or any object with attributes of these names, such as `config.health`; `None` for the defaults.
        clock: Seconds of a clock that all workers share: `time.time`.
        refresh_s: How old the view of other workers' reports may be, in seconds.
        retry_s: How long a store that refused is left alone, in seconds.
        namespace: Where in the store; workers that share health have it in common.
        key: Makes the keys of claims; no two may ever be the same in any process.
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
        key: Callable[[], str] = unique,
    ) -> None:
        self.limits = Limits.of(limits)
        self.now = clock
        self._driver = StoreDriver(store, clock, retry_s)
        self._refresh_s = refresh_s
        self._key = key
        self._circuits_at = (*namespace, "circuits")
        self._claims_at = (*namespace, "claims")
        self._view: dict[str, Circuit] = {}
        self._read_at: float | None = None
        self._unwritten: dict[str, float] = {}
        self._probes: dict[str, Lease] = {}
        self._notes: dict[str, str] = {}
        self._lock = threading.Lock()
        self._reading = threading.Lock()

    # The sync and the async form of each method differ only in how they drive the same flow.

    def snapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """The circuits of these models, at most `refresh_s` old."""
        wanted = tuple(specs)
        if not self._fresh(wanted):
            first = self._reading.acquire(blocking=False)
            try:
                if first or self._unseen(wanted):
                    self._driver.run(self._refresh(wanted), _nothing)
            finally:
                if first:
                    self._reading.release()
        return self._seen(wanted)

    async def asnapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """See `snapshot`."""
        wanted = tuple(specs)
        if not self._fresh(wanted):
            first = self._reading.acquire(blocking=False)
            try:
                if first or self._unseen(wanted):
                    await self._driver.arun(self._refresh(wanted), _nothing)
            finally:
                if first:
                    self._reading.release()
        return self._seen(wanted)

    def claim(self, spec: str) -> bool:
        """Whether the caller may ask the model now: always while it is closed, once a window while it is half-open."""
        known = self._known(spec)
        return known if known is not None else self._driver.run(self._claim(spec), lambda: self._claim_here(spec))

    async def aclaim(self, spec: str) -> bool:
        """See `claim`."""
        known = self._known(spec)
        return known if known is not None else await self._driver.arun(self._claim(spec), lambda: self._claim_here(spec))

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """Tell how an attempt ended.

        Args:
            spec: The model, `provider/model`.
            failure: Why it failed; `None` for a success.
            tool: The tool whose call was to be written, if one was.
        """
        if spec in self._probes or not changes_nothing(self._view.get(spec, CLOSED), failure, tool):
            self._driver.run(self._report(spec, failure, tool), lambda: self._report_here(spec, failure, tool))

    async def areport(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """See `report`."""
        if spec in self._probes or not changes_nothing(self._view.get(spec, CLOSED), failure, tool):
            await self._driver.arun(self._report(spec, failure, tool), lambda: self._report_here(spec, failure, tool))

    def reset(self, spec: str | None = None) -> None:
        """Forget one model's troubles, or all, for every worker; what a model cannot do is forgotten by this process only."""
        self._forget(spec)
        self._driver.run(self._reset(spec), _nothing)

    async def areset(self, spec: str | None = None) -> None:
        """See `reset`."""
        self._forget(spec)
        await self._driver.arun(self._reset(spec), _nothing)

    def inspect(self) -> dict[str, Any]:
        """What is known, JSON-able: `{"book": "store", "models": {...}, "store": {...}, "notes": {...}}`. Reads the store."""
        self._driver.run(self._read_all(), _nothing)
        return self._described()

    async def ainspect(self) -> dict[str, Any]:
        """See `inspect`."""
        await self._driver.arun(self._read_all(), _nothing)
        return self._described()

    # Flows: generators that yield batches of store operations and are sent the results.

    def _refresh(self, wanted: tuple[str, ...]) -> Flow[None]:
        with self._lock:
            specs = tuple(dict.fromkeys((*self._view, *wanted)))
        results = yield [GetOp(self._circuits_at, spec) for spec in specs]
        found = {spec: self._parse(spec, item) for spec, item in zip(specs, results, strict=True)}
        yield from self._catch_up(found)
        for spec, circuit in found.items():
            self._adopt(spec, circuit)
        self._read_at = self.now()

    def _catch_up(self, found: dict[str, Circuit]) -> Flow[None]:
        """Write what happened here while the store was down, unless the store knows something newer."""
        writes: list[Op] = []
        with self._lock:
            unwritten, self._unwritten = self._unwritten, {}
            for spec, changed_at in unwritten.items():
                here = self._view.get(spec, CLOSED)
                if spec in found and max(found[spec].since, found[spec].failed_at) <= changed_at:
                    found[spec] = here
                    writes.append(self._write(spec, here))
        if writes:
            try:
                yield writes
            except GeneratorExit:
                with self._lock:  # the store refused again: next time
                    self._unwritten = {**unwritten, **self._unwritten}
                raise

    def _claim(self, spec: str) -> Flow[bool]:
        [item] = yield [GetOp(self._circuits_at, spec)]
        circuit = self._adopt(spec, self._parse(spec, item))
        if not circuit.opened:
            return True
        if runs(circuit.since, circuit.until, self.now()):
            return False
        lease = yield from take(self._claims_of(spec), self.now, self.limits.probe_timeout_s, self._key)
        if lease is None:
            return False
        if lease.ours:
            [item] = yield [GetOp(self._circuits_at, spec)]
            again = self._adopt(spec, self._parse(spec, item))
            if (again.since, again.opened) != (circuit.since, circuit.opened):
                yield from give_back(lease)
                return not again.opened
        with self._lock:
            self._put_view(spec, replace(circuit, probe_at=lease.since, probe_until=lease.until))
            if lease.ours:
                self._probes[spec] = lease
        return lease.ours

    def _report(self, spec: str, failure: Failure | None, tool: str | None) -> Flow[None]:
        [item] = yield [GetOp(self._circuits_at, spec)]
        before = self._with_own(spec, self._parse(spec, item))
        after = transition(before, event_of(failure, tool), self.now(), self.limits)
        if _shared(after) != _shared(before):
            yield [self._write(spec, after)]
        with self._lock:
            self._put_view(spec, after)
            # Of a cancelled probe nothing is known: its lease lapses by itself.
            lease = None if failure is not None and failure.cls == "cancelled" else self._probes.pop(spec, None)
        if lease is not None:
            # Only now: whoever no longer sees the lease must see the circuit that it led to.
            yield from give_back(lease)

    def _reset(self, spec: str | None) -> Flow[None]:
        if spec is not None:
            [claims] = yield [SearchOp(self._claims_of(spec), limit=_MOST_ITEMS)]
            yield [PutOp(self._circuits_at, spec, None), *(PutOp(tuple(claim.namespace), claim.key, None) for claim in claims)]
            return
        circuits, claims = yield [SearchOp(self._circuits_at, limit=_MOST_ITEMS), SearchOp(self._claims_at, limit=_MOST_ITEMS)]
        if circuits or claims:
            yield [PutOp(tuple(item.namespace), item.key, None) for item in (*circuits, *claims)]

    def _read_all(self) -> Flow[None]:
        [items] = yield [SearchOp(self._circuits_at, limit=_MOST_ITEMS)]
        for item in items:
            self._adopt(item.key, self._parse(item.key, item))

    # The view in this process.

    def _fresh(self, wanted: tuple[str, ...]) -> bool:
        now, read_at = self.now(), self._read_at
        if self._driver.resting:
            return True
        if read_at is None or not 0 <= now - read_at < self._refresh_s:
            return False
        return not self._unseen(wanted)

    def _unseen(self, wanted: tuple[str, ...]) -> bool:
        view = self._view
        return any(spec not in view for spec in wanted)

    def _seen(self, wanted: tuple[str, ...]) -> Mapping[str, Circuit]:
        view = self._view
        return {spec: view.get(spec, CLOSED) for spec in wanted}

    def _known(self, spec: str) -> bool | None:
        """The answer to a claim that needs no store: a fresh closed circuit, or a probe that is known to run."""
        circuit = self._view.get(spec)
        if circuit is None or not self._fresh((spec,)):
            return None
        if not circuit.opened:
            return True
        return False if circuit.blocked(self.now()) is not None else None

    def _claim_here(self, spec: str) -> bool:
        with self._lock:
            before = self._view.get(spec, CLOSED)
            after = transition(before, Claimed(), self.now(), self.limits)
            self._put_view(spec, after)
            return not before.opened or after is not before

    def _report_here(self, spec: str, failure: Failure | None, tool: str | None) -> None:
        with self._lock:
            before = self._view.get(spec, CLOSED)
            after = transition(before, event_of(failure, tool), self.now(), self.limits)
            self._put_view(spec, after)
            self._probes.pop(spec, None)
            if _shared(after) != _shared(before):
                self._unwritten[spec] = self.now()

    def _forget(self, spec: str | None) -> None:
        with self._lock:
            if spec is None:
                for kept in (self._view, self._probes, self._unwritten, self._notes):
                    kept.clear()
            else:
                self._put_view(spec, CLOSED)
                self._probes.pop(spec, None)
                self._unwritten.pop(spec, None)
                self._notes.pop(spec, None)

    def _adopt(self, spec: str, stored: Circuit) -> Circuit:
        circuit = self._with_own(spec, stored)
        with self._lock:
            self._put_view(spec, circuit)
        return circuit

    def _with_own(self, spec: str, stored: Circuit) -> Circuit:
        """What the store says, with what only this process knows: what the model cannot do, and a probe of the same window."""
        own = self._view.get(spec)
        if own is None or own is CLOSED:
            return stored
        same = own.since == stored.since and own.opened == stored.opened
        return replace(
            stored,
            incapable_of=own.incapable_of,
            probe_at=own.probe_at if same else 0.0,
            probe_until=own.probe_until if same else 0.0,
        )

    def _put_view(self, spec: str, circuit: Circuit) -> None:
        self._view[spec] = CLOSED if circuit == CLOSED else circuit
        if len(self._view) > _MOST_ITEMS:
            # Model names may come from callers; the one that is known for longest is read anew when it is asked for.
            del self._view[next(iter(self._view))]

    def _parse(self, spec: str, item: Item | None) -> Circuit:
        if item is None:
            return CLOSED
        circuit, wrong = read_circuit(item.value, self.limits)
        if wrong is not None:
            self._notes[spec] = f"the store's value was taken for a closed circuit: {wrong}"
        return _shared(circuit)

    def _write(self, spec: str, circuit: Circuit) -> PutOp:
        shared = _shared(circuit)
        return PutOp(self._circuits_at, spec, None if shared == CLOSED else shared.to_dict(), index=False)

    def _claims_of(self, spec: str) -> tuple[str, ...]:
        # A label of a namespace may not contain a dot, a model's name may.
        return (*self._claims_at, sha256(spec.encode()).hexdigest()[:24])

    def _described(self) -> dict[str, Any]:
        now = self.now()
        with self._lock:
            troubled = sorted((spec, circuit) for spec, circuit in self._view.items() if circuit != CLOSED)
            return {
                "book": "store",
                "models": {spec: describe(circuit, now) for spec, circuit in troubled},
                "store": {
                    "kind": type(self._driver.store).__name__,
                    "reachable": self._driver.reachable,
                    "last_error": self._driver.last_error,
                },
                "notes": dict(self._notes),
            }


def _nothing() -> None:
    """What is done instead when the store cannot be read: the view stays as it is."""


def _shared(circuit: Circuit) -> Circuit:
    """The part that other processes see."""
    if not (circuit.incapable_of or circuit.probe_until):
        return circuit
    return replace(circuit, incapable_of=(), probe_at=0.0, probe_until=0.0)
