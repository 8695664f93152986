"""One server on 127.0.0.1 that speaks every provider's dialect: it keeps the request and gives the answer laid down for it."""

from __future__ import annotations

import json
from typing import Any

from tests.support.loopback import LoopbackServer


class Loopback(LoopbackServer):
    """A provider that records.

    Attributes:
        bodies: The request bodies, in order.
        answer: The next answers' body: a JSON object, or for Ollama the one line of its stream.
    """

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}
        super().__init__()

    def reply(self, path: str, sent: bytes) -> tuple[int, str, bytes]:
        asked = json.loads(sent)
        if ":generateContent" in path:  # Gemini names the model in the path
            asked["model"] = path.rpartition("/")[2].partition(":")[0]
        self.bodies.append(asked)
        return 200, "application/x-ndjson" if path.endswith("/api/chat") else "application/json", json.dumps(self.answer).encode()

    def last(self) -> dict[str, Any]:
        """Give the body of the latest request."""
        return self.bodies[-1]
