"""The look at the calls of one answer, before a consumer sees them: which are looked at, and what the look is told of the file that each names.

A call is looked at once in a turn, when its model has finished it. What is known of a file is what the thread tells of it, with the earlier calls of
the same message already made. Where an earlier call is not known (another model writes it, or it was sent back itself), the built-in look is silent
about the file that it may change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from langchain_core.messages import ToolCall

from lg_toolroute.briefs.looks import LookRequest, said_of
from lg_toolroute.clients.tool_choice import Forcing
from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.rungs import refusal
from lg_toolroute.core.turn.looked import is_asked_again
from lg_toolroute.core.turn.turn import Intercepted, Job, Turn
from lg_toolroute.files.known import KnownFile
from lg_toolroute.gates.answer import parse_arguments
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.runner.handoffs import HandoffChooser
from lg_toolroute.runner.request_parts import RequestParts
from lg_toolroute.runner.segments import Segment

Written = tuple[str, Mapping[str, Any] | None]
"""A call of a message: the tool, and the arguments; `None` where they are not written yet."""


@dataclass(slots=True)
class AnswerLook:
    """Looks at the finished calls of one answer, as `gates.looked.Look` says.

    Attributes:
        parts: What the requests of the turn share.
        turn: The turn.
        job: What was asked for.
        segments: What was shown of the message so far.
        looked: How many calls were looked at, by tool; the built-in look sees none whose file is not known.
        error: What a look of the application raised. It is raised again when the answer is read: in the model's stream it would be the model's.
    """

    parts: RequestParts
    turn: Turn
    job: Job
    segments: Sequence[Segment]
    looked: dict[str, int] = field(default_factory=dict, init=False)
    error: Exception | None = field(default=None, init=False)

    def __call__(self, model: str, calls: Sequence[tuple[Intercepted, str | None]]) -> Mapping[int, str]:
        self.looked, self.error = {}, None
        if model != self.job.candidate:
            return {}  # another model was put in the candidate's place, which could not be asked to mend it
        try:
            return self._said(calls)
        except Exception as error:  # raised again in `AnswerReader`
            self.error = error
            return {}

    def _said(self, calls: Sequence[tuple[Intercepted, str | None]]) -> Mapping[int, str]:
        parts = self.parts
        bound = frozenset(parts.inputs.allowed(self.job.candidate or ""))
        options = {call.tool: parts.inputs.decision(call.tool, "looked").options.look for call, _ in calls if call.tool in bound}
        if not any(options.values()):
            return {}
        here = {call.slot: (call.tool, None if written is None else _arguments(written)) for call, written in calls}
        said: dict[int, str] = {}
        before = CallsBefore(parts.handoffs)
        for slot, (tool, arguments) in sorted({**self._elsewhere(), **here}.items()):
            option = options.get(tool) if slot in here else None
            if arguments is not None and option is not None:
                told = tuple((call["name"], call["args"]) for call in before.written)
                request = LookRequest(tool, arguments, parts.messages, before.file_of(tool, arguments), told)
                found = said_of(request, option, parts.handoffs.file_tool(tool), parts.router.looks)
                if option is not True or request.file is not None:
                    self.looked[tool] = self.looked.get(tool, 0) + 1
                if found is not None:
                    said[slot] = found
            before.take(tool, arguments, certain=slot not in said)
        return said

    def _elsewhere(self) -> dict[int, Written]:
        """The calls of the message that other answers hold, or will hold, by slot."""
        found: dict[int, Written] = {call.slot: (call.tool, None) for job in self.turn.jobs if job is not self.job for call in job.calls}
        for segment in self.segments:
            found.update({slot: (call["name"], call["args"]) for slot, call in zip(segment.slots, segment.message.tool_calls, strict=False)})
        return found


@dataclass(slots=True)
class CallsBefore:
    """The calls of a message that stand before the one that is looked at.

    Attributes:
        handoffs: Knows the files of the thread.
        written: Those whose arguments are known, in order.
    """

    handoffs: HandoffChooser
    written: list[ToolCall] = field(default_factory=list)
    _certain: list[ToolCall] = field(default_factory=list)
    _doubtful: list[ToolCall] = field(default_factory=list)
    _all_doubtful: bool = False

    def file_of(self, tool: str, arguments: Mapping[str, Any]) -> KnownFile | None:
        """What is known of the file that a call names when these have run; `None` if one of them may change it otherwise."""
        known = None if self._all_doubtful else self.handoffs.known_file(tool, arguments, self._certain)
        if known is None:
            return None
        others = (self.handoffs.known_file(call["name"], call["args"], self._certain) for call in self._doubtful)
        return None if any(other is not None and other.name == known.name for other in others) else known

    def take(self, tool: str, arguments: Mapping[str, Any] | None, *, certain: bool) -> None:
        """Add the next call; one that is not certain leaves its file in doubt, one that is not known every file."""
        means = self.handoffs.file_tool(tool)
        if arguments is None:
            self._all_doubtful = self._all_doubtful or (means is not None and means.kind != "read")
            return
        call = ToolCall(name=tool, args=dict(arguments), id=None, type="tool_call")
        self.written.append(call)
        (self._certain if certain else self._doubtful).append(call)


def answer_look(parts: RequestParts, turn: Turn, job: Job, segments: Sequence[Segment]) -> AnswerLook | None:
    """The look at the calls of a job's answer; `None` where no rule has one, and for calls that were sent back already."""
    return AnswerLook(parts, turn, job, segments) if parts.router.looks_at_calls and not job.sent_back else None


def stands_after(job: Job, way: Forcing) -> Callable[[BaseException], bool]:
    """Says whether calls that were sent back land as they were after an error of the request that was to mend them.

    They do not if the model is asked once more, without a parameter that its provider refused; nor after what is not the model's failure.

    Args:
        job: The calls.
        way: How the model is made to call.
    """

    def stands(error: BaseException) -> bool:
        failure = classify(error)
        refused = refusal(failure, way.rung, thinks=way.thinks, switched=way.switch is not None)
        return failure.cls not in {"bug", "cancelled"} and not is_asked_again(job, refused, job.candidate or "")

    return stands


def note_look(parts: RequestParts, gate: ReasonGate | WriteGate) -> LookFound:
    """What the look found in an answer; what was sent back is kept, to be told to its model and to land as it was if need be.

    Raises:
        Exception: What a look of the application raised.
    """
    look = gate.look
    if not isinstance(look, AnswerLook):
        return LookFound()
    if look.error is not None:
        raise look.error
    parts.standing.update({each.call.call_id: each.arguments for each in gate.sent_back})
    complaint = "\n".join(dict.fromkeys(each.said for each in gate.sent_back))
    return LookFound(looked=dict(look.looked), sent_back=tuple(each.call for each in gate.sent_back), complaint=complaint)


class LookFound(TypedDict, total=False):
    """What an `Answer` says of a look."""

    looked: Mapping[str, int]
    sent_back: tuple[Intercepted, ...]
    complaint: str


def _arguments(written: str) -> Mapping[str, Any] | None:
    found = parse_arguments(written)
    return found if isinstance(found, dict) else None
