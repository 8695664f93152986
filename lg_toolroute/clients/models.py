"""From a spec to a chat model that is built once, with its tools bound once.

Models that are handed in are used as they are, also inside bindings, retries and fallbacks (`with_config`, `bind`, `with_retry`,
`with_fallbacks`, `init_chat_model` with configurable fields): whatever stands around a chat model keeps standing around it.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from lg_toolroute.clients.discreet import HEADER_FIELDS, conceal_headers
from lg_toolroute.clients.thinking_client import thinking_client
from lg_toolroute.clients.wrappers import first_leaf, is_configurable, leaves
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.rules.spec import canonical, parse_spec
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.gates.timing import TimeLimits

if TYPE_CHECKING:
    from lg_toolroute.config.models import ProviderSettings
    from lg_toolroute.rulebook.book import RuleBook

LanguageModel = Runnable[Any, Any]

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
_CACHED_BINDINGS = 512
_WANT_THEIR_REASONING_BACK = frozenset({"kimi", "moonshot", "deepseek"})
"""Source: the thinking-mode guides of DeepSeek and Moonshot: a request of a tool loop that lacks it is refused."""


class Bound(NamedTuple):
    """A chat model with tools bound.

    Attributes:
        model: The model to ask; the same one, unless its `bind_tools` makes another.
        kwargs: What goes along with each call. Not to be changed: it is remembered.
    """

    model: BaseChatModel
    kwargs: dict[str, Any]


class ModelBook:
    """The chat models of a router.

    Args:
        book: The compiled rules, which know the settings of each model.
        models: Models handed in: spec to a chat model, or anything that wraps one.
        environ: Where `${NAME}` and keys are read, when a model is built.
    """

    def __init__(self, book: RuleBook, models: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._book = book
        self._environ = os.environ if environ is None else environ
        self._given = _handed_in(models or {})
        self._built: dict[tuple[str, str], LanguageModel] = {}
        self._bindings: OrderedDict[tuple[Any, ...], tuple[Bound, tuple[Any, ...]]] = OrderedDict()
        self._schemas: OrderedDict[int, tuple[Mapping[str, Any] | None, Any]] = OrderedDict()
        self._lock = threading.RLock()
        timeouts = book.config.timeouts
        limits = TimeLimits(timeouts.first_token_s, timeouts.idle_s, timeouts.total_s)
        self._limits = limits if limits else None
        self._limits_written = bool(timeouts.model_fields_set)

    # -- models --------------------------------------------------------------------------------------------------------------------

    def get(self, spec: str, params: Mapping[str, Any] | None = None) -> LanguageModel:
        """The model of a spec, built on first use and then kept, once for each set of settings.

        Args:
            spec: `provider/model`, canonical.
            params: Settings (`temperature`, …) for the client; a model that was handed in keeps its own, and these are bound on top.

        Raises:
            ConfigError: The provider has no key, no base URL, or its package is not installed.
        """
        given = self._given.get(spec)
        if given is not None:
            return given.bind(**params) if params else given
        key = (spec, repr(sorted((params or {}).items())))
        model = self._built.get(key)
        if model is None:
            with self._lock:
                model = self._built.get(key)
                if model is None:
                    model = self._built[key] = self._build(spec, dict(params or {}))
        return model

    @property
    def given(self) -> Mapping[str, LanguageModel]:
        """The models that were handed in, by spec."""
        return dict(self._given)

    def is_given(self, spec: str) -> bool:
        return spec in self._given

    def spec_of(self, model: Any) -> str | None:
        """The spec under which this very model was handed in; `None` if it was not."""
        return next((spec for spec, given in self._given.items() if given is model), None)

    def _build(self, spec: str, params: dict[str, Any]) -> LanguageModel:
        parsed = parse_spec(spec)
        settings = self._book.config.models.provider(parsed.provider).resolve(self._environ)
        _need_package(settings.client, spec)
        if settings.client == "openai":
            return _open_ai(parsed.model, settings, self._client_limits(params), params)
        from langchain.chat_models import init_chat_model

        if settings.api_key is not None:
            params.setdefault("api_key", settings.api_key)
        if settings.base_url is not None:
            params.setdefault("base_url", settings.base_url)
        model: LanguageModel = init_chat_model(parsed.model, model_provider=settings.client, **params)
        own = _manners(model, settings, params, self._client_limits(params))
        if own:
            # Only the class that `init_chat_model` chose says what it takes.
            model = init_chat_model(parsed.model, model_provider=settings.client, **params, **own)
        return conceal_headers(model) if settings.headers and isinstance(model, BaseChatModel) else model

    def _client_limits(self, params: dict[str, Any]) -> dict[str, Any]:
        # A chain takes over sooner than a client's own retries would, and knows more.
        wait: dict[str, Any] = {"max_retries": 0}
        timeouts = self._book.config.timeouts
        silences = [limit for limit in (timeouts.first_token_s, timeouts.idle_s) if limit is not None]
        if silences:
            import httpx

            wait["timeout"] = httpx.Timeout(max(silences), connect=min(30.0, max(silences)))
        return {key: value for key, value in wait.items() if key not in params}

    def check(self) -> tuple[Problem, ...]:
        """What stands in the way of building the models that the chains can reach; nothing is built."""
        problems: dict[tuple[str, str], Problem] = {}
        for spec in self._book.specs():
            if spec in self._given:
                continue
            provider = parse_spec(spec).provider
            try:
                settings = self._book.config.models.provider(provider).resolve(self._environ)
                _need_package(settings.client, spec)
            except ConfigError as error:
                problems.update({(problem.path, problem.message): problem for problem in error.problems})
        return tuple(problems.values())

    def limits(self, spec: str, *, sync: bool, given: bool = False) -> TimeLimits | None:
        """The time limits to keep around a stream of this model.

        An OpenAI-compatible client that is built here gives up on silence by itself, and only the whole call is timed here. Other providers'
        clients wait for minutes, or for ever, so all limits are kept here. Around a model that is handed in they are too: asynchronously always,
        synchronously (where it takes a thread) if the configuration says a word about `timeouts`.

        Args:
            spec: The model.
            sync: The call is a synchronous one.
            given: The model was handed in for this call, beside those the router knows.
        """
        if not given and spec not in self._given and self._limits is not None:
            if self._book.config.models.provider(parse_spec(spec).provider).client != "openai":
                return self._limits
            total_s = self._book.config.timeouts.total_s
            return TimeLimits(total_s=total_s, client_waits=True) if total_s is not None else None
        return self._limits if not sync or self._limits_written else None

    # -- what is known of a model ---------------------------------------------------------------------------------------------------

    def facts(self, spec: str, given: LanguageModel | None = None) -> ModelFacts:
        """What is known of a model: the configuration over LangChain's profile, where the model is at hand without building it.

        Args:
            spec: The model.
            given: The model itself, where it was handed in for one call.
        """
        facts = self._book.facts(spec)
        profile = self._profile(spec, given)
        if not profile:
            return facts
        inputs = facts.inputs
        if inputs is None and (reads := {k: profile.get(f"{k}_inputs") for k in ("image", "pdf")}) and None not in reads.values():
            inputs = frozenset({"text", *(kind for kind, takes in reads.items() if takes)})
        return ModelFacts(
            context_window=facts.context_window or profile.get("max_input_tokens"),
            max_output=facts.max_output or profile.get("max_output_tokens"),
            inputs=inputs,
            supports_tools=facts.supports_tools if facts.supports_tools is not None else profile.get("tool_calling"),
            cost=facts.cost,
            size=facts.size,
        )

    def _profile(self, spec: str, given: LanguageModel | None) -> Mapping[str, Any]:
        model = given or self._given.get(spec) or next((built for (of, _), built in self._built.items() if of == spec), None)
        leaf = first_leaf(model) if model is not None else None
        return (getattr(leaf, "profile", None) or {}) if leaf is not None else {}

    def schema(self, tool: Any) -> Mapping[str, Any] | None:
        """The JSON Schema of a tool's arguments, read once for each tool."""
        key = id(tool)
        with self._lock:
            known = self._schemas.get(key)
            if known is None:
                # The entry holds on to the tool, so that nobody else can come by its id.
                known = self._schemas[key] = (arguments_schema(tool), tool)
                while len(self._schemas) > _CACHED_BINDINGS:
                    self._schemas.popitem(last=False)
        return known[0]

    # -- tools ----------------------------------------------------------------------------------------------------------------------

    def bound(self, model: BaseChatModel, tools: Sequence[Any], tool_choice: Any = None, **settings: Any) -> Bound:
        """What `model.bind_tools(tools, …)` gives, converted once for each (model, tools, choice).

        Args:
            model: The chat model itself, not a gated copy.
            tools: In the order in which the model is to see them.
            tool_choice: As `bind_tools` takes it; left out for a model whose `bind_tools` knows none.
            settings: Further settings.
        """
        key = (id(model), tuple(map(id, tools)), repr(tool_choice), repr(sorted(settings.items(), key=lambda item: item[0])))
        with self._lock:
            known = self._bindings.get(key)
            if known is not None:
                self._bindings.move_to_end(key)
                return known[0]
        if tool_choice is not None and _takes_tool_choice(type(model)):
            settings = {**settings, "tool_choice": tool_choice}
        bound = _bound(model.bind_tools(tools, **settings), model)
        with self._lock:
            # The entry holds on to the model and the tools, so that nobody else can come by their ids.
            self._bindings[key] = (bound, (model, *tools))
            while len(self._bindings) > _CACHED_BINDINGS:
                self._bindings.popitem(last=False)
        return bound


