"""A tool loop in which no rule takes part sends, byte for byte, what `create_agent` without routing sends; headers aside.

Every client class of `tests/support/tool_loop/clients.py`, on every surface, however it is called. `docs/testing.md` says what brings the packages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import BaseTool, tool

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from tests.support.tool_loop.clients import CLIENTS, Client
from tests.support.tool_loop.server import LoopServer

PROMPT = "Be brief."
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
QUESTIONS: dict[str, Any] = {
    "words": "Fix a.py",
    "blocks": [{"type": "text", "text": "Fix"}, {"type": "text", "text": "a.py"}],
    "an image": [{"type": "text", "text": "Fix a.py"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
}
RESULTS: dict[str, Any] = {"words": "x = 1", "blocks": [{"type": "text", "text": "x = 1"}, {"type": "text", "text": "y = 2"}], "an image": "x = 1"}
RULES: dict[str, dict[str, Any]] = {"no rule": {}, "a rule for another tool": {"edit": {"primary": "elsewhere/other"}}}
WAYS = ["invoke", "stream", "ainvoke", "astream"]


def tools(said: str) -> list[BaseTool]:
    @tool
    def read(path: str) -> Any:
        """Read a file."""
        return RESULTS[said]

    @tool
    def edit(path: str, old: str, new: str) -> str:
        """Replace text in a file."""
        return "edited"

    return [read, edit]


def router(model: Any, rules: str, **config: Any) -> ToolRouter:
    spec = "here/model"
    # A Claude that has part in routing gets cache markers where the application sets none; this switches them off.
    markers = {"providers": {"here": {"promptCache": "off"}}}
    document = {"model": {"primary": spec, "fallbacks": []}, "toolRouting": RULES[rules], "models": markers, **config}
    return ToolRouter(document, models={spec: model, "elsewhere/other": model})


SURFACES: dict[str, Callable[[Any, ToolRouter, str], Any]] = {
    "graph": lambda model, routed, said: create_toolroute_agent(routed, tools(said), system_prompt=PROMPT),
    "middleware": lambda model, routed, said: create_agent(model, tools(said), system_prompt=PROMPT, middleware=[ToolRouteMiddleware(routed)]),
    "chat model": lambda model, routed, said: create_agent(ToolRoutedChatModel(router=routed), tools(said), system_prompt=PROMPT),
}


@pytest.fixture(scope="module")
def server() -> Iterator[LoopServer]:
    server = LoopServer()
    yield server
    server.close()


async def sent(server: LoopServer, client: Client, agent: Any, said: str, way: str) -> list[tuple[str, bytes]]:
    """Run an agent; give the path and the bytes of each of its two requests."""
    server.begin(client.writer)
    asked = {"messages": [{"role": "user", "content": QUESTIONS[said]}]}
    if way == "invoke":
        agent.invoke(asked)
    elif way == "ainvoke":
        await agent.ainvoke(asked)
    elif way == "stream":
        list(agent.stream(asked, stream_mode="messages"))
    else:
        _ = [chunk async for chunk in agent.astream(asked, stream_mode="messages")]
    assert len(server.requests) == 2
    return server.requests


def takes(client: Client, said: str) -> bool:
    """Whether the model reads what is said: a model that reads text only is told that an image was left out, instead of an error."""
    return said != "an image" or client.reads_images


async def plainly(server: LoopServer, client: Client, model: Any, said: str, way: str) -> list[tuple[str, bytes]]:
    plain = await sent(server, client, create_agent(model, tools(said), system_prompt=PROMPT), said, way)
    assert client.private.encode() in plain[1][1], "the client itself did not send back what it must"
    return plain


@pytest.mark.matrix(one_in=9)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("said", QUESTIONS)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
@pytest.mark.filterwarnings("ignore")  # what a client warns of is between it and its users
async def test_every_byte_is_the_same(client: Client, said: str, rules: str, surface: str, way: str, server: LoopServer) -> None:
    """The request bodies of both turns are what the client sends without routing, its own private data with them."""
    if not takes(client, said) or ("stream" in way and not client.streams):
        pytest.skip("the client or its model does not do this")
    model = client.build(server.base)
    plain = await plainly(server, client, model, said, way)
    # An answer must be streamed to be cut, so a primary with rules is streamed however it is called; this switches it off.
    routed = SURFACES[surface](model, router(model, rules, cutWhenNotStreaming=False), said)
    assert await sent(server, client, routed, said, way) == plain


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("client", [client for client in CLIENTS if client.name in ("openai", "anthropic", "ollama")], ids=lambda client: client.name)
async def test_with_a_rule_an_invoked_primary_sends_what_a_streamed_one_sends(client: Client, surface: str, server: LoopServer) -> None:
    """The one difference that a rule makes: the answer is asked for as a stream, because only a stream can be cut."""
    model = client.build(server.base)
    plain = await plainly(server, client, model, "words", "stream")
    assert await sent(server, client, SURFACES[surface](model, router(model, "a rule for another tool"), "words"), "words", "invoke") == plain
