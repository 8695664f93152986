"""A turn as plain data: written down in every node, and read again from any checkpoint."""

from __future__ import annotations

import json
from dataclasses import asdict

from lg_toolroute.core.rules.decision import Skip
from lg_toolroute.core.turn.turn import Attempt, Intercepted, Job, Turn

TURN = Turn(
    id="lc_run--1",
    base="m1",
    agent="coder",
    phase="hand_off",
    jobs=(Job(("a/b", "c/d"), settled=True), Job(("c/d",), tools=("edit",), slots=(0,), call_ids=("call_1",), blocks=(None,), params={"t": [1]})),
    gates=(("edit", "cut"),),
    pending=(Intercepted(0, "edit", "call_1"),),
    writers=(("call_0", "a/b"),),
    attempts=(Attempt("a/b", "cut", usage={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),),
    skipped=(Skip("e/f", "cooling down", 3.0, "cooldown"),),
    routed={"tool": "edit"},
)


def test_every_field_is_written_down():
    assert TURN.to_dict() == asdict(TURN)


def test_a_turn_survives_json():
    assert Turn.from_dict(json.loads(json.dumps(TURN.to_dict()))) == TURN
    assert Turn.from_dict(TURN.to_dict()) == TURN
