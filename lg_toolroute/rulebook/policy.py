"""Tool policies: which tools a model may see and run.

Layers stand one above the other and each can only remove. The first is the profile (an agent's takes the place of the global one, and
`alsoAllow` adds to it), then come the global lists, every entry of `byProvider` and of `byModel` that matches the model, and the agent's own.
A tool is allowed if no layer refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lg_toolroute.config import RoutingConfig
from lg_toolroute.config.nodes import Location
from lg_toolroute.config.places import Places
from lg_toolroute.config.tools import PolicyConfig, SwitchConfig, ToolsConfig
from lg_toolroute.core.rules.glob import Glob, is_glob, parse_glob
from lg_toolroute.core.rules.groups import PROFILES
from lg_toolroute.core.rules.match import Table
from lg_toolroute.core.rules.spec import parse_spec

_WEB_SWITCHES = (("search", "web_search"), ("fetch", "web_fetch"), ("x_search", "x_search"))
_SWITCHES = (("browser", ("browser",)), ("cron", ("cron", "automations")))


@dataclass(frozen=True, slots=True)
class ListLayer:
    """One list of one policy.

    Attributes:
        path: Where it stands, as the author wrote it: `tools.byModel['ollama/*'].deny`.
        table: Its entries.
        allows: Whether it names what stays; otherwise it names what goes.
    """

    path: str
    table: Table
    allows: bool

    def refuses(self, tool: str, tags: Sequence[str]) -> bool:
        return self.table.holds(tool, tags) != self.allows


@dataclass(frozen=True, slots=True)
class ModelPattern:
    """The key of an entry of `byProvider` or `byModel`: a provider, a model, a spec, an alias, or a glob over one of these; in any case.

    It is read as widely as it can be: a layer can only remove, so too wide a reading never opens anything.
    """

    text: str
    glob: Glob | None

    @classmethod
    def of(cls, text: str) -> ModelPattern:
        lowered = text.strip().casefold()
        if is_glob(lowered):
            return cls(lowered, parse_glob(lowered))
        return cls(lowered, None)

    def matches(self, spec: str, aliases: Sequence[str] = ()) -> bool:
        """Whether it means a model, given by its canonical spec and its aliases."""
        whole = spec.casefold()
        provider, _, model = whole.partition("/")
        names = (whole, f"{provider}:{model}", model, provider, *(alias.casefold() for alias in aliases))
        if self.glob is not None:
            return any(self.glob.matches(name) for name in names)
        return self.text in names


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one agent, for every model.

    Attributes:
        always: Lists that apply to every model.
        matched: Lists that apply to the models that their pattern means.
        aliases: Canonical specs by alias.
    """

    always: tuple[ListLayer, ...]
    matched: tuple[tuple[ModelPattern, ListLayer], ...]
    aliases: Mapping[str, str]

    def layers(self, spec: str) -> tuple[ListLayer, ...]:
        """The lists that apply to a model, given by its canonical spec."""
        names = tuple(alias for alias, model in self.aliases.items() if model == spec)
        return (*self.always, *(layer for pattern, layer in self.matched if pattern.matches(spec, names)))


def refusal(layers: Sequence[ListLayer], tool: str, tags: Sequence[str]) -> str | None:
    """The path of the first list that refuses a tool, or `None`."""
    for layer in layers:
        if layer.refuses(tool, tags):
            return layer.path
    return None


def compile_policy(config: RoutingConfig, sections: Sequence[tuple[Location, ToolsConfig]], groups: Mapping[str, Sequence[str]]) -> Policy:
    """The policy of one agent, made of `tools` sections: each with its path in the schema's names, the global one first."""
    compiler = _Compiler(groups, config.places)
    for name, switched in _SWITCHES:
        compiler.switch((name,), getattr(config, name), switched)
    profile: str | None = None
    also: tuple[str, ...] | None = None
    where: Location = ()
    for loc, tools in sections:
        if tools.profile is not None:
            profile, where = tools.profile, loc
        also = tools.also_allow if tools.also_allow is not None else also
    compiler.profile(where, profile, also)
    for loc, tools in sections:
        compiler.section(loc, tools)
    return Policy(tuple(compiler.always), tuple(compiler.matched), config.aliases)


@dataclass(frozen=True, slots=True)
class _Compiler:
    groups: Mapping[str, Sequence[str]]
    places: Places
    always: list[ListLayer] = field(default_factory=list)
    matched: list[tuple[ModelPattern, ListLayer]] = field(default_factory=list)

    def section(self, loc: Location, tools: ToolsConfig) -> None:
        self.lists(loc, tools)
        for name, tool in _WEB_SWITCHES:
            self.switch((*loc, "web", name), getattr(tools.web, name, None), (tool,))
        for kind, entries in (("by_provider", tools.by_provider), ("by_model", tools.by_model)):
            for name, policy in entries.items():
                self.profile((*loc, kind, name), policy.profile, policy.also_allow, ModelPattern.of(name))
                self.lists((*loc, kind, name), policy, ModelPattern.of(name))

    def switch(self, loc: Location, switch: SwitchConfig | None, tools: Sequence[str]) -> None:
        if switch is not None and not switch.enabled:
            self.add((*loc, "enabled"), tools, allows=False)

    def profile(self, loc: Location, profile: str | None, also: Sequence[str] | None, pattern: ModelPattern | None = None) -> None:
        if profile is not None and profile != "full":
            self.add((*loc, "profile"), (*PROFILES[profile], *(also or ())), allows=True, pattern=pattern)

    def lists(self, loc: Location, policy: PolicyConfig, pattern: ModelPattern | None = None) -> None:
        if policy.deny:
            self.add((*loc, "deny"), policy.deny, allows=False, pattern=pattern)
        if policy.allow is not None:
            self.add((*loc, "allow"), policy.allow, allows=True, pattern=pattern)

    def add(self, loc: Location, entries: Sequence[str], *, allows: bool, pattern: ModelPattern | None = None) -> None:
        layer = ListLayer(self.places.of(*loc), Table.of(entries, self.groups), allows)
        if pattern is None:
            self.always.append(layer)
        else:
            self.matched.append((pattern, layer))


def pattern_spec(key: str) -> str | None:
    """The one model that a key means, canonical; `None` if it is a pattern or names no provider."""
    if is_glob(key):
        return None
    try:
        return str(parse_spec(key))
    except ValueError:
        return None
