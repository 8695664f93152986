"""A turn as plain data: written down in every node, and read again from any checkpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lg_toolroute.core.rules.decision import Decision, Skip
from lg_toolroute.core.turn.turn import VERSION, Attempt, Intercepted, Job, Turn
from tests.support.turns import decided, writing

TURN = Turn(
    id="lc_run--1",
    base="m1",
    phase="hand_off",
    jobs=(Job(("a/b", "c/d"), settled=True), writing("c/d", ids=("call_1",), tried=("a/b",), larger_than=8000)),
    gates=(("edit", "cut"),),
    pending=(Intercepted(0, "edit", "call_1", announced=True, block=3, fixed='{"path": "a.py"}'),),
    writers=(("call_0", "a/b"),),
    attempts=(Attempt("a/b", "cut", usage={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),),
    skipped=(Skip("e/f", "cooling down", 3.0, "cooldown"),),
)


def decide(tool: str, source: str | None) -> Decision:
    return decided(tool, "c/d", source=source)


def test_a_turn_survives_json():
    assert Turn.from_dict(json.loads(json.dumps(TURN.to_dict())), decide) == TURN
    assert Turn.from_dict(TURN.to_dict(), decide) == TURN


def test_what_is_as_it_was_at_the_beginning_is_not_written_down():
    assert Turn("m").to_dict() == {"version": VERSION, "id": "m"}


def test_a_decision_is_written_down_by_its_tool_and_made_again_from_the_rules():
    """So that a turn which is resumed under other rules keeps its chain, and follows the new rules for the rest."""
    assert TURN.to_dict()["jobs"][1]["decision"] == ["edit", "intercepted"]
    other = replace(decide("edit", "intercepted"), rule="ed*")
    found = Turn.from_dict(TURN.to_dict(), lambda tool, source: other)
    assert found is not None
    assert (found.jobs[1].rule, found.jobs[1].chain) == ("ed*", ("c/d",))


@pytest.mark.parametrize(
    "data",
    [
        {key: value for key, value in TURN.to_dict().items() if key != "version"},  # as it was written before there were versions
        {**TURN.to_dict(), "version": VERSION + 1},
        {**TURN.to_dict(), "jobs": 3},
        {**TURN.to_dict(), "jobs": [{"unknown": 1}]},
        {**TURN.to_dict(), "a key of a later version": 1},
        {"version": VERSION},
        None,
        "foreign",
    ],
)
def test_data_of_another_version_or_of_other_origin_is_no_turn(data: Any):
    assert Turn.from_dict(data, decide) is None
