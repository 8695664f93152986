"""One outer run and its inner runs: traced under their own names, counted once, shown once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, UsageMetadataCallbackHandler, get_usage_metadata_callback
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers import BaseTracer
from langchain_core.tracers.context import register_configure_hook
from langchain_core.tracers.schemas import Run
from langchain_openai import ChatOpenAI

from lg_toolroute import ToolRouteContext, ToolRoutedChatModel, ToolRouter
from lg_toolroute.testing import Call, FaultServer, Say, ScriptedModel, ServerRequest
from tests.support.file_tools import edit, read

pytestmark = pytest.mark.filterwarnings("ignore:.*(v3|beta|experimental).*")

PRIMARY, WRITER = "primary", "writer"
GOOD = {"path": "a.py", "text": "good"}
DROPPED = {"path": "the-dropped-call", "text": "the-dropped-call"}


def primary(request: ServerRequest) -> Say:
    if any(message["role"] == "tool" for message in request.messages):
        return Say("Done.", usage=(30, 3), chunks=2)
    return Say("Let me fix that.", [Call("edit", DROPPED)], usage=(10, 50), chunks=4)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.answer(PRIMARY, primary)
        running.answer(WRITER, lambda request: Say("", [Call("edit", GOOD)], usage=(20, 7)))
        yield running


def routed(server: FaultServer, **fields: Any) -> ToolRoutedChatModel:
    config = {"model": {"primary": f"local/{PRIMARY}"}, "toolRouting": {"edit": {"primary": f"local/{WRITER}"}}}
    clients = {f"local/{name}": ChatOpenAI(**server.client(name, stream_usage=True)) for name in (PRIMARY, WRITER)}
    return ToolRoutedChatModel(router=ToolRouter(config, models=clients), **fields)


# -- the ways to ask ---------------------------------------------------------------------------------------------------------------------


def added(chunks: list[Any]) -> Any:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


async def by_invoke(model: Any, config: Any) -> Any:
    return model.invoke("go", config)


async def by_ainvoke(model: Any, config: Any) -> Any:
    return await model.ainvoke("go", config)


async def by_stream(model: Any, config: Any) -> Any:
    return added(list(model.stream("go", config)))


async def by_astream(model: Any, config: Any) -> Any:
    return added([chunk async for chunk in model.astream("go", config)])


async def by_events_v2(model: Any, config: Any) -> Any:
    events = [event async for event in model.astream_events("go", config, version="v2")]
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
    (end,) = [event for event in events if event["event"] == "on_chat_model_end"]
    assert end["data"]["output"].usage_metadata == added(chunks).usage_metadata
    return added(chunks)


async def by_stream_v3(model: Any, config: Any) -> Any:
    return model.stream_events("go", config, version="v3").output


async def by_astream_v3(model: Any, config: Any) -> Any:
    stream = await model.astream_events("go", config, version="v3")
    async for _ in stream:
        continue
    return await stream.output


async def by_graph(model: Any, config: Any) -> Any:
    call = RunnableLambda(lambda question, config: model.invoke(question, config))
    return await call.ainvoke("go", config)


WAYS: dict[str, Callable[[Any, Any], Awaitable[Any]]] = {
    "invoke": by_invoke,
    "ainvoke": by_ainvoke,
    "stream": by_stream,
    "astream": by_astream,
    "astream_events v2": by_events_v2,
    "stream_events v3": by_stream_v3,
    "astream_events v3": by_astream_v3,
    "inside a chain": by_graph,
}
every_way = pytest.mark.parametrize("way", WAYS)


# -- usage -------------------------------------------------------------------------------------------------------------------------------


@every_way
async def test_each_inner_model_is_counted_once_under_its_own_name(way: str, server: FaultServer):
    handed_in = UsageMetadataCallbackHandler()
    with get_usage_metadata_callback() as ambient:
        message = await WAYS[way](routed(server).bind_tools([edit, read]), {"callbacks": [handed_in]})
    for counted in (ambient.usage_metadata, handed_in.usage_metadata):
        assert set(counted) == {PRIMARY, WRITER}
        assert (counted[WRITER]["input_tokens"], counted[WRITER]["output_tokens"]) == (20, 7)
        for key in ("input_tokens", "output_tokens", "total_tokens"):
            assert sum(usage[key] for usage in counted.values()) == message.usage_metadata[key]  # type: ignore[literal-required]
    assert message.response_metadata["model_name"] == PRIMARY


class Sum(BaseCallbackHandler):
    """Adds up whatever ends with a usage, under whatever name, as some tracers do."""

    def __init__(self) -> None:
        self.total = 0

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        usage = response.generations[0][0].message.usage_metadata
        self.total += usage["total_tokens"] if usage else 0


@pytest.mark.parametrize("way", [way for way in WAYS if way != "astream_events v2"])
async def test_who_adds_up_all_ends_adds_up_the_right_sum(way: str, server: FaultServer):
    adding = Sum()
    message = await WAYS[way](routed(server).bind_tools([edit, read]), {"callbacks": [adding]})
    assert adding.total == message.usage_metadata["total_tokens"]


async def test_an_agents_whole_run_is_counted_once(server: FaultServer):
    agent = create_agent(routed(server), [edit, read])
    with get_usage_metadata_callback() as counted:
        out = await agent.ainvoke({"messages": [("user", "go")]})
    spoken = [message for message in out["messages"] if isinstance(message, AIMessage)]
    total = sum(message.usage_metadata["total_tokens"] for message in spoken if message.usage_metadata)
    assert sum(usage["total_tokens"] for usage in counted.usage_metadata.values()) == total


# -- runs --------------------------------------------------------------------------------------------------------------------------------


class Tree(BaseTracer):
    """Keeps the trees of runs."""

    run_inline = True

    def __init__(self) -> None:
        super().__init__()
        self.roots: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        self.roots.append(run)


@every_way
async def test_a_trace_shows_the_inner_models_under_the_outer_run(way: str, server: FaultServer):
    tree = Tree()
    message = await WAYS[way](routed(server).bind_tools([edit, read]), {"callbacks": [tree], "tags": ["mine"], "metadata": {"customer": "c1"}})
    for _ in range(20):
        await asyncio.sleep(0)  # the end of an asynchronous v3 stream is told by a task of its own
    (root,) = tree.roots
    outer = root if root.run_type in {"llm", "chat_model"} else root.child_runs[0]
    assert [run.metadata["ls_model_name"] for run in (outer, *outer.child_runs)] == [f"local/{PRIMARY}", PRIMARY, WRITER]
    assert [run.metadata["ls_provider"] for run in (outer, *outer.child_runs)] == ["toolroute", "openai", "openai"]
    assert all(run.error is None and run.end_time is not None for run in (outer, *outer.child_runs))
    assert all("mine" in (run.tags or []) and run.metadata["customer"] == "c1" for run in outer.child_runs)
    assert message.id == f"lc_run--{outer.id}"
    assert str(DROPPED["path"]) not in repr([run.outputs for run in (outer, *outer.child_runs)])


def test_an_inner_run_says_nothing_of_the_outer_ones_settings(server: FaultServer):
    tree = Tree()
    routed(server, stop=["END"]).bind_tools([edit, read]).invoke("go", {"callbacks": [tree]})
    primary_run, writer_run = tree.roots[0].child_runs
    assert tree.roots[0].metadata["ls_stop"] == ["END"]
    assert primary_run.metadata["ls_stop"] == ["END"]
    assert "ls_stop" not in writer_run.metadata


class Listener(BaseCallbackHandler):
    """Notes every token, as a handler that prints them would."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.heard.append(token if isinstance(token, str) else "".join(block.get("text", "") for block in token))


