"""The routed chat model where other people's code takes a chat model."""

from __future__ import annotations

from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm

from lg_toolroute import ToolRoutedChatModel, ToolRouter
from lg_toolroute.testing import Call, ModelRequest, Say, ScriptedModel

PRIMARY, WRITER = "kimi/primary", "deepseek/writer"
DROPPED = "the-dropped-call"
GOOD = {"path": "a.py", "text": "good"}

deprecated = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")


@tool
def edit(path: str, text: str) -> str:
    """Edit a file."""
    return f"edited {path}: {text}"


@tool
def read(path: str) -> str:
    """Read a file."""
    return f"read {path}"


def writer() -> ScriptedModel:
    return ScriptedModel(answer=lambda request: Say("(not shown)", [Call(request.forced_tool or "edit", GOOD)]), name=WRITER)


def routed(primary: Any, *, agent: str | None = None, rules: dict[str, Any] | None = None, write: Any = None, **fields: Any) -> ToolRoutedChatModel:
    given = ScriptedModel(answer=primary, name=PRIMARY) if callable(primary) else primary
    config = {"model": {"primary": PRIMARY}, "toolRouting": rules or {"edit": {"primary": WRITER}}}
    return ToolRoutedChatModel(router=ToolRouter(config, models={PRIMARY: given, WRITER: write or writer()}), agent=agent, **fields)


def edits_then_ends(request: ModelRequest) -> Say:
    if any(isinstance(message, ToolMessage) for message in request.messages):
        return Say("Done.")
    return Say("Let me fix that.", [Call("edit", {"path": DROPPED, "text": DROPPED})], chunks=4)


def check(messages: list[Any]) -> None:
    spoken = next(message for message in messages if isinstance(message, AIMessage) and message.tool_calls)
    assert spoken.text == "Let me fix that."
    assert [(call["name"], call["args"]) for call in spoken.tool_calls] == [("edit", GOOD)]
    assert spoken.response_metadata["toolroute"]["model"] == WRITER
    assert any(isinstance(message, ToolMessage) and message.content == "edited a.py: good" for message in messages)
    assert messages[-1].text == "Done."
    assert DROPPED not in repr(messages)


def test_create_agent_runs_the_routed_call():
    agent = create_agent(routed(edits_then_ends), [edit, read])
    check(agent.invoke({"messages": [("user", "go")]})["messages"])


@deprecated
def test_create_react_agent_runs_the_routed_call():
    from langgraph.prebuilt import create_react_agent

    agent = create_react_agent(routed(edits_then_ends), [edit, read])
    check(agent.invoke({"messages": [("user", "go")]})["messages"])


@deprecated
def test_create_react_agent_knows_the_tools_of_a_model_that_is_bound_already():
    from langgraph.prebuilt import create_react_agent

    agent = create_react_agent(routed(edits_then_ends).bind_tools([edit, read]), [edit, read])
    check(agent.invoke({"messages": [("user", "go")]})["messages"])


async def test_a_deep_agent_and_its_subagent_inherit_the_routing():
    def primary(request: ModelRequest) -> Say:
        results = [message for message in request.messages if isinstance(message, ToolMessage)]
        if "task" in request.tools:
            if results:
                return Say("Done.")
            return Say("Delegating.", [Call("task", {"description": "SUB: fix a.py", "subagent_type": "general-purpose"})])
        if results:
            return Say("The subagent is done.")
        return Say("Let me fix that.", [Call("edit", {"path": DROPPED, "text": DROPPED})])

    write = writer()
    agent = create_deep_agent(routed(primary, write=write), [edit, read])
    out = await agent.ainvoke({"messages": [("user", "go")]})
    assert out["messages"][-1].text == "Done."
    assert [request.forced_tool for request in write.requests] == ["edit"]
    assert DROPPED not in repr(out)


@deprecated
def test_a_supervisor_and_its_workers_each_route():
    def boss(request: ModelRequest) -> Say:
        if any(isinstance(message, ToolMessage) for message in request.messages):
            return Say("Done.")
        return Say("", [Call("transfer_to_coder", {})])

    def coder(request: ModelRequest) -> Say:
        if any(isinstance(message, ToolMessage) and message.name == "edit" for message in request.messages):
            return Say("Fixed.")
        return Say("Let me fix that.", [Call("edit", {"path": DROPPED, "text": DROPPED})])

    worker = create_agent(routed(coder), [edit, read], name="coder")
    app = create_supervisor([worker], model=routed(boss)).compile()
    out = app.invoke({"messages": [("user", "go")]})
    assert out["messages"][-1].text == "Done."
    assert DROPPED not in repr(out)


