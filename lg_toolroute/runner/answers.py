"""Makes the one `Answer` that the flow gets, from what a request gave: the gate's findings, and a message or an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.failure import BAD_ANSWER, Failure, Rung
from lg_toolroute.core.failures.rungs import CHOICE, RUNGS, refusal
from lg_toolroute.core.turn.looked import is_asked_again
from lg_toolroute.core.turn.turn import Answer, Attempt
from lg_toolroute.errors import AnswerRejected
from lg_toolroute.gates.chunks import as_chunk, generation, is_call_block, merged
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.runner.looking import note_look
from lg_toolroute.runner.request_parts import Request
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.runner.segments import Segment


class AnswerReader:
    """Reads answers.

    Args:
        builder: Built the requests.
        turn_id: The turn's id, under which the clients' own exceptions are remembered.
        others_between: Other code stands between the runner and the model, so an error counts as the model's only if its gate has seen it.
    """

    def __init__(self, builder: RequestBuilder, turn_id: str, *, others_between: bool) -> None:
        self._builder = builder
        self._router = builder.router
        self._turn_id = turn_id
        self._others_between = others_between

    def after_error(self, request: Request, error: Exception, started: float) -> Answer:
        """The answer for an error. An error that is not the model's failure is raised again.

        Args:
            request: What was asked.
            error: What was raised.
            started: When it was asked, on the router's clock.
        """
        _raise_fault(request.gate)
        if self._others_between and request.gate.raised is None and not isinstance(error, AnswerRejected):
            raise error  # raised by an inner middleware, a call limit or a response format
        failure = classify(error, now=time.time())
        if failure.cls in {"bug", "cancelled"}:
            raise error
        return self._failed(request, error, failure, started)

    def after_message(self, request: Request, message: AIMessage, started: float) -> Answer:
        """The answer for a message.

        Args:
            request: What was asked.
            message: What came, past the gate.
            started: When it was asked, on the router's clock.
        """
        gate = request.gate
        _raise_fault(gate)
        if self._others_between and isinstance(gate.raised, Exception):
            # The model failed, and an inner middleware returned a message in its place (`ModelRetryMiddleware` does): the chain goes on instead.
            return self.after_error(request, gate.raised, started)
        if not gate.saw_chunk:
            # An inner middleware used another model, or answered itself, so the gate has seen nothing: it checks the message now.
            try:
                message = _through_gate(gate, message)
            except AnswerRejected as error:
                return self.after_error(request, error, started)
        if isinstance(gate, WriteGate):
            return self._written(request, gate, message, started)
        return self._reasoned(request, gate, message, started)

    def _failed(
        self, request: Request, error: BaseException, failure: Failure, started: float, *, shown: bool = False, segment: Segment | None = None
    ) -> Answer:
        gate = request.gate
        failure, detail = self._read_refusal(request, failure)
        attempt = self._attempt(request, "failed", started, reason=failure.cls, detail=detail)
        self._router.remember_cause(self._turn_id, attempt, error)
        if isinstance(gate, WriteGate) and request.job.sent_back and not is_asked_again(request.job, failure.refused, request.spec):
            return _as_they_were(gate, error, attempt)
        if isinstance(gate, WriteGate):
            if failure.cls in BAD_ANSWER:
                self._router.rejected.keep(self._turn_id, request.job, gate.written())
            if gate.needs_own_form:
                self._router.forms.note_own(self._turn_id, request.job)
            return Answer(attempt, failure, announced=gate.announced, spent=gate.spent)
        acceptable = shown and gate.finish.by_length and not gate.calls  # a call that broke off is missing
        return Answer(attempt, failure, segment, shown=shown, acceptable=acceptable)

    def _read_refusal(self, request: Request, failure: Failure) -> tuple[Failure, str]:
        """The failure with what it teaches, and what went wrong, for people: of a refused parameter also whose it is and what to do."""
        if failure.cls != "parameter_refused" or request.gate.model != request.spec:
            return failure, failure.text
        way = request.forcing
        taught = refusal(failure, way.rung, thinks=way.thinks, switched=way.switch is not None) if way is not None else None
        if taught is not None and way is not None:
            what = _sent(taught.asked) if taught.parameter == CHOICE else way.switch
            return replace(failure, refused=taught), f"{failure.text} (asked with {what})"
        if failure.parameter == CHOICE and way is not None:
            tried = {way.rung, *(each.asked for each in request.job.refusals if each.parameter == CHOICE)}
            what = f"tried were {', '.join(_sent(rung) for rung in RUNGS if rung in tried)}; let another model write this call, or set"
            return failure, f"{failure.text}; {what} {self._router.models.ways.place(request.spec)}"
        return failure, f"{failure.text}; {self._whose(request, failure.parameter)}"

    def _whose(self, request: Request, parameter: str) -> str:
        """Where a refused parameter comes from, and what to do about it."""
        decision = request.job.decision
        if decision is not None and _holds(request.job.params or {}, parameter):
            return f"{parameter!r} stands in the params of the rule {decision.rule!r}: take it out of {decision.path}.params"
        if _holds(self._router.book.params(request.spec, agent=self._builder.inputs.agent), parameter):
            return f"{parameter!r} stands in the params of {request.spec}: take it out there"
        return f"{parameter!r} was set where the model was made, or by code around it: take it out there"

    def _written(self, request: Request, gate: WriteGate, message: AIMessage, started: float) -> Answer:
        found = note_look(self._builder, gate)
        message = _without_announced_calls(message, {each.call.call_id for each in gate.sent_back})
        ids = tuple(call_id for _, call_id, _, _ in gate.accepted)
        if tuple(call["id"] for call in message.tool_calls) != ids:
            # Code between the model and the runner changed the answer after the gate had checked it.
            error = AnswerRejected(request.spec, "invalid_tool_call", "the answer was changed after it had been checked")
            return self.after_error(request, error, started)
        segment = _segment(message, gate)
        if gate.stood is not None:
            failure = classify(gate.stood)
            attempt = self._attempt(request, "failed", started, reason=failure.cls, detail=failure.text, message=message)
            return Answer(attempt, segment=segment, call_ids=ids, stood=True)
        return Answer(self._attempt(request, "answered", started, message=message), segment=segment, call_ids=ids, **found)

    def _reasoned(self, request: Request, gate: ReasonGate, message: AIMessage, started: float) -> Answer:
        trouble = gate.error or gate.rejected
        if trouble is not None:
            failure = classify(trouble, now=time.time())
            return self._failed(request, trouble, failure, started, shown=gate.shown, segment=Segment(message, cut=True))
        attempt = self._attempt(request, "cut" if gate.halted else "answered", started, message=message)
        found = note_look(self._builder, gate)
        self._builder.drafts.update(gate.drafts)
        if request.prefix and not isinstance(message.content, str):
            message = message.model_copy(update={"response_metadata": {**message.response_metadata, "toolroute": {"prefix": request.prefix}}})
        announced = {call.call_id for call in (*gate.routed, *(each.call for each in gate.sent_back))}
        message = _with_ids(_without_announced_calls(message, announced), self._builder.new_id)
        slots = tuple(call.slot for call in gate.kept)
        if len(slots) != len(message.tool_calls):  # a middleware added or removed calls; those it added come last
            known = {call.id: call.slot for call in gate.kept}
            slots = tuple(known.get(call["id"], len(gate.calls)) for call in message.tool_calls)
        return Answer(
            attempt,
            segment=Segment(message, slots, cut=gate.halted or bool(gate.sent_back)),
            shown=gate.shown,
            call_ids=tuple(call["id"] or "" for call in message.tool_calls),
            routed=tuple(gate.routed),
            **found,
        )

    def _attempt(
        self, request: Request, outcome: Any, started: float, *, reason: str = "", detail: str = "", message: AIMessage | None = None
    ) -> Attempt:
        usage = message.usage_metadata if message is not None else None
        handed = request.handed
        if outcome != "failed":
            self._builder.handoffs.sent(request.spec, handed)
        return Attempt(
            # Another model may have been put behind the gate. A failure still counts for the candidate that was asked.
            model=request.spec if outcome == "failed" else request.gate.model,
            outcome=outcome,
            reason=reason,
            tool=request.job.tool,
            latency_s=max(self._router.clock() - started, 0.0),
            usage={key: usage[key] for key in ("input_tokens", "output_tokens", "total_tokens")} if usage is not None else None,
            usage_estimated=bool(message is not None and message.response_metadata.get("usage_estimated")),
            detail=detail,
            handoff=None if handed is None else handed.record(),
        )


def _raise_fault(gate: ReasonGate | WriteGate) -> None:
    """Raise what code of the application raised inside the model's stream: no other model would do better."""
    if gate.fault is not None:
        raise gate.fault


