"""The routed graph over real HTTP, with clients that the router builds itself from the configuration."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ChainExhausted, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say, ServerRequest, Turnstile, faults
from tests.support.folder_agents import DROPPED, Folder, ai, ask, called, record

EDIT = {"path": "a.py", "old": "x = 1", "new": "x = 2"}
KEY = "sk-loopback-secret-0123456789"
WORDS = "Let me fix that."
DRAFT = {"path": DROPPED, "old": "o" * 400, "new": "n" * 400}
PRIMARY, WRITER, SPARE = "reasoner", "writer", "spare"


def scripts(**more: Any) -> dict[str, list[Any]]:
    """The primary says a few words and names `edit`, with hundreds of chunks of arguments behind the name; the writer writes the call."""
    first = Say(WORDS, [Call("edit", DRAFT)], chunks=4)
    return {PRIMARY: [first, Say("Fixed.")], WRITER: [Say(calls=[Call("edit", EDIT)], chunks=6)], **more}


def agent(server: FaultServer, folder: Folder | None = None, **config: Any) -> Any:
    document = {
        "model": {"primary": f"mine/{PRIMARY}", "fallbacks": [f"mine/{SPARE}"]},
        "toolRouting": {"edit": {"primary": f"mine/{WRITER}", "fallbacks": [f"mine/{SPARE}"]}},
        "models": {"providers": {"mine": {"baseUrl": server.base_url, "apiKey": KEY}}},
        **config,
    }
    return create_toolroute_agent(ToolRouter(document), (folder or Folder()).tools(), checkpointer=InMemorySaver())


THREAD = {"configurable": {"thread_id": "1"}}


async def run(graph: Any, how: str) -> list[Any]:
    """One run by one of the ways in; gives what a consumer saw of it."""
    match how:
        case "invoke":
            return [await asyncio.to_thread(graph.invoke, ask(), THREAD)]
        case "ainvoke":
            return [await graph.ainvoke(ask(), THREAD)]
        case "stream":
            return await asyncio.to_thread(lambda: list(graph.stream(ask(), THREAD, stream_mode=["messages", "updates", "custom"])))
        case _:
            return [event async for event in graph.astream(ask(), THREAD, stream_mode=["messages", "updates", "custom"])]


END_OF_NAME = 1 + -(-len(WORDS) // 4) + 1
"""Events of the primary's answer up to and with the one that ends the tool's name: the role, the words in fours, the name."""

WAYS = ["invoke", "ainvoke", "stream", "astream"]


class Arrival:
    """A step that notes when its request has come."""

    def __init__(self, step: Say) -> None:
        self.step = step
        self.came = threading.Event()

    def __call__(self, request: ServerRequest) -> Say:
        self.came.set()
        return self.step

    async def wait(self) -> None:
        assert await asyncio.to_thread(self.came.wait, 30.0)


@pytest.mark.parametrize("how", WAYS)
async def test_the_primarys_connection_is_closed_within_two_chunks_of_the_end_of_the_tools_name(how: str):
    """The server may send two chunks more than the name needs, and then waits: only a client that has gone ends that answer."""
    folder, turnstile, given = Folder(), Turnstile(), scripts()
    first = given[PRIMARY][0] = Arrival(given[PRIMARY][0])
    with FaultServer(given, turnstile=turnstile) as server:
        turnstile.let(END_OF_NAME + 2)
        running = asyncio.create_task(run(agent(server, folder), how))
        await first.wait()
        request = server.requests[0]
        assert await asyncio.to_thread(request.done.wait, 30.0)
        turnstile.open()
        seen = await running
    assert request.chunks_total > 200
    assert request.disconnected_at is not None
    assert request.disconnected_at <= END_OF_NAME + 2
    assert folder.files["a.py"] == "x = 2\n"
    assert DROPPED not in str(seen)


@pytest.mark.parametrize("how", WAYS)
async def test_the_story_over_real_http(how: str):
    folder = Folder()
    with FaultServer(scripts(), chunk_delay_s=0.002) as server:
        graph = agent(server, folder)
        seen = await run(graph, how)
        requests = server.requests
    assert [request.model for request in requests] == [PRIMARY, WRITER, PRIMARY]
    assert requests[0].chunks_sent < requests[0].chunks_total
    assert requests[1].forced_tool == "edit"
    assert requests[1].tools == ("edit",)
    fixed, done = ai(graph.get_state(THREAD).values["messages"])
    assert (fixed.content, called(fixed), done.content) == (WORDS, [("edit", EDIT)], "Fixed.")
    assert folder.ran == [("edit", EDIT)]
    assert DROPPED not in str(seen)
    assert DROPPED not in str([request.body for request in requests])
    assert KEY not in str((seen, fixed, requests))


async def test_the_usage_of_the_cut_call_is_estimated_and_the_rest_is_the_servers():
    with FaultServer(scripts(), chunk_delay_s=0.002) as server:
        graph = agent(server)
        await graph.ainvoke(ask(), THREAD)
    cut, wrote = record(ai(graph.get_state(THREAD).values["messages"])[0])["attempts"]
    assert (cut["outcome"], cut["usage_estimated"], wrote["usage_estimated"]) == ("cut", True, False)
    assert cut["usage"]["input_tokens"] > 0
    assert record(ai(graph.get_state(THREAD).values["messages"])[0])["saved_output_tokens"] == wrote["usage"]["output_tokens"]


RECOVERED = {
    name: faults.CATALOGUE[name]
    for name in (
        "rate_limit",
        "insufficient_quota",
        "unauthorized",
        "model_not_found",
        "server_error_503",
        "reset_at_start",
        "truncated_arguments",
        "eof",
    )
    if name in faults.CATALOGUE
}


@pytest.mark.parametrize("fault", RECOVERED.values(), ids=RECOVERED)
@pytest.mark.parametrize("how", ["invoke", "astream"])
async def test_when_the_writers_server_fails_the_next_candidate_writes_and_nothing_of_it_is_seen(fault: Any, how: str):
    folder, bad = Folder(), fault()
    given = scripts(**{WRITER: [bad, bad], SPARE: [Say(calls=[Call("edit", EDIT)])]})
    with FaultServer(given, chunk_delay_s=0.001, strict=False) as server:
        graph = agent(server, folder)
        seen = await run(graph, how)
    fixed = ai(graph.get_state(THREAD).values["messages"])[0]
    attempts = record(fixed)["attempts"]
    assert [attempt["model"] for attempt in (attempts[0], attempts[-1])] == [f"mine/{PRIMARY}", f"mine/{SPARE}"]
    assert {attempt["reason"] for attempt in attempts[1:-1]} == {bad.expected_class}
    assert folder.ran == [("edit", EDIT)]
    assert KEY not in str((seen, attempts))


async def test_all_down_is_one_error_with_every_cause_and_no_key():
    down = [faults.unauthorized()] * 4
    with FaultServer({PRIMARY: down, SPARE: down}, strict=False) as server, pytest.raises(ChainExhausted) as caught:
        await agent(server).ainvoke(ask(), THREAD)
    assert [(error.model, error.reason) for error in caught.value.exceptions] == [(f"mine/{PRIMARY}", "auth"), (f"mine/{SPARE}", "auth")]  # type: ignore[attr-defined]
    assert all(error.__cause__ is not None for error in caught.value.exceptions)
    assert KEY not in str(caught.value)


async def test_a_run_that_is_cancelled_closes_the_connection_and_asks_nobody_else():
    turnstile, story = Turnstile(), Arrival(Say("A long story.", chunks=1))
    with FaultServer({PRIMARY: [story]}, turnstile=turnstile) as server:
        turnstile.let(3)
        task = asyncio.create_task(agent(server).ainvoke(ask(), THREAD))
        await story.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        turnstile.open()
        assert await asyncio.to_thread(server.requests[0].done.wait, 30.0)
        assert server.requests[0].disconnected_at is not None
        assert len(server.requests) == 1


def test_fifty_threads_on_one_agent_keep_their_stories_apart():
    def reason(request: ServerRequest) -> Say:
        if request.messages[-1]["role"] == "tool":
            return Say("Fixed.")
        return Say(WORDS, [Call("edit", DRAFT)], chunks=200)

    with FaultServer() as server:
        server.answer(PRIMARY, reason)
        server.answer(WRITER, lambda request: Say(calls=[Call("edit", {**EDIT, "new": request.messages[0]["content"]})]))
        graph = agent(server)

        def one(number: int) -> tuple[int, list[Any]]:
            out = graph.invoke(ask(f"x = {number}"), {"configurable": {"thread_id": str(number)}})
            return number, ai(out["messages"])

        with ThreadPoolExecutor(50) as pool:
            stories = list(pool.map(one, range(100)))
    for number, (fixed, done) in stories:
        assert called(fixed) == [("edit", {**EDIT, "new": f"x = {number}"})]
        assert done.content == "Fixed."
    assert len({fixed.id for _, (fixed, _) in stories}) == 100
