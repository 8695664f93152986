"""From a spec to a chat model: built once, or handed in and used as it is."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.runnables import RunnableBinding, RunnableLambda

from lg_toolroute.clients.models import ModelBook
from lg_toolroute.config import load_config
from lg_toolroute.errors import ConfigError
from lg_toolroute.rulebook.book import compile_config
from lg_toolroute.testing import ScriptedModel

ENV = {"DEEPSEEK_API_KEY": "sk-deepseek-secret", "MY_KEY": "sk-my-secret"}


def book(given: Any = None, environ: Any = None, **config: Any) -> ModelBook:
    document = {"model": {"primary": "deepseek/deepseek-v4", "fallbacks": ["local/tiny"]}, **config}
    return ModelBook(compile_config(load_config(document)), given, ENV if environ is None else environ)


LOCAL = {"models": {"providers": {"local": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "${MY_KEY}", "headers": {"x-team": "${MY_KEY}"}}}}}


def test_a_model_is_built_once_for_each_set_of_settings():
    made = book()
    first = made.get("deepseek/deepseek-v4")
    assert made.get("deepseek/deepseek-v4") is first
    warm = made.get("deepseek/deepseek-v4", {"temperature": 0.5})
    assert warm is not first
    assert made.get("deepseek/deepseek-v4", {"temperature": 0.5}) is warm


def test_a_client_gets_the_address_the_key_the_headers_and_no_retries_of_its_own():
    model: Any = book(**LOCAL).get("local/tiny", {"temperature": 0.1})
    assert (model.model_name, model.openai_api_base, model.temperature, model.max_retries) == ("tiny", "http://127.0.0.1:9/v1", 0.1, 0)
    assert model.openai_api_key.get_secret_value() == "sk-my-secret"
    assert model.default_headers == {"x-team": "sk-my-secret"}
    assert model.stream_usage


@pytest.mark.parametrize(
    ("spec", "params", "echoes"),
    [
        ("local/deepseek-v4-flash", {}, True),
        ("local/deepseek-ai/DeepSeek-V4-Pro", {}, True),
        ("local/kimi-k2.5", {}, True),
        ("local/kimi-k3", {}, True),
        ("local/deepseek-v4-flash", {"echo_reasoning": False}, False),
        ("local/deepseek-r1-distill-qwen-7b", {}, False),
        ("local/kimi-k2-instruct", {}, False),
        ("vllm/deepseek-v4-flash", {}, False),
    ],
)
def test_a_model_that_wants_its_reasoning_back_gets_it_behind_an_unknown_provider_too(spec: str, params: Any, echoes: bool):
    assert book(**LOCAL).get(spec, params).echo_reasoning is echoes  # type: ignore[attr-defined]


def test_params_win_over_the_defaults_for_a_client():
    assert book(**LOCAL).get("local/tiny", {"max_retries": 7}).max_retries == 7  # type: ignore[attr-defined]


def test_silence_is_limited_by_the_client_itself():
    timeout = book(timeouts={"firstTokenS": 7, "idleS": 3}).get("deepseek/deepseek-v4").request_timeout  # type: ignore[attr-defined]
    assert (timeout.read, timeout.connect) == (7, 7)


def test_a_provider_without_a_key_or_an_address_is_named_with_what_to_write():
    with pytest.raises(ConfigError, match=r"models\.providers\.deepseek\.apiKey: .* set the environment variable DEEPSEEK_API_KEY"):
        book(environ={}).get("deepseek/deepseek-v4")
    with pytest.raises(ConfigError, match=r"models\.providers\.local\.baseUrl: .* write its baseUrl, or hand the model in"):
        book().get("local/tiny")


def test_check_finds_what_cannot_be_built_and_builds_nothing():
    (problem,) = book().check()
    assert problem.path == "models.providers.local.baseUrl"
    assert book({"local/tiny": ScriptedModel()}).check() == ()
    assert [problem.path for problem in book(environ={}).check()] == ["models.providers.deepseek.apiKey", "models.providers.local.baseUrl"]


def test_a_client_that_is_not_installed_is_named_with_the_command():
    found = book(model="cohere/command", environ={"COHERE_API_KEY": "k"}).check()
    assert all("pip install langchain-cohere" in str(problem) for problem in found)
    assert found


# -- handed in -----------------------------------------------------------------------------------------------------------------------------


def test_a_model_that_was_handed_in_is_that_very_model_under_any_spelling_of_its_spec():
    mine = ScriptedModel()
    made = book({"Ollama:gpt-oss:20b": mine})
    assert made.get("ollama/gpt-oss:20b") is mine
    assert made.is_given("ollama/gpt-oss:20b")
    assert made.spec_of(mine) == "ollama/gpt-oss:20b"
    assert made.spec_of(ScriptedModel()) is None
    bound = made.get("ollama/gpt-oss:20b", {"temperature": 1})
    assert isinstance(bound, RunnableBinding)
    assert bound.kwargs == {"temperature": 1}


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        ("noprovider", ScriptedModel(), "names no provider"),
        ("a/b", "openai:gpt-5", "is a string, not a chat model; write models={'a/b': init_chat_model('openai:gpt-5')}"),
        ("a/b", object(), "a object is not a chat model; hand in a BaseChatModel"),
        ("a/b", RunnableLambda(lambda x: x), "a RunnableLambda is not a chat model"),
        ("a/b", None, "a NoneType is not a chat model"),
    ],
)
def test_what_is_no_chat_model_is_refused_at_once(name, model, said):
    with pytest.raises(ConfigError, match="models") as caught:
        book({name: model})
    assert said in str(caught.value)
    assert caught.value.problems[0].path == f"models[{name!r}]"


# -- facts and limits ---------------------------------------------------------------------------------------------------------------------


def test_the_configuration_wins_over_the_models_profile():
    listed = {
        "models": {"providers": {"mine": {"models": [{"id": "one", "contextWindow": 100, "input": ["text"], "compat": {"supportsTools": False}}]}}}
    }
    model = ScriptedModel(name="mine/one", profile={"max_input_tokens": 5000, "image_inputs": True, "pdf_inputs": True, "tool_calling": True})
    facts = book({"mine/one": model}, **listed).facts("mine/one")
    assert (facts.context_window, facts.inputs, facts.supports_tools) == (100, frozenset({"text"}), False)
    facts = book({"mine/one": model}).facts("mine/one")
    assert (facts.context_window, facts.inputs, facts.supports_tools) == (5000, frozenset({"text", "image", "pdf"}), True)


def test_a_profile_that_names_only_one_kind_of_input_decides_no_inputs():
    assert book({"mine/one": ScriptedModel(profile={"image_inputs": True})}).facts("mine/one").inputs is None


def test_asking_for_the_facts_of_a_model_builds_nothing():
    assert book(environ={}).facts("deepseek/deepseek-v4").context_window is None


def test_time_limits_are_kept_outside_a_model_that_was_handed_in_and_by_the_client_of_one_that_is_built():
    given = {"mine/one": ScriptedModel()}
    for_built = book(**LOCAL).limits("local/tiny", sync=False)
    assert for_built is not None
    assert (for_built.first_token_s, for_built.total_s, for_built.client_waits) == (None, 600.0, True)
    around = book(given).limits("mine/one", sync=False)
    assert around is not None
    assert (around.first_token_s, around.idle_s, around.total_s, around.client_waits) == (120.0, 60.0, 600.0, False)
    assert book(given).limits("mine/one", sync=True) is None
    assert book(given, timeouts={"idleS": 3}).limits("mine/one", sync=True) is not None
    none = {"timeouts": {"firstTokenS": None, "idleS": None, "totalS": None}}
    assert book(given, **none).limits("mine/one", sync=False) is None
