"""Which candidate is asked, and why the others are not: one place for policy, capability, window and health.

Every mechanism that changes the model (a fallback, an escalation, a result turn, a role, an override) comes through `choose`, so none of
them can forget the tool policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from lg_toolroute.core.failures.circuit import Circuit
from lg_toolroute.core.rules.decision import Decision, Skip
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.core.turn.escalation import pick_start
from lg_toolroute.core.turn.turn import Job
from lg_toolroute.rulebook.book import RuleBook

MARGIN = 0.95
"""The share of a context window that an approximate count may fill: LangChain's counter is within about 5 % on prose."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a turn is about: everything that is read, nothing that changes while it lasts.

    Attributes:
        book: The compiled rules.
        tools: The tools the graph binds: `(name, tags)`.
        facts: What is known of a model, configuration before profile.
        agent: Whose rules apply.
        role: Which chain reasons.
        override: A model that the caller put in place of the primary.
        forced: The tool that the caller, a planner or a human said comes next.
        results: The tools whose results this turn reads, in order.
        images: The newest message carries an image; `pdfs` likewise.
        tokens: Gives the history's approximate size, in tokens; asked only where a window is known.
        steps: How many steps up its chain a tool goes after failures, and the sentence that says why.
        model_given: The primary is handed in (the middleware's `request.model`), under this spec.
    """

    book: RuleBook
    tools: tuple[tuple[str, tuple[str, ...]], ...]
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
    model_given: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.tools)

    @property
    def routed(self) -> tuple[str, ...]:
        """The tools whose calls a rule has written by its chain."""
        return self.book.toolsets.routed(self.tools, agent=self.agent, role=self.role)

    def tags(self, tool: str) -> tuple[str, ...]:
        return next((tags for name, tags in self.tools if name == tool), ())

    def decide(self, tool: str, source: str | None) -> tuple[Decision, tuple[str, ...], str]:
        """The decision on a tool, the chain after escalation, and the sentence that says why."""
        decision = self.book.decide(tool, agent=self.agent, tags=self.tags(tool), role=self.role, source=source)
        chain, why = decision.chain, decision.reason
        if (given := self.model_given) is not None and not decision.options.boundary and given not in chain:
            chain = (*chain, given)
        steps, because = self.steps.get(tool, (0, ""))
        if steps and decision.options.escalate is not None:
            chain = pick_start(chain, steps, decision.options.escalate.to)
            why = f"{why} {because}"
        return decision, chain, why

    def bound_for(self, spec: str) -> tuple[str, ...]:
        """The tools that a model may see: the policy of the model that is asked, whatever brought it here."""
        return self.book.toolsets.allowed(spec, self.tools, agent=self.agent)


@dataclass(frozen=True, slots=True)
class Survey:
    """The health of models at one moment: `circuits` by spec, and `now`, in the clock's seconds."""

    circuits: Mapping[str, Circuit]
    now: float

    def half_open(self, spec: str) -> bool:
        circuit = self.circuits.get(spec)
        return circuit is not None and circuit.half_open(self.now)


def why_not(spec: str, job: Job, scene: Scene, survey: Survey) -> Skip | None:
    """Why a candidate is not asked; `None` if it is fit."""
    for tool in job.tools:
        verdict = scene.book.verdict(tool, spec, agent=scene.agent, tags=scene.tags(tool))
        if verdict is not None:
            return Skip(spec, f"may not use {tool!r} ({verdict})", None, "policy")
    facts = scene.facts(spec)
    circuit = survey.circuits.get(spec)
    wants_tools = bool(job.tools) or bool(scene.bound_for(spec))
    if wants_tools and (facts.supports_tools is False or (circuit is not None and circuit.incapable("no_tool_support"))):
        return Skip(spec, "cannot call tools", None, "no_tools")
    if circuit is not None and circuit.incapable("model_not_found"):
        return Skip(spec, "its provider does not know it", None, "incapable")
    window = facts.context_window
    if job.larger_than is not None and window is not None and window <= job.larger_than:
        return Skip(spec, f"its window of {window:,} tokens is not larger than one that was too small", None, "incapable")
    if circuit is not None and (blocked := circuit.blocked(survey.now)) is not None:
        why, due_in_s = blocked
        return Skip(spec, why, due_in_s, "cooldown")
    if window is not None and (tokens := scene.tokens()) > window * MARGIN:
        return Skip(spec, f"its window of {window:,} tokens does not fit about {tokens:,}", None, "context")
    if scene.images and facts.inputs is not None and "image" not in facts.inputs:
        return Skip(spec, "does not take images", None, "images")
    return None


def choose(job: Job, scene: Scene, survey: Survey, refused: Sequence[str] = ()) -> tuple[str | None, tuple[Skip, ...]]:
    """The first candidate that is fit, and the skips before it.

    When none is fit, a skip that might be mistaken is overruled, in this order: the candidate that recovers first, the one with the
    largest window (the count is approximate), one that will be shown a note instead of an image. A refusal by the policy never is.

    Args:
        job: What is to be done.
        scene: What the turn is about.
        survey: The health of models.
        refused: Half-open candidates whose one probe somebody else has.
    """
    skips: list[Skip] = []
    for spec in job.left:
        skip = Skip(spec, "another caller is probing it", None, "cooldown") if spec in refused else why_not(spec, job, scene, survey)
        if skip is None:
            return spec, tuple(skips)
        skips.append(skip)
    return _last_resort(skips, scene), tuple(skips)


def _last_resort(skips: Sequence[Skip], scene: Scene) -> str | None:
    cooling = [skip for skip in skips if skip.kind == "cooldown"]
    if cooling:
        return min(cooling, key=lambda skip: inf if skip.due_in_s is None else skip.due_in_s).model  # one that is probed comes last
    small = [skip.model for skip in skips if skip.kind == "context"]
    if small:
        return max(small, key=lambda spec: scene.facts(spec).context_window or 0)
    return next((skip.model for skip in skips if skip.kind == "images"), None)


def gates_for(writer: str, scene: Scene, survey: Survey) -> tuple[tuple[str, str], ...]:
    """The tools at which the reasoning model `writer` is stopped, each with `cut` or `drain`.

    A tool is not among them when `writer` is itself the first fit candidate of the tool's chain, nor when nobody in that chain is
    fit: then its call stands (but for a boundary, whose call no other model may write).
    """
    gates: list[tuple[str, str]] = []
    bound = frozenset(scene.bound_for(writer))
    for name in scene.routed:
        if name not in bound:
            continue
        decision, chain, _why = scene.decide(name, "intercepted")
        job = Job(chain=chain, tools=(name,))
        fit = next((spec for spec in chain if why_not(spec, job, scene, survey) is None), None)
        if fit == writer or (fit is None and not decision.options.boundary):
            continue
        gates.append((name, decision.options.on_intercept))
    return tuple(gates)
