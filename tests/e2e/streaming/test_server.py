"""The same contract through a real LangGraph server: `messages-tuple`, and the threads of the SDK (v3)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.utils import convert_to_messages
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from tests.e2e.streaming.checks import check
from tests.e2e.streaming.consumers import Seen
from tests.e2e.streaming.scenarios import SCENARIOS, Scenario
from tests.e2e.streaming.surfaces import SURFACES

HERE = Path(__file__).parent
INPUT = {"messages": [{"role": "user", "content": "go"}]}

# The server's threads and the SDK's sockets outlive a test by a moment.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.xdist_group("langgraph-server"),
]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LangGraphClient]:
    port = _free_port()
    root = HERE.parents[2]
    folder = tmp_path_factory.mktemp("server")  # the server writes its threads into its working directory
    log = folder / "log.txt"
    names = {"graph": "graph", "middleware": "middleware", "chat model": "chat_model"}
    graphs = {surface: f"{HERE / 'server_app.py'}:{function}" for surface, function in names.items()}
    (folder / "langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": graphs, "env": {}}))
    environ = {**os.environ, "PYTHONPATH": str(root), "LANGSMITH_TRACING": "false", "LANGGRAPH_NO_VERSION_CHECK": "true"}
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--host", "127.0.0.1", "--port", str(port), "--no-browser", "--no-reload"]
    with log.open("w") as out:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    found = get_client(url=f"http://127.0.0.1:{port}", api_key=None)
    try:
        for _ in range(240):
            try:
                await found.assistants.search(limit=1)
                break
            except Exception:  # not up yet; the log says why if it never is
                if server.poll() is not None:
                    break
                await asyncio.sleep(0.25)
        else:
            pytest.fail(log.read_text()[-3000:])
        if server.poll() is not None:
            pytest.fail(log.read_text()[-3000:])
        yield found
    finally:
        await found.aclose()
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(10)


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


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("surface", SURFACES)
async def test_messages_tuple_through_a_server_keeps_the_contract(client: LangGraphClient, surface: str, scenario: Scenario):
    async with asyncio.timeout(60):
        check(await messages_tuple(client, surface, scenario), scenario)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("surface", SURFACES)
async def test_the_sdks_threads_keep_the_contract(client: LangGraphClient, surface: str, scenario: Scenario):
    async with asyncio.timeout(60):
        check(await sdk_threads(client, surface, scenario), scenario)
