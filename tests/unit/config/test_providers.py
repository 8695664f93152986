"""Providers: what a client is told, and that nothing which might be a secret is ever shown."""

import json

import pytest

from lg_toolroute.config import load_config
from lg_toolroute.config.providers import API_CLIENTS, KNOWN_PROVIDERS, known
from lg_toolroute.errors import ConfigError

SECRET = "sk-live-4242"


def provider(section, provider_id="mine"):
    return load_config({"models": {"providers": {provider_id: section}}}).models.provider(provider_id)


def refused(section, environ, provider_id="mine") -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        provider(section, provider_id).resolve(environ)
    assert SECRET not in str(caught.value)
    return {problem.path: f"{problem.message}; {problem.hint}" for problem in caught.value.problems}


def test_a_variable_is_read_when_a_model_is_built_and_not_before():
    section = provider({"baseUrl": "http://${HOST}/v1", "apiKey": "${MINE}", "headers": {"X-Key": "Bearer ${MINE}"}})
    settings = section.resolve({"MINE": SECRET, "HOST": "127.0.0.1"})
    assert settings.base_url == "http://127.0.0.1/v1"
    assert settings.api_key.get_secret_value() == SECRET
    assert settings.headers["X-Key"].get_secret_value() == f"Bearer {SECRET}"
    assert (settings.client, settings.api) == ("openai", "openai-completions")


def test_an_unset_variable_is_named_with_its_provider_and_path():
    found = refused({"baseUrl": "http://${HOST}", "apiKey": "${MINE}", "headers": {"X-Key": "${OTHER}"}}, {"MINE": ""})
    assert "'mine' needs the environment variable HOST" in found["models.providers.mine.baseUrl"]
    assert "needs the environment variable MINE" in found["models.providers.mine.apiKey"]
    assert "needs the environment variable OTHER" in found["models.providers.mine.headers.X-Key"]


def test_the_path_of_an_unset_variable_has_the_spelling_of_its_author():
    assert list(refused({"base_url": "http://x", "api_key": "${MINE}"}, {})) == ["models.providers.mine.api_key"]


def test_a_doubled_dollar_stands_for_itself():
    assert provider({"baseUrl": "http://x", "apiKey": "$${MINE}"}).resolve({}).api_key.get_secret_value() == "${MINE}"


def test_a_secret_reference_of_openclaw_is_read_from_the_environment():
    section = {"baseUrl": "http://x", "apiKey": {"source": "env", "provider": "default", "id": "MINE"}}
    assert provider(section).resolve({"MINE": SECRET}).api_key.get_secret_value() == SECRET
    section["apiKey"] = {"source": "file", "provider": "default", "id": "/key"}
    assert "cannot be read here" in refused(section, {})["models.providers.mine.apiKey"]


@pytest.mark.parametrize("provider_id", sorted(KNOWN_PROVIDERS))
def test_a_known_provider_needs_no_section(provider_id):
    entry = KNOWN_PROVIDERS[provider_id]
    settings = load_config({}).models.provider(provider_id).resolve(dict.fromkeys(entry.key_env, SECRET))
    assert settings.client == entry.client
    assert settings.base_url == entry.base_url
    assert (settings.api_key is not None) == bool(entry.key_env)
    assert entry.client != "openai" or provider_id == "openai" or entry.base_url


@pytest.mark.parametrize("provider_id", ["kimi", "deepseek", "anthropic", "openai", "google_genai"])
def test_a_known_provider_without_its_key_is_refused_with_the_variable(provider_id):
    with pytest.raises(ConfigError, match=f"set the environment variable {KNOWN_PROVIDERS[provider_id].key_env[0]}"):
        load_config({}).models.provider(provider_id).resolve({})


@pytest.mark.parametrize("provider_id", ["ollama", "lmstudio", "vllm"])
def test_a_local_server_needs_no_key(provider_id):
    settings = load_config({}).models.provider(provider_id).resolve({})
    assert settings.api_key is None


def test_a_known_provider_behind_a_proxy_needs_no_key():
    assert provider({"baseUrl": "http://127.0.0.1:9/v1"}, "deepseek").resolve({}).api_key is None


def test_an_unknown_provider_needs_a_base_url():
    assert "did you mean 'deepseek'?" in refused({}, {}, "deepseak")["models.providers.deepseak.baseUrl"]


def test_an_api_chooses_its_client():
    assert provider({"baseUrl": "http://x", "api": "anthropic-messages"}).resolve({}).client == "anthropic"
    assert provider({"baseUrl": "http://x", "api": "openai-responses"}).resolve({}).client == "openai"
    assert "exists only inside OpenClaw" in refused({"api": "github-copilot", "baseUrl": "http://x"}, {})["models.providers.mine.api"]
    assert set(API_CLIENTS.values()) <= {entry.client for entry in KNOWN_PROVIDERS.values()} | {"ollama"}


def test_a_provider_is_found_in_any_case_and_with_a_dash():
    assert known("OpenRouter") is KNOWN_PROVIDERS["openrouter"]
    assert known("google-genai") is KNOWN_PROVIDERS["google_genai"]
    assert known("nobody") is None
    assert load_config({"models": {"providers": {"Mine": {"baseUrl": "http://x"}}}}).models.provider("mine").resolve({}).base_url == "http://x"


def test_no_secret_is_ever_shown():
    section = {"baseUrl": f"http://user:{SECRET}@host/v1", "apiKey": SECRET, "headers": {"Authorization": f"Bearer {SECRET}"}}
    config = load_config({"models": {"providers": {"mine": section}}})
    settings = config.models.provider("mine").resolve({})
    texts = [repr(config), str(config), json.dumps(config.to_dict()), repr(settings), repr(config.models.providers), *config.warnings]
    texts += [repr(config.model_dump()), config.model_dump_json()]
    assert not [text for text in texts if SECRET in text]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mine": SECRET},
        {"mine": [SECRET]},
        {"mine": {"apiKey": [SECRET]}},
        {"mine": {"apiKey": {"source": SECRET}}},
        {"mine": {"apikey": SECRET}},
        {"mine": {"headers": SECRET}},
        {"mine": {"headers": {"X": [SECRET]}}},
        {"mine": {"baseUrl": {SECRET: 1}, "models": SECRET}},
        {"mine": {"params": SECRET, "maxTokens": SECRET}},
    ],
)
def test_a_mistake_in_a_provider_shows_no_value(wrong):
    with pytest.raises(ConfigError) as caught:
        load_config({"models": {"providers": wrong}})
    assert SECRET not in str(caught.value)
    assert caught.value.problems


def test_a_base_url_is_written_out_and_read_back():
    document = {"models": {"providers": {"mine": {"baseUrl": "http://127.0.0.1:1/v1", "apiKey": "${MINE}", "headers": {"X": "Bearer ${MINE}"}}}}}
    config = load_config(document)
    assert config.to_dict() == document
    assert load_config(config.to_dict()) == config
