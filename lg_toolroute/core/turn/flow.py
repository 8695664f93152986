"""How a turn goes: one generator, which asks for what it needs and is told.

```text
begin ─► select ─► ask ─► done
           ▲        │
           ├ advance┤ a candidate failed: the next one
           └hand_off┘ a routed tool was named: its chain
```

A graph runs each part in a node of its own, with a checkpoint in between; the middleware and the chat model run `take_turn`. What a
generator yields is a `Step`; a driver (`drive.py`) answers it, plainly or awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.rules.decision import Skip
from lg_toolroute.core.turn.selection import Scene, Survey, choose, gates_for
from lg_toolroute.core.turn.turn import Answer, Intercepted, Job, Turn, accept, advance, merge_skips, next_phase, settle
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
    """Wanted: one `Reply` a job, in order. Several jobs may be asked at once."""

    turn: Turn
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """To be noted: how a model did; `failure` is `None` for a success."""

    spec: str
    failure: Failure | None
    tool: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back of one job.

    Attributes:
        answer: What the turn needs to know of it.
        failure: What the health of the model needs to know of it; `None` for a success.
    """

    answer: Answer
    failure: Failure | None = None


Step = LookUp | Claim | Ask | Report
Flow = Generator[Step, Any, Turn]
NewId = Callable[[], str]


def begin(turn_id: str, base: str | None, scene: Scene, new_id: NewId) -> Turn:
    """A new turn: which chain speaks first, and whether it reasons or writes a call that is known already."""
    reasoning = _reasoning_chain(scene)
    turn = Turn(id=turn_id, base=base, agent=scene.agent, role=scene.role, primary=reasoning[0] if reasoning else None)
    if scene.forced is not None and scene.forced in scene.names:
        decision, chain, why = scene.decide(scene.forced, "forced")
        if "call" in decision.moments:
            job = _writing_job(scene, (Intercepted(0, scene.forced, new_id()),), "forced", exact=False)
            return replace(turn, jobs=(job,), routed=_routed(job))
        job = Job(chain=reasoning, source="forced", why=f"{scene.forced!r} is known to come next, and has no route.")
        return replace(turn, jobs=(job,), routed={**_routed(job), "tool": scene.forced}, forced=scene.forced)
    for tool in reversed(scene.results):
        decision, chain, why = scene.decide(tool, None)
        if "result" in decision.moments:
            job = Job(
                chain=chain,
                rule=decision.rule,
                path=decision.path,
                moment="result",
                why=why,
                params=dict(decision.options.params),
                params_for=next(iter(decision.chain), None),
            )
            return replace(turn, jobs=(job,), routed={**_routed(job), "tool": tool})
    return replace(turn, jobs=(Job(chain=reasoning),))


def _reasoning_chain(scene: Scene) -> tuple[str, ...]:
    chain = scene.book.reasoning_chain(agent=scene.agent, role=scene.role, override=scene.override)
    given = scene.model_given
    if given is not None and given not in chain:
        # A role or a caller that names a model means that one; the agent's own comes after it.
        headed = scene.override is not None or scene.book.primary(agent=scene.agent, role=scene.role) is not None
        chain = (*chain, given) if headed else (given, *chain)
    for present, kind, needs in ((scene.pdfs, "pdf", "pdf"), (scene.images, "image", "image")):
        if present and chain:
            inputs = scene.facts(chain[0]).inputs
            if inputs is not None and needs not in inputs:
                capable = scene.book.capability_chain("pdf" if kind == "pdf" else "image", agent=scene.agent)
                return tuple(dict.fromkeys((*capable, *chain)))
    return chain


def _writing_job(scene: Scene, calls: Sequence[Intercepted], source: str, *, exact: bool) -> Job:
    decision, chain, why = scene.decide(calls[0].tool, source)
    options = decision.options
    return Job(
        chain=chain,
        tools=tuple(call.tool for call in calls),
        slots=tuple(call.slot for call in calls),
        call_ids=tuple(call.call_id for call in calls),
        blocks=tuple(call.block for call in calls),
        announced=sum(call.announced for call in calls),
        exact=exact,
        rule=decision.rule,
        path=decision.path,
        moment="call",
        source=source,
        why=why,
        params=dict(options.params),
        params_for=next(iter(decision.chain), None),
        live=options.stream_args == "live",
        draft=options.handoff == "draft",
        refusal_falls_back=options.refusal_falls_back,
    )


def _routed(job: Job) -> Mapping[str, Any]:
    return {"tool": job.tool, "rule": job.rule, "path": job.path, "moment": job.moment, "source": job.source, "why": job.why}


