"""Streams the answers of a turn's models outwards, live, as the chunks of one message.

The flow of a turn asks for whole answers. Here every `Ask` is answered by reading the inner model's stream and passing its chunks on in
between. Several writing jobs at once (a drained message) are read side by side; the names of their calls have been shown by then, in the
primary's order, and the arguments follow when a whole answer is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from contextvars import copy_context
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.core.turn.flow import Ask, Flow, Reply
from lg_toolroute.core.turn.turn import Turn
from lg_toolroute.runner import events
from lg_toolroute.runner.landing import Part
from lg_toolroute.runner.perform import Performer
from lg_toolroute.runner.request import Request, Stage
from lg_toolroute.surfaces.chat.opening import Opening
from lg_toolroute.surfaces.chat.outward import Outward

Outcome = tuple[Reply, Part | None]


class Relay(Performer):
    """Carries out the steps of one turn, and passes on what is said while they last.

    Args:
        stage: What stays the same for all requests of the turn.
        opening: How an inner model is called.
        emit: Takes events.

    Attributes:
        turn: The turn, once it is done.
    """

    turn: Turn

    def __init__(self, stage: Stage, opening: Opening, *, emit: events.Emit = events.silent) -> None:
        super().__init__(stage, send=opening.send, asend=opening.asend, emit=emit)
        self._opening = opening
        self._handed_off = False

    def _requests(self, step: Ask) -> list[Request]:
        if not self._handed_off and any(job.source == "intercepted" for job in step.jobs):
            self._handed_off = True
            for event in events.handed_off(step.turn):
                self._emit(event)
        return super()._requests(step)

    # -- plainly ---------------------------------------------------------------------------------------------------------------------

    def stream(self, flow: Flow, outward: Outward) -> Iterator[ChatGenerationChunk]:
        """What a consumer sees of the turn, as it comes. Afterwards `turn` and `parts` are set."""
        with closing(flow):
            step = next(flow)
            while True:
                if isinstance(step, Ask):
                    result: Any = yield from self._relay(step, outward)
                else:
                    result = self.perform(step)
                try:
                    step = flow.send(result)
                except StopIteration as end:
                    self.turn = end.value
                    return

    def _relay(self, step: Ask, outward: Outward) -> Generator[ChatGenerationChunk, None, list[Reply]]:
        requests = self._requests(step)
        outcomes: list[Outcome] = []
        if len(requests) == 1:
            with closing(self._one(requests[0], outcomes)) as chunks:
                for chunk in chunks:
                    if (shown := outward.show(chunk, requests[0])) is not None:
                        yield shown
            return self._take(step, outcomes)
        with ThreadPoolExecutor(max_workers=len(requests), thread_name_prefix="lg_toolroute") as pool:
            # Each in a context of its own, so that callbacks and the stream writer are the run's.
            futures = [pool.submit(copy_context().run, self._whole, request) for request in requests]
            for request, future in zip(requests, futures, strict=True):
                read, outcome = future.result()
                outcomes.append(outcome)
                for chunk in read:
                    if (shown := outward.show(chunk, request)) is not None:
                        yield shown
        return self._take(step, outcomes)

    def _one(self, request: Request, outcomes: list[Outcome]) -> Generator[AIMessageChunk, None, None]:
        """The chunks of one answer; what became of it is added to `outcomes`."""
        started = self.stage.router.clock()
        read: list[AIMessageChunk] = []
        try:
            with closing(self._opening.stream(request)) as chunks:
                for chunk in chunks:
                    read.append(chunk)
                    yield chunk
        except Exception as error:  # classified: what is not the model's failure is raised again, untouched
            outcomes.append(self._after_error(request, error, started))
            return
        outcomes.append(self._after_message(request, _sum(read), started))

    def _whole(self, request: Request) -> tuple[list[AIMessageChunk], Outcome]:
        outcomes: list[Outcome] = []
        return list(self._one(request, outcomes)), outcomes[0]

    # -- awaited ---------------------------------------------------------------------------------------------------------------------

    async def astream(self, flow: Flow, outward: Outward) -> AsyncGenerator[ChatGenerationChunk, None]:
        """What a consumer sees of the turn, as it comes. Afterwards `turn` and `parts` are set."""
        with closing(flow):
            step = next(flow)
            while True:
                if isinstance(step, Ask):
                    result: Any = []
                    async with aclosing(self._arelay(step, outward, result)) as chunks:
                        async for chunk in chunks:
                            yield chunk
                else:
                    result = await self.aperform(step)
                try:
                    step = flow.send(result)
                except StopIteration as end:
                    self.turn = end.value
                    return

    async def _arelay(self, step: Ask, outward: Outward, replies: list[Reply]) -> AsyncGenerator[ChatGenerationChunk, None]:
        requests = self._requests(step)
        outcomes: list[Outcome] = []
        if len(requests) == 1:
            async with aclosing(self._aone(requests[0], outcomes)) as chunks:
                async for chunk in chunks:
                    if (shown := outward.show(chunk, requests[0])) is not None:
                        yield shown
        else:
            results = await asyncio.gather(*(self._awhole(request) for request in requests), return_exceptions=True)
            for request, result in zip(requests, results, strict=True):
                if isinstance(result, BaseException):
                    raise result  # a bug or a stop, not a model's failure; the others have ended by now
                read, outcome = result
                outcomes.append(outcome)
                for chunk in read:
                    if (shown := outward.show(chunk, request)) is not None:
                        yield shown
        replies.extend(self._take(step, outcomes))

    async def _aone(self, request: Request, outcomes: list[Outcome]) -> AsyncGenerator[AIMessageChunk, None]:
        started = self.stage.router.clock()
        read: list[AIMessageChunk] = []
        try:
            async with aclosing(self._opening.astream(request)) as chunks:
                async for chunk in chunks:
                    read.append(chunk)
                    yield chunk
        except Exception as error:  # classified: what is not the model's failure is raised again, untouched
            outcomes.append(self._after_error(request, error, started))
            return
        outcomes.append(self._after_message(request, _sum(read), started))

    async def _awhole(self, request: Request) -> tuple[list[AIMessageChunk], Outcome]:
        outcomes: list[Outcome] = []
        return [chunk async for chunk in self._aone(request, outcomes)], outcomes[0]


def _sum(read: list[AIMessageChunk]) -> AIMessage:
    if not read:
        return AIMessageChunk(content="")
    whole = read[0]
    return whole + read[1:] if len(read) > 1 else whole
