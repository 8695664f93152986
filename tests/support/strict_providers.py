"""Models as their providers serve them: servers that refuse what they refuse, a router that talks to them, and runs of its agents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say, ServerRequest
from tests.support.one_turn import SURFACES, TOOLS, A

KIMI, DEEPSEEK = "kimi/kimi-for-coding", "deepseek/deepseek-v4-pro"
PLAIN = "plain/gpt-4o"
ARGS = {"path": "a.py"}
WAYS = ["invoke", "ainvoke", "stream", "astream"]


@dataclass(frozen=True)
class Row:
    """A model as a provider serves it.

    Attributes:
        profile: What the server refuses.
        rung: Where it comes to stand.
        provider: Its section of the configuration, beside the base URL.
        params: Settings of the model.
        extra: Requests that it costs to find out, the first time.
        off: The rung it stands on with thinking switched off; `None` where that is not possible.
        native: Its client is not OpenAI's.
    """

    profile: str
    rung: str
    provider: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    extra: int = 0
    off: str | None = None
    native: bool = False


THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4096}
ANTHROPIC = {"api": "anthropic"}
ROWS: Mapping[str, Row] = {
    DEEPSEEK: Row("deepseek-v4", "none", off="name"),
    "moonshot/kimi-k2.6": Row("kimi-k2.6", "none", off="name"),
    "moonshot/kimi-k2.7-code": Row("kimi-k2.7-code", "none"),
    KIMI: Row("kimi-for-coding", "none"),
    "moonshot/kimi-k3": Row("kimi-k3", "required"),
    "qwen/qwen3.6-plus": Row("qwen-thinking", "none", off="name"),
    "zai/glm-5.1": Row("zai-glm", "none", off="none"),
    "openrouter/z-ai/glm-4.7": Row("openrouter", "none", extra=1),
    "lmstudio/qwen3-30b-a3b": Row("lmstudio", "required"),
    "anthropic/claude-opus-5-5": Row("claude-5.5", "none", ANTHROPIC, native=True),
    "anthropic/claude-sonnet-4-6": Row("claude-4.5", "none", ANTHROPIC, THINKING, off="name", native=True),
    "claude/claude-opus-4-6": Row("claude-4.5", "name", ANTHROPIC, native=True),
    "ollama/gpt-oss:20b": Row("ollama", "none"),
    "local/qwen3:8b": Row("ollama", "none", {"api": "ollama"}, off="none", native=True),
    "groq/llama-3.3-70b-versatile": Row("groq", "name"),
    "mine/deepseek-v4-flash": Row("deepseek-v4", "none", extra=1),
    "mine/kimi-k2.5": Row("kimi-k2.6", "none", extra=1),
    "mine/qwen3.7-plus": Row("qwen-thinking", "none", extra=1),
    PLAIN: Row("openai", "name"),
}
"""The table of what happens to a forced choice, as servers; `mine` is a provider of which nothing is known."""


def is_instructed(request: ServerRequest) -> bool:
    """Whether the request ends with the instruction to write a routed call."""
    return "of the tool" in str(request.messages[-1])


def answer(request: ServerRequest) -> Any:
    """Words and a call of `edit` to a person; to the instruction, the call that it asks for."""
    if is_instructed(request):
        return Say(calls=[Call("edit", ARGS)])
    return Say("Let me fix that.", [Call("edit", {"path": "dropped" * 9})], chunks=4)


class World:
    """A server as strict as the providers of some models, and a router that talks to it."""

    def __init__(
        self, *specs: str, answers: Mapping[str, Callable[[ServerRequest], Any]] | None = None, profiles: Mapping[str, str] | None = None
    ) -> None:
        self.specs = specs
        named = {**{spec: ROWS[spec].profile for spec in specs if spec in ROWS}, **(profiles or {})}
        self.server = FaultServer(profile={spec.partition("/")[2]: profile for spec, profile in named.items()})
        for spec in specs:
            self.server.answer(spec.partition("/")[2], (answers or {}).get(spec, answer))

    def __enter__(self) -> World:
        self.server.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.server.__exit__(*error)

    def router(self, config: Mapping[str, Any], **more: Any) -> ToolRouter:
        providers: dict[str, dict[str, Any]] = {}
        for spec in self.specs:
            provider, _, model = spec.partition("/")
            row = ROWS.get(spec, ROWS[PLAIN])
            section = providers.setdefault(provider, {"baseUrl": self.server.base_url, "apiKey": "key", "models": [], **row.provider})
            if row.native:
                section["baseUrl"] = self.server.url
            section["models"].append({"id": model, "params": dict(row.params)})
        document = {"models": {"providers": providers}, **config}
        for provider, further in (config.get("providers") or {}).items():
            providers[provider].update(further)
        document.pop("providers", None)
        return ToolRouter(document, **more)

    def asked(self, spec: str, since: int = 0) -> list[ServerRequest]:
        return [request for request in self.server.requests[since:] if request.model == spec.partition("/")[2]]


def turn(router: ToolRouter, primary: str, surface: str = "graph", how: str = "invoke", **state: Any) -> AIMessage:
    """The message of one turn, up to the first tool."""
    agent = SURFACES[surface](router, {A: own_model(router, primary)})
    message = consumed(agent, how, "Fix it.", **state)[-1]
    assert isinstance(message, AIMessage)
    return message


def conversation(
    router: ToolRouter, primary: str, surface: str, how: str, *questions: str, tools: Sequence[BaseTool] = TOOLS
) -> list[AnyMessage]:
    """The messages of a thread in which each question is answered with as many turns and tools as it takes."""
    settings: Any = {"system_prompt": "Be brief.", "checkpointer": InMemorySaver()}
    if surface == "graph":
        agent: Any = create_toolroute_agent(router, list(tools), **settings)
    elif surface == "chat model":
        agent = create_agent(ToolRoutedChatModel(router=router), list(tools), **settings)
    else:
        routing = ToolRouteMiddleware(router, durable=surface == "durable middleware")
        agent = create_agent(own_model(router, primary), list(tools), middleware=[routing], **settings)
    return [consumed(agent, how, question) for question in questions][-1]


def own_model(router: ToolRouter, primary: str) -> Any:
    """The primary as an agent's own model."""
    return router.models.get(primary, dict(router.book.params(primary)))


def consumed(agent: Any, how: str, question: str, **state: Any) -> list[AnyMessage]:
    """The messages of a thread behind one more question, asked in one of `WAYS`."""
    thread: Any = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [HumanMessage(question)], **state}

    async def awaited() -> None:
        if how == "ainvoke":
            await agent.ainvoke(asked, thread)
        else:
            assert [event async for event in agent.astream(asked, thread, stream_mode=["messages", "updates"])]

    if how == "invoke":
        agent.invoke(asked, thread)
    elif how == "stream":
        assert list(agent.stream(asked, thread, stream_mode=["messages", "updates"]))
    else:
        asyncio.run(awaited())
    return list(agent.get_state(thread).values["messages"])


def record(message: AIMessage) -> Any:
    """What was noted of the turn."""
    return message.response_metadata["toolroute"]


def written_by(message: AIMessage) -> str:
    """Who wrote the call of `edit` that landed."""
    [call] = message.tool_calls
    assert (call["name"], call["args"]) == ("edit", ARGS)
    return str(record(message)["calls"][call["id"]])


def sent(request: ServerRequest) -> str:
    """The rung on which a call was asked for."""
    return {None: "none", "any": "required"}.get(request.tool_choice, "name")
