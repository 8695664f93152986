"""Time limits around a stream of chunks: to the first one, between two, and in all.

An asynchronous stream is cancelled. A synchronous one cannot be interrupted from outside, so it is read by a thread of its own, and left
behind when it is late; clients that this package builds have these limits in their HTTP client and need no thread.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds; `None` is no limit.

    Attributes:
        first_token_s: From the request to the first chunk.
        idle_s: Between two chunks.
        total_s: From the request to the last chunk.
    """

    first_token_s: float | None = None
    idle_s: float | None = None
    total_s: float | None = None

    def __bool__(self) -> bool:
        return not (self.first_token_s is None and self.idle_s is None and self.total_s is None)

    def wait(self, started: float, now: float, *, first: bool) -> tuple[float | None, str]:
        """How long the next chunk may take, in seconds, and the name of the limit that says so."""
        step = self.first_token_s if first else self.idle_s
        name = "no first token" if first else "no further chunk"
        rest = None if self.total_s is None else max(self.total_s - (now - started), 0.0)
        if rest is not None and (step is None or rest < step):
            return rest, "no end"
        return step, name


class StreamStalled(TimeoutError):
    """A stream was silent for longer than it may be. The classifier takes it for a timeout."""


def _stalled(what: str, limit: float | None) -> StreamStalled:
    return StreamStalled(f"{what} within {limit:g} s" if limit is not None else what)


async def atimed(source: AsyncIterator[T], limits: Limits) -> AsyncIterator[T]:
    """The chunks of `source`, each in time.

    Raises:
        StreamStalled: One was late.
    """
    started = time.monotonic()
    first = True
    try:
        while True:
            wait, what = limits.wait(started, time.monotonic(), first=first)
            scope = asyncio.timeout(wait)
            try:
                async with scope:
                    chunk = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if not scope.expired():
                    raise  # the client's own
                raise _stalled(what, wait) from None
            first = False
            yield chunk
    finally:
        await source.aclose()  # type: ignore[attr-defined]  # an async generator


_END = object()


def timed(source: Iterator[T], limits: Limits) -> Iterator[T]:
    """The chunks of `source`, each in time, read by a thread of its own.

    Raises:
        StreamStalled: One was late. The thread ends with the chunk it waits for.
    """
    box: queue.SimpleQueue[object] = queue.SimpleQueue()
    taken = threading.Semaphore(0)  # one chunk ahead of the reader, not more: a stream that is cut is not read on
    stop = threading.Event()

    def pump() -> None:
        try:
            for chunk in source:
                box.put(chunk)
                taken.acquire()
                if stop.is_set():
                    break
            box.put(_END)
        except BaseException as error:  # carried over to the reader, which raises it
            box.put(_Raised(error))
        finally:
            source.close()  # type: ignore[attr-defined]  # a generator

    context = copy_context()
    thread = threading.Thread(target=context.run, args=(pump,), daemon=True, name="lg_toolroute-stream")
    started = time.monotonic()
    thread.start()
    first = True
    try:
        while True:
            wait, what = limits.wait(started, time.monotonic(), first=first)
            try:
                item = box.get(timeout=wait)
            except queue.Empty:
                raise _stalled(what, wait) from None
            if item is _END:
                return
            if isinstance(item, _Raised):
                raise item.error
            first = False
            taken.release()
            yield item  # type: ignore[misc]  # what the pump put in is a chunk
    finally:
        stop.set()
        taken.release()


class _Raised:
    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error
