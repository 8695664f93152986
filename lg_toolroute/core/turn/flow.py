"""The control flow of a turn: a generator that yields what it needs (`Step`) and is sent the result.

```text
begin ─► select ─► ask ─► done
           ▲        │
           ├ advance┤ a candidate failed: the next one
           └hand_off┘ a routed tool was named: its chain
```

What a generator yields is a `Step`; `runner/runner.py` answers it, plainly or awaited. A graph runs each phase in a node of its own, with a
checkpoint in between; `walk` takes the phases that may be run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.rules.decision import Skip
from lg_toolroute.core.turn.changes import accept, advance, merge_skips, next_phase, settle, written
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.selection import Survey, choose, gates_for
from lg_toolroute.core.turn.turn import PHASES, Answer, Intercepted, Job, Turn, changed
from lg_toolroute.errors import AttemptFailed, CandidateSkipped, ChainExhausted


@dataclass(frozen=True, slots=True)
class LookUp:
    """Wanted: a `Survey` of these models."""

    specs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Wanted: `True` if this caller may send the one probe of a half-open model."""

    spec: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Wanted: one `Answer` a job, in order. Several jobs may be asked at once."""

    turn: Turn
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """To be noted: how a model did; `failure` is `None` for a success, `calls` what it settled of the calls that the model was to write, by tool."""

    spec: str
    failure: Failure | None
    tool: str | None
    calls: Mapping[str, CallCounts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HandedOff:
    """To be told: these jobs write calls that the reasoning model named."""

    turn: Turn
    jobs: tuple[Job, ...]


Step = LookUp | Claim | Ask | Report | HandedOff
Flow = Generator[Step, Any, Turn]
NewId = Callable[[], str]


def begin(turn_id: str, base: str | None, inputs: TurnInputs, new_id: NewId) -> Turn:
    """A new turn: which chain speaks first, and whether it reasons or writes a call that is known already."""
    reasoning = inputs.reasoning_chain()
    turn = Turn(turn_id, base, primary=reasoning[0] if reasoning else None)
    if inputs.forced is not None and inputs.forced in inputs.tags:
        decision = inputs.decision(inputs.forced, "forced")
        if "call" in decision.moments:
            return changed(turn, jobs=(_writing_job(inputs, (Intercepted(0, inputs.forced, new_id()),), "forced", exact=False),))
        return changed(turn, jobs=(Job(reasoning, decision=decision, why=f"{inputs.forced!r} is known to come next, and has no route."),))
    for tool in reversed(inputs.results):
        decision, chain, why = inputs.decide(tool, None)
        if "result" in decision.moments:
            return changed(turn, jobs=(Job(chain, decision=decision, why=why),))
    return changed(turn, jobs=(Job(reasoning, decision=inputs.decision(None, None)),))


def _writing_job(inputs: TurnInputs, calls: Sequence[Intercepted], source: str, *, exact: bool) -> Job:
    decision, chain, why = inputs.decide(calls[0].tool, source)
    return Job(chain, tuple(calls), decision, why, exact)


def hand_off(turn: Turn, inputs: TurnInputs) -> Turn:
    """The turn, with a writing job for each chain that has intercepted calls; order and count of calls are the primary's."""
    drained = {name for name, mode in turn.gates if mode == "drain"}
    exact = len(turn.pending) > 1 or any(call.tool in drained for call in turn.pending)
    groups: dict[tuple[Any, ...], list[Intercepted]] = {}
    for call in turn.pending:
        decision, chain, _ = inputs.decide(call.tool, "intercepted")
        # Calls with the same chain and the same options are written by one request; how a call was intercepted or escalated does not matter to it.
        shared_options = replace(decision.options, on_intercept="cut", cut_at=None, escalate=None, boundary=False)
        groups.setdefault((chain, shared_options), []).append(call)
    jobs = tuple(_writing_job(inputs, calls, "intercepted", exact=exact) for calls in groups.values())
    return changed(turn, jobs=(*turn.jobs, *jobs), pending=(), phase="select")


