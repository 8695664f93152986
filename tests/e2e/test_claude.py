"""Claude's own ways, over the real client, on every surface: server-side tools, the order of blocks, thinking bound to its prefix, and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from lg_toolroute import ChainExhausted, ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say, ScriptedModel
from tests.support.claude import ClaudeServer, Says, call, redacted, searched, text, thought
from tests.support.claude.prompt_cache import blocks, plain

CLAUDE, WRITER = "anthropic/claude-opus-5-5", "acme/writer"
SURFACES = ["graph", "middleware", "chat"]
WAYS = ["invoke", "stream", "ainvoke", "astream"]
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def edit(path: str, text: str) -> str:
    """Change a file."""
    return f"{path} is now {text}"


def read(path: str) -> str:
    """Read a file."""
    return f"the text of {path}"


def claude(server: ClaudeServer, **settings: Any) -> ChatAnthropic:
    return ChatAnthropic(model="claude-opus-5-5", base_url=server.base, api_key="none", max_retries=0, max_tokens=999, **settings)


def agent_of(surface: str, model: Any, *, rules: bool, tools: Sequence[Any] = (edit, read, SEARCH)) -> Any:
    writer = ScriptedModel([Say(calls=[Call("edit", {"path": "a.py", "text": "good"})])], name=WRITER, loop=True)
    # With nothing at all to do, the middleware would leave the call to the agent.
    config: dict[str, Any] = {"toolRouting": {"edit": WRITER}} if rules else {"fallbacks": [WRITER]}
    if surface == "plain":
        return create_agent(model, list(tools))
    if surface == "middleware":
        return create_agent(model, list(tools), middleware=[ToolRouteMiddleware(ToolRouter(config, models={WRITER: writer}))])
    router = ToolRouter({"model": CLAUDE, **config}, models={CLAUDE: model, WRITER: writer})
    return create_toolroute_agent(router, list(tools)) if surface == "graph" else create_agent(ToolRoutedChatModel(router=router), list(tools))


async def run(agent: Any, how: str, messages: Sequence[BaseMessage] = (HumanMessage("Fix a.py."),), **settings: Any) -> list[BaseMessage]:
    given = {"messages": list(messages)}
    if how == "invoke":
        return agent.invoke(given, **settings)["messages"]
    if how == "ainvoke":
        return (await agent.ainvoke(given, **settings))["messages"]
    modes: Any = ["values", "messages"]
    if how == "stream":
        states = [state for mode, state in agent.stream(given, stream_mode=modes, **settings) if mode == "values"]
    else:
        states = [state async for mode, state in agent.astream(given, stream_mode=modes, **settings) if mode == "values"]
    return states[-1]["messages"]


def came_back(server: ClaudeServer, place: int = 1) -> list[dict[str, Any]]:
    """The first assistant message of a request, as it came back to Claude."""
    first = next(message for message in server.bodies[place]["messages"] if message["role"] == "assistant")
    return [plain(block) for block in blocks(first["content"])]


def kinds(content: Sequence[dict[str, Any]]) -> list[str]:
    return [block.get("name") or block["type"] for block in content]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("rules", [False, True])
async def test_server_side_tools_pass_untouched_and_every_block_keeps_its_place(surface: str, how: str, rules: bool) -> None:
    said = (thought("So."), text("I look."), *searched("bug"), call("read", path="a.py"), thought("And."), call("edit", path="a.py", text="bad"))
    with ClaudeServer(Says(*said), Says(text("Done."))) as server:
        messages = await run(agent_of(surface, claude(server), rules=rules), how)
        assert server.refused == []
        assert messages[-1].text == "Done."
        assert [made["name"] for message in messages if isinstance(message, AIMessage) for made in message.tool_calls] == ["read", "edit"]
        back = came_back(server)
        order = ["thinking", "text", "web_search", "web_search_tool_result", "read", "thinking", "edit"]
        assert kinds(back) == order
        assert back[-1]["input"]["text"] == ("good" if rules else "bad")
        assert back[2]["input"] == {"query": "bug"}


@pytest.mark.parametrize("how", ["invoke", "astream"])
@pytest.mark.parametrize("surface", SURFACES)
async def test_without_rules_claude_is_sent_what_a_plain_agent_sends(surface: str, how: str) -> None:
    said = Says(thought("So."), *searched("bug"), text("Found."), call("edit", path="a.py", text="x"), thought(), redacted())
    sent = {}
    for each in ("plain", surface):
        with ClaudeServer(said, Says(text("Done."))) as server:
            await run(agent_of(each, claude(server), rules=False), how)
            sent[each] = [body["messages"] for body in server.bodies]
            assert server.refused == []
    assert sent[surface] == sent["plain"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("surface", SURFACES)
async def test_a_search_that_waits_for_the_results_of_a_call_goes_back_waiting_and_its_late_result_too(surface: str, how: str) -> None:
    asked, found = searched("bug")
    both = Says(text("Both."), asked, call("edit", path="a.py", text="x"))
    with ClaudeServer(both, Says(found, text("Read on."), call("read", path="a.py")), Says(text("Done."))) as server:
        messages = await run(agent_of(surface, claude(server), rules=True), how)
        assert server.refused == []
        assert messages[-1].text == "Done."
        assert kinds(came_back(server, 2)) == ["text", "web_search", "edit"]
        assert kinds(blocks(server.bodies[2]["messages"][3]["content"])) == ["web_search_tool_result", "text", "read"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("rules", [False, True])
async def test_a_pause_is_gone_on_from_with_the_message_as_it_stands(surface: str, how: str, rules: bool) -> None:
    asked, found = searched("bug")
    first, second = Says(thought("So."), text("I look."), asked, stop="pause_turn"), Says(found, *searched("cause", "srvtoolu_2"), stop="pause_turn")
    with ClaudeServer(first, second, Says(thought("Yes."), text("It is this."), call("edit", path="a.py", text="x")), Says(text("Done."))) as server:
        messages = await run(agent_of(surface, claude(server), rules=rules), how)
        assert server.refused == []
        assert [type(message).__name__ for message in messages] == ["HumanMessage", "AIMessage", "ToolMessage", "AIMessage"]
        assert messages[-1].text == "Done."
        assert [body["messages"][-1]["role"] for body in server.bodies] == ["user", "assistant", "assistant", "user"]
        search = ["web_search", "web_search_tool_result"]
        assert kinds(came_back(server, 3)) == ["thinking", "text", *search, *search, "thinking", "text", "edit"]
        usage = messages[1].usage_metadata
        assert usage is not None
        assert usage["input_tokens"] >= sum(each.usage.input for each in server.received[:2])


@pytest.mark.parametrize("how", ["invoke", "astream"])
async def test_a_model_that_only_pauses_is_given_up(how: str) -> None:
    with ClaudeServer(Says(text("Hm."), *searched("bug"), stop="pause_turn")) as server:
        router = ToolRouter({"model": CLAUDE}, models={CLAUDE: claude(server)})
        with pytest.raises(ChainExhausted) as caught:
            await run(create_toolroute_agent(router, [edit, SEARCH]), how)
        assert "the answer ended with the finish reason 'pause_turn'" in str(caught.value.exceptions[0])
        assert len(server.bodies) == 22  # eleven, and once more after it was told what was wrong


@pytest.mark.parametrize("hidden", [thought("Hm."), redacted()])
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("surface", SURFACES)
async def test_thinking_behind_an_instruction_that_is_not_stored_is_not_kept(surface: str, how: str, hidden: dict[str, Any]) -> None:
    cut_off = Says(text("I read"), stop="max_tokens")
    with ClaudeServer(cut_off, Says(hidden, text(" it."), call("read", path="a.py")), Says(hidden, text("Done."))) as server:
        messages = await run(agent_of(surface, claude(server), rules=True), how)
        assert server.refused == []
        assert len(server.bodies) == 3
        assert (messages[1].text, messages[-1].text) == ("I read it.", "Done.")
        assert kinds(came_back(server, 2)) == ["text", "text", "read"]
        assert hidden["type"] in str(messages[-1].content)  # behind nothing but the thread: kept


@pytest.mark.parametrize("surface", SURFACES)
async def test_thinking_behind_a_drained_call_of_another_writer_is_not_kept(surface: str) -> None:
    said = Says(thought("One."), call("edit", path="a.py", text="bad"), thought("Two."), call("read", path="a.py"))
    for how in WAYS:
        with ClaudeServer(said, Says(text("Done."))) as server:
            agent = drained(surface, claude(server))
            messages = await run(agent, how)
            assert server.refused == []
            assert messages[-1].text == "Done."
            assert kinds(came_back(server)) == ["thinking", "edit", "read"]


def drained(surface: str, model: Any, mode: str = "drain") -> Any:
    writer = ScriptedModel([Say(calls=[Call("edit", {"path": "a.py", "text": "good"})])], name=WRITER, loop=True)
    config = {"toolRouting": {"edit": {"model": WRITER, "onIntercept": mode}}}
    if surface == "middleware":
        return create_agent(model, [edit, read], middleware=[ToolRouteMiddleware(ToolRouter(config, models={WRITER: writer}))])
    router = ToolRouter({"model": CLAUDE, **config}, models={CLAUDE: model, WRITER: writer})
    return create_toolroute_agent(router, [edit, read]) if surface == "graph" else create_agent(ToolRoutedChatModel(router=router), [edit, read])


async def test_thinking_behind_other_tools_is_not_sent_and_comes_back_with_them() -> None:
    config = {
        "agents": {
            "defaults": {"model": {"primary": CLAUDE}},
            "entries": {"reader": {"tools": {"deny": ["edit"]}}, "writer": {}},
        }
    }
    with ClaudeServer(Says(thought("Hm."), text("Said."))) as server:
        agent = create_toolroute_agent(ToolRouter(config, models={CLAUDE: claude(server)}), [edit, read])
        thread: list[BaseMessage] = []
        for name in ("writer", "reader", "reader", "writer"):
            thread = await run(agent, "invoke", [*thread, HumanMessage("Go on.")], context={"agent": name})
        assert server.refused == []
        sent = [[kinds(blocks(message["content"])) for message in body["messages"] if message["role"] == "assistant"] for body in server.bodies]
        thinks, speaks = ["thinking", "text"], ["text"]
        assert sent == [[], [speaks], [speaks, thinks], [thinks, speaks, speaks]]


@pytest.mark.parametrize("mode", ["cut", "drain"])
@pytest.mark.parametrize("how", ["invoke", "astream"])
@pytest.mark.parametrize("surface", SURFACES)
async def test_the_strict_server_takes_back_what_a_routed_thread_keeps_of_claude(surface: str, how: str, mode: str) -> None:
    wrong = {"path": "a.py", "text": "bad"}
    both = Say("I look.", [Call("read", {"path": "a.py"}), Call("edit", wrong), Call("read", {"path": "b.py"})])
    # The second turn is cut off, and gone on with behind an instruction that is not stored.
    script = [both, Say("And", finish_reason="length"), Say(" now.", [Call("read", {"path": "c.py"})]), Say("Done.")]
    with FaultServer({"claude-opus-5-5": script}, profile="claude-5.5") as server:
        model = ChatAnthropic(model="claude-opus-5-5", base_url=server.url.removesuffix("/v1"), api_key="none", max_retries=0, max_tokens=999)
        messages = await run(drained(surface, model, mode), how)
        assert [request.status for request in server.requests] == [200] * 4
        assert messages[-1].text == "Done."
        assert "thinking" in str(server.requests[-1].body["messages"])
