"""Does what a turn's flow asks for: looks up health, asks models, reports how they did.

What differs between the graph, the middleware and the chat model is only how one request is sent; they hand in `send` (and `asend`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.turn.flow import Ask, Claim, LookUp, Reply, Report, Step
from lg_toolroute.core.turn.selection import Survey
from lg_toolroute.core.turn.turn import Answer, Attempt
from lg_toolroute.errors import AnswerRejected
from lg_toolroute.gates.chunks import as_chunk, generation, is_call_block, merged
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.runner import events
from lg_toolroute.runner.landing import Part
from lg_toolroute.runner.request import Request, Stage

Send = Callable[[Request], AIMessage]
ASend = Callable[[Request], Awaitable[AIMessage]]


class Performer:
    """Carries out the steps of one turn's flow.

    Args:
        stage: What stays the same for all requests of the turn.
        parts: The segments so far; new ones are added.
        send: Sends one request and returns the model's message.
        asend: The same, awaited.
        emit: Takes events.
    """

    def __init__(
        self, stage: Stage, parts: Iterable[Part] = (), *, send: Send | None = None, asend: ASend | None = None, emit: events.Emit = events.silent
    ) -> None:
        self.stage = stage
        self.parts = list(parts)
        self._send = send
        self._asend = asend
        self._emit = emit

    # -- the two drivers' entry points ----------------------------------------------------------------------------------------------

    def perform(self, step: Step) -> Any:
        router = self.stage.router
        if isinstance(step, LookUp):
            return Survey(router.health.snapshot(step.specs), router.clock())
        if isinstance(step, Claim):
            return router.health.claim(step.spec)
        if isinstance(step, Report):
            return router.health.report(step.spec, step.failure, tool=step.tool)
        return self._take(step, self._ask_all(step))

    async def aperform(self, step: Step) -> Any:
        router = self.stage.router
        if isinstance(step, LookUp):
            return Survey(await router.health.asnapshot(step.specs), router.clock())
        if isinstance(step, Claim):
            return await router.health.aclaim(step.spec)
        if isinstance(step, Report):
            return await router.health.areport(step.spec, step.failure, tool=step.tool)
        return self._take(step, await self._aask_all(step))

    # -- asking -----------------------------------------------------------------------------------------------------------------------

    def _ask_all(self, step: Ask) -> list[tuple[Reply, Part | None]]:
        requests = self._requests(step)
        if len(requests) == 1:
            return [self._ask(requests[0])]
        with ThreadPoolExecutor(max_workers=len(requests), thread_name_prefix="lg_toolroute") as pool:
            # Each in a context of its own, so that callbacks and the stream writer are the run's.
            return list(pool.map(lambda pair: pair[0].run(self._ask, pair[1]), [(copy_context(), request) for request in requests]))

    async def _aask_all(self, step: Ask) -> list[tuple[Reply, Part | None]]:
        requests = self._requests(step)
        if len(requests) == 1:
            return [await self._aask(requests[0])]
        results = await asyncio.gather(*(self._aask(request) for request in requests), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result  # a bug or a stop, not a model's failure; the others have ended by now
        return [result for result in results if not isinstance(result, BaseException)]

    def _requests(self, step: Ask) -> list[Request]:
        for job in step.jobs:
            self._emit(events.asking(step.turn, job))
        return [self.stage.request(step.turn, job, self.parts) for job in step.jobs]

    def _ask(self, request: Request) -> tuple[Reply, Part | None]:
        if self._send is None:
            raise RuntimeError("this surface only runs asynchronously")
        started = self.stage.router.clock()
        try:
            message = self._send(request)
        except Exception as error:  # classified: what is not the model's failure is raised again, untouched
            return self._after_error(request, error, started)
        return self._after_message(request, message, started)

    async def _aask(self, request: Request) -> tuple[Reply, Part | None]:
        if self._asend is None:
            raise RuntimeError("this surface only runs synchronously")
        started = self.stage.router.clock()
        try:
            message = await self._asend(request)
        except Exception as error:  # classified: what is not the model's failure is raised again, untouched
            return self._after_error(request, error, started)
        return self._after_message(request, message, started)

    def _take(self, step: Ask, results: list[tuple[Reply, Part | None]]) -> list[Reply]:
        for reply, part in results:
            if part is not None:
                self.parts.append(part)
            self._emit(events.attempted(step.turn, reply.answer.attempt))
        return [reply for reply, _ in results]

    # -- what came back ----------------------------------------------------------------------------------------------------------------

    def _after_error(self, request: Request, error: Exception, started: float) -> tuple[Reply, Part | None]:
        failure = classify(error, now=time.time())
        if failure.cls in {"bug", "cancelled"}:
            raise error
        return self._failed(request, error, failure, started), None

    def _failed(self, request: Request, error: BaseException, failure: Failure, started: float, *, shown: bool = False) -> Reply:
        gate = request.gate
        attempt = self._attempt(request, "failed", started, reason=failure.cls, detail=failure.text)
        self.stage.router.remember_cause(gate.message_id, attempt, error)
        answer = Answer(
            attempt,
            shown=shown,
            announced=gate.announced if isinstance(gate, WriteGate) else 0,
            spent=isinstance(gate, WriteGate) and gate.spent,
            next_candidate=failure.next_candidate,
            window=self.stage.scene.facts(request.spec).context_window if failure.larger_window else None,
            acceptable=shown and isinstance(gate, ReasonGate) and gate.finish.by_length and not gate.calls,  # a call that broke off is missing
        )
        return Reply(answer, failure)

    def _after_message(self, request: Request, message: AIMessage, started: float) -> tuple[Reply, Part | None]:
        gate = request.gate
        if not gate.saw_chunk:
            # Something inside put another model, or an answer of its own, in the place of the gated one: the gate looks at it now.
            try:
                message = _late(gate, message)
            except AnswerRejected as error:
                return self._after_error(request, error, started)
        if isinstance(gate, WriteGate):
            return self._written(request, gate, message, started)
        return self._reasoned(request, gate, message, started)

    def _written(self, request: Request, gate: WriteGate, message: AIMessage, started: float) -> tuple[Reply, Part | None]:
        ids = [call_id for _, call_id, _, _ in gate.accepted]
        if [call["id"] for call in message.tool_calls] != ids:
            # What landed is not what was checked: something between the model and us changed the answer.
            error = AnswerRejected(request.spec, "invalid_tool_call", "the answer was changed after it had been checked")
            return self._after_error(request, error, started)
        attempt = self._attempt(request, "answered", started, message=message)
        answer = Answer(attempt, calls=len(ids), call_ids=tuple(ids))
        return Reply(answer), Part(_named(message, gate), tuple(slot for slot, _, _, _ in gate.accepted), writes=True)

    def _reasoned(self, request: Request, gate: ReasonGate, message: AIMessage, started: float) -> tuple[Reply, Part | None]:
        trouble = gate.error or gate.rejected
        if trouble is not None:
            reply = self._failed(request, trouble, classify(trouble, now=time.time()), started, shown=gate.shown)
            return reply, Part(message, cut=True)
        kept = [call for call in gate.calls if not call.routed][: gate.kept]
        outcome = "cut" if gate.halted else "answered"
        attempt = self._attempt(request, outcome, started, message=message)
        self.stage.drafts.update(gate.drafts)
        message = _with_ids(_without(message, {call.call_id for call in gate.routed}), self.stage.new_id)
        answer = Answer(
            attempt,
            shown=gate.shown,
            calls=gate.kept,
            call_ids=tuple(call["id"] or "" for call in message.tool_calls),
            routed=tuple(gate.routed),
        )
        slots = tuple(call.slot for call in kept) if len(kept) == len(message.tool_calls) else tuple(range(len(message.tool_calls)))
        return Reply(answer), Part(message, slots, cut=gate.halted)

    def _attempt(
        self, request: Request, outcome: Any, started: float, *, reason: str = "", detail: str = "", message: AIMessage | None = None
    ) -> Attempt:
        usage = message.usage_metadata if message is not None else None
        return Attempt(
            model=request.spec,
            outcome=outcome,
            reason=reason,
            tool=request.job.tool,
            latency_s=max(self.stage.router.clock() - started, 0.0),
            usage={key: usage[key] for key in ("input_tokens", "output_tokens", "total_tokens")} if usage is not None else None,
            usage_estimated=bool(message is not None and message.response_metadata.get("usage_estimated")),
            detail=detail,
        )


def _named(message: AIMessage, gate: WriteGate) -> AIMessage:
    """The message with the names of its calls, also where a consumer had seen them before this attempt and they were not sent again."""
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


def _without(message: AIMessage, announced: set[str]) -> AIMessage:
    """The message without the calls that were only announced in it: another model writes them."""
    if not any(call["id"] in announced for call in message.tool_calls):
        return message
    content = message.content
    if not isinstance(content, str):
        content = [block for block in content if not (isinstance(block, dict) and is_call_block(block) and block.get("id") in announced)]
    return message.model_copy(update={"tool_calls": [c for c in message.tool_calls if c["id"] not in announced], "content": content})


def _with_ids(message: AIMessage, new_id: Callable[[], str]) -> AIMessage:
    """The message, each call with an id: some servers give none, and then no result could be told from another's."""
    if all(call["id"] for call in message.tool_calls):
        return message
    return message.model_copy(update={"tool_calls": [call if call["id"] else {**call, "id": new_id()} for call in message.tool_calls]})


def _late(gate: ReasonGate | WriteGate, message: AIMessage) -> AIMessage:
    chunk = as_chunk(message.model_copy(deep=True))
    shown: list[ChatGenerationChunk] = list(gate.feed(generation(chunk)))
    shown.extend(gate.end())
    whole = merged(shown)
    if whole is None:
        return message
    values = {name: getattr(whole, name) for name in ("content", "tool_calls", "invalid_tool_calls", "usage_metadata")}
    return message.model_copy(update={**values, "id": gate.message_id})
