"""Calls that a look sent back: the job in which their model may mend them once, and what became of them.

Such a job goes to the model that wrote the calls and to no other. It has no health: whatever fails, the calls land as they were. It is asked in
the same phase in which the calls were written, so a turn is never parked between the two, and their arguments are in no state; a process that
resumes the turn has the calls written again, and looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lg_toolroute.core.failures.failure import Refused
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.turn import Answer, Job, Turn, changed

WHY = "A look sent the call back."


def send_back(turn: Turn, job: Job, answer: Answer, inputs: TurnInputs) -> Turn:
    """The turn, with a job for the calls of an answer that a look sent back; the same turn if it sent none back.

    Args:
        turn: The turn.
        job: What was answered.
        answer: The answer.
        inputs: What the turn reads.
    """
    if not answer.sent_back or job.candidate is None:
        return turn
    decision = job.decision if job.calls else inputs.decision(answer.sent_back[0].tool, "looked")
    mend = Job(
        job.chain, answer.sent_back, decision, WHY, exact=True, repaired=(job.candidate,), complaint=answer.complaint, refused=job.refused,
        sent_back=True,
    )  # fmt: skip
    return changed(turn, jobs=(*turn.jobs, mend))


def outcomes(job: Job, answer: Answer) -> tuple[tuple[str, str], ...]:
    """What became of the calls of a job that were sent back: each call's id, with `mended` or `stood`."""
    return tuple((call.call_id, "stood" if answer.stood else "mended") for call in job.calls)


def is_new(taught: Refused, refused: Iterable[Refused]) -> bool:
    """Whether a model did not refuse the same before in this turn: asking once more ends."""
    return not any((taught.model, taught.parameter, taught.asked) == (each.model, each.parameter, each.asked) for each in refused)


def is_asked_again(job: Job, refused: Refused | None, model: str) -> bool:
    """Whether a model is asked once more after its provider refused a parameter of ours, without that parameter."""
    return refused is not None and is_new(replace(refused, model=model), job.refused)
