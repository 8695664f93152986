"""An HTTP server on 127.0.0.1 in a thread of its own; a subclass says what it answers."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer, ABC):
    """Serves from its making until `close`, or until the end of its `with` block.

    Attributes:
        base: Its URL, without a path.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.base = f"http://127.0.0.1:{self.server_port}"
        self._serving = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._serving.start()

    @abstractmethod
    def reply(self, path: str, sent: bytes) -> tuple[int, str, bytes]:
        """The answer to one request: its status, content type and body."""

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
        self._serving.join(timeout=5)

    def __exit__(self, *error: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.0"  # one request a connection: no socket of a client stays open behind the test
    wbufsize = -1  # head and body in one packet, or the client's delayed acknowledgement costs 40 ms

    def do_POST(self) -> None:
        status, kind, body = self.server.reply(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the test's output is the test's."""
