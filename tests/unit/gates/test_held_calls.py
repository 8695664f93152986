"""A held call is shown as one chunk with all that its pieces held, in the call and in `additional_kwargs`."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.gates.reasoning import ReasonGate


def piece(name: str | None = None, args: str | None = None, call_id: str | None = None, **beside: Any) -> AIMessageChunk:
    return AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=name, args=args, id=call_id, index=0)], additional_kwargs=beside)


def pass_through(*pieces: AIMessageChunk) -> list[AIMessageChunk]:
    gate = ReasonGate("lc_run--1", model="a/b", bound=["edit"])
    shown = [chunk for message in pieces for chunk in gate.feed(ChatGenerationChunk(message=message))]
    end = AIMessageChunk(content="", response_metadata={"finish_reason": "tool_calls"})
    shown += gate.feed(ChatGenerationChunk(message=end))
    shown += gate.end()
    return [chunk.message for chunk in shown if chunk.message.tool_call_chunks]


SIGNED = {"signatures": {"call_1": "c2ln"}}


@pytest.mark.parametrize(
    ("beside", "signed_at"), [({}, None), (SIGNED, 0), (SIGNED, 1), (SIGNED, 2), (SIGNED, 3)], ids=["plain", "first", "second", "third", "last"]
)
def test_pieces_become_one_chunk(beside, signed_at):
    parts = [("ed", None, "call_1"), ("it", '{"pa', None), (None, 'th": ', None), (None, '"a.py"}', None)]
    pieces = [piece(*part, **(beside if at == signed_at else {})) for at, part in enumerate(parts)]
    (whole,) = pass_through(*pieces)
    assert whole.tool_calls == [{"name": "edit", "args": {"path": "a.py"}, "id": "call_1", "type": "tool_call"}]
    assert whole.tool_call_chunks[0]["args"] == '{"path": "a.py"}'
    assert whole.additional_kwargs == beside
    assert whole.id == "lc_run--1"


def test_a_call_without_arguments_has_none():
    (whole,) = pass_through(piece("edit", None, "call_1"))
    assert whole.tool_calls == [{"name": "edit", "args": {}, "id": "call_1", "type": "tool_call"}]
