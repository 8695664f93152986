"""Who is asked, and why the others are not: policy, capability, window and health, in one place."""

from __future__ import annotations

from typing import Any

import pytest

from lg_toolroute.config import load_config
from lg_toolroute.core.failures.circuit import Circuit, Incapacity
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.selection import Survey, choose, gates_for, why_not
from lg_toolroute.core.turn.turn import Job
from lg_toolroute.rulebook.book import compile_config
from tests.support.turns import writing

A, B, C = "a/a", "b/b", "c/c"
TOOLS = (("edit", ()), ("read", ()), ("browse", ("mcp",)))
WELL = Survey({}, 10.0)
SHUT = Circuit(opened=1, since=0.0, until=60.0, cls="rate_limit")
EDIT = writing(B, C, A)


def inputs(facts: dict[str, ModelFacts] | None = None, rules: Any = None, tools: Any = None, **more: Any) -> TurnInputs:
    book = compile_config(load_config({"model": {"primary": A, "fallbacks": [C]}, "toolRouting": rules or {"edit": B}, "tools": tools or {}}))
    known = facts or {}
    return TurnInputs(book, TOOLS, lambda spec: known.get(spec, ModelFacts()), **more)


def cannot(what: str) -> Circuit:
    """A circuit of a model that cannot do this until the moment 20."""
    return Circuit(incapable_of=(Incapacity(what, "no", 0.0, 20.0),))


def test_the_first_fit_candidate_is_chosen_and_nobody_is_skipped():
    assert choose(EDIT, inputs(), WELL) == (B, ())


@pytest.mark.parametrize(
    ("facts", "survey", "more", "kind", "why"),
    [
        ({}, WELL, {"tools": {"byModel": {B: {"deny": ["edit"]}}}}, "policy", "may not use 'edit' (tools.byModel['b/b'].deny"),
        ({B: ModelFacts(supports_tools=False)}, WELL, {}, "no_tools", "cannot call tools"),
        ({}, Survey({B: cannot("no_tool_support")}, 10.0), {}, "no_tools", "cannot call tools"),
        ({}, Survey({B: cannot("model_not_found")}, 10.0), {}, "incapable", "its provider does not know it"),
        ({}, Survey({B: SHUT}, 10.0), {}, "cooldown", "cooling down for 50 s (rate_limit)"),
        ({B: ModelFacts(context_window=1000)}, WELL, {"tokens": lambda: 951}, "context", "its window of 1,000 tokens does not fit about 951"),
        ({B: ModelFacts(inputs=frozenset({"text"}))}, WELL, {"images": True}, "images", "does not take images"),
    ],
    ids=["policy", "facts", "told so", "unknown", "cooldown", "window", "images"],
)
def test_a_candidate_is_skipped_with_its_reason(facts, survey, more, kind, why):
    spec, (skip,) = choose(EDIT, inputs(facts, **more), survey)
    assert (spec, skip.model, skip.kind) == (C, B, kind)
    assert why in skip.why


def test_an_approximate_count_may_fill_95_percent_of_a_window():
    assert choose(EDIT, inputs({B: ModelFacts(context_window=1000)}, tokens=lambda: 950), WELL) == (B, ())


def test_tokens_are_counted_only_where_a_window_is_known():
    def never() -> int:
        raise AssertionError("nobody has a window")

    assert choose(EDIT, inputs(tokens=never), WELL)[0] == B


def test_after_an_overflow_only_a_larger_window_or_an_unknown_one_is_of_use():
    facts = {B: ModelFacts(context_window=8000), C: ModelFacts(context_window=9000)}
    job = writing(B, C, A, larger_than=8000)
    assert choose(job, inputs(facts), WELL)[0] == C
    assert choose(writing(B, A, larger_than=8000), inputs(facts), WELL)[0] == A


def test_all_cooling_down_the_one_that_recovers_first_is_tried():
    circuits = {B: SHUT, C: Circuit(opened=1, since=0.0, until=20.0, cls="quota"), A: Circuit(opened=1, since=0.0, until=30.0, cls="auth")}
    spec, skips = choose(EDIT, inputs(), Survey(circuits, 10.0))
    assert spec == C
    assert len(skips) == 3


