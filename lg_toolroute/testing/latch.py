"""A door that a scripted step waits at, for threads and for coroutines alike, and without a clock in the test.

```python
latch = Latch()
model = ScriptedModel([Hang(latch, Say("at last"))])
# … start a run in another thread or task
latch.wait_reached()     # a model waits
latch.open()
```
"""

from __future__ import annotations

import asyncio
import threading


class Latch:
    """Closed until `open()` is called; then open for ever. One latch serves any number of threads and event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened = threading.Event()
        self._reached = threading.Event()
        self._futures: set[asyncio.Future[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether it has been opened."""
        return self._opened.is_set()

    def open(self) -> None:
        """Open the latch, for all waiting models and all later ones. May be called from any thread."""
        with self._lock:
            self._opened.set()
            futures, self._futures = self._futures, set()
        for future in futures:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, future)

    def wait(self, limit_s: float) -> bool:
        """Stand at the door in a thread, `limit_s` seconds at most. `False`: it stayed closed."""
        self._reached.set()
        return self._opened.wait(limit_s)

    async def wait_async(self, limit_s: float | None) -> bool:
        """Stand at the door in a coroutine, `limit_s` seconds at most; `None` is for ever. `False`: it stayed closed."""
        with self._lock:
            if self._opened.is_set():
                self._reached.set()
                return True
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._futures.add(future)
        self._reached.set()
        try:
            await asyncio.wait_for(future, limit_s)
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._futures.discard(future)
        return True

    def wait_reached(self, limit_s: float = 30.0) -> None:
        """Block the calling thread until a model waits.

        Raises:
            TimeoutError: No model came within `limit_s` seconds.
        """
        if not self._reached.wait(limit_s):
            raise TimeoutError(f"no model reached the latch within {limit_s:g} s")

    async def wait_reached_async(self, limit_s: float = 30.0) -> None:
        """The same for a coroutine: the event loop goes on meanwhile.

        Raises:
            TimeoutError: No model came within `limit_s` seconds.
        """
        await asyncio.to_thread(self.wait_reached, limit_s)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
