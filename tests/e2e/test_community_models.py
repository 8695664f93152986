"""Chat models of langchain-community that speak HTTP, in a tool loop: their real classes against a server on the loopback address."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, tool

from lg_toolroute import ToolRoutedChatModel, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say, faults

ASK = {"messages": [("user", "Fix a.py")]}
CLASSES = ("MiniMaxChat", "ChatDeepInfra")
WAYS = ("invoke", "ainvoke", "stream", "astream")


def edit_tool(ran: list[str]) -> BaseTool:
    @tool
    def edit(path: str) -> str:
        """Edit a file."""
        ran.append(path)
        return f"edited {path}"

    return edit


def router_of(cls: str, server: FaultServer, **config: Any) -> ToolRouter:
    url = f"{server.base_url}/chat/completions"
    provider = {"api": f"community:{cls}", "baseUrl": url, "apiKey": "test-key"}
    return ToolRouter({"model": "vendor/big", "models": {"providers": {"vendor": provider}}, **config})


def run(agent: Any, way: str) -> list[Any]:
    if way == "invoke":
        return agent.invoke(ASK)["messages"]
    if way == "ainvoke":
        return asyncio.run(agent.ainvoke(ASK))["messages"]

    async def collect() -> list[Any]:
        return [state async for state in agent.astream(ASK, stream_mode="values")]

    states = asyncio.run(collect()) if way == "astream" else list(agent.stream(ASK, stream_mode="values"))
    return states[-1]["messages"]


def check_history(request: Any) -> None:
    """What an OpenAI-like server refuses: a result without its call, and a call without its result."""
    messages = request.body["messages"]
    called = [call["id"] for message in messages for call in message.get("tool_calls") or ()]
    assert called == [message["tool_call_id"] for message in messages if message["role"] == "tool"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("surface", ["graph", "chat model"])
@pytest.mark.parametrize("cls", CLASSES)
def test_a_community_model_reasons_calls_a_tool_and_reads_its_result(cls: str, surface: str, way: str):
    ran: list[str] = []
    with FaultServer({"big": [Say("I fix it.", [Call("edit", {"path": "a.py"})]), Say("Done.")]}) as server:
        router = router_of(cls, server)
        agent = create_toolroute_agent(router, [edit_tool(ran)])
        if surface == "chat model":
            agent = create_agent(ToolRoutedChatModel(router=router), [edit_tool(ran)])
        messages = run(agent, way)
        assert type(router.models.get("vendor/big")).__name__ == cls
        check_history(server.last)
    assert ran == ["a.py"]
    assert messages[-1].text == "Done."


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cls", CLASSES)
def test_a_community_model_reads_a_call_that_another_model_wrote(cls: str, way: str, monkeypatch: pytest.MonkeyPatch):
    """The history that it gets holds a message of another provider's client."""
    monkeypatch.setenv("DEEPSEEK_API_KEY", "test-key")
    ran: list[str] = []
    script = {"big": [Say("I fix it.", [Call("edit", {"path": "wrong.py"})]), Say("Done.")], "writer": [Say("", [Call("edit", {"path": "a.py"})])]}
    with FaultServer(script) as server:
        providers = {
            "vendor": {"api": f"community:{cls}", "baseUrl": f"{server.base_url}/chat/completions", "apiKey": "test-key"},
            "deepseek": {"baseUrl": server.base_url},
        }
        rules = {"edit": {"primary": "deepseek/writer"}}
        router = ToolRouter({"model": "vendor/big", "toolRouting": rules, "models": {"providers": providers}})
        messages = run(create_toolroute_agent(router, [edit_tool(ran)]), way)
        check_history(server.last)
    assert ran == ["a.py"]
    assert isinstance(messages[1], AIMessage)
    assert messages[1].response_metadata["toolroute"]["model"] == "deepseek/writer"


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_community_model_is_followed_by_the_next_of_its_chain(way: str, monkeypatch: pytest.MonkeyPatch):
    with FaultServer({"big": [faults.payment_required()], "small": [Say("I take over.")]}) as server:
        providers = {
            "vendor": {"api": "community:MiniMaxChat", "baseUrl": f"{server.base_url}/chat/completions", "apiKey": "test-key"},
            "ollama": {"baseUrl": server.base_url},
        }
        chain = {"primary": "vendor/big", "fallbacks": ["ollama/small"]}
        agent = create_toolroute_agent(ToolRouter({"model": chain, "models": {"providers": providers}}), [edit_tool([])])
        last = run(agent, way)[-1]
    assert last.text == "I take over."
    assert [attempt["reason"] for attempt in last.response_metadata["toolroute"]["attempts"]] == ["quota", ""]