def hand_off(turn: Turn, scene: Scene) -> Turn:
    """The turn, with a writing job for each chain that has intercepted calls; order and count of calls are the primary's."""
    drained = {name for name, mode in turn.gates if mode == "drain"}
    exact = len(turn.pending) > 1 or any(call.tool in drained for call in turn.pending)
    groups: dict[tuple[Any, ...], list[Intercepted]] = {}
    for call in turn.pending:
        decision, chain, _ = scene.decide(call.tool, "intercepted")
        options = decision.options
        key = (chain, options.handoff, options.stream_args, options.refusal_falls_back, repr(sorted(options.params.items())))
        groups.setdefault(key, []).append(call)
    jobs = tuple(_writing_job(scene, calls, "intercepted", exact=exact) for calls in groups.values())
    return replace(turn, jobs=(*turn.jobs, *jobs), pending=(), routed=_routed(jobs[0]), phase="select")


def select(turn: Turn, scene: Scene) -> Flow:
    """The turn, with a candidate for every open job.

    Raises:
        ChainExhausted: A job has nobody left who could do it.
    """
    wanted = {spec: None for job in turn.open_jobs for spec in job.chain}
    for tool in scene.routed:
        wanted.update(dict.fromkeys(scene.decide(tool, None)[1]))
    survey: Survey = yield LookUp(tuple(wanted))
    jobs: list[Job] = []
    for job in turn.jobs:
        if job.settled:
            jobs.append(job)
            continue
        refused: list[str] = []
        spec, skips = choose(job, scene, survey)
        while spec is not None and survey.half_open(spec) and not (yield Claim(spec)):
            refused.append(spec)
            again, skips = choose(job, scene, survey, refused)
            if again in refused:
                break
            spec = again
        turn = merge_skips(turn, skips)
        if spec is None and job.acceptable:
            jobs.append(replace(job, settled=True))
            continue
        if spec is None:
            raise exhausted(turn, job, survey)
        complaint = job.complaint if job.repaired and job.repaired[-1] == spec else ""
        jobs.append(replace(job, candidate=spec, complaint=complaint))
        if not job.tools:
            turn = replace(turn, gates=gates_for(spec, scene, survey))
    turn = replace(turn, jobs=tuple(jobs))
    return replace(turn, phase="ask") if turn.open_jobs else next_phase(turn)


def ask(turn: Turn) -> Flow:
    """The turn after its open jobs were asked, and their models' health was told.

    Raises:
        ChainExhausted: A job failed and has nobody left.
    """
    jobs = turn.open_jobs
    replies: list[Reply] = yield Ask(turn, jobs)
    for job, reply in zip(jobs, replies, strict=True):
        yield Report(reply.answer.attempt.model, reply.failure, job.tool)
        turn = settle(turn, job, reply.answer)
    for job in turn.open_jobs:
        if job.failure and not job.left:
            if not job.acceptable:
                survey: Survey = yield LookUp(job.chain)  # with what was just reported: it says when to come back
                raise exhausted(turn, job, survey)
            turn = accept(turn, job)
    return next_phase(turn)


def take_turn(turn: Turn, scene: Scene) -> Flow:
    """The whole turn, from wherever it stands to its end.

    Raises:
        ChainExhausted: Nobody is left who could go on.
    """
    while turn.phase != "done":
        if turn.phase == "select":
            turn = yield from select(turn, scene)
        elif turn.phase == "ask":
            turn = yield from ask(turn)
        elif turn.phase == "advance":
            turn = advance(turn)
        else:
            turn = hand_off(turn, scene)
    return turn


def exhausted(turn: Turn, job: Job, survey: Survey | None = None) -> ChainExhausted:
    """The error that says who was tried, who was skipped, and who is due back first.

    Args:
        turn: The turn that ends with it.
        job: What could not be done.
        survey: The health of models after the last attempt; a model that failed in this turn may be due back first.
    """
    failed = [AttemptFailed(a.model, a.reason, a.detail) for a in turn.attempts if a.outcome == "failed" and a.tool == job.tool]
    skipped = [_skipped(skip) for skip in turn.skipped if skip.model in job.chain and skip.model not in job.tried]
    what = "answer" if job.tool is None else f"write the call of {job.tool!r}"
    waits = [skip.due_in_s for skip in skipped if skip.due_in_s is not None]
    if survey is not None:
        tried = [survey.circuits[spec].blocked(survey.now) for spec in job.tried if spec in survey.circuits]
        waits += [blocked[1] for blocked in tried if blocked is not None]
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


def _skipped(skip: Skip) -> CandidateSkipped:
    return CandidateSkipped(skip.model, skip.why, skip.due_in_s)
