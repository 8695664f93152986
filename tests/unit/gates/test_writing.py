"""The gate in front of a writing model: nothing is shown that has not been checked."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from lg_toolroute.errors import AnswerRejected
from lg_toolroute.gates.chunks import generation, merged
from lg_toolroute.gates.writing import WriteGate

STOP = {"finish_reason": "tool_calls", "model_name": "m"}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
ARGS = '{"path": "a"}'


def gate(*tools: str, **settings: Any) -> WriteGate:
    tools = tools or ("edit",)
    numbers = itertools.count()
    defaults: dict[str, Any] = {
        "model": "a/b",
        "tools": tools,
        "call_ids": tuple(f"call_{i}" for i in range(len(tools))),
        "slots": tuple(range(2, 2 + len(tools))),
        "exact": len(tools) > 1,
        "schemas": {"edit": SCHEMA},
        "new_id": lambda: f"more_{next(numbers)}",
    }
    return WriteGate("turn", **{**defaults, **settings})


def part(content: Any = "", *calls: tuple[int | None, str | None, str | None, str | None], **more: Any) -> AIMessageChunk:
    pieces = [tool_call_chunk(index=index, name=name, args=args, id=mark) for index, name, args, mark in calls]
    return AIMessageChunk(content=content, tool_call_chunks=pieces, **more)


def answer(*calls: tuple[str, str], text: str = "", **metadata: Any) -> AIMessageChunk:
    return part(text, *((i, name, args, f"own_{i}") for i, (name, args) in enumerate(calls)), response_metadata={**STOP, **metadata})


def shown(of: WriteGate, *parts: AIMessageChunk, streamed: bool = False) -> list[AIMessageChunk]:
    out = list(of.begin()) if streamed else []
    for each in parts:
        out.extend(of.feed(generation(each)))
    out.extend(of.end())
    return [chunk.message for chunk in out]


def whole(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    found = merged(generation(chunk) for chunk in chunks)
    assert found is not None
    return found


@pytest.mark.parametrize("streamed", [False, True])
def test_the_call_gets_our_id_and_its_place_and_the_models_words_are_left_out(streamed: bool):
    message = whole(shown(gate(), answer(("edit", ARGS), text="Here you are:"), streamed=streamed))
    (piece,) = message.tool_call_chunks
    assert (piece["name"], json.loads(piece["args"] or ""), piece["id"], piece["index"]) == ("edit", {"path": "a"}, "call_0", 2)
    assert message.content == ""
    assert message.id == "turn"


def test_a_consumer_sees_name_and_id_at_once_and_the_arguments_when_they_are_whole():
    of = gate()
    (head,) = of.begin()
    assert head.message.tool_call_chunks == [tool_call_chunk(name="edit", args="", id="call_0", index=2)]
    assert list(of.feed(generation(part("", (0, "edit", '{"pa', "x"))))) == []
    list(of.feed(generation(part("", (0, None, 'th": "a"}', None), response_metadata=STOP))))
    args, last = (chunk.message for chunk in of.end())
    assert args.tool_call_chunks[0]["args"] == ARGS
    assert (args.tool_call_chunks[0]["name"], last.chunk_position) == (None, "last")


def test_what_was_announced_by_an_earlier_candidate_is_not_announced_again():
    of = gate(announced=1)
    assert list(of.begin()) == []
    assert shown(of, answer(("edit", ARGS)))[0].tool_call_chunks[0]["name"] is None


def test_further_calls_of_the_tool_are_taken_with_ids_of_their_own():
    of = gate()
    message = whole(shown(of, answer(("edit", ARGS), ("edit", '{"path": "b"}'))))
    assert [(call["id"], call["args"]["path"]) for call in message.tool_calls] == [("call_0", "a"), ("more_0", "b")]
    assert [slot for slot, *_ in of.accepted] == [2, 3]


def test_calls_of_other_tools_are_no_part_of_the_answer():
    message = whole(shown(gate(), answer(("read", "{}"), ("edit", ARGS), ("rm", "{}"))))
    assert [call["name"] for call in message.tool_calls] == ["edit"]


def test_exactly_the_wanted_calls_are_taken_in_the_order_in_which_they_were_wanted():
    of = gate("edit", "write", "edit")
    given = [("write", "{}"), ("edit", ARGS), ("edit", '{"path": "b"}'), ("edit", '{"path": "c"}')]
    message = whole(shown(of, answer(*given)))
    assert [(call["name"], call["args"].get("path"), call["id"]) for call in message.tool_calls] == [
        ("edit", "a", "call_0"),
        ("write", None, "call_1"),
        ("edit", "b", "call_2"),
    ]


@pytest.mark.parametrize(
    ("given", "reason", "said"),
    [
        (answer(text="I would rather talk."), "invalid_tool_call", "answer with a call of edit, and with nothing else; it called nothing"),
        (answer(("read", "{}")), "invalid_tool_call", "it called 'read' instead"),
        (answer(), "empty_response", "it called nothing"),
        (answer(("edit", '{"path": "a"')), "invalid_tool_call", "the arguments are not valid JSON"),
        (answer(("edit", '{"path": 1}')), "invalid_tool_call", "path: must be of type string"),
        (answer(("edit", "")), "invalid_tool_call", "missing 'path'"),
        (answer(("edit", ARGS), finish_reason="length"), "truncated", "length limit"),
        (answer(("edit", ARGS), finish_reason=None), "truncated", "without a finish reason"),
        (answer(text="no", finish_reason="refusal"), "content_policy", "refused to write the call of edit"),
    ],
    ids=["text", "another tool", "nothing", "torn JSON", "schema", "no arguments", "length", "clean end", "refusal"],
)
def test_anything_but_the_wanted_call_is_rejected_in_words_a_model_can_act_on(given, reason, said):
    with pytest.raises(AnswerRejected, match=said) as caught:
        shown(gate(), given)
    assert caught.value.reason == reason


def test_too_few_calls_are_told_how_many_are_wanted():
    with pytest.raises(AnswerRejected, match=r"too few calls: wanted are 2 of 'edit', 1 of 'write', all in one answer"):
        shown(gate("edit", "write", "edit"), answer(("edit", ARGS), ("write", "{}")))


def test_a_tool_without_arguments_may_be_called_without_any():
    of = gate("write", exact=False)
    assert whole(shown(of, answer(("write", "")))).tool_call_chunks[0]["args"] == "{}"
    assert of.accepted == [(2, "call_0", "write", "{}")]


def test_live_arguments_pass_as_they_come_and_take_away_the_right_to_another_candidate():
    of = gate(live=True)
    assert list(of.feed(generation(part("", (0, "edit", "", "x"))))) == []
    assert not of.spent
    first = [chunk.message for chunk in of.feed(generation(part("", (0, None, '{"path"', None))))]
    second = [chunk.message for chunk in of.feed(generation(part("", (0, None, ': "a"}', None), response_metadata=STOP)))]
    assert of.spent
    end = [chunk.message for chunk in of.end()]
    message = whole([*first, *second, *end])
    assert [(call["name"], call["args"], call["id"]) for call in message.tool_calls] == [("edit", {"path": "a"}, "call_0")]
    assert [piece["name"] for piece in (*first[0].tool_call_chunks, *second[0].tool_call_chunks)] == ["edit", None]


def test_only_the_first_wanted_call_goes_live():
    of = gate(live=True)
    parts = [
        part("", (0, "read", '{"r": 1}', "x")),
        part("", (1, "edit", ARGS, "y")),
        part("", (2, "edit", '{"path": "b"}', "z"), response_metadata=STOP),
    ]
    live = [chunk.message for each in parts for chunk in of.feed(generation(each))]
    assert [chunk.tool_call_chunks[0]["args"] for chunk in live] == [ARGS]
    assert [call["args"]["path"] for call in whole([*live, *(chunk.message for chunk in of.end())]).tool_calls] == ["a", "b"]


def test_live_calls_of_one_index_are_told_apart_by_their_ids():
    of = gate(live=True)
    live = list(of.feed(generation(part("", (0, "edit", ARGS, "x")))))
    assert list(of.feed(generation(part("", (0, "edit", '{"path": "b"}', "y"), response_metadata=STOP)))) == []
    assert len(live) == 1


def test_a_second_try_around_the_model_may_only_go_on_with_what_was_shown():
    of = gate(live=True)
    list(of.feed(generation(part("", (0, "edit", '{"path": "', "x")))))
    of.restart()
    again = [chunk.message for chunk in of.feed(generation(part("", (0, "edit", ARGS, "x"))))]
    assert again[0].tool_call_chunks[0]["args"] == 'a"}'
    of.restart()
    with pytest.raises(AnswerRejected, match="wrote other arguments than were shown"):
        list(of.feed(generation(part("", (0, "edit", '{"other', "x")))))


def test_a_drained_message_never_goes_live():
    assert not gate("edit", "write", live=True).live


def test_where_the_words_name_their_calls_in_blocks_the_written_call_has_one_too():
    message = whole(shown(gate(blocks=(5,), provider="anthropic"), answer(("edit", ARGS)), streamed=True))
    (block,) = message.content
    assert (block["type"], block["id"], block["name"], block["index"], block["partial_json"]) == ("tool_use", "call_0", "edit", 5, ARGS)
    assert message.response_metadata["model_provider"] == "anthropic"
    assert [call["args"] for call in message.tool_calls] == [{"path": "a"}]


def test_without_blocks_nothing_says_who_owns_the_message():
    message = whole(shown(gate(provider="anthropic"), answer(("edit", ARGS), model_provider="openai")))
    assert "model_provider" not in message.response_metadata
    assert message.response_metadata["finish_reason"] == "tool_calls"


def test_usage_of_the_writer_is_passed_on():
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    given = answer(("edit", ARGS))
    given.usage_metadata = usage  # type: ignore[assignment]
    assert whole(shown(gate(), given)).usage_metadata == usage


@pytest.mark.parametrize(("given", "quiet"), [(part("", (0, "edit", ARGS, "x")), False), (answer(("edit", ARGS)), True)], ids=["torn", "whole"])
def test_a_stream_that_breaks_is_an_error_unless_the_answer_was_whole(given, quiet):
    of = gate()
    list(of.feed(generation(given)))
    assert of.fail(ConnectionError("reset")) is quiet
    assert not of.fail(KeyboardInterrupt())


def test_a_gate_that_starts_again_forgets_the_first_answer():
    of = gate()
    list(of.feed(generation(answer(("edit", '{"path": "first"}')))))
    of.restart()
    assert [call["args"] for call in whole(shown(of, answer(("edit", ARGS)))).tool_calls] == [{"path": "a"}]


def test_what_was_accepted_is_what_a_message_made_of_the_chunks_says():
    of = gate("edit", "write")
    message = whole(shown(of, answer(("edit", ARGS), ("write", '{"x": 1}')), streamed=True))
    made = AIMessage(content="", tool_calls=message.tool_calls)
    assert [(call["id"], call["name"]) for call in made.tool_calls] == [(mark, name) for _, mark, name, _ in of.accepted]


def test_a_stream_of_something_else_is_a_bug_and_says_so():
    with pytest.raises(TypeError, match="a/b streamed a HumanMessageChunk"):
        list(gate().feed(generation(HumanMessageChunk(content="x"))))  # type: ignore[arg-type]
