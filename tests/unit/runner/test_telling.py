"""What a writer is told besides the instruction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage

from lg_toolroute.core.turn.rejected import RejectedAnswers
from lg_toolroute.runner.segments import Segment
from lg_toolroute.runner.telling import MOST_ARGUMENTS, MOST_CALLS, SILENT, look_again, mend, what_is_going_on
from tests.support.turns import writing

B = "deepseek/b"
JOB = replace(writing(B, slots=(0,)), complaint="it called nothing, and edit was wanted", candidate=B)


def said(text: Any = "", *calls: tuple[str, dict[str, Any]], writes: bool = False, **kwargs: Any) -> Segment:
    made = [{"name": name, "args": args, "id": str(number)} for number, (name, args) in enumerate(calls)]
    return Segment(AIMessage(text, tool_calls=made, additional_kwargs=kwargs), writes=writes)


def test_nothing_is_told_where_no_model_was_asked_before():
    assert what_is_going_on([]) == []
    assert what_is_going_on([said("", ("edit", {}), writes=True)]) == []


def test_words_of_nothing_but_space_are_none():
    assert what_is_going_on([said(" \n ")]) == [SILENT]
    assert what_is_going_on([said("Hm.")]) == []


def test_a_silent_primary_whose_draft_goes_along_is_not_said_to_have_given_no_hint():
    assert what_is_going_on([said("")], drafted=True) == []


def test_kept_calls_are_shortened_each_and_together():
    (told,) = what_is_going_on([said("Hm.", ("read", {"path": "x" * 5000}))])
    assert len(told) < MOST_ARGUMENTS + 100
    (told,) = what_is_going_on([said("Hm.", *[("read", {"path": "x" * 500})] * 50)])
    assert len(told) < MOST_CALLS + 100


def test_reasoning_of_several_models_of_one_turn_is_told_in_order():
    segments = [said(reasoning_content="First."), said([{"type": "thinking", "thinking": [{"type": "text", "text": "Second."}]}])]
    assert what_is_going_on(segments) == ["What the assistant reasoned before this call:\nFirst.\nSecond."]


def test_reasoning_that_a_provider_shows_in_two_places_is_told_once():
    details = [{"type": "reasoning.text", "text": "Once."}]
    assert what_is_going_on([said(reasoning_content="Once.", reasoning_details=details)])[0].count("Once.") == 1


def test_reasoning_that_cannot_be_read_is_none():
    hidden = [{"type": "redacted_thinking", "data": "xyz"}, {"type": "thinking", "thinking": "", "signature": "xyz"}]
    assert what_is_going_on([said(hidden, reasoning_details=[{"type": "reasoning.encrypted", "data": "xyz"}])]) == [SILENT]


def test_a_writer_whose_answer_is_not_known_any_more_is_told_what_was_wrong():
    told = "Your last answer could not be used: it called nothing, and edit was wanted. Write the call of `edit` again, correctly, and nothing else."
    assert mend(JOB, "") == [told]
    assert mend(JOB, "I did it.") == ["Your last answer was:\nI did it.", told]


def test_the_newest_rejected_answers_are_remembered():
    rejected = RejectedAnswers()
    for number in range(2000):
        rejected.keep(f"turn {number}", JOB, f"answer {number}")
    assert (rejected.of("turn 1999", JOB), rejected.of("turn 1", JOB)) == ("answer 1999", "")
    assert all(rejected.of(f"turn {number}", JOB) for number in range(1500, 2000)), "500 turns at once each keep theirs"
    assert rejected.of("turn 1999", replace(JOB, candidate="other/c")) == ""


def test_a_model_whose_call_was_sent_back_is_told_all_of_it_and_only_the_calls_before_it():
    job = replace(JOB, complaint="`old` is not in a.py.", sent_back=True)
    told = look_again(job, {"x": '{"path": "' + "y" * 9000 + '"}'})
    assert told.startswith('You wrote this, and it has not run:\nedit({"path": "yyy')
    assert told.count("y" * 9000) == 1
    assert told.endswith("`old` is not in a.py.\nWrite the call of `edit` again, mended, and nothing else.")
    three = replace(said("Hm.", ("read", {"path": "first"}), ("read", {"path": "last"})), slots=(0, 2))
    (before,) = what_is_going_on([three], before=1)
    assert "first" in before
    assert "last" not in before
