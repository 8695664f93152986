"""The circuit's table: which failure opens it, for how long, and what closes it."""

from __future__ import annotations

import json

import pytest

from lg_toolroute.core.failures.circuit import CLOSED, Circuit, after_claim, after_report, describe
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import CLASSES, Failure

LIMITS = CooldownLimits()


def fail(circuit: Circuit, cls: str, now: float, *, retry_after_s: float | None = None, tool: str | None = None, limits: CooldownLimits = LIMITS):
    return after_report(circuit, Failure(cls, "words", retry_after_s=retry_after_s), tool, now, limits)


def due(circuit: Circuit, now: float) -> float:
    blocked = circuit.blocked(now)
    assert blocked is not None
    return blocked[1]


def test_a_model_never_in_trouble_is_closed_at_any_time():
    assert CLOSED.blocked(0.0) is None
    assert not CLOSED.half_open(1e9)
    assert CLOSED.state(5.0) == "closed"


@pytest.mark.parametrize(("cls", "cooldown_s", "span"), [("rate_limit", 30, "30 s"), ("quota", 600, "10 min"), ("auth", 600, "10 min")])
def test_one_failure_of_a_lasting_kind_opens_at_once(cls, cooldown_s, span):
    circuit = fail(CLOSED, cls, 100.0)
    assert circuit.blocked(100.0) == (f"cooling down for {span} ({cls})", cooldown_s)
    assert circuit.state(100.0 + cooldown_s - 0.01) == "open"
    assert circuit.half_open(100.0 + cooldown_s)


@pytest.mark.parametrize("cls", ["overloaded", "server_error", "timeout", "connection"])
def test_a_transient_failure_opens_only_the_second_time_in_a_row(cls):
    once = fail(CLOSED, cls, 0.0)
    assert once.blocked(0.0) is None
    assert not once.half_open(0.0)
    assert due(fail(once, cls, 1.0), 1.0) == 30


def test_kinds_of_transient_failures_count_together():
    assert fail(fail(CLOSED, "timeout", 0.0), "connection", 1.0).blocked(1.0) is not None


def test_a_success_between_two_transient_failures_keeps_the_circuit_closed():
    once = after_report(fail(CLOSED, "timeout", 0.0), None, None, 1.0, LIMITS)
    assert fail(once, "timeout", 2.0).blocked(2.0) is None


def test_a_transient_failure_long_ago_is_not_in_a_row_with_one_of_today():
    assert fail(fail(CLOSED, "timeout", 0.0), "timeout", 301.0).blocked(301.0) is None


@pytest.mark.parametrize("cls", ["context_overflow", "invalid_request", "content_policy", "cancelled", "bug"])
def test_what_says_nothing_about_the_model_leaves_its_circuit_alone(cls):
    assert fail(CLOSED, cls, 0.0) is CLOSED
    once = fail(CLOSED, "timeout", 0.0)
    after = fail(once, cls, 1.0)
    assert after is once or after == CLOSED


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        ("rate_limit", [30, 60, 120, 240, 300, 300]),
        ("quota", [600, 1200, 2400, 3600, 3600]),
        ("timeout", [30, 60, 120, 240, 300, 300]),
        ("auth", [600, 600, 600]),
    ],
)
def test_each_failed_probe_doubles_the_cooldown_up_to_its_cap(cls, expected):
    circuit, now, seen = CLOSED, 0.0, []
    if cls == "timeout":
        circuit = fail(circuit, cls, now)
    for _ in expected:
        circuit = fail(circuit, cls, now)
        seen.append(due(circuit, now))
        now = circuit.until
        circuit = after_claim(circuit, now, LIMITS)
    assert seen == expected


def test_doubling_begins_anew_after_a_success():
    circuit = fail(fail(CLOSED, "rate_limit", 0.0), "rate_limit", 40.0)
    assert due(circuit, 40.0) == 60
    circuit = after_report(circuit, None, None, 200.0, LIMITS)
    assert due(fail(circuit, "rate_limit", 201.0), 201.0) == 30


def test_a_failure_inside_an_active_window_does_not_extend_it():
    circuit = fail(CLOSED, "rate_limit", 0.0)
    assert fail(circuit, "quota", 29.0) is circuit
    assert fail(circuit, "timeout", 29.9) is circuit


def test_retry_after_sets_the_length_but_not_the_count_for_transient_failures():
    once = fail(CLOSED, "overloaded", 0.0, retry_after_s=120.0)
    assert once.blocked(0.0) is None
    assert due(fail(once, "overloaded", 1.0, retry_after_s=120.0), 1.0) == 120


def test_half_open_gives_the_probe_to_one_claim_only():
    circuit = fail(CLOSED, "rate_limit", 0.0)
    assert after_claim(circuit, 10.0, LIMITS) is circuit
    probing = after_claim(circuit, 30.0, LIMITS)
    assert probing is not circuit
    assert probing.state(30.0) == "probing"
    assert probing.blocked(30.0) == ("being probed after rate_limit", 60.0)
    assert after_claim(probing, 31.0, LIMITS) is probing


def test_a_prober_that_died_gives_the_claim_back_after_the_probe_timeout():
    probing = after_claim(fail(CLOSED, "rate_limit", 0.0), 30.0, LIMITS)
    assert not probing.half_open(89.9)
    assert probing.half_open(90.0)
    assert after_claim(probing, 90.0, LIMITS).state(90.0) == "probing"


def test_a_cancelled_probe_keeps_its_claim_and_a_rejected_request_gives_it_back():
    probing = after_claim(fail(CLOSED, "rate_limit", 0.0), 30.0, LIMITS)
    assert fail(probing, "cancelled", 31.0) is probing
    assert fail(probing, "invalid_request", 31.0).half_open(31.0)
    assert fail(probing, "bug", 31.0).half_open(31.0)


