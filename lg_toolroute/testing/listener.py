"""Listens on a port of 127.0.0.1, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from lg_toolroute.testing.wire import LARGEST_HEAD, Connection, Disconnected

LIMIT_S = 30.0
"""Seconds that starting and stopping may take."""


class Listener:
    """Accepts connections and has each served by a coroutine, until it is stopped.

    Args:
        serve: Serves one connection.
        keep_alive: Whether a connection serves more than one request.

    Attributes:
        port: The port; 0 while it does not listen.
    """

    def __init__(self, serve: Callable[[Connection], Awaitable[None]], *, keep_alive: bool) -> None:
        self.port = 0
        self._serve = serve
        self._keep_alive = keep_alive
        self._serving: dict[asyncio.Task[None], Connection] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen.

        Raises:
            RuntimeError: It listens already, or no port could be had.
        """
        if self._thread is not None:
            raise RuntimeError("the server runs already")
        started = threading.Event()
        failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(started, failure), name="fault-server", daemon=True)
        self._thread.start()
        if not started.wait(LIMIT_S) or failure:
            raise RuntimeError("the server could not be started") from (failure[0] if failure else None)

    def stop(self) -> None:
        """End all connections and the thread. Nothing happens if it does not listen."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self.port = 0
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT_S)

    def _run(self, started: threading.Event, failure: list[BaseException]) -> None:
        loop = self._loop = asyncio.new_event_loop()
        try:
            server = loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512, limit=LARGEST_HEAD))
        except OSError as error:
            failure.append(error)
            loop.close()
            started.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(self._shut(server))
            loop.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, keep_alive=self._keep_alive)
        task = asyncio.ensure_future(self._serve_until_closed(connection))
        self._serving[task] = connection
        task.add_done_callback(self._serving.pop)

    async def _serve_until_closed(self, connection: Connection) -> None:
        try:
            with suppress(Disconnected):  # the client left: nothing more is to be done for it
                await self._serve(connection)
        finally:
            connection.close()
            await connection.closed()

    async def _shut(self, server: asyncio.Server) -> None:
        server.close()
        serving = dict(self._serving)
        for task, connection in serving.items():
            connection.reset() if connection.busy else connection.drop()
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.gather(*(connection.closed() for connection in serving.values()))
