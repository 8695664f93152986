"""What a turn's flow asks for is done: health is looked up, models are asked, and what came back is told apart."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from lg_toolroute import ToolRouter
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.turn.flow import Ask, Claim, LookUp, Report
from lg_toolroute.core.turn.turn import Intercepted, Job, Turn
from lg_toolroute.runner.perform import Performer
from lg_toolroute.runner.request import Request, Stage
from lg_toolroute.runner.scene import make_scene
from lg_toolroute.runner.send import asend, send
from lg_toolroute.testing import Call, Fail, Hang, Latch, Say, ScriptedModel

A, B, C = "kimi/a", "deepseek/b", "other/c"


@tool
def edit(path: str) -> str:
    """Edit a file."""
    return path


@tool
def read(path: str) -> str:
    """Read a file."""
    return path


REASON = Job((A, C), candidate=A)
WRITE = Job((B, A), candidate=B, tools=("edit",), slots=(0,), call_ids=("x",), blocks=(None,), rule="edit", source="intercepted")


class Bench:
    """A performer with scripted models, and what it told."""

    def __init__(self, *, sender: Any = None, **scripts: Any) -> None:
        self.time = 0.0
        self.models = {spec: ScriptedModel(scripts.get(spec[-1], ()), name=spec) for spec in (A, B, C)}
        self.router = ToolRouter({"model": A, "toolRouting": {"edit": B}}, models=self.models, clock=self.clock)
        numbers = itertools.count()
        messages = [HumanMessage("go")]
        scene = make_scene(self.router, messages, [edit, read])
        self.stage = Stage(self.router, scene, messages, [edit, read], lambda: f"new_{next(numbers)}")
        self.events: list[dict[str, Any]] = []

        async def asending(request: Request) -> AIMessage:
            return await asend(request, self.router, None)

        self.performer = Performer(
            self.stage, send=sender or (lambda request: send(request, self.router, None)), asend=asending, emit=self.events.append
        )

    def clock(self) -> float:
        self.time += 1.0
        return self.time

    def ask(self, *jobs: Job, gates: tuple[tuple[str, str], ...] = (("edit", "cut"),)) -> Any:
        return self.performer.perform(Ask(Turn("turn", jobs=jobs, gates=gates), jobs))


def test_words_are_an_answer_and_a_part():
    bench = Bench(a=["Hello."])
    (reply,) = bench.ask(REASON)
    assert (reply.failure, reply.answer.attempt.outcome, reply.answer.shown) == (None, "answered", True)
    (part,) = bench.performer.parts
    assert (part.message.content, part.writes, part.cut) == ("Hello.", False, False)


def test_an_attempt_says_how_long_it_took_on_the_routers_clock_and_what_it_used():
    (reply,) = Bench(a=[Say("Hello.", usage=(10, 3))]).ask(REASON)
    assert reply.answer.attempt.latency_s == 1.0
    assert reply.answer.attempt.usage == {"input_tokens": 10, "output_tokens": 3, "total_tokens": 13}


def test_a_routed_call_is_cut_and_intercepted():
    bench = Bench(a=[Say("Hm.", [Call("read", {"path": "p"}), Call("edit", {"path": "DROPPED"})])])
    (reply,) = bench.ask(REASON)
    assert reply.answer.attempt.outcome == "cut"
    assert reply.answer.attempt.usage_estimated
    assert [(call.slot, call.tool) for call in reply.answer.routed] == [(1, "edit")]
    assert len(reply.answer.call_ids) == 1
    assert bench.performer.parts[0].slots == (0,)
    assert "DROPPED" not in str((bench.performer.parts, bench.events))


def test_drained_calls_leave_their_arguments_as_drafts_and_nowhere_else():
    bench = Bench(a=[Say(calls=[Call("edit", {"path": "DRAFT"}), Call("read", {"path": "p"})])])
    (reply,) = bench.ask(REASON, gates=(("edit", "drain"),))
    assert bench.stage.drafts == {0: '{"path": "DRAFT"}'}
    assert reply.answer.routed == (Intercepted(0, "edit", reply.answer.routed[0].call_id),)
    assert bench.performer.parts[0].slots == (1,)
    assert "DRAFT" not in str((bench.performer.parts, bench.events))


def test_a_written_call_is_a_part_that_writes():
    bench = Bench(b=[Say("words", [Call("edit", {"path": "p"})])])
    (reply,) = bench.ask(WRITE)
    assert (reply.answer.attempt.outcome, reply.answer.call_ids, reply.answer.attempt.tool) == ("answered", ("x",), "edit")
    (part,) = bench.performer.parts
    assert (part.writes, part.slots, part.message.content) == (True, (0,), "")
    assert part.message.tool_calls[0]["args"] == {"path": "p"}


@pytest.mark.parametrize(
    ("step", "reason", "goes_on"),
    [
        (Fail(ConnectionError("reset by peer")), "connection", True),
        (Fail(TimeoutError("slow")), "timeout", True),
        (Say("no call"), "invalid_tool_call", True),
        (Say("no", finish_reason="content_filter"), "content_policy", False),
    ],
)
def test_what_a_model_does_wrong_is_a_failed_attempt_and_no_part(step, reason, goes_on):
    bench = Bench(b=[step])
    (reply,) = bench.ask(WRITE)
    assert (reply.answer.attempt.outcome, reply.answer.attempt.reason, reply.answer.next_candidate) == ("failed", reason, goes_on)
    assert reply.failure is not None
    assert bench.performer.parts == []


@pytest.mark.parametrize("error", [AttributeError("a mistake"), AssertionError("no"), KeyError("x")], ids=lambda error: type(error).__name__)
def test_a_bug_in_somebodys_code_is_raised_untouched(error):
    with pytest.raises(type(error)) as caught:
        Bench(a=[Fail(error)]).ask(REASON)
    assert caught.value is error


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cancelled_request_stays_cancelled(streamed: bool):
    latch = Latch()
    bench = Bench(a=[Hang(latch, Say("Hello."), at="text")], c=["never"])
    gates = (("edit", "cut"),) if streamed else ()
    task = asyncio.create_task(bench.performer.aperform(Ask(Turn("turn", jobs=(REASON,), gates=gates), (REASON,))))
    await latch.wait_reached_async()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.performer.parts == []
    assert [event["event"] for event in bench.events] == ["ask"]


def test_words_that_were_shown_before_a_model_died_are_a_part_and_the_failure_is_told():
    bench = Bench(a=[Fail(ConnectionError("reset"), Say("The bug is", chunks=3), after_chunks=2)])
    (reply,) = bench.ask(REASON)
    assert reply.answer.shown
    assert reply.failure is not None
    assert reply.failure.cls == "connection"
    assert bench.performer.parts[0].cut


def test_an_answer_that_did_not_go_through_the_gate_is_held_up_to_it():
    """Something inside put an answer of its own in the place of the model's."""
    other = AIMessage("Hm.", tool_calls=[{"name": "edit", "args": {"path": "DROPPED"}, "id": "own", "type": "tool_call"}])
    bench = Bench(sender=lambda request: other)
    (reply,) = bench.ask(REASON)
    assert [call.tool for call in reply.answer.routed] == ["edit"]
    assert "DROPPED" not in str(bench.performer.parts)
    assert bench.performer.parts[0].message.content == "Hm."


