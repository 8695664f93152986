"""A server, and agents that are lent out: as many runs at once as there are agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lg_toolroute.testing import FaultServer
from tests.support.faults.story import Run

AT_ONCE = 6


class Lanes:
    """Agents on one server, one a lane; a run has a lane to itself."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self._free: dict[float, list[Run]] = {}
        self._built = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def lane(self, timeout_s: float = 60.0) -> AsyncIterator[Run]:
        """An agent whose clients wait so long for a silent model, in seconds."""
        async with self._turns:
            free = self._free.setdefault(timeout_s, [])
            if free:
                run = free.pop()
            else:
                self._built += 1
                run = Run(self.server, self._built, timeout_s=timeout_s)
            try:
                yield run
            finally:
                free.append(run)
