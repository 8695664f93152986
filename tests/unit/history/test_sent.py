"""Which models were lately sent a thread."""

from __future__ import annotations

from langchain_core.messages import HumanMessage

from lg_toolroute.history.sent import SentHistories

THREAD, OTHER = [HumanMessage("a", id="1")], [HumanMessage("a", id="2")]


def test_what_a_model_was_sent_of_a_thread_is_cached_for_a_while():
    sent = SentHistories()
    sent.note(THREAD, "a/b", 900, 10.0)
    assert [sent.cached(THREAD, "a/b", now, 300.0) for now in (10.0, 310.0, 311.0)] == [900, 900, 0]
    assert sent.cached(OTHER, "a/b", 10.0, 300.0) == sent.cached(THREAD, "a/c", 10.0, 300.0) == 0


def test_of_a_thread_without_ids_and_of_an_empty_one_nothing_is_known():
    sent = SentHistories()
    for thread in ([HumanMessage("a")], []):
        sent.note(thread, "a/b", 900, 10.0)
        assert sent.cached(thread, "a/b", 10.0, 300.0) == 0


def test_the_oldest_threads_are_forgotten():
    sent = SentHistories()
    for number in range(5_000):
        sent.note([HumanMessage("a", id=str(number))], "a/b", 1, 0.0)
    assert sent.cached([HumanMessage("a", id="0")], "a/b", 0.0, 1.0) == 0
    assert sent.cached([HumanMessage("a", id="4999")], "a/b", 0.0, 1.0) == 1
