"""`Latch` and `Turnstile`: what waits goes on exactly when it may."""

import asyncio
import threading

import pytest

from lg_toolroute.testing import Latch, Turnstile


def test_latch_lets_threads_through_once_open():
    latch = Latch()
    passed = []
    thread = threading.Thread(target=lambda: passed.append(latch.wait(30)))
    thread.start()
    latch.wait_reached()
    assert not latch.is_open
    latch.open()
    thread.join()
    assert passed == [True]
    assert latch.wait(0)


async def test_latch_lets_coroutines_of_several_loops_through():
    latch = Latch()
    elsewhere = asyncio.to_thread(lambda: asyncio.run(latch.wait_async(30)))
    task = asyncio.gather(latch.wait_async(None), latch.wait_async(30), elsewhere)
    await latch.wait_reached_async()
    await asyncio.sleep(0)
    latch.open()
    assert await task == [True, True, True]
    assert await latch.wait_async(0)


async def test_latch_that_stays_closed_says_so():
    latch = Latch()
    assert not latch.wait(0)
    assert not await latch.wait_async(0.001)
    with pytest.raises(TimeoutError, match="nothing reached the latch"):
        Latch().wait_reached(0)


async def test_turnstile_counts_permits():
    turnstile = Turnstile()
    passed = []

    async def walk():
        for number in range(5):
            await turnstile.pass_through()
            passed.append(number)

    task = asyncio.create_task(walk())
    await asyncio.sleep(0)
    assert passed == []
    turnstile.let(2)
    while len(passed) < 2:
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert passed == [0, 1]
    turnstile.open()
    await task
    assert passed == [0, 1, 2, 3, 4]
