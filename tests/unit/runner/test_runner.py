"""What a turn's flow asks for is done: health is looked up, models are asked, and what came back is told apart."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from lg_toolroute import ToolRouter
from lg_toolroute.core.failures.circuit import CLOSED
from lg_toolroute.core.turn.turn import Attempt, Intercepted, Job, Turn
from lg_toolroute.errors import ChainExhausted
from lg_toolroute.runner.calling import ModelCaller
from lg_toolroute.runner.inputs import read_inputs
from lg_toolroute.runner.request_parts import Request
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.runner.runner import TurnRunner, resumed
from lg_toolroute.testing import Call, Fail, Hang, Latch, Say, ScriptedModel
from tests.support.one_turn import edit, read
from tests.support.turns import writing

A, B, C = "kimi/a", "deepseek/b", "other/c"

REASON = Job((A, C), candidate=A)
WRITE = writing(B, A)
OTHER = writing(C, ids=("y",), slots=(1,))


class Caller(ModelCaller):
    """A surface that sends as it is told."""

    def __init__(self, router: ToolRouter, sender: Any) -> None:
        super().__init__(router, None)
        self.sender = sender

    def send(self, request: Request) -> AIMessage:
        return super().send(request) if self.sender is None else self.sender(request)


class Bench:
    """A turn that stands before its models are asked, with scripted models, and what was told of it."""

    def __init__(
        self,
        *jobs: Job,
        gates: tuple[tuple[str, str], ...] = (("edit", "cut"),),
        sender: Any = None,
        phases: frozenset[str] = frozenset({"ask"}),
        **scripts: Any,
    ) -> None:
        self.time = 0.0
        self.models = {spec: ScriptedModel(scripts.get(spec[-1], ()), name=spec) for spec in (A, B, C)}
        self.router = ToolRouter({"model": A, "toolRouting": {"edit": B}}, models=self.models, clock=self.clock)
        numbers = itertools.count()
        self.messages = [HumanMessage("go")]
        inputs = read_inputs(self.router, self.messages, [edit, read])
        self.builder = RequestBuilder(self.router, inputs, self.messages, [edit, read], lambda: f"new_{next(numbers)}")
        self.events: list[dict[str, Any]] = []
        turn = Turn("turn", "#1", jobs=jobs, gates=gates, phase="ask") if jobs else None
        self.runner = TurnRunner(self.builder, Caller(self.router, sender), emit=self.events.append, turn=turn, phases=phases)

    def clock(self) -> float:
        self.time += 1.0
        return self.time

    def run(self) -> Bench:
        self.runner.run()
        return self

    @property
    def attempt(self) -> Attempt:
        return self.runner.turn.attempts[-1]

    @property
    def seen(self) -> str:
        """All that was kept or told."""
        return str((self.runner.segments, self.runner.turn, self.events))


def test_words_are_an_answer_and_a_segment():
    bench = Bench(REASON, a=["Hello."]).run()
    assert (bench.attempt.outcome, bench.runner.turn.phase, bench.runner.turn.reasoner) == ("answered", "done", A)
    (segment,) = bench.runner.segments
    assert (segment.message.content, segment.writes, segment.cut) == ("Hello.", False, False)


def test_an_attempt_says_how_long_it_took_on_the_routers_clock_and_what_it_used():
    attempt = Bench(REASON, a=[Say("Hello.", usage=(10, 3))]).run().attempt
    assert attempt.latency_s == 1.0
    assert attempt.usage == {"input_tokens": 10, "output_tokens": 3, "total_tokens": 13}


def test_a_routed_call_is_cut_and_intercepted():
    bench = Bench(REASON, a=[Say("Hm.", [Call("read", {"path": "p"}), Call("edit", {"path": "DROPPED"})])]).run()
    assert (bench.attempt.outcome, bench.attempt.usage_estimated, bench.runner.turn.phase) == ("cut", True, "hand_off")
    assert [(call.slot, call.tool) for call in bench.runner.turn.pending] == [(1, "edit")]
    assert [model for _, model in bench.runner.turn.writers] == [A]
    assert bench.runner.segments[0].slots == (0,)
    assert "DROPPED" not in bench.seen


def test_drained_calls_leave_their_arguments_as_drafts_and_nowhere_else():
    bench = Bench(REASON, gates=(("edit", "drain"),), a=[Say(calls=[Call("edit", {"path": "DRAFT"}), Call("read", {"path": "p"})])]).run()
    assert bench.builder.drafts == {0: '{"path": "DRAFT"}'}
    (call,) = bench.runner.turn.pending
    assert call == Intercepted(0, "edit", call.call_id)
    assert bench.runner.segments[0].slots == (1,)
    assert "DRAFT" not in bench.seen


def test_a_written_call_is_a_segment_that_writes():
    bench = Bench(WRITE, b=[Say("words", [Call("edit", {"path": "p"})])]).run()
    assert (bench.attempt.outcome, bench.runner.turn.writers, bench.attempt.tool) == ("answered", (("x", B),), "edit")
    (segment,) = bench.runner.segments
    assert (segment.writes, segment.slots, segment.message.content) == (True, (0,), "")
    assert segment.message.tool_calls[0]["args"] == {"path": "p"}


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Fail(ConnectionError("reset by peer")), "connection"),
        (Fail(TimeoutError("slow")), "timeout"),
        (Say("no call"), "invalid_tool_call"),
    ],
)
def test_what_a_model_does_wrong_is_a_failed_attempt_and_no_segment(step, reason):
    bench = Bench(WRITE, b=[step]).run()
    assert (bench.attempt.outcome, bench.attempt.reason, bench.runner.turn.phase) == ("failed", reason, "advance")
    assert bench.runner.segments == []


def test_a_refusal_to_write_a_call_ends_the_turn():
    with pytest.raises(ChainExhausted, match="write the call of 'edit': 1 failed") as caught:
        Bench(WRITE, b=[Say("no", finish_reason="content_filter")]).run()
    assert "content_policy" in str(caught.value)


@pytest.mark.parametrize("error", [AttributeError("a mistake"), AssertionError("no"), KeyError("x")], ids=lambda error: type(error).__name__)
def test_a_bug_in_the_code_of_a_client_is_raised_untouched(error):
    with pytest.raises(type(error)) as caught:
        Bench(REASON, a=[Fail(error)]).run()
    assert caught.value is error


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cancelled_request_stays_cancelled(streamed: bool):
    latch = Latch()
    bench = Bench(REASON, gates=(("edit", "cut"),) if streamed else (), a=[Hang(latch, Say("Hello."), at="text")], c=["never"])
    task = asyncio.create_task(bench.runner.arun())
    await latch.wait_reached_async()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.runner.segments == []
    assert [event["event"] for event in bench.events] == ["ask"]


def test_words_that_were_shown_before_a_model_died_are_a_segment_and_the_failure_is_told():
    bench = Bench(REASON, a=[Fail(ConnectionError("reset"), Say("The bug is", chunks=3), after_chunks=2)]).run()
    assert (bench.attempt.reason, bench.runner.turn.reasoner) == ("connection", A)
    assert bench.runner.segments[0].cut


def test_an_answer_that_did_not_go_through_the_gate_is_held_up_to_it():
    """Code in between put an answer of its own in the place of the model's."""
    other = AIMessage("Hm.", tool_calls=[{"name": "edit", "args": {"path": "DROPPED"}, "id": "own", "type": "tool_call"}])
    bench = Bench(REASON, sender=lambda request: other).run()
    assert [call.tool for call in bench.runner.turn.pending] == ["edit"]
    assert "DROPPED" not in bench.seen
    assert bench.runner.segments[0].message.content == "Hm."


