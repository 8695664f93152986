"""The schema of providers and of what is known about their models, and how a provider's settings are made ready for a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, SecretStr, field_serializer

from lg_toolroute.config import foreign
from lg_toolroute.config.environment import expand, masked
from lg_toolroute.config.places import Places
from lg_toolroute.config.providers import KNOWN_PROVIDERS, ProviderApi, client_of, is_community, known
from lg_toolroute.config.section import Section, dumped
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.errors import ConfigError, Problem


class CostConfig(Section):
    """Prices in US dollars for a million tokens."""

    foreign: ClassVar[frozenset[str]] = foreign.COST
    input: float | None = Field(default=None, ge=0)
    """Uncached input."""
    output: float | None = Field(default=None, ge=0)
    """Output."""
    cache_read: float | None = Field(default=None, ge=0)
    """Input that the provider's prompt cache holds."""


class CompatConfig(Section):
    """What a model cannot do."""

    foreign: ClassVar[frozenset[str]] = foreign.COMPAT
    open_ended: ClassVar[bool] = True
    supports_tools: bool | None = None
    """`false`: it cannot call tools, is skipped for every tool call, and gets no tools."""


ToolChoice = Literal["auto", "name", "required", "none"]
"""How a model is made to call a tool: by name, by `required` with one tool bound, by the instruction alone, or as is known of it."""


PromptCache = Literal["auto", "off"]


class ModelEntry(Section):
    """What is known about one model; it overrides what LangChain's `model.profile` says."""

    foreign: ClassVar[frozenset[str]] = foreign.MODEL
    id: str = Field(min_length=1)
    """The model's name, without the provider."""
    context_window: int | None = Field(default=None, gt=0)
    """Tokens of history and answer together."""
    context_tokens: int | None = Field(default=None, gt=0)
    """A smaller window to keep to."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Tokens of one answer."""
    input: tuple[str, ...] | None = None
    """What it reads: `text`, `image`, `pdf`, `audio`, `video`."""
    cost: CostConfig | None = None
    """Its prices."""
    compat: CompatConfig | None = None
    """What it cannot do."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Settings of its calls."""
    prompt_cache: PromptCache | None = None
    """As at the provider; it goes before the provider's."""
    size_b: float | None = Field(default=None, gt=0)
    """Its parameters in billions, for `audit`, where the name does not tell."""
    tool_choice: ToolChoice | None = None
    """How it is made to call a tool: `name`, `required`, `none`, or `auto`: as is known of it. Unset: the provider's."""


class SecretRefConfig(Section):
    """A secret that lies elsewhere, as OpenClaw writes it. Only `env` can be read here."""

    source: Literal["env", "file", "exec", "store", "keychain"]
    """Where it lies: `env`, an environment variable."""
    provider: str | None = None
    """Which of OpenClaw's secret stores holds it; not read here."""
    id: str = Field(min_length=1)
    """The variable's name."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What a client needs to talk to a provider. Its `repr` shows no secret.

    Attributes:
        provider: The provider's id.
        client: `openai` for `ChatOpenAI`; `community:` and a class name for one of `langchain-community`; anything else is the `model_provider` of
            `init_chat_model`.
        api: The request format, `openai-completions` unless said otherwise.
        base_url: Where its API is; `None` where the client knows.
        api_key: The key; `None` where none is needed or the client finds it itself.
        headers: Headers of every request.
    """

    provider: str
    client: str
    api: str
    base_url: str | None = field(repr=False)
    api_key: SecretStr | None
    headers: Mapping[str, SecretStr]


