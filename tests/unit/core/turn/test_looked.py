"""What a look does to a turn: who mends a call that was sent back, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.failures.failure import Failure, Refused
from lg_toolroute.core.rules.decision import Decision
from lg_toolroute.core.turn.changes import next_phase, record, settle, written
from lg_toolroute.core.turn.flow import Ask, Count, Report, ask
from lg_toolroute.core.turn.looked import is_asked_again, send_back
from lg_toolroute.core.turn.turn import Answer, Attempt, Intercepted, Job, Turn
from tests.support.turns import decided, writing

A, B, C = "a/a", "b/b", "c/c"
CALL = Intercepted(0, "edit", "call_1", announced=True)
SAID = Answer(Attempt(B, "answered"), looked={"edit": 2}, sent_back=(CALL,), complaint="no such text")


class Inputs:
    """As much of a turn's inputs as is read here."""

    def decision(self, tool: str, source: str) -> Decision:
        return decided(tool, A, source=source)


def sent(job: Job, answer: Answer = SAID) -> Turn:
    inputs: Any = Inputs()
    return send_back(settle(Turn("m", jobs=(job,), primary=A), job, answer), job, answer, inputs)


def test_the_writer_itself_mends_its_call_in_the_same_phase():
    turn = next_phase(sent(writing(B, C)))
    first, mend = turn.jobs
    assert (first.settled, mend.calls, mend.repaired, mend.complaint) == (True, (CALL,), (B,), "no such text")
    assert (mend.chain, mend.decision, mend.exact, mend.sent_back) == (first.chain, first.decision, True, True)
    assert turn.phase == "select", "a turn is not parked while the call stands nowhere but in memory"


def test_the_primarys_own_call_is_decided_by_the_rule_of_its_tool():
    mend = sent(Job((A, C), candidate=A)).jobs[1]
    assert (mend.chain, mend.source, mend.rule, mend.moment) == ((A, C), "looked", "edit", "call")
    assert sent(Job((A, C), candidate=A), replace(SAID, sent_back=())).jobs[1:] == ()


def test_a_mended_call_and_one_that_stands_are_told_apart_in_the_record_and_the_counts():
    mend = replace(sent(writing(B, C)).jobs[1], candidate=B)
    for answer, outcome, counts in (
        (Answer(Attempt(B, "answered"), call_ids=("call_1",)), "mended", CallCounts(look_mended=1)),
        (Answer(Attempt(B, "failed", "timeout"), call_ids=("call_1",), stood=True), "stood", CallCounts(look_stood=1)),
    ):
        after = settle(Turn("m", jobs=(mend,)), mend, answer)
        assert after.jobs[0].settled
        assert record(after)["looked"] == {"call_1": outcome}
        assert record(after)["calls"] == {"call_1": B}
        assert written(mend, answer) == {"edit": counts}
    assert written(writing(B), SAID) == {"edit": CallCounts(1, looked=2)}


def test_a_mend_is_asked_again_only_after_a_refusal_that_is_new():
    refused = Refused("tool_choice", "none", "name")
    mend = replace(sent(writing(B)).jobs[1], candidate=B)
    answer = Answer(Attempt(B, "failed", "parameter_refused"), Failure("parameter_refused", refused=refused))
    assert is_asked_again(mend, refused, B)
    again = settle(Turn("m", jobs=(mend,)), mend, answer).jobs[0]
    assert (again.settled, again.complaint) == (False, "no such text")
    assert not is_asked_again(again, refused, B)
    assert written(mend, answer) == {}


def test_the_record_tells_the_routed_call_and_not_the_mended_one():
    turn = sent(Job((A,), candidate=A, decision=None))
    routed = replace(writing(B, C, tools=("write",)), settled=True)
    assert record(replace(turn, jobs=(*turn.jobs, routed)))["tool"] == "write"


def test_counts_of_looks_are_told_beside_those_of_calls():
    assert CallCounts(looked=12, look_mended=3, look_stood=1).told == "looked 12, mended 3, stood 1"
    assert CallCounts(2, mended=1, looked=1).told == "2 calls, 1 mended, 0 failed; looked 1, mended 0, stood 0"
    assert CallCounts.from_dict(CallCounts(looked=2).to_dict()) == CallCounts(looked=2)
    assert CallCounts(1).to_dict() == {"calls": 1, "mended": 0, "failed": 0}


def test_a_mend_that_failed_says_nothing_of_the_models_health():
    mend = replace(sent(writing(B, C)).jobs[1], candidate=B)
    inputs: Any = Inputs()
    for answer, step in (
        (Answer(Attempt(B, "failed", "server_error"), call_ids=("call_1",), stood=True), Count(B, {"edit": CallCounts(look_stood=1)})),
        (Answer(Attempt(B, "answered"), call_ids=("call_1",)), Report(B, None, "edit", {"edit": CallCounts(look_mended=1)})),
    ):
        flow = ask(Turn("m", jobs=(mend,), phase="ask"), inputs)
        assert isinstance(next(flow), Ask)
        assert flow.send([answer]) == step
