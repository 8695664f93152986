"""What a turn asks of the health of models, wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.failures.circuit import Circuit
from lg_toolroute.core.failures.failure import Failure


class HealthBook(Protocol):
    """Where the health of models is kept. No method raises because the place where it is kept fails: health never breaks a run.

    The async methods of a class that derives from this one call the plain methods. A book that waits for something overrides them.
    """

    def now(self) -> float:
        """The moment, in seconds of the clock that all circuits of this book are measured with."""
        ...

    def snapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """The circuits of these models, perhaps a moment old; a model that was never in trouble is `CLOSED`."""
        ...

    def known(self, spec: str) -> Circuit:
        """A model's circuit as this process last saw it: nothing is read for it."""
        ...

    def claim(self, spec: str) -> bool:
        """Whether the caller may ask the model now: always while it is closed, for exactly one caller while it is half-open."""
        ...

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """Tell how an attempt ended.

        Args:
            spec: The model, `provider/model`.
            failure: Why it failed; `None` for a success.
            tool: The tool whose call was to be written, if one was.
        """
        ...

    def add_calls(self, spec: str, tool: str, counts: CallCounts) -> None:
        """Count calls of a tool that a model was to write. Nothing is read or written before the book has to do so for another reason."""
        ...

    def calls_of(self, spec: str, tool: str) -> CallCounts:
        """How a model did with the calls of a tool, as far as is known here; nothing is read."""
        return CallCounts()

    def models_of(self, tool: str) -> Mapping[str, CallCounts]:
        """How each model did that wrote calls of a tool; as `calls_of`."""
        return {}

    def reset(self, spec: str | None = None) -> None:
        """Forget one model's troubles and counts, or all."""
        ...

    def inspect(self) -> dict[str, Any]:
        """What is known, JSON-able: `{"book": ..., "models": {spec: {"state": ..., "due_in_s": ...}}, "calls": {spec: {tool: {"calls": ...}}}}`."""
        ...

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
