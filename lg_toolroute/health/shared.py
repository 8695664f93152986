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
from typing import Any

from langgraph.store.base import BaseStore, GetOp, Item, Op, PutOp, SearchOp

from lg_toolroute.core.failures.circuit import describe, runs
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.failures.health import CLOSED, Circuit, Limits, read_circuit, transition
from lg_toolroute.health.driver import Flow, StoreDriver
from lg_toolroute.health.lease import give_back, take, unique
from lg_toolroute.health.memory import event_of
from lg_toolroute.health.view import MOST_MODELS, View, shared


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
        self._view = View(self.limits)
        self._read_at: float | None = None
        self._reading = threading.Lock()

    # The sync and the async form of each method differ only in how they drive the same flow.

    def snapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """The circuits of these models, at most `refresh_s` old."""
        wanted = tuple(specs)
        if not self._fresh(wanted):
            first = self._reading.acquire(blocking=False)
            try:
                if first or self._view.lacks(wanted):
                    self._driver.run(self._refresh(wanted), _nothing)
            finally:
                if first:
                    self._reading.release()
        return self._view.pick(wanted)

    async def asnapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """See `snapshot`."""
        wanted = tuple(specs)
        if not self._fresh(wanted):
            first = self._reading.acquire(blocking=False)
            try:
                if first or self._view.lacks(wanted):
                    await self._driver.arun(self._refresh(wanted), _nothing)
            finally:
                if first:
                    self._reading.release()
        return self._view.pick(wanted)

    def claim(self, spec: str) -> bool:
        """Whether the caller may ask the model now: always while it is closed, once a window while it is half-open."""
        known = self._known(spec)
        return known if known is not None else self._driver.run(self._claim(spec), lambda: self._view.claim(spec, self.now()))

    async def aclaim(self, spec: str) -> bool:
        """See `claim`."""
        known = self._known(spec)
        return known if known is not None else await self._driver.arun(self._claim(spec), lambda: self._view.claim(spec, self.now()))

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """Tell how an attempt ended.

        Args:
            spec: The model, `provider/model`.
            failure: Why it failed; `None` for a success.
            tool: The tool whose call was to be written, if one was.
        """
        if not self._view.needs_no_report(spec, failure, tool):
            self._driver.run(self._report(spec, failure, tool), lambda: self._view.report(spec, failure, tool, self.now()))

    async def areport(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """See `report`."""
        if not self._view.needs_no_report(spec, failure, tool):
            await self._driver.arun(self._report(spec, failure, tool), lambda: self._view.report(spec, failure, tool, self.now()))

    def reset(self, spec: str | None = None) -> None:
        """Forget one model's troubles, or all, for every worker; what a model cannot do is forgotten by this process only."""
        self._view.forget(spec)
        self._driver.run(self._reset(spec), _nothing)

    async def areset(self, spec: str | None = None) -> None:
        """See `reset`."""
        self._view.forget(spec)
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
        before = self._view.copy()
        specs = tuple(dict.fromkeys((*before, *wanted)))
        results = yield [GetOp(self._circuits_at, spec) for spec in specs]
        found = {spec: self._parse(spec, item) for spec, item in zip(specs, results, strict=True)}
        yield from self._settle(found, before)

    def _read_all(self) -> Flow[None]:
        before = self._view.copy()
        [items] = yield [SearchOp(self._circuits_at, limit=MOST_MODELS)]
        found = {item.key: self._parse(item.key, item) for item in items}
        yield from self._settle({**dict.fromkeys(before, CLOSED), **found}, before)

    def _settle(self, found: dict[str, Circuit], before: Mapping[str, Circuit]) -> Flow[None]:
        """Take over what was read, after writing what happened here while the store was down, unless the store knows something newer."""
        unwritten = self._view.take_unwritten()
        writes: list[Op] = []
        for spec, changed_at in unwritten.items():
            stored = found.get(spec, CLOSED)
            if max(stored.since, stored.failed_at) <= changed_at:
                found[spec] = before.get(spec, CLOSED)
                writes.append(self._write(spec, found[spec]))
        if writes:
            try:
                yield writes
            except GeneratorExit:
                self._view.give_unwritten(unwritten)
                raise
        self._view.adopt(found, before)
        self._read_at = self.now()

    def _claim(self, spec: str) -> Flow[bool]:
        circuit = yield from self._read(spec)
        self._view.put(spec, circuit)
        if not circuit.opened:
            return True
        if runs(circuit.since, circuit.until, self.now()):
            return False
        lease = yield from take(self._claims_of(spec), self.now, self.limits.probe_timeout_s, self._key)
        if lease is None:
            return False
        if lease.ours:
            again = yield from self._read(spec)
            if (again.since, again.opened) != (circuit.since, circuit.opened):
                self._view.put(spec, again)
                yield from give_back(lease)
                return not again.opened
            self._view.probes[spec] = lease
        self._view.put(spec, replace(circuit, probe_at=lease.since, probe_until=lease.until))
        return lease.ours

    def _report(self, spec: str, failure: Failure | None, tool: str | None) -> Flow[None]:
        before = yield from self._read(spec)
        after = transition(before, event_of(failure, tool), self.now(), self.limits)
        if shared(after) != shared(before):
            yield [self._write(spec, after)]
        self._view.put(spec, after)
        # Of a cancelled probe nothing is known: its lease lapses by itself.
        lease = None if failure is not None and failure.cls == "cancelled" else self._view.probes.pop(spec, None)
        if lease is not None:
            # Only now: whoever no longer sees the lease must see the circuit that it led to.
            yield from give_back(lease)

    def _read(self, spec: str) -> Flow[Circuit]:
        [item] = yield [GetOp(self._circuits_at, spec)]
        return self._view.joined(spec, self._parse(spec, item))

    def _reset(self, spec: str | None) -> Flow[None]:
        if spec is not None:
            [claims] = yield [SearchOp(self._claims_of(spec), limit=MOST_MODELS)]
            yield [PutOp(self._circuits_at, spec, None), *(PutOp(tuple(claim.namespace), claim.key, None) for claim in claims)]
            return
        circuits, claims = yield [SearchOp(self._circuits_at, limit=MOST_MODELS), SearchOp(self._claims_at, limit=MOST_MODELS)]
        if circuits or claims:
            yield [PutOp(tuple(item.namespace), item.key, None) for item in (*circuits, *claims)]

    # What needs no store.

    def _fresh(self, wanted: tuple[str, ...]) -> bool:
        if self._driver.resting:
            return True
        if self._read_at is None or not 0 <= self.now() - self._read_at < self._refresh_s:
            return False
        return not self._view.lacks(wanted)

    def _known(self, spec: str) -> bool | None:
        """The answer to a claim that needs no store: a fresh closed circuit, or a cooldown or a probe that is known to run."""
        circuit = self._view.get(spec)
        if circuit is None or not self._fresh((spec,)):
            return None
        if not circuit.opened:
            return True
        return False if circuit.blocked(self.now()) is not None else None

    def _parse(self, spec: str, item: Item | None) -> Circuit:
        if item is None:
            return CLOSED
        circuit, wrong = read_circuit(item.value, self.limits)
        if wrong is not None:
            self._view.notes[spec] = f"the store's value was taken for a closed circuit: {wrong}"
        return shared(circuit)

    def _write(self, spec: str, circuit: Circuit) -> PutOp:
        seen = shared(circuit)
        return PutOp(self._circuits_at, spec, None if seen == CLOSED else seen.to_dict(), index=False)

    def _claims_of(self, spec: str) -> tuple[str, ...]:
        # A label of a namespace may not contain a dot, a model's name may.
        return (*self._claims_at, sha256(spec.encode("utf-8", "surrogatepass")).hexdigest()[:24])

    def _described(self) -> dict[str, Any]:
        now = self.now()
        troubled = sorted((spec, circuit) for spec, circuit in self._view.copy().items() if circuit != CLOSED)
        store = {"kind": type(self._driver.store).__name__, "reachable": self._driver.reachable, "last_error": self._driver.last_error}
        models = {spec: describe(circuit, now) for spec, circuit in troubled}
        return {"book": "store", "models": models, "store": store, "notes": dict(self._view.notes)}


def _nothing() -> None:
    """What is done instead when the store cannot be read: the view stays as it is."""
