"""Clients that are built from a configuration do not show their headers, and leave retrying to the chain."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd

from lg_toolroute import ConfigError, ToolRouter, create_toolroute_agent
from lg_toolroute.clients.models import ModelBook
from lg_toolroute.config import load_config
from lg_toolroute.rulebook.book import compile_config
from lg_toolroute.testing import FaultServer, Say, faults

SECRET = "secret-token"
KEYS = dict.fromkeys(("ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "MISTRAL_API_KEY", "OPENAI_API_KEY", "MY_KEY"), "key") | {"TOKEN": SECRET}
HEADERS = {"headers": {"x-team": "${TOKEN}"}}


def built(spec: str, **provider: Any) -> Any:
    document = {"model": spec, "models": {"providers": {spec.partition("/")[0]: provider}}}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ResourceWarning)  # a client that was built twice closes its first transport late
        return ModelBook(compile_config(load_config(document)), {}, KEYS).get(spec)


@pytest.mark.parametrize(
    ("spec", "more", "field"),
    [
        ("my/model", {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "${MY_KEY}"}, "default_headers"),
        ("openai/gpt-5", {"api": "openai-responses"}, "default_headers"),
        ("anthropic/claude-sonnet-4-5", {}, "default_headers"),
        ("google/gemini-3-pro", {}, "additional_headers"),
    ],
)
def test_headers_reach_the_client_and_are_not_shown(spec: str, more: dict[str, Any], field: str):
    model = built(spec, **HEADERS, **more)
    assert getattr(model, field) == {"x-team": SECRET}
    assert SECRET not in repr(model)
    assert SECRET not in str(model)
    assert SECRET not in str(dumpd(model))
    assert SECRET not in repr(model.bind(temperature=0))


def test_a_client_with_headers_keeps_its_class_and_its_name():
    model = built("anthropic/claude-sonnet-4-5", **HEADERS)
    plain = type(built("anthropic/claude-sonnet-4-5"))
    assert isinstance(model, plain)
    assert (type(model).__name__, type(model).__module__) == (plain.__name__, plain.__module__)


def test_a_client_that_takes_no_headers_says_so():
    with pytest.raises(ConfigError, match=r"models\.providers\.mistralai\.headers: ChatMistralAI takes no headers; leave them out"):
        built("mistralai/mistral-large-latest", **HEADERS)


@pytest.mark.parametrize("spec", ["anthropic/claude-sonnet-4-5", "google/gemini-3-pro", "mistralai/mistral-large-latest", "openai/gpt-5"])
def test_a_client_of_any_provider_leaves_retrying_to_the_chain(spec: str):
    assert built(spec).max_retries == 0


class StartRecorder(BaseCallbackHandler):
    """Keeps everything that a callback handler receives when a model starts."""

    def __init__(self) -> None:
        self.received: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **more: Any) -> None:
        self.received.append(f"{serialized} {more}")


def test_a_routed_run_sends_the_headers_and_shows_them_to_no_callback_handler():
    recorder = StartRecorder()
    with FaultServer({"k": [Say("Hello.")]}) as server:
        provider = {"baseUrl": server.base_url, "apiKey": "test-key", "headers": {"x-team": SECRET}}
        agent = create_toolroute_agent(ToolRouter({"model": "my/k", "models": {"providers": {"my": provider}}}), [])
        agent.invoke({"messages": [("user", "hi")]}, {"callbacks": [recorder]})
        assert server.last.headers["x-team"] == SECRET
    assert recorder.received
    assert SECRET not in "".join(recorder.received)


def test_a_claude_out_of_calls_is_asked_once_before_the_chain_goes_on(monkeypatch: pytest.MonkeyPatch):
    """Its client would ask two more times, and wait as long as it is told to."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    with FaultServer({"claude-next": [faults.rate_limit(retry_after=1)], "gpt-oss:20b": [Say("I take over.")]}) as server:
        providers = {"anthropic": {"baseUrl": server.url}, "ollama": {"baseUrl": server.base_url}}
        chain = {"primary": "anthropic/claude-next", "fallbacks": ["ollama/gpt-oss:20b"]}
        agent = create_toolroute_agent(ToolRouter({"model": chain, "models": {"providers": providers}}), [])
        last = agent.invoke({"messages": [("user", "hi")]})["messages"][-1]
        assert last.text == "I take over.", last
        assert [attempt["reason"] for attempt in last.response_metadata["toolroute"]["attempts"]] == ["rate_limit", ""]
        assert [request.model for request in server.requests] == ["claude-next", "gpt-oss:20b"]


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize("spec", ["anthropic/claude-next", "google/gemini-3-pro", "mistralai/mistral-large-latest"])
def test_silence_of_other_providers_clients_is_timed_outside_the_client(spec: str, sync: bool):
    """They would wait for minutes, or forever."""
    limits = ModelBook(compile_config(load_config({"model": spec})), {}, KEYS).limits(spec, sync=sync)
    assert limits is not None
    assert (limits.first_token_s, limits.idle_s, limits.total_s, limits.client_waits) == (120.0, 60.0, 600.0, False)


def test_a_claude_that_is_not_streamed_gives_up_on_silence_by_itself():
    document = {"model": "anthropic/claude-next", "timeouts": {"firstTokenS": 7, "idleS": 3}}
    model: Any = ModelBook(compile_config(load_config(document)), {}, KEYS).get("anthropic/claude-next")
    assert model.default_request_timeout == 7
