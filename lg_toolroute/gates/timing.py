"""Time limits for a stream of chunks: until the first one, between two, and in all.

An asynchronous stream is cancelled. A synchronous one cannot be interrupted, so a thread reads it, and is left behind when the stream is late;
the clients that this package builds have these limits in their HTTP client and need no thread.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_MISSED = {"first_token_s": "no first token", "idle_s": "no further chunk", "total_s": "no end"}


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a model may take, in seconds; `None` is no limit.

    Attributes:
        first_token_s: From the request to the first chunk.
        idle_s: Between two chunks.
        total_s: From the request to the last chunk.
        client_waits: The client itself gives up a silent connection, so a synchronous stream needs no thread.
    """

    first_token_s: float | None = None
    idle_s: float | None = None
    total_s: float | None = None
    client_waits: bool = False

    def __bool__(self) -> bool:
        return not (self.first_token_s is None and self.idle_s is None and self.total_s is None)

    def next_wait(self, started: float, now: float, *, first: bool) -> tuple[float | None, str]:
        """How long the next chunk may take, in seconds, and the field that holds this limit."""
        name, step = ("first_token_s", self.first_token_s) if first else ("idle_s", self.idle_s)
        rest = None if self.total_s is None else max(self.total_s - (now - started), 0.0)
        return (rest, "total_s") if rest is not None and (step is None or rest < step) else (step, name)

    def missed(self, name: str) -> StreamStalled:
        """The error for a missed limit, by the name of its field."""
        return StreamStalled(f"{_MISSED[name]} within {getattr(self, name):g} s")


class StreamStalled(TimeoutError):
    """A model missed a time limit. It is classified as a timeout."""


def call_in_time(call: Callable[[], T], limits: TimeLimits | None) -> T:
    """What `call` returns, within the total time.

    Raises:
        StreamStalled: It was late. The thread that calls it ends when `call` returns.
    """
    if limits is None or limits.total_s is None or limits.client_waits:
        return call()
    only_chunk = (call() for _ in range(1))
    return next(timed(only_chunk, TimeLimits(total_s=limits.total_s)))


async def acall_in_time(answer: Awaitable[T], limits: TimeLimits | None) -> T:
    """An awaited answer, within the total time.

    Raises:
        StreamStalled: It was late.
    """
    return await (answer if limits is None else _within(answer, limits.total_s, limits, "total_s"))


async def _within(answer: Awaitable[T], wait_s: float | None, limits: TimeLimits, name: str) -> T:
    scope = asyncio.timeout(wait_s)
    try:
        async with scope:
            return await answer
    except TimeoutError:
        if not scope.expired():
            raise  # the client's own timeout
        raise limits.missed(name) from None


async def atimed(source: AsyncGenerator[T, None], limits: TimeLimits) -> AsyncGenerator[T, None]:
    """The chunks of `source`, each in time.

    Raises:
        StreamStalled: One was late.
    """
    started, first = time.monotonic(), True
    async with aclosing(source):
        while True:
            wait_s, name = limits.next_wait(started, time.monotonic(), first=first)
            try:
                chunk = await _within(anext(source), wait_s, limits, name)
            except StopAsyncIteration:
                return
            first = False
            yield chunk


def timed(source: Generator[T, None, None], limits: TimeLimits) -> Generator[T, None, None]:
    """The chunks of `source`, each in time.

    Raises:
        StreamStalled: One was late. If a thread reads the stream, the thread ends when that chunk comes.
    """
    return _read_here(source, limits) if limits.client_waits else _read_by_thread(source, limits)


def _read_here(source: Generator[T, None, None], limits: TimeLimits) -> Generator[T, None, None]:
    """Stops at the first chunk that comes after the end of the total time."""
    started = time.monotonic()
    with closing(source):
        for chunk in source:
            if limits.total_s is not None and time.monotonic() - started > limits.total_s:
                raise limits.missed("total_s")
            yield chunk


def _read_by_thread(source: Generator[T, None, None], limits: TimeLimits) -> Generator[T, None, None]:
    box: queue.SimpleQueue[tuple[list[T], BaseException | None]] = queue.SimpleQueue()  # a chunk, an error, or neither at the end
    wanted = threading.Semaphore(0)  # the thread reads no chunk ahead: it could not close a stream that is cut while it waits for one
    stop = threading.Event()

    def read() -> None:
        with closing(source):
            try:
                for chunk in source:
                    box.put(([chunk], None))
                    wanted.acquire()
                    if stop.is_set():
                        break
                box.put(([], None))
            except BaseException as error:  # raised again by the consumer
                box.put(([], error))

    threading.Thread(target=copy_context().run, args=(read,), daemon=True, name="lg_toolroute-stream").start()
    started, first = time.monotonic(), True
    try:
        while True:
            wait_s, name = limits.next_wait(started, time.monotonic(), first=first)
            try:
                chunks, error = box.get(timeout=wait_s)
            except queue.Empty:
                raise limits.missed(name) from None
            if error is not None:
                raise error
            if not chunks:
                return
            first = False
            yield chunks[0]
            wanted.release()
    finally:
        stop.set()
        wanted.release()
