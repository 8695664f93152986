"""What one turn is: its requests, its attempts, where it stands. Plain data, and how that data changes.

A *turn* yields one AI message. It begins with one job (the primary reasons, or a forced tool is written at once); when a routed
tool is intercepted it goes on with writing jobs, one a chain. Each job is answered by the first candidate of its chain that can.
Everything here survives JSON, because a turn is interrupted at any point and resumed by another process.

`flow.py` walks through a turn; nothing here asks for anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lg_toolroute.core.rules.decision import Skip

Phase = Literal["select", "ask", "advance", "hand_off", "done"]
Outcome = Literal["answered", "cut", "failed"]

REPAIRABLE = frozenset({"invalid_tool_call", "empty_response", "truncated"})
"""Failures of the answer, not of the model: the same model may mend them once, told what was wrong."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one candidate, as it is kept on the message.

    Attributes:
        model: `provider/model`.
        outcome: `answered`, `cut` (stopped by us at a routed tool's name) or `failed`.
        reason: The failure class; empty when it did not fail.
        tool: What it was to write; `None` when it was to reason.
        latency_s: Seconds from the request to the end of the answer.
        usage: `{"input_tokens", "output_tokens", "total_tokens"}`, or `None` when nobody knows.
        usage_estimated: The usage was estimated, because the provider reports none for a stream that is cut.
        detail: What went wrong, shortened, without secrets.
    """

    model: str
    outcome: Outcome
    reason: str = ""
    tool: str | None = None
    latency_s: float = 0.0
    usage: Mapping[str, int] | None = None
    usage_estimated: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Intercepted:
    """A call of a routed tool that the reasoning model named, and that another model will write.

    Attributes:
        slot: Its position among the calls of the message.
        tool: The tool's name.
        call_id: The id it gets; ours.
        announced: A consumer has seen the name and the id.
        block: The index of its content block, with clients whose content names the calls.
    """

    slot: int
    tool: str
    call_id: str
    announced: bool = False
    block: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One request, to be answered by the first candidate of its chain that can.

    Attributes:
        tools: The tools whose calls are to be written, one name a call; empty when the model is to reason.
        chain: The candidates, in order.
        slots: The position in the message of each call to be written.
        call_ids: The id of each call to be written; ours, so that it stays true whichever candidate writes it.
        blocks: The index of each call's content block, with clients whose content names the calls.
        exact: Exactly these calls are wanted (a drained message); otherwise at least one of the one tool.
        rule: The pattern of the rule that won, and `path`, where it stands.
        moment: `call`, `result`, or empty for plain reasoning.
        source: How the tool became known.
        why: One sentence for people.
        params: Settings of the rule, for the routed model only, which is `params_for`: also after an escalation went past it.
        live: Arguments are passed on as they come.
        draft: The primary's own arguments are passed on, to be corrected.
        refusal_falls_back: A refusal goes to the next candidate.
        tried: Candidates that are used up in this turn.
        repaired: Candidates that had their one chance to mend an answer.
        complaint: What was wrong with the last answer, told to the candidate that is asked again.
        larger_than: Only candidates with a larger context window, in tokens, are still of use.
        announced: How many of `call_ids` a consumer has seen, with their tool's name.
        candidate: Who is asked now.
        settled: It has its answer.
        failure: The class of the last failure that is not dealt with yet; empty if there is none.
        acceptable: What was shown is an answer if nobody can go on: text that was cut off by the model's own limit.
    """

    chain: tuple[str, ...]
    tools: tuple[str, ...] = ()
    slots: tuple[int, ...] = ()
    call_ids: tuple[str, ...] = ()
    blocks: tuple[int | None, ...] = ()
    exact: bool = False
    rule: str | None = None
    path: str | None = None
    moment: str = ""
    source: str | None = None
    why: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    params_for: str | None = None
    live: bool = False
    draft: bool = False
    refusal_falls_back: bool = False
    tried: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    complaint: str = ""
    larger_than: int | None = None
    announced: int = 0
    candidate: str | None = None
    settled: bool = False
    failure: str = ""
    acceptable: bool = False

    @property
    def tool(self) -> str | None:
        """The (first) tool to be written; `None` when the model is to reason."""
        return self.tools[0] if self.tools else None

    @property
    def left(self) -> tuple[str, ...]:
        """Candidates that may still be asked in this turn."""
        return tuple(spec for spec in self.chain if spec not in self.tried)


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a turn stands.

    Attributes:
        id: The id of the message it yields; all its segments carry it.
        base: The id of the last message it answers. A turn whose base is not the thread's last message is stale.
        agent: Whose rules apply, and `role`, which chain reasons.
        phase: What has to happen next.
        jobs: The jobs under way.
        gates: The routed tools at which the reasoning model is stopped, each with `cut` or `drain`.
        pending: Routed calls that were intercepted and wait to be handed off.
        reasoner: The model whose words stand in the message; `None` before anybody spoke.
        writers: Who wrote which call: `(call id, model)`, in order of settling.
        attempts: Every try, in order.
        skipped: Every candidate that was passed over, with its reason, once.
        calls: How many calls the message holds that are not to be written by another model.
        spoken: Something of this turn has been shown.
        primary: The first candidate of the reasoning chain.
        routed: The last job that a rule decided, for the record: tool, rule, moment, source, why.
        forced: The tool that the reasoning model itself is to call, because it is known to come next and has no route.
        saved_output_tokens: Tokens that a cut model did not have to write, once the routed model has written them.
    """

    id: str
    base: str | None = None
    agent: str | None = None
    role: str | None = None
    phase: Phase = "select"
    jobs: tuple[Job, ...] = ()
    gates: tuple[tuple[str, str], ...] = ()
    pending: tuple[Intercepted, ...] = ()
    reasoner: str | None = None
    writers: tuple[tuple[str, str], ...] = ()
    attempts: tuple[Attempt, ...] = ()
    skipped: tuple[Skip, ...] = ()
    calls: int = 0
    spoken: bool = False
    primary: str | None = None
    routed: Mapping[str, Any] | None = None
    forced: str | None = None
    saved_output_tokens: int = 0

    @property
    def open_jobs(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if not job.settled)

    def to_dict(self) -> dict[str, Any]:
        """The turn as plain data, for a checkpoint. Nothing is copied that is not changed: a turn is written down in every node."""
        data = _fields(self)
        data["jobs"] = tuple(map(_fields, self.jobs))
        data["pending"] = tuple(map(_fields, self.pending))
        data["attempts"] = tuple(map(_fields, self.attempts))
        data["skipped"] = tuple(map(_fields, self.skipped))
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Turn:
        """The turn that `to_dict` wrote down, also after a trip through JSON (which turns tuples into lists)."""
        return cls(
            **{
                **data,
                "jobs": tuple(_job(job) for job in data["jobs"]),
                "gates": tuple((name, mode) for name, mode in data["gates"]),
                "pending": tuple(Intercepted(**call) for call in data["pending"]),
                "writers": tuple((call_id, model) for call_id, model in data["writers"]),
                "attempts": tuple(Attempt(**attempt) for attempt in data["attempts"]),
                "skipped": tuple(Skip(**skip) for skip in data["skipped"]),
            }
        )


def _fields(record: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass, by name."""
    return {name: getattr(record, name) for name in record.__slots__}


_TUPLES = ("chain", "tools", "slots", "call_ids", "blocks", "tried", "repaired")


def _job(data: Mapping[str, Any]) -> Job:
    return Job(**{**data, **{name: tuple(data[name]) for name in _TUPLES}})


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request.

    Attributes:
        attempt: The record of the try.
        shown: Text of it reached the consumer, and stays part of the message.
        calls: How many calls of it stay in the message.
        call_ids: The ids of the calls that stay in the message, in order.
        routed: The intercepted calls.
        announced: How many calls to be written the consumer has seen by name.
        spent: Arguments went out live; nobody else may write this call any more.
        next_candidate: After a failure: may the next candidate be asked?
        window: The context window that was too small, in tokens; `None` if that is not known, or if it was not the window.
        acceptable: After a failure: what was shown is an answer if nobody can go on.
    """

    attempt: Attempt
    shown: bool = False
    calls: int = 0
    call_ids: tuple[str, ...] = ()
    routed: tuple[Intercepted, ...] = ()
    announced: int = 0
    spent: bool = False
    next_candidate: bool = True
    window: int | None = None
    acceptable: bool = False


def settle(turn: Turn, job: Job, answer: Answer) -> Turn:
    """The turn after `job` got `answer`."""
    attempt = answer.attempt
    turn = replace(
        turn,
        attempts=(*turn.attempts, attempt),
        spoken=turn.spoken or answer.shown or answer.announced > 0,
        writers=(*turn.writers, *((call_id, attempt.model) for call_id in answer.call_ids)),
    )
    if not job.tools:
        turn = replace(turn, calls=turn.calls + answer.calls)
        if answer.shown or attempt.outcome != "failed":
            turn = replace(turn, reasoner=turn.reasoner or attempt.model)
    elif attempt.outcome == "answered" and any(earlier.outcome == "cut" for earlier in turn.attempts):
        turn = replace(turn, saved_output_tokens=turn.saved_output_tokens + int((attempt.usage or {}).get("output_tokens", 0)))
    if attempt.outcome == "failed":
        after = _after_failure(replace(job, announced=max(job.announced, answer.announced)), answer)
        return _with_job(turn, job, after)
    turn = _with_job(turn, job, replace(job, settled=True, failure="", complaint=""))
    return replace(turn, pending=(*turn.pending, *answer.routed))


def _after_failure(job: Job, answer: Answer) -> Job:
    attempt = answer.attempt
    # Who was to go on, and added nothing before it failed, leaves what stood there as good as it was.
    acceptable = answer.acceptable or (job.acceptable and not answer.shown)
    failed = replace(job, failure=attempt.reason, complaint="", acceptable=acceptable)
    if answer.spent or not (answer.next_candidate or (attempt.reason == "content_policy" and job.refusal_falls_back)):
        return replace(failed, tried=job.chain)
    if attempt.reason in REPAIRABLE and attempt.model not in job.repaired:
        return replace(failed, repaired=(*job.repaired, attempt.model), complaint=attempt.detail)
    used_up = tuple(spec for spec in job.chain if spec == attempt.model or spec in job.tried)
    if answer.window is not None:
        failed = replace(failed, larger_than=max(job.larger_than or 0, answer.window))
    return replace(failed, tried=used_up)


def _with_job(turn: Turn, old: Job, new: Job) -> Turn:
    return replace(turn, jobs=tuple(new if job is old or job == old else job for job in turn.jobs))


def accept(turn: Turn, job: Job) -> Turn:
    """The turn, with what `job` has shown taken for its answer, because nobody is left who could go on."""
    return _with_job(turn, job, replace(job, settled=True, failure="", candidate=None))


def next_phase(turn: Turn) -> Turn:
    """The turn, its phase set by what is left to do after its jobs were answered."""
    if any(job.failure for job in turn.open_jobs):
        return replace(turn, phase="advance")
    if turn.pending:
        return replace(turn, phase="hand_off")
    return replace(turn, phase="done")


def advance(turn: Turn) -> Turn:
    """The turn, after failures are taken note of: each open job goes on to its next candidate, or mends its answer."""
    jobs = tuple(job if job.settled else replace(job, failure="", candidate=None) for job in turn.jobs)
    return replace(turn, jobs=jobs, phase="select")


def merge_skips(turn: Turn, skips: tuple[Skip, ...]) -> Turn:
    """The turn with `skips` noted, each model and kind of reason once, the newest wording kept."""
    known = {(skip.model, skip.kind): skip for skip in turn.skipped}
    known.update({(skip.model, skip.kind): skip for skip in skips})
    return replace(turn, skipped=tuple(known.values()))


def record(turn: Turn) -> dict[str, Any]:
    """What the message carries in `response_metadata["toolroute"]`: the decision, every attempt, and who wrote which call."""
    routed = dict(turn.routed or {})
    writers = dict(turn.writers)
    wrote = [model for call_id, model in turn.writers]
    return {
        "tool": routed.get("tool"),
        "rule": routed.get("rule"),
        "path": routed.get("path"),
        "moment": routed.get("moment"),
        "source": routed.get("source"),
        "reason": routed.get("why", ""),
        "model": wrote[-1] if wrote else turn.reasoner,
        "primary": turn.primary,
        "reasoner": turn.reasoner,
        "calls": writers,
        "attempts": [
            {
                "model": a.model,
                "outcome": a.outcome,
                "reason": a.reason,
                "tool": a.tool,
                "latency_s": round(a.latency_s, 6),
                "usage": None if a.usage is None else dict(a.usage),
                "usage_estimated": a.usage_estimated,
                "detail": a.detail,
            }
            for a in turn.attempts
        ],
        "skipped": [{"model": s.model, "why": s.why} for s in turn.skipped],
        "saved_output_tokens": turn.saved_output_tokens,
    }
