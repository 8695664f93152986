"""Which candidate is asked, and why the others are not: one place for policy, capability, window and health.

Every mechanism that changes the model (a fallback, an escalation, a result turn, a role, an override) comes through `choose`, so none of
them can forget the tool policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from lg_toolroute.core.failures.circuit import Circuit
from lg_toolroute.core.failures.failure import Refused
from lg_toolroute.core.rules.decision import Skip
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.turn import Intercepted, Job

USABLE_SHARE = 0.95
"""The share of a context window that an approximate count may fill: LangChain's counter is within about 5 % on prose."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The health of models at one moment: `circuits` by spec, and `now`, in the clock's seconds."""

    circuits: Mapping[str, Circuit]
    now: float

    def half_open(self, spec: str) -> bool:
        circuit = self.circuits.get(spec)
        return circuit is not None and circuit.half_open(self.now)

    def refused(self, spec: str) -> tuple[Refused, ...]:
        circuit = self.circuits.get(spec)
        return circuit.refuses(self.now) if circuit is not None else ()


def why_not(spec: str, job: Job, inputs: TurnInputs, survey: Survey) -> Skip | None:
    """Why a candidate is not asked; `None` if it is fit."""
    for tool in job.tools:
        verdict = inputs.rules.verdict(tool, spec, agent=inputs.agent, tags=inputs.tags.get(tool, ()))
        if verdict is not None:
            return Skip(spec, f"may not use {tool!r} ({verdict})", None, "policy")
    facts = inputs.facts(spec)
    circuit = survey.circuits.get(spec)
    wants_tools = bool(job.tools) or bool(inputs.allowed(spec))
    if wants_tools and (facts.supports_tools is False or (circuit is not None and circuit.incapable("no_tool_support", survey.now))):
        return Skip(spec, "cannot call tools", None, "no_tools")
    if circuit is not None and circuit.incapable("model_not_found", survey.now):
        return Skip(spec, "its provider does not know it", None, "incapable")
    window = facts.context_window
    if job.larger_than is not None and window is not None and window <= job.larger_than:
        return Skip(spec, f"its window of {window:,} tokens is not larger than one that was too small", None, "incapable")
    if circuit is not None and (blocked := circuit.blocked(survey.now)) is not None:
        why, due_in_s = blocked
        return Skip(spec, why, due_in_s, "cooldown")
    if window is not None and (tokens := inputs.tokens()) > window * USABLE_SHARE and not _takes_brief(spec, job, inputs, window):
        return Skip(spec, f"its window of {window:,} tokens does not fit about {tokens:,}", None, "context")
    if inputs.images and facts.inputs is not None and "image" not in facts.inputs:
        return Skip(spec, "does not take images", None, "images")
    return None


def _takes_brief(spec: str, job: Job, inputs: TurnInputs, window: int) -> bool:
    """Whether a window that the history does not fit takes a brief of what the job needs."""
    least = inputs.least_brief(job, spec) if job.calls else None
    return least is not None and least <= window * USABLE_SHARE


def choose(job: Job, inputs: TurnInputs, survey: Survey, refused: Sequence[str] = ()) -> tuple[str | None, tuple[Skip, ...]]:
    """The first candidate that is fit, and the skips before it.

    When none is fit, a skip that might be mistaken is overruled, in this order: the candidate that recovers first, the one with the
    largest window (the count is approximate), one that will be shown a note instead of an image. A refusal by the policy never is.

    Args:
        job: What is to be done.
        inputs: What the turn reads.
        survey: The health of models.
        refused: Half-open candidates whose one probe another caller has.
    """
    skips: list[Skip] = []
    for spec in job.left:
        skip = Skip(spec, "another caller is probing it", None, "cooldown") if spec in refused else why_not(spec, job, inputs, survey)
        if skip is None:
            return spec, tuple(skips)
        skips.append(skip)
    return _last_resort(skips, inputs), tuple(skips)


def _last_resort(skips: Sequence[Skip], inputs: TurnInputs) -> str | None:
    cooling = [skip for skip in skips if skip.kind == "cooldown"]
    if cooling:
        return min(cooling, key=lambda skip: inf if skip.due_in_s is None else skip.due_in_s).model  # one that is probed comes last
    small = [skip.model for skip in skips if skip.kind == "context"]
    if small:
        return max(small, key=lambda spec: inputs.facts(spec).context_window or 0)
    return next((skip.model for skip in skips if skip.kind == "images"), None)


def gates_for(writer: str, inputs: TurnInputs, survey: Survey) -> tuple[tuple[str, str], ...]:
    """The tools at which the reasoning model `writer` is stopped, each with `cut` or `drain`.

    A tool is not among them when `writer` is itself the first fit candidate of the tool's chain, nor when no candidate of that chain is
    fit: then its call stands (but for a boundary, whose call no other model may write).
    """
    gates: list[tuple[str, str]] = []
    bound = frozenset(inputs.allowed(writer))
    for name in inputs.routed:
        if name not in bound:
            continue
        decision, chain, _why = inputs.decide(name, "intercepted")
        job = Job(chain, (Intercepted(0, name, ""),), decision)
        fit = next((spec for spec in chain if why_not(spec, job, inputs, survey) is None), None)
        if fit == writer or (fit is None and not decision.options.boundary):
            continue
        gates.append((name, decision.options.on_intercept))
    return tuple(gates)