class AsyncListener(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ends = 0

    async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.heard.append(str(token))

    async def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.ends += 1


@pytest.mark.parametrize("way", ["stream", "astream", "astream_events v2"])
async def test_a_handler_that_prints_tokens_hears_each_once(way: str, server: FaultServer):
    listener = Listener()
    await WAYS[way](routed(server).bind_tools([edit, read]), {"callbacks": [listener]})
    assert "".join(listener.heard) == "Let me fix that."


@pytest.mark.parametrize("way", ["astream", "astream_events v2"])
async def test_an_asynchronous_handler_hears_each_token_once_and_every_end(way: str, server: FaultServer):
    listener = AsyncListener()
    await WAYS[way](routed(server).bind_tools([edit, read]), {"callbacks": [listener]})
    assert "".join(listener.heard) == "Let me fix that."
    assert listener.ends == 3


class Counter(BaseCallbackHandler):
    """Counts ends, and hears tokens too, as the counters do that LangChain puts into the context."""

    def __init__(self) -> None:
        self.ends = 0

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        """Nothing is made of it."""

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.ends += 1


COUNTING: ContextVar[Counter | None] = ContextVar("counting", default=None)
register_configure_hook(COUNTING, inheritable=True)


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_a_counter_in_the_context_hears_every_end_once(way: str, server: FaultServer):
    counter = Counter()
    token = COUNTING.set(counter)
    try:
        await WAYS[way](routed(server).bind_tools([edit, read]), {})
    finally:
        COUNTING.reset(token)
    assert counter.ends == 3


# -- in a LangGraph run ------------------------------------------------------------------------------------------------------------------


def by_agent(spec: str) -> ScriptedModel:
    return ScriptedModel(answer=lambda request: Say(f"I am {spec}."), name=spec)


def test_a_runs_context_names_agent_role_and_model():
    specs = ("a/default", "a/coder", "a/heartbeat", "a/other")
    config = {
        "agents": {
            "defaults": {"model": {"primary": "a/default"}, "heartbeat": {"model": "a/heartbeat"}},
            "list": [{"id": "coder", "model": "a/coder"}],
        }
    }
    model = ToolRoutedChatModel(router=ToolRouter(config, models={spec: by_agent(spec) for spec in specs}))
    agent = create_agent(model, [], context_schema=ToolRouteContext)

    def said(**context: Any) -> str:
        return str(agent.invoke({"messages": [("user", "who?")]}, context=ToolRouteContext(**context))["messages"][-1].text)

    assert said() == "I am a/default."
    assert said(agent="coder") == "I am a/coder."
    assert said(role="heartbeat") == "I am a/heartbeat."
    assert said(model="a/other") == "I am a/other."


def test_what_it_does_is_told_in_the_runs_custom_stream(server: FaultServer):
    agent = create_agent(routed(server), [edit, read])
    events = list(agent.stream({"messages": [("user", "go")]}, stream_mode="custom"))
    assert [event["event"] for event in events] == ["ask", "attempt", "handoff", "ask", "attempt", "landed", "ask", "attempt", "landed"]
    assert str(DROPPED["path"]) not in repr(events)


# -- real connections --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_the_primarys_connection_is_closed_at_the_routed_tools_name(way: str):
    long = Say("Let me fix that.", [Call("edit", {"path": "a.py", "text": "x" * 2000})], chunks=10)
    with FaultServer(chunk_delay_s=0.002) as server:
        server.answer(PRIMARY, lambda request: long)
        server.answer(WRITER, lambda request: Say("", [Call("edit", GOOD)]))
        message = await WAYS[way](routed(server).bind_tools([edit, read]), {})
        cut = server.requests_for(PRIMARY)[0]
        cut.wait()
    assert message.tool_calls[0]["args"] == GOOD
    assert cut.disconnected_at is not None
    assert cut.disconnected_at < cut.chunks_total / 2


async def test_five_hundred_runs_of_one_model_share_no_state():
    def speak(request: Any) -> Say:
        return Say(f"{request.last_text} speaking. ", [Call("edit", DROPPED)], chunks=5)

    def write(request: Any) -> Say:
        question = next(message.text for message in request.messages if message.type == "human")
        return Say("", [Call("edit", {"path": question, "text": "good"})])

    config = {"model": {"primary": "a/p"}, "toolRouting": {"edit": {"primary": "a/w"}}}
    router = ToolRouter(config, models={"a/p": ScriptedModel(answer=speak, name="a/p"), "a/w": ScriptedModel(answer=write, name="a/w")})
    model = ToolRoutedChatModel(router=router).bind_tools([edit, read])

    async def one(number: int) -> tuple[str, str, str]:
        chunks = [chunk async for chunk in model.astream(f"run {number}")]
        assert len({chunk.id for chunk in chunks}) == 1
        whole = added(chunks)
        return str(whole.id), whole.text, whole.tool_calls[0]["args"]["path"]

    seen = await asyncio.gather(*(one(number) for number in range(500)))
    assert len({message_id for message_id, _, _ in seen}) == 500
    assert [(text, path) for _, text, path in seen] == [(f"run {number} speaking. ", f"run {number}") for number in range(500)]
