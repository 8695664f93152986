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


def new_gate(*tools: str, **settings: Any) -> WriteGate:
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
    pieces = [tool_call_chunk(index=index, name=name, args=args, id=call_id) for index, name, args, call_id in calls]
    return AIMessageChunk(content=content, tool_call_chunks=pieces, **more)


def answer(*calls: tuple[str, str], text: str = "", **metadata: Any) -> AIMessageChunk:
    return part(text, *((i, name, args, f"own_{i}") for i, (name, args) in enumerate(calls)), response_metadata={**STOP, **metadata})


def shown(gate: WriteGate, *parts: AIMessageChunk, streamed: bool = False) -> list[AIMessageChunk]:
    out = list(gate.begin()) if streamed else []
    for each in parts:
        out.extend(gate.feed(generation(each)))
    out.extend(gate.end())
    return [chunk.message for chunk in out]


def whole(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    found = merged(generation(chunk) for chunk in chunks)
    assert found is not None
    return found


def unfit(model: str, calls: Any) -> dict[int, str]:
    """A look that faults calls of the path `b`."""
    return {call.slot: "no b" for call, written in calls if written == '{"path": "b"}'}


@pytest.mark.parametrize("streamed", [False, True])
def test_what_a_look_sends_back_is_not_shown_and_keeps_its_place(streamed: bool):
    gate = new_gate(look=unfit)
    parts = shown(gate, answer(("edit", '{"path": "b"}'), ("edit", ARGS)), streamed=streamed)
    assert '"b"' not in repr(parts)
    (back,) = gate.sent_back
    assert (back.call.slot, back.call.call_id, back.call.announced, back.arguments, back.said) == (2, "call_0", streamed, '{"path": "b"}', "no b")
    assert gate.accepted == [(3, "more_0", "edit", ARGS)]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_that_was_sent_back_is_shown_as_it_was_when_its_answer_cannot_be_used(streamed: bool):
    gate = new_gate(standing=[ARGS], exact=True)
    total = whole(shown(gate, answer(text="No."), streamed=streamed))
    assert (total.text, total.tool_calls[0]["args"]) == ("", {"path": "a"})
    assert isinstance(gate.stood, AnswerRejected)
    assert "finish_reason" not in total.response_metadata, "that is about an answer of which nothing is left"
    broken = new_gate(standing=[ARGS], stands_after=lambda error: isinstance(error, ConnectionError))
    assert broken.fail(ConnectionError())
    assert not broken.fail(KeyError())
    assert whole([chunk.message for chunk in broken.end()]).tool_calls[0]["args"] == {"path": "a"}
    mended = new_gate(standing=[ARGS])
    assert whole(shown(mended, answer(("edit", '{"path": "c"}')))).tool_calls[0]["args"] == {"path": "c"}
    assert mended.stood is None


@pytest.mark.parametrize("streamed", [False, True])
def test_the_call_gets_our_id_and_its_place_and_the_models_words_are_left_out(streamed: bool):
    message = whole(shown(new_gate(), answer(("edit", ARGS), text="Here you are:"), streamed=streamed))
    (piece,) = message.tool_call_chunks
    assert (piece["name"], json.loads(piece["args"] or ""), piece["id"], piece["index"]) == ("edit", {"path": "a"}, "call_0", 2)
    assert message.content == ""
    assert message.id == "turn"


def test_a_consumer_sees_name_and_id_at_once_and_the_arguments_when_they_are_whole():
    gate = new_gate()
    (head,) = gate.begin()
    assert head.message.tool_call_chunks == [tool_call_chunk(name="edit", args="", id="call_0", index=2)]
    assert list(gate.feed(generation(part("", (0, "edit", '{"pa', "x"))))) == []
    list(gate.feed(generation(part("", (0, None, 'th": "a"}', None), response_metadata=STOP))))
    args, last = (chunk.message for chunk in gate.end())
    assert args.tool_call_chunks[0]["args"] == ARGS
    assert (args.tool_call_chunks[0]["name"], last.chunk_position) == (None, "last")


def test_what_was_announced_by_an_earlier_candidate_is_not_announced_again():
    gate = new_gate(announced=1)
    assert list(gate.begin()) == []
    assert shown(gate, answer(("edit", ARGS)))[0].tool_call_chunks[0]["name"] is None


def test_further_calls_of_the_tool_are_taken_with_ids_of_their_own():
    gate = new_gate()
    message = whole(shown(gate, answer(("edit", ARGS), ("edit", '{"path": "b"}'))))
    assert [(call["id"], call["args"]["path"]) for call in message.tool_calls] == [("call_0", "a"), ("more_0", "b")]
    assert [slot for slot, *_ in gate.accepted] == [2, 3]


def test_calls_of_other_tools_are_no_part_of_the_answer():
    message = whole(shown(new_gate(), answer(("read", "{}"), ("edit", ARGS), ("rm", "{}"))))
    assert [call["name"] for call in message.tool_calls] == ["edit"]


def test_exactly_the_wanted_calls_are_taken_in_the_order_in_which_they_were_wanted():
    gate = new_gate("edit", "write", "edit")
    given = [("write", "{}"), ("edit", ARGS), ("edit", '{"path": "b"}'), ("edit", '{"path": "c"}')]
    message = whole(shown(gate, answer(*given)))
    assert [(call["name"], call["args"].get("path"), call["id"]) for call in message.tool_calls] == [
        ("edit", "a", "call_0"),
        ("write", None, "call_1"),
        ("edit", "b", "call_2"),
    ]


@pytest.mark.parametrize(
    ("given", "reason", "said"),
    [
        (answer(text="I would rather talk."), "invalid_tool_call", "it called nothing, and edit was wanted"),
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
def test_any_answer_but_the_wanted_call_is_rejected_with_a_text_that_a_model_can_act_on(given, reason, said):
    with pytest.raises(AnswerRejected, match=said) as caught:
        shown(new_gate(), given)
    assert caught.value.reason == reason


def test_an_answer_with_too_few_calls_is_rejected_with_the_wanted_number():
    with pytest.raises(AnswerRejected, match=r"too few calls: wanted are 2 of 'edit', 1 of 'write', all in one answer"):
        shown(new_gate("edit", "write", "edit"), answer(("edit", ARGS), ("write", "{}")))


def test_a_tool_without_arguments_may_be_called_without_any():
    gate = new_gate("write", exact=False)
    assert whole(shown(gate, answer(("write", "")))).tool_call_chunks[0]["args"] == "{}"
    assert gate.accepted == [(2, "call_0", "write", "{}")]


def test_live_arguments_are_shown_as_they_come_and_spend_the_gate():
    gate = new_gate(live=True)
    assert list(gate.feed(generation(part("", (0, "edit", "", "x"))))) == []
    assert not gate.spent
    first = [chunk.message for chunk in gate.feed(generation(part("", (0, None, '{"path"', None))))]
    second = [chunk.message for chunk in gate.feed(generation(part("", (0, None, ': "a"}', None), response_metadata=STOP)))]
    assert gate.spent
    end = [chunk.message for chunk in gate.end()]
    message = whole([*first, *second, *end])
    assert [(call["name"], call["args"], call["id"]) for call in message.tool_calls] == [("edit", {"path": "a"}, "call_0")]
    assert [piece["name"] for piece in (*first[0].tool_call_chunks, *second[0].tool_call_chunks)] == ["edit", None]


def test_only_the_first_wanted_call_goes_live():
    gate = new_gate(live=True)
    parts = [
        part("", (0, "read", '{"r": 1}', "x")),
        part("", (1, "edit", ARGS, "y")),
        part("", (2, "edit", '{"path": "b"}', "z"), response_metadata=STOP),
    ]
    live = [chunk.message for each in parts for chunk in gate.feed(generation(each))]
    assert [chunk.tool_call_chunks[0]["args"] for chunk in live] == [ARGS]
    assert [call["args"]["path"] for call in whole([*live, *(chunk.message for chunk in gate.end())]).tool_calls] == ["a", "b"]


@pytest.mark.parametrize("empty", ["", " "])
def test_a_first_call_without_arguments_keeps_its_place_before_the_live_one(empty: str):
    parts = [part("", (0, "edit", empty, "x")), part("", (1, "edit", ARGS, "y"), response_metadata=STOP)]
    message = whole(shown(new_gate(live=True, schemas={}), *parts))
    assert [(call["id"], call["args"]) for call in message.tool_calls] == [("call_0", {}), ("more_0", {"path": "a"})]


def test_names_that_come_first_do_not_make_a_later_call_the_live_one():
    parts = [part("", (0, "edit", "", "x")), part("", (1, "edit", "", "y")), part("", (1, None, '{"path": "b"}', None))]
    message = whole(shown(new_gate(live=True), *parts, part("", (0, None, ARGS, None), response_metadata=STOP)))
    assert [(call["id"], call["args"]["path"]) for call in message.tool_calls] == [("call_0", "a"), ("more_0", "b")]


def test_live_calls_of_one_index_are_told_apart_by_their_ids():
    gate = new_gate(live=True)
    live = list(gate.feed(generation(part("", (0, "edit", ARGS, "x")))))
    assert list(gate.feed(generation(part("", (0, "edit", '{"path": "b"}', "y"), response_metadata=STOP)))) == []
    assert len(live) == 1


def test_a_retry_around_the_model_must_write_the_arguments_that_were_shown():
    gate = new_gate(live=True)
    list(gate.feed(generation(part("", (0, "edit", '{"path": "', "x")))))
    gate.restart()
    again = [chunk.message for chunk in gate.feed(generation(part("", (0, "edit", ARGS, "x"))))]
    assert again[0].tool_call_chunks[0]["args"] == 'a"}'
    gate.restart()
    with pytest.raises(AnswerRejected, match="wrote other arguments than were shown"):
        list(gate.feed(generation(part("", (0, "edit", '{"other', "x")))))
    gate.restart()
    gate.schemas = {}
    with pytest.raises(AnswerRejected, match="wrote other arguments than were shown"):  # none at all
        shown(gate, part("", (0, "edit", "", "x")), part("", (1, "edit", ARGS, "y"), response_metadata=STOP))


def test_a_drained_message_never_goes_live():
    assert not new_gate("edit", "write", live=True).live


def test_a_written_call_has_a_content_block_if_blocks_are_given():
    message = whole(shown(new_gate(blocks=(5,), provider="anthropic"), answer(("edit", ARGS)), streamed=True))
    (block,) = message.content
    assert (block["type"], block["id"], block["name"], block["index"], block["partial_json"]) == ("tool_use", "call_0", "edit", 5, ARGS)
    assert message.response_metadata["model_provider"] == "anthropic"
    assert [call["args"] for call in message.tool_calls] == [{"path": "a"}]


def test_without_blocks_no_chunk_names_a_provider():
    message = whole(shown(new_gate(provider="anthropic"), answer(("edit", ARGS), model_provider="openai")))
    assert "model_provider" not in message.response_metadata
    assert message.response_metadata["finish_reason"] == "tool_calls"


def test_usage_of_the_writer_is_passed_on():
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    given = answer(("edit", ARGS))
    given.usage_metadata = usage  # type: ignore[assignment]
    assert whole(shown(new_gate(), given)).usage_metadata == usage


@pytest.mark.parametrize(("given", "quiet"), [(part("", (0, "edit", ARGS, "x")), False), (answer(("edit", ARGS)), True)], ids=["torn", "whole"])
def test_a_stream_that_breaks_is_an_error_unless_the_answer_was_whole(given, quiet):
    gate = new_gate()
    list(gate.feed(generation(given)))
    assert gate.fail(ConnectionError("reset")) is quiet
    assert not gate.fail(KeyboardInterrupt())


def test_a_gate_that_starts_again_forgets_the_first_answer():
    gate = new_gate()
    list(gate.feed(generation(answer(("edit", '{"path": "first"}')))))
    gate.restart()
    assert [call["args"] for call in whole(shown(gate, answer(("edit", ARGS)))).tool_calls] == [{"path": "a"}]


def test_what_was_accepted_is_what_a_message_made_of_the_chunks_says():
    gate = new_gate("edit", "write")
    message = whole(shown(gate, answer(("edit", ARGS), ("write", '{"x": 1}')), streamed=True))
    made = AIMessage(content="", tool_calls=message.tool_calls)
    assert [(call["id"], call["name"]) for call in made.tool_calls] == [(call_id, name) for _, call_id, name, _ in gate.accepted]


def test_a_chunk_of_another_class_raises_a_type_error():
    with pytest.raises(TypeError, match="a/b streamed a HumanMessageChunk"):
        list(new_gate().feed(generation(HumanMessageChunk(content="x"))))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Edit", "functions.edit", "functions.edit:0", "default_api.edit", "edit<|channel|>commentary"])
@pytest.mark.parametrize("live", [False, True])
def test_a_name_that_plainly_means_the_wanted_tool_is_its_call(name: str, live: bool):
    gate = new_gate(live=live)
    found = whole(shown(gate, answer((name, ARGS)), streamed=True))
    assert [(call["name"], call["args"]) for call in found.tool_calls] == [("edit", {"path": "a"})]


def test_another_tool_of_that_very_name_is_not_the_wanted_one():
    with pytest.raises(AnswerRejected, match="it called 'Edit' instead of edit"):
        shown(new_gate(known=["edit", "Edit"]), answer(("Edit", ARGS)))


def test_what_was_written_is_told_as_plain_words_and_shortened():
    gate = new_gate()
    said = part([{"type": "thinking", "thinking": "secret"}, {"type": "text", "text": "I did it."}])
    with pytest.raises(AnswerRejected):
        shown(gate, said, answer(("read", '{"p": 1}'), ("edit", '{"p')))
    assert gate.written() == 'I did it.\nread({"p": 1})\nedit({"p)'
    long = new_gate()
    with pytest.raises(AnswerRejected):
        shown(long, answer(text="begin " + "x" * 9000 + " end"))
    assert len(long.written()) < 2100
    assert long.written().startswith("begin x")
    assert long.written().endswith("x end")
