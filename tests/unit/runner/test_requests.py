"""What a candidate is asked: its messages, its tools, its gate, its settings."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from lg_toolroute import ToolRouter
from lg_toolroute.core.rules.params import Params
from lg_toolroute.core.turn.turn import Job, Turn
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.router import tool_name
from lg_toolroute.runner.inputs import read_inputs
from lg_toolroute.runner.request_parts import Request
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.runner.segments import Segment
from lg_toolroute.testing import ScriptedModel
from tests.support.one_turn import edit, read, write
from tests.support.turns import decided, writing

A, B, C = "kimi/a", "deepseek/b", "other/c"

TOOLS = [read, write, edit]
RULES = {"edit": {"model": B, "params": {"temperature": 0.25}}, "write": B}
REASON = Job((A, C), candidate=A)
WRITE = writing(B, A, slots=(1,))


def builder(config: Any = None, **more: Any) -> RequestBuilder:
    router = ToolRouter({"model": A, "toolRouting": RULES, **(config or {})}, models={spec: ScriptedModel(name=spec) for spec in (A, B, C)})
    messages = [HumanMessage("Fix it.")]
    numbers = itertools.count()
    inputs = read_inputs(router, messages, TOOLS)
    return RequestBuilder(router, inputs, messages, TOOLS, lambda: f"new_{next(numbers)}", **more)


def turn(*jobs: Job, **more: Any) -> Turn:
    return Turn("turn", **{"gates": (("edit", "cut"),), "jobs": jobs, **more})


def asked(job: Job, *segments: Segment, of: RequestBuilder | None = None, **more: Any) -> Request:
    return (of or builder()).build(turn(job, **more), job, segments)


def names(request: Request) -> list[str]:
    return [tool_name(each) for each in request.tools]


KNOWN = replace(REASON, decision=replace(decided("read", A, source="forced"), moments=()))
WORDS = Segment(AIMessage("Let me fix that."), cut=True)


def test_the_primary_gets_the_history_all_its_tools_and_a_gate_before_the_routed_ones():
    request = asked(REASON)
    assert [message.content for message in request.messages] == ["Fix it."]
    assert names(request) == ["read", "write", "edit"]
    assert isinstance(request.gate, ReasonGate)
    assert (request.gate.gates, request.gate.message_id, request.tool_choice, request.stream_always) == ({"edit": "cut"}, "turn", None, True)


def test_without_a_gate_nothing_is_streamed_for_our_sake_nor_where_the_configuration_says_so():
    assert not asked(REASON, gates=()).stream_always
    assert not asked(REASON, of=builder({"cutWhenNotStreaming": False})).stream_always


def test_the_policy_of_the_candidate_says_which_tools_it_gets():
    assert names(asked(REASON, of=builder({"tools": {"byModel": {A: {"deny": ["write"]}}}}))) == ["read", "edit"]


def test_the_system_prompt_stands_apart_and_first():
    system = SystemMessage("Be brief.")
    request = asked(REASON, of=builder(system=system))
    assert request.system is not None
    assert request.system.content == "Be brief."
    assert [message.type for message in request.messages] == ["human"]


def test_a_tool_that_is_known_to_come_next_and_has_no_route_is_forced():
    assert asked(KNOWN).tool_choice == "read"
    assert asked(KNOWN, of=builder({"tools": {"byModel": {A: {"deny": ["read"]}}}})).tool_choice is None


def test_what_the_caller_chose_is_for_the_model_that_reasons():
    assert asked(REASON, of=builder(tool_choice="any")).tool_choice == "any"
    assert asked(WRITE, of=builder(tool_choice="any")).tool_choice == "edit"


def test_a_model_that_goes_on_is_shown_what_is_already_there():
    request = asked(replace(REASON, candidate=C), WORDS)
    words, word = request.messages[-2:]
    assert (words.type, words.content) == ("ai", "Let me fix that.")
    assert "Go on exactly where it stops" in str(word.content)


def test_a_model_that_is_to_mend_its_answer_is_told_what_was_wrong():
    job = replace(REASON, complaint="a tool call had no name")
    assert str(asked(job).messages[-1].content).startswith("The last answer could not be used: a tool call had no name.")
    assert "could not be used: a tool call had no name" in str(asked(job, WORDS).messages[-1].content)


def test_the_writer_gets_the_words_one_instruction_and_the_tools_of_its_route():
    request = asked(WRITE, WORDS)
    assert [(message.type, message.content) for message in request.messages[:2]] == [("human", "Fix it."), ("ai", "Let me fix that.")]
    assert "one call of the tool `edit`" in str(request.messages[2].content)
    assert len(request.messages) == 3
    assert names(request) == ["write", "edit"]
    assert request.tool_choice == "edit"
    assert isinstance(request.gate, WriteGate)
    assert (request.gate.call_ids, request.gate.slots, request.gate.exact) == (("x",), (1,), False)
    schema = request.gate.schemas["edit"]
    assert schema is not None
    assert schema["required"] == ["path"]


def test_the_beginning_of_a_request_is_the_same_for_every_tool_of_a_route():
    """So that the provider's prompt cache goes on from `edit` to `write`."""
    other = writing(B, A, tools=("write",), slots=(1,))
    of = builder(system=SystemMessage("Be brief."))
    first, second = asked(WRITE, WORDS, of=of), asked(other, WORDS, of=of)
    assert names(first) == names(second)
    assert first.system == second.system
    assert [message.content for message in first.messages[:-1]] == [message.content for message in second.messages[:-1]]


