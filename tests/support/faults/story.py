"""A small job for an agent, told by servers: look at a file, edit it, say so. Every answer follows from the request alone.

So a run ends right exactly when its conversation is the one in `TEXTS` and its tools ran as in `RAN`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.tools import BaseTool, tool

from lg_toolroute import ToolRouter
from lg_toolroute.config.running import HandoffConfig
from lg_toolroute.core.failures.circuit import describe
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.health.memory import MemoryHealth
from lg_toolroute.runner.requests import CONTINUE
from lg_toolroute.testing import Call, Fault, FaultServer, Say, ServerRequest
from lg_toolroute.testing.server_request import text_of

LOOK, FIX, DONE = "Let me look at it first.", "Now I see what to edit.", "Done, it is edited."
TEXTS = (LOOK, FIX, DONE)
READ = {"path": "a.py"}
EDIT = {"path": "a.py", "old": "x = 1", "new": "x = 2"}
RAN = [("read", READ), ("edit", EDIT)]
DROPPED = "the-dropped-call"
"""Stands in the arguments of every call that is stopped at its name: it must never be shown."""

ASIDE = "I write the call."
"""What a model says that was told to write a call and to say nothing: that must never be shown either."""

PRIMARY, SPARE, WRITER, SECOND = "openai/primary", "openrouter/spare", "deepseek/writer", "xai/second"
ROLES = (PRIMARY, SPARE, WRITER, SECOND)
Answer = Callable[[ServerRequest], Any]


def tools(ran: list[tuple[str, dict[str, Any]]]) -> list[BaseTool]:
    """The two tools; they note what they ran with."""

    @tool
    def read(path: str) -> str:
        """Read a file."""
        ran.append(("read", {"path": path}))
        return "x = 1 stands there"

    @tool
    def edit(path: str, old: str, new: str) -> str:
        """Replace text in a file."""
        ran.append(("edit", {"path": path, "old": old, "new": new}))
        return "edited a.py"

    return [read, edit]


def stage(request: ServerRequest) -> int:
    """How far the job has come: 0 nothing was done, 1 the file was read, 2 it was edited."""
    results = [text_of(message.get("content")) for message in request.messages if message.get("role") == "tool"]
    return 2 if "edited a.py" in results else 1 if "x = 1 stands there" in results else 0


def reasons(request: ServerRequest) -> Say:
    """What a model that reasons says next; when it is told to go on behind words that stand there, only what is missing."""
    at = stage(request)
    text = TEXTS[at]
    calls = ([Call("read", READ)], [Call("edit", {"path": EDIT["path"], "old": DROPPED, "new": DROPPED * 3})], [])[at]
    if CONTINUE in request.last_text:
        words = text_of(request.messages[-2].get("content"))
        if not text.startswith(words):
            raise AssertionError(f"{words!r} is no beginning of {text!r}")
        text = text[len(words) :]
    return Say(text, calls, chunks=5)


def writes(request: ServerRequest) -> Say:
    """What a model says that is told to write a call."""
    return Say(ASIDE, [Call("edit", EDIT)], chunks=8)


def is_told_to_call(request: ServerRequest) -> bool:
    """Whether a model is to write a call: it is forced to, or the instruction says so."""
    return request.tool_choice is not None or HandoffConfig().text("edit") in request.last_text


def plain(request: ServerRequest) -> Say:
    """What a healthy model says, whether it reasons or writes."""
    return writes(request) if is_told_to_call(request) else reasons(request)


def failing(fault: Fault, when: Callable[[ServerRequest], bool], then: Answer = plain) -> Answer:
    """A model that fails with `fault` whenever `when` says so, and otherwise answers as `then` does."""
    return lambda request: fault.during(then(request)) if when(request) else then(request)


class NotedHealth(MemoryHealth):
    """Health in memory, with a note of each report and of what the model's circuit was after it."""

    def __init__(self, limits: object, clock: Callable[[], float]) -> None:
        super().__init__(limits, clock)
        self.notes: list[tuple[str, str | None, dict[str, Any]]] = []

    def report(self, spec: str, failure: Failure | None, *, tool: str | None = None) -> None:
        super().report(spec, failure, tool=tool)
        self.notes.append((spec, failure.cls if failure else None, describe(self.snapshot([spec])[spec], self.now())))


@dataclass
class Clock:
    """Seconds that pass only when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def model_of(spec: str) -> str:
    """What the model of a spec is called at its server."""
    return spec.partition("/")[2]


def named(role: str, number: object) -> str:
    """The spec of a role's model in one run. Its end is the role: the server makes ids of calls from the end of a model's name."""
    provider, _, name = role.partition("/")
    return f"{provider}/{number}-{name}"


def config(
    server: FaultServer, names: Mapping[str, str], *, timeout_s: float, providers: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A routing in which every client is built from the configuration."""
    settings = {"baseUrl": server.base_url, "apiKey": "test-key", "api": "openai-completions"}
    return {
        "model": {"primary": names[PRIMARY], "fallbacks": [names[SPARE]]},
        "toolRouting": {"edit": {"primary": names[WRITER], "fallbacks": [names[SECOND]], "handoff": "full"}},
        "models": {"providers": providers or {role.partition("/")[0]: dict(settings) for role in ROLES}},
        "timeouts": {"firstTokenS": timeout_s, "idleS": timeout_s},
        **more,
    }


class Run:
    """The models, rules and tools of one agent, used for one run after the other: building clients takes longer than a run.

    Args:
        server: Serves the models; they have names of their own, so that any number of agents run at once.
        number: Tells this agent's models from others.
        timeout_s: How long a model may be silent, in seconds.
        models: Clients that are handed in, by role; the others are built from the configuration.
        more: More of the configuration.

    Attributes:
        health: The router's, with its notes of this run.
        ran: The tools that ran in this run, with their arguments.
        names: The specs, by role.
        agents: Kept by who builds them.
    """

    def __init__(self, server: FaultServer, number: object, *, timeout_s: float = 60.0, models: Mapping[str, Any] | None = None, **more: Any) -> None:
        self.server = server
        self.names = {role: named(role, number) for role in ROLES}
        self.clock = Clock()
        given = {self.names[role]: model for role, model in (models or {}).items()}
        self.router = ToolRouter(config(server, self.names, timeout_s=timeout_s, **more), clock=self.clock, models=given)
        self.ran: list[tuple[str, dict[str, Any]]] = []
        self.agents: dict[str, Any] = {}
        self.health = NotedHealth(self.router.config.health, self.clock)

    def begin(self, answers: Mapping[str, Answer]) -> Run:
        """Nothing has happened yet, and each model answers as said; healthily, if nothing is said."""
        for role in ROLES:
            self.server.answer(model_of(self.names[role]), answers.get(role, plain))
            self.server.forget(model_of(self.names[role]))
        self.ran.clear()
        self.clock.now = 1000.0
        self.router.health = self.health = NotedHealth(self.router.config.health, self.clock)
        return self

    def asked(self, role: str) -> list[ServerRequest]:
        """The requests that one model got in this run."""
        return self.server.requests_for(model_of(self.names[role]))

    def role(self, spec: str) -> str:
        """Which role a spec has."""
        return next(role for role, name in self.names.items() if name == spec)
