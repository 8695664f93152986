"""Laws of the cut at an argument: whatever the primary writes, in whatever order and chunks, its short arguments land and none of its long ones."""

from __future__ import annotations

import itertools
import json
from collections import deque
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from lg_toolroute.gates.arguments import MOST_SHORT, ArgumentCut, ArgumentReader, members_of, with_fixed
from lg_toolroute.gates.chunks import generation, merged
from lg_toolroute.gates.gate import gated
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from tests.property.test_gate import SECRET, Replay, pieces
from tests.support.sampling import examples

SHORT, LONG = ["path", "all", "at", "näme", "co\"te"], ["old", "new", "téxt"]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8) | st.text('\\"{,', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SHORT, *LONG]), inner, max_size=2),
    max_leaves=5,
)
secrets = values.map(lambda value: [SECRET, value]) | st.text(max_size=8).map(lambda text: SECRET + text)
short = st.tuples(st.sampled_from(SHORT), values)
long = st.tuples(st.sampled_from(LONG), secrets)
members = st.lists(short | short | long, max_size=6)
"""Arguments in their order, some names more than once."""
answers = st.dictionaries(st.sampled_from([*SHORT, *LONG]), values)


def written(data: st.DataObject, arguments: list[tuple[str, Any]]) -> str:
    """The arguments as a model may write them: spaces anywhere, characters escaped or not."""
    space = st.text(" \t\n\r", max_size=2)
    ascii_only = data.draw(st.booleans())

    def spaced(text: str) -> str:
        return data.draw(space) + text + data.draw(space)

    inside = ",".join(spaced(json.dumps(name, ensure_ascii=ascii_only)) + ":" + spaced(json.dumps(value)) for name, value in arguments)
    return spaced("{" + (inside or data.draw(space)) + "}")


def expected(arguments: list[tuple[str, Any]]) -> tuple[dict[str, Any], bool]:
    """The short arguments before the first long one, and whether there is a long one."""
    first = next((place for place, (name, _) in enumerate(arguments) if name in LONG), len(arguments))
    return dict(arguments[:first]), first < len(arguments)


def stream(data: st.DataObject, calls: list[tuple[str, str]], *, blocks: bool) -> list[AIMessageChunk]:
    """Calls in chunks; with `blocks` in Claude's content blocks, else as other clients send them, the arguments of several calls in turn."""
    chunks: list[AIMessageChunk] = []
    rest: list[list[AIMessageChunk]] = []
    for index, (name, text) in enumerate(calls):
        head = tool_call_chunk(name=name, args="", id=f"own_{index}", index=index)
        block = [{"type": "tool_use", "id": f"own_{index}", "name": name, "input": {}, "index": index}] if blocks else ""
        deltas = []
        for part in pieces(data, text):
            content = [{"type": "input_json_delta", "partial_json": part, "index": index}] if blocks else ""
            deltas.append(AIMessageChunk(content=content, tool_call_chunks=[tool_call_chunk(args=part, index=index)]))
        mine = [AIMessageChunk(content=block, tool_call_chunks=[head]), *deltas]
        if blocks or data.draw(st.booleans()):
            chunks += mine
        else:
            chunks.append(mine[0])
            rest.append(mine[1:])
    while rest := [each for each in rest if each]:
        chunks.append(data.draw(st.sampled_from(rest)).pop(0))
    return [*chunks, AIMessageChunk(content="", response_metadata={"finish_reason": "tool_calls", "model_name": "replay"})]


def reason(chunks: list[AIMessageChunk], cut: ArgumentCut, mode: str = "cut") -> tuple[ReasonGate, AIMessageChunk, str]:
    """The gate, what it showed as one message, and all that it showed as text."""
    numbers = itertools.count()
    gate = ReasonGate(
        "lc_run--1", model="a/b", gates={"edit": mode}, cut_in={"edit": cut}.get, bound=["edit", "read"], new_id=lambda: f"ours_{next(numbers)}"
    )
    shown = [part.message for part in gated(Replay(chunks=chunks, pulled=[]), gate)._stream([])]
    whole = merged(generation(part) for part in shown)
    assert whole is not None
    return gate, whole, "".join(part.model_dump_json() for part in shown)


def write(data: st.DataObject, text: str, fixed: str) -> tuple[dict[str, Any], str]:
    """The call that lands when the writer writes this text, and all that is shown of it."""
    gate = WriteGate(
        "lc_run--1", model="c/d", tools=("edit",), call_ids=("ours",), slots=(0,), exact=False, schemas={}, fixed=(fixed,), new_id=lambda: "more"
    )
    shown = [part.message for part in gated(Replay(chunks=stream(data, [("edit", text)], blocks=False), pulled=[]), gate)._stream([])]
    whole = merged(generation(part) for part in shown)
    assert whole is not None
    ((_, _, _, accepted),) = gate.accepted
    assert [call["args"] for call in whole.tool_calls] == [json.loads(accepted)]
    return json.loads(accepted), "".join(part.model_dump_json() for part in shown)


ALL = ArgumentCut(frozenset(LONG), lambda arguments, whole: None if whole else list(arguments))
"""All short arguments stay; a call without a long one stands."""


