"""The one object that owns a turn, from its beginning (or from where it was parked) to the landed message.

What differs between the graph, the middleware and the chat model is how one request is sent; each hands in a `Surface` for that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from contextvars import copy_context
from typing import Any, Protocol, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from lg_toolroute.core.turn.flow import Ask, Claim, Count, HandedOff, LookUp, Report, Step, begin, walk
from lg_toolroute.core.turn.selection import Survey
from lg_toolroute.core.turn.turn import PHASES, Answer, Turn
from lg_toolroute.errors import ChainExhausted, ConfigError, Problem
from lg_toolroute.runner import events
from lg_toolroute.runner.answers import AnswerReader
from lg_toolroute.runner.drivers import adrive, drive
from lg_toolroute.runner.ids import base_of, new_message_id
from lg_toolroute.runner.landing import land
from lg_toolroute.runner.request_parts import Request
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.runner.segments import Segment, message_of

ChunkOf = tuple[AIMessageChunk, Request]
"""A chunk that may be shown, and the request that it answers."""


class Surface(Protocol):
    """How one surface sends a request.

    Attributes:
        others_between: Other code (an agent's middlewares) stands between the runner and the model, so an error may be that code's.
    """

    @property
    def others_between(self) -> bool: ...

    def send(self, request: Request) -> AIMessage:
        """The model's message."""
        ...

    async def asend(self, request: Request) -> AIMessage:
        """The model's message, awaited."""
        ...


class StreamingSurface(Surface, Protocol):
    """How a surface sends a request that streams its turn itself, without LangChain's callbacks."""

    def stream(self, request: Request) -> Generator[AIMessageChunk, None, None]:
        """The chunks of the model's message."""
        ...

    def astream(self, request: Request) -> AsyncGenerator[AIMessageChunk, None]:
        """The chunks of the model's message, awaited."""
        ...


class TurnRunner:
    """Runs one turn.

    Args:
        builder: Builds the requests; knows the rules, the history and the tools.
        surface: Sends them.
        emit: Is called with each event.
        turn: A parked turn to go on with; unset: a new one begins.
        segments: Its segments.
        thread: The messages that a new turn answers, as the thread keeps them; unset: the builder's.
        message_id: The id of the message of a new turn.
        phases: The phases that may run; the turn stops before any other, to be parked.

    Attributes:
        turn: The turn, as far as it has come.
        segments: What its models have added to the message.
    """

    def __init__(
        self,
        builder: RequestBuilder,
        surface: Surface,
        *,
        emit: events.Emit = events.silent,
        turn: Turn | None = None,
        segments: Iterable[Segment] = (),
        thread: Sequence[BaseMessage] | None = None,
        message_id: str | None = None,
        phases: Collection[str] = PHASES,
    ) -> None:
        self.router = builder.router
        self._builder = builder
        self._surface = surface
        self._emit = emit
        self._phases = phases
        self.segments = list(segments)
        if turn is None:
            self.router.check_models(builder.agent_models)
            # Only a turn that can be parked is compared with its thread later.
            base = None if phases == PHASES else base_of(builder.messages if thread is None else thread)
            turn = begin(message_id or new_message_id(), base, builder.inputs, builder.new_id)
            if not turn.jobs[0].chain:
                raise ConfigError([Problem("model.primary", "no model is configured", 'write model.primary, for instance "openai/gpt-5"')])
        self.turn = turn
        self._reader = AnswerReader(builder, turn.id, others_between=surface.others_between)

    # -- run --------------------------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Runs the phases; afterwards `turn` and `segments` say how far it has come.

        Raises:
            ChainExhausted: No model is left that could go on.
        """
        deque(self._run(stream=False), maxlen=0)

    async def arun(self) -> None:
        """Runs the phases, awaited.

        Raises:
            ChainExhausted: No model is left that could go on.
        """
        async for _ in self._arun(stream=False):
            continue

    def chunks(self) -> Generator[ChunkOf, None, None]:
        """Runs the phases; gives the chunks of each model's answer as they come.

        Raises:
            ChainExhausted: No model is left that could go on.
        """
        return self._run(stream=True)

    def achunks(self) -> AsyncGenerator[ChunkOf, None]:
        """Runs the phases, awaited; gives the chunks of each model's answer as they come.

        Raises:
            ChainExhausted: No model is left that could go on.
        """
        return self._arun(stream=True)

    def _run(self, *, stream: bool) -> Generator[ChunkOf, None, None]:
        def ask(step: Ask) -> Generator[ChunkOf, None, list[Answer]]:
            return self._ask(step, stream)

        try:
            with closing(drive(self._flow(), self._handle, ask)) as chunks:
                yield from chunks
        except ChainExhausted as error:
            raise self.router.with_causes(error, self.turn.id) from None

    async def _arun(self, *, stream: bool) -> AsyncGenerator[ChunkOf, None]:
        def ask(step: Ask, answers: list[Answer]) -> AsyncGenerator[ChunkOf, None]:
            return self._aask(step, answers, stream)

        try:
            async with aclosing(adrive(self._flow(), self._ahandle, ask)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except ChainExhausted as error:
            raise self.router.with_causes(error, self.turn.id) from None

    def _flow(self) -> Generator[Step, Any, None]:
        inputs = self._builder.inputs
        self.turn = yield from walk(self.turn, inputs, self._phases)
        if any(map(self._builder.handoffs.needs_draft, self.turn.pending)):
            # A draft is never written into the state, where a consumer could see it, so it is handed off at once.
            self.turn = yield from walk(self.turn, inputs)

    # -- result -------------------------------------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether the message can land."""
        return self.turn.phase == "done"

    def parked(self) -> dict[str, Any]:
        """The turn as plain data and LangChain messages, for a private key of a state."""
        return {"turn": self.turn.to_dict(), "segments": [segment.to_dict() for segment in self.segments]}

    def landed(self, *, name: str | None = None) -> AIMessage:
        """The one message of the turn; emits the `landed` event.

        Args:
            name: The name of the agent that speaks; unset: the segments' own.
        """
        message = land(self.turn, self.segments, name=name)
        self._emit(events.landed(self.turn, message.response_metadata["toolroute"]))
        return message

    # -- the steps of the flow -----------------------------------------------------------------------------------------------------------

    def _handle(self, step: Step) -> Any:
        health = self.router.health
        if isinstance(step, LookUp):
            return Survey(health.snapshot(step.specs), self.router.clock())
        if isinstance(step, Claim):
            return health.claim(step.spec)
        self._note(step)
        return health.report(step.spec, step.failure, tool=step.tool) if isinstance(step, Report) else None

    async def _ahandle(self, step: Step) -> Any:
        health = self.router.health
        if isinstance(step, LookUp):
            return Survey(await health.asnapshot(step.specs), self.router.clock())
        if isinstance(step, Claim):
            return await health.aclaim(step.spec)
        self._note(step)
        return await health.areport(step.spec, step.failure, tool=step.tool) if isinstance(step, Report) else None

    def _note(self, step: Step) -> None:
        if isinstance(step, HandedOff):
            for job in step.jobs:
                self._emit(events.handed_off(step.turn, job))
        elif isinstance(step, (Report, Count)):
            for tool, counts in step.calls.items():
                self.router.health.add_calls(step.spec, tool, counts)

    def _ask(self, step: Ask, stream: bool) -> Generator[ChunkOf, None, list[Answer]]:
        requests = self._requests(step)
        if len(requests) == 1:
            return self._add_answers(step, [(yield from self._ask_one(requests[0], stream))])
        with ThreadPoolExecutor(max_workers=len(requests), thread_name_prefix="lg_toolroute") as pool:
            # Each in a context of its own, so that callbacks and the stream writer are the run's.
            futures = [pool.submit(copy_context().run, self._ask_and_collect, request, stream) for request in requests]
            answers = []
            for future in futures:
                chunks, answer = future.result()
                answers.append(answer)
                yield from chunks
        return self._add_answers(step, answers)

    async def _aask(self, step: Ask, answers: list[Answer], stream: bool) -> AsyncGenerator[ChunkOf, None]:
        requests = self._requests(step)
        if len(requests) == 1:
            async with aclosing(self._aask_one(requests[0], answers, stream)) as chunks:
                async for chunk in chunks:
                    yield chunk
        else:
            results = await asyncio.gather(*(self._aask_and_collect(request, stream) for request in requests), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result  # a bug or a cancellation, not a model's failure; the other requests have ended by now
                for chunk in result[0]:
                    yield chunk
                answers.append(result[1])
        self._add_answers(step, answers)

    def _requests(self, step: Ask) -> list[Request]:
        for job in step.jobs:
            self._emit(events.asking(step.turn, job))
        return [self._builder.build(step.turn, job, self.segments) for job in step.jobs]

    def _add_answers(self, step: Ask, answers: list[Answer]) -> list[Answer]:
        for job, answer in zip(step.jobs, answers, strict=True):
            if answer.segment is not None:
                self.segments.append(answer.segment)
            self._emit(events.attempted(step.turn, answer.attempt))
            if job.sent_back and answer.failure is None:
                self._emit(events.looked(step.turn, job, answer))
        return answers

    # -- one request ---------------------------------------------------------------------------------------------------------------------

    def _ask_one(self, request: Request, stream: bool) -> Generator[ChunkOf, None, Answer]:
        started = self.router.clock()
        try:
            if stream:
                message = yield from self._streamed(request)
            else:
                message = self._surface.send(request)
        except Exception as error:  # classified: what is not the model's failure is raised again, untouched
            return self._reader.after_error(request, error, started)
        return self._reader.after_message(request, message, started)

    def _streamed(self, request: Request) -> Generator[ChunkOf, None, AIMessage]:
        read: list[AIMessageChunk] = []
        with closing(cast("StreamingSurface", self._surface).stream(request)) as chunks:
            for chunk in chunks:
                read.append(chunk)
                yield chunk, request
        return message_of(read)

    def _ask_and_collect(self, request: Request, stream: bool) -> tuple[list[ChunkOf], Answer]:
        chunks: list[ChunkOf] = []
        answers: list[Answer] = []

        def asked() -> Iterator[ChunkOf]:
            answers.append((yield from self._ask_one(request, stream)))

        chunks.extend(asked())
        return chunks, answers[0]

    async def _aask_one(self, request: Request, answers: list[Answer], stream: bool) -> AsyncGenerator[ChunkOf, None]:
        started = self.router.clock()
        try:
            if stream:
                read: list[AIMessageChunk] = []
                async with aclosing(cast("StreamingSurface", self._surface).astream(request)) as chunks:
                    async for chunk in chunks:
                        read.append(chunk)
                        yield chunk, request
                message = message_of(read)
            else:
                message = await self._surface.asend(request)
        except Exception as error:  # classified: what is not the model's failure is raised again, untouched
            answers.append(self._reader.after_error(request, error, started))
            return
        answers.append(self._reader.after_message(request, message, started))

    async def _aask_and_collect(self, request: Request, stream: bool) -> tuple[list[ChunkOf], Answer]:
        answers: list[Answer] = []
        return [chunk async for chunk in self._aask_one(request, answers, stream)], answers[0]


def is_parked(data: Any, messages: Sequence[BaseMessage]) -> bool:
    """Whether a turn is parked that the thread still waits for. One of another version is: it has to be begun anew.

    Args:
        data: What `TurnRunner.parked` gave.
        messages: The thread's messages.
    """
    if not isinstance(data, Mapping) or not isinstance(turn := data.get("turn"), Mapping):
        return False
    return turn.get("base") == base_of(messages)


def resumed(data: Any, messages: Sequence[BaseMessage], builder: RequestBuilder) -> tuple[Turn, list[Segment]] | None:
    """The turn that was parked; `None` if there is none, if the thread has gone on without it, or if this version cannot read it.

    Args:
        data: What `TurnRunner.parked` gave.
        messages: The thread's messages.
        builder: Knows the rules.
    """
    if not is_parked(data, messages):
        return None
    turn = Turn.from_dict(data["turn"], builder.inputs.decision)
    try:
        segments = [Segment.from_dict(each) for each in data.get("segments", ())]
    except (TypeError, KeyError, ValueError):  # not written by this package: foreign, or damaged
        return None
    return None if turn is None else (turn, segments)
