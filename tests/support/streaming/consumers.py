"""The ways to listen to a run. Each gives what was seen: the chunks of each message, whole messages, and everything else for the leak test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

QUESTION = {"messages": [("user", "go")]}


@dataclass
class Seen:
    """What one consumer saw.

    Attributes:
        chunks: The AI chunks in order; empty for consumers of whole states.
        streams: v3: each message stream's id and its finished message, in order.
        messages: The conversation at the end, where this consumer sees it.
        everything: All that came, for the search for what must not be there.
    """

    chunks: list[AIMessageChunk] = field(default_factory=list)
    streams: list[tuple[str, AIMessage]] = field(default_factory=list)
    messages: list[BaseMessage] = field(default_factory=list)
    everything: list[Any] = field(default_factory=list)


def _take(seen: Seen, mode: str, item: Any) -> None:
    seen.everything.append(item)
    if mode == "messages" and isinstance(item[0], AIMessageChunk):
        seen.chunks.append(item[0])
    elif mode == "values":
        seen.messages = item["messages"]
    elif mode == "updates":
        for update in item.values():
            seen.messages.extend((update or {}).get("messages", []))


async def invoke(agent: Any) -> Seen:
    out = agent.invoke(QUESTION)
    return Seen(messages=out["messages"], everything=[out])


async def ainvoke(agent: Any) -> Seen:
    out = await agent.ainvoke(QUESTION)
    return Seen(messages=out["messages"], everything=[out])


def stream(mode: str) -> Callable[[Any], Awaitable[Seen]]:
    async def listen(agent: Any) -> Seen:
        seen = Seen()
        for item in agent.stream(QUESTION, stream_mode=mode):
            _take(seen, mode, item)
        return seen

    return listen


def astream(mode: str) -> Callable[[Any], Awaitable[Seen]]:
    async def listen(agent: Any) -> Seen:
        seen = Seen()
        async for item in agent.astream(QUESTION, stream_mode=mode):
            _take(seen, mode, item)
        return seen

    return listen


async def events_v2(agent: Any) -> Seen:
    seen = Seen()
    async for event in agent.astream_events(QUESTION, version="v2"):
        seen.everything.append(event)
        if event["event"] == "on_chat_model_stream":
            seen.chunks.append(event["data"]["chunk"])
        if event["event"] == "on_chain_end" and not event["parent_ids"]:
            seen.messages = event["data"]["output"]["messages"]
    return seen


async def stream_events_v3(agent: Any) -> Seen:
    seen = Seen()
    run = agent.stream_events(QUESTION, version="v3")
    for message in run.messages:
        seen.everything.append(list(message))
        seen.streams.append((message.message_id, message.output))
    seen.messages = run.output["messages"]
    seen.everything.append(run.output)
    return seen


async def astream_events_v3(agent: Any) -> Seen:
    seen = Seen()
    run = await agent.astream_events(QUESTION, version="v3")
    async for message in run.messages:
        seen.everything.append([event async for event in message])
        seen.streams.append((message.message_id, await message.output))
    output = await run.output()
    seen.messages = output["messages"]
    seen.everything.append(output)
    return seen


CONSUMERS: dict[str, Callable[[Any], Awaitable[Seen]]] = {
    "`invoke`": invoke,
    "`ainvoke`": ainvoke,
    **{f"`stream` {mode}": stream(mode) for mode in ("values", "updates", "messages", "custom")},
    **{f"`astream` {mode}": astream(mode) for mode in ("values", "updates", "messages", "custom")},
    "`astream_events` v2": events_v2,
    "`stream_events` v3": stream_events_v3,
    "`astream_events` v3": astream_events_v3,
}
