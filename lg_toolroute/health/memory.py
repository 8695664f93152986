"""The health of models in this process: the default. Nothing is written anywhere, and a healthy model costs a dictionary look-up."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.failures.circuit import CLOSED, Circuit, after_claim, after_report, describe
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.health.book import HealthBook
from lg_toolroute.health.tally import Tally, by_model, plain


class MemoryHealth(HealthBook):
    """A `HealthBook` for one process, safe for threads and for asyncio.

    Args:
        limits: `CooldownLimits`, or any object with attributes of these names, such as `config.health`; `None` for the defaults.
        clock: Seconds; `time.monotonic` by default, so that a changed system clock does not matter.

    Example:
        ```python
        book = MemoryHealth(config.health)
        book.report("deepseek/deepseek-v4-pro", classify(error), tool="edit")
        book.snapshot(["deepseek/deepseek-v4-pro"])["deepseek/deepseek-v4-pro"].blocked(book.now())
        ```
    """

    most_models: ClassVar = 4096
    """Models that are kept. Their names may come from callers: beyond this the one that changed longest ago is forgotten."""

    def __init__(self, limits: object | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = CooldownLimits.of(limits)
        self._clock = clock
        self._circuits: OrderedDict[str, Circuit] = OrderedDict()
        self._tally = Tally()
        self._lock = threading.Lock()

    def now(self) -> float:
        """See `HealthBook.now`."""
        return self._clock()

    def snapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """See `HealthBook.snapshot`."""
        circuits = self._circuits
        return {spec: circuits.get(spec, CLOSED) for spec in specs}

    def known(self, spec: str) -> Circuit:
        """See `HealthBook.known`."""
        return self._circuits.get(spec, CLOSED)

    def claim(self, spec: str) -> bool:
        """See `HealthBook.claim`."""
        if not self._circuits.get(spec, CLOSED).opened:
            return True
        with self._lock:
            before = self._circuits.get(spec, CLOSED)
            after = self._keep(spec, after_claim(before, self.now(), self.limits))
        return not before.opened or after is not before

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """See `HealthBook.report`."""
        if failure is None and self._circuits.get(spec, CLOSED) is CLOSED:
            return
        with self._lock:
            self._keep(spec, after_report(self._circuits.get(spec, CLOSED), failure, tool, self.now(), self.limits))

    def add_calls(self, spec: str, tool: str, counts: CallCounts) -> None:
        """See `HealthBook.add_calls`."""
        self._tally.add(spec, tool, counts)

    def calls_of(self, spec: str, tool: str) -> CallCounts:
        """See `HealthBook.calls_of`."""
        return self._tally.of(spec, tool)

    def models_of(self, tool: str) -> Mapping[str, CallCounts]:
        """See `HealthBook.models_of`."""
        return by_model(self._tally.all(), tool)

    def reset(self, spec: str | None = None) -> None:
        """See `HealthBook.reset`."""
        self._tally.forget(spec)
        with self._lock:
            if spec is None:
                self._circuits.clear()
            else:
                self._circuits.pop(spec, None)

    def inspect(self) -> dict[str, Any]:
        """See `HealthBook.inspect`; as models only those are listed that were in trouble."""
        now = self.now()
        with self._lock:
            troubled = sorted((spec, circuit) for spec, circuit in self._circuits.items() if circuit is not CLOSED)
        return {"book": "memory", "models": {spec: describe(circuit, now) for spec, circuit in troubled}, "calls": plain(self._tally.all())}

    def _keep(self, spec: str, circuit: Circuit) -> Circuit:
        """Keep a circuit as the newest; the caller holds the lock."""
        self._circuits[spec] = CLOSED if circuit == CLOSED else circuit
        self._circuits.move_to_end(spec)
        if len(self._circuits) > self.most_models:
            self._circuits.popitem(last=False)
        return circuit
