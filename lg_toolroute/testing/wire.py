"""HTTP/1.1 as far as a loopback test server needs it: requests in, paced chunks out, and a client's going away noticed at once.

Written on `asyncio.Protocol` and not on streams, because a test wants to know of a disconnect at the moment the kernel does, also while
nothing is being read or written.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 64 * 1024 * 1024


class Disconnected(Exception):
    """The client went away."""


class BadRequest(Exception):
    """What came in is not HTTP that this server understands."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as it came in.

    Attributes:
        method: `GET`, `POST`.
        path: Without its query.
        headers: Names in lower case.
        body: The bytes.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """One client's connection.

    Args:
        serve: Called once with the connection; it reads requests and answers them until the client is gone.
        closed: Called when the connection is gone.
        keep_alive: Whether it serves more than one request; a client may ask for less.

    Attributes:
        gone: Set when the client has left.
        busy: A request is being answered.
        task: What serves it.
    """

    def __init__(self, serve: Callable[[Connection], Awaitable[None]], closed: Callable[[Connection], None], *, keep_alive: bool = True) -> None:
        self._serve = serve
        self._closed = closed
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport | None = None
        self.gone = asyncio.Event()
        self.busy = False
        self.keep_alive = keep_alive
        self.task: asyncio.Task[None] | None = None

    # -- what asyncio calls ------------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a TCP server makes no other
        self._transport = transport
        self.task = asyncio.ensure_future(self._run())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._arrived.set()

    def eof_received(self) -> bool:
        # A client that closes its half has no use for the rest of an answer.
        self._lose()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose()
        self._closed(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _lose(self) -> None:
        self.gone.set()
        self._arrived.set()
        self._writable.set()

    async def _run(self) -> None:
        try:
            await self._serve(self)
        except Disconnected:
            self._lose()
        finally:
            self.close()

    # -- reading -----------------------------------------------------------------------------------------------------------------------

    async def read_request(self) -> HttpRequest | None:
        """The next request; `None` when the client is gone.

        Raises:
            BadRequest: It is not HTTP that this server understands.
        """
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > LARGEST_HEAD:
                raise BadRequest("the head of the request is too large")
            if not await self._more():
                return None
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        parts = lines[0].split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest(f"not a request line: {lines[0][:80]!r}")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body = await self._body(headers)
        if body is None:
            return None
        if headers.get("connection", "").lower() == "close" or parts[2] == "HTTP/1.0":
            self.keep_alive = False
        return HttpRequest(parts[0], parts[1].partition("?")[0], headers, body)

    async def _body(self, headers: Mapping[str, str]) -> bytes | None:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunked_body()
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            raise BadRequest(f"content-length {length[:20]!r}")
        return await self._exactly(int(length))

    async def _chunked_body(self) -> bytes | None:
        body = bytearray()
        while True:
            while (end := self._buffer.find(b"\r\n")) < 0:
                if not await self._more():
                    return None
            try:
                size = int(bytes(self._buffer[:end]).partition(b";")[0], 16)
            except ValueError:
                raise BadRequest("a chunk of the body has no size") from None
            del self._buffer[: end + 2]
            if len(body) + size > LARGEST_BODY:
                raise BadRequest("the body of the request is too large")
            chunk = await self._exactly(size + 2)
            if chunk is None:
                return None
            if size == 0:
                return bytes(body)
            body += chunk[:-2]

    async def _exactly(self, size: int) -> bytes | None:
        while len(self._buffer) < size:
            if not await self._more():
                return None
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def _more(self) -> bool:
        self._arrived.clear()
        if self.gone.is_set():
            return False
        await self._arrived.wait()
        return not self.gone.is_set()

    # -- writing -----------------------------------------------------------------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        """Write, and wait while the client is slower than we are.

        Raises:
            Disconnected: The client is gone.
        """
        if self.gone.is_set() or self._transport is None:
            raise Disconnected
        self._transport.write(data)
        await self._writable.wait()

    async def send_head(self, status: int, headers: Mapping[str, str]) -> None:
        """The status line and the headers.

        Raises:
            Disconnected: The client is gone.
        """
        all_headers = headers if self.keep_alive else {**headers, "connection": "close"}
        lines = [f"HTTP/1.1 {status} {reason(status)}", *(f"{name}: {value}" for name, value in all_headers.items()), "", ""]
        await self.send("\r\n".join(lines).encode("latin-1"))

    async def send_whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """A whole response of known length.

        Raises:
            Disconnected: The client is gone.
        """
        await self.send_head(status, {**headers, "content-length": str(len(body))})
        await self.send(body)

    async def send_chunk(self, data: bytes) -> None:
        """One chunk of a response whose length is not known; empty ends it.

        Raises:
            Disconnected: The client is gone.
        """
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def until_gone(self, limit_s: float | None) -> bool:
        """Wait until the client is gone, `limit_s` seconds at most. `True`: it is."""
        if self.gone.is_set():
            return True
        try:
            await asyncio.wait_for(self.gone.wait(), limit_s)
        except TimeoutError:
            return False
        return True

    async def unless_gone(self, waiting: Awaitable[None]) -> None:
        """Wait for something, or for the client to go.

        Raises:
            Disconnected: The client went first.
        """
        wanted = asyncio.ensure_future(waiting)
        left = asyncio.ensure_future(self.gone.wait())
        try:
            await asyncio.wait({wanted, left}, return_when=asyncio.FIRST_COMPLETED)
            if self.gone.is_set():
                raise Disconnected
            await wanted
        finally:
            for task in (wanted, left):
                task.cancel()
            await asyncio.gather(wanted, left, return_exceptions=True)

    # -- ending ------------------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the connection in the usual way, after what is written has gone out."""
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """End the connection without waiting for a client that does not read."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        if self._transport is None:
            return
        raw: socket.socket | None = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def reason(status: int) -> str:
    """The words beside a status; providers use numbers that no standard names."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Unknown"
