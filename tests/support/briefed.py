"""Agents on every surface, with real clients of a loopback server, and a thread in which a file was read: for tests of what the writer is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say, ServerRequest
from tests.support.folder_agents import Folder

PRIMARY, WRITER, SPARE = "reasoner", "writer", "spare"
SURFACES = ["graph", "middleware", "durable middleware", "chat model"]
WAYS = ["invoke", "stream", "ainvoke", "astream"]
TEXT = "\n".join([f"line_{number} = {number}" for number in range(1, 60)])
OLD_TALK = "something that was said long ago"
OPAQUE = "bytes-that-only-their-provider-reads"


def read_before() -> list[BaseMessage]:
    """A thread in which `a.py` was read, in the forms of other providers."""
    call = {"name": "read", "args": {"path": "a.py"}, "id": "call_read"}
    thinking = {"type": "thinking", "thinking": OPAQUE, "signature": OPAQUE}
    return [
        HumanMessage(OLD_TALK, id="q1"),
        AIMessage(
            [thinking, {"type": "text", "text": "I read it."}],
            tool_calls=[call],
            id="a1",
            additional_kwargs={"reasoning_content": OPAQUE, "reasoning_details": [{"data": OPAQUE}]},
            response_metadata={"model_provider": "anthropic"},
        ),
        ToolMessage(TEXT, tool_call_id="call_read", name="read", id="r1"),
        AIMessage("That is the file.", id="a2"),
        HumanMessage("Set line_30 to zero.", id="q2"),
    ]


def changed(number: int, value: int = 0) -> dict[str, Any]:
    """The arguments of an edit of one line."""
    return {"path": "a.py", "old": f"line_{number} = {number}\n", "new": f"line_{number} = {value}\n"}


def says(number: int) -> Say:
    """The primary names an edit, and writes it badly."""
    return Say(f"I change line {number}.", [Call("edit", {"path": "a.py", "old": "wrong " * 60, "new": "wrong"})], chunks=3)


def writes(number: int) -> Say:
    """The writer's edit."""
    return Say(calls=[Call("edit", changed(number))])


@dataclass
class Bench:
    """One agent and its server.

    Attributes:
        server: Serves all models, as the provider `mine`.
        surface: One of `SURFACES`.
        rule: The rule for `edit`, without its model.
        models: Entries of the provider's models: windows, prices.
        settings: Keyword arguments of the router.
        api: The API of the writer's server.
        primary_api: The API of the primary's server.
        config: More of the configuration.
        folder: What the tools read and change.
        checkpointer: Keeps the thread.
        compiled: Further settings of the compiled graph.
    """

    server: FaultServer
    surface: str = "graph"
    rule: dict[str, Any] = field(default_factory=dict)
    models: Sequence[dict[str, Any]] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    api: str = "openai-completions"
    primary_api: str = "openai-completions"
    config: dict[str, Any] = field(default_factory=dict)
    folder: Folder = field(default_factory=lambda: Folder({"a.py": TEXT}))
    checkpointer: Any = field(default_factory=InMemorySaver)
    compiled: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        url, own = (self.server.url if api == "anthropic" else self.server.base_url for api in (self.api, self.primary_api))
        config = {
            "model": {"primary": f"mine/{PRIMARY}"},
            "toolRouting": {"edit": {"primary": f"theirs/{WRITER}", "fallbacks": [f"mine/{SPARE}"], **self.rule}},
            "models": {
                "providers": {
                    "mine": {
                        "baseUrl": own,
                        "apiKey": "k",
                        "api": self.primary_api,
                        "models": [each for each in self.models if each["id"] != WRITER],
                    },
                    "theirs": {"baseUrl": url, "apiKey": "k", "api": self.api, "models": [each for each in self.models if each["id"] == WRITER]},
                }
            },
            **self.config,
        }
        self.router = ToolRouter(config, **self.settings)
        self.agent = self._agent()
        self.events: list[dict[str, Any]] = []
        self.seen: list[Any] = []
        self.thread: Any = {"configurable": {"thread_id": "1"}}

    def _agent(self) -> Any:
        tools, compiled = self.folder.tools(), {"checkpointer": self.checkpointer, **self.compiled}
        if self.surface == "graph":
            return create_toolroute_agent(self.router, tools, **compiled)
        if self.surface == "chat model":
            return create_agent(ToolRoutedChatModel(router=self.router), tools, **compiled)
        middleware = ToolRouteMiddleware(self.router, durable=self.surface == "durable middleware")
        return create_agent(self.router.models.get(f"mine/{PRIMARY}"), tools, middleware=[middleware], **compiled)

    def run(self, way: str = "invoke", messages: Sequence[BaseMessage] | None = None, *, resume: bool = False) -> list[BaseMessage]:
        """Runs the agent to its end, or to where it is interrupted; the thread."""
        asked = None if resume else {"messages": list(read_before() if messages is None else messages)}
        modes = ["custom", "values"] + (["messages", "updates"] if "stream" in way else [])

        async def listen() -> None:
            async for mode, event in self.agent.astream(asked, self.thread, stream_mode=modes):
                self._note(mode, event)

        if way.startswith("a"):
            asyncio.run(listen())
        else:
            for mode, event in self.agent.stream(asked, self.thread, stream_mode=modes):
                self._note(mode, event)
        found: list[BaseMessage] = self.agent.get_state(self.thread).values["messages"]
        return found

    def _note(self, mode: str, event: Any) -> None:
        self.seen.append(event)
        if mode == "custom":
            self.events.append(event)

    def asked(self, model: str) -> list[ServerRequest]:
        """The requests to a model."""
        return self.server.requests_for(model)

    def sent(self, model: str) -> list[str]:
        """The bodies of the requests to a model, as text without escapes."""
        return [json.dumps(request.body, ensure_ascii=False).replace("\\n", "\n") for request in self.asked(model)]


def handoffs(messages: Sequence[BaseMessage]) -> list[tuple[str, Any]]:
    """What each writer was sent, by the record on the messages: the model's name and the record."""
    records = [message.response_metadata.get("toolroute", {}) for message in messages if isinstance(message, AIMessage)]
    attempts = [attempt for record in records for attempt in record.get("attempts", ())]
    return [(attempt["model"].partition("/")[2], attempt["handoff"]) for attempt in attempts if "handoff" in attempt]
