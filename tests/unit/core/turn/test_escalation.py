"""When a tool's next call goes up its chain, and where the chain then starts."""

from __future__ import annotations

import pytest

from lg_toolroute.core.turn.escalation import ToolOutcome, args_key, escalation, pick_start

OK, BAD = False, True


def edits(*outcomes: tuple[str, bool]) -> list[tuple[str, str, bool]]:
    return [("edit", key, error) for key, error in outcomes]


@pytest.mark.parametrize(
    ("results", "after", "steps"),
    [
        ([], 2, 0),
        (edits(("a", OK)), 2, 0),
        (edits(("a", BAD)), 2, 0),
        (edits(("a", BAD), ("b", BAD)), 2, 1),
        (edits(("a", BAD), ("b", BAD), ("c", BAD)), 2, 1),
        (edits(("a", BAD), ("b", BAD), ("c", BAD), ("d", BAD)), 2, 2),
        (edits(("a", BAD), ("b", BAD), ("c", OK)), 2, 0),
        (edits(("a", BAD), ("b", OK), ("c", BAD)), 2, 0),
        (edits(("a", BAD)), 1, 1),
        (edits(("a", BAD), ("b", BAD)), 3, 0),
        (edits(("a", BAD), ("b", BAD), ("c", BAD)), 3, 1),
        (edits(("a", BAD), ("a", BAD)), 3, 1),
        (edits(("a", BAD), ("b", BAD), ("a", BAD)), 5, 1),
        (edits(("a", BAD), ("a", BAD), ("a", BAD)), 3, 2),
        (edits(("a", BAD), ("a", OK), ("a", BAD)), 3, 0),
    ],
)
def test_failures_in_a_row_and_unchanged_repetitions_are_steps(results, after, steps):
    assert escalation(results, "edit", after).steps == steps


def test_other_tools_in_between_neither_count_nor_reset():
    results = [("edit", "a", BAD), ("read", "r", OK), ("exec", "x", BAD), ("edit", "b", BAD), ("read", "r", OK)]
    assert escalation(results, "edit", 2).steps == 1
    assert escalation(results, "exec", 2).steps == 0
    assert escalation(results, "read", 2).steps == 0


def test_results_may_be_named_or_plain_tuples():
    assert escalation([ToolOutcome("edit", "a", True), ToolOutcome("edit", "b", True)], "edit").steps == 1


def test_the_reason_is_a_sentence_with_the_numbers():
    assert escalation(edits(("a", BAD), ("b", BAD)), "edit").reason == "Escalated 1 step: 'edit' failed 2 times in a row in this turn."
    assert (
        escalation(edits(("a", BAD), ("a", BAD)), "edit", 3).reason
        == "Escalated 1 step: 'edit' failed 2 times in a row in this turn, a failed call was issued again unchanged."
    )
    assert escalation([], "edit").reason == ""


def test_after_less_than_one_is_refused_with_what_to_write():
    with pytest.raises(ValueError, match=r"escalate\.after: 0 is less than 1; write 1 or more"):
        escalation([], "edit", 0)


@pytest.mark.parametrize(
    ("chain", "steps", "to", "expected"),
    [
        (("a", "b", "c"), 0, None, ("a", "b", "c")),
        (("a", "b", "c"), 0, "z", ("a", "b", "c")),
        (("a", "b", "c"), 1, None, ("b", "c", "a")),
        (("a", "b", "c"), 2, None, ("c", "a", "b")),
        (("a", "b", "c"), 9, None, ("c", "a", "b")),
        (("a",), 3, None, ("a",)),
        ((), 1, None, ()),
        (("a", "b"), 1, "z", ("z", "a", "b")),
        (("a", "b", "c"), 2, "c", ("c", "a", "b")),
    ],
)
def test_an_escalated_chain_starts_further_up_and_loses_nobody(chain, steps, to, expected):
    assert pick_start(chain, steps, to) == expected


def test_the_key_of_arguments_does_not_depend_on_their_order():
    assert args_key({"path": "a", "n": [1, {"y": 1, "x": 2}]}) == args_key({"n": [1, {"x": 2, "y": 1}], "path": "a"})
    assert args_key({"path": "a"}) != args_key({"path": "b"})
    assert args_key({"bytes": b"x", "text": "\ud800"}) != args_key({})
