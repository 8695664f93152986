"""The chain and the rules of one agent in one role: inheritance between defaults, agents and roles happens here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from lg_toolroute.config import RoutingConfig
from lg_toolroute.config.agents import AgentConfig, ChainConfig, ModelConfig, RuleConfig
from lg_toolroute.core.rules.decision import DEFAULT_OPTIONS, Escalate, RuleOptions
from lg_toolroute.core.rules.match import Table
from lg_toolroute.core.rules.params import NO_PARAMS, Params

HEARTBEAT = "heartbeat"
"""The role of `heartbeat.model`."""
_DERIVED = frozenset({"on_intercept", "handoff", "brief", "escalate", "params", "forms", "boundary"})
_AS_WRITTEN = tuple(option.name for option in fields(RuleOptions) if option.name not in _DERIVED)
"""The options of a rule that are carried out as the configuration has them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule after inheritance.

    Attributes:
        pattern: As written.
        path: Where it stands, as the author wrote it.
        moments: When it acts; never, if it names no model and only has the calls looked at.
        chain: Its candidates, the rule's own first, the primary last unless it is a boundary.
        options: How it is carried out.
    """

    pattern: str
    path: str
    moments: tuple[str, ...]
    chain: tuple[str, ...]
    options: RuleOptions


@dataclass(frozen=True, slots=True)
class AgentRules:
    """What one agent, in one role, has after inheritance.

    Attributes:
        primary: The model that reasons; `None` if the configuration names none.
        fallbacks: The models after it; `None` if no section sets them.
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


def compile_agent_rules(config: RoutingConfig, groups: Mapping[str, Sequence[str]], agent: str | None, role: str | None) -> AgentRules:
    """What an agent has in a role. An agent that is not configured has the defaults."""
    sections = list(_model_sections(config, agent, role))
    primary, fallbacks = _inherited(model for _, model in sections)
    refusal: bool | None = None
    written: dict[str, tuple[RuleConfig, tuple[str, ...]]] = {}
    for loc, model in sections:
        refusal = model.refusal_falls_back if model.refusal_falls_back is not None else refusal
        own = {pattern: (rule, loc) for pattern, rule in model.tool_routing.items() if rule is not None}
        written = {**own, **{pattern: pair for pattern, pair in written.items() if pattern not in model.tool_routing}}
    rules = tuple(
        _rule(pattern, rule, config.places.of(*loc, "tool_routing", pattern), primary, fallbacks) for pattern, (rule, loc) in written.items()
    )
    return AgentRules(
        primary=primary,
        fallbacks=fallbacks,
        chain=distinct((primary, *(fallbacks or ()))),
        rules=rules,
        table=Table.of([rule.pattern for rule in rules], groups),
        options=RuleOptions(refusal_falls_back=True) if refusal else DEFAULT_OPTIONS,
    )


def agent_sections(config: RoutingConfig, agent: str | None) -> list[tuple[tuple[str, ...], AgentConfig]]:
    """The sections that make up an agent, each with its path in the schema's names, the defaults first."""
    sections: list[tuple[tuple[str, ...], AgentConfig]] = [(("agents", "defaults"), config.agents.defaults)]
    if agent is not None and agent in config.agents.entries:
        sections.append((("agents", "entries", agent), config.agents.entries[agent]))
    return sections


def _model_sections(config: RoutingConfig, agent: str | None, role: str | None) -> Iterator[tuple[tuple[str, ...], ModelConfig]]:
    sections = agent_sections(config, agent)
    for loc, section in sections:
        yield (*loc, "model"), section.model
    if role is None:
        return
    for loc, section in sections:
        if role == HEARTBEAT and section.heartbeat is not None and section.heartbeat.model is not None:
            yield (*loc, "heartbeat", "model"), section.heartbeat.model
        if role in section.roles:
            yield (*loc, "roles", role, "model"), section.roles[role].model


def _rule(pattern: str, rule: RuleConfig, path: str, primary: str | None, fallbacks: tuple[str, ...] | None) -> Rule:
    boundary = rule.fallbacks is not None and not rule.fallbacks
    own = fallbacks if rule.fallbacks is None else rule.fallbacks
    chain = distinct((rule.primary,) if boundary else (rule.primary, *(own or ()), primary))
    options = RuleOptions(
        on_intercept=rule.on_intercept or ("drain" if rule.handoff.meant == "draft" else "cut"),
        handoff=rule.handoff.meant,
        brief=rule.handoff.brief,
        escalate=None if rule.escalate is None else Escalate(rule.escalate.after, rule.escalate.to),
        params=Params(rule.params) if rule.params else NO_PARAMS,
        forms=_forms(rule),
        boundary=boundary,
        **{name: getattr(rule, name) for name in _AS_WRITTEN},
    )
    moments = () if rule.primary is None else tuple(dict.fromkeys(rule.moments))  # without a model of its own it hands nothing off
    return Rule(pattern, path, moments, chain, options)


def _forms(rule: RuleConfig) -> Params:
    """The form of each model that has one: a form that names no model is for the rule's own."""
    if isinstance(rule.form, str):
        return NO_PARAMS if rule.primary is None else Params({rule.primary: rule.form})
    return Params(rule.form) if rule.form else NO_PARAMS


def distinct(models: Iterable[str | None]) -> tuple[str, ...]:
    """A chain without duplicates and gaps."""
    return tuple(dict.fromkeys(model for model in models if model is not None))


def capability_chain(config: RoutingConfig, field: str, agent: str | None) -> tuple[str, ...]:
    """The chain of `image_model` or `pdf_model`; `()` if no section sets it."""
    primary, fallbacks = _inherited(getattr(section, field) for _, section in agent_sections(config, agent))
    return distinct((primary, *(fallbacks or ())))


def _inherited(chains: Iterable[ChainConfig | None]) -> tuple[str | None, tuple[str, ...] | None]:
    primary: str | None = None
    fallbacks: tuple[str, ...] | None = None
    for chain in chains:
        if chain is not None:
            primary = chain.primary if chain.primary is not None else primary
            fallbacks = chain.fallbacks if chain.fallbacks is not None else fallbacks
    return primary, fallbacks
