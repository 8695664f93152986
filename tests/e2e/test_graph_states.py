"""A routed agent in graphs of other shapes: states of one's own, tools that see them, several agents, subgraphs, contexts, odd histories."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, NotRequired

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.managed import RemainingSteps
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from lg_toolroute import ToolRouteContext, ToolRouter, ToolRouteState, add_toolroute, create_toolroute_agent
from lg_toolroute.runner.ids import base_of
from lg_toolroute.testing import Call, Say, ScriptedModel
from tests.support.folder_agents import DEEPSEEK, DROPPED, KIMI, LOCAL, ai, ask, record

CONFIG = {"model": KIMI, "toolRouting": {"edit": DEEPSEEK}}


def router(rounds: int = 1, config: Any = None) -> ToolRouter:
    """Each round: kimi names `edit`, deepseek writes it, kimi is done."""
    kimi = [step for _ in range(rounds) for step in (Say("Now.", [Call("edit", {"path": DROPPED})]), Say("Done."))]
    deepseek = [Say(calls=[Call("edit", {"path": "a.py"})])] * rounds
    models = {
        KIMI: ScriptedModel(kimi, name=KIMI),
        DEEPSEEK: ScriptedModel(deepseek, name=DEEPSEEK),
        LOCAL: ScriptedModel(["From local."], name=LOCAL),
    }
    return ToolRouter(config or CONFIG, models=models)


@tool
def edit(path: str) -> str:
    """Edit a file."""
    return f"edited {path}"


# -- states of one's own --------------------------------------------------------------------------------------------------------------------


class Moody(ToolRouteState):
    mood: NotRequired[str]
    remaining_steps: NotRequired[RemainingSteps]


SEEN: list[Any] = []


@tool("edit")
def nosy_edit(
    path: str,
    mood: Annotated[str, InjectedState("mood")],
    state: Annotated[Any, InjectedState],
    mark: Annotated[str, InjectedToolCallId],
    store: Annotated[Any, InjectedStore()],
    runtime: ToolRuntime,
) -> str:
    """Edit a file."""
    SEEN.append((mood, state, mark, store is not None, runtime.tool_call_id))
    return "edited"


@pytest.mark.parametrize("is_async", [False, True])
async def test_tools_see_the_users_own_state_the_store_and_the_runtime_and_nothing_of_the_turn(is_async: bool):
    SEEN.clear()
    agent = create_toolroute_agent(router(), [nosy_edit], state_schema=Moody, store=InMemoryStore())
    given: Any = {**ask(), "mood": "good"}
    out = await agent.ainvoke(given) if is_async else agent.invoke(given)
    ((mood, state, mark, has_store, runtime_mark),) = SEEN
    assert (mood, has_store) == ("good", True)
    assert mark == runtime_mark == ai(out["messages"])[0].tool_calls[0]["id"]
    assert state["mood"] == "good"
    assert state["remaining_steps"] > 0
    assert "toolroute" not in state
    assert sorted(out) == ["messages", "mood"]


def test_the_turn_shows_in_no_schema_and_in_no_output():
    agent = create_toolroute_agent(router(), [edit], state_schema=Moody)
    assert sorted(agent.get_input_jsonschema()["properties"]) == ["expected_tool", "messages", "mood"]
    assert sorted(agent.get_output_jsonschema()["properties"]) == ["messages", "mood"]
    assert sorted(agent.invoke({**ask(), "mood": "good"})) == ["messages", "mood"]


@dataclass
class Record:
    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)
    mood: str = "plain"


class Model(BaseModel):
    messages: Annotated[list[AnyMessage], add_messages] = Field(default_factory=list)
    mood: str = "plain"


class Added(TypedDict):
    messages: Annotated[list[Any], operator.add]
    mood: NotRequired[str]


@pytest.mark.parametrize("schema", [Record, Model, Added])
def test_the_state_may_be_a_dataclass_a_pydantic_model_or_have_another_reducer(schema: Any):
    seen: list[Any] = []

    def look(path: str, mood: Annotated[str, InjectedState("mood")], state: Annotated[Any, InjectedState]) -> str:
        """Edit a file."""
        seen.append((mood, state))
        return "edited"

    look.__annotations__ = {"path": str, "mood": Annotated[str, InjectedState("mood")], "state": Annotated[Any, InjectedState], "return": str}
    graph = add_toolroute(StateGraph(schema), router(), [tool("edit")(look)]).compile()
    out = graph.invoke({"messages": [HumanMessage("go")], "mood": "good"})
    assert [message.type for message in out["messages"]] == ["human", "ai", "tool", "ai"]
    ((mood, state),) = seen
    assert mood == "good"
    assert isinstance(state, dict if schema is Added else schema)
    assert "toolroute" not in out


@pytest.mark.parametrize("schema", [MessagesState, Record, Model])
def test_a_tool_that_answers_for_the_agent_ends_the_run_in_any_state(schema: Any):
    final = edit.model_copy(update={"return_direct": True})
    out = add_toolroute(StateGraph(schema), router(), [final]).compile().invoke({"messages": [HumanMessage("go")]})
    assert isinstance(out["messages"][-1], ToolMessage)


# -- several agents, subgraphs ----------------------------------------------------------------------------------------------------------------


def test_two_agents_stand_in_one_graph_behind_a_node_of_ones_own():
    shared = router(2)
    builder: Any = StateGraph(MessagesState)
    builder.add_node("plan", lambda state: {})
    builder.add_edge(START, "plan")
    builder.add_edge("plan", "coder_route")
    add_toolroute(builder, shared, [edit], prefix="coder_", agent_name="coder", end="tester_route")
    add_toolroute(builder, shared, [edit], prefix="tester_", agent_name="tester")
    out = builder.compile(checkpointer=InMemorySaver()).invoke(ask(), {"configurable": {"thread_id": "1"}})
    assert [message.name for message in ai(out["messages"])] == ["coder", "coder", "tester", "tester"]
    assert sorted(out) == ["messages"]


def test_an_agent_is_a_node_of_another_graph_and_streams_through_it():
    builder: Any = StateGraph(MessagesState)
    builder.add_node("coder", create_toolroute_agent(router(), [edit], name="coder"))
    builder.add_edge(START, "coder")
    builder.add_edge("coder", END)
    graph = builder.compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    seen = list(graph.stream(ask(), thread, stream_mode=["messages", "updates"], subgraphs=True))
    assert DROPPED not in str(seen)
    assert [message.type for message in graph.get_state(thread).values["messages"]] == ["human", "ai", "tool", "ai"]


def test_two_agents_side_by_side_are_subgraphs_with_turns_of_their_own():
    class Both(TypedDict):
        messages: Annotated[list[AnyMessage], add_messages]

    builder: Any = StateGraph(Both)
    for name in ("one", "two"):
        builder.add_node(name, create_toolroute_agent(router(), [edit], name=name))
        builder.add_edge(START, name)
        builder.add_edge(name, END)
    out = builder.compile(checkpointer=InMemorySaver()).invoke(ask(), {"configurable": {"thread_id": "1"}})
    assert sorted(message.name or "" for message in ai(out["messages"])) == ["one", "one", "two", "two"]


# -- contexts ---------------------------------------------------------------------------------------------------------------------------------


@dataclass
class Context:
    user: str = "somebody"
    model: str | None = None


@pytest.mark.parametrize(
    ("schema", "context", "who"),
    [
        (ToolRouteContext, {"model": LOCAL}, LOCAL),
        (ToolRouteContext, ToolRouteContext(model="ollama:gpt-oss:20b"), LOCAL),
        (ToolRouteContext, None, KIMI),
        (Context, Context(model=LOCAL), LOCAL),
        (Context, Context(), KIMI),
        (dict, {"model": LOCAL, "else": 1}, LOCAL),
        (None, None, KIMI),
    ],
)
def test_the_model_of_a_run_may_be_said_in_a_context_of_any_kind(schema: Any, context: Any, who: str):
    agent = create_toolroute_agent(router(), [edit], context_schema=schema)
    out = agent.invoke(ask(), context=context)
    assert record(ai(out["messages"])[0])["reasoner"] == who


def test_a_role_is_for_its_run_and_does_not_leak_into_the_next_one():
    config = {**CONFIG, "agents": {"defaults": {"heartbeat": {"model": LOCAL}}}}
    agent = create_toolroute_agent(router(config=config), [edit], checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    beat = agent.invoke(ask(), thread, context={"role": "heartbeat"})["messages"]
    assert record(ai(beat)[-1])["reasoner"] == LOCAL
    assert record(ai(agent.invoke(ask(), thread)["messages"])[-1])["reasoner"] == KIMI


# -- histories --------------------------------------------------------------------------------------------------------------------------------


def test_a_tool_may_say_what_comes_next():
    @tool
    def plan(mark: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Plan."""
        return Command(update={"expected_tool": "edit", "messages": [ToolMessage("planned", tool_call_id=mark)]})

    kimi = ScriptedModel([Say(calls=[Call("plan")]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", {"path": "a.py"})])], name=DEEPSEEK)
    with kimi, deepseek:
        out = create_toolroute_agent(ToolRouter(CONFIG, models={KIMI: kimi, DEEPSEEK: deepseek}), [edit, plan]).invoke(ask())
    assert record(ai(out["messages"])[1])["source"] == "forced"


@pytest.mark.parametrize("goto", ["model", "route", "policy", "fallback"])
def test_a_tool_may_go_to_a_node_of_the_turn(goto: str):
    """In a plain agent, too, the tools lead to the model already: it is asked once."""

    @tool
    def plan(mark: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Plan."""
        return Command(goto=goto, update={"messages": [ToolMessage("planned", tool_call_id=mark)]})

    kimi = ScriptedModel([Say(calls=[Call("plan")]), Say(calls=[Call("edit")]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", {"path": "a.py"})])], name=DEEPSEEK)
    with kimi, deepseek:
        out = create_toolroute_agent(ToolRouter(CONFIG, models={KIMI: kimi, DEEPSEEK: deepseek}), [edit, plan]).invoke(ask())
    assert [message.type for message in out["messages"]] == ["human", "ai", "tool", "ai", "tool", "ai"]


def test_messages_may_be_removed_between_runs():
    agent = create_toolroute_agent(router(2), [edit], checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    first = agent.invoke(ask(), thread)["messages"]
    out = agent.invoke({"messages": [RemoveMessage(first[0].id), HumanMessage("again")]}, thread)["messages"]
    assert [message.type for message in out] == ["ai", "tool", "ai", "human", "ai", "tool", "ai"]


def test_system_messages_in_the_history_are_legal_for_the_model_that_reads_them():
    of = router()
    agent = create_toolroute_agent(of, [edit], system_prompt="Be brief.")
    thread = [SystemMessage("One."), HumanMessage("hi"), AIMessage("ho"), SystemMessage("Two."), HumanMessage("go")]
    agent.invoke({"messages": thread})
    sent = {spec: [message.type for message in of.models.get(spec).requests[0].messages] for spec in (KIMI, DEEPSEEK)}  # type: ignore[attr-defined]
    # The application writes for the primary, whose class is not known here; another model gets what every provider takes.
    assert sent[KIMI] == ["system", *(message.type for message in thread)]
    assert "system" not in sent[DEEPSEEK][sent[DEEPSEEK].index("human") :]


def test_without_ids_a_parked_turn_is_still_known_by_its_thread():
    builder = add_toolroute(StateGraph(Added), router(2), [edit])
    graph = builder.compile(checkpointer=InMemorySaver(), interrupt_before=["policy"])
    thread: Any = {"configurable": {"thread_id": "1"}}
    graph.invoke({"messages": [HumanMessage("first")]}, thread)
    parked = graph.get_state(thread)
    assert parked.next == ("policy",)
    graph.invoke({"messages": [HumanMessage("never mind")]}, thread)
    parked_turn = graph.checkpointer.get(thread)["channel_values"]["toolroute"]["turn"]  # type: ignore[union-attr, index]
    assert parked_turn["base"] == base_of(graph.get_state(thread).values["messages"])


def test_a_long_history_is_sent_whole_and_costs_no_more_than_its_length():
    history = [message for number in range(2000) for message in (HumanMessage(f"q{number}"), AIMessage(f"a{number}"))]
    of = router()
    out = create_toolroute_agent(of, [edit]).invoke({"messages": [*history, HumanMessage("go")]})
    assert len(out["messages"]) == 4004
    assert len(of.models.get(KIMI).requests[0].messages) == 4001  # type: ignore[attr-defined]


def test_without_tools_the_graph_has_no_tools_node_and_answers():
    kimi = ScriptedModel(["Hi."], name=KIMI)
    agent = create_toolroute_agent(ToolRouter({"model": KIMI}, models={KIMI: kimi}), [])
    assert "tools" not in agent.get_graph().nodes
    assert agent.invoke(ask())["messages"][-1].content == "Hi."


def test_tools_that_run_elsewhere_are_bound_routed_and_left_to_whoever_runs_them():
    elsewhere = {
        "type": "function",
        "function": {
            "name": "edit",
            "description": "d",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
        },
    }
    of = router()
    out = create_toolroute_agent(of, [elsewhere, {"type": "web_search_preview"}]).invoke(ask())
    (message,) = ai(out["messages"])
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("edit", {"path": "a.py"})]
    assert of.models.get(KIMI).requests[0].tools == ("edit", "web_search_preview")  # type: ignore[attr-defined]