def arguments_schema(tool: Any) -> Mapping[str, Any] | None:
    """The JSON Schema of what a model writes for a tool, without what the graph injects; `None` for a tool that runs at the provider."""
    if isinstance(tool, Mapping) and not ({"function", "input_schema", "parameters"} & tool.keys()):
        return None
    if isinstance(tool, Mapping) and isinstance(tool.get("input_schema"), Mapping):
        return dict(tool["input_schema"])
    schema = convert_to_openai_tool(tool)["function"].get("parameters")
    if not isinstance(schema, Mapping):
        return None
    if isinstance(tool, BaseTool) and "runtime" in schema.get("required", ()):
        # LangGraph's tool node fills a parameter of this name, whatever its annotation; the tool does not know that, and asks for it.
        return {**schema, "required": [name for name in schema["required"] if name != "runtime"]}
    return schema


def _bound(result: Any, model: BaseChatModel) -> Bound:
    """What a `bind_tools` returned: a binding, as chat models do; or a model that keeps its tools itself, as some people's own do."""
    if isinstance(result, BaseChatModel):
        return Bound(result, {})
    if isinstance(result, RunnableBinding):
        return Bound(result.bound if isinstance(result.bound, BaseChatModel) else model, dict(result.kwargs))
    problem = Problem(
        type(model).__name__,
        f"its bind_tools returned a {type(result).__name__}",
        "return self.bind(tools=…), as LangChain's chat models do, or a chat model",
    )
    raise ConfigError([problem], source="models")


