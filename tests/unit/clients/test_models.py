"""From a spec to a chat model: built once, bound once, and whatever stands around a model keeps standing around it."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.runnables import ConfigurableField, RunnableBinding, RunnableLambda
from langchain_core.tools import InjectedToolArg, InjectedToolCallId, tool
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime
from pydantic import BaseModel

from lg_toolroute.clients.bindings import arguments_schema
from lg_toolroute.clients.models import ModelBook
from lg_toolroute.clients.wrappers import first_leaf, leaves, map_leaves
from lg_toolroute.config import load_config
from lg_toolroute.errors import ConfigError
from lg_toolroute.rulebook.compile import compile_config
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


def test_settings_of_the_caller_go_before_what_we_would_set():
    assert book(**LOCAL).get("local/tiny", {"max_retries": 7}).max_retries == 7  # type: ignore[attr-defined]


def test_silence_is_limited_by_the_client_itself():
    timeout = book(timeouts={"firstTokenS": 7, "idleS": 3}).get("deepseek/deepseek-v4").request_timeout  # type: ignore[attr-defined]
    assert (timeout.read, timeout.connect) == (7, 7)


def test_a_provider_without_a_key_or_an_address_is_named_with_what_to_write():
    with pytest.raises(ConfigError, match=r"models\.providers\.deepseek\.apiKey: .* set the environment variable DEEPSEEK_API_KEY"):
        book(environ={}).get("deepseek/deepseek-v4")
    with pytest.raises(ConfigError, match=r"models\.providers\.local\.baseUrl: .* write its baseUrl, or hand the model in"):
        book().get("local/tiny")


def test_what_cannot_be_built_is_found_without_building():
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


def wrapped(model: BaseChatModel) -> dict[str, Any]:
    field = ConfigurableField(id="which")
    return {
        "plain": model,
        "bind": model.bind(temperature=0),
        "config": model.with_config(tags=["t"]),
        "retry": model.with_retry(),
        "fallbacks": model.with_fallbacks([ScriptedModel(name="other/one")]),
        "fields": model.configurable_fields(temperature=field),
        "alternatives": model.configurable_alternatives(field, other=ScriptedModel(name="other/one")),
        "deep": model.bind(temperature=0).with_retry().with_fallbacks([ScriptedModel(name="other/one").with_retry()]),
    }


@pytest.mark.parametrize("how", list(wrapped(ScriptedModel())))
def test_the_chat_models_inside_anything_are_found_and_can_be_changed_in_place(how: str):
    model = ScriptedModel(["Hi."], name="mine/own")
    around = wrapped(model)[how]
    assert first_leaf(around) is model
    assert book({"mine/own": around}).get("mine/own") is around
    changed = map_leaves(around, lambda leaf: ScriptedModel([f"I stand in for {leaf.spec}."]))  # type: ignore[attr-defined]
    assert changed.invoke("x").content == "I stand in for mine/own."
    if how != "plain":
        assert len(leaves(around)) == (2 if how in {"fallbacks", "deep"} else 1)


def test_what_a_config_chooses_is_what_is_changed():
    field = ConfigurableField(id="which")
    around = ScriptedModel(name="a/a").configurable_alternatives(field, other=ScriptedModel(name="b/b"))
    names: list[str] = []
    map_leaves(around, lambda leaf: names.append(leaf.spec) or leaf, {"configurable": {"which": "other"}})  # type: ignore[attr-defined, func-returns-value]
    assert names == ["b/b"]


def test_there_is_no_leaf_in_something_else():
    assert leaves(RunnableLambda(lambda x: x)) == []
    assert first_leaf("no") is None
    with pytest.raises(ConfigError, match="there is no chat model inside a RunnableLambda"):
        map_leaves(RunnableLambda(lambda x: x), lambda leaf: leaf)


# -- what is known of a model -----------------------------------------------------------------------------------------------------------------


def test_the_configuration_goes_before_the_models_own_profile():
    listed = {
        "models": {"providers": {"mine": {"models": [{"id": "one", "contextWindow": 100, "input": ["text"], "compat": {"supportsTools": False}}]}}}
    }
    model = ScriptedModel(name="mine/one", profile={"max_input_tokens": 5000, "image_inputs": True, "pdf_inputs": True, "tool_calling": True})
    facts = book({"mine/one": model}, **listed).facts("mine/one")
    assert (facts.context_window, facts.inputs, facts.supports_tools) == (100, frozenset({"text"}), False)
    facts = book({"mine/one": model}).facts("mine/one")
    assert (facts.context_window, facts.inputs, facts.supports_tools) == (5000, frozenset({"text", "image", "pdf"}), True)


def test_a_profile_that_knows_only_half_says_nothing_about_inputs():
    assert book({"mine/one": ScriptedModel(profile={"image_inputs": True})}).facts("mine/one").inputs is None


def test_facts_of_a_model_nobody_built_are_the_configurations_and_build_nothing():
    assert book(environ={}).facts("deepseek/deepseek-v4").context_window is None


def test_limits_are_ours_around_a_model_that_was_handed_in_and_the_clients_around_one_that_is_built():
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


# -- tools ------------------------------------------------------------------------------------------------------------------------------------


@tool
def edit(path: str, times: int = 1) -> str:
    """Edit a file."""
    return path


@tool
def injected(
    path: str,
    state: Annotated[dict[str, Any], InjectedState],
    mood: Annotated[str, InjectedState("mood")],
    store: Annotated[Any, InjectedStore()],
    mark: Annotated[str, InjectedToolCallId],
    user: Annotated[str, InjectedToolArg],
    runtime: ToolRuntime,
) -> str:
    """Edit a file."""
    return path


def test_the_schema_of_a_tool_is_what_a_model_writes_and_not_what_a_graph_injects():
    schema = arguments_schema(injected)
    assert schema is not None
    assert (list(schema["properties"]), schema["required"]) == (["path"], ["path"])


class Edit(BaseModel):
    """Edit a file."""

    path: str


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "function", "function": {"name": "edit", "description": "d", "parameters": {"type": "object", "properties": {"path": {}}}}},
        {"name": "edit", "description": "d", "input_schema": {"type": "object", "properties": {"path": {}}}},
        {"name": "edit", "description": "d", "parameters": {"type": "object", "properties": {"path": {}}}},
        Edit,
    ],
    ids=["openai", "anthropic", "function", "class"],
)
def test_tools_of_any_dialect_have_a_schema(shape):
    schema = arguments_schema(shape)
    assert schema is not None
    assert list(schema["properties"]) == ["path"]


@pytest.mark.parametrize("shape", [{"type": "web_search"}, {"type": "web_search_20250305", "name": "web_search"}])
def test_a_tool_that_runs_at_the_provider_has_none(shape):
    assert arguments_schema(shape) is None


def test_a_schema_is_read_once():
    made = book()
    assert made.schema(edit) is made.schema(edit)


class Noting(ScriptedModel):
    """Counts how often tools are bound to it."""

    def bind_tools(self, tools: Any, **settings: Any) -> Any:
        BOUND.append((len(tools), settings))
        return super().bind_tools(tools, **settings)


BOUND: list[Any] = []


def test_tools_are_bound_once_for_each_model_tool_set_and_choice():
    BOUND.clear()
    made, model = book(), Noting()
    first = made.bound(model, [edit], "edit")
    assert made.bound(model, [edit], "edit") is first
    assert made.bound(model, [edit]) is not first
    made.bound(model, [edit, injected], "edit")
    made.bound(Noting(), [edit], "edit")
    made.bound(model, [edit], "edit", strict=True)
    assert [(1, {"tool_choice": "edit"}), (1, {}), (2, {"tool_choice": "edit"}), (1, {"tool_choice": "edit"}), (1, BOUND[4][1])] == BOUND


class Simple(FakeListChatModel):
    """Its `bind_tools` knows no choice, and keeps the tools itself."""

    kept: int = 0

    def bind_tools(self, tools: Any) -> Any:  # type: ignore[override]
        return self.model_copy(update={"kept": len(tools)})


def test_a_model_that_keeps_its_tools_itself_is_asked_in_the_copy_that_has_them():
    bound, settings = book().bound(Simple(responses=["x"]), [edit], "edit")
    assert (bound.kept, settings) == (1, {})  # type: ignore[attr-defined]


class Broken(FakeListChatModel):
    def bind_tools(self, tools: Any, **settings: Any) -> Any:
        return "not a model"


def test_a_bind_tools_that_returns_something_else_is_named():
    with pytest.raises(ConfigError, match=r"Broken: its bind_tools returned a str; return self\.bind"):
        book().bound(Broken(responses=["x"]), [edit])