def _as_they_were(gate: WriteGate, error: BaseException, attempt: Attempt) -> Answer:
    """The answer with the calls that were to be mended as they were, where the request failed outside of its gate."""
    gate.restart()
    gate.stood = error
    message = merged(gate.end())
    assert message is not None  # noqa: S101  # the gate's last chunk is always there
    return Answer(attempt, segment=_segment(message, gate), call_ids=tuple(call_id for _, call_id, _, _ in gate.accepted), stood=True)


def _segment(message: AIMessage, gate: WriteGate) -> Segment:
    """The segment of a writer's answer."""
    return Segment(_with_names(message, gate), tuple(slot for slot, _, _, _ in gate.accepted), writes=True)


def _with_names(message: AIMessage, gate: WriteGate) -> AIMessage:
    """The message with the name of every call.

    A name that a consumer saw in an earlier attempt is not sent again, so the message that was added up from this attempt's chunks lacks it.
    """
    names = {call_id: name for _, call_id, name, _ in gate.accepted}
    if all(call["name"] for call in message.tool_calls):
        return message
    calls = [{**call, "name": names[call["id"] or ""]} for call in message.tool_calls]
    content = message.content
    if not isinstance(content, str):
        content = [
            {**block, "name": names.get(str(block.get("id")), "")} if isinstance(block, dict) and is_call_block(block) else block for block in content
        ]
        content = [block for block in content if not (isinstance(block, dict) and block.get("type") == "input_json_delta")] or ""
    if any(block is not None for block in gate.blocks):
        content = [{"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["args"]} for call in calls]
    return message.model_copy(update={"tool_calls": calls, "invalid_tool_calls": [], "content": content})


def _without_announced_calls(message: AIMessage, announced: set[str]) -> AIMessage:
    """The message without the routed calls, of which the gate showed only name and id: another model writes them."""
    if not announced or not any(call["id"] in announced for call in message.tool_calls):
        return message
    content = message.content
    if not isinstance(content, str):
        content = [block for block in content if not (isinstance(block, dict) and is_call_block(block) and block.get("id") in announced)]
    return message.model_copy(update={"tool_calls": [c for c in message.tool_calls if c["id"] not in announced], "content": content})


def _with_ids(message: AIMessage, new_id: Callable[[], str]) -> AIMessage:
    """The message, each call with an id of its own, also where code between the model and us has changed the calls."""
    taken: set[str | None] = {None, ""}
    calls = []
    for call in message.tool_calls:
        calls.append({**call, "id": new_id()} if call["id"] in taken else call)
        taken.add(call["id"])
    return message.model_copy(update={"tool_calls": calls}) if calls != message.tool_calls else message


def _through_gate(gate: ReasonGate | WriteGate, message: AIMessage) -> AIMessage:
    chunk = as_chunk(message.model_copy(deep=True))
    shown: list[ChatGenerationChunk] = [*gate.feed(generation(chunk)), *gate.end()]
    whole = merged(shown)
    if whole is None:
        return message
    values = {name: getattr(whole, name) for name in ("content", "tool_calls", "invalid_tool_calls", "usage_metadata")}
    return message.model_copy(update={**values, "id": gate.message_id})


def _sent(rung: Rung) -> str:
    return "no tool_choice" if rung == "none" else f"tool_choice {rung!r}"


def _holds(params: Mapping[str, Any], parameter: str) -> bool:
    """Whether settings hold a parameter, also in what goes into the body as it is."""
    places = (params, *(params.get(name) for name in ("extra_body", "model_kwargs")))
    return any(isinstance(place, Mapping) and parameter in place for place in places)
