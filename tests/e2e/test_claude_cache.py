"""What a Claude costs that writes routed calls, by the documented rules of its prompt cache, against the same Claude as an agent of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_anthropic import ChatAnthropic
from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Say, ScriptedModel
from tests.support.claude import ClaudeServer, Prices, Says, call, text
from tests.support.claude.prompt_cache import blocks, shorter_first
from tests.support.documented import check_table

CLAUDE, PRIMARY = "anthropic/claude-sonnet-5", "acme/primary"
CALLS = 8
PRICES = Prices(input=3.0, output=15.0)
SYSTEM = "You mend programs. " + "Be exact. " * 400
STORY: list[BaseMessage] = [
    HumanMessage("Mend the project."),
    AIMessage("I read.", tool_calls=[{"name": "edit", "args": {"path": "b.py", "text": "1"}, "id": "call_0"}]),
    ToolMessage("line of the file\n" * 7_000, tool_call_id="call_0", name="edit"),
    HumanMessage("Go on, file by file."),
]
"""About 32,000 tokens: the median at a routed call of recorded sessions."""


def edit(path: str, text: str) -> str:
    """Change a file."""
    return f"{path} is now {text}, and its tests pass. " * 20


def write(path: str, text: str) -> str:
    """Make a file."""
    return f"{path} is made."


def claude(server: ClaudeServer, **settings: Any) -> ChatAnthropic:
    return ChatAnthropic(model="claude-sonnet-5", base_url=server.base, api_key="none", max_retries=0, max_tokens=999, **settings)


def primary(tools: Sequence[str] = ("edit",)) -> ScriptedModel:
    says = [Say(f"Now file {n}.", [Call(tools[n % len(tools)], {"path": f"{n}.py", "text": "?"})]) for n in range(CALLS)]
    return ScriptedModel([*says, Say("Done.")], name=PRIMARY)


def asked_for(body: Any) -> Says:
    """The call that the request is for; the last request of an agent is answered with text."""
    done = sum(block["type"] == "tool_use" for message in body["messages"] for block in blocks(message["content"])) > CALLS
    tool = "write" if "`write`" in blocks(body["messages"][-1]["content"])[-1].get("text", "") else "edit"
    return Says(text("Done.")) if done else Says(call(tool, path="a.py", text="x = 1\n" * 100))


class MarksTheLastMessage(AgentMiddleware[Any, Any]):
    """An application's own cache middleware, which marks the last block of the request's last message."""

    def wrap_model_call(self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]) -> ModelResponse[Any]:
        return handler(self._marked(request))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        return await handler(self._marked(request))

    def _marked(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        *before, last = request.messages
        if isinstance(last, ToolMessage) or not isinstance(request.model, ChatAnthropic):
            return request
        content = [{"type": "text", "text": last.content}] if isinstance(last.content, str) else list(last.content)
        content[-1] = {**content[-1], "cache_control": {"type": "ephemeral"}}
        return request.override(messages=[*before, last.model_copy(update={"content": content})])


def unrouted(server: ClaudeServer, tools: list[Any]) -> Any:
    return create_agent(claude(server), tools, system_prompt=SYSTEM, middleware=[AnthropicPromptCachingMiddleware()])


def in_middleware(*around: str, config: dict[str, Any] | None = None) -> Callable[[ClaudeServer, list[Any]], Any]:
    def build(server: ClaudeServer, tools: list[Any]) -> Any:
        names = [tool.__name__ for tool in tools]
        router = ToolRouter({"toolRouting": dict.fromkeys(names, CLAUDE), **(config or {})}, models={CLAUDE: claude(server)})
        cache = {"outer": AnthropicPromptCachingMiddleware(unsupported_model_behavior="ignore"), "own": MarksTheLastMessage()}
        cache["inner"] = cache["outer"]
        before, after = ([cache[name] for name in around if name in group] for group in (("outer",), ("inner", "own")))
        return create_agent(primary(names), tools, system_prompt=SYSTEM, middleware=[*before, ToolRouteMiddleware(router), *after])

    return build


def in_graph(server: ClaudeServer, tools: list[Any], config: dict[str, Any] | None = None) -> Any:
    names = [tool.__name__ for tool in tools]
    document = {"model": PRIMARY, "toolRouting": dict.fromkeys(names, CLAUDE), **(config or {})}
    router = ToolRouter(document, models={CLAUDE: claude(server), PRIMARY: primary(names)})
    return create_toolroute_agent(router, tools, system_prompt=SYSTEM)


def in_chat_model(server: ClaudeServer, tools: list[Any]) -> Any:
    names = [tool.__name__ for tool in tools]
    router = ToolRouter({"model": PRIMARY, "toolRouting": dict.fromkeys(names, CLAUDE)}, models={CLAUDE: claude(server), PRIMARY: primary(names)})
    return create_agent(ToolRoutedChatModel(router=router), tools, system_prompt=SYSTEM)


ROUTED = {
    "graph, `promptCache: auto`": in_graph,
    "chat model, `promptCache: auto`": in_chat_model,
    "middleware, `promptCache: auto`": in_middleware(),
    "middleware, `AnthropicPromptCachingMiddleware` listed after it": in_middleware("inner"),
    "middleware, a cache middleware that marks the last message": in_middleware("own"),
}


async def spent(build: Callable[[ClaudeServer, list[Any]], Any], tools: list[Any], *, asynchronous: bool = False) -> tuple[float, float, Any]:
    """Dollars that Claude's eight calls cost, what they cost at list price, and the requests."""
    seconds = count(0, 60)
    with ClaudeServer(asked_for, clock=lambda: float(next(seconds))) as server:
        agent = build(server, tools)
        given = {"messages": STORY}
        _ = await agent.ainvoke(given) if asynchronous else agent.invoke(given)
        assert server.refused == []
        calls = server.received[:CALLS]
        assert len(calls) == CALLS
        return sum(PRICES.of(each.usage) for each in calls), sum(PRICES.uncached(each.usage) for each in calls), calls


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_routed_claude_costs_what_it_costs_unrouted(asynchronous: bool) -> None:
    alone, list_price, _ = await spent(unrouted, [edit], asynchronous=asynchronous)
    rows = {"the same Claude as an agent, unrouted": alone / list_price}
    for name, build in ROUTED.items():
        cost, listed, calls = await spent(build, [edit], asynchronous=asynchronous)
        assert cost <= 1.10 * alone, name
        assert all(each.usage.read > 30_000 for each in calls[1:]), name
        assert not any(shorter_first(each.body) for each in calls)
        rows[name] = cost / listed
    off = (await spent(lambda server, tools: in_graph(server, tools, OFF), [edit]))[:2]
    rows["graph, `promptCache: off`"] = off[0] / off[1]
    assert off[0] == off[1]
    table = "\n".join(f"| {name} | {share:.0%} |" for name, share in rows.items())
    if not asynchronous:
        check_table("histories.md", "claude-cache", f"| eight calls of Claude, a minute apart | cost, % of list price |\n|---|---|\n{table}")