def select(turn: Turn, inputs: TurnInputs) -> Flow:
    """The turn, with a candidate for every open job.

    Raises:
        ChainExhausted: A job has no candidate left that could do it.
    """
    wanted = {spec: None for job in turn.open_jobs for spec in job.chain}
    for tool in inputs.routed:
        wanted.update(dict.fromkeys(inputs.decide(tool, None)[1]))
    survey: Survey = yield LookUp(tuple(wanted))
    jobs: list[Job] = []
    gates = turn.gates
    for job in turn.jobs:
        if job.settled:
            jobs.append(job)
            continue
        spec, skips = yield from _choose(job, inputs, survey)
        turn = merge_skips(turn, skips)
        if spec is None and job.acceptable:
            jobs.append(changed(job, settled=True))
            continue
        if spec is None:
            raise exhausted(turn, job, survey)
        complaint = job.complaint if job.repaired and job.repaired[-1] == spec else ""
        refused = (*survey.refused(spec), *(each for each in job.refused if each.model))
        jobs.append(changed(job, candidate=spec, complaint=complaint, refused=refused))
        if not job.calls:
            gates = gates_for(spec, inputs, survey)
    if any(not job.settled for job in jobs):
        return changed(turn, jobs=tuple(jobs), gates=gates, phase="ask")
    return next_phase(changed(turn, jobs=tuple(jobs), gates=gates))


def _choose(job: Job, inputs: TurnInputs, survey: Survey) -> Generator[Step, Any, tuple[str | None, tuple[Skip, ...]]]:
    """The candidate to ask. A half-open model is asked by one caller at a time: the others skip it."""
    refused: list[str] = []
    spec, skips = choose(job, inputs, survey)
    while spec is not None and survey.half_open(spec) and not (yield Claim(spec)):
        refused.append(spec)
        again, skips = choose(job, inputs, survey, refused)
        if again in refused:
            break
        spec = again
    return spec, skips


def ask(turn: Turn, inputs: TurnInputs) -> Flow:
    """The turn after its open jobs were asked, and their outcomes were reported to `health`.

    Raises:
        ChainExhausted: A job failed and has no candidate left.
    """
    jobs = turn.open_jobs
    answers: list[Answer] = yield Ask(turn, jobs)
    for job, answer in zip(jobs, answers, strict=True):
        model, failure = answer.attempt.model, answer.failure
        yield Report(model, failure, job.tool, written(job, answer))
        too_small = inputs.facts(model).context_window if failure is not None and failure.larger_window else None
        turn = settle(turn, job, answer, too_small)
    for job in turn.open_jobs:
        if job.failure and not job.left:
            if not job.acceptable:
                survey: Survey = yield LookUp(job.chain)  # with what was just reported: it says when to come back
                raise exhausted(turn, job, survey)
            turn = accept(turn, job)
    return next_phase(turn)


def walk(turn: Turn, inputs: TurnInputs, phases: Collection[str] = PHASES) -> Flow:
    """The turn after all the phases that it may go through from where it stands.

    Args:
        turn: The turn.
        inputs: What it reads.
        phases: The turn stops before any other phase.

    Raises:
        ChainExhausted: No candidate is left that could go on.
    """
    while turn.phase in phases:
        if turn.phase == "select":
            turn = yield from select(turn, inputs)
        elif turn.phase == "ask":
            turn = yield from ask(turn, inputs)
        elif turn.phase == "advance":
            turn = advance(turn)
        else:
            turn = hand_off(turn, inputs)
            yield HandedOff(turn, turn.open_jobs)
    return turn


def exhausted(turn: Turn, job: Job, survey: Survey) -> ChainExhausted:
    """The error that says which models were tried, which were skipped, and which one is due back first.

    Args:
        turn: The turn that ends with it.
        job: What could not be done.
        survey: The health of models after the last attempt; a model that failed in this turn may be due back first.
    """
    failed = [AttemptFailed(a.model, a.reason, a.detail) for a in turn.attempts if a.outcome == "failed" and a.tool == job.tool]
    skipped = [CandidateSkipped(s.model, s.why, s.due_in_s) for s in turn.skipped if s.model in job.chain and s.model not in job.tried]
    what = "answer" if job.tool is None else f"write the call of {job.tool!r}"
    tried = [survey.circuits[spec].blocked(survey.now) for spec in job.tried if spec in survey.circuits]
    waits = [skip.due_in_s for skip in skipped if skip.due_in_s is not None] + [blocked[1] for blocked in tried if blocked is not None]
    due = min(waits, default=None)
    head = f"no model is left to {what}: {len(failed)} failed, {len(skipped)} skipped"
    if due is not None:
        head += f"; the first one is due back in {due:.0f} s"
    causes: list[Exception] = [*failed, *skipped]
    if not causes:
        causes = [CandidateSkipped(spec, "it was already used up in this turn") for spec in job.chain] or [
            CandidateSkipped("(none)", "no model is configured: write `model.primary`")
        ]
    return ChainExhausted(head, causes, tool=job.tool, due_in_s=due)
