"""One server on 127.0.0.1 that speaks every provider's dialect: it keeps the request and gives the answer laid down for it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Loopback:
    """A provider that records.

    Attributes:
        base: Its URL, without a path.
        bodies: The request bodies, in order.
        answer: The next answers' body: a JSON object, or for Ollama the one line of its stream.
    """

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # one request a connection: no socket of a client stays open behind the test
            wbufsize = -1  # head and body in one packet, or the client's delayed acknowledgement costs 40 ms

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if ":generateContent" in self.path:  # Gemini names the model in the path
                    body["model"] = self.path.rpartition("/")[2].partition(":")[0]
                loopback.bodies.append(body)
                payload = json.dumps(loopback.answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-ndjson" if self.path.endswith("/api/chat") else "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: the test's output is the test's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def last(self) -> dict[str, Any]:
        """Give the body of the latest request."""
        return self.bodies[-1]

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
