"""A configuration -> tables that answer. Inheritance between defaults, agents and roles happens here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lg_toolroute.core.rules.decision import DEFAULT_OPTIONS, Escalate, RuleOptions
from lg_toolroute.core.rules.facts import NO_FACTS, Cost, ModelFacts
from lg_toolroute.core.rules.match import Table
from lg_toolroute.core.rules.params import NO_PARAMS, Params
from lg_toolroute.core.rules.spec import Size
from lg_toolroute.rulebook.policy import ModelPattern, pattern_spec

if TYPE_CHECKING:
    from lg_toolroute.config import AgentConfig, ChainConfig, ModelConfig, ModelEntry, RoutingConfig, RuleConfig
    from lg_toolroute.rulebook.book import RuleBook

HEARTBEAT = "heartbeat"
"""The role of `heartbeat.model`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, ready to be carried out.

    Attributes:
        pattern: As written.
        path: Where it stands, as the author wrote it.
        moments: When it acts.
        chain: Its candidates, the rule's own first, the primary last unless it is a boundary.
        options: How it is carried out.
    """

    pattern: str
    path: str
    moments: tuple[str, ...]
    chain: tuple[str, ...]
    options: RuleOptions


@dataclass(frozen=True, slots=True)
class View:
    """What one agent, in one role, has after inheritance.

    Attributes:
        primary: The model that reasons; `None` if the configuration names none.
        fallbacks: The models after it; `None` if nobody said.
        chain: Both, without duplicates.
        rules: Its rules, its own before the inherited ones.
        table: Their patterns.
        options: What applies where no rule does.
    """

    primary: str | None
    fallbacks: tuple[str, ...] | None
    chain: tuple[str, ...]
    rules: tuple[Rule, ...]
    table: Table
    options: RuleOptions


def compile_config(config: RoutingConfig) -> RuleBook:
    """Compiles a configuration.

    Args:
        config: The configuration, as `load_config` gives it.
    """
    from lg_toolroute.rulebook.book import RuleBook

    return RuleBook(config)


def compile_view(config: RoutingConfig, groups: Mapping[str, Sequence[str]], agent: str | None, role: str | None) -> View:
    """What an agent has in a role.

    Args:
        config: The configuration.
        groups: All groups.
        agent: The agent's id; one that is not configured has the defaults.
        role: The role of the run.
    """
    layers = list(_layers(config, agent, role))
    primary: str | None = None
    fallbacks: tuple[str, ...] | None = None
    refusal: bool | None = None
    written: dict[str, tuple[RuleConfig, tuple[str, ...]]] = {}
    for loc, model in layers:
        primary = model.primary if model.primary is not None else primary
        fallbacks = model.fallbacks if model.fallbacks is not None else fallbacks
        refusal = model.refusal_falls_back if model.refusal_falls_back is not None else refusal
        own = {pattern: (rule, loc) for pattern, rule in model.tool_routing.items() if rule is not None}
        written = {**own, **{pattern: pair for pattern, pair in written.items() if pattern not in model.tool_routing}}
    options = RuleOptions(refusal_falls_back=True) if refusal else DEFAULT_OPTIONS
    rules = tuple(
        _rule(pattern, rule, config.places.of(*loc, "tool_routing", pattern), primary, fallbacks) for pattern, (rule, loc) in written.items()
    )
    chain = distinct((primary, *(fallbacks or ())))
    return View(primary, fallbacks, chain, rules, Table.of([rule.pattern for rule in rules], groups), options)


def _layers(config: RoutingConfig, agent: str | None, role: str | None) -> Iterator[tuple[tuple[str, ...], ModelConfig]]:
    agents = list(agent_layers(config, agent))
    for loc, section in agents:
        yield (*loc, "model"), section.model
    if role is None:
        return
    for loc, section in agents:
        if role == HEARTBEAT and section.heartbeat is not None and section.heartbeat.model is not None:
            yield (*loc, "heartbeat", "model"), section.heartbeat.model
        if role in section.roles:
            yield (*loc, "roles", role, "model"), section.roles[role].model


def agent_layers(config: RoutingConfig, agent: str | None) -> Iterator[tuple[tuple[str, ...], AgentConfig]]:
    """The sections that make up an agent, the defaults first.

    Args:
        config: The configuration.
        agent: The agent's id.
    """
    yield ("agents", "defaults"), config.agents.defaults
    if agent is not None and agent in config.agents.entries:
        yield ("agents", "entries", agent), config.agents.entries[agent]


def _rule(pattern: str, rule: RuleConfig, path: str, primary: str | None, fallbacks: tuple[str, ...] | None) -> Rule:
    boundary = rule.fallbacks is not None and not rule.fallbacks
    own = fallbacks if rule.fallbacks is None else rule.fallbacks
    chain = distinct((rule.primary,) if boundary else (rule.primary, *(own or ()), primary))
    draft = rule.handoff == "draft"
    options = RuleOptions(
        on_intercept=rule.on_intercept or ("drain" if draft else "cut"),
        handoff=rule.handoff,
        stream_args=rule.stream_args,
        escalate=None if rule.escalate is None else Escalate(rule.escalate.after, rule.escalate.to),
        predict=rule.predict,
        params=Params(rule.params) if rule.params else NO_PARAMS,
        boundary=boundary,
        refusal_falls_back=rule.refusal_falls_back,
    )
    return Rule(pattern, path, tuple(dict.fromkeys(rule.moments)), chain, options)


def distinct(models: Iterable[str | None]) -> tuple[str, ...]:
    """A chain without duplicates and gaps.

    Args:
        models: Candidates in order.
    """
    return tuple(dict.fromkeys(model for model in models if model is not None))


def compile_chain(config: RoutingConfig, name: str, agent: str | None) -> tuple[str, ...]:
    """The chain of `image_model` or `pdf_model`; `()` if nobody said.

    Args:
        config: The configuration.
        name: The field.
        agent: The agent's id.
    """
    primary: str | None = None
    fallbacks: tuple[str, ...] = ()
    for _, section in agent_layers(config, agent):
        chain: ChainConfig | None = getattr(section, name)
        if chain is not None:
            primary = chain.primary if chain.primary is not None else primary
            fallbacks = chain.fallbacks if chain.fallbacks is not None else fallbacks
    return distinct((primary, *fallbacks))


def compile_facts(config: RoutingConfig) -> dict[str, ModelFacts]:
    """What the configuration says about models, by canonical spec; under `provider/` what it says about all others of a provider.

    Args:
        config: The configuration.
    """
    facts: dict[str, ModelFacts] = {}
    for provider_id, provider in config.models.providers.items():
        name = provider_id.lower()
        if provider.max_tokens is not None:
            facts[f"{name}/"] = ModelFacts(max_output=provider.max_tokens)
        for entry in provider.models:
            facts[f"{name}/{entry.id}"] = _facts(entry, provider.max_tokens)
    return facts


def _facts(entry: ModelEntry, max_tokens: int | None) -> ModelFacts:
    windows = [size for size in (entry.context_window, entry.context_tokens) if size is not None]
    return ModelFacts(
        context_window=min(windows, default=None),
        max_output=entry.max_tokens if entry.max_tokens is not None else max_tokens,
        inputs=None if entry.input is None else frozenset(entry.input),
        supports_tools=None if entry.compat is None else entry.compat.supports_tools,
        cost=None if entry.cost is None else Cost(entry.cost.input, entry.cost.output, entry.cost.cache_read),
        size=None if entry.size_b is None else Size(entry.size_b),
    )


def facts_of(facts: Mapping[str, ModelFacts], spec: str) -> ModelFacts:
    """What is known about one model.

    Args:
        facts: As `compile_facts` gives them.
        spec: The model, canonical.
    """
    found = facts.get(spec)
    return found if found is not None else facts.get(f"{spec.partition('/')[0]}/", NO_FACTS)


def param_layers(config: RoutingConfig, spec: str, agent: str | None) -> Iterator[Mapping[str, Any]]:
    """Settings for a model, from the broadest to the most specific.

    Args:
        config: The configuration.
        spec: The model, canonical.
        agent: The agent's id.
    """
    sections = [section for _, section in agent_layers(config, agent)]
    yield sections[0].params
    provider_id, _, name = spec.partition("/")
    for key, provider in config.models.providers.items():
        if key.lower() == provider_id:
            yield provider.params
            yield from (entry.params for entry in provider.models if entry.id == name)
    for section in sections:
        patterns = [(key, settings) for key, settings in section.models.items() if settings.params]
        yield from (settings.params for key, settings in patterns if pattern_spec(key) is None and ModelPattern.of(key).matches(spec))
        yield from (settings.params for key, settings in patterns if pattern_spec(key) == spec)
    if len(sections) > 1:
        yield sections[1].params
