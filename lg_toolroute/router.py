"""The router: compiled rules, the models they name, and how those models are doing.

`decide`, `explain`, `tools_for` and `audit` only read tables; no model is built and no network is touched.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from lg_toolroute.briefs.formed import FormedThreads
from lg_toolroute.briefs.known import KnownThreads
from lg_toolroute.briefs.looks import Looks, blind, check_names
from lg_toolroute.briefs.names import refuse_no_functions, refuse_unknown
from lg_toolroute.briefs.request import Brief
from lg_toolroute.clients.bound_names import missing_arguments, odd_names, refuse_duplicate_names, wrong_file_tools
from lg_toolroute.config import RoutingConfig, load_config
from lg_toolroute.core.rules.decision import Decision
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.core.rules.tools import is_called_by_name, tool_name, tool_tags
from lg_toolroute.core.turn.rejected import RejectedAnswers
from lg_toolroute.core.turn.turn import Attempt
from lg_toolroute.core.warned import warn
from lg_toolroute.errors import AttemptFailed, ChainExhausted, ConfigError, Problem
from lg_toolroute.files.tools import FileTool, file_tool
from lg_toolroute.forms.form import ToolForm
from lg_toolroute.health.book import HealthBook
from lg_toolroute.health.memory import MemoryHealth
from lg_toolroute.health.store import StoreHealth
from lg_toolroute.history.sent import SentHistories
from lg_toolroute.history.threads import AdaptedThreads
from lg_toolroute.history.tokens import TokenCounts
from lg_toolroute.rulebook.book import compile_config

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

    from lg_toolroute.clients.form_tools import FormBook
    from lg_toolroute.clients.models import ModelBook
    from lg_toolroute.rulebook.audit import Audit

Clock = Callable[[], float]
ReadFile = Callable[[str], str | None]
"""Gives the present text of a file, by the name that a call has for it; `None` if there is none."""

_MAX_CAUSES = 64
_MAX_CHECKED_RUNS = 1024


class ToolRouter:
    """Which model writes which tool call.

    Args:
        config: A `RoutingConfig`, or what `load_config` takes: a path, a mapping, or the text of a document.
        models: Chat models that are handed in, by spec. All others are built from the configuration on first use.
        store: A LangGraph store through which many workers share the health of models. Unset: health lives in this process.
        clock: Gives seconds. Unset: `time.monotonic`, or `time.time` with a store, because workers share it.
        strict: A rule that matches no bound tool, or a model that cannot be built, is an error when a graph is built.
        briefs: Functions that make briefs, by the names that rules give them: `handoff: {brief: "name"}`; see `Brief`.
        read_file: Gives the present text of a file by the name that a call has for it, or `None`; preferred over what the thread tells. It is called
            plainly in every turn that hands a call of a known file off or looks at one, also where the turn is awaited. What it raises is raised to
            the caller.
        looks: Looks at finished calls, by the names that rules give them: `look: "name"`. Each takes a `LookRequest` and returns what is wrong with
            the call, for the model that is to mend it, or `None`. What it raises is raised to the caller.
        forms: Forms in which models are shown tools, by the names that rules give them: `form: "name"`; see `ToolForm`.

    Raises:
        ConfigError: The configuration is wrong, something in `models` is not a chat model, a brief, look or `read_file` is no plain function, or a
            rule names a brief, look or form that is not known.

    Example:
        ```python
        from lg_toolroute import ToolRouter

        router = ToolRouter({"model": {"primary": "kimi/kimi-for-coding"}, "toolRouting": {"edit": {"primary": "deepseek/deepseek-v4-pro"}}})
        print(router.decide("edit").model)
        ```
    """

    def __init__(
        self,
        config: RoutingConfig | Mapping[str, Any] | str | PathLike[str],
        *,
        models: Mapping[str, Any] | None = None,
        store: BaseStore | None = None,
        clock: Clock | None = None,
        strict: bool = False,
        briefs: Mapping[str, Brief] | None = None,
        read_file: ReadFile | None = None,
        looks: Looks | None = None,
        forms: Mapping[str, ToolForm] | None = None,
    ) -> None:
        from lg_toolroute.clients.form_tools import FormBook
        from lg_toolroute.clients.models import ModelBook

        refuse_no_functions(read_file, briefs=briefs, looks=looks, forms=forms)
        self.config = config if isinstance(config, RoutingConfig) else load_config(config)
        self.book = compile_config(self.config)
        self.models: ModelBook = ModelBook(self.book, models)
        self.clock: Clock = clock or (time.monotonic if store is None else time.time)
        limits = self.config.health
        self.health: HealthBook = MemoryHealth(limits, self.clock) if store is None else StoreHealth(store, limits, self.clock)
        self.token_counts = TokenCounts()
        self.threads = AdaptedThreads()
        self.briefs: Mapping[str, Brief] = dict(briefs or {})
        self.read_file = read_file
        self.known = KnownThreads()
        self.sent = SentHistories()
        refuse_unknown(self.book, self.briefs)
        self.forms: FormBook = FormBook(self.book, forms or {}, self.file_tool)
        self.formed_threads = FormedThreads()
        self.strict = strict
        self.looks: Looks = dict(looks or {})
        self.looks_at_calls = check_names(self.book, self.looks)
        self._checked_models: set[frozenset[str]] = set()
        self._checked_runs: set[tuple[str | None, str | None]] = set()
        self.rejected = RejectedAnswers()
        self._causes: OrderedDict[tuple[str, str, str, str], BaseException] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process gets the same rules and models; it learns for itself how those models are doing.

        Raises:
            TypeError: The router has a store or a clock of its own, which belong to this process.
        """
        if not isinstance(self.health, MemoryHealth) or self.clock is not time.monotonic:
            raise TypeError("a ToolRouter with a store or a clock of its own cannot be pickled; build it again from `router.config`")
        handed_in = (self.briefs, self.read_file, self.looks, self.forms.handed_in)
        return (_rebuilt, (self.config, dict(self.models.given), self.strict, *handed_in))

    def __repr__(self) -> str:
        return f"ToolRouter({self.config.source!r}, {len(self.book.specs())} models, strict={self.strict})"

    def __deepcopy__(self, memo: dict[int, Any]) -> ToolRouter:
        return self  # a copy of an agent shares the models and what is known of their health

    def decide(self, tool: str, *, agent: str | None = None, tags: Sequence[str] = (), role: str | None = None) -> Decision:
        """Who writes the next call of `tool`, in which order, and why. Health is not asked: it changes from call to call.

        Args:
            tool: The tool's name.
            agent: The agent that the rules are for; unset: the defaults.
            tags: The tool's own tags, for `tag:` patterns.
            role: The role of the run, whose chain reasons.
        """
        return self.book.decide(tool, agent=agent, tags=tuple(tags), role=role)

    def explain(self, tool: str, *, agent: str | None = None, tags: Sequence[str] = ()) -> str:
        """The decision on `tool`, in words and with numbers: how each candidate is made to call and why, and how its calls went so far."""

        def forcing(spec: str, switch_off: bool) -> str:
            now = self.health.now()
            return self.models.ways.told(spec, switch_off=switch_off, refused=self.health.known(spec).refuses(now), now=now)

        return self.book.explain(tool, agent=agent, tags=tuple(tags), forcing=forcing, calls_of=self.health.models_of)

    def tools_for(self, model_spec: str, tools: Sequence[Any], *, agent: str | None = None) -> list[Any]:
        """The tools that a model may see and run, in the given order.

        Args:
            model_spec: `provider/model`, `provider:model` or an alias.
            tools: Tools, tool dicts, functions or names.
            agent: The agent that the policy is for.
        """
        named = [(tool, tool_name(tool), tool_tags(tool)) for tool in tools]
        allowed = set(self.book.allowed(model_spec, [(name, tags) for _, name, tags in named], agent=agent))
        return [tool for tool, name, _ in named if name in allowed]

    def audit(self, tools: Sequence[Any] = (), *, agent: str | None = None) -> Audit:
        """Every model that any chain can reach, with its size, its tools, and what is wrong with that."""
        from lg_toolroute.rulebook.audit import audit

        return audit(self.book, [(tool_name(tool), tool_tags(tool)) for tool in tools], agent=agent)

    # -- the clients' own exceptions ------------------------------------------------------------------------------------------------------

    def remember_cause(self, turn_id: str, attempt: Attempt, error: BaseException) -> None:
        """Keep a client's exception for `ChainExhausted`; it cannot be written into a checkpoint."""
        self._causes[(turn_id, attempt.model, attempt.reason, attempt.detail)] = error
        while len(self._causes) > _MAX_CAUSES:
            self._causes.popitem(last=False)

    def with_causes(self, error: ChainExhausted, turn_id: str) -> ChainExhausted:
        """The same error, each failed attempt with its client's exception as cause, where that is still at hand."""
        for inner in error.exceptions:
            if isinstance(inner, AttemptFailed) and inner.__cause__ is None:
                inner.__cause__ = self._causes.pop((turn_id, inner.model, inner.reason, inner.detail), None)
        return error

    def file_tool(self, name: str, tool: Any) -> FileTool | None:
        """What the arguments of a tool mean; `None` if it is no file tool.

        Args:
            name: The tool's name.
            tool: The tool, as it is bound.
        """
        schema = self.models.schema(tool) or {}
        return file_tool(name, tuple(schema.get("properties") or ()), self.config.tools.file_tools)

    # -- checks before the first call ----------------------------------------------------------------------------------------------------

    def check_tools(self, tools: Sequence[Any], *, agent: str | None = None) -> None:
        """Warn of rules that match no tool, of odd names, and of an agent that is not configured; under `strict`, raise.

        Raises:
            ConfigError: A tool's name is given twice, a model cannot be given tools, or a tool cannot take the form that a rule gives it; under
                `strict`, a rule matches nothing, a provider may refuse a name, the agent is not configured, or a model cannot be built.
        """
        refuse_duplicate_names(tools)
        self.refuse_blind_looks(tools, agent=agent)
        self.refuse_toolless(tools, agent=agent)
        self.refuse_forms(tools, agent=agent)
        names = [tool_name(tool) for tool in tools]
        called = dict.fromkeys(tool_name(tool) for tool in tools if is_called_by_name(tool))
        problems = [*odd_names(list(called)), *self.book.unmatched(names, agent), *self._unknown_agent(agent)]
        problems += missing_arguments(tools, lambda name: self.decide(name, agent=agent), self.models.schema)
        problems += wrong_file_tools(tools, self.config.tools.files, self.models.schema)
        if self.strict:
            problems.extend(self.models.check())
            if problems:
                raise ConfigError(problems, source=self.config.source)
        for problem in problems:
            warn(problem)

    def refuse_blind_looks(self, tools: Sequence[Any], *, agent: str | None = None) -> None:
        """Raise if a rule's built-in look could never say anything, because none of the tools that it matches edits files.

        Raises:
            ConfigError: All such rules.
        """
        problems = blind(self.book, tools, self.file_tool, agent) if self.looks_at_calls else []
        if problems:
            raise ConfigError(problems, source=self.config.source)

    def refuse_toolless(self, tools: Sequence[Any], *, agent: str | None = None) -> None:
        """Raise if a model that was handed in cannot be given the tools that it may have.

        Raises:
            ConfigError: All models that cannot.
        """
        from lg_toolroute.clients.wrappers import toolless

        given = [spec for spec in self.book.specs() if self.models.is_given(spec) and self.tools_for(spec, tools, agent=agent)]
        problems = [problem for spec in given if (problem := toolless(self.models.get(spec), f"models[{spec!r}]")) is not None]
        if problems:
            raise ConfigError(problems, source="models")

    def refuse_forms(self, tools: Sequence[Any], *, agent: str | None = None) -> None:
        """Raise if a tool cannot take the form in which a rule has a model shown it.

        Raises:
            ConfigError: All tools that cannot.
        """
        problems = self.forms.problems(tools, lambda name, tags: self.decide(name, agent=agent, tags=tags))
        if problems:
            raise ConfigError(problems, source=self.config.source)

    def check_run(self, agent: str | None, role: str | None) -> None:
        """Warn, once for each, of a run whose agent or role is not configured; under `strict`, raise.

        Where the configuration has no agents (no roles) at all, the runtime context's `agent` (`role`) is for other code, and nothing is said.

        Raises:
            ConfigError: Under `strict`, the agent or the role is not configured.
        """
        if (agent is None and role is None) or (agent, role) in self._checked_runs:
            return
        problems = self._unknown_agent(agent) if self.book.agents else []
        roles = self.book.roles(agent)
        if role is not None and roles and role not in roles:
            hint = did_you_mean(role, roles, f"configured are {', '.join(sorted(roles)[:8])}")
            problems.append(Problem("role", f"{role!r} is not configured, so the primary reasons", hint))
        if problems and self.strict:
            raise ConfigError(problems, source=self.config.source)
        for problem in problems:
            warn(problem)
        if len(self._checked_runs) < _MAX_CHECKED_RUNS:
            self._checked_runs.add((agent, role))

    def _unknown_agent(self, agent: str | None) -> list[Problem]:
        """A mistyped id would silently have the defaults and their tool policy."""
        known = self.book.agents
        if agent is None or agent in known:
            return []
        hint = did_you_mean(agent, known, f"configured are {', '.join(sorted(known)[:8])}" if known else "write it under agents.entries")
        return [Problem("agent", f"{agent!r} is not configured, so it has the defaults", hint)]

    def check_models(self, handed_in: Collection[str] = ()) -> None:
        """Raise before the first call if a model that a chain can reach cannot be built. Done once.

        Args:
            handed_in: Models that need not be built, because the application handed them in for this turn.

        Raises:
            ConfigError: A key, a base URL or a package is missing.
        """
        key = frozenset(handed_in)
        if key in self._checked_models:
            return
        problems = self.models.check(key)
        if problems:
            raise ConfigError(problems, source=self.config.source)
        self._checked_models.add(key)


def _rebuilt(
    config: RoutingConfig,
    models: dict[str, Any],
    strict: bool,
    briefs: Mapping[str, Brief],
    read_file: ReadFile | None,
    looks: Looks,
    forms: Mapping[str, ToolForm],
) -> ToolRouter:
    return ToolRouter(config, models=models, strict=strict, briefs=briefs, read_file=read_file, looks=looks, forms=forms)
