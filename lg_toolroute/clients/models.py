"""The chat models of a router: those that were handed in, and those that are built from the configuration on first use.

Models that are handed in are used as they are, also inside bindings, retries and fallbacks (`with_config`, `bind`, `with_retry`,
`with_fallbacks`, `init_chat_model` with configurable fields): a runnable around a chat model stays around it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from lg_toolroute.clients.bindings import BindingCache, Bound, IdentityCache
from lg_toolroute.clients.build import build_client, check_client
from lg_toolroute.clients.community import per_call_settings
from lg_toolroute.clients.fixed_arguments import without_arguments
from lg_toolroute.clients.identity import identity_of
from lg_toolroute.clients.profile import complete, profile_of
from lg_toolroute.clients.readers import ReaderCache
from lg_toolroute.clients.ways_to_call import WaysToCall
from lg_toolroute.clients.wrappers import NO_CHAT_MODEL, LanguageModel, is_configurable, leaves
from lg_toolroute.config.models import ProviderConfig
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.rules.spec import parse_spec
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.gates.timing import TimeLimits
from lg_toolroute.rulebook.book import RuleBook


class ModelBook:
    """The chat models of a router, by spec.

    Args:
        book: The compiled rules, which know the settings of each model.
        models: Models handed in: spec to a chat model, or a runnable around one.
        environ: Where `${NAME}` and keys are read when a model is built. Unset: `os.environ`.

    Attributes:
        readers: What each model can read of a history.
        ways: How each model is made to call a tool.

    Raises:
        ConfigError: Something in `models` is not a chat model, or its name is not a spec.
    """

    def __init__(self, book: RuleBook, models: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._book = book
        self._environ = os.environ if environ is None else environ
        self._given = _check_given(models or {}, book)
        self._built: dict[tuple[str, str], LanguageModel] = {}
        self._first_built: dict[str, LanguageModel] = {}
        self._lock = threading.RLock()
        self._bindings = BindingCache()
        self._shorter: IdentityCache[Any] = IdentityCache()
        self.readers = ReaderCache(book.facts)
        self.ways = WaysToCall(book, self.bound, lambda spec: self._given.get(spec) or self._first_built.get(spec))
        timeouts = book.config.timeouts
        limits = TimeLimits(timeouts.first_token_s, timeouts.idle_s, timeouts.total_s)
        self._limits = limits if limits else None
        self._limits_configured = bool(timeouts.model_fields_set)

    def get(self, spec: str, params: Mapping[str, Any] | None = None) -> LanguageModel:
        """The model of a spec, built on first use and then kept, once for each set of settings.

        Args:
            spec: `provider/model`, canonical.
            params: Settings (`temperature`, …) for the client. A model that was handed in keeps its own, and these are bound on top; so are the
                sampling settings of a model that is loaded into this process, whose weights are loaded once.

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
                    self._first_built.setdefault(spec, model)
        return model

    @property
    def given(self) -> Mapping[str, LanguageModel]:
        """The models that were handed in, by spec."""
        return dict(self._given)

    def identities(self) -> dict[str, str]:
        """What tells each model that was handed in from any other that might have been, by spec; it may hold what the model was made of."""
        return {spec: identity_of(model) for spec, model in self._given.items()}

    def is_given(self, spec: str) -> bool:
        """Whether the model of this spec was handed in."""
        return spec in self._given

    def spec_of(self, model: Any) -> str | None:
        """The spec under which this very model was handed in or built; `None` if it was neither."""
        for spec, given in self._given.items():
            if given is model:
                return spec
        return next((spec for (spec, _), built in list(self._built.items()) if built is model), None)

    def check(self, handed_in: Collection[str] = ()) -> tuple[Problem, ...]:
        """What stands in the way of building the models that the chains can reach; nothing is built.

        Args:
            handed_in: Further models that need not be built.
        """
        problems: dict[tuple[str, str], Problem] = {}
        for spec in self._book.specs():
            if spec not in handed_in and (impossible := self.ways.impossible(spec)) is not None:
                problems[(impossible.path, impossible.message)] = impossible
            if spec in self._given or spec in handed_in:
                continue
            try:
                check_client(spec, self._provider(spec).resolve(self._environ), self._book.params(spec))
            except ConfigError as error:
                problems.update({(problem.path, problem.message): problem for problem in error.problems})
        return tuple(problems.values())

    def limits(self, spec: str, *, sync: bool, given: bool = False) -> TimeLimits | None:
        """The time limits to keep around a stream of this model.

        An OpenAI-compatible client that is built here gives up on silence by itself, and only the whole call is timed outside it. Other providers'
        clients wait for minutes or forever, so all limits are kept outside. So they are around a model that is handed in: always for an
        asynchronous call, and for a synchronous one, which takes a thread, if the configuration sets any of `timeouts`.

        Args:
            spec: The model.
            sync: The call is a synchronous one.
            given: The model was handed in for this call, beside those the router knows.
        """
        if not given and spec not in self._given and self._limits is not None:
            if self._provider(spec).client != "openai":
                return self._limits
            total_s = self._book.config.timeouts.total_s
            return TimeLimits(total_s=total_s, client_waits=True) if total_s is not None else None
        return self._limits if not sync or self._limits_configured else None

    def facts(self, spec: str, given: LanguageModel | None = None) -> ModelFacts:
        """What is known of a model: the configuration, completed by LangChain's profile if the model is at hand. No model is built.

        Args:
            spec: The model.
            given: The model itself, where it was handed in for one call.
        """
        model = given or self._given.get(spec) or self._first_built.get(spec)
        return complete(self._book.facts(spec), profile_of(model))

    def schema(self, tool: Any) -> Mapping[str, Any] | None:
        """The JSON Schema of a tool's arguments, read once for each tool; see `BindingCache.schema`."""
        return self._bindings.schema(tool)

    def without(self, tool: Any, names: frozenset[str]) -> Any:
        """A tool without some of its arguments, made once, so that it is also bound once; see `without_arguments`."""
        return self._shorter.get(names, (tool,), lambda: without_arguments(tool, names))

    def bound(self, model: BaseChatModel, tools: Sequence[Any], tool_choice: Any = None, **settings: Any) -> Bound:
        """What `model.bind_tools(tools, …)` returns, converted once; see `BindingCache.bound`."""
        return self._bindings.bound(model, tools, tool_choice, **settings)

    def _provider(self, spec: str) -> ProviderConfig:
        return self._book.config.models.provider(parse_spec(spec).provider)

    def _build(self, spec: str, params: dict[str, Any]) -> LanguageModel:
        settings = self._provider(spec).resolve(self._environ)
        per_call = {name: params.pop(name) for name in per_call_settings(settings.client, spec) & params.keys()}
        if per_call:
            return self.get(spec, params).bind(**per_call)
        return build_client(spec, settings, params, self._book.config.timeouts, self._book.facts(spec))


def _check_given(models: Mapping[str, Any], book: RuleBook) -> dict[str, LanguageModel]:
    """The models that were handed in, by canonical spec."""
    given: dict[str, LanguageModel] = {}
    problems: list[Problem] = []
    for name, model in models.items():
        path = f"models[{name!r}]"
        try:
            spec = book.spec(name)
        except ValueError as error:
            problems.append(Problem(path, str(error)))
            continue
        if spec in given:
            problems.append(Problem(path, f"the model {spec!r} is handed in twice", "keep one of them"))
        elif isinstance(model, str):
            hint = f"write models={{{name!r}: init_chat_model({model!r})}}, or name {model!r} in the configuration"
            problems.append(Problem(path, f"{model!r} is a string, not a chat model", hint))
        elif not isinstance(model, Runnable) or not (is_configurable(model) or leaves(model)):
            problems.append(Problem(path, f"a {type(model).__name__} is not a chat model", NO_CHAT_MODEL))
        else:
            given[spec] = model
    if problems:
        raise ConfigError(problems, source="models")
    return given