def test_all_windows_too_small_the_largest_is_tried():
    facts = {B: ModelFacts(context_window=10), C: ModelFacts(context_window=30), A: ModelFacts(context_window=20)}
    assert choose(EDIT, inputs(facts, tokens=lambda: 1000), WELL)[0] == C


def test_nobody_takes_images_the_first_is_shown_a_note_instead():
    text = ModelFacts(inputs=frozenset({"text"}))
    assert choose(EDIT, inputs({A: text, B: text, C: text}, images=True), WELL)[0] == B


def test_the_policy_is_never_overruled():
    found = choose(EDIT, inputs(tools={"deny": ["edit"]}), WELL)
    assert found[0] is None
    assert {skip.kind for skip in found[1]} == {"policy"}


def test_a_candidate_that_was_tried_is_not_chosen_again():
    assert choose(writing(B, C, tried=(B,)), inputs(), WELL)[0] == C


def test_a_model_without_tools_may_reason_where_it_would_have_none_anyway():
    nothing = TurnInputs(inputs().rules, (), lambda spec: ModelFacts(supports_tools=False))
    assert why_not(A, Job((A,)), nothing, WELL) is None
    assert why_not(A, Job((A,)), inputs({A: ModelFacts(supports_tools=False)}), WELL) is not None


def test_gates_stand_before_the_routed_tools_that_the_writer_sees():
    assert gates_for(A, inputs(), WELL) == (("edit", "cut"),)
    assert gates_for(A, inputs(tools={"byModel": {A: {"deny": ["edit"]}}}), WELL) == ()
    assert gates_for(A, inputs(rules={"edit": {"model": B, "onIntercept": "drain"}}), WELL) == (("edit", "drain"),)


def test_no_gate_for_a_tool_whose_first_fit_candidate_is_the_writer_itself():
    assert gates_for(B, inputs(), WELL) == ()
    assert gates_for(C, inputs(), Survey({B: SHUT}, 10.0)) == ()


def test_no_gate_where_nobody_of_the_chain_is_fit_but_for_a_boundary():
    down = Survey(dict.fromkeys((A, B, C), SHUT), 10.0)
    assert gates_for(A, inputs(), down) == ()
    assert gates_for(A, inputs(rules={"edit": {"model": B, "fallbacks": []}}), down) == (("edit", "cut"),)


def test_no_gate_for_a_rule_that_acts_on_results():
    assert gates_for(A, inputs(rules={"edit": {"model": B, "moments": ["result"]}}), WELL) == ()


def test_a_tag_decides_like_a_name():
    assert gates_for(A, inputs(rules={"tag:mcp": B}), WELL) == (("browse", "cut"),)
    assert inputs().tags["browse"] == ("mcp",)


def test_an_escalated_tool_begins_further_up_its_chain_and_says_why():
    of = inputs(rules={"edit": {"model": B, "fallbacks": [C], "escalate": {"after": 2}}}, steps={"edit": (1, "It failed twice.")})
    _, chain, why = of.decide("edit", "intercepted")
    assert chain[0] == C
    assert why.endswith("It failed twice.")


def test_a_model_that_was_handed_in_joins_a_chain_but_not_a_boundary():
    assert inputs(agent_model="g/g").decide("edit", None)[1] == (B, C, A, "g/g")
    assert inputs(rules={"edit": {"model": B, "fallbacks": []}}, agent_model="g/g").decide("edit", None)[1] == (B,)


def test_the_policy_of_the_model_that_is_asked_says_what_it_sees():
    assert inputs(tools={"byModel": {B: {"deny": ["read"]}}}).allowed(B) == ("edit", "browse")


@pytest.mark.parametrize("what", ["no_tool_support", "model_not_found"])
def test_a_candidate_is_asked_again_when_what_was_said_of_it_has_lapsed(what):
    assert why_not(B, EDIT, inputs(), Survey({B: cannot(what)}, 19.0)) is not None
    assert why_not(B, EDIT, inputs(), Survey({B: cannot(what)}, 20.0)) is None
