"""One server on 127.0.0.1 for the tool loops of all clients: it keeps the bytes of each request, and answers in the words of one API."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.support.tool_loop.dialects import Writer


class LoopServer:
    """A provider whose model calls `read` once, then says `Done.`

    Attributes:
        base: Its URL, without a path.
        requests: `(path, body)` of each request since `begin`, in order; the body as it came.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self._writer: Writer | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # one request a connection: no socket of a client stays open behind the test
            wbufsize = -1  # head and body in one packet

            def do_POST(self) -> None:
                server._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: the test's output is the test's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def begin(self, writer: Writer) -> None:
        """Begin another loop, answered by `writer`."""
        self.requests, self._writer = [], writer

    def bodies(self) -> list[dict[str, Any]]:
        """The bodies as JSON."""
        return [json.loads(body) for _, body in self.requests]

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        asked = json.loads(body)
        self.requests.append((handler.path, body))
        assert self._writer is not None
        path = unquote(handler.path)
        streamed = bool(asked.get("stream")) or path.partition("?")[0].endswith(("-stream", ":streamGenerateContent"))
        model = asked.get("model") or path.rpartition("/models/")[2].partition(":")[0] or "model"
        reply = self._writer(len(self.requests) == 1, streamed, model)
        handler.send_response(200)
        handler.send_header("Content-Type", reply.content_type)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)
