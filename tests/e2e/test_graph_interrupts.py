"""A thread that is interrupted at any node and resumed, also by another process: no call is written twice, no tool runs twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command, interrupt

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel
from tests.support.folder_agents import DEEPSEEK, KIMI, LOCAL, Folder, ai, ask, called, routed

EDIT = {"path": "a.py", "old": "x = 1", "new": "x = 2"}
THREAD = {"configurable": {"thread_id": "1"}}
NODES = ["route", "policy", "model", "tools", "fallback"]


def models() -> dict[str, ScriptedModel]:
    """Every node is passed at least once: kept calls, a routed call, a candidate that fails, tools."""
    return {
        KIMI: ScriptedModel([Say("Both.", [Call("read", {"path": "a.py"}), Call("edit", {})]), Say("Done.")], name=KIMI),
        DEEPSEEK: ScriptedModel([Fail(ConnectionError("refused"))], name=DEEPSEEK),
        LOCAL: ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=LOCAL),
    }


RULES = {"edit": {"primary": DEEPSEEK, "fallbacks": [LOCAL]}}


def to_the_end(agent: Any) -> list[Any]:
    """Resume as often as there is something to resume."""
    for _ in range(30):
        if not agent.get_state(THREAD).next:
            return agent.get_state(THREAD).values["messages"]
        agent.invoke(None, THREAD)
    raise AssertionError("the run did not end after thirty resumes")


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("node", [*NODES, "*"])
def test_a_thread_interrupted_at_a_node_and_resumed_asks_each_model_once(node: str, where: str):
    scripted, folder = models(), Folder()
    nodes = NODES if node == "*" else [node]
    agent = routed(scripted, rules=RULES, folder=folder, checkpointer=InMemorySaver(), **{f"interrupt_{where}": nodes})
    agent.invoke(ask(), THREAD)
    messages = to_the_end(agent)
    for model in scripted.values():
        model.assert_done()
    assert sorted(folder.ran, key=lambda ran: ran[0]) == [("edit", EDIT), ("read", {"path": "a.py"})]  # two tasks of one step, in any order
    assert called(ai(messages)[0]) == [("read", {"path": "a.py"}), ("edit", EDIT)]
    assert [message.type for message in messages] == ["human", "ai", "tool", "tool", "ai"]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_each_step_may_be_resumed_by_another_process(tmp_path: Path, durability: str):
    """A new agent, a new router and a new connection for every single step; only the models' scripts go on."""
    scripted, folder = models(), Folder()
    state: Any = ask()
    for _ in range(30):
        with SqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
            agent = routed(scripted, rules=RULES, folder=folder, checkpointer=saver, interrupt_before="*")
            agent.invoke(state, THREAD, durability=durability)
            state = None
            if not agent.get_state(THREAD).next:
                break
    for model in scripted.values():
        model.assert_done()
    assert sorted(folder.ran, key=lambda ran: ran[0]) == [("edit", EDIT), ("read", {"path": "a.py"})]  # two tasks of one step, in any order


async def test_an_asynchronous_thread_is_resumed_at_every_node(tmp_path: Path):
    scripted, folder = models(), Folder()
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        agent = routed(scripted, rules=RULES, folder=folder, checkpointer=saver, interrupt_before="*")
        await agent.ainvoke(ask(), THREAD)
        while (await agent.aget_state(THREAD)).next:
            await agent.ainvoke(None, THREAD)
    for model in scripted.values():
        model.assert_done()
    assert sorted(folder.ran, key=lambda ran: ran[0]) == [("edit", EDIT), ("read", {"path": "a.py"})]  # two tasks of one step, in any order


def test_a_run_that_crashed_in_the_routed_call_repeats_only_the_routed_call():
    kimi = ScriptedModel([Say("Now.", [Call("edit", {})]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Fail(KeyboardInterrupt()), Say(calls=[Call("edit", EDIT)])], name=DEEPSEEK)
    folder = Folder()
    agent = routed({KIMI: kimi, DEEPSEEK: deepseek}, folder=folder, checkpointer=InMemorySaver())
    with pytest.raises(KeyboardInterrupt):
        agent.invoke(ask(), THREAD)
    parked = agent.get_state(THREAD)
    assert parked.next == ("model",)
    assert [message.type for message in parked.values["messages"]] == ["human"]
    agent.invoke(None, THREAD)
    assert len(kimi.requests) == 2
    assert folder.ran == [("edit", EDIT)]


def test_a_tool_that_waits_for_a_human_does_not_make_its_neighbour_run_again():
    """Two calls in one message: one is interrupted, the other has run already."""
    ran: list[str] = []

    @tool
    def count() -> str:
        """Count."""
        ran.append("count")
        return "counted"

    @tool
    def approve(what: str) -> str:
        """Ask a human."""
        answer = interrupt({"approve": what})
        ran.append("approve")
        return str(answer)

    kimi = ScriptedModel([Say(calls=[Call("count"), Call("approve", {"what": "?"})]), Say("Done.")], name=KIMI)
    approver = ScriptedModel([Say(calls=[Call("approve", {"what": "the edit"})])], name=DEEPSEEK)
    router = ToolRouter({"model": KIMI, "toolRouting": {"approve": DEEPSEEK}}, models={KIMI: kimi, DEEPSEEK: approver})
    agent = create_toolroute_agent(router, [count, approve], checkpointer=InMemorySaver())
    out = agent.invoke(ask(), THREAD)
    assert out["__interrupt__"][0].value == {"approve": "the edit"}
    done = agent.invoke(Command(resume="yes"), THREAD)
    assert ran == ["count", "approve"]
    assert done["messages"][-1].content == "Done."


def test_a_human_may_change_the_routed_call_before_it_runs():
    kimi = ScriptedModel([Say("Now.", [Call("edit", {})]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", {**EDIT, "new": "x = 99"})])], name=DEEPSEEK)
    folder = Folder()
    agent = routed({KIMI: kimi, DEEPSEEK: deepseek}, folder=folder, checkpointer=InMemorySaver(), interrupt_before=["tools"])
    agent.invoke(ask(), THREAD)
    message = agent.get_state(THREAD).values["messages"][-1]
    changed = message.model_copy(update={"tool_calls": [{**message.tool_calls[0], "args": EDIT}]})
    agent.update_state(THREAD, {"messages": [changed]}, as_node="model")
    agent.invoke(None, THREAD)
    assert folder.ran == [("edit", EDIT)]