OFF = {"models": {"providers": {"anthropic": {"promptCache": "off"}}}}


async def test_an_outer_cache_middleware_that_leaves_another_primary_alone_leaves_the_markers_to_us() -> None:
    alone, _, _ = await spent(unrouted, [edit])
    cost, _, _ = await spent(in_middleware("outer"), [edit])
    assert cost <= 1.10 * alone


async def test_between_two_tools_of_one_route_list_and_choice_stay_so_that_the_cache_is_read() -> None:
    whole = {"toolRouting": {name: {"model": CLAUDE, "handoff": "full"} for name in ("edit", "write")}}
    _, _, calls = await spent(lambda server, tools: in_graph(server, tools, whole), [edit, write])
    assert {str(each.body["tool_choice"]) for each in calls} == {"{'type': 'any'}"}
    assert len({str(each.body["tools"]) for each in calls}) == 1
    assert all(each.usage.read > 30_000 for each in calls[1:])


async def test_a_claude_that_is_asked_again_long_after_finds_its_last_entry() -> None:
    """More than twenty places lie between two calls of the writer: the fourth marker stands where the last one stood then."""
    says = [Say("First.", [Call("edit", {"path": "0.py", "text": "?"})])]
    says += [Say(f"Look {n}.", [Call("write", {"path": f"{n}.py", "text": "?"})]) for n in range(14)]
    says += [Say("Last.", [Call("edit", {"path": "1.py", "text": "?"})]), Say("Done.")]
    with ClaudeServer(Says(call("edit", path="a.py", text="x"))) as server:
        model = ScriptedModel(says, name=PRIMARY)
        router = ToolRouter({"model": PRIMARY, "toolRouting": {"edit": CLAUDE}}, models={CLAUDE: claude(server), PRIMARY: model})
        create_toolroute_agent(router, [edit, write], system_prompt=SYSTEM).invoke({"messages": STORY})
        first, second = server.received
        assert second.usage.read >= first.usage.written > 30_000


@pytest.mark.parametrize("place", ["provider", "model"])
@pytest.mark.parametrize("spelling", ["promptCache", "prompt_cache"])
def test_prompt_cache_off_is_read_at_the_provider_and_at_the_model_which_goes_first(place: str, spelling: str) -> None:
    entry = {"id": "claude-sonnet-5", spelling: "off"}
    provider = {spelling: "off"} if place == "provider" else {spelling: "auto", "models": [entry]}
    router = ToolRouter({"model": PRIMARY, "models": {"providers": {"anthropic": provider}}}, models={PRIMARY: primary(), CLAUDE: primary()})
    assert router.models.facts(CLAUDE).prompt_cache == "off"
    assert router.models.facts("anthropic/another").prompt_cache == ("off" if place == "provider" else "auto")


def test_an_applications_own_markers_stay_where_they_are_when_nothing_of_ours_stands_behind_them() -> None:
    sent = {}
    for routed in (False, True):
        with ClaudeServer(Says(call("edit", path="a.py", text="x")), Says(text("Done."))) as server:
            router = ToolRouter({"toolRouting": {"write": PRIMARY}}, models={PRIMARY: primary()})
            middleware: list[Any] = [AnthropicPromptCachingMiddleware(), *([ToolRouteMiddleware(router)] if routed else [])]
            create_agent(claude(server), [edit, write], system_prompt=SYSTEM, middleware=middleware).invoke({"messages": STORY})
            sent[routed] = [{**body, "stream": None} for body in server.bodies]
    assert sent[True] == sent[False]
    assert sent[True][0]["cache_control"] == {"type": "ephemeral", "ttl": "5m"}