class ProviderConfig(Section):
    """Where a provider is and how to talk to it. `${NAME}` is read from the environment when a model is built, never before."""

    foreign: ClassVar[frozenset[str]] = foreign.PROVIDER
    base_url: SecretStr | None = None
    """Where its API is. Known providers need none."""
    api_key: SecretStr | SecretRefConfig | None = None
    """Its key, best as `${NAME}`. Unset: the usual environment variable of a known provider."""
    api: ProviderApi | None = None
    """The request format, or `community:ChatX` for that class of `langchain-community`. Unset: the known provider's, or `openai-completions`."""
    headers: dict[str, SecretStr | SecretRefConfig] = Field(default_factory=dict)
    """Headers of every request."""
    models: tuple[ModelEntry, ...] = ()
    """What is known about its models."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Tokens of one answer, for models that do not say."""
    prompt_cache: PromptCache | None = None
    """Claude's cache markers: `auto` (the default) sets them where the application sets none, `off` never does."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Settings of all calls of its models."""
    tool_choice: ToolChoice | None = None
    """How its models are made to call a tool: `name`, `required`, `none`, or `auto`: as is known of them. Unset: `auto`."""

    _id: str = PrivateAttr(default="")
    _places: Places = PrivateAttr(default_factory=Places)

    @field_serializer("base_url", when_used="json")
    def _cover_url(self, url: SecretStr | None) -> str | None:
        # A URL is no secret unless a password or a token is part of it.
        text = None if url is None else url.get_secret_value()
        return text if text is None or not ("@" in text or "?" in text) else masked(text)

    @field_serializer("api_key", when_used="json")
    def _cover(self, secret: SecretStr | SecretRefConfig | None) -> Any:
        if isinstance(secret, SecretRefConfig):
            return dumped(secret)
        return None if secret is None else masked(secret.get_secret_value())

    @field_serializer("headers", when_used="json")
    def _cover_headers(self, headers: dict[str, SecretStr | SecretRefConfig]) -> dict[str, Any]:
        return {name: self._cover(secret) for name, secret in headers.items()}

    @property
    def client(self) -> str | None:
        """The kind of client that talks to it; `None` if its `api` exists only inside OpenClaw."""
        provider = known(self._id)
        return client_of(self.api) if self.api else (provider.client if provider else "openai")

    def resolve(self, environ: Mapping[str, str]) -> ProviderSettings:
        """Makes the settings ready for a client, with what is known about the provider filled in.

        Args:
            environ: The environment, usually `os.environ`.

        Raises:
            ConfigError: A variable is unset, there is no key where one is needed, no base URL for an unknown provider, or its `api`
                exists only inside OpenClaw. Provider, path and variable are named, values never.
        """
        provider = known(self._id)
        problems: list[Problem] = []
        client = self.client
        base_url = self._expanded(environ, problems, self.base_url, "base_url")
        key = self._expanded(environ, problems, self.api_key, "api_key")
        headers = {name: self._expanded(environ, problems, text, "headers", name) for name, text in self.headers.items()}
        if client is None:
            hint = "write openai-completions with a baseUrl, or hand the model in as models={spec: model}"
            problems.append(self._problem("api", f"{self.api!r} exists only inside OpenClaw", hint))
        if self.api_key is None and provider is not None:
            key = next((environ[name] for name in provider.key_env if environ.get(name)), None)
            # A base URL of one's own is often a proxy that holds the key itself.
            if key is None and provider.needs_key and self.base_url is None and "authorization" not in {name.lower() for name in headers}:
                hint = f'set the environment variable {provider.key_env[0]} or write "${{NAME}}" of another one there'
                problems.append(self._problem("api_key", f"the provider {self._id!r} has no key", hint))
        if self.base_url is None and provider is None and client == "openai" and self.api != "openai-responses":
            hint = did_you_mean(self._id, KNOWN_PROVIDERS, "write its baseUrl, or hand the model in as models={spec: model}")
            problems.append(self._problem("base_url", f"the provider {self._id!r} is not known and has no base URL", hint))
        if problems:
            raise ConfigError(problems, source=f"provider {self._id!r}")
        return ProviderSettings(
            provider=self._id,
            client=client or "openai",
            api=self.api or "openai-completions",
            # A community class knows its own address; the table has that of the OpenAI-compatible API.
            base_url=base_url or (provider.base_url if provider and not is_community(client) else None),
            api_key=SecretStr(key) if key else None,
            headers={name: SecretStr(text) for name, text in headers.items() if text is not None},
        )

    def bind(self, provider_id: str, places: Places) -> ProviderConfig:
        """Tells the section what it is called and where it stands, for its messages."""
        self._id, self._places = provider_id, places
        return self

    def _problem(self, key: str, message: str, hint: str, *below: str) -> Problem:
        return Problem(self._places.of("models", "providers", self._id, key, *below), message, hint)

    def _expanded(
        self, environ: Mapping[str, str], problems: list[Problem], secret: SecretStr | SecretRefConfig | None, key: str, *below: str
    ) -> str | None:
        if secret is None:
            return None
        if isinstance(secret, SecretRefConfig) and secret.source != "env":
            message = f"the provider {self._id!r} has a secret in {secret.source!r}, which cannot be read here"
            problems.append(self._problem(key, message, 'write "${NAME}" and set the environment variable', *below))
            return None
        try:
            return expand(f"${{{secret.id}}}" if isinstance(secret, SecretRefConfig) else secret.get_secret_value(), environ)
        except KeyError as error:
            message = f"the provider {self._id!r} needs the environment variable {error.args[0]}, which is not set"
            problems.append(self._problem(key, message, f"set {error.args[0]} or name another variable", *below))
            return None


class ModelsConfig(Section):
    """Providers and their models."""

    foreign: ClassVar[frozenset[str]] = foreign.MODELS
    providers: dict[str, ProviderConfig] = Field(default_factory=dict)
    """Providers by id, the part of a model spec before the slash."""

    def provider(self, provider_id: str) -> ProviderConfig:
        """The section of a provider, its id in any case; an empty one if it has none, which is enough for a known provider."""
        wanted = provider_id.lower()
        found = next((section for name, section in self.providers.items() if name.lower() == wanted), None)
        return found if found is not None else ProviderConfig().bind(provider_id, Places())