def test_several_calls_are_asked_for_by_number_and_order():
    job = writing(B, A, tools=("edit", "write", "edit"), ids=("x", "y", "z"), exact=True)
    request = asked(job)
    assert "Write 3 calls in this one answer, in this order: edit, write, edit." in str(request.messages[-1].content)
    assert request.tool_choice == "any"


def test_a_draft_is_passed_on_with_its_place():
    job = writing(B, A, slots=(1,), options={"handoff": "draft"})
    request = asked(job, of=builder(drafts={1: '{"path": "ü"}', 7: "another"}))
    text = str(request.messages[-1].content).partition("may be wrong: ")[2]
    assert json.loads(text) == [{"tool": "edit", "arguments": '{"path": "ü"}'}]


def test_the_words_of_the_instruction_are_the_configurations():
    request = asked(WRITE, of=builder({"handoff": {"instruction": "Now {tool}, please."}}))
    assert request.messages[-1].content == "Now edit, please."


def test_a_complaint_is_the_last_thing_a_writer_reads():
    request = asked(replace(WRITE, complaint="path: must be of type string"))
    last = "Your last answer could not be used: path: must be of type string. Write the call of `edit` again, correctly, and nothing else."
    assert str(request.messages[-1].content).endswith(last)


def test_settings_of_a_rule_are_for_the_routed_model_alone():
    of = builder()
    job = writing(B, A, options={"params": Params({"temperature": 0.25})})
    assert asked(job, of=of).model.kwargs == {"temperature": 0.25}  # type: ignore[attr-defined]
    assert asked(replace(job, candidate=A), of=of).model is of.router.models.get(A)


def test_a_model_that_was_handed_in_for_this_turn_goes_before_the_routers():
    mine = ScriptedModel(name=A)
    assert asked(REASON, of=builder(agent_models={A: mine})).model is mine
    warm = builder({"agents": {"defaults": {"models": {A: {"params": {"temperature": 1}}}}}}, agent_models={A: mine})
    assert asked(REASON, of=warm).model.kwargs == {"temperature": 1}  # type: ignore[attr-defined]


def test_the_history_of_the_thread_is_left_as_it_is():
    of = builder()
    before = list(of.messages)
    asked(WRITE, WORDS, of=of)
    assert of.messages == before


def test_a_job_without_a_candidate_is_a_bug_and_says_so():
    with pytest.raises(RuntimeError, match="`select` comes first"):
        asked(replace(REASON, candidate=None))


class ChatOllama(ScriptedModel):
    """Only the name of its class counts."""


def test_a_model_that_can_only_be_asked_is_shown_one_tool_and_sent_no_choice():
    router = ToolRouter({"model": A, "toolRouting": RULES}, models={A: ScriptedModel(), B: ChatOllama()})
    of = RequestBuilder(router, read_inputs(router, [HumanMessage("x")], TOOLS), [HumanMessage("x")], TOOLS, lambda: "n")
    request = asked(WRITE, of=of)
    assert (names(request), request.tool_choice) == (["edit"], None)


def test_usage_of_a_cut_answer_is_estimated_from_what_was_sent_and_written():
    request = asked(REASON, of=builder(system=SystemMessage("word " * 400)))
    assert isinstance(request.gate, ReasonGate)
    assert request.gate.estimate is not None
    short, long = request.gate.estimate("", ""), request.gate.estimate("word " * 400, "")
    assert short["output_tokens"] == 0
    assert short["input_tokens"] == long["input_tokens"] > 300
    assert long["total_tokens"] == long["input_tokens"] + long["output_tokens"]
