"""One server on 127.0.0.1 for the tool loops of all clients: it keeps the bytes of each request, and answers in the words of one API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from tests.support.loopback import LoopbackServer
from tests.support.tool_loop.dialects import Writer


class LoopServer(LoopbackServer):
    """A provider whose model calls `read` once, then says `Done.`

    Attributes:
        requests: `(path, body)` of each request since `begin`, in order; the body as it came.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self._writer: Writer | None = None
        super().__init__()

    def begin(self, writer: Writer) -> None:
        """Begin another loop, answered by `writer`."""
        self.requests, self._writer = [], writer

    def bodies(self) -> list[dict[str, Any]]:
        """The bodies as JSON."""
        return [json.loads(body) for _, body in self.requests]

    def reply(self, path: str, sent: bytes) -> tuple[int, str, bytes]:
        asked = json.loads(sent)
        self.requests.append((path, sent))
        assert self._writer is not None
        path = unquote(path)
        streamed = bool(asked.get("stream")) or path.partition("?")[0].endswith(("-stream", ":streamGenerateContent"))
        model = asked.get("model") or path.rpartition("/models/")[2].partition(":")[0] or "model"
        written = self._writer(len(self.requests) == 1, streamed, model)
        return 200, written.content_type, written.body
