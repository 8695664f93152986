"""The compiled rule book: answers every routing question from tables, without a clock, a model or a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from lg_toolroute.core.decision import Decision
from lg_toolroute.core.facts import ModelFacts
from lg_toolroute.errors import Problem

if TYPE_CHECKING:
    from lg_toolroute.config import RoutingConfig


class RuleBook:
    """Made by `compile_config(config)`. Immutable but for a memo; may be pickled, copied and shared between threads."""

    config: RoutingConfig

    def decide(
        self,
        tool: str | None,
        *,
        agent: str | None = None,
        tags: Sequence[str] = (),
        role: str | None = None,
        source: str | None = None,
    ) -> Decision:
        raise NotImplementedError

    def explain(self, tool: str, *, agent: str | None = None, tags: Sequence[str] = ()) -> str:
        raise NotImplementedError

    def reasoning_chain(self, *, agent: str | None = None, role: str | None = None, override: str | None = None) -> tuple[str, ...]:
        raise NotImplementedError

    def capability_chain(self, kind: Literal["image", "pdf"], *, agent: str | None = None) -> tuple[str, ...]:
        raise NotImplementedError

    def verdict(self, tool: str, spec: str, *, agent: str | None = None, tags: Sequence[str] = ()) -> str | None:
        raise NotImplementedError

    def allowed(self, spec: str, tools: Sequence[tuple[str, Sequence[str]]], *, agent: str | None = None) -> tuple[str, ...]:
        raise NotImplementedError

    def params(self, spec: str, *, agent: str | None = None, rule_params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        raise NotImplementedError

    def facts(self, spec: str) -> ModelFacts:
        raise NotImplementedError

    def specs(self) -> tuple[str, ...]:
        raise NotImplementedError

    def routed_patterns(self, agent: str | None = None) -> tuple[str, ...]:
        raise NotImplementedError

    def unmatched(self, tool_names: Sequence[str], agent: str | None = None) -> tuple[Problem, ...]:
        raise NotImplementedError
