"""What a turn reads, and nothing that changes while it lasts: the rules, the tools, what stands at the end of the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

from lg_toolroute.core.rules.decision import Decision
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.rules.tools import Tools
from lg_toolroute.core.turn.escalation import pick_start
from lg_toolroute.core.turn.turn import Job


class ToolsetRules(Protocol):
    """What the rules say of all tools of an agent at once."""

    def allowed(self, spec: str, tools: Tools, *, agent: str | None = None) -> tuple[str, ...]: ...
    def routed(self, tools: Tools, *, agent: str | None = None, role: str | None = None) -> tuple[str, ...]: ...


class Rules(Protocol):
    """What a turn asks of the rules. `rulebook.book.RuleBook` is one."""

    @property
    def toolsets(self) -> ToolsetRules: ...
    def decide(
        self, tool: str | None, *, agent: str | None = None, tags: Sequence[str] = (), role: str | None = None, source: str | None = None
    ) -> Decision: ...
    def verdict(self, tool: str, spec: str, *, agent: str | None = None, tags: Sequence[str] = ()) -> str | None: ...
    def primary(self, *, agent: str | None = None, role: str | None = None) -> str | None: ...
    def reasoning_chain(self, *, agent: str | None = None, role: str | None = None, override: str | None = None) -> tuple[str, ...]: ...
    def capability_chain(self, kind: Literal["image", "pdf"], *, agent: str | None = None) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class TurnInputs:
    """What a turn reads.

    Attributes:
        rules: The compiled rules.
        tools: The tools the agent binds.
        facts: What is known of a model, configuration before profile.
        agent: The agent that the rules are for.
        role: Which chain reasons.
        override: A model that the caller put in place of the primary.
        forced: The tool that the caller, a planner or a human said comes next.
        results: The tools whose results this turn reads, in order.
        images: The newest message carries an image; `pdfs` likewise.
        tokens: Gives the history's approximate size, in tokens; asked only where a window is known.
        steps: How many steps up its chain a tool goes after failures, and the sentence that says why.
        agent_model: The spec of a primary that the application handed in for this turn (the middleware's `request.model`).
        least_brief: Gives about how many tokens a candidate can be sent for a job in place of the history; `None` where only the history will do.
    """

    rules: Rules
    tools: Tools
    facts: Callable[[str], ModelFacts]
    agent: str | None = None
    role: str | None = None
    override: str | None = None
    forced: str | None = None
    results: tuple[str, ...] = ()
    images: bool = False
    pdfs: bool = False
    tokens: Callable[[], int] = lambda: 0
    steps: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    agent_model: str | None = None
    least_brief: Callable[[Job, str], int | None] = lambda job, spec: None

    @cached_property
    def tags(self) -> Mapping[str, tuple[str, ...]]:
        """The tags of each tool."""
        return dict(self.tools)

    @cached_property
    def routed(self) -> tuple[str, ...]:
        """The tools whose calls a rule has written by its chain."""
        return self.rules.toolsets.routed(self.tools, agent=self.agent, role=self.role)

    @cached_property
    def _allowed(self) -> dict[str, tuple[str, ...]]:
        return {}

    def allowed(self, spec: str) -> tuple[str, ...]:
        """The tools that a model may see: the policy of the model that is asked, whatever brought it here."""
        found = self._allowed.get(spec)
        if found is None:
            found = self._allowed[spec] = self.rules.toolsets.allowed(spec, self.tools, agent=self.agent)
        return found

    def decision(self, tool: str | None, source: str | None) -> Decision:
        """The rules' decision on a tool; `None` is plain reasoning."""
        tags = () if tool is None else self.tags.get(tool, ())
        return self.rules.decide(tool, agent=self.agent, tags=tags, role=self.role, source=source)

    def decide(self, tool: str, source: str | None) -> tuple[Decision, tuple[str, ...], str]:
        """The decision on a tool, the chain after escalation, and the sentence that says why."""
        decision = self.decision(tool, source)
        chain, why = decision.chain, decision.reason
        if (own := self.agent_model) is not None and not decision.options.boundary and own not in chain:
            chain = (*chain, own)
        steps, because = self.steps.get(tool, (0, ""))
        if steps and decision.options.escalate is not None:
            chain = pick_start(chain, steps, decision.options.escalate.to)
            why = f"{why} {because}"
        return decision, chain, why

    def reasoning_chain(self) -> tuple[str, ...]:
        """The models that reason, in order; models that take the attached images or PDFs first, where the first one does not."""
        chain = self.rules.reasoning_chain(agent=self.agent, role=self.role, override=self.override)
        own = self.agent_model
        if own is not None and own not in chain:
            # A role or a caller that names a model means that one; the agent's own comes after it.
            named = self.override is not None or self.rules.primary(agent=self.agent, role=self.role) is not None
            chain = (*chain, own) if named else (own, *chain)
        kinds: tuple[tuple[bool, Literal["image", "pdf"]], ...] = ((self.pdfs, "pdf"), (self.images, "image"))
        for present, kind in kinds:
            if present and chain:
                inputs = self.facts(chain[0]).inputs
                if inputs is not None and kind not in inputs:
                    return tuple(dict.fromkeys((*self.rules.capability_chain(kind, agent=self.agent), *chain)))
        return chain
