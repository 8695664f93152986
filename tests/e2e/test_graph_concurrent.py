"""Runs of one agent object share nothing: five hundred at once, in one loop and in threads."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.tools import tool

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, ModelRequest, Say, ScriptedModel
from tests.support.folder_agents import DEEPSEEK, KIMI, ai, called, record

RUNS = 500


def marker(request: ModelRequest) -> str:
    """What the user of this run said, which no other run says."""
    return str(next(message.content for message in request.messages if message.type == "human"))


def agent() -> Any:
    @tool
    def edit(path: str) -> str:
        """Edit a file."""
        return f"edited {path}"

    def reasons(request: ModelRequest) -> Any:
        if any(message.type == "tool" for message in request.messages):
            return f"Done with {marker(request)}."
        return Say(f"Now {marker(request)}.", [Call("edit", {"path": "dropped"})], chunks=4)

    kimi = ScriptedModel(answer=reasons, name=KIMI)
    deepseek = ScriptedModel(answer=lambda request: Say(calls=[Call("edit", {"path": marker(request)})]), name=DEEPSEEK)
    router = ToolRouter({"model": KIMI, "toolRouting": {"edit": DEEPSEEK}}, models={KIMI: kimi, DEEPSEEK: deepseek})
    return create_toolroute_agent(router, [edit])


def check(name: str, out: dict[str, Any]) -> None:
    first, last = ai(out["messages"])
    assert first.content == f"Now {name}."
    assert called(first) == [("edit", {"path": name})]
    assert [message.content for message in out["messages"] if message.type == "tool"] == [f"edited {name}"]
    assert last.content == f"Done with {name}."
    assert len(record(first)["attempts"]) == 2


async def test_five_hundred_runs_at_once_in_one_loop_share_no_state():
    routed = agent()
    names = [f"run {number}" for number in range(RUNS)]
    for name, out in zip(names, await asyncio.gather(*(routed.ainvoke({"messages": [("user", name)]}) for name in names)), strict=True):
        check(name, out)


@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
def test_runs_in_threads_share_no_state(streamed: bool):
    routed = agent()

    def one(number: int) -> None:
        question = {"messages": [("user", f"thread {number}")]}
        if not streamed:
            check(f"thread {number}", routed.invoke(question))
            return
        chunks = [chunk for chunk, _ in routed.stream(question, stream_mode="messages")]
        assert "".join(chunk.text for chunk in chunks if chunk.type == "AIMessageChunk") == f"Now thread {number}.Done with thread {number}."

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(100)))
