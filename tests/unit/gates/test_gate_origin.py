"""A gated copy calls the original model: state in its fields stays there, and its errors are stored on the gate."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from lg_toolroute.gates.gate import gated
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.testing import Fail, Say, ScriptedModel


class Counting(BaseChatModel):
    """A model that counts its calls in a field of its own, as many fakes do."""

    count: int = 0
    step: int = 1

    @property
    def _llm_type(self) -> str:
        return "counting"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.count += self.step
        return ChatResult(generations=[ChatGeneration(message=AIMessage(str(self.count), id="own"))])


def new_gate() -> ReasonGate:
    return ReasonGate("turn", model="a/b")


def test_a_model_that_counts_its_calls_in_a_field_goes_on_counting_when_gated() -> None:
    model = Counting()
    assert [gated(model, new_gate()).invoke("x").content for _ in range(2)] == ["1", "2"]
    twice = gated(model, new_gate())
    assert [twice.invoke("x").content, twice.invoke("x").content] == ["3", "4"]


def test_settings_changed_on_a_gated_copy_are_the_ones_it_is_called_with() -> None:
    assert gated(Counting(), new_gate()).model_copy(update={"step": 5}).invoke("x").content == "5"


def test_a_message_that_the_model_keeps_is_not_renamed() -> None:
    kept = AIMessage("kept", id="own")

    class Keeping(Counting):
        def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            return ChatResult(generations=[ChatGeneration(message=kept)])

    assert gated(Keeping(), new_gate()).invoke("x").id == "turn"
    assert kept.id == "own"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_of_the_model_is_stored_on_the_gate_until_the_next_call(stream: bool) -> None:
    """A fallback around the model may catch the error and return an answer of its own."""
    script = ScriptedModel([Fail(ConnectionError("503")), Say("fine"), Fail(ConnectionError("503")), Say("fine")])
    reason_gate = new_gate()
    model = gated(script, reason_gate, stream_always=stream)
    with pytest.raises(ConnectionError, match="503"):
        model.invoke("x")
    assert "503" in str(reason_gate.raised)
    model.invoke("x")
    assert reason_gate.raised is None
    reason_gate = new_gate()
    model = gated(script, reason_gate, stream_always=stream)
    with pytest.raises(ConnectionError, match="503"):
        await model.ainvoke("x")
    assert "503" in str(reason_gate.raised)
    await model.ainvoke("x")
    assert reason_gate.raised is None
