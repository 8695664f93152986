"""A fault: how an exchange with a model's server goes wrong, and what a client is expected to make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.testing.expect import Expect
from lg_toolroute.testing.latch import Latch
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Eof, Hang, Place, Say

Ending = Literal["none", "reply", "reset", "close", "stall", "eof", "raw"]
"""`none`: the whole answer goes out. `reply`: another response instead. `reset`: TCP reset. `close`: the connection ends, the response does not.
`stall`: nothing more comes. `eof`: the response ends properly, the answer does not. `raw`: something unreadable, then the end."""

FaultPlace: TypeAlias = "Place | Literal['headers']"
"""A place in an answer, or `"headers"`: before anything of the response went out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One step of a server's script that goes wrong. Take one from `lg_toolroute.testing.faults`, or make your own.

    Attributes:
        name: What it is called in the catalogue.
        what: What happens, in one line.
        expected_class: The failure class that this is; `None` if it is no failure.
        expected_streamed: The class when a stream was asked for, if that is another one.
        raises: The client raises; otherwise it hands out a message that must not be believed.
        raises_streamed: The same when a stream was asked for, if that differs.
        needs_timeout: The client notices only by a time limit of its own.
        ending: How the exchange ends.
        at: Where in the answer.
        say: The answer under way; `None` is the server's default answer to the request.
        alter: Changes that answer.
        status: The status of the response.
        body: What `reply` and `raw` send: bytes, or something that becomes JSON.
        headers: More headers.
        latch: What a stall waits for, after which the answer goes on; `None` stalls until the client or the server goes.
        delay_s: Seconds between two chunks; `None` is the server's own.
        expects: What the request must look like.
    """

    name: str
    what: str = ""
    expected_class: FailureClass | None = None
    expected_streamed: FailureClass | None = None
    raises: bool = True
    raises_streamed: bool | None = None
    needs_timeout: bool = False
    ending: Ending = "none"
    at: FaultPlace = "headers"
    say: Say | None = None
    alter: Callable[[Say, ServerRequest], Say] | None = None
    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    latch: Latch | None = None
    delay_s: float | None = None
    expects: Expect | Callable[[Any], bool] | None = None

    def expected(self, *, streamed: bool) -> FailureClass | None:
        """The failure class that this is for a client that streams, or for one that does not."""
        return self.expected_streamed if streamed and self.expected_streamed is not None else self.expected_class

    def client_raises(self, *, streamed: bool) -> bool:
        """Whether the client raises, when it streams or when it does not."""
        return self.raises_streamed if streamed and self.raises_streamed is not None else self.raises

    def during(self, say: Say) -> Fault:
        """The same fault during this answer."""
        return replace(self, say=say)


def fault_of(step: Any) -> Fault | None:
    """A step of a script as the exchange it is; `None` if a server cannot play it."""
    if isinstance(step, Fault):
        return step
    if isinstance(step, Say):
        return Fault("say", say=step, at="end")
    if isinstance(step, Eof):
        return Fault("eof", ending="eof", say=step.say, at=step.place)
    if isinstance(step, Hang):
        return Fault("hang", ending="stall", say=step.say, at=step.place, latch=step.latch)
    return None
