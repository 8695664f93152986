"""Time limits around a stream: each chunk in time, and a stream that is left is closed and not read on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from contextvars import ContextVar

import pytest

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.gates.timing import StreamStalled, TimeLimits, acall_in_time, atimed, timed
from lg_toolroute.testing import Latch

SOON, LATE_S = 0.01, 30.0


class Source:
    """Numbers; before `stalls` it waits until the latch is opened."""

    def __init__(self, count: int, stalls: int | None = None, error: BaseException | None = None) -> None:
        self.count, self.stalls, self.error = count, stalls, error
        self.latch = Latch()
        self.pulled: list[int] = []
        self.closed = threading.Event()

    def plain(self) -> Generator[int, None, None]:
        try:
            for number in range(self.count):
                if number == self.stalls:
                    self.latch.wait(LATE_S)
                self.pulled.append(number)
                yield number
            if self.error is not None:
                raise self.error
        finally:
            self.closed.set()

    async def awaited(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self.count):
                if number == self.stalls:
                    await self.latch.wait_async(LATE_S)
                self.pulled.append(number)
                yield number
            if self.error is not None:
                raise self.error
        finally:
            self.closed.set()


@pytest.mark.parametrize(
    ("limits", "passed_s", "first", "expected"),
    [
        (TimeLimits(5, 2, None), 0, True, (5, "first_token_s")),
        (TimeLimits(5, 2, None), 50, False, (2, "idle_s")),
        (TimeLimits(5, 2, 10), 9, False, (1, "total_s")),
        (TimeLimits(5, 2, 10), 7, False, (2, "idle_s")),
        (TimeLimits(5, 2, 10), 11, False, (0.0, "total_s")),
        (TimeLimits(None, None, 10), 4, True, (6, "total_s")),
        (TimeLimits(), 4, True, (None, "first_token_s")),
    ],
)
def test_the_nearest_limit_says_how_long_the_next_chunk_may_take(limits, passed_s, first, expected):
    assert limits.next_wait(100.0, 100.0 + passed_s, first=first) == expected


def test_no_limits_are_false():
    assert not TimeLimits()
    assert TimeLimits(total_s=0.0)


def test_a_stream_in_time_comes_through_whole_and_is_closed():
    source = Source(100)
    assert list(timed(source.plain(), TimeLimits(LATE_S, LATE_S, LATE_S))) == list(range(100))
    assert source.closed.wait(LATE_S)


async def test_an_awaited_stream_in_time_comes_through_whole_and_is_closed():
    source = Source(100)
    assert [number async for number in atimed(source.awaited(), TimeLimits(LATE_S, LATE_S, LATE_S))] == list(range(100))
    assert source.closed.is_set()


@pytest.mark.parametrize(
    ("stalls", "limits", "said"),
    [
        (0, TimeLimits(first_token_s=SOON), "no first token within 0.01 s"),
        (2, TimeLimits(idle_s=SOON), "no further chunk within 0.01 s"),
        (2, TimeLimits(total_s=SOON), "no end within 0.01 s"),
    ],
)
async def test_a_stalled_stream_is_given_up_and_taken_for_a_timeout(stalls, limits, said):
    source = Source(5, stalls)
    with pytest.raises(StreamStalled, match=said) as caught:
        list(timed(source.plain(), limits))
    assert source.pulled == list(range(stalls))
    assert classify(caught.value).cls == "timeout"
    source.latch.open()
    assert source.closed.wait(LATE_S)
    source = Source(5, stalls)
    with pytest.raises(StreamStalled, match=said):
        [number async for number in atimed(source.awaited(), limits)]
    assert source.closed.is_set()


def test_a_stream_that_is_left_is_closed_and_not_read_on_even_if_no_further_chunk_would_come():
    source = Source(1000, stalls=3)
    stream = timed(source.plain(), TimeLimits(idle_s=LATE_S))
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    stream.close()
    assert source.closed.wait(LATE_S / 3)
    assert source.pulled == [0, 1, 2]


async def test_an_awaited_stream_that_is_left_is_closed_and_not_read_on():
    source = Source(1000)
    stream = atimed(source.awaited(), TimeLimits(idle_s=LATE_S))
    assert [await anext(stream) for _ in range(3)] == [0, 1, 2]
    await stream.aclose()
    assert source.closed.is_set()
    assert source.pulled == [0, 1, 2]


@pytest.mark.parametrize("error", [ConnectionError("reset"), TimeoutError("the client's own"), KeyboardInterrupt()], ids=lambda e: type(e).__name__)
async def test_what_the_stream_raises_is_raised(error):
    with pytest.raises(type(error)) as caught:
        list(timed(Source(2, error=error).plain(), TimeLimits(idle_s=LATE_S)))
    assert caught.value is error
    if isinstance(error, Exception):
        with pytest.raises(type(error)) as caught:
            [number async for number in atimed(Source(2, error=error).awaited(), TimeLimits(idle_s=LATE_S))]
        assert caught.value is error


async def test_a_cancelled_reader_stays_cancelled_and_closes_its_stream():
    source = Source(5, stalls=1)

    async def read() -> None:
        async for _ in atimed(source.awaited(), TimeLimits(idle_s=LATE_S)):
            pass

    task = asyncio.create_task(read())
    await source.latch.wait_reached_async()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed.is_set()


def test_the_reading_thread_runs_in_the_callers_context():
    place: ContextVar[str] = ContextVar("place", default="lost")

    def look() -> Generator[str, None, None]:
        yield place.get()

    place.set("kept")
    assert list(timed(look(), TimeLimits(idle_s=LATE_S))) == ["kept"]


def test_a_stream_that_is_never_read_starts_no_thread():
    source = Source(3)
    before = threading.active_count()
    timed(source.plain(), TimeLimits(idle_s=LATE_S)).close()
    assert threading.active_count() == before
    assert source.pulled == []


def test_where_the_client_gives_up_on_silence_no_thread_reads_and_an_endless_stream_is_given_up_at_the_next_chunk():
    source, before = Source(10**9), threading.active_count()
    stream = timed(source.plain(), TimeLimits(total_s=SOON, client_waits=True))
    assert next(stream) == 0
    assert threading.active_count() == before
    with pytest.raises(StreamStalled, match=r"no end within 0.01 s"):
        list(stream)
    assert source.closed.is_set()


async def test_an_answer_in_one_piece_is_waited_for_to_its_end():
    latch = Latch()

    async def answer() -> str:
        await latch.wait_async(LATE_S)
        return "late"

    with pytest.raises(StreamStalled, match=r"no end within 0.01 s"):
        await acall_in_time(answer(), TimeLimits(total_s=SOON))
    latch.open()
    assert await acall_in_time(answer(), TimeLimits(total_s=LATE_S)) == "late"


async def test_a_timeout_of_the_clients_own_is_not_taken_for_ours():
    async def answer() -> str:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await acall_in_time(answer(), TimeLimits(total_s=LATE_S))
