"""HTTP/1.1 as far as a loopback test server needs it: requests in, paced chunks out, and a client's going away noticed at once.

While a request is answered, the connection is read from all the time: an end of the client's stream means that it has left.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Mapping
from contextlib import suppress
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


class Connection:
    """One client's connection.

    Args:
        reader: What the client sends.
        writer: What it gets.
        keep_alive: Whether it serves more than one request; a client may ask for less.

    Attributes:
        gone: Set when the client has left while a request was answered.
        busy: A request is being answered.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, keep_alive: bool) -> None:
        self._reader, self._writer = reader, writer
        self._watch: asyncio.Task[None] | None = None
        self.gone = asyncio.Event()
        self.busy = False
        self.keep_alive = keep_alive

    # -- reading -----------------------------------------------------------------------------------------------------------------------

    async def read_request(self) -> HttpRequest | None:
        """The next request; `None` when the client is gone.

        Raises:
            BadRequest: It is not HTTP that this server understands.
        """
        if self._watch is not None:
            await self._watch  # ends with the next request's first bytes
        try:
            request = await self._read()
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except asyncio.LimitOverrunError:
            raise BadRequest("the head of the request is too large") from None
        self._watch = asyncio.ensure_future(self._notice_end())
        return request

    async def _read(self) -> HttpRequest:
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip("\r\n").split("\r\n")
        parts = lines[0].split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest(f"not a request line: {lines[0][:80]!r}")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body = await self._body(headers)
        if headers.get("connection", "").lower() == "close" or parts[2] == "HTTP/1.0":
            self.keep_alive = False
        return HttpRequest(parts[0], parts[1].partition("?")[0], headers, body)

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunked_body()
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            raise BadRequest(f"content-length {length[:20]!r}")
        return await self._reader.readexactly(int(length))

    async def _chunked_body(self) -> bytes:
        body = bytearray()
        while True:
            try:
                size = int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16)
            except ValueError:
                raise BadRequest("a chunk of the body has no size") from None
            if len(body) + size > LARGEST_BODY:
                raise BadRequest("the body of the request is too large")
            body += (await self._reader.readexactly(size + 2))[:-2]
            if not size:
                return bytes(body)

    async def _notice_end(self) -> None:
        """Wait until the client leaves, or begins its next request."""
        try:
            data = await self._reader.read(LARGEST_HEAD)
        except ConnectionError:
            data = b""
        if data:
            self._reader.feed_data(data)  # the next request is read by `read_request`
        else:
            # A client that closes its half has no use for the rest of an answer.
            self.gone.set()

    # -- writing -----------------------------------------------------------------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        """Write, and wait while the client is slower than we are.

        Raises:
            Disconnected: The client is gone.
        """
        if self.gone.is_set():
            raise Disconnected
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError:
            raise Disconnected from None

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

    async def unless_gone(self, waiting: Awaitable[object]) -> None:
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
        self._writer.close()

    def drop(self) -> None:
        """End the connection without waiting for a client that does not read."""
        self._writer.transport.abort()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        raw: socket.socket | None = self._writer.get_extra_info("socket")
        if raw is not None and not self._writer.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop()

    async def closed(self) -> None:
        """Wait until the connection has ended."""
        with suppress(ConnectionError):  # that it ended with a reset is one way to end
            await self._writer.wait_closed()
        if self._watch is not None:
            await self._watch


def reason(status: int) -> str:
    """The words beside a status; providers use numbers that no standard names."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Unknown"