@pytest.mark.parametrize("cls", ["invalid_tool_call", "empty_response", "truncated", "content_policy", "no_tool_support", "model_not_found"])
def test_any_answer_of_a_probed_model_ends_its_outage(cls):
    probing = after_claim(fail(CLOSED, "timeout", 0.0), 30.0, LIMITS)
    assert fail(probing, cls, 31.0, tool="edit").state(31.0) == "closed"


@pytest.mark.parametrize("cls", ["no_tool_support", "model_not_found"])
def test_incapacity_is_remembered_apart_from_outages(cls):
    circuit = fail(CLOSED, cls, 0.0)
    assert circuit.incapable(cls, 0.0)
    assert circuit.blocked(0.0) is None
    other = "model_not_found" if cls == "no_tool_support" else "no_tool_support"
    assert not circuit.incapable(other, 0.0)
    down_and_up = fail(fail(circuit, "rate_limit", 1.0), "content_policy", 50.0)
    assert down_and_up.incapable(cls, 50.0)
    assert fail(circuit, cls, 2.0) is circuit


@pytest.mark.parametrize("cls", ["no_tool_support", "model_not_found"])
def test_incapacity_lapses_and_lasts_twice_as_long_each_time_it_is_said_again(cls):
    circuit, now = CLOSED, 0.0
    for lasts in (600.0, 1200.0, 2400.0, 3600.0, 3600.0):
        circuit = fail(circuit, cls, now)
        assert circuit.incapable(cls, now + lasts - 1.0)
        now += lasts
        assert not circuit.incapable(cls, now)
        assert describe(circuit, now)["incapable"] == {}


def test_a_good_answer_disproves_what_was_said_of_the_model():
    unknown = fail(CLOSED, "model_not_found", 0.0)
    assert after_report(unknown, None, None, 700.0, LIMITS) == CLOSED
    toolless = fail(CLOSED, "no_tool_support", 0.0)
    assert after_report(toolless, None, None, 700.0, LIMITS) is toolless
    assert fail(toolless, "invalid_tool_call", 700.0, tool="edit").incapable_of == toolless.incapable_of
    assert after_report(toolless, None, "edit", 700.0, LIMITS) == CLOSED


def test_bad_answers_are_counted_for_the_tool_and_cool_nothing_down():
    circuit = CLOSED
    for now in range(5):
        circuit = fail(circuit, "invalid_tool_call", float(now), tool="edit")
    circuit = fail(circuit, "truncated", 9.0, tool="write")
    assert circuit.blocked(9.0) is None
    edit, write = circuit.bad_answers_for("edit"), circuit.bad_answers_for("write")
    assert (edit.in_a_row, edit.total, edit.cls) == (5, 5, "invalid_tool_call")
    assert (write.in_a_row, write.total, write.cls) == (1, 1, "truncated")
    circuit = after_report(circuit, None, "edit", 10.0, LIMITS)
    assert (circuit.bad_answers_for("edit").in_a_row, circuit.bad_answers_for("edit").total) == (0, 5)
    assert circuit.bad_answers_for("write").in_a_row == 1
    assert circuit.bad_answers_for("read") is None


def test_counts_are_kept_for_a_bounded_number_of_tools():
    circuit = CLOSED
    for number in range(400):
        circuit = fail(circuit, "truncated", 0.0, tool=f"tool_{number}" + "x" * 500)
    assert len(circuit.bad_answers) == 256
    assert max(len(name) for name, _ in circuit.bad_answers) == 256


def test_a_success_of_a_healthy_model_returns_the_very_same_circuit():
    assert after_report(CLOSED, None, "edit", 5.0, LIMITS) is CLOSED
    counted = after_report(fail(CLOSED, "truncated", 0.0, tool="edit"), None, "edit", 1.0, LIMITS)
    assert after_report(counted, None, "edit", 2.0, LIMITS) is counted


@pytest.mark.parametrize("back_to", [94.9, 50.0, 0.0, -1e9])
def test_a_clock_that_went_far_back_ends_the_cooldown_instead_of_prolonging_it(back_to):
    circuit = fail(CLOSED, "rate_limit", 100.0)
    assert circuit.half_open(back_to)
    assert after_claim(circuit, back_to, LIMITS).state(back_to) == "probing"


def test_clocks_that_differ_by_a_moment_see_the_same_cooldown():
    circuit = fail(CLOSED, "rate_limit", 100.0)
    assert circuit.blocked(97.0) is not None
    assert due(circuit, 97.0) == 30


def test_the_reason_names_the_class_and_the_time_left():
    circuit = fail(CLOSED, "rate_limit", 0.0)
    assert circuit.blocked(18.0)[0] == "cooling down for 12 s (rate_limit)"
    assert circuit.blocked(29.75)[0] == "cooling down for 0.2 s (rate_limit)"


def troubled() -> Circuit:
    circuit = fail(fail(CLOSED, "no_tool_support", 0.0), "truncated", 1.0, tool="edit")
    return after_claim(fail(circuit, "rate_limit", 2.0), 40.0, LIMITS)


def test_a_circuit_describes_itself_in_json():
    described = describe(troubled(), 41.0)
    assert json.loads(json.dumps(described)) == described
    assert described["state"] == "probing"
    assert described["class"] == "rate_limit"
    assert described["due_in_s"] == 59.0
    assert described["incapable"] == {"no_tool_support": "words"}
    assert described["bad_answers"] == {"edit": {"in_a_row": 1, "total": 1, "last": "truncated"}}


def test_every_class_has_a_transition():
    for cls in CLASSES:
        assert isinstance(fail(CLOSED, cls, 0.0, tool="edit"), Circuit)
