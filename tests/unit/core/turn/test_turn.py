"""How a turn changes: what settles a job, what a failure does to it, and what the message keeps of it."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace

import pytest

from lg_toolroute.core.failures.failure import failure
from lg_toolroute.core.rules.decision import Skip
from lg_toolroute.core.turn.changes import accept, advance, merge_skips, next_phase, record, settle
from lg_toolroute.core.turn.turn import Answer, Attempt, Intercepted, Job, Turn
from tests.support.turns import decided, writing

A, B, C = "a/a", "b/b", "c/c"
REASON = Job(chain=(A, B), candidate=A)
WRITE = writing(B, C, A, ids=("call_1",), slots=(1,))


def turn(*jobs: Job, **more) -> Turn:
    return Turn(id="m", jobs=jobs, primary=A, **more)


def failed(reason: str, model: str = B, **more) -> Answer:
    return Answer(Attempt(model, "failed", reason, "edit", detail="words"), failure(reason, "words"), **more)


def test_words_that_were_said_make_their_model_the_reasoner():
    after = settle(turn(REASON), REASON, Answer(Attempt(A, "answered"), shown=True, call_ids=("x", "y")))
    assert after.reasoner == A
    assert after.writers == (("x", A), ("y", A))
    assert next_phase(after).phase == "done"


def test_who_spoke_first_stays_the_owner_of_the_words():
    after = settle(turn(replace(REASON, candidate=B), reasoner=A), replace(REASON, candidate=B), Answer(Attempt(B, "answered"), shown=True))
    assert after.reasoner == A


def test_a_model_that_failed_before_a_word_did_not_reason():
    assert settle(turn(REASON), REASON, Answer(Attempt(A, "failed", "connection"), failure("connection"))).reasoner is None


def test_an_intercepted_call_waits_to_be_handed_off():
    call = Intercepted(0, "edit", "call_1")
    after = next_phase(settle(turn(REASON), REASON, Answer(Attempt(A, "cut"), routed=(call,))))
    assert (after.phase, after.pending) == ("hand_off", (call,))


def test_a_failed_candidate_is_used_up_and_the_next_one_is_left():
    after = next_phase(settle(turn(WRITE), WRITE, failed("connection")))
    assert after.phase == "advance"
    (job,) = advance(after).jobs
    assert (job.tried, job.left, job.failure, job.candidate) == ((B,), (C, A), "", None)


@pytest.mark.parametrize("reason", ["invalid_tool_call", "empty_response", "truncated"])
def test_a_bad_answer_may_be_mended_once_by_the_same_model(reason: str):
    first = settle(turn(WRITE), WRITE, failed(reason)).jobs[0]
    assert (first.tried, first.repaired, first.complaint) == ((), (B,), "words")
    again = settle(turn(first), first, failed(reason)).jobs[0]
    assert again.tried == (B,)
    assert again.complaint == ""


def test_another_candidate_has_its_own_chance_to_mend():
    job = replace(WRITE, tried=(B,), repaired=(B,), candidate=C)
    after = settle(turn(job), job, failed("truncated", C)).jobs[0]
    assert after.repaired == (B, C)
    assert after.tried == (B,)


def test_arguments_that_went_out_live_leave_no_other_candidate():
    assert settle(turn(WRITE), WRITE, failed("connection", spent=True)).jobs[0].left == ()


def test_a_refusal_ends_the_chain_unless_the_rule_says_otherwise():
    refusal = failed("content_policy")
    assert settle(turn(WRITE), WRITE, refusal).jobs[0].left == ()
    job = replace(WRITE, decision=decided("edit", B, C, A, refusal_falls_back=True))
    assert settle(turn(job), job, refusal).jobs[0].left == (C, A)


def test_an_overflow_leaves_only_larger_windows_and_the_largest_one_counts():
    job = settle(turn(WRITE), WRITE, failed("context_overflow"), 8000).jobs[0]
    assert job.larger_than == 8000
    job = replace(job, candidate=C)
    assert settle(turn(job), job, failed("context_overflow", C), 4000).jobs[0].larger_than == 8000


def test_a_candidate_that_stands_twice_in_a_chain_is_used_up_once():
    assert settle(turn(WRITE), WRITE, failed("auth")).jobs[0].tried == (B,)


def test_names_that_were_announced_stay_announced_for_the_next_candidate():
    assert settle(turn(WRITE), WRITE, failed("connection", announced=1)).jobs[0].announced == 1


def test_only_the_job_that_was_answered_changes():
    other = writing(B, C, A, ids=("call_2",), slots=(2,))
    after = settle(turn(WRITE, other), WRITE, Answer(Attempt(B, "answered", tool="edit"), call_ids=("call_1",)))
    assert [job.settled for job in after.jobs] == [True, False]
    assert after.open_jobs == (other,)


@pytest.mark.parametrize("before", [(), (Attempt(C, "failed", "connection"),)], ids=["at once", "after a fallback"])
def test_what_a_cut_model_need_not_write_is_what_the_routed_model_wrote(before):
    attempts = (*before, Attempt(A, "cut"))
    usage = {"input_tokens": 9, "output_tokens": 40, "total_tokens": 49}
    after = settle(turn(WRITE, attempts=attempts), WRITE, Answer(Attempt(B, "answered", tool="edit", usage=usage), call_ids=("call_1",)))
    assert after.saved_output_tokens == 40


def test_a_drained_message_saves_nothing():
    usage = {"input_tokens": 9, "output_tokens": 40, "total_tokens": 49}
    after = settle(turn(WRITE, attempts=(Attempt(A, "answered"),)), WRITE, Answer(Attempt(B, "answered", tool="edit", usage=usage)))
    assert after.saved_output_tokens == 0


def test_what_was_shown_is_taken_for_the_answer_where_no_model_is_left():
    job = replace(REASON, tried=(A, B), failure="truncated", acceptable=True)
    assert accept(turn(job), job).jobs[0].settled


def test_a_skip_is_kept_once_for_each_reason_in_its_newest_wording():
    first = merge_skips(turn(), (Skip(A, "cooling down for 9 s", 9.0, "cooldown"), Skip(A, "cannot call tools", None, "no_tools")))
    after = merge_skips(first, (Skip(A, "cooling down for 3 s", 3.0, "cooldown"),))
    assert [skip.why for skip in after.skipped] == ["cooling down for 3 s", "cannot call tools"]


FULL = turn(
    REASON,
    replace(WRITE, why="because"),
    gates=(("edit", "cut"),),
    pending=(Intercepted(0, "write", "call_9", announced=True, block=2),),
    attempts=(Attempt(A, "cut", usage={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, usage_estimated=True),),
    skipped=(Skip(C, "cooling down", 3.0, "cooldown"),),
    writers=(("call_0", A),),
)


@pytest.mark.parametrize("trip", [copy.deepcopy, copy.copy, lambda value: pickle.loads(pickle.dumps(value))], ids=["deepcopy", "copy", "pickle"])
def test_a_turn_is_copied_and_pickled(trip):
    assert trip(FULL) == FULL


def test_the_record_is_plain_and_says_who_did_what_and_why():
    noted = record(replace(FULL, writers=(("call_0", A), ("call_1", B)), reasoner=A))
    assert json.loads(json.dumps(noted)) == noted
    assert noted["model"] == B
    assert noted["reasoner"] == noted["primary"] == A
    assert noted["calls"] == {"call_0": A, "call_1": B}
    assert noted["reason"] == "because"
    assert noted["attempts"][0]["usage_estimated"]
    assert noted["skipped"] == [{"model": C, "why": "cooling down"}]


def test_the_record_of_plain_words_names_the_model_that_spoke():
    noted = record(turn(REASON, reasoner=A))
    assert (noted["model"], noted["tool"], noted["rule"]) == (A, None, None)
