"""The compiled rule book: answers every routing question from tables, without a clock, a model or a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from lg_toolroute.config import RoutingConfig
from lg_toolroute.core.rules.decision import Decision, Skip
from lg_toolroute.core.rules.facts import NO_FACTS, ModelFacts
from lg_toolroute.core.rules.groups import all_groups
from lg_toolroute.core.rules.match import Table, kind_of
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.core.rules.params import Params, merge
from lg_toolroute.core.rules.spec import canonical
from lg_toolroute.errors import Problem
from lg_toolroute.rulebook.agent_rules import HEARTBEAT, AgentRules, Rule, agent_sections, capability_chain, compile_agent_rules, distinct
from lg_toolroute.rulebook.explain import CallsOf, Forcing, explain
from lg_toolroute.rulebook.model_facts import compile_facts, param_layers
from lg_toolroute.rulebook.policy import ListLayer, Policy, compile_policy, refusal
from lg_toolroute.rulebook.toolsets import Toolsets

_MEMO_LIMIT = 8192  # tool names may be invented by models: remembering must have an end


def compile_config(config: RoutingConfig) -> RuleBook:
    """Compiles a configuration, as `load_config` gives it."""
    return RuleBook(config)


class RuleBook:
    """Every routing decision of a configuration.

    It is made by `compile_config(config)`, never changes, and remembers what it has been asked. It can be pickled, copied and shared
    between threads.

    What most methods take:

    - `agent`: the agent's id; `None`, or one that is not configured, has the defaults.
    - `role`: the role of the run; `None`, or one that is not configured, has the agent's own chain.
    - `spec`: a model, `provider/model`, in any spelling that `canonical` reads, or an alias.
    - `tags`: the tool's own tags.

    Attributes:
        config: The configuration it was compiled from.
        groups: Members by group name.
        toolsets: What it says of all tools of a graph at once, remembered.
    """

    __slots__ = ("_agent_rules", "_aliases", "_decisions", "_facts", "_layers", "_params", "_policies", "config", "groups", "toolsets")

    def __init__(self, config: RoutingConfig) -> None:
        self.config = config
        self.groups = all_groups(config.tools.groups)
        self._facts = compile_facts(config)
        self._aliases = config.aliases
        # Single reads and writes of a dict are atomic; two threads that miss at once do the same work twice and agree.
        self._decisions: dict[tuple[Any, ...], Decision] = {}
        self._agent_rules: dict[tuple[str | None, str | None], AgentRules] = {}
        self._policies: dict[str | None, Policy] = {}
        self._params: dict[tuple[str, str | None], Params] = {}
        self._layers: dict[tuple[str, str | None], tuple[ListLayer, ...]] = {}
        self.toolsets = Toolsets(decide=self.decide, allowed=self.allowed)
        # What cannot be compiled is refused now, not at the first tool call.
        self._rules_of(None, None)
        self._policy_of(None)

    def __getstate__(self) -> RoutingConfig:
        return self.config

    def __setstate__(self, state: RoutingConfig) -> None:
        RuleBook.__init__(self, state)

    def __repr__(self) -> str:
        return f"RuleBook({self.config.source!r}, {len(self._rules_of(None, None).rules)} rules, {len(self.config.agents.entries)} agents)"

    @property
    def agents(self) -> tuple[str, ...]:
        """The ids of the configured agents."""
        return tuple(self.config.agents.entries)

    def spec(self, text: str) -> str:
        """The canonical spec of a model that is named by a spec or an alias.

        Raises:
            ValueError: It is neither.
        """
        return canonical(self._aliases.get(text.strip(), text))

    def roles(self, agent: str | None = None) -> tuple[str, ...]:
        """The roles that an agent's runs may have."""
        sections = [section for _, section in agent_sections(self.config, agent)]
        heartbeat = [HEARTBEAT] if any(section.heartbeat is not None and section.heartbeat.model is not None for section in sections) else []
        return tuple(dict.fromkeys([*heartbeat, *(role for section in sections for role in section.roles)]))

    def decide(
        self,
        tool: str | None,
        *,
        agent: str | None = None,
        tags: Sequence[str] = (),
        role: str | None = None,
        source: str | None = None,
    ) -> Decision:
        """Who writes a call of a tool, in which order, and why.

        `tool` is the expected one, `None` when the model is to reason; `source` says how it is known: `forced` or `intercepted`.
        """
        key = (tool, agent, tags if type(tags) is tuple else tuple(tags), role, source)
        found = self._decisions.get(key)
        if found is None:
            found = self._decide(tool, agent, key[2], role, source)
            if len(self._decisions) >= _MEMO_LIMIT:
                self._decisions.clear()
            self._decisions[key] = found
        return found

    def _decide(self, tool: str | None, agent: str | None, tags: tuple[str, ...], role: str | None, source: str | None) -> Decision:
        own = self._rules_of(agent, role)
        number = None if tool is None else own.table.find(tool, tags)
        rule = None if number is None else own.rules[number]
        chain = own.chain if rule is None else rule.chain
        skipped = () if tool is None else tuple(self._skips(chain, tool, agent, tags))
        out = {skip.model for skip in skipped}
        model = next((spec for spec in chain if spec not in out), None)
        return Decision(
            tool=tool,
            agent=agent,
            rule=None if rule is None else rule.pattern,
            path=None if rule is None else rule.path,
            moments=() if rule is None else rule.moments,
            chain=chain,
            skipped=skipped,
            model=model,
            source=source,
            reason=_reason(tool, rule, chain, skipped, model),
            options=own.options if rule is None else rule.options,
        )

    def _skips(self, chain: Sequence[str], tool: str, agent: str | None, tags: tuple[str, ...]) -> Iterator[Skip]:
        for spec in chain:
            if self.facts(spec).supports_tools is False:
                yield Skip(spec, f"cannot call tools ({self._tools_fact(spec)})", kind="no_tools")
            elif (layer := refusal(self.layers(spec, agent=agent), tool, tags)) is not None:
                yield Skip(spec, f"may not use {tool!r} ({layer})", kind="policy")

    def explain(
        self,
        tool: str,
        *,
        agent: str | None = None,
        tags: Sequence[str] = (),
        forcing: Forcing | None = None,
        calls_of: CallsOf | None = None,
    ) -> str:
        """The decision for a tool in readable lines, with the numbers that tell whether its rule pays.

        Args:
            tool: The tool's name.
            agent: The agent that asks.
            tags: The tool's tags.
            forcing: Says how a model is made to call; unset: no line is about that.
            calls_of: Gives how each model did with the calls of a tool so far: a health book's.
        """
        decision = self.decide(tool, agent=agent, tags=tags)
        primary = next(iter(self.reasoning_chain(agent=agent)), None)
        known = agent is None or agent in self.agents
        return explain(decision, primary=primary, agent_known=known, facts=self.facts, forcing=forcing, calls_of=calls_of)

    def primary(self, *, agent: str | None = None, role: str | None = None) -> str | None:
        """The model that reasons; `None` if the configuration names none."""
        return self._rules_of(agent, role).primary

    def reasoning_chain(self, *, agent: str | None = None, role: str | None = None, override: str | None = None) -> tuple[str, ...]:
        """The models that reason, in order.

        An `override`, a model that the caller asks for, goes first, and the configured primary last unless `fallbacks` is `[]`.

        Raises:
            ValueError: `override` is neither a model spec nor an alias.
        """
        own = self._rules_of(agent, role)
        if override is None:
            return own.chain
        if own.fallbacks is not None and not own.fallbacks:
            return (self.spec(override),)
        return distinct((self.spec(override), *(own.fallbacks or ()), own.primary))

    def capability_chain(self, kind: Literal["image", "pdf"], *, agent: str | None = None) -> tuple[str, ...]:
        """The models for messages that carry an image or a PDF; `()` if none is configured. PDFs go to the image models if they have none."""
        chain = capability_chain(self.config, f"{kind}_model", agent)
        return chain or (capability_chain(self.config, "image_model", agent) if kind == "pdf" else ())

    def verdict(self, tool: str, spec: str, *, agent: str | None = None, tags: Sequence[str] = ()) -> str | None:
        """Whether a model may use a tool: `None` if it may, else the path of what refuses it, `tools.byModel['ollama/*'].deny`."""
        spec = self.spec(spec)
        if self.facts(spec).supports_tools is False:
            return self._tools_fact(spec)
        return refusal(self.layers(spec, agent=agent), tool, tags)

    def allowed(self, spec: str, tools: Sequence[tuple[str, Sequence[str]]], *, agent: str | None = None) -> tuple[str, ...]:
        """The names of the tools that a model may use, in the order given. `tools` are pairs of a name and tags."""
        spec = self.spec(spec)
        if self.facts(spec).supports_tools is False:
            return ()
        layers = self.layers(spec, agent=agent)
        return tuple(name for name, tags in tools if refusal(layers, name, tags) is None)

    def layers(self, spec: str, *, agent: str | None = None) -> tuple[ListLayer, ...]:
        """The lists of the tool policy that apply to a model."""
        key = (self.spec(spec), agent)
        found = self._layers.get(key)
        if found is None:
            if len(self._layers) >= _MEMO_LIMIT:
                self._layers.clear()
            found = self._layers[key] = self._policy_of(agent).layers(key[0])
        return found

    def params(self, spec: str, *, agent: str | None = None, rule_params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """The settings of a model's calls, merged key by key; `null` removes a setting. `rule_params` go on top."""
        key = (spec, agent)
        found = self._params.get(key)
        if found is None:
            if len(self._params) >= _MEMO_LIMIT:
                self._params.clear()
            found = self._params[key] = merge(*param_layers(self.config, self.spec(spec), agent))
        return merge(found, rule_params) if rule_params else found

    def facts(self, spec: str) -> ModelFacts:
        """What the configuration says about a model, given by its canonical spec."""
        found = self._facts.get(spec)
        return found if found is not None else self._facts.get(f"{spec.partition('/')[0]}/", NO_FACTS)

    def specs(self) -> tuple[str, ...]:
        """Every model that any chain can reach, in the order of the document."""
        found: dict[str, None] = {}
        for agent in (None, *self.agents):
            for role in (None, *self.roles(agent)):
                own = self._rules_of(agent, role)
                found.update(dict.fromkeys(own.chain))
                for rule in own.rules:
                    found.update(dict.fromkeys(rule.chain))
                    if rule.options.escalate is not None and rule.options.escalate.to is not None:
                        found[rule.options.escalate.to] = None
            for kind in ("image", "pdf"):
                found.update(dict.fromkeys(self.capability_chain(kind, agent=agent)))
        return tuple(found)

    def rules(self, agent: str | None = None, role: str | None = None) -> tuple[Rule, ...]:
        """The rules of an agent after inheritance, its own first."""
        return self._rules_of(agent, role).rules

    def every_rule(self) -> tuple[Rule, ...]:
        """The rules of all agents and roles, each once."""
        sections = [(agent, role) for agent in (None, *self.agents) for role in (None, *self.roles(agent))]
        return tuple({rule.path: rule for section in sections for rule in self.rules(*section)}.values())

    def unmatched(self, tool_names: Sequence[str | tuple[str, Sequence[str]]], agent: str | None = None) -> tuple[Problem, ...]:
        """The rules that match none of the bound tools, each with the nearest name.

        Tools are names, or pairs of a name and its tags. Where no tags are given, rules for tags are not judged.
        """
        tools = [(tool, None) if isinstance(tool, str) else (tool[0], tuple(tool[1])) for tool in tool_names]
        names = [name for name, _ in tools]
        problems = []
        for rule in self._rules_of(agent, None).rules:
            untagged = kind_of(rule.pattern) in ("tag", "group") and any(tags is None for _, tags in tools)
            table = Table.of((rule.pattern,), self.groups)
            if (untagged and table.tagged) or any(table.holds(name, tags or ()) for name, tags in tools):
                continue
            hint = did_you_mean(rule.pattern, names, f"bound are {', '.join(sorted(names)[:8])}" if names else "no tools are bound")
            count = f"the {len(names)} bound tools" if len(names) != 1 else "the one bound tool"
            problems.append(Problem(rule.path, f"{rule.pattern!r} matches none of {count}", hint))
        return tuple(problems)

    def _rules_of(self, agent: str | None, role: str | None) -> AgentRules:
        agent = agent if agent in self.config.agents.entries else None
        role = role if role is not None and role in self.roles(agent) else None
        found = self._agent_rules.get((agent, role))
        if found is None:
            found = self._agent_rules[(agent, role)] = compile_agent_rules(self.config, self.groups, agent, role)
        return found

    def _policy_of(self, agent: str | None) -> Policy:
        agent = agent if agent in self.config.agents.entries else None
        found = self._policies.get(agent)
        if found is None:
            own = [((*loc, "tools"), section.tools) for loc, section in agent_sections(self.config, agent) if section.tools is not None]
            sections = [(("tools",), self.config.tools), *own]
            found = self._policies[agent] = compile_policy(self.config, sections, self.groups)
        return found

    def _tools_fact(self, spec: str) -> str:
        provider_id, _, name = spec.partition("/")
        for key, provider in self.config.models.providers.items():
            if key.lower() == provider_id:
                for number, entry in enumerate(provider.models):
                    if entry.id == name:
                        return self.config.places.of("models", "providers", key, "models", number, "compat", "supports_tools")
        return "compat.supportsTools"


def _reason(tool: str | None, rule: Rule | None, chain: Sequence[str], skipped: Sequence[Skip], model: str | None) -> str:
    if not chain:
        return "the configuration names no primary" + ("" if rule is None else f", and the rule {rule.pattern!r} no model")
    if model is None:
        return f"no candidate is left for {tool!r}: " + "; ".join(f"{skip.model} {skip.why}" for skip in skipped)
    before = [skip for skip in skipped if skip.model in chain[: chain.index(model)]]
    passed = f", since {'; '.join(f'{skip.model} {skip.why}' for skip in before)}" if before else ""
    if tool is None:
        return f"{model} reasons"
    if rule is None:
        return f"no rule is for {tool!r}: {model} writes its call itself{passed}"
    if not rule.moments:
        return f"the rule {rule.pattern!r} has no model: {model} writes the call of {tool!r} itself{passed}, and a look sees it before it lands"
    verb = "runs the turn after its result" if rule.moments == ("result",) else "writes its call"
    return f"the rule {rule.pattern!r} is for {tool!r}: {model} {verb}{passed}"
