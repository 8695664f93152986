"""The router: compiled rules, the models they name, and how those models are doing.

`decide`, `explain`, `tools_for` and `audit` only read tables; no model is built and no network is touched.
"""

from __future__ import annotations

import re
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from lg_toolroute.briefs.known import KnownThreads
from lg_toolroute.briefs.looks import Looks, blind, check_names
from lg_toolroute.briefs.names import refuse_unknown
from lg_toolroute.briefs.request import Brief
from lg_toolroute.config import RoutingConfig, load_config
from lg_toolroute.core.rules.decision import Decision
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.core.rules.tools import is_called_by_name, tool_name, tool_tags
from lg_toolroute.core.turn.rejected import RejectedAnswers
from lg_toolroute.core.turn.turn import Attempt
from lg_toolroute.errors import AttemptFailed, ChainExhausted, ConfigError, Problem
from lg_toolroute.files.tools import FileTool, file_tool
from lg_toolroute.health.book import HealthBook
from lg_toolroute.health.memory import MemoryHealth
from lg_toolroute.health.store import StoreHealth
from lg_toolroute.history.sent import SentHistories
from lg_toolroute.history.threads import AdaptedThreads
from lg_toolroute.history.tokens import TokenCounts
from lg_toolroute.rulebook.book import compile_config

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

    from lg_toolroute.clients.models import ModelBook
    from lg_toolroute.rulebook.audit import Audit

Clock = Callable[[], float]
ReadFile = Callable[[str], str | None]
"""Gives the present text of a file, by the name that a call has for it; `None` if there is none."""

_MAX_CAUSES = 64
_MAX_CHECKED_RUNS = 1024
_TOOL_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
"""The union of what providers accept: OpenAI and Anthropic letters, digits, `_` and `-`; Gemini also `.` and `:`; MCP servers also `/`."""


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

    Raises:
        ConfigError: The configuration is wrong, something in `models` is not a chat model, or a rule names a brief or a look that is not handed in.

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
    ) -> None:
        from lg_toolroute.clients.models import ModelBook

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
        return (_rebuilt, (self.config, dict(self.models.given), self.strict, self.briefs, self.read_file, self.looks))

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
            ConfigError: A tool's name is given twice, or a model cannot be given tools; under `strict`, a rule matches nothing, a provider may
                refuse a name, the agent is not configured, or a model cannot be built.
        """
        refuse_duplicate_names(tools)
        self.refuse_blind_looks(tools, agent=agent)
        self.refuse_toolless(tools, agent=agent)
        names = [tool_name(tool) for tool in tools]
        called = dict.fromkeys(tool_name(tool) for tool in tools if is_called_by_name(tool))
        problems = [*_odd_names(list(called)), *self.book.unmatched(names, agent), *self._unknown_agent(agent)]
        problems += [*self._missing_arguments(tools, agent), *self._wrong_file_tools(tools)]
        if self.strict:
            problems.extend(self.models.check())
            if problems:
                raise ConfigError(problems, source=self.config.source)
        for problem in problems:
            warnings.warn(str(problem), UserWarning, stacklevel=3)

    def refuse_blind_looks(self, tools: Sequence[Any], *, agent: str | None = None) -> None:
        """Raise if a rule's built-in look could never say anything, because none of the tools that it matches edits files.

        Raises:
            ConfigError: All such rules.
        """
        problems = blind(self.book, tools, self.file_tool, agent) if self.looks_at_calls else []
        if problems:
            raise ConfigError(problems, source=self.config.source)

    def _missing_arguments(self, tools: Sequence[Any], agent: str | None) -> list[Problem]:
        """The names in a rule's `cutAt` that no argument of its tools has."""
        rules: dict[str, tuple[tuple[str, ...], set[str]]] = {}
        for tool in tools:
            decision = self.decide(tool_name(tool), agent=agent)
            if decision.path is not None and isinstance(decision.options.cut_at, tuple):
                arguments = rules.setdefault(decision.path, (decision.options.cut_at, set()))[1]
                arguments.update((self.models.schema(tool) or {}).get("properties") or ())
        problems: list[Problem] = []
        for path, (named, known) in rules.items():
            for name in (each for each in named if each not in known):
                hint = did_you_mean(name, known, f"they have {', '.join(sorted(known))}")
                problems.append(Problem(f"{path}.cutAt", f"no tool of the rule has an argument {name!r}", hint))
        return problems

    def _wrong_file_tools(self, tools: Sequence[Any]) -> list[Problem]:
        """The arguments in `tools.files` that a bound tool does not have, and the names there that are nearly those of one."""
        bound = {tool_name(tool): tool for tool in tools}
        problems: list[Problem] = []
        for name, described in self.config.tools.files.items():
            if name not in bound:
                if hint := did_you_mean(name, bound):  # tools of other agents and of servers that come later are described there too
                    problems.append(Problem(f"tools.files.{name}", f"{name!r} matches none of the {len(bound)} bound tools", hint))
                continue
            known = tuple((self.models.schema(bound[name]) or {}).get("properties") or ())
            for key, argument in described.arguments().items():
                if argument not in known:
                    hint = did_you_mean(argument, known, f"it has {', '.join(sorted(known))}")
                    problems.append(Problem(f"tools.files.{name}.{key}", f"{name!r} has no argument {argument!r}", hint))
        return problems

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
            warnings.warn(str(problem), UserWarning, stacklevel=4)
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
    config: RoutingConfig, models: dict[str, Any], strict: bool, briefs: Mapping[str, Brief], read_file: ReadFile | None, looks: Looks
) -> ToolRouter:
    return ToolRouter(config, models=models, strict=strict, briefs=briefs, read_file=read_file, looks=looks)


def _odd_names(names: Sequence[str]) -> list[Problem]:
    hint = "most take 1 to 128 of the characters A-Z a-z 0-9 _ - . : / ; rename it"
    return [Problem("tools", f"{name!r} is a name that a provider may refuse", hint) for name in names if not _TOOL_NAME.fullmatch(name)]


def refuse_duplicate_names(tools: Sequence[Any]) -> None:
    """Raise if a model could not tell two tools apart, which it calls by their names.

    Raises:
        ConfigError: Each name that is bound more than once.
    """
    names = [tool_name(tool) for tool in tools if is_called_by_name(tool)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        hint = "a tool's name must be unique among the bound tools; rename one of them"
        raise ConfigError([Problem("tools", f"{name!r} is bound {names.count(name)} times", hint) for name in twice], source="tools")
