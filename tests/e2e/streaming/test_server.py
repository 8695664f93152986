"""The same contract through a real LangGraph server: `messages-tuple`, and the threads of the SDK (v3)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.utils import convert_to_messages
from langgraph_sdk.client import LangGraphClient

from tests.support.langgraph_server import IGNORE_LATE_SOCKETS, langgraph_server
from tests.support.sampling import cells
from tests.support.streaming import server_app
from tests.support.streaming.consumers import Seen
from tests.support.streaming.contract import MESSAGES_TUPLE, SDK_THREADS, check_row_of_the_contract
from tests.support.streaming.scenarios import SCENARIOS, Scenario
from tests.support.streaming.surfaces import SURFACES

INPUT = {"messages": [{"role": "user", "content": "go"}]}
LIMIT_S = 60
"""Seconds that one run through the server may take."""

pytestmark = IGNORE_LATE_SOCKETS


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LangGraphClient]:
    folder = tmp_path_factory.mktemp("server")
    graphs = {surface: f"{server_app.__file__}:{surface.replace(' ', '_')}" for surface in SURFACES}
    (folder / "langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": graphs, "env": {}}))
    async with langgraph_server(folder) as (found, _):
        yield found


def _configured(scenario: Scenario) -> dict[str, Any]:
    return {"configurable": {"scenario": scenario.name}}


async def messages_tuple(client: LangGraphClient, surface: str, scenario: Scenario) -> Seen:
    seen = Seen()
    thread = await client.threads.create()
    stream = client.runs.stream(thread["thread_id"], surface, input=INPUT, config=_configured(scenario), stream_mode="messages-tuple")
    async for part in stream:
        seen.everything.append(part)
        assert part.event != "error", part.data
        if part.event == "messages" and part.data[0]["type"] == "AIMessageChunk":
            fields = ("content", "tool_call_chunks", "id", "chunk_position")
            seen.chunks.append(AIMessageChunk(**{name: part.data[0][name] for name in fields if part.data[0].get(name) is not None}))
    state = await client.threads.get_state(thread["thread_id"])
    seen.messages = convert_to_messages(state["values"]["messages"])
    return seen


async def sdk_threads(client: LangGraphClient, surface: str, scenario: Scenario) -> Seen:
    seen = Seen()
    async with client.threads.stream(assistant_id=surface) as thread:
        await thread.run.start(input=INPUT, config=_configured(scenario))
        # A message's events come while the next message is waited for, so none is looked into before all are there.
        messages = [message async for message in thread.messages]
        for message in messages:
            seen.everything.append([event async for event in message])
            whole = await message.output
            assert isinstance(whole, AIMessage)
            seen.streams.append((str(message.message_id), whole))
        output = await thread.output
    seen.everything.append(output)
    seen.messages = convert_to_messages(output["messages"])
    return seen


async def test_messages_tuple_through_a_server_keeps_the_contract(client: LangGraphClient):
    async def listen(surface: str, scenario: Scenario) -> Seen:
        async with asyncio.timeout(LIMIT_S):
            return await messages_tuple(client, surface, scenario)

    await check_row_of_the_contract(MESSAGES_TUPLE, cells(list(SURFACES), SCENARIOS, one_in=3), listen)


async def test_the_sdks_threads_keep_the_contract(client: LangGraphClient):
    async def listen(surface: str, scenario: Scenario) -> Seen:
        async with asyncio.timeout(LIMIT_S):
            return await sdk_threads(client, surface, scenario)

    await check_row_of_the_contract(SDK_THREADS, cells(list(SURFACES), SCENARIOS, one_in=3), listen)