def _takes_tool_choice(cls: type[BaseChatModel]) -> bool:
    parameters = inspect.signature(cls.bind_tools).parameters
    return "tool_choice" in parameters or any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def _handed_in(models: Mapping[str, Any]) -> dict[str, LanguageModel]:
    given: dict[str, LanguageModel] = {}
    problems: list[Problem] = []
    for name, model in models.items():
        path = f"models[{name!r}]"
        try:
            spec = canonical(name)
        except ValueError as error:
            problems.append(Problem(path, str(error)))
            continue
        if isinstance(model, str):
            hint = f"write models={{{name!r}: init_chat_model({model!r})}}, or name {model!r} in the configuration"
            problems.append(Problem(path, f"{model!r} is a string, not a chat model", hint))
        elif not isinstance(model, Runnable) or not (is_configurable(model) or leaves(model)):
            hint = "hand in a BaseChatModel, or one inside bind, with_config, with_retry or with_fallbacks"
            problems.append(Problem(path, f"a {type(model).__name__} is not a chat model", hint))
        else:
            given[spec] = model
    if problems:
        raise ConfigError(problems, source="models")
    return given


def _need_package(client: str, spec: str) -> None:
    package = _PACKAGES.get(client)
    if package is not None and importlib.util.find_spec(package) is None:
        problem = Problem(spec, f"its client, {package}, is not installed", f"run: pip install {package.replace('_', '-')}")
        raise ConfigError([problem], source="models")


def _manners(model: LanguageModel, settings: ProviderSettings, params: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, Any]:
    """What a client of its own kind is given beside its key: a limit, no retries, because a chain takes over sooner, and headers.

    Raises:
        ConfigError: Headers are configured, and the client takes none.
    """
    fields = type(model).model_fields if isinstance(model, BaseChatModel) else {}
    own: dict[str, Any] = {}
    if "max_retries" in fields and not {"max_retries", "retries"} & params.keys():
        own["max_retries"] = 0
    if "default_request_timeout" in fields and "timeout" in limits and "default_request_timeout" not in params:
        own["timeout"] = limits["timeout"].read  # of a whole answer; a stream is timed from outside
    if settings.headers:
        field = next((name for name in HEADER_FIELDS if name in fields), None)
        if field is None:
            where, message = f"models.providers.{settings.provider}.headers", f"{type(model).__name__} takes no headers"
            raise ConfigError([Problem(where, message, "leave them out, or hand the model in")], source="models")
        if field not in params:
            own[field] = _headers(settings)
    return own


def _headers(settings: ProviderSettings) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in settings.headers.items()}


def _open_ai(model: str, settings: ProviderSettings, limits: dict[str, Any], params: dict[str, Any]) -> LanguageModel:
    client: Callable[..., LanguageModel] = importlib.import_module("langchain_openai").ChatOpenAI
    if settings.base_url is not None and settings.api != "openai-responses":
        client = thinking_client()
        params.setdefault("echo_reasoning", settings.provider in _WANT_THEIR_REASONING_BACK)
    if settings.headers:
        params.setdefault("default_headers", _headers(settings))
    if settings.api == "openai-responses":
        params.setdefault("use_responses_api", True)
    if settings.base_url is not None:
        params.setdefault("base_url", settings.base_url)
        # The client leaves usage out of streams from an address that is not OpenAI's own; every server in the table sends it.
        params.setdefault("stream_usage", True)
    # A local server needs no key, but the client insists on one.
    params.setdefault("api_key", settings.api_key or "not-needed")
    built = client(model=model, **limits, **params)
    return conceal_headers(built) if settings.headers and isinstance(built, BaseChatModel) else built
