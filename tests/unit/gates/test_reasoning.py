"""The gate in front of a reasoning model, one case a test; that chunk boundaries do not matter is shown in `tests/property/test_gate.py`."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from lg_toolroute.errors import AnswerRejected
from lg_toolroute.gates.chunks import generation, merged
from lg_toolroute.gates.reasoning import ReasonGate

STOP = {"finish_reason": "tool_calls", "model_name": "m"}


def new_gate(**settings: Any) -> ReasonGate:
    numbers = itertools.count()
    defaults = {"model": "a/b", "gates": {"edit": "cut"}, "bound": ["edit", "edit_file", "read"], "new_id": lambda: f"ours_{next(numbers)}"}
    return ReasonGate("turn", **{**defaults, **settings})


def part(content: Any = "", *calls: tuple[Any, ...], **more: Any) -> AIMessageChunk:
    """A chunk; a call is `(index, name, args, id)`, the end of which may be left out."""
    pieces = [tool_call_chunk(index=c[0], name=(*c, None)[1], args=(*c, None, None)[2], id=(*c, None, None, None)[3]) for c in calls]
    return AIMessageChunk(content=content, tool_call_chunks=pieces, **more)


def end() -> AIMessageChunk:
    return part(response_metadata=STOP)


def pass_through(gate: ReasonGate, *parts: AIMessageChunk) -> AIMessageChunk:
    """What is shown of these chunks, as one."""
    shown = []
    for each in parts:
        if not gate.halted:
            shown.extend(gate.feed(generation(each)))
    shown.extend(gate.end())
    whole = merged(shown)
    assert whole is not None
    return whole


def feed(gate: ReasonGate, *parts: AIMessageChunk) -> list[Any]:
    """What is shown of these chunks while the stream goes on."""
    return [shown for each in parts for shown in gate.feed(generation(each)) if shown.message.content or shown.message.tool_call_chunks]


def calls(whole: AIMessageChunk) -> list[tuple[str, Any]]:
    return [(call["name"], call["args"]) for call in whole.tool_calls]


def test_text_passes_at_once_under_the_id_of_the_turn():
    gate = new_gate()
    (shown,) = gate.feed(generation(part("Let me", id="own", chunk_position="last")))
    assert (shown.message.content, shown.message.id, shown.message.chunk_position) == ("Let me", "turn", None)


def test_a_routed_call_is_cut_at_its_name_and_nothing_of_it_is_shown():
    gate = new_gate()
    whole = pass_through(gate, part("Hm."), part("", (0, "edit", "", "x")), part("", (0, None, '{"a"')))
    assert gate.halted is True
    assert whole.tool_calls == whole.tool_call_chunks == []
    assert whole.content == "Hm."
    assert (gate.hit, gate.routed[0].slot, gate.routed[0].call_id) == ("edit", 0, "ours_0")


def test_a_name_that_begins_another_is_not_decided_before_its_arguments():
    gate = new_gate()
    whole = pass_through(gate, part("", (0, "edit", "", "x")), part("", (0, "_file")), part("", (0, None, "{}")), end())
    assert not gate.halted
    assert calls(whole) == [("edit_file", {})]


@pytest.mark.parametrize("then", [part("", (0, None, "{")), part("", (1, "read", "", "y")), None], ids=["arguments", "next call", "end"])
def test_a_name_is_complete_when_arguments_the_next_call_or_the_end_come(then):
    gate = new_gate()
    pass_through(gate, *([part("", (0, "edit", "", "x")), then] if then is not None else [part("", (0, "edit", "", "x"))]))
    assert gate.hit == "edit"


def test_calls_before_a_cut_are_kept_if_they_are_whole():
    gate = new_gate()
    whole = pass_through(gate, part("", (0, "read", '{"p": 1}', "x")), part("", (1, "read", '{"p"', "y")), part("", (2, "edit", "{", "z")))
    assert calls(whole) == [("read", {"p": 1})]
    assert ([call.slot for call in gate.kept], gate.routed[0].slot) == ([0], 2)


@pytest.mark.parametrize("args", ['{"p": 1}', "{}"])
def test_a_cut_waits_until_the_call_before_it_is_whole_and_shows_nothing_meanwhile(args):
    gate = new_gate(bound=["edit", "read"])
    feed(gate, part("Hm.", (0, "read", "", "x")), part("", (1, "edit", "", "y")))
    assert gate.hit == "edit"
    assert not gate.halted
    assert feed(gate, part("SECRET"), part("", (1, None, '{"SECRET"')), part("", (2, "edit", "SECRET", "z")), part("", (0, None, args[:-1]))) == []
    assert not gate.halted
    feed(gate, part("", (0, None, args[-1:])))
    assert gate.halted
    whole = merged(gate.end())
    assert whole is not None
    assert [(piece["name"], piece["args"]) for piece in whole.tool_call_chunks] == [("read", args)]
    assert [(call.slot, call.tool) for call in gate.routed] == [(1, "edit")]


def test_a_cut_that_waits_ends_with_the_stream_and_keeps_no_part_of_a_call():
    gate = new_gate()
    usage = UsageMetadata(input_tokens=1, output_tokens=2, total_tokens=3)
    names, rest = part("", (0, "read", "", "x"), (1, "edit", "", "y")), part("", (0, None, '{"p"'), (1, None, "{}"))
    whole = pass_through(gate, names, rest, part(response_metadata=STOP, usage_metadata=usage))
    assert not gate.halted
    assert (whole.tool_calls, gate.kept, whole.usage_metadata) == ([], [], usage)
    assert [call.tool for call in gate.routed] == ["edit"]


@pytest.mark.parametrize(("needs", "halted"), [(True, [False, False]), (False, [False, True])])
def test_a_call_without_arguments_is_whole_when_its_tool_needs_none_and_the_stream_has_moved_on(needs: bool, halted: list[bool]):
    gate = new_gate(needs_arguments=lambda name: needs)
    found = []
    for chunk in (part("", (0, "read", "", "x"), (1, "edit", "", "y")), part("", (1, None, "{"))):
        feed(gate, chunk)
        found.append(gate.halted)
    assert found == halted
    assert [piece["args"] for shown in gate.end() for piece in shown.message.tool_call_chunks] == ([] if needs else ["{}"])


def test_a_block_that_is_followed_by_another_gets_no_more_arguments():
    gate = new_gate(needs_arguments=lambda name: False)
    feed(gate, part([block("tool_use", 0, id="x", name="read", input={})], (0, "read", "", "x")))
    feed(gate, part([block("tool_use", 1, id="y", name="edit", input={})], (1, "edit", "", "y")), part("", (1, None, "{")))
    assert gate.halted
    assert [call.name for call in gate.calls if call.routed is None] == ["read"]


def test_a_stream_that_breaks_while_a_cut_waits_is_a_failure():
    gate = new_gate()
    feed(gate, part("Hm.", (0, "read", "", "x")), part("", (1, "edit", "", "y")))
    assert gate.fail(ConnectionError("reset"))
    assert isinstance(gate.error, ConnectionError)


@pytest.mark.parametrize("finish", ["length", "content_filter", "abort", None])
@pytest.mark.parametrize("needs", [True, False])
def test_a_drained_answer_that_broke_off_after_a_name_keeps_no_such_call(finish, needs: bool):
    gate = new_gate(gates={"edit": "drain"}, needs_arguments=lambda name: needs)
    ends = part(response_metadata={"finish_reason": finish, "model_name": "m"})
    assert calls(pass_through(gate, part("", (0, "edit", "{}", "x")), part("", (1, "read", "", "y")), ends)) == []
    assert [call.tool for call in gate.routed] == ["edit"]


def test_a_name_that_broke_off_and_might_go_on_is_no_call():
    gate = new_gate(gates={"edit": "drain"})
    whole = pass_through(gate, part("", (0, "edit", "{}", "x")), part("", (1, "edit", "", "y")), part(response_metadata={"model_name": "m"}))
    assert calls(whole) == []
    assert [call.slot for call in gate.routed] == [0]


@pytest.mark.parametrize("needs", [True, False])
def test_a_whole_answer_keeps_a_call_without_arguments_as_the_model_wrote_it(needs: bool):
    gate = new_gate(needs_arguments=lambda name: needs)
    assert calls(pass_through(gate, part("", (0, "read", "", "x")), end())) == [("read", {})]


def test_calls_without_an_index_are_told_apart_by_their_names():
    gate = new_gate()
    whole = pass_through(gate, part("", (None, "read", "{}", "x"), (None, "read", '{"a": 1}', "y")), end())
    assert calls(whole) == [("read", {}), ("read", {"a": 1})]


def test_pieces_without_an_index_go_to_the_call_that_is_open():
    gate = new_gate()
    whole = pass_through(gate, part("", (None, "read", "", "x")), part("", (None, None, '{"a":')), part("", (None, None, " 1}")), end())
    assert calls(whole) == [("read", {"a": 1})]


def test_calls_of_one_index_are_told_apart_by_their_ids():
    gate = new_gate()
    whole = pass_through(gate, part("", (0, "read", "{}", "x")), part("", (0, "read", '{"a": 1}', "y")), end())
    assert [call["id"] for call in whole.tool_calls] == ["x", "y"]


@pytest.mark.parametrize("none", [None, ""])
def test_a_call_without_an_id_gets_one_of_ours(none):
    whole = pass_through(new_gate(), part("", (0, "read", "{}", none), (1, "read", "{}", none)), end())
    assert [call["id"] for call in whole.tool_calls] == ["ours_0", "ours_1"]


def test_calls_of_one_id_are_told_apart_also_in_their_blocks():
    parts = [
        part([block("tool_use", 1, id="x", name="read", input={})], (1, "read", "{}", "x")),
        part([block("tool_use", at, id="x", name="read", input={}) for at in (2, 3)], (2, "read", "{}", "x"), (3, "read", "{}", "x")),
    ]
    gate = new_gate()
    whole = pass_through(gate, *parts, end())
    assert [call["id"] for call in whole.tool_calls] == [each["id"] for each in whole.content if isinstance(each, dict)] == ["x", "ours_0", "ours_1"]
    assert gate.renamed


def test_what_is_kept_beside_a_call_goes_by_its_new_id():
    signed = {"signatures": {"x": "s"}}
    whole = pass_through(new_gate(), part("", (0, "read", "{}", "x")), part("", (1, "read", "{}", "x"), additional_kwargs=signed), end())
    assert whole.additional_kwargs == {"signatures": {"ours_0": "s"}}


@pytest.mark.parametrize("first", ["read", "edit"])
def test_a_kept_and_a_routed_call_never_have_one_id(first: str):
    gate = new_gate(gates={"edit": "drain"}, keep_ids=True)
    second = "edit" if first == "read" else "read"
    whole = pass_through(gate, part("", (0, first, "{}", "x"), (1, second, "{}", "x")), end())
    ids = {"read": whole.tool_calls[0]["id"], "edit": gate.routed[0].call_id}
    assert ids == {first: "x", second: "ours_0"}


def test_an_id_of_the_model_that_equals_one_of_ours_is_changed():
    gate = new_gate(gates={"edit": "drain"})
    whole = pass_through(gate, part("", (0, "edit", "{}", "x"), (1, "read", "{}", "ours_0")), end())
    assert ({gate.routed[0].call_id} & {call["id"] for call in whole.tool_calls}) == set()


@pytest.mark.parametrize(
    ("keeps", "own", "expected"), [(True, "call_1", "call_1"), (True, "functions.edit:0", "ours_0"), (False, "call_1", "ours_0")]
)
def test_a_routed_call_keeps_its_own_id_with_keep_ids_if_every_provider_takes_it(keeps, own, expected):
    gate = new_gate(keep_ids=keeps)
    pass_through(gate, part("", (0, "edit", "{", own)))
    assert gate.routed[0].call_id == expected


def test_a_drained_message_gives_every_routed_call_in_its_place_and_its_draft():
    gate = new_gate(gates={"edit": "drain"})
    parts = [
        part("", (0, "edit", '{"a": 1}', "x")),
        part("", (1, "read", "{}", "y")),
        part("", (2, "edit", '{"a": 2}', "z")),
        end(),
    ]
    whole = pass_through(gate, *parts)
    assert calls(whole) == [("read", {})]
    assert [(call.slot, call.tool) for call in gate.routed] == [(0, "edit"), (2, "edit")]
    assert gate.drafts == {0: '{"a": 1}', 2: '{"a": 2}'}
    assert not gate.halted


def test_with_a_draining_rule_first_a_cutting_one_behind_it_does_not_cut():
    gate = new_gate(gates={"edit": "cut", "read": "drain"})
    pass_through(gate, part("", (0, "read", "{}", "x")), part("", (1, "edit", "{}", "y")), part("", (2, "other", "{}", "z")), end())
    assert [call.tool for call in gate.routed] == ["read", "edit"]
    assert [call.name for call in gate.kept] == ["other"]


def test_drained_calls_are_announced_by_name_and_id_alone():
    gate = new_gate(gates={"edit": "drain"})
    gate.announcing = True
    whole = pass_through(gate, part("", (0, "edit", '{"secret": 1}', "x")), part("", (1, "read", "{}", "y")), end())
    assert [(piece["name"], piece["args"], piece["index"]) for piece in whole.tool_call_chunks] == [("edit", "", 0), ("read", "{}", 1)]
    assert gate.routed[0].announced


def block(kind: str, index: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, **more}


def test_content_blocks_of_a_routed_call_go_with_it_and_its_block_is_remembered():
    gate = new_gate(block_offset=10)
    whole = pass_through(
        gate,
        part([block("text", 0, text="Hm.")], response_metadata={"model_provider": "anthropic"}),
        part([block("tool_use", 1, id="x", name="read", input={})], (1, "read", "", "x")),
        part([block("input_json_delta", 1, partial_json="{}")], (1, None, "{}")),
        part([block("tool_use", 2, id="y", name="edit", input={})], (2, "edit", "", "y")),
        part([block("input_json_delta", 2, partial_json="SECRET")], (2, None, "SECRET")),
    )
    assert "SECRET" not in str(whole)
    assert [each["index"] for each in whole.content] == [10, 11]
    assert gate.routed[0].block == 12
    assert whole.response_metadata["model_provider"] == "anthropic"


def test_text_before_a_cut_call_in_the_same_chunk_is_shown_and_text_after_it_is_not():
    content = [block("text", 0, text="before"), block("tool_use", 1, id="x", name="read", input={}), block("text", 2, text="behind")]
    whole = pass_through(new_gate(), part(content, (1, "read", "{}", "x"), response_metadata=STOP))
    assert whole.text == "beforebehind"
    cut = [block("text", 0, text="before"), block("tool_use", 1, id="x", name="edit", input={}), block("text", 2, text="behind")]
    assert pass_through(new_gate(), part(cut, (1, "edit", "{}", "x"))).text == "before"


def test_server_side_tools_are_content_and_pass():
    use = block("server_tool_use", 0, id="srvtoolu_1", name="edit", input={"q": 1})
    whole = pass_through(new_gate(), part([use], response_metadata={"stop_reason": "end_turn", "model_name": "m"}))
    assert whole.content == [use]


def test_the_chunk_of_the_model_is_left_as_it_is_where_blocks_are_shifted():
    mine = part([block("text", 0, text="a")])
    list(new_gate(block_offset=5).feed(generation(mine)))
    assert mine.content == [block("text", 0, text="a")]


def test_usage_of_a_cut_answer_is_estimated_and_marked():
    estimated = UsageMetadata(input_tokens=100, output_tokens=7, total_tokens=107)
    whole = pass_through(new_gate(estimate=lambda text, thought: estimated, named="kimi"), part("Hm."), part("", (0, "edit", "{", "x")))
    assert whole.usage_metadata == estimated
    assert whole.response_metadata == {"usage_estimated": True, "model_name": "kimi"}


def test_input_that_was_reported_at_the_start_is_not_estimated_again():
    start = part(usage_metadata=UsageMetadata(input_tokens=55, output_tokens=0, total_tokens=55))
    gate = new_gate(estimate=lambda text, thought: UsageMetadata(input_tokens=100, output_tokens=7, total_tokens=107))
    usage = pass_through(gate, start, part("Hm."), part("", (0, "edit", "{", "x"))).usage_metadata
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (55, 7, 62)


@pytest.mark.parametrize(
    ("parts", "reason", "said"),
    [
        ([end()], "empty_response", "neither text nor a tool call"),
        ([part("", (0, "read", '{"a"', "x"), response_metadata=STOP)], "invalid_tool_call", "the call of 'read' cannot be run"),
        ([part("", (0, "", "{}", "x"), response_metadata=STOP)], "invalid_tool_call", "had no name"),
        ([part("", (0, "read", "{}", "x"), response_metadata={**STOP, "finish_reason": "length"})], "truncated", "length limit"),
        ([part("", (0, "read", "{}", "x"), response_metadata={"model_name": "m"})], "truncated", "without a finish reason"),
    ],
    ids=["nothing", "torn JSON", "no name", "length", "clean end"],
)
def test_an_answer_that_cannot_be_used_raises_if_nothing_was_shown(parts, reason, said):
    with pytest.raises(AnswerRejected, match=said) as caught:
        pass_through(new_gate(), *parts)
    assert caught.value.reason == reason


def test_an_answer_that_cannot_be_used_is_recorded_without_its_calls_if_something_was_shown():
    gate = new_gate()
    whole = pass_through(gate, part("Hm."), part("", (0, "read", '{"a"', "x"), response_metadata=STOP))
    assert gate.rejected is not None
    assert gate.rejected.reason == "invalid_tool_call"
    assert (whole.content, whole.tool_call_chunks) == ("Hm.", [])


def test_a_refusal_is_an_answer():
    gate = new_gate()
    pass_through(gate, part(response_metadata={"finish_reason": "content_filter", "model_name": "m"}))
    assert gate.rejected is None


def test_a_call_of_a_tool_that_was_not_offered_is_rejected_only_with_only_bound():
    unseen = part("", (0, "rm", "{}", "x"), response_metadata=STOP)
    assert calls(pass_through(new_gate(), unseen.model_copy(deep=True))) == [("rm", {})]
    with pytest.raises(AnswerRejected, match="the tool 'rm' is not available"):
        pass_through(new_gate(only_bound=True), unseen)


@pytest.mark.parametrize("shown", [False, True])
def test_a_stream_that_breaks_ends_quietly_only_if_something_was_shown(shown: bool):
    gate = new_gate()
    if shown:
        list(gate.feed(generation(part("Hm."))))
    assert gate.fail(ConnectionError("reset")) is shown
    assert (gate.error is not None) is shown


def test_a_stream_that_breaks_after_a_complete_answer_is_not_an_error():
    gate = new_gate()
    list(gate.feed(generation(part("", (0, "read", "{}", "x"), response_metadata=STOP))))
    assert gate.fail(ConnectionError("reset"))
    assert gate.error is None


def test_an_error_that_is_not_kept_is_raised_although_something_was_shown():
    gate = new_gate(keeps=lambda error: not isinstance(error, AttributeError))
    list(gate.feed(generation(part("Hm."))))
    assert not gate.fail(AttributeError("a mistake"))


def test_reasoning_beside_the_content_counts_as_shown():
    gate = new_gate()
    list(gate.feed(generation(part(additional_kwargs={"reasoning_content": "hm"}))))
    assert gate.shown


def test_a_gate_that_starts_again_remembers_only_that_something_was_shown():
    gate = new_gate()
    pass_through(gate, part("Hm."), part("", (0, "edit", "{", "x")))
    gate.restart()
    assert (gate.hit, gate.routed, gate.calls, gate.shown, gate.saw_chunk) == (None, [], [], True, False)


def test_the_last_chunk_comes_once():
    gate = new_gate()
    list(gate.feed(generation(part("Hm."))))
    assert len(list(gate.end())) == 1
    assert list(gate.end()) == []


def test_a_chunk_of_another_class_raises_a_type_error():
    with pytest.raises(TypeError, match="a/b streamed a HumanMessageChunk"):
        list(new_gate().feed(generation(HumanMessageChunk(content="x"))))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["functions.read", "Read", "default_api.read", "functions.read:0", "read<|channel|>commentary"])
@pytest.mark.parametrize("size", [3, 100])
def test_a_name_that_plainly_means_a_routed_tool_is_cut_also_in_pieces(name: str, size: int):
    gate = new_gate(gates={"read": "cut"})
    pieces = [name[at : at + size] for at in range(0, len(name), size)]
    first, *rest = [part("", (0, piece, "", "x" if not at else None)) for at, piece in enumerate(pieces)]
    whole = pass_through(gate, part("Hm."), first, *rest, part("", (0, None, '{"SECRET"')))
    assert gate.halted
    assert (gate.hit, gate.routed[0].tool, whole.tool_calls, whole.tool_call_chunks) == ("read", "read", [], [])


def test_a_kept_call_lands_under_the_name_of_the_tool_that_it_means_also_in_its_blocks():
    gate = new_gate(bound=["edit", "read", "Read_all"])
    block = {"type": "tool_use", "id": "x", "name": "functions.read", "input": {}, "index": 0}
    chunk = part([block], (0, "functions.read", '{"p": 1}', "x"))
    whole = pass_through(gate, chunk, end())
    assert calls(whole) == [("read", {"p": 1})]
    assert isinstance(whole.content, list)
    assert [each["name"] for each in whole.content if isinstance(each, dict)] == ["read"]
    assert gate.renamed
    assert block["name"] == "functions.read", "the model may keep its chunk"


def test_a_name_that_means_a_tool_which_the_model_was_not_offered_is_that_tool_all_the_same():
    gate = new_gate(bound=["read"], gates={}, tools=["read", "edit"])
    assert calls(pass_through(gate, part("", (0, "functions.edit", "{}", "x")), end())) == [("edit", {})]
    withheld = new_gate(bound=["read"], gates={}, tools=["read", "edit"], only_bound=True)
    with pytest.raises(AnswerRejected, match="'edit' is not available"):
        pass_through(withheld, part("", (0, "functions.edit", "{}", "x")), end())


def test_a_name_that_comes_after_the_arguments_is_still_cut():
    gate = new_gate()
    whole = pass_through(gate, part("", (0, None, '{"SECRET": 1}', "x")), part("", (0, "ed")), part("", (0, "it")), end())
    assert (gate.hit, whole.tool_calls) == ("edit", [])


def test_usage_of_a_cut_answer_counts_what_was_reasoned_in_every_form():
    seen: list[tuple[str, str]] = []

    def estimate(text: str, thought: str) -> UsageMetadata:
        seen.append((text, thought))
        return UsageMetadata(input_tokens=1, output_tokens=5, total_tokens=6, output_token_details={"reasoning": 3})

    gate = new_gate(estimate=estimate)
    reasoned = [
        part(additional_kwargs={"reasoning_content": "one "}),
        part([{"type": "thinking", "thinking": "two ", "index": 0}]),
        part([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "three "}], "index": 0}]),
        part([{"type": "reasoning", "reasoning": "four", "index": 0}]),
    ]
    whole = pass_through(gate, *reasoned, part([{"type": "text", "text": "Said.", "index": 1}]), part("", (0, "edit", "{", "x")))
    assert seen == [("Said.", "one two three four")]
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_token_details"] == {"reasoning": 3}


def test_a_look_sees_the_calls_that_are_kept_and_knows_that_others_write_the_rest():
    seen: list[Any] = []

    def look(model: str, found: Any) -> dict[int, str]:
        seen.extend((call.slot, call.tool, written) for call, written in found)
        return {2: "no"}

    gate = new_gate(gates={"edit": "drain"}, look=look)
    parts = [part("", (index, name, f'{{"n": {index}}}', f"own_{index}")) for index, name in enumerate(("read", "edit", "read"))]
    list(gate.begin())
    whole = pass_through(gate, *parts, end())
    assert seen == [(0, "read", '{"n": 0}'), (1, "edit", None), (2, "read", '{"n": 2}')]
    assert [(call["name"], call["args"], call["id"]) for call in whole.tool_calls] == [
        ("read", {"n": 0}, "own_0"), ("edit", {}, "ours_0"), ("read", {}, "own_2"),
    ]  # fmt: skip
    (back,) = gate.sent_back
    assert (back.call.slot, back.call.call_id, back.call.announced, back.arguments) == (2, "own_2", True, '{"n": 2}')
    assert [call.id for call in gate.kept] == ["own_0"]


def test_an_answer_that_broke_off_is_not_looked_at():
    gate = new_gate(look=lambda model, found: pytest.fail("it was looked at"))
    list(gate.feed(generation(part("Hm.", (0, "read", "{}", "x")))))
    assert gate.fail(ConnectionError())
    assert not whole_of(gate).tool_calls
    assert gate.sent_back == []


def whole_of(gate: ReasonGate) -> AIMessageChunk:
    found = merged(gate.end())
    assert found is not None
    return found
