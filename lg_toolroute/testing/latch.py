"""What a scripted answer waits at until a test lets it go on: no clock, no sleep.

```python
latch = Latch()
model = ScriptedModel([Hang(latch, Say("at last"))])
# … start a run in another thread or task
latch.wait_reached()     # the run waits at the latch
latch.open()

gate = Turnstile()
with FaultServer(turnstile=gate) as server:
    gate.let(3)          # three chunks may go out; the fourth waits
```
"""

from __future__ import annotations

import asyncio
import threading


class _Queue:
    """Coroutines of any event loop that wait to be woken by any thread. The lock of the owner guards it."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def join(self) -> asyncio.Future[None]:
        """A future that is done when `wake` is called."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future

    def wake(self) -> None:
        """Let all that wait go on."""
        for future in list(self._waiting):
            if not future.get_loop().is_closed():
                future.get_loop().call_soon_threadsafe(_settle, future)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Latch:
    """Closed until `open()` is called; then open for ever. One latch serves any number of threads and event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened = threading.Event()
        self._reached = threading.Event()
        self._queue = _Queue()

    @property
    def is_open(self) -> bool:
        """Whether it has been opened."""
        return self._opened.is_set()

    def open(self) -> None:
        """Let everything through, now and later. May be called from any thread."""
        with self._lock:
            self._opened.set()
            self._queue.wake()

    def wait(self, limit_s: float) -> bool:
        """Block the calling thread until it is open, `limit_s` seconds at most. `False`: it stayed closed."""
        self._reached.set()
        return self._opened.wait(limit_s)

    async def wait_async(self, limit_s: float | None) -> bool:
        """The same for a coroutine; `None` waits for ever."""
        with self._lock:
            future = None if self._opened.is_set() else self._queue.join()
        self._reached.set()
        if future is not None:
            try:
                await asyncio.wait_for(future, limit_s)
            except TimeoutError:
                return False
        return True

    def wait_reached(self, limit_s: float = 30.0) -> None:
        """Block the calling thread until something waits at the latch.

        Raises:
            TimeoutError: Nothing did within `limit_s` seconds.
        """
        if not self._reached.wait(limit_s):
            raise TimeoutError(f"nothing reached the latch within {limit_s:g} s")

    async def wait_reached_async(self, limit_s: float = 30.0) -> None:
        """The same for a coroutine: the event loop goes on meanwhile.

        Raises:
            TimeoutError: Nothing did within `limit_s` seconds.
        """
        await asyncio.to_thread(self.wait_reached, limit_s)


class Turnstile:
    """Lets a server's chunks through one by one, so that a test knows exactly what a client has seen. Closed at first.

    Each chunk takes a permit. Give permits from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._permits = 0
        self._open = False
        self._queue = _Queue()

    def let(self, count: int = 1) -> None:
        """Let `count` more chunks through."""
        with self._lock:
            self._permits += count
            self._queue.wake()

    def open(self) -> None:
        """Let everything through from now on."""
        with self._lock:
            self._open = True
            self._queue.wake()

    async def pass_through(self) -> None:
        """Wait for a permit and take it."""
        while True:
            with self._lock:
                if self._open:
                    return
                if self._permits:
                    self._permits -= 1
                    return
                future = self._queue.join()
            await future
