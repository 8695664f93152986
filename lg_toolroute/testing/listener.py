"""Listens on a port of 127.0.0.1, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from lg_toolroute.testing.wire import Connection

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
        self._connections: set[Connection] = set()
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
            server = loop.run_until_complete(loop.create_server(self._connected, "127.0.0.1", 0, backlog=512))
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

    def _connected(self) -> Connection:
        connection = Connection(self._serve, self._connections.discard, keep_alive=self._keep_alive)
        self._connections.add(connection)
        return connection

    async def _shut(self, server: asyncio.Server) -> None:
        server.close()
        open_ones = list(self._connections)
        for connection in open_ones:
            connection.reset() if connection.busy else connection.drop()
        tasks = [connection.task for connection in open_ones if connection.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._connections:  # a transport says goodbye in the loop's next rounds
            await asyncio.sleep(0)
