"""What a refusal leaves of the ladder, how long it is remembered, and how it is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lg_toolroute.core.failures.circuit import CLOSED, after_report, describe
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import Failure, Refused
from lg_toolroute.core.failures.rungs import REMEMBERED_S, RUNGS, believed, learned, lowest, refusal, rung_left
from lg_toolroute.core.failures.stored_circuit import read_circuit, write_circuit

LIMITS = CooldownLimits()


def failure(text: str, parameter: str = "tool_choice", *, while_thinking: bool = False) -> Failure:
    return Failure("parameter_refused", text, status=400, parameter=parameter, while_thinking=while_thinking)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Invalid tool_choice type: 'object'. Supported string values: none, auto, required", "required"),
        ("tool_choice: Input should be 'none', 'auto' or 'required'", "required"),
        ("tool_choice must be one of: auto, any", "required"),
        ("this model does not take a named tool_choice", "required"),
        ("tool_choice as an object is not supported", "required"),
        ("The tool_choice parameter does not support being set to required or object", "none"),
        ('tool_choice: type "tool" and "any" are not supported for this model.', "none"),
        ("No endpoints found that support the provided 'tool_choice' value.", "none"),
        ("tool_choice only supports auto", "none"),
        ("tool_choice 'required' is not supported", "none"),
        ("value of tool_choice is invalid", "none"),
    ],
)
def test_a_refused_name_leaves_required_only_where_the_words_say_so(text: str, left: str):
    found = refusal(failure(text), "name", thinks=None, switched=False)
    assert found is not None
    assert (found.parameter, found.left, found.asked, found.why) == ("tool_choice", left, "name", text)


def test_what_is_refused_because_the_model_thinks_leaves_the_lowest_rung_whatever_else_the_words_say():
    found = refusal(failure("Supported: auto, required; not while thinking", while_thinking=True), "name", thinks=None, switched=False)
    assert found == Refused("tool_choice", "none", "name", True, "Supported: auto, required; not while thinking")


def test_a_refused_required_leaves_the_lowest_rung_and_that_leaves_nothing():
    text = "tool_choice must be one of: auto, any"
    second = refusal(failure(text), "required", thinks=None, switched=False)
    assert second is not None
    assert second.left == "none"
    assert refusal(failure(text), "none", thinks=None, switched=False) is None


def test_a_model_that_was_told_not_to_think_is_not_excused_by_thinking():
    """Otherwise the next request without thinking would be refused again, and the one after it."""
    found = refusal(failure("no", while_thinking=True), "name", thinks=False, switched=True)
    assert found is not None
    assert not found.while_thinking
    assert rung_left([found], thinks=False) is found


@pytest.mark.parametrize("parameter", ["thinking", "enable_thinking", "reasoning_effort"])
def test_our_switch_is_left_out_and_another_setting_of_that_name_is_not_ours(parameter: str):
    assert refusal(failure("no", parameter), "name", thinks=False, switched=True) == Refused("thinking", why="no")
    assert refusal(failure("no", parameter), "name", thinks=True, switched=False) is None


@pytest.mark.parametrize("given", [failure("no", "temperature"), replace(failure("no"), cls="invalid_request"), Failure("rate_limit", "tool_choice")])
def test_nothing_is_learned_from_any_other_failure(given: Failure):
    assert refusal(given, "name", thinks=None, switched=True) is None


def test_a_refusal_while_thinking_says_nothing_of_a_request_without_it():
    thinking, always = Refused("tool_choice", "none", while_thinking=True), Refused("tool_choice", "required")
    assert rung_left([thinking, always], thinks=None) is thinking
    assert rung_left([thinking, always], thinks=False) is always
    assert rung_left([Refused("thinking")], thinks=None) is None
    assert [lowest("name", rung) for rung in RUNGS] == list(RUNGS)


def test_the_newest_refusal_of_a_kind_is_kept_and_old_ones_are_forgotten():
    first, second, switch = Refused("tool_choice", "required"), Refused("tool_choice", "none"), Refused("thinking")
    known = learned(learned((), first, 1.0), switch, 2.0)
    assert known == (replace(first, at=1.0), replace(switch, at=2.0))
    assert learned(known, second, 3.0) == (replace(switch, at=2.0), replace(second, at=3.0))
    assert learned(known, second, 2.0 + REMEMBERED_S) == (replace(second, at=2.0 + REMEMBERED_S),)
    assert believed(known[0], REMEMBERED_S)
    assert not believed(known[0], 1.0 + REMEMBERED_S)


def test_a_circuit_remembers_a_refusal_through_successes_and_outages_and_opens_for_none():
    taught = replace(failure("no"), refused=Refused("tool_choice", "none", why="no"))
    circuit = after_report(CLOSED, taught, "edit", 5.0, LIMITS)
    assert (circuit.state(5.0), circuit.failures) == ("closed", 0)
    assert circuit.refuses(6.0) == (Refused("tool_choice", "none", why="no", at=5.0),)
    assert circuit.refuses(5.0 + REMEMBERED_S) == ()
    opened = after_report(circuit, Failure("rate_limit"), None, 6.0, LIMITS)
    assert opened.state(6.0) == "open"
    assert after_report(opened, None, None, 7.0, LIMITS).refused == opened.refused == circuit.refused
    assert describe(circuit, 65.0)["refused"] == [{"parameter": "tool_choice", "left": "none", "while_thinking": False, "why": "no", "ago_s": 60.0}]


def test_a_refusal_is_read_back_as_it_was_stored_and_nonsense_is_not_believed():
    circuit = replace(CLOSED, refused=(Refused("tool_choice", "required", "name", True, "no", 5.0), Refused("thinking", why="no", at=6.0)))
    stored = json.loads(json.dumps(write_circuit(circuit)))
    assert read_circuit(stored, LIMITS) == (circuit, None)
    assert "refused" not in write_circuit(CLOSED)
    good = ["tool_choice", "none", "name", False, "no", 5.0]
    for place, wrong in enumerate(["temperature", "floor", 7, "yes", None, "now"]):
        bad = [*good[:place], wrong, *good[place + 1 :]]
        found, note = read_circuit({**stored, "refused": [bad]}, LIMITS)
        assert (found is CLOSED) is (place != 4)  # any words may stand in `why`
        assert (note is None) is (place == 4)
