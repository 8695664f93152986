"""One turn as plain data: its jobs, its attempts, its phase.

A *turn* yields one AI message. It begins with one job (the primary reasons, or a forced tool is written at once); when a routed
tool is intercepted it goes on with writing jobs, one a chain. Each job is answered by the first candidate of its chain that can.
A turn survives JSON, because it may be interrupted at any point and resumed by another process.

`changes.py` says how this data changes, `flow.py` in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, TypeVar

from lg_toolroute.core.failures.failure import Failure, Refused
from lg_toolroute.core.rules.decision import Decision, Skip

VERSION = 2
"""The shape of a turn as data. A turn of another version is not read: its run begins the turn anew."""

Phase = Literal["select", "ask", "advance", "hand_off", "done"]
PHASES: frozenset[str] = frozenset({"select", "ask", "advance", "hand_off"})
Outcome = Literal["answered", "cut", "failed"]
Decide = Callable[[str | None, str | None], Decision]
"""The decision on a tool: `(tool, source) -> Decision`."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one candidate, as it is kept on the message.

    Attributes:
        model: `provider/model`.
        outcome: `answered`, `cut` (stopped by us inside a routed call) or `failed`.
        reason: The failure class; empty when it did not fail.
        tool: What it was to write; `None` when it was to reason.
        latency_s: Seconds from the request to the end of the answer.
        usage: `{"input_tokens", "output_tokens", "total_tokens"}`; `None` if the provider reported none.
        usage_estimated: The usage was estimated, because the provider reports none for a stream that is cut.
        detail: What went wrong, shortened, without secrets.
        handoff: What it was sent to write a call: `kind` (`full`, `brief`, `draft`), of a brief its `size`, about how many `tokens`, and `why`;
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
    """A call of a routed tool that the reasoning model named, and that another model will write.

    Attributes:
        slot: Its position among the calls of the message.
        tool: The tool's name.
        call_id: The id it gets; it stays true whichever candidate writes the call.
        announced: A consumer has seen the name and the id.
        block: The index of its content block, with clients whose content names the calls.
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
        chain: The candidates, in order, after escalation.
        calls: The calls to be written; empty when the model is to reason.
        decision: The rules' decision that led to this job; one without a rule for plain reasoning.
        why: One sentence for people: the decision's reason, and what escalated it.
        exact: Exactly these calls are wanted (a drained message); otherwise at least one of the one tool.
        tried: Candidates that are used up in this turn.
        repaired: Candidates that had their one chance to mend an answer.
        complaint: What was wrong with the last answer, told to the candidate that is asked again.
        larger_than: Only candidates with a larger context window, in tokens, are still of use.
        candidate: The model that is asked now.
        settled: It has its answer.
        failure: The class of the last failure that is not dealt with yet; empty if there is none.
        acceptable: What was shown is an answer if no other model can go on: text that was cut off by the model's own limit.
        refused: What the provider of the candidate refused of late, and what any refused in this turn.
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

    @property
    def tools(self) -> tuple[str, ...]:
        """The tool of each call to be written."""
        return tuple(call.tool for call in self.calls)

    @property
    def tool(self) -> str | None:
        """The (first) tool to be written; `None` when the model is to reason."""
        return self.calls[0].tool if self.calls else None

    @property
    def announced(self) -> int:
        """How many of the calls a consumer has seen by name and id."""
        return sum(call.announced for call in self.calls)

    @property
    def left(self) -> tuple[str, ...]:
        """Candidates that may still be asked in this turn."""
        return tuple(spec for spec in self.chain if spec not in self.tried) if self.tried else self.chain

    @property
    def refusals(self) -> tuple[Refused, ...]:
        """What the provider of the candidate refused, of late and in this turn."""
        return tuple(each for each in self.refused if each.model in ("", self.candidate))

    @property
    def source(self) -> str | None:
        """How the tool became known."""
        return None if self.decision is None else self.decision.source

    @property
    def moment(self) -> str | None:
        """When the rule acts in this job: `call`, `result`, or `None` if no rule does."""
        if self.calls:
            return "call"
        return "result" if self.decision is not None and self.decision.rule is not None and self.source is None else None

    @property
    def rule(self) -> str | None:
        """The pattern of the rule that acts in this job; `None` if none does."""
        return None if self.decision is None or self.moment is None else self.decision.rule

    @property
    def params(self) -> Mapping[str, Any] | None:
        """The settings of the rule for the candidate; `None` for any but the rule's own model."""
        if self.decision is None or self.moment is None or self.candidate != next(iter(self.decision.chain), None):
            return None
        return self.decision.options.params


@dataclass(frozen=True)
class Turn:
    """Where a turn stands.

    Attributes:
        id: The id of the message it yields; all its segments carry it.
        base: What identifies the thread that it answers. A turn whose base is not the thread's is stale.
        phase: What has to happen next.
        jobs: The jobs, the first of which began the turn; the others write calls that it intercepted.
        gates: The routed tools at which the reasoning model is stopped, each with `cut` or `drain`.
        pending: Routed calls that were intercepted and wait to be handed off.
        reasoner: The model whose words stand in the message; `None` before one spoke.
        writers: Who wrote which call: `(call id, model)`, in order of settling.
        attempts: Every try, in order.
        skipped: Every candidate that was passed over, with its reason, once.
        primary: The first candidate of the reasoning chain.
        saved_output_tokens: Tokens that a cut model did not have to write, once the routed model has written them.
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

    @property
    def open_jobs(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if not job.settled)

    @property
    def routed(self) -> Job | None:
        """The job that a rule or an expected tool decided: the first of the calls that were handed off, else the first job if it was decided."""
        if len(self.jobs) > 1:
            return self.jobs[1]
        return next((job for job in self.jobs if job.decision is not None and job.decision.tool is not None), None)

    @property
    def forced(self) -> str | None:
        """The tool that the reasoning model itself is to call, because it is known to come next and has no route."""
        job = self.jobs[0] if self.jobs else None
        return job.decision.tool if job is not None and job.decision is not None and not job.calls and job.source == "forced" else None

    def to_dict(self) -> dict[str, Any]:
        """The turn as plain data, for a checkpoint: what differs from the defaults, and the version."""
        return {"version": VERSION, **_data(self)}

    @classmethod
    def from_dict(cls, data: Any, decide: Decide) -> Turn | None:
        """The turn that `to_dict` wrote down, also after a trip through JSON; `None` if this is no turn of this version.

        Args:
            data: What was written down.
            decide: Gives the decision on a tool; a decision is written down by its tool and source alone.
        """
        if not isinstance(data, Mapping) or data.get("version") != VERSION:
            return None
        try:
            return _read(cls, data, decide)
        except (TypeError, KeyError, ValueError, AttributeError):  # not what `to_dict` writes: damaged, or written by other code
            return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request.

    Attributes:
        attempt: The record of the try.
        failure: Why it failed; `None` for a success.
        segment: What it adds to the message, as the runner keeps it; `None` if it adds nothing.
        shown: Text of it reached the consumer, and stays part of the message.
        call_ids: The ids of the calls that stay in the message, in order.
        routed: The intercepted calls.
        announced: How many calls to be written the consumer has seen by name.
        spent: Arguments went out live; no other model may write this call any more.
        acceptable: After a failure: what was shown is an answer if no other model can go on.
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


def changed(record: T, **changes: Any) -> T:
    """The record with other values in some fields: what `dataclasses.replace` does, in a tenth of its time.

    Args:
        record: A frozen dataclass without slots that computes nothing when it is made.
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

_PAIR_FIELDS = frozenset({"gates", "writers"})
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
