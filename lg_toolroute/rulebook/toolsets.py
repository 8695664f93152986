"""What a rule book says of all tools of a graph at once: asked in every node of every turn, and the same each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from lg_toolroute.core.rules.decision import Decision
from lg_toolroute.core.rules.tools import Tools

T = TypeVar("T")

_MOST = 512  # agents may bind other tools in every turn: remembering must have an end


class Toolsets:
    """Answers about sets of tools, remembered. Names come in the order in which the tools were given.

    Args:
        decide: `RuleBook.decide`, asked once for each tool of each set.
        allowed: `RuleBook.allowed`, asked once for each set.
    """

    __slots__ = ("_allowed", "_decide", "_known")

    def __init__(self, *, decide: Callable[..., Decision], allowed: Callable[..., tuple[str, ...]]) -> None:
        self._decide = decide
        self._allowed = allowed
        self._known: dict[tuple[Any, ...], Any] = {}

    def allowed(self, spec: str, tools: Tools, *, agent: str | None = None) -> tuple[str, ...]:
        """The names of the tools that a model may use."""
        return self._once(("allowed", spec, tools, agent), lambda: self._allowed(spec, tools, agent=agent))

    def routed(self, tools: Tools, *, agent: str | None = None, role: str | None = None) -> tuple[str, ...]:
        """The names of the tools whose calls a rule has written by its chain."""

        def routed() -> tuple[str, ...]:
            return tuple(name for name, tags in tools if "call" in self._decide(name, agent=agent, tags=tags, role=role).moments)

        return self._once(("routed", tools, agent, role), routed)

    def escalating(self, tools: Tools, *, agent: str | None = None, role: str | None = None) -> tuple[tuple[str, int], ...]:
        """The names of the tools whose rules escalate, each with the number of failures after which they do."""

        def escalating() -> tuple[tuple[str, int], ...]:
            decided = [(name, self._decide(name, agent=agent, tags=tags, role=role).options.escalate) for name, tags in tools]
            return tuple((name, escalate.after) for name, escalate in decided if escalate is not None)

        return self._once(("escalating", tools, agent, role), escalating)

    def _once(self, key: tuple[Any, ...], find: Callable[[], T]) -> T:
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[key] = find()
        return cast("T", found)
