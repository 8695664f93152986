"""One agent object, many runs: they share no state."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lg_toolroute.testing import Call, ModelRequest, Say
from tests.support.middleware_agents import agent_of, last_call, primary, record_of, writer

RUNS = 500


def number(request: ModelRequest) -> str:
    found = re.search(r"#(\d+)", request.messages[0].text)
    assert found is not None
    return found[1]


def reasons(request: ModelRequest) -> Say:
    """Says which run it is in, and names that run's file, wrongly."""
    own = number(request)
    if request.messages[-1].type == "tool":
        return Say(f"Done #{own}.")
    return Say(f"Let me fix #{own}.", [Call("read", {"path": f"kept-{own}"}), Call("edit", {"path": f"dropped-{own}", "text": "x"})])


def writes(request: ModelRequest) -> Say:
    return Say("", [Call("edit", {"path": f"good-{number(request)}", "text": "x"})])


def check(out: dict[str, Any], own: int) -> str:
    message, _ = last_call(out["messages"])
    assert message.text == f"Let me fix #{own}."
    assert [each["args"]["path"] for each in message.tool_calls] == [f"kept-{own}", f"good-{own}"]
    assert out["messages"][-1].text == f"Done #{own}."
    assert len(record_of(message)["attempts"]) == 2
    assert f"dropped-{own}" not in str(out)
    assert message.id is not None
    return message.id


async def test_500_runs_at_once_share_nothing() -> None:
    agent = agent_of(primary([], answer=reasons), writer([], answer=writes))
    outs = await asyncio.gather(*(agent.ainvoke({"messages": [("user", f"#{own}")]}) for own in range(RUNS)))
    assert len({check(out, own) for own, out in enumerate(outs)}) == RUNS


def test_runs_in_many_threads_share_nothing() -> None:
    agent = agent_of(primary([], answer=reasons), writer([], answer=writes))
    with ThreadPoolExecutor(max_workers=16) as pool:
        outs = list(pool.map(lambda own: agent.invoke({"messages": [("user", f"#{own}")]}), range(64)))
    assert len({check(out, own) for own, out in enumerate(outs)}) == 64


async def test_two_interleaved_streams_of_one_agent_keep_to_themselves() -> None:
    agent = agent_of(primary([], answer=reasons), writer([], answer=writes))

    async def listen(own: int) -> str:
        seen = ""
        async for chunk, _ in agent.astream({"messages": [("user", f"#{own}")]}, stream_mode="messages"):
            seen += str(chunk)
            await asyncio.sleep(0)
        return seen

    one, two = await asyncio.gather(listen(1), listen(2))
    assert "#2" not in one
    assert "#1" not in two
    assert "dropped" not in one + two
