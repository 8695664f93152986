"""Where the health of models lives: in memory by default, in any LangGraph `BaseStore` when many workers share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.failures.health import Circuit
from lg_toolroute.health.memory import MemoryHealth
from lg_toolroute.health.shared import StoreHealth

__all__ = ["HealthBook", "MemoryHealth", "StoreHealth"]


class HealthBook(Protocol):
    """What a turn asks of health. No method raises because of the book's own troubles: health never breaks a run."""

    @property
    def now(self) -> Callable[[], float]:
        """The clock that all circuits of this book are measured with, in seconds."""
        ...

    def snapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """The circuits of these models, perhaps a moment old."""
        ...

    def claim(self, spec: str) -> bool:
        """Whether the caller may ask the model now; while it is half-open, `True` for exactly one caller a window."""
        ...

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """Tell how an attempt ended; `None` is a success."""
        ...

    def reset(self, spec: str | None = None) -> None:
        """Forget one model's troubles, or all."""
        ...

    def inspect(self) -> dict[str, Any]:
        """What is known, JSON-able."""
        ...

    async def asnapshot(self, specs: Iterable[str]) -> Mapping[str, Circuit]:
        """See `snapshot`."""
        ...

    async def aclaim(self, spec: str) -> bool:
        """See `claim`."""
        ...

    async def areport(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        """See `report`."""
        ...

    async def areset(self, spec: str | None = None) -> None:
        """See `reset`."""
        ...

    async def ainspect(self) -> dict[str, Any]:
        """See `inspect`."""
        ...