def test_a_written_call_that_was_changed_behind_the_gate_is_not_believed():
    def tampering(request: Request) -> AIMessage:
        message = ModelCaller(bench.router, None).send(request)
        return message.model_copy(update={"tool_calls": [{**message.tool_calls[0], "id": "another"}]})

    bench = Bench(WRITE, sender=tampering, b=[Say(calls=[Call("edit", {"path": "p"})])])
    assert "changed after it had been checked" in bench.run().attempt.detail


def test_a_call_without_an_id_gets_one_also_where_nothing_is_gated():
    bare = AIMessage("", tool_calls=[{"name": "read", "args": {}, "id": None, "type": "tool_call"}], response_metadata={"finish_reason": "stop"})
    bench = Bench(REASON, gates=(), sender=lambda request: bare).run()
    mark = bench.runner.segments[0].message.tool_calls[0]["id"]
    assert mark
    assert bench.runner.turn.writers == ((mark, A),)


async def test_several_jobs_are_asked_at_once_and_answered_in_order():
    """Each of the two waits until the other one has been asked."""
    both = threading.Barrier(2, timeout=30)

    def meet(request: Any) -> Say:
        both.wait()
        return Say(calls=[Call("edit", {"path": "p"})])

    bench = Bench(WRITE, OTHER, b=[meet], c=[meet]).run()
    assert bench.runner.turn.writers == (("x", B), ("y", C))
    assert [segment.slots for segment in bench.runner.segments] == [(0,), (1,)]
    bench = Bench(WRITE, OTHER, b=[Say(calls=[Call("edit", {"path": "p"})])], c=[Say(calls=[Call("edit", {"path": "p"})])])
    await bench.runner.arun()
    assert bench.runner.turn.writers == (("x", B), ("y", C))


