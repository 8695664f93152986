"""How a turn's data changes: after an answer, after failures, after skips; and the record that its message carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.failures.failure import BAD_ANSWER, Refused
from lg_toolroute.core.rules.decision import Skip
from lg_toolroute.core.turn.turn import Answer, Attempt, Job, Turn, changed


def settle(turn: Turn, job: Job, answer: Answer, window: int | None = None) -> Turn:
    """The turn after `job` got `answer`.

    Args:
        turn: The turn.
        job: One of its jobs.
        answer: What became of the request.
        window: The context window that was too small, in tokens; `None` if that is not known, or if it was not the window.
    """
    attempt = answer.attempt
    reasoner, saved = turn.reasoner, turn.saved_output_tokens
    if not job.calls:
        if answer.shown or attempt.outcome != "failed":
            reasoner = reasoner or attempt.model
    elif attempt.outcome == "answered" and any(earlier.outcome == "cut" for earlier in turn.attempts):
        saved += int((attempt.usage or {}).get("output_tokens", 0))
    failed = attempt.outcome == "failed"
    after = _after_failure(job, answer, window) if failed else changed(job, settled=True, failure="", complaint="")
    return changed(
        turn,
        attempts=(*turn.attempts, attempt),
        writers=(*turn.writers, *((call_id, attempt.model) for call_id in answer.call_ids)),
        reasoner=reasoner,
        saved_output_tokens=saved,
        jobs=_replaced(turn.jobs, job, after),
        pending=(*turn.pending, *answer.routed) if answer.routed else turn.pending,
    )


def _after_failure(job: Job, answer: Answer, window: int | None) -> Job:
    attempt = answer.attempt
    calls = tuple(changed(call, announced=call.announced or place < answer.announced) for place, call in enumerate(job.calls))
    # A model that was to go on, and added nothing before it failed, leaves what stood there as good as it was.
    acceptable = answer.acceptable or (job.acceptable and not answer.shown)
    failed = changed(job, calls=calls, failure=attempt.reason, complaint="", acceptable=acceptable)
    forgiven = attempt.reason == "content_policy" and job.decision is not None and job.decision.options.refusal_falls_back
    taught = None if answer.failure is None or answer.failure.refused is None else replace(answer.failure.refused, model=attempt.model)
    if taught is not None and not answer.spent and not any(_same(taught, each) for each in job.refused):
        # The same candidate is asked again, without what it refused. What it was to mend is still to be mended.
        return changed(failed, complaint=job.complaint, refused=(*job.refused, taught))
    if answer.spent or not ((answer.failure is not None and answer.failure.next_candidate) or forgiven):
        return changed(failed, tried=job.chain)
    if attempt.reason in BAD_ANSWER and attempt.model not in job.repaired:
        return changed(failed, repaired=(*job.repaired, attempt.model), complaint=attempt.detail)
    used_up = tuple(spec for spec in job.chain if spec == attempt.model or spec in job.tried)
    if window is not None:
        failed = changed(failed, larger_than=max(job.larger_than or 0, window))
    return changed(failed, tried=used_up)


def written(job: Job, answer: Answer) -> Mapping[str, CallCounts]:
    """What an answer settles of the calls that `job` wants, by tool; nothing while the model may still mend them."""
    failure, mending = answer.failure, answer.attempt.model in job.repaired
    if failure is None:
        one = CallCounts(1, mended=int(mending))
    elif mending or (failure.cls in BAD_ANSWER and (answer.spent or not failure.next_candidate)):
        one = CallCounts(1, failed=1)
    else:
        return {}
    counts: dict[str, CallCounts] = {}
    for tool in job.tools:
        counts[tool] = counts.get(tool, CallCounts()) + one
    return counts


def _same(one: Refused, other: Refused) -> bool:
    """Whether a model refused the same twice in a turn: asking once more would not end."""
    return (one.model, one.parameter, one.asked) == (other.model, other.parameter, other.asked)


def _replaced(jobs: tuple[Job, ...], old: Job, new: Job) -> tuple[Job, ...]:
    return tuple(new if job is old or job == old else job for job in jobs)


def accept(turn: Turn, job: Job) -> Turn:
    """The turn, with what `job` has shown taken for its answer, because no model is left that could go on."""
    return changed(turn, jobs=_replaced(turn.jobs, job, changed(job, settled=True, failure="", candidate=None)))


def next_phase(turn: Turn) -> Turn:
    """The turn, its phase set by what is left to do after its jobs were answered."""
    if any(job.failure for job in turn.open_jobs):
        return changed(turn, phase="advance")
    return changed(turn, phase="hand_off" if turn.pending else "done")


def advance(turn: Turn) -> Turn:
    """The turn, after failures are taken note of: each open job goes on to its next candidate, or mends its answer."""
    jobs = tuple(job if job.settled else changed(job, failure="", candidate=None) for job in turn.jobs)
    return changed(turn, jobs=jobs, phase="select")


def merge_skips(turn: Turn, skips: tuple[Skip, ...]) -> Turn:
    """The turn with `skips` noted, each model and kind of reason once, the newest wording kept."""
    if not skips:
        return turn
    known = {(skip.model, skip.kind): skip for skip in turn.skipped}
    known.update({(skip.model, skip.kind): skip for skip in skips})
    return changed(turn, skipped=tuple(known.values()))


def record(turn: Turn) -> dict[str, Any]:
    """What the message carries in `response_metadata["toolroute"]`: the decision, every attempt, and who wrote which call."""
    job = turn.routed
    decision = None if job is None else job.decision
    return {
        "tool": None if decision is None else decision.tool,
        "rule": None if job is None else job.rule,
        "path": None if job is None or decision is None or job.rule is None else decision.path,
        "moment": None if job is None else job.moment,
        "source": None if job is None else job.source,
        "reason": "" if job is None else job.why,
        "model": turn.writers[-1][1] if turn.writers else turn.reasoner,
        "primary": turn.primary,
        "reasoner": turn.reasoner,
        "calls": dict(turn.writers),
        "attempts": [_attempt(attempt) for attempt in turn.attempts],
        "skipped": [{"model": skip.model, "why": skip.why} for skip in turn.skipped],
        "saved_output_tokens": turn.saved_output_tokens,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "model": attempt.model,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "tool": attempt.tool,
        "latency_s": round(attempt.latency_s, 6),
        "usage": None if attempt.usage is None else dict(attempt.usage),
        "usage_estimated": attempt.usage_estimated,
        "detail": attempt.detail,
        **({} if attempt.handoff is None else {"handoff": dict(attempt.handoff)}),
    }
