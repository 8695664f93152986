"""Chat models of langchain-community by spec: what they are given, and what is said when something is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from lg_toolroute.clients.models import ModelBook
from lg_toolroute.config import load_config
from lg_toolroute.errors import ConfigError
from lg_toolroute.rulebook.book import compile_config
from tests.support.local_engines import gguf, llama_cpp  # noqa: F401  # fixtures

SECRET = "sk-secret.key"


def book(cls: str, environ: dict[str, str] | None = None, **provider: Any) -> ModelBook:
    document = {"model": "mine/big", "models": {"providers": {"mine": {"api": f"community:{cls}", **provider}}}}
    return ModelBook(compile_config(load_config(document)), {}, environ or {})


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        ("MiniMaxChat", {"model": "big", "minimax_api_host": "http://127.0.0.1:9/v1"}),
        ("ChatDeepInfra", {"model_name": "big", "url": "http://127.0.0.1:9/v1", "max_retries": 0, "request_timeout": 7}),
        ("ChatZhipuAI", {"model_name": "big", "zhipuai_api_base": "http://127.0.0.1:9/v1"}),
        ("ChatBaichuan", {"model": "big", "baichuan_api_base": "http://127.0.0.1:9/v1", "request_timeout": 7}),
    ],
)
def test_a_class_gets_the_settings_that_it_has_fields_for(cls: str, expected: dict[str, Any]):
    document = {
        "model": "mine/big",
        "timeouts": {"firstTokenS": 7, "idleS": 3},
        "models": {"providers": {"mine": {"api": f"community:{cls}", "baseUrl": "http://127.0.0.1:9/v1", "apiKey": "${KEY}"}}},
    }
    model: Any = ModelBook(compile_config(load_config(document)), {}, {"KEY": SECRET}).get("mine/big", {"temperature": 0.25})
    assert {name: getattr(model, name) for name in expected} == expected
    assert (model.temperature, model.disable_streaming) == (0.25, "tool_calling")
    assert type(model).__name__ == cls
    assert SECRET not in repr(model)


def test_params_win_over_what_the_configuration_would_set():
    provider = {"apiKey": SECRET, "params": {"disable_streaming": False, "base_url": "http://127.0.0.1:7/v1"}}
    made = book("MiniMaxChat", baseUrl="http://127.0.0.1:9/v1", **provider)
    model: Any = made.get("mine/big", {"disable_streaming": False, "base_url": "http://127.0.0.1:7/v1"})
    assert (model.disable_streaming, model.minimax_api_host) == (False, "http://127.0.0.1:7/v1")


def test_a_missing_key_is_named_by_the_variable_that_the_class_reads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MINIMAX_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"mine/big: MiniMaxChat cannot be built: .*MINIMAX_API_KEY"):
        book("MiniMaxChat").get("mine/big")


@pytest.mark.parametrize(
    ("cls", "provider", "said"),
    [
        ("MiniMaxChatt", {}, "mine/big: langchain_community.chat_models has no 'MiniMaxChatt'; did you mean 'MiniMaxChat'?"),
        ("ChatMLX", {}, "mine/big: ChatMLX needs mlx_lm, which is not installed; run: pip install 'mlx-lm'"),
        ("ChatLlamaCpp", {}, "mine/big: ChatLlamaCpp needs llama_cpp, which is not installed; run: pip install 'llama-cpp-python'"),
        ("ChatTongyi", {}, "mine/big: ChatTongyi needs dashscope, which is not installed; run: pip install 'dashscope'"),
        ("MiniMaxChat", {"headers": {"x": "y"}}, "models.providers.mine.headers: MiniMaxChat takes no headers; leave them out, or hand the model in"),
        ("FakeListChatModel", {"baseUrl": "http://x"}, "models.providers.mine.baseUrl: FakeListChatModel takes no base URL; leave it out"),
    ],
)
def test_what_cannot_be_built_is_found_without_building_and_raised_when_built(cls: str, provider: dict[str, Any], said: str):
    made = book(cls, **provider)
    (problem,) = made.check()
    assert said in str(problem)
    with pytest.raises(ConfigError) as caught:
        made.get("mine/big")
    assert problem in caught.value.problems


def test_without_langchain_community_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None if name == "langchain_community" else found(name, package))
    (problem,) = book("MiniMaxChat").check()
    assert str(problem) == "mine/big: MiniMaxChat needs langchain_community, which is not installed; run: pip install 'lg_toolroute[community]'"


def test_a_model_file_that_is_missing_is_found_without_loading(llama_cpp: Any, gguf: Path):  # noqa: F811
    (problem,) = book("ChatLlamaCpp").check()
    assert str(problem).startswith("mine/big: has no model file; write params:")
    (problem,) = book("ChatLlamaCpp", params={"model_path": "/no/such.gguf"}).check()
    assert str(problem) == "mine/big: its model file '/no/such.gguf' does not exist; write the path of a GGUF file"
    assert book("ChatLlamaCpp", params={"model_path": str(gguf)}).check() == ()
    assert not llama_cpp.Llama.loaded


def test_a_model_in_this_process_takes_no_base_url(llama_cpp: Any, gguf: Path):  # noqa: F811
    (problem,) = book("ChatLlamaCpp", baseUrl="http://127.0.0.1:8080/v1", params={"model_path": str(gguf)}).check()
    assert str(problem).startswith("models.providers.mine: ChatLlamaCpp runs in this process and takes no base URL and no headers; leave them out")


def test_a_model_file_that_the_engine_refuses_is_a_mistake_of_the_configuration(llama_cpp: Any, gguf: Path, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    def refuse(self: Any, model_path: str, **settings: Any) -> None:
        raise ValueError("invalid magic characters")

    monkeypatch.setattr(llama_cpp.Llama, "__init__", refuse)
    with pytest.raises(ConfigError, match=r"mine/big: ChatLlamaCpp cannot be built: Could not load Llama model from path: .* invalid magic"):
        book("ChatLlamaCpp").get("mine/big", {"model_path": str(gguf)})


def test_a_known_providers_own_address_is_not_given_to_a_community_class():
    document = {"model": "deepinfra/big", "models": {"providers": {"deepinfra": {"api": "community:ChatDeepInfra"}}}}
    model: Any = ModelBook(compile_config(load_config(document)), {}, {"DEEPINFRA_API_KEY": SECRET}).get("deepinfra/big")
    assert model.url.endswith("/chat/completions")
    assert model.deepinfra_api_token == SECRET


@pytest.mark.parametrize("api", ["community:", "community:not a class", "openai-completion"])
def test_an_api_that_does_not_exist_is_refused_with_the_known_ones(api: str):
    with pytest.raises(ConfigError, match=r"models\.providers\.mine\.api: .* is not one of .*community:<class>"):
        load_config({"models": {"providers": {"mine": {"api": api}}}})