def test_a_written_call_that_was_changed_behind_the_gate_is_not_believed():
    def tampering(request: Request) -> AIMessage:
        message = send(request, bench.router, None)
        return message.model_copy(update={"tool_calls": [{**message.tool_calls[0], "id": "another"}]})

    bench = Bench(sender=tampering, b=[Say(calls=[Call("edit", {"path": "p"})])])
    (reply,) = bench.ask(WRITE)
    assert "changed after it had been checked" in reply.answer.attempt.detail


def test_a_call_without_an_id_gets_one_also_where_nothing_is_gated():
    bare = AIMessage("", tool_calls=[{"name": "read", "args": {}, "id": None, "type": "tool_call"}], response_metadata={"finish_reason": "stop"})
    (reply,) = (bench := Bench(sender=lambda request: bare)).ask(REASON, gates=())
    assert reply.answer.call_ids == (bench.performer.parts[0].message.tool_calls[0]["id"],)
    assert reply.answer.call_ids[0]


async def test_several_jobs_are_asked_at_once_and_answered_in_order():
    """Each of the two waits until the other one has been asked."""
    both = threading.Barrier(2, timeout=30)
    other = Job((C,), candidate=C, tools=("edit",), slots=(1,), call_ids=("y",), blocks=(None,))

    def meet(request: Any) -> Say:
        both.wait()
        return Say(calls=[Call("edit", {"path": "p"})])

    bench = Bench(b=[meet], c=[meet])
    assert [reply.answer.call_ids for reply in bench.ask(WRITE, other)] == [("x",), ("y",)]
    assert [part.slots for part in bench.performer.parts] == [(0,), (1,)]
    bench = Bench(b=[Say(calls=[Call("edit", {"path": "p"})])], c=[Say(calls=[Call("edit", {"path": "p"})])])
    replies = await bench.performer.aperform(Ask(Turn("turn", jobs=(WRITE, other)), (WRITE, other)))
    assert [reply.answer.call_ids for reply in replies] == [("x",), ("y",)]


async def test_a_bug_in_one_of_several_jobs_is_raised_when_the_others_have_ended():
    other = Job((C,), candidate=C, tools=("edit",), slots=(1,), call_ids=("y",), blocks=(None,))
    for is_async in (False, True):
        bench = Bench(b=[Fail(AttributeError("a mistake"))], c=[Say(calls=[Call("edit", {"path": "p"})])])
        step = Ask(Turn("turn", jobs=(WRITE, other)), (WRITE, other))
        with pytest.raises(AttributeError, match="a mistake"):
            await bench.performer.aperform(step) if is_async else bench.performer.perform(step)
        assert bench.performer.parts == []
    assert len(bench.models[C].requests) == 1


async def test_health_is_looked_up_claimed_and_reported():
    bench = Bench()
    down = Failure("auth", "no key")
    bench.performer.perform(Report(A, down, None))
    await bench.performer.aperform(Report(B, None, "edit"))
    survey = bench.performer.perform(LookUp((A, B)))
    assert survey.circuits[A].blocked(survey.now) is not None
    assert not survey.half_open(B)
    later = await bench.performer.aperform(LookUp((A,)))
    assert later.now > survey.now
    bench.time += 10_000
    assert bench.performer.perform(LookUp((A,))).half_open(A)
    assert [bench.performer.perform(Claim(A)), await bench.performer.aperform(Claim(A))] == [True, False]


def test_every_request_and_every_attempt_is_told():
    bench = Bench(a=["Hello."])
    bench.ask(REASON)
    assert [(event["event"], event["model"]) for event in bench.events] == [("ask", A), ("attempt", A)]


async def test_a_surface_of_one_kind_says_so_when_it_is_asked_for_the_other():
    stage = Bench().stage
    step = Ask(Turn("turn", jobs=(REASON,)), (REASON,))
    with pytest.raises(RuntimeError, match="only runs asynchronously"):
        Performer(stage).perform(step)
    with pytest.raises(RuntimeError, match="only runs synchronously"):
        await Performer(stage).aperform(step)
