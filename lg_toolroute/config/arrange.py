"""The shapes that authors may write besides the one of the schema, rewritten into that one, section by section.

Keys move, lists of agents and of rules become mappings. Values keep the path at which they were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from lg_toolroute.config.agents import AgentsConfig, ModelConfig, RuleConfig
from lg_toolroute.config.document import RoutingConfig
from lg_toolroute.config.nodes import Location, Node, shown, write_path
from lg_toolroute.config.section import SHORT_FOR_DEFAULTS, SHORT_FOR_MODEL, Section
from lg_toolroute.errors import Problem

Parts = dict[str, Node]
"""The values of a mapping of the document, by the keys of its author."""

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_HOMES: dict[str, Location] = {
    **dict.fromkeys(SHORT_FOR_DEFAULTS, ("agents", "defaults")),
    **dict.fromkeys(SHORT_FOR_MODEL, ("agents", "defaults", "model")),
}


def snake(key: str) -> str:
    """The Python spelling of a key: `onIntercept` and `on_intercept` are the same."""
    return _HUMP.sub(r"_\1", key).lower() if key[:1].islower() else key


def twice(node: Node, other: Node) -> Problem:
    """The mistake of saying one thing at two places: which of them would win cannot be seen."""
    return Problem(node.where, f"is given twice, here and as {other.where}", "keep one of them")


def arranged(kind: type[Section], node: Node, parts: Parts, problems: list[Problem]) -> Parts:
    """What a section holds, in the schema's shape; `node` is where it stands. Mistakes of shape are added to `problems`."""
    rewrite = _REWRITES.get(kind)
    return parts if rewrite is None else rewrite(node, dict(parts), problems)


def _document(root: Node, parts: Parts, problems: list[Problem]) -> Parts:
    short: Parts = {}
    for key in [key for key in parts if snake(key) in _HOMES]:
        node = parts.pop(key)
        if snake(key) in short:
            problems.append(twice(node, short[snake(key)]))
        else:
            short[snake(key)] = node
    for name in [name for name in _HOMES if name in short]:
        home = _home(root, parts, _HOMES[name])
        if home is None:
            continue
        written = next((home[key] for key in home if snake(key) == name), None)
        if written is None:
            home[name] = short[name]
        else:
            problems.append(twice(written, short[name]))
    return parts


def _home(root: Node, parts: Parts, location: Location) -> Parts | None:
    """The mapping at a location, made where it is missing; `None` if something else stands there."""
    for name in map(str, location):
        node = parts.get(name)
        if node is None or node.value is None:
            node = parts[name] = Node({}, root.path)
        elif name == "model" and isinstance(node.value, str):
            node = parts[name] = Node({"primary": node}, node.path)
        if not isinstance(node.value, dict):
            return None
        parts = node.value
    return parts


def _agents(node: Node, parts: Parts, problems: list[Problem]) -> Parts:
    listed = parts.pop("list", None)
    if listed is None:
        return parts
    if not isinstance(listed.value, list):
        problems.append(Problem(listed.where, f"{shown(listed.plain())} is no list", 'write a list of agents, each with an "id"'))
        return parts
    entries = parts.setdefault("entries", Node({}, listed.path)).value
    if not isinstance(entries, dict):
        return parts
    for agent in listed.value:
        name = agent.value.get("id") if isinstance(agent.value, dict) else None
        if name is None or not isinstance(name.value, str) or not name.value.strip():
            problems.append(Problem((name or agent).where, "an agent has no id", 'write "id": "name" in it'))
        elif name.value in entries:
            first = entries[name.value].where
            problems.append(Problem(name.where, f"the agent {name.value!r} is defined twice, first at {first}", "merge the two"))
        else:
            entries[name.value] = agent
    return parts


def _model(node: Node, parts: Parts, problems: list[Problem]) -> Parts:
    for key, rules in parts.items():
        if snake(key) == "tool_routing" and isinstance(rules.value, list):
            by_pattern: Parts = {}
            for rule in rules.value:
                _listed_rule(rule, by_pattern, problems)
            parts[key] = Node(by_pattern, rules.path)
    return parts


def _listed_rule(listed: Node, by_pattern: Parts, problems: list[Problem]) -> None:
    if not isinstance(listed.value, dict):
        problems.append(Problem(listed.where, f"{shown(listed.plain())} is no rule", 'write {"tools": ["edit"], "model": "provider/model"}'))
        return
    rule = dict(listed.value)
    tools = rule.pop("tools", None)
    patterns: Iterable[Node] = () if tools is None else tools.value if isinstance(tools.value, list) else (tools,)
    if not patterns:
        problems.append(Problem((tools or listed).where, "the rule names no tools", 'write "tools": ["edit"] in it'))
    # `model: null` in a list says what `"edit": null` says in a mapping.
    removes = list(rule) == ["model"] and rule["model"].value is None
    for pattern in patterns:
        if not isinstance(pattern.value, str):
            problems.append(Problem(pattern.where, f"{shown(pattern.plain())} is no tool pattern", "write a tool's name as text"))
        elif pattern.value in by_pattern:
            first = by_pattern[pattern.value]
            message = f"there are two rules for {pattern.value!r}, the first at {write_path(first.key or first.path)}"
            problems.append(Problem(pattern.where, message, "keep one, or merge the two"))
        else:
            by_pattern[pattern.value] = Node(None if removes else rule, listed.path, key=pattern.path)


def _rule(node: Node, parts: Parts, problems: list[Problem]) -> Parts:
    if "tools" in parts:
        hint = "the key above it is the tool; for several tools in one rule write the list form"
        problems.append(Problem(parts.pop("tools").where, "`tools` has no place in the map form", hint))
    model = parts.pop("model", None)
    if model is None:
        return parts
    for name, part in (model.value if isinstance(model.value, dict) else {"primary": model}).items():
        if name in parts:
            problems.append(twice(parts[name], part))
        else:
            parts[name] = part
    return parts


_REWRITES: dict[type[Section], Callable[[Node, Parts, list[Problem]], Parts]] = {
    RoutingConfig: _document,
    AgentsConfig: _agents,
    ModelConfig: _model,
    RuleConfig: _rule,
}
