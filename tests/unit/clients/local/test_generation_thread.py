"""One generation after another."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lg_toolroute.clients.local.generation_thread import GenerationThread


def test_what_a_generation_raises_is_raised_where_it_was_asked_for():
    thread = GenerationThread()

    def fail() -> Iterator[int]:
        yield 1
        raise RuntimeError("out of memory")

    stream = thread.stream(fail)
    assert next(stream) == 1
    with pytest.raises(RuntimeError, match="out of memory"):
        next(stream)
    assert thread.run(lambda: "next") == "next"


def test_a_stream_that_is_not_read_does_not_hold_up_the_next_generation():
    thread = GenerationThread()
    unread = thread.stream(lambda: iter(range(1000)))
    assert next(unread) == 0
    assert thread.run(lambda: "next") == "next"
    assert list(unread) == list(range(1, 1000))


def test_closing_a_stream_ends_its_generation_at_the_next_piece():
    thread, closed, produced = GenerationThread(), threading.Event(), []

    def pieces() -> Iterator[int]:
        for number in range(1000):
            if number == 1:
                closed.wait(10)
            produced.append(number)
            yield number

    stream = thread.stream(pieces)
    assert next(stream) == 0
    stream.close()  # type: ignore[attr-defined]
    closed.set()
    assert thread.run(lambda: list(produced)) == [0, 1]
