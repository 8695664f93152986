"""What an agent's model is called, what stands around it, and whether it can be used."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI

from lg_toolroute.surfaces.middleware.agent_model import WrappedModel, check_agent_model, plain, spec_of
from lg_toolroute.testing import ScriptedModel

OPENAI = ChatOpenAI(model="gpt-5", api_key="none")  # type: ignore[arg-type]  # pydantic makes a secret of it


@pytest.mark.parametrize(
    ("model", "spec"),
    [
        (OPENAI, "openai/gpt-5"),
        (OPENAI.bind(temperature=0).with_retry(), "openai/gpt-5"),
        (ChatAnthropic(model="claude-sonnet-4-5", api_key="none"), "anthropic/claude-sonnet-4-5"),  # type: ignore[call-arg, arg-type]
        (FakeListChatModel(responses=[]), "fakelistchatmodel/default"),
        (ScriptedModel([], name="kimi/k2"), "kimi/k2"),
    ],
)
def test_a_model_goes_by_the_spec_its_client_describes_to_traces(model: Any, spec: str) -> None:
    assert spec_of(model) == spec


def test_bound_settings_come_with_the_bare_model_and_what_an_agent_binds_anew_does_not() -> None:
    model = ScriptedModel([])
    assert plain(model.bind(temperature=1, stop=["x"]).bind(temperature=2, tools=["old"])) == (model, {"temperature": 2, "stop": ["x"]})
    assert plain(model) == (model, {})


def test_a_model_inside_more_than_settings_is_not_laid_bare() -> None:
    assert plain(ScriptedModel([]).with_retry()) is None
    assert plain(ScriptedModel([]).with_config(tags=["mine"])) is None


def test_a_wrapped_model_answers_for_the_model_inside() -> None:
    inside = ScriptedModel([], name="kimi/k2")
    wrapped = WrappedModel(inside.with_retry(), lambda leaf: leaf, None)
    assert wrapped._llm_type == inside._llm_type
    with pytest.raises(AttributeError):
        wrapped.__deepcopy__  # noqa: B018  # asking is the test


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("openai:gpt-5", "'openai:gpt-5' is a string, not a chat model; write init_chat_model('openai:gpt-5')"),
        (RunnableLambda(lambda x: x), "there is no chat model inside a RunnableLambda"),
        (FakeListChatModel(responses=[]), "a FakeListChatModel cannot be given tools, and this agent has some"),
    ],
)
def test_a_model_that_cannot_be_used_is_described_in_one_sentence(model: Any, words: str) -> None:
    problems = check_agent_model(model, "model", needs_tools=True)
    assert len(problems) == 1
    assert str(problems[0]).startswith(f"model: {words}")
