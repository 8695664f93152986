"""The health of models in this process: the default book. Nothing is written anywhere, and a healthy model costs a dictionary look-up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lg_toolroute.core.failures.circuit import describe
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.failures.health import CLOSED, Circuit, Claimed, Event, Failed, Limits, Succeeded, transition

_MOST_MODELS: Final = 4096


def event_of(failure: Failure | None, tool: str | None) -> Event:
    """The event that a report stands for; no failure is a success."""
    return Succeeded(tool) if failure is None else Failed(failure, tool)


def changes_nothing(circuit: Circuit, failure: Failure | None, tool: str | None) -> bool:
    """Whether the report is the common one, a success of a healthy model, which costs nothing."""
    if failure is not None or not circuit.clean:
        return False
    if tool is None or not circuit.pairs:
        return True
    pair = circuit.pair(tool)
    return pair is None or not pair.in_a_row


class MemoryHealth:
    """A `HealthBook` for one process, safe for threads and for asyncio.

    Args:
        limits: `Limits`, or any object with attributes of these names, such as `config.health`; `None` for the defaults.
        clock: Seconds; `time.monotonic` by default, so that a changed system clock does not matter.

    Example:
        ```python
        book = MemoryHealth(config.health)
        book.report("deepseek/deepseek-v4-pro", classify(error), tool="edit")
        book.snapshot(["deepseek/deepseek-v4-pro"])["deepseek/deepseek-v4-pro"].blocked(book.now())
        ```
    """

    def __init__(self, limits: object | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = Limits.of(limits)
        self.now = clock
        self._circuits: dict[str, Circuit] = {}
        self._lock = threading.Lock()

    def snapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """The circuits of these models; a model that was never in trouble is `CLOSED`."""
        circuits = self._circuits
        return {spec: circuits.get(spec, CLOSED) for spec in specs}

    def claim(self, spec: str) -> bool:
        """Whether the caller may ask the model now: always while it is closed, once a window while it is half-open."""
        if spec not in self._circuits:
            return True
        with self._lock:
            before = self._circuits.get(spec, CLOSED)
            if not before.opened:
                return True
            after = transition(before, Claimed(), self.now(), self.limits)
            self._circuits[spec] = after
            return after is not before

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """Tell how an attempt ended.

        Args:
            spec: The model, `provider/model`.
            failure: Why it failed; `None` for a success.
            tool: The tool whose call was to be written, if one was.
        """
        if changes_nothing(self._circuits.get(spec, CLOSED), failure, tool):
            return
        with self._lock:
            self._keep(spec, transition(self._circuits.get(spec, CLOSED), event_of(failure, tool), self.now(), self.limits))

    def reset(self, spec: str | None = None) -> None:
        """Forget one model's troubles, or all."""
        with self._lock:
            if spec is None:
                self._circuits.clear()
            else:
                self._circuits.pop(spec, None)

    def inspect(self) -> dict[str, Any]:
        """What is known, JSON-able: `{"book": "memory", "models": {spec: {"state": ..., "due_in_s": ...}}}`."""
        now = self.now()
        with self._lock:
            circuits = sorted(self._circuits.items())
        return {"book": "memory", "models": {spec: describe(circuit, now) for spec, circuit in circuits}}

    async def asnapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """See `snapshot`."""
        return self.snapshot(specs)

    async def aclaim(self, spec: str) -> bool:
        """See `claim`."""
        return self.claim(spec)

    async def areport(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """See `report`."""
        self.report(spec, failure, tool=tool)

    async def areset(self, spec: str | None = None) -> None:
        """See `reset`."""
        self.reset(spec)

    async def ainspect(self) -> dict[str, Any]:
        """See `inspect`."""
        return self.inspect()

    def _keep(self, spec: str, circuit: Circuit) -> None:
        self._circuits.pop(spec, None)
        if circuit != CLOSED:
            self._circuits[spec] = circuit
            if len(self._circuits) > _MOST_MODELS:
                # Model names may come from callers; the one that was untouched for longest goes.
                del self._circuits[next(iter(self._circuits))]
