"""Plays one exchange: an answer, paced, and what goes wrong in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lg_toolroute.testing.fault import Fault
from lg_toolroute.testing.latch import Turnstile
from lg_toolroute.testing.layout import shortened
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Place, Say
from lg_toolroute.testing.wire import Connection, Disconnected


class Dialect(Protocol):
    """How a provider writes an answer."""

    stream_type: str
    """The content type of its streams."""

    def default_answer(self, request: ServerRequest) -> Say: ...

    def whole(self, say: Say, ids: Sequence[str], request: ServerRequest) -> dict[str, Any]: ...

    def events(self, say: Say, ids: Sequence[str], request: ServerRequest, *, place: Place | None = None) -> tuple[list[bytes], int]: ...

    def done(self, say: Say) -> bytes: ...

    def unreadable(self, body: Any) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast chunks go out.

    Attributes:
        delay_s: Seconds between two chunks.
        turnstile: Lets them through one by one; `None`: they need no permit.
    """

    delay_s: float = 0.0
    turnstile: Turnstile | None = None


async def play(
    connection: Connection, request: ServerRequest, fault: Fault, dialect: Dialect, pace: Pace, new_ids: Callable[[Sequence[str | None]], list[str]]
) -> bool:
    """Answer a request. `False`: the connection cannot be used again.

    Raises:
        Disconnected: The client went away.
    """
    if fault.at == "headers" and fault.ending in {"raw", "eof"}:
        fault = replace(fault, at="start")  # what is wrong with these is the body
    say = fault.say or dialect.default_answer(request)
    if request.voice is not None:
        say = request.voice.spoken(say)
    if fault.alter is not None:
        say = fault.alter(say, request)
    ids = new_ids([call.id for call in say.calls] if request.voice is None else request.voice.ids(say))
    if fault.ending == "reply":
        request.chunks_total = request.chunks_sent = 1
        request.status = fault.status
        body = payload(fault.body)
        usual = request_type(request, fault, dialect)
        await connection.send_whole(fault.status, body, {"content-type": usual, **fault.headers})
        return True
    if fault.at == "headers" and fault.ending in {"reset", "close", "stall"} and not await _end(connection, fault):
        return False
    exchange = _Exchange(connection, request, fault, dialect, replace(pace, delay_s=pace.delay_s if fault.delay_s is None else fault.delay_s))
    return await (exchange.stream(say, ids) if request.stream else exchange.whole(say, ids))


def request_type(request: ServerRequest, fault: Fault, dialect: Dialect) -> str:
    """The content type of a reply: a stream was asked for, and an empty 200 is still one."""
    return dialect.stream_type if request.stream and fault.status == 200 else "application/json"


def payload(body: Any) -> bytes:
    """A fault's body as bytes."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


async def _end(connection: Connection, fault: Fault) -> bool:
    """Do what ends the exchange here. `True`: it goes on after all, because a stall was released."""
    if fault.ending == "reset":
        connection.reset()
        return False
    if fault.ending == "close":
        connection.close()
        return False
    if fault.latch is None:
        await connection.gone.wait()
        raise Disconnected
    await connection.unless_gone(fault.latch.wait_async(None))
    return True


class _Exchange:
    """One answer on its way."""

    def __init__(self, connection: Connection, request: ServerRequest, fault: Fault, dialect: Dialect, pace: Pace) -> None:
        self.connection, self.request, self.fault, self.dialect, self.pace = connection, request, fault, dialect, pace

    async def stream(self, say: Say, ids: Sequence[str]) -> bool:
        fault, request = self.fault, self.request
        place: Place | None = None if fault.at == "headers" else fault.at
        events, before = self.dialect.events(say, ids, request, place=place)
        interrupted = fault.ending != "none" and fault.at != "headers"
        request.chunks_total, request.status = len(events), fault.status
        head = {"content-type": self.dialect.stream_type, "cache-control": "no-cache", "transfer-encoding": "chunked", **fault.headers}
        await self.connection.send_head(fault.status, head)
        await self._send(events[:before] if interrupted else events)
        if interrupted:
            if fault.ending == "raw":
                await self.connection.send_chunk(self.dialect.unreadable(fault.body))
            elif fault.ending != "eof":
                if not await _end(self.connection, fault):
                    return False
                await self._send(events[before:])
            if fault.ending != "stall":
                await self.connection.send_chunk(b"")
                return True
        if done := self.dialect.done(say):
            await self.connection.send_chunk(done)
        await self.connection.send_chunk(b"")
        return True

    async def _send(self, events: Sequence[bytes]) -> None:
        for event in events:
            if self.pace.turnstile is not None:
                await self.connection.unless_gone(self.pace.turnstile.pass_through())
            if self.pace.delay_s and self.request.chunks_sent:
                await self.connection.unless_gone(asyncio.sleep(self.pace.delay_s))
            else:
                await asyncio.sleep(0)  # let the loop notice a client that has gone
            await self.connection.send_chunk(event)
            self.request.chunks_sent += 1

    async def whole(self, say: Say, ids: Sequence[str]) -> bool:
        fault, request, connection = self.fault, self.request, self.connection
        request.chunks_total, request.status = 1, fault.status
        head = {"content-type": "application/json", **fault.headers}
        if fault.ending == "raw":
            await connection.send_whole(fault.status, payload(fault.body), head)
            request.chunks_sent = 1
            return True
        if fault.ending == "eof" and fault.at != "end":
            say = replace(shortened(say, fault.at if fault.at != "headers" else "start"), finish_reason="")
            ids = ids[: len(say.calls)]
        body = json.dumps(self.dialect.whole(say, ids, request), ensure_ascii=False).encode()
        if self.pace.delay_s:
            await connection.unless_gone(asyncio.sleep(self.pace.delay_s))
        if fault.ending in {"reset", "close", "stall"} and fault.at != "headers":
            await connection.send_head(fault.status, {**head, "content-length": str(len(body))})
            half = len(body) // 2
            await connection.send(body[:half])
            if not await _end(connection, fault):
                return False
            await connection.send(body[half:])
        else:
            await connection.send_whole(fault.status, body, head)
        request.chunks_sent = 1
        return True