async def test_a_bug_in_one_of_several_jobs_is_raised_when_the_others_have_ended():
    for is_async in (False, True):
        bench = Bench(WRITE, OTHER, b=[Fail(AttributeError("a mistake"))], c=[Say(calls=[Call("edit", {"path": "p"})])])
        with pytest.raises(AttributeError, match="a mistake"):
            await bench.runner.arun() if is_async else bench.run()
        assert bench.runner.segments == []
    assert len(bench.models[C].requests) == 1


@pytest.mark.parametrize("is_async", [False, True])
async def test_how_each_model_did_is_reported_to_the_health_book(is_async: bool):
    bench = Bench(REASON, phases=frozenset({"select", "ask", "advance"}), a=[Fail(ConnectionError("gone"))], c=["Hello."])
    await bench.runner.arun() if is_async else bench.run()
    assert [(attempt.model, attempt.outcome) for attempt in bench.runner.turn.attempts] == [(A, "failed"), (C, "answered")]
    circuits = bench.router.health.snapshot((A, C))
    assert circuits[A] != CLOSED
    assert circuits[C] == CLOSED


def test_every_request_every_attempt_and_the_landing_are_told():
    bench = Bench(REASON, a=["Hello."]).run()
    bench.runner.landed()
    assert [event["event"] for event in bench.events] == ["ask", "attempt", "landed"]
    assert [event["model"] for event in bench.events[:2]] == [A, A]


def test_a_turn_is_parked_as_data_and_goes_on_from_there():
    cut, wrote = Say("Hm.", [Call("edit", {"path": "DROPPED"})]), Say(calls=[Call("edit", {"path": "p"})])
    bench = Bench(phases=frozenset({"select", "ask"}), a=[cut], b=[wrote]).run()
    parked = bench.runner.parked()
    assert "DROPPED" not in str(parked)
    found = resumed(parked, bench.messages, bench.builder)
    assert found is not None
    turn, segments = found
    later = TurnRunner(bench.builder, ModelCaller(bench.router, None), emit=bench.events.append, turn=turn, segments=segments)
    later.run()
    message = later.landed()
    assert (message.content, message.tool_calls[0]["args"]) == ("Hm.", {"path": "p"})
    assert [event["event"] for event in bench.events] == ["ask", "attempt", "handoff", "ask", "attempt", "landed"]


def test_a_thread_that_has_gone_on_leaves_the_parked_turn_behind():
    bench = Bench(phases=frozenset({"select"})).run()
    parked = bench.runner.parked()
    assert resumed(parked, bench.messages, bench.builder) is not None
    assert resumed(parked, [*bench.messages, HumanMessage("more")], bench.builder) is None
    assert resumed({**parked, "turn": {**parked["turn"], "version": 1}}, bench.messages, bench.builder) is None
    assert resumed("foreign", bench.messages, bench.builder) is None


def test_a_parked_turn_goes_on_after_a_trip_through_json():
    """As when a client of a LangGraph server writes back the state that it was given."""
    cut, wrote = Say("Hm.", [Call("read", {"path": "c"}), Call("edit", {})]), Say(calls=[Call("edit", {"path": "p"})])
    bench = Bench(phases=frozenset({"select", "ask"}), a=[cut], b=[wrote]).run()
    parked = json.loads(json.dumps(bench.runner.parked(), default=lambda message: message.model_dump()))
    found = resumed(parked, bench.messages, bench.builder)
    assert found is not None
    later = TurnRunner(bench.builder, ModelCaller(bench.router, None), turn=found[0], segments=found[1])
    later.run()
    message = later.landed()
    assert (message.content, [call["args"] for call in message.tool_calls]) == ("Hm.", [{"path": "c"}, {"path": "p"}])


@pytest.mark.parametrize("damage", [{"segments": [{}]}, {"segments": [None]}, {"segments": [{"message": "Hm."}]}, {"segments": 1}])
def test_a_damaged_parked_turn_is_begun_anew(damage: Any):
    bench = Bench(phases=frozenset({"select"})).run()
    assert resumed({**bench.runner.parked(), **damage}, bench.messages, bench.builder) is None
