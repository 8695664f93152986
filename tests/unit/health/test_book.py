"""The books of health: in memory, and in a store that is shared, down, corrupt or written by others."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import pytest
from langgraph.store.base import BaseStore, GetOp, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore
from langgraph.store.sqlite.aio import AsyncSqliteStore

from lg_toolroute.core.failures.circuit import CLOSED
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.health.book import HealthBook
from lg_toolroute.health.memory import MemoryHealth
from lg_toolroute.health.store import StoreHealth

A, B = "kimi/kimi-k2.5", "ollama/gpt-oss:20b"
CIRCUITS = ("lg_toolroute", "health", "circuits")


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class CountingStore(BaseStore):
    """Counts the operations that reach the store beneath, and refuses all of them while `down`."""

    def __init__(self, inner: BaseStore | None = None) -> None:
        self.inner = inner or InMemoryStore()
        self.ops: list[object] = []
        self.down: Exception | None = None

    def batch(self, ops):
        ops = list(ops)
        self.ops += ops
        if self.down is not None:
            raise self.down
        return self.inner.batch(ops)

    async def abatch(self, ops):
        return self.batch(ops)

    def count(self, kind: type) -> int:
        return sum(isinstance(op, kind) for op in self.ops)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "store"])
def book(request, clock) -> HealthBook:
    return MemoryHealth(clock=clock) if request.param == "memory" else StoreHealth(InMemoryStore(), clock=clock)


class TestEveryBook:
    """What holds for any book."""

    def test_a_model_that_was_never_in_trouble_is_closed(self, book):
        assert book.snapshot([A, B]) == {A: CLOSED, B: CLOSED}
        assert book.claim(A)

    def test_a_rate_limit_opens_one_model_and_not_the_other(self, book, clock):
        book.report(A, Failure("rate_limit", "429"))
        seen = book.snapshot([A, B])
        assert seen[A].blocked(clock.now) == ("cooling down for 30 s (rate_limit)", 30.0)
        assert seen[B] is CLOSED
        assert not book.claim(A)
        assert book.claim(B)

    def test_one_of_many_threads_has_the_probe(self, book, clock):
        book.report(A, Failure("rate_limit"))
        clock.now += 30
        gate, granted = threading.Barrier(8), []

        def ask() -> None:
            gate.wait()
            granted.append(book.claim(A))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # In a store all may meet and withdraw; then the next call has it.
        assert sum(granted) == 1 or (not any(granted) and book.claim(A))
        assert not book.claim(A)

    async def test_one_of_many_tasks_has_the_probe(self, book, clock):
        await book.areport(A, Failure("rate_limit"))
        clock.now += 30
        granted = await asyncio.gather(*(book.aclaim(A) for _ in range(20)))
        assert sum(granted) == 1

    def test_a_failed_probe_doubles_and_the_next_window_has_its_own_probe(self, book, clock):
        book.report(A, Failure("rate_limit"))
        for cooldown_s in (30, 60, 120):
            assert book.snapshot([A])[A].blocked(clock.now)[1] == cooldown_s
            clock.now += cooldown_s
            assert book.snapshot([A])[A].half_open(clock.now)
            assert book.claim(A)
            book.report(A, Failure("rate_limit"))

    def test_a_short_window_is_not_kept_shut_by_the_last_probe_s_claim(self, clock):
        limits = CooldownLimits(rate_limit_s=1, rate_limit_max_s=1)
        for book in (MemoryHealth(limits, clock), StoreHealth(InMemoryStore(), limits, clock)):
            book.report(A, Failure("rate_limit"))
            for _ in range(5):
                clock.now += 1
                assert book.claim(A)
                book.report(A, Failure("rate_limit"))

    def test_a_successful_probe_brings_the_model_back(self, book, clock):
        book.report(A, Failure("rate_limit"))
        clock.now += 30
        assert book.claim(A)
        book.report(A, None)
        assert book.snapshot([A])[A] == CLOSED
        assert book.claim(A)
        assert book.claim(A)

    def test_a_prober_that_never_reports_gives_the_probe_back(self, book, clock):
        book.report(A, Failure("rate_limit"))
        clock.now += 30
        assert book.claim(A)
        assert not book.claim(A)
        clock.now += 59
        assert not book.claim(A)
        clock.now += 1
        assert book.claim(A)

    def test_a_cancelled_probe_is_not_repeated_at_once(self, book, clock):
        book.report(A, Failure("rate_limit"))
        clock.now += 30
        assert book.claim(A)
        book.report(A, Failure("cancelled"))
        assert not book.claim(A)

    def test_a_probe_that_the_model_refused_to_serve_gives_the_claim_back(self, book, clock):
        book.report(A, Failure("rate_limit"))
        clock.now += 30
        assert book.claim(A)
        book.report(A, Failure("invalid_request"))
        assert book.claim(A)

    def test_incapacity_is_remembered_until_it_lapses_or_is_reset(self, book, clock):
        for forget in (lambda: book.reset(A), lambda: setattr(clock, "now", clock.now + 600)):
            book.report(A, Failure("no_tool_support", "does not support tools"))
            book.report(A, None)
            assert book.snapshot([A])[A].incapable("no_tool_support", clock.now)
            forget()
            assert not book.snapshot([A])[A].incapable("no_tool_support", clock.now)

    def test_reset_forgets_one_model_or_all(self, book):
        book.report(A, Failure("auth"))
        book.report(B, Failure("auth"))
        book.reset(A)
        assert list(book.inspect()["models"]) == [B]
        book.reset()
        assert book.inspect()["models"] == {}
        assert book.snapshot([B])[B] == CLOSED

    def test_inspect_is_json_and_names_only_troubled_models(self, book, clock):
        book.report(A, Failure("quota", "credit balance is too low"))
        book.report(B, None)
        seen = json.loads(json.dumps(book.inspect()))
        assert list(seen["models"]) == [A]
        assert seen["models"][A]["state"] == "open"
        assert seen["models"][A]["why"] == "credit balance is too low"
        assert seen["models"][A]["due_in_s"] == 600.0

    async def test_the_plain_and_the_async_methods_agree(self, clock):
        for make in (lambda: MemoryHealth(clock=clock), lambda: StoreHealth(InMemoryStore(), clock=clock)):
            plain, awaited = make(), make()
            plain.report(A, Failure("rate_limit"), tool="edit")
            await awaited.areport(A, Failure("rate_limit"), tool="edit")
            assert plain.snapshot([A, B]) == await awaited.asnapshot([A, B])
            clock.now += 30
            assert plain.claim(A) == await awaited.aclaim(A)
            plain.report(A, None)
            await awaited.areport(A, None)
            assert plain.inspect() == await awaited.ainspect()
            plain.reset()
            await awaited.areset()
            assert plain.inspect() == await awaited.ainspect()


class TestMemory:
    """What holds for the book in memory."""

    def test_a_model_that_recovered_leaves_nothing_behind(self, clock):
        book = MemoryHealth(clock=clock)
        book.report(A, Failure("timeout"))
        book.report(A, None)
        assert book.inspect() == {"book": "memory", "models": {}}

    def test_models_named_by_callers_do_not_fill_the_memory(self, clock):
        book = MemoryHealth(clock=clock)
        for number in range(5000):
            book.report(f"x/{number}", Failure("auth"))
        assert len(book.inspect()["models"]) == 4096


class TestStore:
    """What holds for the book in a store."""

    def test_a_healthy_chain_reads_at_most_once_a_refresh_and_writes_nothing(self, clock):
        store = CountingStore()
        book = StoreHealth(store, clock=clock, refresh_s=1.0)
        for _ in range(1000):
            book.snapshot([A, B])
            assert book.claim(A)
            book.report(A, None, tool="edit")
        assert store.count(GetOp) == 2
        assert len(store.ops) == 2
        clock.now += 1.0
        book.snapshot([A, B])
        assert len(store.ops) == 4
        assert store.count(PutOp) == 0

    def test_what_one_worker_learns_another_knows_after_a_refresh(self, clock):
        store = InMemoryStore()
        one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
        assert two.snapshot([A])[A] is CLOSED
        one.report(A, Failure("rate_limit"))
        assert two.snapshot([A])[A] is CLOSED
        clock.now += 1.0
        assert two.snapshot([A])[A].blocked(clock.now) is not None

    def test_two_workers_failures_are_in_a_row_together(self, clock):
        store = InMemoryStore()
        one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
        one.report(A, Failure("timeout"))
        two.report(A, Failure("connection"))
        assert two.snapshot([A])[A].blocked(clock.now) is not None

    def test_a_claim_reads_the_store_and_not_the_stale_cache(self, clock):
        store = InMemoryStore()
        one, two = StoreHealth(store, clock=clock, refresh_s=1e6), StoreHealth(store, clock=clock, refresh_s=1e6)
        one.report(A, Failure("rate_limit"))
        two.snapshot([A])
        clock.now += 30
        assert one.claim(A)
        one.report(A, Failure("rate_limit"))
        assert two.snapshot([A])[A].half_open(clock.now)
        assert not two.claim(A)

    def test_while_one_worker_probes_another_does_not_ask_the_store_again(self, clock):
        store = CountingStore()
        one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
        one.report(A, Failure("rate_limit"))
        clock.now += 30
        assert one.claim(A)
        two.snapshot([A])
        assert not two.claim(A)
        before = len(store.ops)
        assert not two.claim(A)
        assert two.snapshot([A])[A].state(clock.now) == "probing"
        assert len(store.ops) == before

    def test_a_model_that_recovered_leaves_nothing_in_the_store(self, clock):
        store = InMemoryStore()
        book = StoreHealth(store, clock=clock)
        book.report(A, Failure("rate_limit"))
        clock.now += 30
        book.claim(A)
        assert store.search(("lg_toolroute",), limit=10)
        book.report(A, None)
        assert store.search(("lg_toolroute",), limit=10) == []

    def test_what_a_model_cannot_do_is_not_shared(self, clock):
        store = InMemoryStore()
        one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
        one.report(A, Failure("no_tool_support"))
        assert one.snapshot([A])[A].incapable("no_tool_support", clock.now)
        clock.now += 2
        assert one.snapshot([A])[A].incapable("no_tool_support", clock.now)
        assert not two.snapshot([A])[A].incapable("no_tool_support", clock.now)
        assert store.search(("lg_toolroute",), limit=10) == []

    def test_workers_with_other_namespaces_do_not_meet(self, clock):
        store = InMemoryStore()
        one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock, namespace=("other",))
        one.report(A, Failure("auth"))
        assert two.snapshot([A])[A] is CLOSED

    @pytest.mark.parametrize("value", [{"foreign": True}, {"format": 99, "state": "half"}, {"format": 1, "opened": "many"}])
    def test_a_corrupt_or_foreign_value_reads_as_closed_and_is_noted(self, clock, value):
        store = InMemoryStore()
        store.put(CIRCUITS, A, value)
        book = StoreHealth(store, clock=clock)
        assert book.snapshot([A])[A] is CLOSED
        assert "taken for a closed circuit" in book.inspect()["notes"][A]
        book.report(A, Failure("rate_limit"))
        clock.now += 2
        assert book.snapshot([A])[A].blocked(clock.now) is not None
        book.reset(A)
        assert "notes" in book.inspect()
        assert book.inspect()["notes"] == {}

    @pytest.mark.parametrize("value", [{}, {"at": "x", "until": 1}, {"at": 1, "until": None}, {"at": float("nan"), "until": 1e300}])
    def test_a_corrupt_claim_blocks_no_probe(self, clock, value):
        store = InMemoryStore()
        book = StoreHealth(store, clock=clock)
        book.report(A, Failure("rate_limit"))
        clock.now += 30
        store.put(book._claims_of(A), "foreign", value)
        assert book.claim(A)
        assert [item.key for item in store.search(book._claims_of(A))] != ["foreign"]

    def test_a_claim_from_another_configuration_is_believed_only_as_long_as_our_own(self, clock):
        store = InMemoryStore()
        patient = StoreHealth(store, CooldownLimits(probe_timeout_s=86_400), clock)
        ours = StoreHealth(store, CooldownLimits(probe_timeout_s=60), clock)
        patient.report(A, Failure("rate_limit"))
        clock.now += 30
        assert patient.claim(A)
        assert not ours.claim(A)
        clock.now += 60
        assert ours.claim(A)

    def test_two_configurations_read_one_circuit_each_by_its_own_limits(self, clock):
        store = InMemoryStore()
        long = StoreHealth(store, CooldownLimits(auth_s=86_400, quota_max_s=86_400), clock)
        short = StoreHealth(store, CooldownLimits(auth_s=60, quota_s=60, quota_max_s=120, rate_limit_max_s=60, transient_max_s=60), clock)
        long.report(A, Failure("auth"))
        assert long.snapshot([A])[A].blocked(clock.now)[1] == 86_400
        assert short.snapshot([A])[A].blocked(clock.now)[1] == 120

    def test_a_store_that_is_down_breaks_nothing_and_health_goes_on_here(self, clock, caplog):
        store = CountingStore()
        store.down = ConnectionError("server at postgres://me:hunter2@db refused")
        book = StoreHealth(store, clock=clock, retry_s=5.0)
        with caplog.at_level(logging.INFO, logger="lg_toolroute.health"):
            assert book.snapshot([A])[A] is CLOSED
            book.report(A, Failure("rate_limit"))
            assert not book.claim(A)
            clock.now += 30
            assert book.claim(A)
            assert not book.claim(A)
            book.report(A, Failure("rate_limit"))
        seen = book.inspect()
        assert seen["store"] == {
            "kind": "CountingStore",
            "reachable": False,
            "last_error": "ConnectionError: server at postgres://***@db refused",
        }
        assert seen["models"][A]["due_in_s"] == 60.0
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "hunter2" not in caplog.text

    def test_a_store_that_is_down_is_asked_only_now_and_then(self, clock):
        store = CountingStore()
        store.down = TimeoutError()
        book = StoreHealth(store, clock=clock, retry_s=5.0)
        for _ in range(100):
            book.snapshot([A, B])
            book.report(A, Failure("timeout"))
            book.claim(A)
        assert len(store.ops) == 2
        clock.now += 5.0
        book.snapshot([A, B])
        assert len(store.ops) == 4

    def test_what_happened_while_the_store_was_down_is_written_when_it_is_back(self, clock):
        store = CountingStore()
        one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
        one.snapshot([A])
        store.down = ConnectionError("down")
        one.report(A, Failure("auth"))
        store.down = None
        clock.now += 6.0
        assert one.snapshot([A])[A].blocked(clock.now) is not None
        assert one.inspect()["store"]["reachable"]
        assert two.snapshot([A])[A].blocked(clock.now) is not None

    def test_what_others_wrote_later_is_not_overwritten_when_the_store_is_back(self, clock):
        store = CountingStore()
        one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
        one.snapshot([A])
        store.down = ConnectionError("down")
        one.report(A, Failure("timeout"))
        one.report(A, Failure("timeout"))
        store.down = None
        clock.now += 3.0
        two.report(A, Failure("auth"))
        clock.now += 3.0
        assert one.snapshot([A])[A].cls == "auth"

    def test_a_store_that_fails_again_while_catching_up_keeps_the_rest_for_later(self, clock):
        class ReadOnly(CountingStore):
            def batch(self, ops):
                ops = list(ops)
                if self.down is None and any(isinstance(op, PutOp) for op in ops):
                    raise PermissionError("read-only transaction")
                return super().batch(ops)

        store = ReadOnly()
        book = StoreHealth(store, clock=clock)
        book.report(A, Failure("auth"))
        clock.now += 6.0
        assert book.snapshot([A])[A].cls == "auth"
        clock.now += 6.0
        assert book.snapshot([A])[A].cls == "auth"
        store.__class__ = CountingStore
        clock.now += 6.0
        book.snapshot([A])
        assert store.inner.get(CIRCUITS, A).value["cls"] == "auth"

    def test_a_lost_claim_in_a_store_that_died_is_given_back_by_time(self, clock):
        store = CountingStore()
        one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
        one.report(A, Failure("rate_limit"))
        clock.now += 30
        assert one.claim(A)
        store.down = ConnectionError("down")
        one.report(A, None)
        assert one.snapshot([A])[A].state(clock.now) == "closed"
        store.down = None
        assert not two.claim(A)
        clock.now += 60
        assert two.claim(A)

    def test_clocks_that_go_backwards_lock_no_model(self, clock):
        store = InMemoryStore()
        book = StoreHealth(store, clock=clock)
        book.report(A, Failure("rate_limit"))
        clock.now -= 500
        assert book.snapshot([A])[A].half_open(clock.now)
        assert book.claim(A)
        clock.now -= 500
        assert book.claim(A)

    def test_claims_of_callers_that_died_are_removed_by_the_next_probe(self, clock):
        store = InMemoryStore()
        book = StoreHealth(store, clock=clock)
        book.report(A, Failure("rate_limit"))
        for number in range(20):
            store.put(book._claims_of(A), f"dead-{number}", {"at": 0.0, "until": 60.0})
        clock.now += 30
        assert book.claim(A)
        assert len(store.search(book._claims_of(A), limit=50)) == 1

    def test_sqlite_shares_health_between_two_connections(self, tmp_path, clock):
        path = str(tmp_path / "health.db")
        with SqliteStore.from_conn_string(path) as first, SqliteStore.from_conn_string(path) as second:
            first.setup()
            second.setup()
            one, two = StoreHealth(first, clock=clock), StoreHealth(second, clock=clock)
            one.report("openai/gpt-4.1", Failure("rate_limit"))
            assert two.snapshot(["openai/gpt-4.1"])["openai/gpt-4.1"].blocked(clock.now) is not None
            clock.now += 30
            assert two.claim("openai/gpt-4.1")
            assert not one.claim("openai/gpt-4.1")
            two.report("openai/gpt-4.1", None)
            clock.now += 1
            assert one.snapshot(["openai/gpt-4.1"])["openai/gpt-4.1"] == CLOSED

    def test_reset_clears_circuits_and_claims_of_every_worker_in_sqlite(self, tmp_path, clock):
        with SqliteStore.from_conn_string(str(tmp_path / "health.db")) as store:
            store.setup()
            store.put(("lg_toolroute", "other"), "kept", {"x": 1})
            one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
            for spec in (A, B):
                one.report(spec, Failure("rate_limit"))
            clock.now += 30
            assert one.claim(A)
            two.reset(A)
            assert two.claim(A)
            assert list(two.inspect()["models"]) == [B]
            two.reset()
            assert [item.key for item in store.search(("lg_toolroute",), limit=10)] == ["kept"]

    def test_inspect_shows_what_other_workers_wrote_and_closed(self, clock):
        store = InMemoryStore()
        one, two = StoreHealth(store, clock=clock, refresh_s=1e6), StoreHealth(store, clock=clock, refresh_s=1e6)
        two.snapshot([A])
        one.report(A, Failure("auth"))
        one.report(B, Failure("auth"))
        assert list(two.inspect()["models"]) == [A, B]
        one.report(A, None)
        assert list(two.inspect()["models"]) == [B]

    async def test_a_report_is_not_undone_by_a_reading_that_began_before_it(self, clock):
        class Slow(CountingStore):
            """Answers reads with what was there when they were asked, but only after `go`."""

            def __init__(self) -> None:
                super().__init__()
                self.go = asyncio.Event()

            async def abatch(self, ops):
                ops = list(ops)
                results = self.batch(ops)
                if isinstance(ops[0], GetOp) and len(ops) == 2:
                    await self.go.wait()
                return results

        store = Slow()
        book = StoreHealth(store, clock=clock)
        reading = asyncio.ensure_future(book.asnapshot([A, B]))
        await asyncio.sleep(0)
        await book.areport(A, Failure("auth"))
        store.go.set()
        assert (await reading)[A].blocked(clock.now) is not None

    async def test_a_cancelled_reading_does_not_keep_the_next_one_from_the_store(self, clock):
        class Stuck(CountingStore):
            async def abatch(self, ops):
                await asyncio.Event().wait()

        store = Stuck()
        book = StoreHealth(store, clock=clock)
        StoreHealth(store.inner, clock=clock).report(A, Failure("auth"))
        book.snapshot([A])
        clock.now += 2.0
        reading = asyncio.ensure_future(book.asnapshot([A]))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError) as kept:
            await reading
        store.inner.delete(CIRCUITS, A)
        assert book.snapshot([A])[A] == CLOSED
        assert kept.value is not None  # the traceback, and with it every frame of the cancelled reading, is still alive

    async def test_a_store_without_async_methods_is_used_in_a_thread(self, tmp_path, clock):
        with SqliteStore.from_conn_string(str(tmp_path / "health.db")) as store:
            store.setup()
            book = StoreHealth(store, clock=clock)
            await book.areport(A, Failure("rate_limit"))
            assert (await book.asnapshot([A]))[A].blocked(clock.now) is not None
            assert book.inspect()["store"]["reachable"]

    async def test_an_async_store_is_used_in_its_own_loop(self, tmp_path, clock):
        async with AsyncSqliteStore.from_conn_string(str(tmp_path / "health.db")) as store:
            await store.setup()
            one, two = StoreHealth(store, clock=clock), StoreHealth(store, clock=clock)
            await one.areport(A, Failure("rate_limit"))
            clock.now += 30
            granted = await asyncio.gather(*(book.aclaim(A) for book in (one, two) for _ in range(3)))
            assert sum(granted) == 1
            assert (await one.ainspect())["store"] == {"kind": "AsyncSqliteStore", "reachable": True, "last_error": None}

    async def test_an_async_store_misused_in_its_loop_is_reported_and_breaks_nothing(self, tmp_path, clock):
        async with AsyncSqliteStore.from_conn_string(str(tmp_path / "health.db")) as store:
            await store.setup()
            book = StoreHealth(store, clock=clock)
            book.report(A, Failure("rate_limit"))
            assert book.snapshot([A])[A].blocked(clock.now) is not None
            assert "InvalidStateError" in book.inspect()["store"]["last_error"]

    def test_every_search_is_bounded(self, clock):
        store = CountingStore()
        book = StoreHealth(store, clock=clock)
        book.report(A, Failure("rate_limit"))
        clock.now += 30
        book.claim(A)
        book.inspect()
        book.reset()
        assert all(0 < op.limit <= 1000 for op in store.ops if isinstance(op, SearchOp))