@deprecated
def test_a_supervisor_can_have_its_handoffs_written_by_another_model():
    def boss(request: ModelRequest) -> Say:
        return Say("Done.") if any(isinstance(m, ToolMessage) for m in request.messages) else Say("", [Call("transfer_to_coder", {"x": DROPPED})])

    write = ScriptedModel(answer=lambda request: Say("", [Call("transfer_to_coder", {})]), name=WRITER)
    worker = create_agent(ScriptedModel(answer=lambda request: Say("Fixed."), name="any/worker"), [edit], name="coder")
    app = create_supervisor([worker], model=routed(boss, rules={"transfer_to_*": {"primary": WRITER}}, write=write)).compile()
    out = app.invoke({"messages": [("user", "go")]})
    assert out["messages"][-1].text == "Done."
    assert len(write.requests) == 1


@deprecated
def test_a_swarm_hands_over_and_routes():
    def alice(request: ModelRequest) -> Say:
        return Say("", [Call("transfer_to_bob", {})])

    agents = [
        create_agent(routed(alice), [create_handoff_tool(agent_name="bob")], name="alice"),
        create_agent(routed(edits_then_ends_of_edit), [edit, read], name="bob"),
    ]
    app = create_swarm(agents, default_active_agent="alice").compile(checkpointer=InMemorySaver())
    out = app.invoke({"messages": [("user", "go")]}, {"configurable": {"thread_id": "1"}})
    assert out["active_agent"] == "bob"
    assert any(isinstance(message, ToolMessage) and message.content == "edited a.py: good" for message in out["messages"])
    assert DROPPED not in repr(out)


def edits_then_ends_of_edit(request: ModelRequest) -> Say:
    if any(isinstance(message, ToolMessage) and message.name == "edit" for message in request.messages):
        return Say("Done.")
    return Say("Let me fix that.", [Call("edit", {"path": DROPPED, "text": DROPPED})])


def test_a_chain_streams_its_words():
    chain = ChatPromptTemplate.from_messages([("user", "{question}")]) | routed(lambda request: Say("One two three.", chunks=4)) | StrOutputParser()
    assert [piece for piece in chain.stream({"question": "count"}) if piece] == ["One ", "two ", "thre", "e."]


async def test_a_chain_with_tools_streams_one_message_of_both_models():
    chain = ChatPromptTemplate.from_messages([("user", "{question}")]) | routed(edits_then_ends).bind_tools([edit, read])
    chunks = [chunk async for chunk in chain.astream({"question": "go"})]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    assert isinstance(whole, AIMessageChunk)
    assert len({chunk.id for chunk in chunks}) == 1
    assert whole.text == "Let me fix that."
    assert [call["args"] for call in whole.tool_calls] == [GOOD]
    assert chunks[-1].chunk_position == "last"


def test_with_retry_and_with_fallbacks_stand_around_it():
    broken = ScriptedModel(answer=lambda request: ConnectionError("refused"), name=PRIMARY)
    sound = routed(lambda request: Say("From the second router."))
    wrapped = routed(broken).with_retry(stop_after_attempt=2, wait_exponential_jitter=False).with_fallbacks([sound])
    assert wrapped.invoke("hi").text == "From the second router."


def test_a_routed_model_can_be_a_candidate_of_another_router():
    inner = routed(lambda request: Say("From within.", chunks=4))
    outer = routed(inner)
    assert outer.invoke("hi").text == "From within."
    assert "".join(chunk.text for chunk in outer.stream("hi")) == "From within."


async def test_batch_keeps_the_order_of_its_inputs():
    model = routed(lambda request: Say(f"Answer to {request.last_text}"))
    questions = [str(number) for number in range(20)]
    assert [message.text for message in model.batch(questions)] == [f"Answer to {question}" for question in questions]
    assert [message.text for message in await model.abatch(questions)] == [f"Answer to {question}" for question in questions]
