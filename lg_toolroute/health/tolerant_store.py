"""A LangGraph store that never raises, used plainly or awaited: when it refuses, a fallback in this process answers instead.

What is asked of it is written once, as a generator that yields batches of store operations and is sent their results.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeAlias, TypeVar

from langgraph.store.base import BaseStore, Op

from lg_toolroute.core.failures.redact import presentable

_T = TypeVar("_T")

Batches: TypeAlias = Generator[list[Op], list[Any], _T]
"""Yields batches of operations, is sent their results, returns a `_T`. Reads and writes never share a batch: stores order them apart."""

log = logging.getLogger("lg_toolroute.health")


class TolerantStore:
    """Sends batches to a store, and leaves a store that refused alone for a while.

    Args:
        store: The store.
        clock: Seconds.
        retry_s: How long a store that refused is left alone, in seconds.

    Attributes:
        last_error: What the store said when it last refused, masked; `None` if it never did.
    """

    def __init__(self, store: BaseStore, clock: Callable[[], float], retry_s: float) -> None:
        self.store = store
        self.last_error: str | None = None
        self._clock = clock
        self._retry_s = retry_s
        self._refused_at: float | None = None
        self._threaded = False

    @property
    def reachable(self) -> bool:
        """Whether the store answered when it was last asked."""
        return self._refused_at is None

    @property
    def resting(self) -> bool:
        """Whether the store refused a moment ago and is not asked now."""
        return self._refused_at is not None and 0 <= self._clock() - self._refused_at < self._retry_s

    def run(self, batches: Batches[_T], fallback: Callable[[], _T]) -> _T:
        """What `batches` returns; `fallback()` if the store refuses, or refused a moment ago."""
        if self.resting:
            return fallback()
        results: Any = None
        with closing(batches):
            while True:
                try:
                    batch = batches.send(results)
                except StopIteration as end:
                    value: _T = end.value
                    return value if results is None else self._answered(value)
                try:
                    results = self.store.batch(batch)
                except Exception as error:
                    # Whatever a store raises (a driver's error, a closed pool, the wrong event loop): health must not break a run.
                    self._refused(error)
                    break
        return fallback()

    async def arun(self, batches: Batches[_T], fallback: Callable[[], _T]) -> _T:
        """See `run`. A store without async methods is used in a thread."""
        if self.resting:
            return fallback()
        results: Any = None
        with closing(batches):
            while True:
                try:
                    batch = batches.send(results)
                except StopIteration as end:
                    value: _T = end.value
                    return value if results is None else self._answered(value)
                try:
                    results = await self._abatch(batch)
                except Exception as error:
                    # See `run`.
                    self._refused(error)
                    break
        return fallback()

    async def _abatch(self, batch: list[Op]) -> list[Any]:
        if not self._threaded:
            try:
                return await self.store.abatch(batch)
            except NotImplementedError:
                self._threaded = True  # SqliteStore
        return await asyncio.to_thread(self.store.batch, batch)

    def _answered(self, value: _T) -> _T:
        if self._refused_at is not None:
            log.info("the health store answers again")
            self._refused_at = None
        return value

    def _refused(self, error: Exception) -> None:
        self.last_error = presentable(f"{type(error).__name__}: {error}")
        if self._refused_at is None:
            log.warning("the health store refused, health is kept in this process meanwhile: %s", self.last_error)
        self._refused_at = self._clock()
