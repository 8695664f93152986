"""The committed `langgraph.json`, served by a real `langgraph dev`: what Studio shows, and a routed run by the SDK."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.messages.utils import convert_to_messages
from langgraph_sdk.client import LangGraphClient

from tests.support.langgraph_server import IGNORE_LATE_SOCKETS, ROOT, langgraph_server

TASK = {"messages": [{"role": "user", "content": "The tests are red."}]}
LIMIT_S = 60
PRIMARY, EDITOR = "kimi/kimi-for-coding", "deepseek/deepseek-v4-pro"

pytestmark = IGNORE_LATE_SOCKETS


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LangGraphClient]:
    folder = tmp_path_factory.mktemp("studio")
    shutil.copy(ROOT / "langgraph.json", folder)
    (folder / "lg_toolroute").symlink_to(ROOT / "lg_toolroute")
    async with langgraph_server(folder, {"LG_TOOLROUTE_PACE": "2000"}) as (found, log):
        yield found
        # What Studio would show as an empty form or an error stands in the log only.
        assert "Failed to get" not in log.read_text()
        assert "BlockingError" not in log.read_text()


async def assistant_of(client: LangGraphClient) -> str:
    [assistant] = await client.assistants.search(graph_id="toolroute")
    return str(assistant["assistant_id"])


async def test_the_context_is_a_form_and_the_private_state_is_not_asked_for(client: LangGraphClient):
    schemas = await client.assistants.get_schemas(await assistant_of(client))
    form = (schemas["context_schema"] or {})["properties"]
    assert form["model"]["description"]
    assert set(form) == {"agent", "role", "model"}
    assert set((schemas["input_schema"] or {})["properties"]) == {"messages", "expected_tool"}
    assert set((schemas["output_schema"] or {})["properties"]) == {"messages"}


async def test_studio_draws_every_node_and_edge(client: LangGraphClient):
    graph: dict[str, Any] = await client.assistants.get_graph(await assistant_of(client))
    assert {node["id"] for node in graph["nodes"]} == {"__start__", "route", "policy", "model", "tools", "fallback", "__end__"}
    edges = {(edge["source"], edge["target"]) for edge in graph["edges"]}
    assert edges == {
        ("__start__", "route"),
        ("route", "policy"),
        ("policy", "model"),
        ("model", "tools"),
        ("model", "fallback"),
        ("model", "route"),
        ("model", "__end__"),
        ("fallback", "policy"),
        ("tools", "route"),
    }


def check_mended(messages: list[Any]) -> None:
    assert "tests pass" in messages[-1].text
    written = {
        call["name"]: message.response_metadata["toolroute"]["calls"][call["id"]]
        for message in messages
        if message.type == "ai"
        for call in message.tool_calls
    }
    assert written == {"run_tests": PRIMARY, "read": PRIMARY, "edit": EDITOR}
    assert not [message for message in messages if message.type == "tool" and message.status == "error"]


async def test_a_routed_run_streams_one_message_a_turn_and_names_its_writer(client: LangGraphClient):
    thread = await client.threads.create()
    ids: list[str] = []
    asked: list[tuple[str, str | None]] = []
    async for part in client.runs.stream(thread["thread_id"], "toolroute", input=TASK, stream_mode=["messages-tuple", "custom"]):
        assert part.event != "error", part.data
        if part.event == "messages" and part.data[0]["type"] == "AIMessageChunk":
            ids.append(part.data[0]["id"])
        elif part.event == "custom" and part.data["event"] == "ask":
            asked.append((part.data["model"], part.data["tool"]))
    state = await client.threads.get_state(thread["thread_id"])
    messages = convert_to_messages(state["values"]["messages"])
    check_mended(messages)
    assert list(dict.fromkeys(ids)) == [message.id for message in messages if message.type == "ai"]
    assert asked.count((EDITOR, "edit")) == 2


async def read(message: Any) -> tuple[str, str]:
    return str(message.message_id), str((await message.output).text)


async def test_each_thread_of_the_sdk_has_a_project_of_its_own(client: LangGraphClient):
    """The first run mended its copy; a thread that shared it would find green tests."""
    async with asyncio.timeout(LIMIT_S), client.threads.stream(assistant_id="toolroute") as thread:
        await thread.run.start(input=TASK)
        # The iteration over messages is what feeds each of them, so they are read beside it.
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(read(message)) async for message in thread.messages]
        output = await thread.output
    messages = convert_to_messages(output["messages"])
    check_mended(messages)
    streams = [task.result() for task in reading]
    assert list(dict.fromkeys(message_id for message_id, _ in streams)) == [message.id for message in messages if message.type == "ai"]
    assert "".join(text for _, text in streams) == "".join(str(message.text) for message in messages if message.type == "ai")
