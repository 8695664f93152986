"""One turn as plain data: its jobs, its attempts, its phase.

A *turn* produces one AI message. Its first job asks a model to reason, or to write a forced tool call at once. When the reasoning model names routed
tools, writing jobs follow: calls with the same chain and the same options share one job. The first candidate of a job's chain that can answers the
job. A turn can be stored as JSON, so another process can resume it wherever it was interrupted.

`changes.py` changes this data; `flow.py` says in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeVar

from lg_toolroute.core.failures.failure import Failure, Refused
from lg_toolroute.core.rules.decision import Decision, Skip

VERSION = 2
"""The version of the stored form. A run that finds a stored turn of another version begins a new turn."""

Phase = Literal["select", "ask", "advance", "hand_off", "done"]
PHASES: frozenset[str] = frozenset({"select", "ask", "advance", "hand_off"})
Outcome = Literal["answered", "cut", "failed"]
Decide = Callable[[str | None, str | None], Decision]
"""Asks the rules who writes a call of a tool: `(tool, source) -> Decision`."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to one candidate, as the message records it.

    Attributes:
        model: `provider/model`.
        outcome: `answered`, `cut` (the gate closed its stream inside a routed call) or `failed`.
        reason: The failure class; empty if it did not fail.
        tool: The tool whose call it was asked to write; `None` if it was asked to reason.
        latency_s: Seconds from the request to the end of the answer.
        usage: `{"input_tokens", "output_tokens", "total_tokens"}`; `None` if the provider reported none.
        usage_estimated: `usage` is an estimate: providers report none for a stream that is cut.
        detail: What went wrong, shortened, without secrets; empty if nothing did.
        handoff: What it was sent to write a call: `kind` (`full`, `brief`, `draft`), about how many `tokens`, `why`, and of a brief its `size`
            and the `history_tokens` for which it stands;
            `None` when it was to reason.
    """

    model: str
    outcome: Outcome
    reason: str = ""
    tool: str | None = None
    latency_s: float = 0.0
    usage: Mapping[str, int] | None = None
    usage_estimated: bool = False
    detail: str = ""
    handoff: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Intercepted:
    """A call that the reasoning model named, or that is forced, and that a routed model writes.

    Attributes:
        slot: Its position among the calls of the message.
        tool: The tool's name.
        call_id: Its id in the message, the same for every candidate that tries to write it.
        announced: A consumer has seen the tool's name and the call's id.
        block: The index of its content block, where content blocks name the calls (Anthropic's); `None` elsewhere.
        fixed: The arguments that the reasoning model has written and that stay as they are, as the text of a JSON object; empty for a call that
            was cut at its name.
    """

    slot: int
    tool: str
    call_id: str
    announced: bool = False
    block: int | None = None
    fixed: str = ""


@dataclass(frozen=True)
class Job:
    """One request, to be answered by the first candidate of its chain that can.

    Attributes:
        chain: The candidates in the order in which they are asked; escalation has already changed it.
        calls: The calls to write; empty if the model is asked to reason.
        decision: The decision that led to this job; for plain reasoning one whose `rule` is `None`.
        why: One sentence for people: the decision's reason, and why the rule escalated.
        exact: Exactly these calls are wanted, because several were named or the message was drained; otherwise one or more calls of the one tool.
        tried: Candidates that this job asks no more.
        repaired: Candidates that were asked to mend an answer; each is asked once.
        complaint: What was wrong with the candidate's last answer; the next request tells it.
        larger_than: The context window, in tokens, that was too small; only candidates with a larger one are asked.
        candidate: The model that `select` picked; `None` before that, and again after a failure.
        settled: The job needs no further request.
        failure: The class of the last failure, until `advance` clears it; empty if there is none.
        acceptable: The text shown so far becomes the answer if no other candidate can go on: the model's own length limit cut it off.
        refused: Parameters that the candidate's provider refused recently, and those that any provider refused in this turn.
        sent_back: A look sent these finished calls back: the model that wrote them may mend them once, else they land as they were.
    """

    chain: tuple[str, ...]
    calls: tuple[Intercepted, ...] = ()
    decision: Decision | None = None
    why: str = ""
    exact: bool = False
    tried: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    complaint: str = ""
    larger_than: int | None = None
    candidate: str | None = None
    settled: bool = False
    failure: str = ""
    acceptable: bool = False
    refused: tuple[Refused, ...] = ()
    sent_back: bool = False

    @property
    def tools(self) -> tuple[str, ...]:
        """The tool of each call to write."""
        return tuple(call.tool for call in self.calls)

    @property
    def tool(self) -> str | None:
        """The tool of the first call to write; `None` if the model is asked to reason."""
        return self.calls[0].tool if self.calls else None

    @property
    def announced(self) -> int:
        """The number of calls whose name and id a consumer has seen."""
        return sum(call.announced for call in self.calls)

    @property
    def left(self) -> tuple[str, ...]:
        """The candidates that this job may still ask."""
        return tuple(spec for spec in self.chain if spec not in self.tried) if self.tried else self.chain

    @property
    def refusals(self) -> tuple[Refused, ...]:
        """The parameters that the candidate's provider refused, recently or in this turn."""
        return tuple(each for each in self.refused if each.model in ("", self.candidate))

    @property
    def source(self) -> str | None:
        """How the tool became known: `forced` or `intercepted`; `None` if the model is to choose."""
        return None if self.decision is None else self.decision.source

    @property
    def moment(self) -> str | None:
        """When the rule acts in this job: for a `call` to write, or after a tool's `result`; `None` if no rule acts."""
        if self.calls:
            return "call"
        return "result" if self.decision is not None and self.decision.rule is not None and self.source is None else None

    @property
    def rule(self) -> str | None:
        """The pattern of the rule that acts in this job; `None` if no rule acts."""
        return None if self.decision is None or self.moment is None else self.decision.rule

    @property
    def params(self) -> Mapping[str, Any] | None:
        """The rule's `params`, if the candidate is the rule's own model; otherwise `None`."""
        if self.decision is None or self.moment is None or self.candidate != next(iter(self.decision.chain), None):
            return None
        return self.decision.options.params


@dataclass(frozen=True)
class Turn:
    """Where a turn stands.

    Attributes:
        id: The id of the message; all its chunks carry it.
        base: The length and digest of the thread that it answers (`runner.ids.base_of`); `None` for a turn that is never parked. If the thread's own
            has changed since, the turn is stale.
        phase: The next phase to run.
        jobs: The first job, and behind it the jobs that write the calls it named.
        gates: The routed tools at which the reasoning model is stopped, each with `cut` or `drain`.
        pending: Intercepted calls that have no writing job yet.
        reasoner: The model whose words stand first in the message; `None` until a model has spoken.
        writers: `(call id, model)` for each call that has been written, in that order.
        attempts: The requests that have ended, in order.
        skipped: The candidates that were not asked, once for each kind of reason.
        primary: The first candidate of the reasoning chain.
        saved_output_tokens: The output tokens of the routed models, which a model that was cut did not have to write.
        looked: The calls that a look sent back, each with `mended` or `stood`.
    """

    id: str
    base: str | None = None
    phase: Phase = "select"
    jobs: tuple[Job, ...] = ()
    gates: tuple[tuple[str, str], ...] = ()
    pending: tuple[Intercepted, ...] = ()
    reasoner: str | None = None
    writers: tuple[tuple[str, str], ...] = ()
    attempts: tuple[Attempt, ...] = ()
    skipped: tuple[Skip, ...] = ()
    primary: str | None = None
    saved_output_tokens: int = 0
    looked: tuple[tuple[str, str], ...] = ()

    @property
    def open_jobs(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if not job.settled)

    @property
    def routed(self) -> Job | None:
        """The job that the message's record describes: the first writing job behind the first job, else the first job if a tool decided it."""
        handed_off = next((job for job in self.jobs[1:] if not job.sent_back), None)
        if handed_off is not None:
            return handed_off
        return next((job for job in self.jobs if job.decision is not None and job.decision.tool is not None), None)

    @property
    def forced(self) -> str | None:
        """The tool that the reasoning model itself must call: it is forced, and no rule routes it."""
        job = self.jobs[0] if self.jobs else None
        return job.decision.tool if job is not None and job.decision is not None and not job.calls and job.source == "forced" else None

    def to_dict(self) -> dict[str, Any]:
        """The turn as plain data, for a checkpoint: its version, and the fields that differ from their defaults."""
        return {"version": VERSION, **_data(self)}

    @classmethod
    def from_dict(cls, data: Any, decide: Decide) -> Turn | None:
        """The turn that `to_dict` stored, also as JSON; `None` if `data` is no turn of this version.

        Args:
            data: What `to_dict` gave.
            decide: Asks the rules again: only the tool and the source of a decision are stored.
        """
        if not isinstance(data, Mapping) or data.get("version") != VERSION:
            return None
        try:
            return _read(cls, data, decide)
        except (TypeError, KeyError, ValueError, AttributeError):  # not what `to_dict` writes: damaged, or written by other code
            return None


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one request.

    Attributes:
        attempt: Its record.
        failure: Why it failed; `None` for a success.
        segment: What it adds to the message (`runner.segments.Segment`); `None` if it adds nothing.
        shown: The consumer has seen content of it, which stays in the message.
        call_ids: The ids of its calls that stay in the message, in order.
        routed: The calls that its gate intercepted.
        announced: The number of the job's calls whose name and id the consumer has seen.
        spent: The consumer has seen arguments live, so no other model may write this call.
        acceptable: It failed, but what was shown becomes the answer if no other model can go on.
        looked: The number of finished calls that were looked at, by tool.
        sent_back: The calls that the look sent back; they are not in the segment.
        complaint: What the look says of them, for the model that is asked to mend them.
        stood: No usable call came in place of those that were sent back, so the segment holds them as they were.
    """

    attempt: Attempt
    failure: Failure | None = None
    segment: Any = None
    shown: bool = False
    call_ids: tuple[str, ...] = ()
    routed: tuple[Intercepted, ...] = ()
    announced: int = 0
    spent: bool = False
    acceptable: bool = False
    looked: Mapping[str, int] = field(default_factory=dict)
    sent_back: tuple[Intercepted, ...] = ()
    complaint: str = ""
    stood: bool = False


def changed(record: T, **changes: Any) -> T:
    """A copy of the record with new values in some fields: `dataclasses.replace`, ten times as fast.

    Args:
        record: A frozen dataclass without slots and without `__post_init__`.
        changes: The new values, by field.
    """
    new = object.__new__(type(record))
    new.__dict__.update(record.__dict__, **changes)
    return new


# -- as plain data -------------------------------------------------------------------------------------------------------------------------

_RECORD_FIELDS: Mapping[str, type[Any]] = {
    "jobs": Job, "calls": Intercepted, "pending": Intercepted, "attempts": Attempt, "skipped": Skip, "refused": Refused,
}  # fmt: skip
"""The fields that hold records, by name."""

_PAIR_FIELDS = frozenset({"gates", "writers", "looked"})
_NAME_FIELDS = frozenset({"chain", "tried", "repaired"})


_DEFAULTS: dict[type[Any], tuple[tuple[str, Any], ...]] = {
    cls: tuple((each.name, None if each.default is MISSING else each.default) for each in fields(cls))
    for cls in (Turn, Job, Intercepted, Attempt, Skip, Refused)
}


def _data(record: Any) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, default in _DEFAULTS[type(record)]:
        value = getattr(record, name)
        if value is default or value == default:
            continue
        if name in _RECORD_FIELDS:
            value = [_data(each) for each in value]
        elif type(value) is Decision:
            value = [value.tool, value.source]
        data[name] = value
    return data


def _read(cls: type[T], data: Mapping[str, Any], decide: Decide) -> T:
    values = dict(data)
    values.pop("version", None)
    for name, value in data.items():
        if name in _RECORD_FIELDS:
            values[name] = tuple(_read(_RECORD_FIELDS[name], each, decide) for each in value)
        elif name in _PAIR_FIELDS:
            values[name] = tuple((first, second) for first, second in value)
        elif name in _NAME_FIELDS:
            values[name] = tuple(value)
        elif name == "decision":
            values[name] = decide(*value)
    return cls(**values)


__all__ = ["PHASES", "VERSION", "Answer", "Attempt", "Decide", "Intercepted", "Job", "Outcome", "Phase", "Turn", "changed"]
