"""Lets a server's chunks through one by one, so that a test knows exactly what a client has seen.

```python
gate = Turnstile()
with FaultServer(turnstile=gate) as server:
    gate.let(3)              # three chunks may go out; the fourth waits
```
"""

from __future__ import annotations

import asyncio
import threading


class Turnstile:
    """Counts permits; each chunk takes one. Closed at first. Give permits from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._permits = 0
        self._open = False
        self._waiting: list[asyncio.Future[None]] = []

    def let(self, count: int = 1) -> None:
        """Let `count` more chunks through."""
        with self._lock:
            self._permits += count
        self._wake()

    def open(self) -> None:
        """Let everything through from now on."""
        with self._lock:
            self._open = True
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for future in waiting:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, future)

    def _take(self) -> asyncio.Future[None] | None:
        """`None`: a permit was taken. Otherwise something to wait for before the next try."""
        with self._lock:
            if self._open:
                return None
            if self._permits:
                self._permits -= 1
                return None
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            return future

    async def pass_through(self) -> None:
        """Wait for a permit and take it."""
        while (future := self._take()) is not None:
            await future


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
