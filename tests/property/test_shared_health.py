"""Whatever the order in which a store serves its workers, one of them probes a window, and health never goes wrong."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.health.store import StoreHealth

SPEC = "kimi/kimi-k2.5"
LIMITS = CooldownLimits(rate_limit_s=30.0, probe_timeout_s=60.0)


class TurnstileStore(BaseStore):
    """Holds every batch back until the schedule lets it through; a batch itself is atomic."""

    def __init__(self, inner: BaseStore) -> None:
        self.inner = inner
        self.waiting: list[tuple[asyncio.Future[None], str]] = []

    def batch(self, ops):
        return self.inner.batch(ops)

    async def abatch(self, ops):
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append((turn, type(ops[0]).__name__))
        await turn
        return self.inner.batch(ops)


def numbered() -> Callable[[], str]:
    """Keys whose order does not depend on dice, so that a schedule can be played again."""
    count = itertools.count()
    return lambda: f"{(next(count) * 7919) % 10007:05d}"


async def served(store: TurnstileStore, tasks: list[asyncio.Task], choose) -> None:
    """Let the store's batches through one at a time, in the order that `choose` picks."""
    while not all(task.done() for task in tasks):
        for _ in range(3):
            await asyncio.sleep(0)
        if store.waiting:
            turn, _ = store.waiting.pop(choose(len(store.waiting)))
            turn.set_result(None)


@settings(max_examples=120, deadline=None)
@given(st.data(), st.integers(2, 4), st.integers(1, 3))
def test_at_most_one_worker_probes_a_window_in_any_interleaving(data, workers, windows):
    def choose(count: int) -> int:
        return data.draw(st.integers(0, count - 1)) if count > 1 else 0

    async def run() -> None:
        moment = [1000.0]
        store = TurnstileStore(InMemoryStore())
        keys = numbered()
        books = [StoreHealth(store, LIMITS, clock=lambda: moment[0], refresh_s=0.0, key=keys) for _ in range(workers)]
        StoreHealth(store.inner, LIMITS, clock=lambda: moment[0]).report(SPEC, Failure("rate_limit"))
        probes: Counter[int] = Counter()

        async def work(book: StoreHealth, window: int) -> None:
            circuit = (await book.asnapshot([SPEC]))[SPEC]
            if circuit.half_open(book.now()) and await book.aclaim(SPEC):
                probes[window] += 1
                await book.areport(SPEC, Failure("rate_limit"))

        for window in range(windows):
            # The cooldown doubles to 60, 120, 240 s; each window begins when it is over.
            moment[0] += 300.0
            tasks = [asyncio.ensure_future(work(book, window)) for book in books for _ in range(2)]
            await served(store, tasks, choose)
            await asyncio.gather(*tasks)
        assert max(probes.values(), default=0) <= 1

    asyncio.run(run())


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(2, 4))
def test_callers_that_meet_do_not_keep_each_other_out_for_ever(data, workers):
    """When callers meet, all of them may withdraw; then the next single caller has the probe."""

    def choose(count: int) -> int:
        return data.draw(st.integers(0, count - 1)) if count > 1 else 0

    async def run() -> None:
        moment = [1000.0]
        store = TurnstileStore(InMemoryStore())
        keys = numbered()
        books = [StoreHealth(store, LIMITS, clock=lambda: moment[0], refresh_s=0.0, key=keys) for _ in range(workers)]
        books[0].report(SPEC, Failure("rate_limit"))
        moment[0] += 31.0
        tasks = [asyncio.ensure_future(book.aclaim(SPEC)) for book in books]
        await served(store, tasks, choose)
        granted = sum([await task for task in tasks])
        assert granted <= 1
        if not granted:
            assert books[0].claim(SPEC)

    asyncio.run(run())


calls = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["fail", "rate", "success", "claim", "snapshot", "reset", "down", "up", "wait"]),
    st.floats(0.0, 400.0),
)


class FlakyStore(BaseStore):
    """Refuses while it is `down`."""

    def __init__(self) -> None:
        self.inner = InMemoryStore()
        self.down = False

    def batch(self, ops):
        if self.down:
            raise ConnectionError("the server closed the connection unexpectedly")
        return self.inner.batch(ops)

    async def abatch(self, ops):
        return self.batch(ops)


@settings(max_examples=100, deadline=None)
@given(st.lists(calls, max_size=40))
def test_a_store_that_comes_and_goes_breaks_nothing_and_workers_agree_afterwards(history):
    moment = [1000.0]
    store = FlakyStore()
    books = [StoreHealth(store, LIMITS, clock=lambda: moment[0], refresh_s=1.0, retry_s=5.0) for _ in range(3)]
    for which, what, wait_s in history:
        book = books[which]
        if what == "fail":
            book.report(SPEC, Failure("timeout"))
        elif what == "rate":
            book.report(SPEC, Failure("rate_limit"))
        elif what == "success":
            book.report(SPEC, None)
            assert book.snapshot([SPEC])[SPEC].blocked(moment[0]) is None or wait_s >= 0
        elif what == "claim":
            book.claim(SPEC)
        elif what == "snapshot":
            book.snapshot([SPEC])
        elif what == "reset":
            book.reset(SPEC)
        elif what == "wait":
            moment[0] += wait_s
        else:
            store.down = what == "down"
    store.down = False
    for _ in range(2):  # the first round writes what was kept back, the second reads it
        moment[0] += 6.0
        for book in books:
            book.snapshot([SPEC])
    views = {(circuit.opened, circuit.since, circuit.until) for circuit in (book.snapshot([SPEC])[SPEC] for book in books)}
    assert len(views) == 1
