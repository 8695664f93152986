"""When the credits run out, the small local model takes over, without the web tools: LangChain's own classes over stand-ins for their engines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.tools import BaseTool, tool
from langchain_openai import ChatOpenAI

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say, faults
from tests.support.local_engines import gguf, llama_cpp, mlx_lm  # noqa: F401  # fixtures

ASK = {"messages": [("user", "Fix a.py")]}
WAYS = ("invoke", "ainvoke", "stream", "astream")
SURFACES = ("graph", "middleware", "chat model")


@dataclass
class Engine:
    """One local engine behind a spec: how its answers are scripted, and what its model was shown."""

    spec: str
    provider: dict[str, Any]
    module: Any

    def say(self, *replies: tuple[str, dict[str, Any] | None]) -> None:
        """Each reply is words and the arguments of one call of `edit`, or `None`."""
        for text, arguments in replies:
            if self.spec.startswith("mlx"):
                marked = f'<tool_call>{{"name": "edit", "arguments": {arguments}}}</tool_call>'.replace("'", '"') if arguments else ""
                self.module.SCRIPT.append(text + marked)
            else:
                calls = (("edit", arguments),) if arguments else ()
                self.module.Llama.script.append(self.module.Reply(text, calls))

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self.module.PROMPTS if self.spec.startswith("mlx") else self.module.Llama.requests

    @property
    def seen_tools(self) -> list[list[str]]:
        return [[tool["function"]["name"] for tool in request["tools"] or ()] for request in self.requests]

    @property
    def unused(self) -> list[Any]:
        return self.module.SCRIPT if self.spec.startswith("mlx") else self.module.Llama.script


@pytest.fixture(params=["llama.cpp", "llama.cpp chatml-function-calling", "mlx"])
def engine(request: pytest.FixtureRequest, gguf: Path) -> Engine:  # noqa: F811
    if request.param == "mlx":
        return Engine("mlx/mlx-community/Qwen3-4B-4bit", {}, request.getfixturevalue("mlx_lm"))
    _, _, chat_format = request.param.partition(" ")
    params = {"model_path": str(gguf), "model_kwargs": {"chat_format": chat_format or None}}
    provider = {"api": "community:ChatLlamaCpp", "models": [{"id": "qwen3-4b", "contextWindow": 8192, "params": params}]}
    return Engine("llamacpp/qwen3-4b", provider, request.getfixturevalue("llama_cpp"))


def tools(ran: list[str]) -> list[BaseTool]:
    @tool
    def edit(path: str) -> str:
        """Edit a file."""
        ran.append(path)
        return f"edited {path}"

    @tool
    def web_search(query: str) -> str:
        """Search the web."""
        raise AssertionError("the local model has no web tools")

    return [edit, web_search]


def router_of(engine: Engine, server: FaultServer, **config: Any) -> ToolRouter:
    provider = engine.spec.partition("/")[0]
    return ToolRouter(
        {
            "model": {"primary": "openrouter/big", "fallbacks": [engine.spec]},
            "tools": {"byModel": {f"{provider}/*": {"deny": ["web_*"]}}},
            "models": {"providers": {provider: engine.provider}},
            **config,
        },
        models={"openrouter/big": ChatOpenAI(**server.client("big"))},
    )


def agent_of(surface: str, router: ToolRouter, ran: list[str]) -> Any:
    if surface == "graph":
        return create_toolroute_agent(router, tools(ran))
    if surface == "middleware":
        return create_agent(router.models.get("openrouter/big"), tools(ran), middleware=[ToolRouteMiddleware(router)])
    return create_agent(ToolRoutedChatModel(router=router), tools(ran))


def run(agent: Any, way: str) -> tuple[list[BaseMessage], str]:
    """The messages of the run, and the text that was streamed."""
    if way == "invoke":
        return agent.invoke(ASK)["messages"], ""
    if way == "ainvoke":
        return asyncio.run(agent.ainvoke(ASK))["messages"], ""

    async def collect() -> list[Any]:
        return [event async for event in agent.astream(ASK, stream_mode=["messages", "values"])]

    events = asyncio.run(collect()) if way == "astream" else list(agent.stream(ASK, stream_mode=["messages", "values"]))
    shown = "".join(event[0].text for mode, event in events if mode == "messages" and isinstance(event[0], AIMessageChunk))
    return [event for mode, event in events if mode == "values"][-1]["messages"], shown


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("surface", SURFACES)
def test_the_local_model_takes_over_without_the_web_tools(engine: Engine, surface: str, way: str):
    ran: list[str] = []
    engine.say(("Let me fix that.", {"path": "a.py"}), ("All done.", None))
    with FaultServer({"big": [faults.payment_required()]}) as server:
        messages, shown = run(agent_of(surface, router_of(engine, server), ran), way)
        assert len(server.requests) == 1
    assert ran == ["a.py"]
    assert messages[-1].text.strip() == "All done."
    assert "All done." in shown or way in {"invoke", "ainvoke"}
    assert engine.seen_tools == [["edit"], ["edit"]]
    assert not engine.unused
    (call,) = messages[1].tool_calls  # type: ignore[union-attr]
    assert (call["name"], call["args"]) == ("edit", {"path": "a.py"})
    seen = engine.requests[1]["messages"]
    assert [message["role"] for message in seen][-2:] == ["assistant", "tool"]
    assert seen[-1]["content"] == "edited a.py"


@pytest.mark.parametrize("way", WAYS)
def test_the_local_model_writes_the_calls_that_a_rule_gives_it(engine: Engine, way: str):
    ran: list[str] = []
    engine.say(("", {"path": "a.py"}))
    with FaultServer({"big": [Say("I fix it.", [Call("edit", {"path": "wrong.py"})]), Say("Done.")]}) as server:
        router = router_of(engine, server, toolRouting={"edit": {"primary": engine.spec}})
        messages, _ = run(create_toolroute_agent(router, tools(ran)), way)
    assert ran == ["a.py"]
    assert isinstance(messages[1], AIMessage)
    assert messages[1].response_metadata["toolroute"]["model"] == engine.spec
    assert engine.seen_tools == [["edit"]]


def test_a_call_that_the_local_model_wrote_badly_is_written_once_more(engine: Engine):
    if engine.spec.startswith("llamacpp"):
        engine.module.Llama.script.append(engine.module.Reply('<tool_call>{"name": "edit", "argu'))
    else:
        engine.module.SCRIPT.append('<tool_call>{"name": "edit", "argu')
    engine.say(("", {"path": "a.py"}), ("Done.", None))
    ran: list[str] = []
    with FaultServer({"big": [faults.payment_required()]}) as server:
        messages, _ = run(agent_of("graph", router_of(engine, server), ran), "invoke")
    assert ran == ["a.py"]
    assert messages[-1].text.strip() == "Done."
    assert not engine.unused


async def test_many_runs_at_once_are_answered_one_after_another(engine: Engine):
    """More runs than the event loop has threads; the stand-in refuses two generations at once."""
    engine.say(*[("Hello there.", None)] * 40)
    with FaultServer({"big": [faults.payment_required()] * 40}, strict=False) as server:
        router = router_of(engine, server, health={"quotaS": 3600})
        agent = create_toolroute_agent(router, [])

        async def streamed() -> str:
            return "".join([chunk.text async for chunk, _ in agent.astream(ASK, stream_mode="messages")])

        said = await asyncio.wait_for(asyncio.gather(*[streamed() for _ in range(40)]), 60)
    assert [text.strip() for text in said] == ["Hello there."] * 40