@settings(max_examples=examples(300), deadline=None)
@given(data=st.data(), arguments=members, answer=answers, repeats=st.booleans(), blocks=st.booleans())
def test_the_landed_call_has_the_short_arguments_of_the_primary_and_the_long_ones_of_the_writer(data, arguments, answer, repeats, blocks):
    fixed, cut = expected(arguments)
    text = written(data, arguments)
    gate, whole, shown = reason(stream(data, [("edit", text)], blocks=blocks), ALL)
    assert SECRET not in shown
    if not cut:
        assert (gate.routed, [call["args"] for call in whole.tool_calls]) == ([], [dict(arguments)])
        return
    assert whole.tool_calls == []
    assert [json.loads(call.fixed or "{}") for call in gate.routed] == [fixed]
    writes = {**answer, **(fixed if repeats else {name: fixed[name] for name in answer.keys() & fixed.keys()})}
    landed, shown = write(data, written(data, list(writes.items())), gate.routed[0].fixed)
    assert SECRET not in shown
    assert landed == {**writes, **fixed}
    assert list(landed)[: len(fixed)] == list(fixed)


@settings(max_examples=examples(200), deadline=None)
@given(data=st.data(), calls=st.lists(st.tuples(st.sampled_from(["read", "edit"]), members), min_size=1, max_size=4), blocks=st.booleans())
def test_among_several_calls_the_first_with_a_long_argument_is_cut_and_those_before_it_are_kept(data, calls, blocks):
    """However their pieces are mixed: a call behind one that is still read up to its first long argument waits for it."""
    safe = [(name, arguments if name == "edit" else [each for each in arguments if each[0] in SHORT]) for name, arguments in calls]
    slot = next((place for place, (name, arguments) in enumerate(safe) if name == "edit" and expected(arguments)[1]), None)
    gate, whole, shown = reason(stream(data, [(name, written(data, arguments)) for name, arguments in safe], blocks=blocks), ALL)
    assert SECRET not in shown
    assert [(call.slot, json.loads(call.fixed or "{}")) for call in gate.routed] == ([] if slot is None else [(slot, expected(safe[slot][1])[0])])
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [(name, dict(arguments)) for name, arguments in safe[:slot]]


@settings(max_examples=examples(100), deadline=None)
@given(data=st.data(), calls=st.lists(members, min_size=1, max_size=3), blocks=st.booleans())
def test_drained_calls_keep_all_their_short_arguments_and_stand_without_a_long_one(data, calls, blocks):
    gate, whole, shown = reason(stream(data, [("edit", written(data, each)) for each in calls], blocks=blocks), ALL, "drain")
    assert SECRET not in shown
    cut = [(slot, {name: value for name, value in each if name in SHORT}) for slot, each in enumerate(calls) if expected(each)[1]]
    assert [(call.slot, json.loads(call.fixed or "{}")) for call in gate.routed] == cut
    assert [call["args"] for call in whole.tool_calls if call["args"]] == [dict(each) for each in calls if not expected(each)[1] and each]


@settings(max_examples=examples(150), deadline=None)
@given(data=st.data(), text=st.text(max_size=30) | st.text('{}[]":,\\ ntrue1"path"', max_size=30))
def test_any_text_is_read_the_same_in_any_pieces_and_its_members_are_those_that_a_parser_finds(data, text):
    whole, bit_by_bit = ArgumentReader(["old"]), ArgumentReader(["old"])
    whole.read(text)
    for end in itertools.accumulate(map(len, pieces(data, text))):
        bit_by_bit.read(text[:end])
    state = (whole.members, whole.at, whole.ended)
    assert state == (bit_by_bit.members, bit_by_bit.at, bit_by_bit.ended)
    if whole.ended == "closed":
        parsed = json.loads(text[: whole.at])
        assert {name: json.loads(value) for name, value in whole.members.items()} == parsed


@settings(max_examples=examples(100), deadline=None)
@given(data=st.data(), fixed=st.dictionaries(st.sampled_from(SHORT), values, min_size=1), other=values)
def test_an_answer_that_changes_what_is_decided_is_never_taken(data, fixed, other):
    name = data.draw(st.sampled_from(sorted(fixed)))
    answer = {**fixed, name: other}
    _, problem = with_fixed(written(data, list(answer.items())), json.dumps(fixed))
    same = json.dumps(fixed[name], sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (problem is None) == (same or (fixed[name] == other and not isinstance(other, bool) and not isinstance(fixed[name], bool)))


@settings(max_examples=examples(40), deadline=None)
@given(
    begun=st.sampled_from(['{"path": "', '{"path": "a", "at": [', "{", '{"path": "a"', '{"path": "a", ']),
    more=st.sampled_from(["x", " ", "[", '"x",', "\\n"]),
    size=st.integers(20, 500),
)
def test_arguments_that_never_end_are_cut_behind_a_bound(begun, more, size):
    gate = ReasonGate("lc_run--1", model="a/b", gates={"edit": "cut"}, cut_in={"edit": ALL}.get)
    deque(gate.feed(generation(part(name="edit", id="own"))), maxlen=0)
    text = begun + more * (2 * MOST_SHORT)
    for place in range(0, len(text), size):
        if not gate.halted:
            deque(gate.feed(generation(part(args=text[place : place + size]))), maxlen=0)
    assert gate.halted
    assert [call.tool for call in gate.routed] == ["edit"]
    assert len(gate.calls[0].args) <= MOST_SHORT
    assert set(members_of(gate.routed[0].fixed)) <= {"path"}


def part(*, name: str | None = None, id: str | None = None, args: str = "") -> AIMessageChunk:
    return AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=name, args=args, id=id, index=0)])
