"""Arguments in two parts, one case a test; that pieces do not matter is shown in `tests/property/test_cut_at_argument.py`."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from lg_toolroute.gates.arguments import ArgumentCut, members_of, with_fixed
from lg_toolroute.gates.chunks import generation
from lg_toolroute.gates.reasoning import ReasonGate


def gate(**settings: Any) -> ReasonGate:
    cut = ArgumentCut(frozenset({"text"}), lambda arguments, whole: None if whole else list(arguments))
    return ReasonGate("turn", model="a/b", gates={"edit": "cut", "write": "cut"}, cut_in={"edit": cut}.get, bound=["read"], **settings)


def feed(reads: ReasonGate, *pieces: tuple[int, str | None, str | None], blocks: bool = False) -> None:
    """Pieces of calls: `(index, name, args)`."""
    for index, name, args in pieces:
        content: Any = [{"type": "tool_use", "id": f"own_{index}", "name": name, "input": {}, "index": index}] if blocks and name else ""
        piece = tool_call_chunk(name=name, args=args, id=f"own_{index}" if name else None, index=index)
        list(reads.feed(generation(AIMessageChunk(content=content, tool_call_chunks=[piece]))))


def test_the_stream_is_left_with_the_name_of_the_first_long_argument():
    reads = gate()
    feed(reads, (0, "edit", '{"path": "a", "te'))
    assert not reads.halted
    feed(reads, (0, None, 'xt"'))
    assert reads.halted
    assert reads.routed[0].fixed == '{"path": "a"}'


@pytest.mark.parametrize("blocks", [True, False])
def test_a_call_without_arguments_holds_up_the_one_behind_it_only_where_more_of_it_may_come(blocks: bool):
    """Content blocks come one after the other; the arguments of other calls may come later."""
    reads = gate(needs_arguments=lambda name: False)
    feed(reads, (0, "edit", ""), (1, "write", "{"), blocks=blocks)
    assert (reads.hit == "write") == blocks
    if not blocks:
        feed(reads, (0, None, '{"path": "a", "text"'))
        assert [(call.tool, call.fixed) for call in reads.routed] == [("edit", '{"path": "a"}')]


def test_a_call_that_waited_is_cut_at_its_name_once_the_one_before_it_stands():
    reads = gate()
    feed(reads, (0, "edit", ""), (1, "write", '{"text": "SECRET'), (0, None, '{"path": "a"'))
    assert reads.hit is None
    feed(reads, (0, None, "}"))
    assert [(call.slot, call.tool, call.fixed) for call in reads.routed] == [(1, "write", "")]
    assert reads.halted


@pytest.mark.parametrize(
    ("fixed", "written", "problem"),
    [
        ('{"at": 1}', '{"at": 1.0, "text": ""}', False),
        ('{"at": 1}', '{"at": true}', True),
        ('{"at": [1, {"b": null}]}', '{"at":[1,{"b":null}]}', False),
        ('{"at": "1"}', '{"at": 1}', True),
    ],
)
def test_the_same_value_may_be_written_in_another_way(fixed: str, written: str, problem: bool):
    text, found = with_fixed(written, fixed)
    assert (found is not None) == problem
    if not problem:
        assert members_of(text)["at"] == members_of(fixed)["at"]


def test_of_a_call_that_begins_with_a_long_argument_nothing_is_decided():
    reads = gate()
    feed(reads, (0, "edit", '{"text": "'))
    assert reads.routed[0].fixed == "", "an empty object would be told to the writer as decided"
