"""How a turn goes, step by step: who is asked first, what is handed off, and what is raised when no model is left."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from lg_toolroute.config import load_config
from lg_toolroute.core.failures.circuit import Circuit
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.turn.changes import record
from lg_toolroute.core.turn.flow import Ask, Claim, HandedOff, LookUp, Report, ask, begin, exhausted, hand_off, select, walk
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.selection import Survey
from lg_toolroute.core.turn.turn import Answer, Attempt, Intercepted, Job, Turn
from lg_toolroute.errors import AttemptFailed, CandidateSkipped, ChainExhausted
from lg_toolroute.rulebook.book import compile_config

A, B, C = "a/a", "b/b", "c/c"
TOOLS = (("edit", ()), ("write", ()), ("read", ()))


def inputs(rules: Any = None, facts: dict[str, ModelFacts] | None = None, config: dict[str, Any] | None = None, **more: Any) -> TurnInputs:
    document = {"model": {"primary": A, "fallbacks": [C]}, "toolRouting": {"edit": B} if rules is None else rules, **(config or {})}
    book = compile_config(load_config(document))
    return TurnInputs(book, TOOLS, lambda spec: (facts or {}).get(spec, ModelFacts()), **more)


def begun(of: TurnInputs) -> Turn:
    numbers = itertools.count()
    return begin("m", "base", of, lambda: f"call_{next(numbers)}")


def told(flow: Any, *answers: Any) -> tuple[list[Any], Any]:
    """The steps a flow asks for, each answered in order, and its result."""
    steps = []
    try:
        step = next(flow)
        for answer in answers:
            steps.append(step)
            step = flow.send(answer)
        steps.append(step)
    except StopIteration as end:
        return steps, end.value
    raise AssertionError(f"the flow goes on with {steps[-1]}")


WELL = Survey({}, 0.0)
SHUT = Circuit(opened=1, since=0.0, until=60.0, cls="rate_limit")
HALF = Circuit(opened=1, since=0.0, until=5.0, cls="rate_limit")


def test_a_plain_turn_begins_with_the_primary_and_its_fallbacks():
    turn = begun(inputs())
    assert [job.chain for job in turn.jobs] == [(A, C)]
    assert (turn.phase, turn.primary, turn.routed) == ("select", A, None)


def test_a_forced_tool_with_a_rule_is_written_at_once():
    (job,) = begun(inputs(forced="edit")).jobs
    assert job.calls == (Intercepted(0, "edit", "call_0"),)
    assert (job.chain, job.source, job.moment, job.exact) == ((B, C, A), "forced", "call", False)


def test_a_forced_tool_without_a_rule_is_asked_of_the_primary():
    turn = begun(inputs(forced="read"))
    assert turn.forced == "read"
    assert turn.jobs[0].chain == (A, C)
    noted = record(turn)
    assert (noted["tool"], noted["source"], noted["rule"], noted["moment"]) == ("read", "forced", None, None)


def test_a_forced_tool_that_is_not_bound_forces_nothing():
    assert begun(inputs(forced="nowhere")).routed is None


def test_a_result_moment_runs_the_turn_that_reads_the_result_on_the_routed_model():
    turn = begun(inputs({"read": {"model": B, "moments": ["result"]}}, results=("read",)))
    assert turn.jobs[0].chain[0] == B
    assert turn.jobs[0].tools == ()
    noted = record(turn)
    assert (noted["moment"], noted["tool"], noted["rule"]) == ("result", "read", "read")


def test_of_several_results_the_last_one_with_a_rule_decides():
    rules = {"read": {"model": B, "moments": ["result"]}, "edit": {"model": C, "moments": ["result"]}}
    assert begun(inputs(rules, results=("edit", "read", "write"))).jobs[0].chain[0] == B


def test_a_role_and_an_override_change_who_reasons():
    roles = {"agents": {"defaults": {"heartbeat": {"model": B}}}}
    assert begun(inputs({}, config=roles, role="heartbeat")).jobs[0].chain[0] == B
    assert begun(inputs({}, override="x/x")).jobs[0].chain == ("x/x", C, A)


def test_a_model_that_was_handed_in_reasons_unless_another_was_named():
    assert begun(inputs({}, agent_model="g/g")).jobs[0].chain == (A, C, "g/g")
    unnamed = {"model": {"fallbacks": [C]}}
    assert begun(inputs({}, config=unnamed, agent_model="g/g")).jobs[0].chain[0] == "g/g"


def test_images_go_to_the_image_models_when_the_primary_is_known_not_to_take_them():
    config = {"agents": {"defaults": {"imageModel": B}}}
    blind = {A: ModelFacts(inputs=frozenset({"text"}))}
    assert begun(inputs({}, blind, config, images=True)).jobs[0].chain == (B, A, C)
    assert begun(inputs({}, {}, config, images=True)).jobs[0].chain == (A, C)
    assert begun(inputs({}, blind, config)).jobs[0].chain == (A, C)


def test_a_pdf_goes_to_the_image_models_where_there_is_none_for_pdfs():
    config = {"agents": {"defaults": {"imageModel": B}}}
    assert begun(inputs({}, {A: ModelFacts(inputs=frozenset({"text"}))}, config, pdfs=True)).jobs[0].chain[0] == B


def test_select_asks_for_the_health_of_every_model_that_may_come_up():
    (step,), turn = told(select(begun(inputs()), inputs()), WELL)
    assert isinstance(step, LookUp)
    assert set(step.specs) == {A, B, C}
    assert (turn.phase, turn.jobs[0].candidate, turn.gates) == ("ask", A, (("edit", "cut"),))


def test_select_passes_over_a_model_that_cools_down_and_says_so():
    _, turn = told(select(begun(inputs()), inputs()), Survey({A: SHUT}, 10.0))
    assert turn.jobs[0].candidate == C
    assert [(skip.model, skip.kind) for skip in turn.skipped] == [(A, "cooldown")]


def test_a_half_open_model_is_probed_by_the_caller_that_has_the_claim():
    steps, turn = told(select(begun(inputs()), inputs()), Survey({A: HALF}, 10.0), True)
    assert steps[1] == Claim(A)
    assert turn.jobs[0].candidate == A


def test_without_the_claim_the_next_one_is_asked():
    _, turn = told(select(begun(inputs()), inputs()), Survey({A: HALF}, 10.0), False)
    assert turn.jobs[0].candidate == C
    assert "another caller is probing it" in turn.skipped[0].why


def test_a_lone_model_is_asked_even_while_another_caller_probes_it():
    of = inputs({}, config={"model": {"primary": A, "fallbacks": []}})
    _, turn = told(select(begun(of), of), Survey({A: HALF}, 10.0), False)
    assert turn.jobs[0].candidate == A


def test_select_raises_when_no_model_may_write_the_call():
    of = inputs({"edit": {"model": B, "fallbacks": []}}, config={"tools": {"byModel": {B: {"deny": ["edit"]}}}}, forced="edit")
    with pytest.raises(ChainExhausted, match="write the call of 'edit': 0 failed, 1 skipped") as caught:
        told(select(begun(of), of), WELL)
    (skip,) = caught.value.exceptions
    assert isinstance(skip, CandidateSkipped)
    assert "may not use 'edit'" in skip.why


def test_a_complaint_is_for_the_candidate_whose_answer_it_was_about():
    job = Job(chain=(A, C), repaired=(A,), complaint="wrong")
    of = inputs()
    assert told(select(Turn("m", jobs=(job,)), of), WELL)[1].jobs[0].complaint == "wrong"
    assert told(select(Turn("m", jobs=(replace(job, tried=(A,)),)), of), WELL)[1].jobs[0].complaint == ""


def cut(*calls: Intercepted, **more: Any) -> Turn:
    return Turn("m", jobs=(Job((A,), settled=True),), gates=(("edit", "cut"), ("write", "drain")), pending=calls, phase="hand_off", **more)


def test_one_intercepted_call_is_one_job_for_at_least_one_call():
    turn = hand_off(cut(Intercepted(2, "edit", "x", block=4)), inputs())
    job = turn.open_jobs[0]
    assert (job.calls, job.exact, job.source) == ((Intercepted(2, "edit", "x", block=4),), False, "intercepted")
    assert (turn.pending, turn.phase) == ((), "select")


def test_drained_calls_are_grouped_by_chain_and_keep_their_places():
    of = inputs({"edit": {"model": B, "onIntercept": "drain"}, "write": {"model": C, "onIntercept": "drain"}})
    calls = (Intercepted(0, "edit", "x"), Intercepted(1, "write", "y"), Intercepted(3, "edit", "z"))
    jobs = hand_off(cut(*calls), of).open_jobs
    assert [(job.tools, [call.slot for call in job.calls], job.exact) for job in jobs] == [(("edit", "edit"), [0, 3], True), (("write",), [1], True)]


def test_one_drained_call_is_wanted_exactly():
    of = inputs({"write": {"model": B, "onIntercept": "drain"}})
    assert hand_off(cut(Intercepted(0, "write", "x")), of).open_jobs[0].exact


def test_tools_of_one_chain_whose_rules_differ_in_settings_are_asked_apart():
    of = inputs({"edit": {"model": B, "params": {"temperature": 0}}, "write": {"model": B, "params": {"temperature": 1}}})
    assert len(hand_off(cut(Intercepted(0, "edit", "x"), Intercepted(1, "write", "y")), of).open_jobs) == 2


def test_what_was_announced_is_not_announced_again():
    assert hand_off(cut(Intercepted(0, "edit", "x", announced=True)), inputs()).open_jobs[0].announced == 1


def test_every_reply_is_reported_before_the_turn_is_settled():
    job = Job((A, C), candidate=A)
    steps, turn = told(ask(Turn("m", jobs=(job,), phase="ask"), inputs()), [Answer(Attempt(A, "answered"), shown=True)], None)
    assert isinstance(steps[0], Ask)
    assert steps[1] == Report(A, None, None)
    assert turn.phase == "done"


def test_a_reply_that_failed_with_no_candidate_left_raises_with_every_cause():
    job = Job((A,), candidate=A)
    answer = Answer(Attempt(A, "failed", "auth", detail="no key"), Failure("auth", "no key"))
    with pytest.raises(ChainExhausted, match="no model is left to answer: 1 failed, 0 skipped") as caught:
        told(ask(Turn("m", jobs=(job,), phase="ask"), inputs()), [answer], None, WELL)
    (cause,) = caught.value.exceptions
    assert isinstance(cause, AttemptFailed)
    assert (cause.model, cause.reason, cause.detail) == (A, "auth", "no key")


def test_a_model_that_failed_just_now_may_be_the_one_that_is_due_back_first():
    job = Job((A,), candidate=A)
    answer = Answer(Attempt(A, "failed", "rate_limit"), Failure("rate_limit"))
    with pytest.raises(ChainExhausted, match="the first one is due back in 20 s") as caught:
        told(ask(Turn("m", jobs=(job,), phase="ask"), inputs()), [answer], None, Survey({A: SHUT}, 40.0))
    assert caught.value.due_in_s == 20.0


def test_text_cut_off_by_its_length_limit_is_the_answer_if_no_model_can_go_on():
    job = Job((A,), candidate=A, repaired=(A,))
    answer = Answer(Attempt(A, "failed", "truncated"), Failure("truncated"), shown=True, acceptable=True)
    _, turn = told(ask(Turn("m", jobs=(job,), phase="ask"), inputs()), [answer], None)
    assert turn.phase == "done"


def test_a_whole_turn_goes_from_the_primary_to_the_writer():
    of = inputs()
    cut_at = Answer(Attempt(A, "cut"), shown=True, routed=(Intercepted(0, "edit", "x"),))
    wrote = Answer(Attempt(B, "answered", tool="edit"), call_ids=("x",))
    steps, turn = told(walk(begun(of), of), WELL, [cut_at], None, None, WELL, [wrote], None)
    assert [type(step) for step in steps] == [LookUp, Ask, Report, HandedOff, LookUp, Ask, Report]
    assert (turn.phase, turn.reasoner, turn.writers) == ("done", A, (("x", B),))


def test_a_turn_stops_before_a_phase_that_it_may_not_run():
    of = inputs()
    _, turn = told(walk(begun(of), of, {"select"}), WELL)
    assert turn.phase == "ask"
    _, same = told(walk(turn, of, {"select", "hand_off"}))
    assert same is turn


def test_an_exhausted_chain_says_when_the_first_model_is_due_back():
    of = inputs({}, config={"model": {"primary": A, "fallbacks": [C]}}, facts={C: ModelFacts(supports_tools=False)})
    job = Job((A, C), tried=(A,))
    turn = Turn("m", jobs=(job,), attempts=(Attempt(A, "failed", "connection"),), skipped=())
    with pytest.raises(ChainExhausted) as caught:
        told(select(turn, of), Survey({}, 0.0))
    assert caught.value.due_in_s is None
    with pytest.raises(ChainExhausted, match="due back in 50 s"):
        raise exhausted(replace(turn, skipped=(_skip(C),)), job, Survey({}, 0.0))


def _skip(spec: str) -> Any:
    from lg_toolroute.core.rules.decision import Skip

    return Skip(spec, "cooling down", 50.0, "cooldown")


def test_a_configuration_that_names_no_model_says_what_to_write():
    assert "no model is configured: write `model.primary`" in str(exhausted(Turn("m"), Job(()), Survey({}, 0.0)))


@pytest.mark.parametrize(("forgives", "left"), [(True, (C,)), (False, ())])
def test_a_refusal_of_plain_reasoning_goes_on_where_the_configuration_says_so(forgives: bool, left: tuple[str, ...]):
    of = inputs({}, config={"model": {"primary": A, "fallbacks": [C], "refusalFallsBack": forgives}})
    turn = replace(begun(of), phase="ask")
    answer = Answer(Attempt(A, "failed", "content_policy"), Failure("content_policy"))
    flow = ask(turn, of)
    next(flow)
    flow.send([answer])
    if forgives:
        with pytest.raises(StopIteration) as end:
            flow.send(None)
        assert end.value.value.jobs[0].left == left
    else:
        flow.send(None)
        with pytest.raises(ChainExhausted):
            flow.send(WELL)
