"""The tools node: a call is held to the policy of the model that wrote it, and refused in words that a model can act on."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send

from lg_toolroute import ToolRouter
from lg_toolroute.runner.refusals import denied, refused, writer_of
from lg_toolroute.state import ToolRouteContext
from lg_toolroute.surfaces.graph.tool_node import entered, tool_node

BIG, SMALL = "a/big", "ollama/small:8b"
CONFIG = {
    "model": BIG,
    "tools": {"byModel": {"ollama/*": {"deny": ["web_search", "tag:risky"]}}},
    "agents": {"entries": {"reader": {"model": SMALL, "tools": {"deny": ["exec"]}}}},
}
ROUTER = ToolRouter(CONFIG)
RAN: list[str] = []
SEND = Send("model", {"a": {}})


@tool
def web_search(query: str) -> str:
    """Search the web."""
    RAN.append(query)
    return "found"


def said(mark: str | None = "1", name: str = "web_search", record: Any = None) -> AIMessage:
    metadata = {} if record is None else {"toolroute": record}
    return AIMessage("", tool_calls=[{"name": name, "args": {"query": "q"}, "id": mark, "type": "tool_call"}], response_metadata=metadata)


def test_who_wrote_a_call_stands_on_its_message():
    messages = [said("1", record={"calls": {"1": BIG}, "model": SMALL}), said("2", record={"model": SMALL}), said("3"), said("4", record="forged")]
    assert [writer_of(messages, mark) for mark in ("1", "2", "3", "4", "5", None)] == [BIG, SMALL, None, None, None, None]


def test_a_call_is_held_to_the_policy_of_its_writer():
    assert denied(ROUTER, "web_search", "1", [said(record={"calls": {"1": BIG}})], agent=None) is None
    found = denied(ROUTER, "web_search", "1", [said(record={"calls": {"1": SMALL}})], agent=None)
    assert found == (SMALL, "tools.byModel['ollama/*'].deny")


def test_a_call_without_a_record_is_held_to_the_policy_of_the_agents_primary():
    assert denied(ROUTER, "web_search", "1", [said()], agent=None) is None
    found = denied(ROUTER, "web_search", "1", [said()], agent="reader")
    assert found is not None
    assert found[0] == SMALL
    assert denied(ROUTER, "exec", "1", [said(name="exec")], agent="reader") is not None


def test_tags_are_part_of_the_policy():
    messages = [said(name="rm", record={"model": SMALL})]
    assert denied(ROUTER, "rm", "1", messages, agent=None, tags=("risky",)) is not None
    assert denied(ROUTER, "rm", "1", messages, agent=None) is None


def test_without_any_model_nothing_is_refused():
    assert denied(ToolRouter({"tools": {"deny": ["exec"]}}), "exec", "1", [said()], agent=None) is None


def test_a_refusal_is_short_tells_the_model_what_to_do_and_no_internals():
    message = refused({"name": "web_search", "args": {"query": "sk-secret"}, "id": "1"})
    assert (message.status, message.tool_call_id, message.name) == ("error", "1", "web_search")
    assert message.content == "The tool 'web_search' is not available to you. Do not call it again; go on without it."
    assert refused({"name": "x"}).tool_call_id == ""


def graph(agent: str | None = None) -> Any:
    builder = StateGraph(MessagesState, context_schema=ToolRouteContext)
    builder.add_node("tools", tool_node(ROUTER, [web_search], agent=agent))
    builder.add_edge(START, "tools")
    builder.add_edge("tools", END)
    return builder.compile()


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(("writer", "ran"), [(BIG, ["q"]), (SMALL, [])])
async def test_in_a_graph_of_ones_own_the_node_runs_what_may_run_and_refuses_the_rest(is_async: bool, writer: str, ran: list[str]):
    RAN.clear()
    state = {"messages": [HumanMessage("go"), said(record={"calls": {"1": writer}})]}
    out = await graph().ainvoke(state) if is_async else graph().invoke(state)
    result = out["messages"][-1]
    assert isinstance(result, ToolMessage)
    assert (result.status, RAN) == ("success" if ran else "error", ran)


def test_the_policy_is_that_of_the_agent_in_the_context_or_of_the_node():
    state = {"messages": [said()]}
    RAN.clear()
    assert graph().invoke(state, context={"agent": "reader"})["messages"][-1].status == "error"
    assert graph("reader").invoke(state)["messages"][-1].status == "error"
    assert RAN == []
    assert graph().invoke(state)["messages"][-1].status == "success"


def test_a_model_in_the_context_is_no_business_of_the_tools():
    RAN.clear()
    assert graph().invoke({"messages": [said()]}, context={"model": "gpt-5"})["messages"][-1].status == "success"


def test_without_a_configured_primary_a_call_without_a_record_is_held_to_the_agents_own_model():
    only_fallbacks = ToolRouter({"model": {"fallbacks": [SMALL]}, "tools": {"byModel": {SMALL: {"deny": ["web_search"]}}}})
    assert denied(only_fallbacks, "web_search", "1", [said()], agent=None, own_model=BIG) is None
    assert denied(only_fallbacks, "web_search", "1", [said()], agent=None) == (SMALL, f"tools.byModel['{SMALL}'].deny")


def test_a_refusal_is_told_in_the_custom_stream():
    (event,) = graph().stream({"messages": [said(record={"calls": {"1": SMALL}})]}, stream_mode="custom")
    assert (event["event"], event["tool"], event["model"]) == ("denied", "web_search", SMALL)
    assert "q" not in event.values()


@pytest.mark.parametrize(
    ("goto", "found"),
    [("model", ["route"]), ("route", ["route"]), (["policy", "mine"], ["route", "mine"]), ((), []), (SEND, [SEND])],
)
def test_a_tool_that_goes_into_a_turn_goes_to_its_beginning(goto: Any, found: Any):
    entries = {"model": "route", "policy": "route"}
    command: Command[Any] = Command(goto=goto, update={"mood": "good"})
    assert entered(command, entries) == Command(goto=found, update={"mood": "good"})
    assert entered([command], entries) == [Command(goto=found, update={"mood": "good"})]
    assert entered(Command(graph=Command.PARENT, goto=goto), entries) == Command(graph=Command.PARENT, goto=goto)
