"""A gated model is the model: what it keeps between calls stays with it, and what it raises is noted on the gate."""

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


def gate() -> ReasonGate:
    return ReasonGate("turn", model="a/b")


def test_a_model_that_counts_in_its_own_field_goes_on_counting_behind_the_gate() -> None:
    model = Counting()
    assert [gated(model, gate()).invoke("x").content for _ in range(2)] == ["1", "2"]
    twice = gated(model, gate())
    assert [twice.invoke("x").content, twice.invoke("x").content] == ["3", "4"]


def test_settings_changed_on_a_gated_copy_are_the_ones_it_is_called_with() -> None:
    assert gated(Counting(), gate()).model_copy(update={"step": 5}).invoke("x").content == "5"


def test_a_message_that_the_model_keeps_is_not_renamed() -> None:
    kept = AIMessage("kept", id="own")

    class Keeping(Counting):
        def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            return ChatResult(generations=[ChatGeneration(message=kept)])

    assert gated(Keeping(), gate()).invoke("x").id == "turn"
    assert kept.id == "own"


@pytest.mark.parametrize("stream", [False, True])
async def test_what_the_model_raises_is_noted_and_forgotten_at_its_next_call(stream: bool) -> None:
    """Something around the model may catch the error and return words of its own."""
    script = ScriptedModel([Fail(ConnectionError("503")), Say("fine"), Fail(ConnectionError("503")), Say("fine")])
    post = gate()
    model = gated(script, post, stream_always=stream)
    with pytest.raises(ConnectionError, match="503"):
        model.invoke("x")
    assert "503" in str(post.raised)
    model.invoke("x")
    assert post.raised is None
    post = gate()
    model = gated(script, post, stream_always=stream)
    with pytest.raises(ConnectionError, match="503"):
        await model.ainvoke("x")
    assert "503" in str(post.raised)
    await model.ainvoke("x")
    assert post.raised is None
