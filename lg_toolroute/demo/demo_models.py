"""The demo's models: three scripted ones behind a loopback server, and the configuration that names them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from lg_toolroute.demo import script
from lg_toolroute.testing import Fault, FaultServer, Say, ServerRequest, faults

PRIMARY = "kimi/kimi-for-coding"
EDITOR = "deepseek/deepseek-v4-pro"
LOCAL = "ollama/gpt-oss:20b"


class DemoServer:
    """The three models, behind a server on this machine. Use it in a `with` block.

    Args:
        pace: Tokens a second; `None` as fast as they can be sent.

    Attributes:
        used_up: The credits of the primary are used up: it answers 402.
    """

    def __init__(self, pace: float | None) -> None:
        self.used_up = False
        self._server = FaultServer(chunk_delay_s=0.0 if pace is None else 1 / pace)
        self._server.answer(name_of(PRIMARY), self._primary)
        self._server.answer(name_of(EDITOR), lambda request: script.editor(request.body))
        self._server.answer(name_of(LOCAL), lambda request: script.local(request.body))

    @property
    def base_url(self) -> str:
        """Where the models answer."""
        return self._server.base_url

    @property
    def requests(self) -> Sequence[ServerRequest]:
        """What was asked so far."""
        return self._server.requests

    def start(self) -> DemoServer:
        """Begin to listen."""
        # A proxy has no business between this process and itself.
        for name in ("NO_PROXY", "no_proxy"):
            hosts = os.environ.get(name, "")
            if "127.0.0.1" not in hosts.split(","):
                os.environ[name] = f"{hosts},127.0.0.1".lstrip(",")
        self._server.start()
        return self

    def stop(self) -> None:
        """Hang up."""
        self._server.stop()

    def __enter__(self) -> DemoServer:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        if error is None:
            self._server.assert_done()

    def _primary(self, request: ServerRequest) -> Say | Fault:
        return faults.payment_required() if self.used_up else script.primary(request.body)


def name_of(spec: str) -> str:
    """What the model is called at its provider."""
    return spec.partition("/")[2]


def demo_config(base_url: str, *, routed: bool = True) -> dict[str, Any]:
    """The demo's configuration: the primary reasons, the editor writes `edit` and `write`, a local model without web tools stands by.

    Args:
        base_url: Where all three answer.
        routed: With the rules; without them the primary writes every call itself.
    """
    model: dict[str, Any] = {"primary": PRIMARY, "fallbacks": [LOCAL]}
    if routed:
        model["toolRouting"] = {"edit": {"primary": EDITOR}, "write": {"primary": EDITOR}}
    # A key that is none, so that a real one in the environment is not sent to a server that has no use for it.
    provider = {"baseUrl": base_url, "apiKey": "loopback", "api": "openai-completions"}
    return {
        "agents": {"defaults": {"model": model}},
        "tools": {"byModel": {LOCAL: {"deny": ["web_search", "web_fetch", "browser"]}}},
        "models": {"providers": dict.fromkeys(("kimi", "deepseek", "ollama"), provider)},
    }
