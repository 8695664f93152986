"""The surfaces on which a run is made, and the ways to make it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, BaseMessage

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, create_toolroute_agent
from tests.support.faults.story import PRIMARY, Run, tools

ASK = {"messages": [("user", "Set x to 2 in a.py.")]}


def agent(run: Run, surface: str) -> Any:
    """The run's agent on a surface, built once."""
    if surface not in run.agents:
        run.agents[surface] = SURFACES[surface](run)
    return run.agents[surface]


def graph(run: Run, **more: Any) -> Any:
    return create_toolroute_agent(run.router, tools(run.ran), **more)


def middleware(run: Run, **more: Any) -> Any:
    primary = run.router.models.get(run.names[PRIMARY])
    return create_agent(primary, tools(run.ran), middleware=[ToolRouteMiddleware(run.router)], **more)


def chat_model(run: Run, **more: Any) -> Any:
    return create_agent(ToolRoutedChatModel(router=run.router), tools(run.ran), **more)


SURFACES: dict[str, Callable[..., Any]] = {"graph": graph, "middleware": middleware, "chat model": chat_model}


@dataclass
class Seen:
    """What a caller got.

    Attributes:
        messages: The conversation at the end.
        chunks: The AI chunks in order; empty where the run was not streamed.
    """

    messages: list[BaseMessage] = field(default_factory=list)
    chunks: list[AIMessageChunk] = field(default_factory=list)

    def take(self, mode: str, item: Any) -> None:
        if mode == "values":
            self.messages = item["messages"]
        elif isinstance(item[0], AIMessageChunk):
            self.chunks.append(item[0])


async def invoke(agent: Any, ask: Any = None, config: Any = None) -> Seen:
    return Seen((await asyncio.to_thread(agent.invoke, ask or ASK, config))["messages"])


async def ainvoke(agent: Any, ask: Any = None, config: Any = None) -> Seen:
    return Seen((await agent.ainvoke(ask or ASK, config))["messages"])


async def stream(agent: Any, ask: Any = None, config: Any = None) -> Seen:
    def listen() -> Seen:
        seen = Seen()
        for mode, item in agent.stream(ask or ASK, config, stream_mode=["messages", "values"]):
            seen.take(mode, item)
        return seen

    return await asyncio.to_thread(listen)


async def astream(agent: Any, ask: Any = None, config: Any = None) -> Seen:
    seen = Seen()
    async for mode, item in agent.astream(ask or ASK, config, stream_mode=["messages", "values"]):
        seen.take(mode, item)
    return seen


WAYS: dict[str, Callable[..., Awaitable[Seen]]] = {"invoke": invoke, "ainvoke": ainvoke, "stream": stream, "astream": astream}
STREAMED = frozenset({"stream", "astream"})
