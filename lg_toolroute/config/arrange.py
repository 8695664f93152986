"""Every shape that authors write -> the one shape of the schema, mistakes of shape included.

Short keys at the top move to their home, plain text becomes a chain, lists of agents and of rules become mappings. Values keep the
path at which they were written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lg_toolroute.config.nodes import Node, shown, write_path
from lg_toolroute.config.section import SHORT_FOR_DEFAULTS, SHORT_FOR_MODEL
from lg_toolroute.errors import Problem

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake(key: str) -> str:
    """The Python spelling of a key: `onIntercept` and `on_intercept` are the same."""
    return _HUMP.sub(r"_\1", key).lower() if key[:1].islower() else key


@dataclass(slots=True)
class Arranger:
    """Moves the parts of a document to where the schema has them.

    Attributes:
        problems: Mistakes found on the way.
    """

    problems: list[Problem]

    def document(self, root: Node) -> Node:
        """The whole document in the schema's shape."""
        if not isinstance(root.value, dict):
            return root
        self._spelling(root, (*SHORT_FOR_DEFAULTS, *SHORT_FOR_MODEL, "agents", "tools", "models"))
        agents = self._child(root, "agents")
        defaults = self._child(agents, "defaults") if agents is not None else None
        for short in SHORT_FOR_DEFAULTS:
            defaults = self._move(root, short, defaults, ("agents", "defaults"))
        model = None
        if any(short in root.value for short in SHORT_FOR_MODEL):
            home = defaults if defaults is not None else self._home(root, ("agents", "defaults"))
            if home is not None and isinstance(home.value, dict):
                self._spelling(home, ("model",))
                if "model" in home.value:
                    self._chain(home, "model")
                model = self._child(home, "model")
                for short in SHORT_FOR_MODEL:
                    model = self._move(root, short, model, ("agents", "defaults", "model"))
        agents = self._child(root, "agents")
        if agents is not None:
            self._agents(agents)
        return root

    # One key in two spellings, or at two places, is a mistake: which one would win is nobody's guess.

    def _spelling(self, node: Node, names: tuple[str, ...]) -> None:
        if not isinstance(node.value, dict):
            return
        for key in list(node.value):
            name = snake(key)
            if name in names and key != name:
                if name in node.value:
                    self._twice(node.value[key], node.value[name])
                    del node.value[key]
                else:
                    node.value[name] = node.value.pop(key)

    def _twice(self, one: Node, other: Node) -> None:
        self.problems.append(Problem(other.where, f"is given twice, here and as {one.where}", "keep one of them"))

    def _child(self, node: Node | None, name: str) -> Node | None:
        if node is None or not isinstance(node.value, dict):
            return None
        return node.value.get(name)

    def _home(self, root: Node, names: tuple[str, ...]) -> Node | None:
        node = root
        for name in names:
            if not isinstance(node.value, dict):
                return None
            if name not in node.value or node.value[name].value is None:
                node.value[name] = Node({}, node.path)
            node = node.value[name]
        return node if isinstance(node.value, dict) else None

    def _move(self, root: Node, short: str, home: Node | None, names: tuple[str, ...]) -> Node | None:
        if not isinstance(root.value, dict) or short not in root.value:
            return home
        moved = root.value.pop(short)
        home = home if home is not None and isinstance(home.value, dict) else self._home(root, names)
        if home is None or not isinstance(home.value, dict):
            return home
        self._spelling(home, (short,))
        if short in home.value:
            self._twice(moved, home.value[short])
        else:
            home.value[short] = moved
        return home

    def _agents(self, agents: Node) -> None:
        if not isinstance(agents.value, dict):
            return
        self._spelling(agents, ("defaults", "entries", "list"))
        if "list" in agents.value:
            self._agent_list(agents, agents.value.pop("list"))
        if "defaults" in agents.value:
            self._agent(agents.value["defaults"])
        entries = agents.value.get("entries")
        if entries is not None and isinstance(entries.value, dict):
            for entry in entries.value.values():
                self._agent(entry)

    def _agent_list(self, agents: Node, listed: Node) -> None:
        if not isinstance(listed.value, list):
            self.problems.append(Problem(listed.where, f"{shown(listed.plain())} is no list", 'write a list of agents, each with an "id"'))
            return
        assert isinstance(agents.value, dict)  # noqa: S101  # the caller has looked
        entries = agents.value.setdefault("entries", Node({}, listed.path))
        if not isinstance(entries.value, dict):
            return
        for agent in listed.value:
            found = agent.value.get("id") if isinstance(agent.value, dict) else None
            if found is None or not isinstance(found.value, str) or not found.value.strip():
                self.problems.append(Problem((found or agent).where, "an agent has no id", 'write "id": "name" in it'))
            elif found.value in entries.value:
                first = entries.value[found.value]
                self.problems.append(Problem(found.where, f"the agent {found.value!r} is defined twice, first at {first.where}", "merge the two"))
            else:
                entries.value[found.value] = agent

    def _agent(self, agent: Node) -> None:
        if not isinstance(agent.value, dict):
            return
        self._spelling(agent, ("model", "image_model", "pdf_model", "heartbeat", "roles"))
        for name in ("model", "image_model", "pdf_model"):
            if name in agent.value:
                self._chain(agent, name)
        for holder in [agent.value.get("heartbeat"), *self._values(agent.value.get("roles"))]:
            if holder is not None and isinstance(holder.value, dict) and "model" in holder.value:
                self._chain(holder, "model")

    def _values(self, node: Node | None) -> list[Node]:
        return list(node.value.values()) if node is not None and isinstance(node.value, dict) else []

    def _chain(self, holder: Node, name: str) -> None:
        assert isinstance(holder.value, dict)  # noqa: S101  # the caller has looked
        chain = holder.value[name]
        if isinstance(chain.value, str):
            holder.value[name] = Node({"primary": chain}, chain.path)
        elif isinstance(chain.value, dict):
            self._spelling(chain, ("tool_routing", "primary", "fallbacks"))
            rules = chain.value.get("tool_routing")
            if rules is not None:
                chain.value["tool_routing"] = self._rules(rules)

    def _rules(self, rules: Node) -> Node:
        by_pattern: dict[str, Node] = {}
        if isinstance(rules.value, dict):
            for pattern, rule in rules.value.items():
                by_pattern[pattern] = self._rule(rule)
        elif isinstance(rules.value, list):
            for listed in rules.value:
                self._listed_rule(listed, by_pattern)
        else:
            return rules
        return Node(by_pattern, rules.path)

    def _listed_rule(self, listed: Node, by_pattern: dict[str, Node]) -> None:
        if not isinstance(listed.value, dict):
            meant = 'write {"tools": ["edit"], "model": "provider/model"}'
            self.problems.append(Problem(listed.where, f"{shown(listed.plain())} is no rule", meant))
            return
        self._spelling(listed, ("tools",))
        tools = listed.value.pop("tools", None)
        patterns = [] if tools is None else tools.value if isinstance(tools.value, list) else [tools]
        if not patterns:
            self.problems.append(Problem((tools or listed).where, "the rule names no tools", 'write "tools": ["edit"] in it'))
        # `model: null` in a list says what `"edit": null` says in a mapping.
        gone = "model" in listed.value and listed.value["model"].value is None and len(listed.value) == 1
        rule = Node(None, listed.path) if gone else self._rule(listed)
        for pattern in patterns:
            if not isinstance(pattern.value, str):
                self.problems.append(Problem(pattern.where, f"{shown(pattern.plain())} is no tool pattern", "write a tool's name as text"))
            elif pattern.value in by_pattern:
                first = write_path(by_pattern[pattern.value].key or by_pattern[pattern.value].path)
                self.problems.append(
                    Problem(pattern.where, f"there are two rules for {pattern.value!r}, the first at {first}", "keep one, or merge the two")
                )
            else:
                by_pattern[pattern.value] = Node(rule.value, rule.path, key=pattern.path)

    def _rule(self, rule: Node) -> Node:
        if isinstance(rule.value, str):
            return Node({"primary": rule}, rule.path)
        if not isinstance(rule.value, dict):
            return rule
        self._spelling(rule, ("model", "primary", "fallbacks"))
        if "tools" in rule.value:
            meant = "the key above it is the tool; for several tools in one rule write the list form"
            self.problems.append(Problem(rule.value.pop("tools").where, "`tools` has no place in the map form", meant))
        model = rule.value.pop("model", None)
        if model is None:
            return rule
        if isinstance(model.value, dict):
            self._spelling(model, ("primary", "fallbacks"))
        inner = model.value if isinstance(model.value, dict) else {"primary": model}
        for name, node in inner.items():
            if name in rule.value:
                self._twice(node, rule.value[name])
            else:
                rule.value[name] = node
        return rule
