"""What an agent is built with, drawn from dice; and what its configuration says, read without the engine."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.support.foreign_middleware import WAYS_TO_PUT_IN

A, B, C, D = SPECS = ("kimi/a", "deepseek/b", "qwen/c", "xai/d")
ALIASES = {"ace": A, "bee": B, "sea": C, "Dee": D}
NAMES = ("read", "look", "edit", "write", "exec")
GRAPH, MIDDLEWARE, DURABLE, CHAT = SURFACES = ("graph", "middleware", "durable middleware", "chat model")
KEYS = (*SPECS, *ALIASES, "*", "kimi/*", "*/b", "qwen", "xai")
PATTERNS = (*NAMES, "e*")
PROVIDER_TOOLS: tuple[dict[str, Any], ...] = (
    {"google_search": {}},
    {"type": "mcp", "server_label": "one", "server_url": "u"},
    {"type": "mcp", "server_label": "two", "server_url": "u"},
)


@dataclass(frozen=True)
class Case:
    """A configuration and what stands around it.

    Attributes:
        config: The configuration; its primary is `A`, or it leaves the primary to the agent, whose own model is `A`.
        surfaces: The two surfaces on which it is tried. Where a middleware of others stands around the routing, these are the middleware's.
        outside: A middleware of others before the routing: its way, and the models that it puts in.
        inside: The same behind it.
        direct: The tools that answer for the agent.
        whole: The models that cannot stream.
        extra_tools: Tools that run at the provider.
        keeps: The threads are kept.
    """

    config: Mapping[str, Any]
    surfaces: tuple[str, ...]
    outside: tuple[str, str, str] | None = None
    inside: tuple[str, str, str] | None = None
    direct: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    extra_tools: tuple[dict[str, Any], ...] = ()
    keeps: bool = False

    @property
    def is_alike(self) -> bool:
        """The same script gives the same on both surfaces: neither withholds what the other refuses, or begins a turn anew that the other resumes."""
        return not (self.has_policy and CHAT in self.surfaces) and not (self.outside is not None and self.outside[0] == "fallback")

    # -- what the configuration says -----------------------------------------------------------------------------------------------------

    @property
    def has_policy(self) -> bool:
        """Something takes a tool away from some model."""
        return bool(self.config["tools"] or self.config["models"]["providers"] or any(each for each in self.config["agents"]["entries"].values()))

    def denies(self, spec: str, tool: str, agent: str | None) -> bool:
        """Whether a model may not use a tool: some list above it says so."""
        own = self.config["agents"]["entries"].get(agent or "", {}).get("tools", {})
        lists = [each for section in (self.config["tools"], own) for each in _lists(section, spec)]
        denied = any(_names(each["deny"], tool) for each in lists if "deny" in each)
        return denied or any(not _names(each["allow"], tool) for each in lists if "allow" in each) or self.is_toolless(spec)

    def is_toolless(self, spec: str) -> bool:
        """Whether a model cannot call tools."""
        return spec.partition("/")[0] in self.config["models"]["providers"]

    def boundary(self, tool: str) -> str | None:
        """The only model that may write calls of a tool; `None` if there is no boundary around it."""
        rule = self.config["toolRouting"].get(tool)
        walled = rule is not None and rule.get("fallbacks") == [] and "call" in rule.get("moments", ["call"])
        return ALIASES.get(rule["primary"], rule["primary"]) if rule is not None and walled else None

    def may_not(self, spec: str, tool: str, agent: str | None) -> bool:
        """Whether a call of a tool must not run if this model wrote it."""
        return self.denies(spec, tool, agent) or self.boundary(tool) not in {None, spec}


def _lists(section: Mapping[str, Any], spec: str) -> Iterator[Mapping[str, Any]]:
    """The lists of a section that apply to a model."""
    yield section
    for kind in ("byModel", "byProvider"):
        yield from (each for key, each in section.get(kind, {}).items() if _means(key, spec))


def _means(key: str, spec: str) -> bool:
    names = {spec, *spec.split("/"), *(alias for alias, model in ALIASES.items() if model == spec)}
    return any(fnmatchcase(name.lower(), key.lower()) for name in names)


def _names(patterns: list[str], tool: str) -> bool:
    return any(fnmatchcase(tool, pattern) for pattern in patterns)


# -- drawn --------------------------------------------------------------------------------------------------------------------------------


def random_case(dice: random.Random) -> Case:
    """A configuration and what stands around it."""
    others = dice.random() < 0.3
    primary = {"model": {"primary": A, "fallbacks": _some(dice, (*SPECS, *ALIASES), 3)}}
    rules = {name: _rule(dice) for name in _some(dice, NAMES[1:], 3)}
    if dice.random() < 0.3:
        rules["edit"] = {"primary": dice.choice((*SPECS, *ALIASES)), "fallbacks": [], "onIntercept": dice.choice(["cut", "drain"])}
    has_policy = dice.random() < 0.5
    if not rules and not has_policy:  # an agent without anything to do goes by itself
        rules = {dice.choice(NAMES): _rule(dice)}
    entries = {"coder": {"tools": _policy(dice)}} if has_policy and dice.random() < 0.4 else {}
    toolless = [dice.choice(SPECS)] if has_policy and dice.random() < 0.2 else []
    config: dict[str, Any] = {
        "agents": {"defaults": {"models": {spec: {"alias": alias} for alias, spec in ALIASES.items()}}, "entries": entries},
        "toolRouting": rules,
        "tools": (_policy(dice) or {"deny": ["nothing"]}) if has_policy else {},
        "models": {"providers": {spec.partition("/")[0]: _without_tools(spec) for spec in toolless}},
    }
    if not others or dice.random() < 0.5:
        config.update(primary)
    foreign = [(dice.choice(WAYS_TO_PUT_IN), dice.choice(SPECS), dice.choice(SPECS)) if others and dice.random() < 0.7 else None for _ in range(2)]
    return Case(
        config,
        (MIDDLEWARE, DURABLE) if others else tuple(dice.sample(SURFACES, 2)),
        *foreign,
        direct=frozenset(_some(dice, NAMES, 2)) if dice.random() < 0.3 else frozenset(),
        whole=frozenset({dice.choice(SPECS)}) if dice.random() < 0.25 else frozenset(),
        extra_tools=PROVIDER_TOOLS if dice.random() < 0.15 else (),
        keeps=dice.random() < 0.2,
    )


def _some(dice: random.Random, values: tuple[str, ...], most: int) -> list[str]:
    return dice.sample(values, dice.randint(0, most))


def _rule(dice: random.Random) -> dict[str, Any]:
    rule: dict[str, Any] = {"primary": dice.choice((*SPECS, *ALIASES)), "onIntercept": dice.choice(["cut", "drain"])}
    if dice.random() < 0.5:
        rule["fallbacks"] = _some(dice, (*SPECS, *ALIASES), 2)
    if rule["onIntercept"] == "drain" and dice.random() < 0.3:
        rule["handoff"] = "draft"
    if dice.random() < 0.2:
        rule["streamArgs"] = "live"
    if dice.random() < 0.15:
        rule["moments"] = dice.choice([["call", "result"], ["result"]])
    if rule.get("fallbacks") != [] and dice.random() < 0.15:
        rule["escalate"] = {"after": 1}
    if dice.random() < 0.1:
        rule["refusalFallsBack"] = True
    return rule


def _policy(dice: random.Random) -> dict[str, Any]:
    section = _list(dice, 0.3, 0.0)
    for kind in ("byModel", "byProvider"):
        if dice.random() < 0.6:
            section[kind] = {key: _list(dice, 0.8, 0.3) for key in _some(dice, KEYS, 2)}
    return section


def _list(dice: random.Random, denies: float, allows: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if dice.random() < denies:
        found["deny"] = dice.sample(PATTERNS, dice.randint(1, 2))
    if dice.random() < allows:
        found["allow"] = dice.sample(PATTERNS, dice.randint(1, 4))
    return found


def _without_tools(spec: str) -> dict[str, Any]:
    return {"baseUrl": "http://127.0.0.1:9/v1", "models": [{"id": spec.partition("/")[2], "compat": {"supportsTools": False}}]}
