"""What one process knows of the health of models while a store knows more: a view that may be a moment old, and what is not written yet."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.failures.health import CLOSED, Circuit, Claimed, Limits, transition
from lg_toolroute.health.lease import Lease
from lg_toolroute.health.memory import changes_nothing, event_of

MOST_MODELS: Final = 1000
"""Models a view knows, and items a search may bring."""


def shared(circuit: Circuit) -> Circuit:
    """The part of a circuit that other processes see: not what the model cannot do, nor the probe, which is a claim of its own."""
    if not (circuit.incapable_of or circuit.probe_until):
        return circuit
    return replace(circuit, incapable_of=(), probe_at=0.0, probe_until=0.0)


class View:
    """The circuits as this process sees them; safe for threads.

    Attributes:
        probes: The leases that this process holds, by model.
        unwritten: Models whose last change the store refused, and when that was.
        notes: What was wrong with values that could not be read, by model.
    """

    def __init__(self, limits: Limits) -> None:
        self.probes: dict[str, Lease] = {}
        self.unwritten: dict[str, float] = {}
        self.notes: dict[str, str] = {}
        self._limits = limits
        self._circuits: dict[str, Circuit] = {}
        self._lock = threading.Lock()

    def get(self, spec: str) -> Circuit | None:
        """A model's circuit; `None` if the store was never asked for it."""
        return self._circuits.get(spec)

    def lacks(self, specs: Iterable[str]) -> bool:
        """Whether the store was never asked for one of these."""
        circuits = self._circuits
        return any(spec not in circuits for spec in specs)

    def pick(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """The circuits of these models; what is not known is closed."""
        circuits = self._circuits
        return {spec: circuits.get(spec, CLOSED) for spec in specs}

    def copy(self) -> dict[str, Circuit]:
        """All circuits."""
        with self._lock:
            return dict(self._circuits)

    def needs_no_report(self, spec: str, failure: Failure | None, tool: str | None) -> bool:
        """Whether a report is the common one: a success of a healthy model that nobody probes."""
        return spec not in self.probes and changes_nothing(self._circuits.get(spec, CLOSED), failure, tool)

    def joined(self, spec: str, stored: Circuit) -> Circuit:
        """What the store says, with what only this process knows: what the model cannot do, and the probe of the same window."""
        own = self._circuits.get(spec)
        if own is None or own is CLOSED:
            return stored
        same = (own.since, own.opened) == (stored.since, stored.opened)
        return replace(
            stored,
            incapable_of=own.incapable_of,
            probe_at=own.probe_at if same else 0.0,
            probe_until=own.probe_until if same else 0.0,
        )

    def put(self, spec: str, circuit: Circuit) -> Circuit:
        """Keep a circuit."""
        with self._lock:
            self._keep(spec, circuit)
        return circuit

    def adopt(self, found: Mapping[str, Circuit], before: Mapping[str, Circuit]) -> None:
        """Take over what was read, but for models that changed here since the reading began.

        Args:
            found: What the store said.
            before: The circuits when the reading began.
        """
        with self._lock:
            for spec, stored in found.items():
                if self._circuits.get(spec) is before.get(spec):
                    self._keep(spec, self.joined(spec, stored))

    def take_unwritten(self) -> dict[str, float]:
        """What the store has missed; from now on it counts as written."""
        with self._lock:
            unwritten, self.unwritten = self.unwritten, {}
        return unwritten

    def give_unwritten(self, unwritten: Mapping[str, float]) -> None:
        """The store refused again."""
        with self._lock:
            self.unwritten = {**unwritten, **self.unwritten}

    def claim(self, spec: str, now: float) -> bool:
        """A claim that only this process sees, while the store is down."""
        with self._lock:
            before = self._circuits.get(spec, CLOSED)
            after = transition(before, Claimed(), now, self._limits)
            self._keep(spec, after)
        return not before.opened or after is not before

    def report(self, spec: str, failure: Failure | None, tool: str | None, now: float) -> None:
        """A report that only this process sees, while the store is down."""
        with self._lock:
            before = self._circuits.get(spec, CLOSED)
            after = transition(before, event_of(failure, tool), now, self._limits)
            self._keep(spec, after)
            self.probes.pop(spec, None)
            if shared(after) != shared(before):
                self.unwritten[spec] = now

    def forget(self, spec: str | None) -> None:
        """Forget a model, or all."""
        with self._lock:
            if spec is None:
                self._circuits.clear()
            else:
                self._keep(spec, CLOSED)
            for kept in (self.probes, self.unwritten, self.notes):
                if spec is None:
                    kept.clear()
                else:
                    kept.pop(spec, None)

    def _keep(self, spec: str, circuit: Circuit) -> None:
        self._circuits[spec] = CLOSED if circuit == CLOSED else circuit
        if len(self._circuits) > MOST_MODELS:
            # Model names may come from callers; the one that is known for longest is read anew when it is asked for.
            del self._circuits[next(iter(self._circuits))]
