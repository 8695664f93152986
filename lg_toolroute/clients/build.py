"""From a model spec and its provider's settings to a client.

OpenAI-compatible servers get LangChain's `ChatOpenAI`; `community:` clients come from `langchain-community`; all others are left to
`init_chat_model`. A provider's package is imported when a model of that provider is built, never before.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel

from lg_toolroute.clients import community
from lg_toolroute.clients.hidden_fields import HEADER_FIELDS, hide_headers
from lg_toolroute.clients.thinking_client import thinking_client
from lg_toolroute.clients.wrappers import LanguageModel
from lg_toolroute.config.models import ProviderSettings
from lg_toolroute.config.providers import is_community, known
from lg_toolroute.config.running import TimeoutsConfig
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.rules.spec import parse_spec
from lg_toolroute.errors import ConfigError, Problem

_PACKAGES = {
    "openai": "langchain_openai",
    "anthropic": "langchain_anthropic",
    "google_genai": "langchain_google_genai",
    "google_vertexai": "langchain_google_vertexai",
    "mistralai": "langchain_mistralai",
    "ollama": "langchain_ollama",
    "cohere": "langchain_cohere",
    "bedrock_converse": "langchain_aws",
    "bedrock": "langchain_aws",
    "azure_openai": "langchain_openai",
}
"""The package of each `model_provider` of `init_chat_model`."""
_REQUIRE_REASONING_BACK = frozenset({"kimi", "moonshot", "deepseek"})
"""Source: the thinking-mode guides of DeepSeek and Moonshot: a request of a tool loop that lacks `reasoning_content` is refused."""
_REQUIRE_REASONING_BEHIND_PROXIES = re.compile(r"deepseek-(?:v[4-9]|reasoner)|kimi-k(?:[3-9]|2[.-][5-9]|2-thinking)|kimi-for-coding")
"""The same models behind a provider that is not known, such as a proxy (Roo-Code#12195, llmgateway#2093)."""


def check_client(spec: str, settings: ProviderSettings, params: Mapping[str, Any]) -> None:
    """Check that what a client needs is installed, without building the client.

    Raises:
        ConfigError: A package or a setting is missing.
    """
    if is_community(settings.client):
        community.check(spec, settings, params)
        return
    package = _PACKAGES.get(settings.client)
    if package is not None and importlib.util.find_spec(package) is None:
        problem = Problem(spec, f"its client, {package}, is not installed", f"run: pip install {package.replace('_', '-')}")
        raise ConfigError([problem], source="models")


def build_client(spec: str, settings: ProviderSettings, params: dict[str, Any], timeouts: TimeoutsConfig, facts: ModelFacts) -> LanguageModel:
    """The client of a model. It does not retry: a chain takes over sooner than a client's own retries would, and knows more.

    Args:
        spec: `provider/model`, canonical.
        settings: The provider's settings, resolved.
        params: Settings (`temperature`, …) for the client; they win over what would be set here.
        timeouts: Time limits, for clients that can keep them themselves.
        facts: What the configuration says about the model, for models that are loaded into this process.

    Raises:
        ConfigError: The package is not installed, or the client does not take the settings.
    """
    check_client(spec, settings, params)
    silence_s = max((limit for limit in (timeouts.first_token_s, timeouts.idle_s) if limit is not None), default=None)
    if is_community(settings.client):
        return community.build(spec, settings, params, silence_s, facts)
    build = _openai_compatible if settings.client == "openai" else _by_init_chat_model
    return build(parse_spec(spec).model, settings, params, silence_s)


def _openai_compatible(model: str, settings: ProviderSettings, params: dict[str, Any], silence_s: float | None) -> LanguageModel:
    import httpx

    client: Callable[..., LanguageModel] = importlib.import_module("langchain_openai").ChatOpenAI
    if settings.base_url is not None and settings.api != "openai-responses":
        client = thinking_client()
        behind_a_proxy = known(settings.provider) is None and _REQUIRE_REASONING_BEHIND_PROXIES.search(model.lower()) is not None
        params.setdefault("echo_reasoning", settings.provider in _REQUIRE_REASONING_BACK or behind_a_proxy)
        params.setdefault("echo_details", settings.provider == "openrouter")
    if settings.headers:
        params.setdefault("default_headers", _headers(settings))
    if settings.api == "openai-responses":
        params.setdefault("use_responses_api", True)
    if settings.base_url is not None:
        params.setdefault("base_url", settings.base_url)
        # The client leaves usage out of streams from an address that is not OpenAI's own; every server in the table sends it.
        params.setdefault("stream_usage", True)
    params.setdefault("max_retries", 0)
    if silence_s is not None:
        params.setdefault("timeout", httpx.Timeout(silence_s, connect=min(30.0, silence_s)))
    # A local server needs no key, but the client insists on one.
    params.setdefault("api_key", settings.api_key or "not-needed")
    built = client(model=model, **params)
    return hide_headers(built) if settings.headers and isinstance(built, BaseChatModel) else built


def _by_init_chat_model(model: str, settings: ProviderSettings, params: dict[str, Any], silence_s: float | None) -> LanguageModel:
    from langchain.chat_models import init_chat_model

    if settings.api_key is not None:
        params.setdefault("api_key", settings.api_key)
    if settings.base_url is not None:
        params.setdefault("base_url", settings.base_url)
    built: LanguageModel = init_chat_model(model, model_provider=settings.client, **params)
    further = _settings_for_class(type(built), settings, params, silence_s)
    if further:
        # Only the class that `init_chat_model` chose says what it takes.
        built = init_chat_model(model, model_provider=settings.client, **params, **further)
    return hide_headers(built) if settings.headers and isinstance(built, BaseChatModel) else built


def _settings_for_class(cls: type[Any], settings: ProviderSettings, params: Mapping[str, Any], silence_s: float | None) -> dict[str, Any]:
    """What a provider's own client is given beside its key, where it has a field for it: no retries, a time limit, headers.

    Raises:
        ConfigError: Headers are configured, and the client takes none.
    """
    fields = cls.model_fields if issubclass(cls, BaseChatModel) else {}
    further: dict[str, Any] = {}
    if "max_retries" in fields and not {"max_retries", "retries"} & params.keys():
        further["max_retries"] = 0
    if "default_request_timeout" in fields and silence_s is not None and not {"timeout", "default_request_timeout"} & params.keys():
        further["timeout"] = silence_s  # for an answer in one piece; streams are timed outside the client
    if settings.headers:
        field = next((name for name in HEADER_FIELDS if name in fields), None)
        if field is None:
            where, message = f"models.providers.{settings.provider}.headers", f"{cls.__name__} takes no headers"
            raise ConfigError([Problem(where, message, "leave them out, or hand the model in")], source="models")
        if field not in params:
            further[field] = _headers(settings)
    return further


def _headers(settings: ProviderSettings) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in settings.headers.items()}
