"""What a run tells while it goes: plain data, without arguments, prompts or keys."""

from __future__ import annotations

import json

from lg_toolroute.core.rules.decision import Skip
from lg_toolroute.core.turn.turn import Attempt, Job, Turn
from lg_toolroute.runner import events
from tests.support.turns import writing

JOB = writing("b/b", "c/c", why="because", candidate="c/c")
TURN = Turn(
    "turn", jobs=(Job(("a/a",), settled=True), JOB), reasoner="a/a", skipped=(Skip("b/b", "cooling down", 3.0, "cooldown"), Skip("z/z", "no"))
)


def test_every_event_is_named_dated_to_its_message_and_plain():
    attempt = Attempt("c/c", "failed", "auth", "edit", 0.5, {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, detail="no key")
    told = [
        events.asking(TURN, JOB),
        events.attempted(TURN, attempt),
        events.handed_off(TURN, JOB),
        events.landed(TURN, {"tool": "edit"}),
        events.denied("exec", "c/c", "tools.deny"),
    ]
    assert [event["event"] for event in told] == ["ask", "attempt", "handoff", "landed", "denied"]
    assert {event["type"] for event in told} == {"toolroute"}
    assert [event["message_id"] for event in told] == ["turn", "turn", "turn", "turn", None]
    assert json.loads(json.dumps(told)) == told


def test_an_ask_says_who_was_passed_over_for_it():
    event = events.asking(TURN, JOB)
    assert (event["model"], event["tool"], event["rule"], event["why"]) == ("c/c", "edit", "edit", "because")
    assert event["skipped"] == [{"model": "b/b", "why": "cooling down"}]


def test_plain_reasoning_has_no_moment():
    assert events.asking(TURN, Job(("a/a",), candidate="a/a"))["moment"] is None


def test_a_handoff_says_from_whom_and_along_which_chain():
    event = events.handed_off(TURN, JOB)
    assert (event["from"], event["chain"], event["tool"]) == ("a/a", ["b/b", "c/c"], "edit")


def test_events_of_a_run_without_a_stream_go_nowhere():
    events.silent({"event": "ask"})
