"""What a client keeps for its own API comes back to it also from a message whose call another model wrote; what is bound to that call does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from tests.support.tool_loop.clients import CLIENTS, DETAILED, Client
from tests.support.tool_loop.dialects import CALL_ID, DETAILS, THOUGHT, WORDS, completions
from tests.support.tool_loop.server import LoopServer

BY_NAME = {client.name: client for client in CLIENTS}
THINKERS = [BY_NAME[name] for name in ("moonshot", "fireworks", "openrouter", "bedrock converse", "litellm", "anthropic", "ollama")]
SURFACES = ("graph", "middleware", "chat model")


@tool
def read(path: str) -> str:
    """Read a file."""
    return "x = 1"


@pytest.fixture
def servers() -> Iterator[tuple[LoopServer, LoopServer]]:
    """The primary's server and the writer's."""
    pair = LoopServer(), LoopServer()
    yield pair
    for server in pair:
        server.close()


def run(surface: str, models: dict[str, Any], primary: str, *, streamed: bool) -> None:
    config = {"model": {"primary": primary, "fallbacks": []}, "toolRouting": {"read": {"primary": "elsewhere/writer"}}}
    router = ToolRouter(config, models=models)
    agent: Any = create_toolroute_agent(router, [read])
    if surface == "middleware":
        agent = create_agent(models[primary], [read], middleware=[ToolRouteMiddleware(router)])
    elif surface == "chat model":
        agent = create_agent(ToolRoutedChatModel(router=router), [read])
    asked = {"messages": [("user", "Fix a.py")]}
    if streamed:
        list(agent.stream(asked, stream_mode="messages"))
    else:
        agent.invoke(asked)


def writer_on(server: LoopServer) -> Any:
    server.begin(completions())
    return BY_NAME["openai"].build(server.base)


@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("client", THINKERS, ids=lambda client: client.name)
@pytest.mark.filterwarnings("ignore")  # what a client warns of is between it and its users
def test_thoughts_come_back_beside_a_call_that_another_model_wrote(
    client: Client, surface: str, streamed: bool, servers: tuple[LoopServer, LoopServer]
) -> None:
    """The primary is cut at the tool's name; its next request has its thoughts as it thought them, its words, and the writer's call."""
    here, there = servers
    primary = client.build(here.base)
    models = {"here/model": primary, "elsewhere/writer": writer_on(there)}
    here.begin(client.writer)
    run(surface, models, "here/model", streamed=streamed)
    body = here.bodies()[1]
    assert len(there.requests) == 1
    text = json.dumps(body)
    assert WORDS in text
    assert '"a.py' in text.replace("\\", "")
    if client.private:
        assert THOUGHT in text


def assistant(server: LoopServer) -> dict[str, Any]:
    (message,) = [message for message in server.bodies()[1]["messages"] if message["role"] == "assistant"]
    return message


@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
@pytest.mark.parametrize("built", ["by the router", "by its own package"])
def test_a_signature_of_gemini_stays_with_the_call_that_it_signs(built: str, streamed: bool, servers: tuple[LoopServer, LoopServer]) -> None:
    """Behind OpenRouter the writer's call carries the documented mark for calls of others, never the signature of the call that was cut."""
    here, there = servers
    spec = "openrouter/google/gemini-3-pro-preview"
    own = None if built == "by the router" else BY_NAME["openrouter"].build(here.base)
    models = {"elsewhere/writer": writer_on(there), **({spec: own} if own is not None else {})}
    here.begin(DETAILED)
    config = {
        "model": {"primary": spec, "fallbacks": []},
        "toolRouting": {"read": {"primary": "elsewhere/writer"}},
        "models": {"providers": {"openrouter": {"baseUrl": f"{here.base}/v1", "apiKey": "loopback"}}},
    }
    agent = create_toolroute_agent(ToolRouter(config, models=models), [read])
    if streamed:
        list(agent.stream({"messages": [("user", "Fix a.py")]}, stream_mode="messages"))
    else:
        agent.invoke({"messages": [("user", "Fix a.py")]})
    message = assistant(here)
    call_id = message["tool_calls"][0]["id"]
    details = message["reasoning_details"]
    assert call_id != CALL_ID
    assert THOUGHT in "".join(entry.get("text") or "" for entry in details)
    assert [(entry["id"], entry["data"]) for entry in details if entry["type"] == "reasoning.encrypted"] == [
        (call_id, "skip_thought_signature_validator")
    ]


@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
def test_gemini_behind_openrouter_survives_its_tool_loop_from_a_config(streamed: bool, servers: tuple[LoopServer, LoopServer]) -> None:
    """OpenRouter refuses a call of Gemini 3 without its `reasoning_details`; they come back as they came, the pieces of a stream put together."""
    here, _ = servers
    here.begin(DETAILED)
    config = {
        "model": {"primary": "openrouter/google/gemini-3-pro-preview", "fallbacks": []},
        "models": {"providers": {"openrouter": {"baseUrl": f"{here.base}/v1", "apiKey": "loopback"}}},
    }
    agent = create_toolroute_agent(ToolRouter(config), [read])
    if streamed:
        list(agent.stream({"messages": [("user", "Fix a.py")]}, stream_mode="messages"))
    else:
        agent.invoke({"messages": [("user", "Fix a.py")]})
    message = assistant(here)
    assert message["reasoning_details"] == DETAILS
    assert message["tool_calls"][0]["id"] == CALL_ID
