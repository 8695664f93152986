"""One call of a model, whole or as chunks, whether or not the model streams. How streams are closed and timed is in `test_gate.py`."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from lg_toolroute.gates.model_call import ModelCall, _ThreadedReader, as_one_chunk
from lg_toolroute.testing import Call, Latch, Say, ScriptedModel, ScriptedWholeModel


@pytest.mark.parametrize(
    ("model", "kwargs", "whole"),
    [
        (ScriptedModel(), {}, False),
        (ScriptedWholeModel(), {}, True),
        (ScriptedModel(disable_streaming=True), {}, True),
        (ScriptedModel(disable_streaming="tool_calling"), {}, False),
        (ScriptedModel(disable_streaming="tool_calling"), {"tools": [1]}, True),
        (ScriptedModel(), {"stream": False}, True),
    ],
)
def test_a_model_answers_whole_if_it_cannot_stream_or_is_told_not_to(model: Any, kwargs: dict[str, Any], whole: bool):
    assert ModelCall(model, [], None, kwargs).answers_whole is whole


@pytest.mark.parametrize("cls", [ScriptedModel, ScriptedWholeModel])
async def test_a_models_answer_is_the_same_in_one_piece_and_in_many(cls: Any):
    model = cls([Say("Hm.", [Call("edit", {"path": "a"})], chunks=2)], loop=True)
    call = ModelCall(model, [], None, {})
    plain = list(call.chunks())
    awaited = [chunk async for chunk in call.achunks()]
    assert "".join(chunk.text for chunk in plain) == "".join(chunk.text for chunk in awaited) == "Hm."
    assert len(plain) == len(awaited) == (1 if cls is ScriptedWholeModel else len(plain))


def test_an_answer_without_a_choice_is_an_empty_chunk():
    assert as_one_chunk(ChatResult(generations=[])).message.content == ""


def test_llm_output_is_added_to_the_message_where_the_message_lacks_it():
    message = AIMessage("x", response_metadata={"model_name": "own"})
    chunk = as_one_chunk(ChatResult(generations=[ChatGeneration(message=message)], llm_output={"model_name": "other", "id": "1"}))
    assert chunk.message.response_metadata == {"model_name": "own", "id": "1"}


def test_a_stream_that_is_abandoned_while_a_thread_waits_in_it_is_closed_by_that_thread():
    latch, closed = Latch(), threading.Event()

    def stream() -> Any:
        try:
            latch.wait(30.0)
            yield "late"
        finally:
            closed.set()

    reader = _ThreadedReader(stream())
    thread = threading.Thread(target=reader.read)
    thread.start()
    latch.wait_reached()
    reader.abandoned = True
    reader.close()
    assert not closed.is_set()
    latch.open()
    thread.join(30.0)
    assert closed.is_set()
    reader.close()
