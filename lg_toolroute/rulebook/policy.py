"""Tool policies: which tools a model may see and run.

Layers stand one above the other and each can only remove. The first is the profile (an agent's takes the place of the global one, and
`alsoAllow` adds to it), then come the global lists, every entry of `byProvider` and of `byModel` that matches the model, and the agent's own.
A tool is allowed if no layer refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lg_toolroute.config import RoutingConfig
from lg_toolroute.config.nodes import Location
from lg_toolroute.config.places import Places
from lg_toolroute.config.tools import PolicyConfig, ToolsConfig
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
    """The key of an entry of `byProvider` or `byModel`: a provider, a model, a spec, or a glob over one of these; in any case.

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

    def matches(self, spec: str) -> bool:
        """Whether it means a model, given by its canonical spec."""
        whole = spec.casefold()
        provider, _, model = whole.partition("/")
        names = (whole, f"{provider}:{model}", model, provider)
        if self.glob is not None:
            return any(self.glob.matches(name) for name in names)
        return self.text in names


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one agent, for every model.

    Attributes:
        always: Lists that apply to every model.
        matched: Lists that apply to the models that their pattern means.
    """

    always: tuple[ListLayer, ...]
    matched: tuple[tuple[ModelPattern, ListLayer], ...]

    def layers(self, spec: str) -> tuple[ListLayer, ...]:
        """The lists that apply to a model, given by its canonical spec."""
        return (*self.always, *(layer for pattern, layer in self.matched if pattern.matches(spec)))


def refusal(layers: Sequence[ListLayer], tool: str, tags: Sequence[str]) -> str | None:
    """The path of the first list that refuses a tool, or `None`."""
    for layer in layers:
        if layer.refuses(tool, tags):
            return layer.path
    return None


def compile_policy(
    config: RoutingConfig, sections: Sequence[tuple[Location, ToolsConfig]], groups: Mapping[str, Sequence[str]]
) -> Policy:
    """The policy of one agent, made of `tools` sections: each with its path in the schema's names, the global one first."""
    compiler = _Compiler(groups, config.places)
    always = [*compiler.switches(config), *compiler.base(sections)]
    matched: list[tuple[ModelPattern, ListLayer]] = []
    for loc, tools in sections:
        more, more_matched = compiler.section(tools, loc)
        always += more
        matched += more_matched
    return Policy(tuple(always), tuple(matched))


@dataclass(frozen=True, slots=True)
class _Compiler:
    groups: Mapping[str, Sequence[str]]
    places: Places

    def switches(self, config: RoutingConfig) -> list[ListLayer]:
        off = [(name, tools) for name, tools in _SWITCHES if (switch := getattr(config, name)) is not None and not switch.enabled]
        return [self._list((name, "enabled"), tools, allows=False) for name, tools in off]

    def base(self, sections: Sequence[tuple[Location, ToolsConfig]]) -> list[ListLayer]:
        profile: str | None = None
        also: tuple[str, ...] | None = None
        where: Location = ()
        for loc, tools in sections:
            if tools.profile is not None:
                profile, where = tools.profile, loc
            also = tools.also_allow if tools.also_allow is not None else also
        return self._profile(profile, also, where)

    def section(self, tools: ToolsConfig, loc: Location) -> tuple[list[ListLayer], list[tuple[ModelPattern, ListLayer]]]:
        always = self._lists(tools, loc)
        for name, tool in _WEB_SWITCHES:
            switch = getattr(tools.web, name) if tools.web is not None else None
            if switch is not None and not switch.enabled:
                always.append(self._list((*loc, "web", name, "enabled"), (tool,), allows=False))
        matched: list[tuple[ModelPattern, ListLayer]] = []
        for kind, entries in (("by_provider", tools.by_provider), ("by_model", tools.by_model)):
            for name, policy in entries.items():
                place = (*loc, kind, name)
                lists = [*self._profile(policy.profile, policy.also_allow, place), *self._lists(policy, place)]
                matched += [(ModelPattern.of(name), layer) for layer in lists]
        return always, matched

    def _profile(self, profile: str | None, also: Sequence[str] | None, loc: Location) -> list[ListLayer]:
        if profile is None or profile == "full":
            return []
        return [self._list((*loc, "profile"), (*PROFILES[profile], *(also or ())), allows=True)]

    def _lists(self, policy: PolicyConfig, loc: Location) -> list[ListLayer]:
        lists = [self._list((*loc, "deny"), policy.deny, allows=False)] if policy.deny else []
        return lists if policy.allow is None else [*lists, self._list((*loc, "allow"), policy.allow, allows=True)]

    def _list(self, loc: Location, entries: Sequence[str], *, allows: bool) -> ListLayer:
        return ListLayer(self.places.of(*loc), Table.of(entries, self.groups), allows)


def pattern_spec(key: str) -> str | None:
    """The one model that a key means, canonical; `None` if it is a pattern or names no provider."""
    if is_glob(key):
        return None
    try:
        return str(parse_spec(key))
    except ValueError:
        return None
