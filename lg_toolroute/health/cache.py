"""What one process knows of circuits that lie in a store: a copy that may be a moment old, and what the store has not been told yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import ClassVar

from lg_toolroute.core.failures.circuit import CLOSED, Circuit, after_report
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.health.lease import Lease
from lg_toolroute.health.memory import MemoryHealth


def shared_part(circuit: Circuit) -> Circuit:
    """The part of a circuit that other processes see: not what the model cannot do, nor the probe, which is a lease of its own."""
    if not (circuit.incapable_of or circuit.probe_until):
        return circuit
    return replace(circuit, incapable_of=(), probe_at=0.0, probe_until=0.0)


class CircuitCache(MemoryHealth):
    """The circuits as this process last saw them. While the store is down, it is used as a book by itself.

    Attributes:
        leases: The leases on probes that this process holds, by model.
        unwritten: Models whose last change the store refused, and when that was.
        notes: What was wrong with values that could not be read, by model.
    """

    most_models: ClassVar = 1000
    """As many as one search of the store may bring; a model that was forgotten is read again when it is asked for."""

    def __init__(self, limits: CooldownLimits, clock: Callable[[], float]) -> None:
        super().__init__(limits, clock)
        self.leases: dict[str, Lease] = {}
        self.unwritten: dict[str, float] = {}
        self.notes: dict[str, str] = {}

    def get(self, spec: str) -> Circuit | None:
        """A model's circuit; `None` if the store was never asked for it."""
        return self._circuits.get(spec)

    def lacks(self, specs: Iterable[str]) -> bool:
        """Whether the store was never asked for one of these."""
        return not self._circuits.keys() >= set(specs)

    def copy(self) -> dict[str, Circuit]:
        """All circuits."""
        with self._lock:
            return dict(self._circuits)

    def put(self, spec: str, circuit: Circuit) -> None:
        """Keep a circuit."""
        with self._lock:
            self._keep(spec, circuit)

    def adopt(self, found: Mapping[str, Circuit], before: Mapping[str, Circuit]) -> None:
        """Keep what was read, but for models that changed here since the reading began.

        Args:
            found: What the store said.
            before: The circuits when the reading began.
        """
        with self._lock:
            for spec, stored in found.items():
                if self._circuits.get(spec) is before.get(spec):
                    self._keep(spec, self.joined(spec, stored))

    def joined(self, spec: str, stored: Circuit) -> Circuit:
        """What the store says, with what only this process knows: what the model cannot do, and the probe of the same cooldown."""
        own = self._circuits.get(spec, CLOSED)
        same = (own.since, own.opened) == (stored.since, stored.opened)
        probe_at, probe_until = (own.probe_at, own.probe_until) if same else (0.0, 0.0)
        return replace(stored, incapable_of=own.incapable_of, probe_at=probe_at, probe_until=probe_until)

    def changes_nothing(self, spec: str, failure: Failure | None, tool: str | None) -> bool:
        """Whether a report is the common one: a success of a healthy model that is not being probed."""
        if failure is not None or spec in self.leases:
            return False
        known = self._circuits.get(spec, CLOSED)
        return known is CLOSED or after_report(known, None, tool, 0.0, self.limits) is known

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """A report while the store is down: what it changed is written when the store is back."""
        with self._lock:
            before, now = self._circuits.get(spec, CLOSED), self.now()
            after = self._keep(spec, after_report(before, failure, tool, now, self.limits))
            self.leases.pop(spec, None)
            if shared_part(after) != shared_part(before):
                self.unwritten[spec] = now

    def reset(self, spec: str | None = None) -> None:
        """See `HealthBook.reset`."""
        super().reset(spec)
        for kept in (self.leases, self.unwritten, self.notes):
            if spec is None:
                kept.clear()
            else:
                kept.pop(spec, None)

    def take_unwritten(self) -> dict[str, float]:
        """What the store has missed; from now on it counts as written."""
        with self._lock:
            unwritten, self.unwritten = self.unwritten, {}
        return unwritten

    def give_back_unwritten(self, unwritten: Mapping[str, float]) -> None:
        """Undo `take_unwritten`: the store refused again."""
        with self._lock:
            self.unwritten = {**unwritten, **self.unwritten}
