"""Time limits around a stream of chunks: to the first one, between two, and in all.

An asynchronous stream is cancelled. A synchronous one cannot be interrupted from outside, so it is read by a thread of its own, and left
behind when it is late; clients that this package builds have these limits in their HTTP client and need no thread.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
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
        client_waits: The client itself gives up on silence, so a plain stream needs no thread to be given up.
    """

    first_token_s: float | None = None
    idle_s: float | None = None
    total_s: float | None = None
    client_waits: bool = False

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

    def of(self, what: str) -> float | None:
        """The limit of that name, in seconds."""
        return {"no first token": self.first_token_s, "no further chunk": self.idle_s, "no end": self.total_s}[what]


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
                raise _stalled(what, limits.of(what)) from None
            first = False
            yield chunk
    finally:
        await source.aclose()  # type: ignore[attr-defined]  # an async generator


_END = object()


async def in_time(answer: Awaitable[T], limits: Limits) -> T:
    """An answer in one piece, in time.

    Raises:
        StreamStalled: It was late.
    """
    scope = asyncio.timeout(limits.total_s)
    try:
        async with scope:
            return await answer
    except TimeoutError:
        if not scope.expired():
            raise  # the client's own
        raise _stalled("no answer", limits.total_s) from None


def timed(source: Iterator[T], limits: Limits) -> Iterator[T]:
    """The chunks of `source`, each in time.

    Raises:
        StreamStalled: One was late. Where a thread reads, it ends with the chunk it waits for.
    """
    return _watched(source, limits) if limits.client_waits else _read_aside(source, limits)


def _watched(source: Iterator[T], limits: Limits) -> Iterator[T]:
    """Read here: a stream that never ends is given up at the chunk that is too late."""
    started = time.monotonic()
    try:
        for chunk in source:
            if limits.total_s is not None and time.monotonic() - started > limits.total_s:
                raise _stalled("no end", limits.total_s)
            yield chunk
    finally:
        source.close()  # type: ignore[attr-defined]  # a generator


def _read_aside(source: Iterator[T], limits: Limits) -> Iterator[T]:
    """Read by a thread of its own, which can be left behind."""
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
                raise _stalled(what, limits.of(what)) from None
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
