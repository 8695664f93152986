"""The message that lands: one message from all segments, as if one model had spoken."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolCall

from lg_toolroute.core.turn.turn import Attempt, Turn
from lg_toolroute.runner.landing import land, without_response_items
from lg_toolroute.runner.segments import Segment, next_block_index, shown_text

TURN = Turn("turn", primary="a/a", reasoner="a/a", attempts=(Attempt("a/a", "cut"), Attempt("b/b", "answered", tool="edit")), writers=(("x", "b/b"),))


def call(mark: str, name: str = "edit", **args: Any) -> ToolCall:
    return ToolCall(name=name, args=args, id=mark, type="tool_call")


def said(content: Any = "Hm.", *calls: ToolCall, cut: bool = True, slots: tuple[int, ...] | None = None, **more: Any) -> Segment:
    return Segment(AIMessage(content=content, tool_calls=list(calls), **more), tuple(range(len(calls))) if slots is None else slots, cut=cut)


def wrote(*calls: ToolCall, content: Any = "", slots: tuple[int, ...] = (0,), **more: Any) -> Segment:
    return Segment(AIMessage(content=content, tool_calls=list(calls), **more), slots, writes=True)


def test_words_of_the_primary_and_calls_of_both_make_one_message_under_one_id():
    message = land(TURN, [said("Hm.", call("k", "read")), wrote(call("x"), content="(not segment of it)", slots=(1,))])
    assert (message.id, message.content) == ("turn", "Hm.")
    assert [(each["name"], each["id"]) for each in message.tool_calls] == [("read", "k"), ("edit", "x")]
    assert message.response_metadata["toolroute"]["calls"] == {"x": "b/b"}


def test_calls_stand_in_the_order_of_the_primary_whoever_wrote_them():
    segments = [said("", call("k1"), call("k2"), slots=(1, 3), cut=False), wrote(call("x"), call("z"), slots=(0, 4)), wrote(call("y"), slots=(2,))]
    assert [each["id"] for each in land(TURN, segments).tool_calls] == ["x", "k1", "y", "k2", "z"]


def test_usage_is_added_up():
    usage = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
    message = land(TURN, [said(usage_metadata=usage), wrote(call("x"), usage_metadata=usage)])
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] == 24
    assert land(TURN, [said()]).usage_metadata is None


def test_the_name_is_the_agents_or_the_segments_own():
    assert land(TURN, [said(name="own")], name="agent").name == "agent"
    assert land(TURN, [said(name="own"), wrote(call("x"))]).name == "own"


def test_the_provider_is_the_one_of_the_words():
    segments = [said(response_metadata={"model_provider": "anthropic"}), wrote(call("x"), response_metadata={"model_provider": "openai"})]
    assert land(TURN, segments).response_metadata["model_provider"] == "anthropic"


def test_a_call_that_was_forced_has_no_words_and_belongs_to_its_writer():
    message = land(TURN, [wrote(call("x"), response_metadata={"model_provider": "openai", "finish_reason": "tool_calls"})])
    assert (message.content, message.response_metadata["model_provider"]) == ("", "openai")


def test_why_it_stopped_is_what_the_last_segment_says():
    segments = [said(response_metadata={"stop_reason": None}), wrote(call("x"), response_metadata={"finish_reason": "tool_calls"})]
    assert land(TURN, segments).response_metadata["finish_reason"] == "tool_calls"


def test_words_go_on_from_segment_to_segment():
    segments = [said("The bug is"), said(" in line 7.", cut=False)]
    assert land(TURN, segments).content == "The bug is in line 7."
    assert shown_text([*segments, wrote(call("x"), content="no words")]) == "The bug is in line 7."


def test_text_and_blocks_make_blocks():
    segments = [said("The bug is"), said([{"type": "text", "text": " here.", "index": 0}], cut=False)]
    assert land(TURN, segments).text == "The bug is here."


def test_reasoning_beside_the_content_is_the_primarys():
    segments = [
        said(additional_kwargs={"reasoning_content": "hm", "tool_calls": ["raw"]}),
        wrote(call("x"), additional_kwargs={"reasoning_content": "no"}),
    ]
    assert land(TURN, segments).additional_kwargs == {"reasoning_content": "hm"}


def test_the_next_segments_blocks_stand_behind_the_highest_so_far():
    assert next_block_index([]) == next_block_index([said("text")]) == 0
    assert next_block_index([said([{"type": "text", "text": "a", "index": 3}]), said([{"type": "text", "text": "b", "index": 1}])]) == 4


TOOL_USE = {"type": "tool_use", "id": "x", "name": "edit", "input": {}}


def test_anthropics_blocks_stay_in_step_with_the_calls():
    kept = {"type": "tool_use", "id": "k", "name": "read", "input": {}}
    segments = [said([{"type": "text", "text": "Hm."}, kept], call("k", "read"), slots=(1,), cut=False), wrote(call("x"), content=[TOOL_USE])]
    message = land(TURN, segments)
    assert [block["id"] for block in message.content[1:]] == [each["id"] for each in message.tool_calls] == ["x", "k"]


V1 = {"output_version": "v1", "model_provider": "openai"}


def test_standard_content_has_a_block_for_each_call_whatever_the_writer_sends():
    kept = {"type": "tool_call", "id": "k", "name": "read", "args": {}, "extras": {"a": 1}}
    segments = [said([{"type": "text", "text": "Hm."}, kept], call("k", "read"), response_metadata=V1), wrote(call("x", path="p"), slots=(1,))]
    message = land(TURN, segments)
    assert message.content[1:] == [kept, {"type": "tool_call", "id": "x", "name": "edit", "args": {"path": "p"}}]
    assert [block["type"] for block in message.content_blocks] == ["text", "tool_call", "tool_call"]


def test_standard_text_that_was_added_up_with_a_call_is_text_again():
    torn = {"type": "text", "text": "Hm.", "index": 0, "id": "k", "name": "read", "args": "{}"}
    message = land(TURN, [said([torn], call("k", "read"), response_metadata=V1, cut=False)])
    assert message.content == [{"type": "text", "text": "Hm.", "index": 0}, {"type": "tool_call", "id": "k", "name": "read", "args": {}}]


def test_standard_blocks_of_a_writer_do_not_stand_beside_words_in_another_dialect():
    block = {"type": "tool_call", "id": "x", "name": "edit", "args": {}}
    assert land(TURN, [said("Hm."), wrote(call("x"), content=[block], response_metadata=V1)]).content == "Hm."


def test_content_of_the_responses_api_has_a_block_for_each_call():
    kept = {"type": "function_call", "call_id": "k", "name": "read", "arguments": "{}", "id": "fc_1"}
    segments = [
        said([{"type": "text", "text": "Hm.", "id": "msg_1"}, kept], call("k", "read"), response_metadata={"id": "resp_1"}),
        wrote(call("x"), slots=(1,)),
    ]
    message = land(TURN, segments)
    assert message.content == [
        {"type": "text", "text": "Hm."},
        {"type": "function_call", "call_id": "k", "name": "read", "arguments": "{}"},
        {"type": "function_call", "call_id": "x", "name": "edit", "arguments": "{}"},
    ]
    assert "id" not in message.response_metadata


def test_of_a_cut_response_no_reasoning_and_no_id_of_an_item_is_left():
    """The item that a reasoning item must be followed by was cut off: the next request would be refused."""
    message = AIMessage(
        content=[
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "text", "text": "Hm.", "id": "msg_1"},
            {"type": "tool_call", "id": "call_1", "name": "read", "args": {}, "extras": {"item_id": "fc_1", "more": 1}},
            "plain",
        ],
        additional_kwargs={"reasoning": {"id": "rs_1"}, "other": 1},
        response_metadata={"id": "resp_1", "model": "gpt"},
    )
    clean = without_response_items(message)
    assert clean.content == [
        {"type": "text", "text": "Hm."},
        {"type": "tool_call", "id": "call_1", "name": "read", "args": {}, "extras": {"more": 1}},
        "plain",
    ]
    assert (clean.additional_kwargs, clean.response_metadata) == ({"other": 1}, {"model": "gpt"})


def test_an_uncut_response_keeps_its_items():
    message = AIMessage(content=[{"type": "reasoning", "id": "rs_1", "summary": []}], response_metadata={"id": "resp_1"})
    assert land(TURN, [Segment(message)]).content == message.content


@pytest.mark.parametrize("content", ["Hm.", [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "a", "id": "own"}]])
def test_what_is_not_from_the_responses_api_is_left_alone(content):
    message = AIMessage(content=content, additional_kwargs={"reasoning": "words"}, response_metadata={"id": "msg-1"})
    assert without_response_items(message) is message


def test_a_part_survives_a_checkpoint():
    segment = said("Hm.", call("k"), cut=True)
    assert Segment.from_dict(segment.to_dict()) == segment
