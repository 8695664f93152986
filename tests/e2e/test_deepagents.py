"""Routing in deepagents: the agent, its subagents, the general-purpose one."""

from __future__ import annotations

from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from lg_toolroute import ConfigError, ToolRouteMiddleware, ToolRouter
from lg_toolroute.deep import create_routed_deep_agent, routed_subagents
from lg_toolroute.testing import Call, Fail, ModelRequest, Say, ScriptedModel
from tests.support.middleware_agents import ASK, DROPPED, PRIMARY, SPARE, WRITER, last_call, primary, record_of

RULES = {"write_file": {"primary": WRITER}}
CONFIG = {"configurable": {"thread_id": "1"}}


def writes_files(count: int = 1) -> ScriptedModel:
    script = [Say("", [Call("write_file", {"file_path": f"/{n}.txt", "content": "good"})]) for n in range(count)]
    return ScriptedModel(script, name=WRITER)


def bad_file() -> Call:
    return Call("write_file", {"file_path": f"/{DROPPED}", "content": DROPPED})


def delegates(to: str) -> list[Any]:
    """The agent hands the work to a subagent, which reasons on the same model."""
    return [
        Say("Delegating.", [Call("task", {"description": "Write it", "subagent_type": to})]),
        Say("Writing.", [bad_file()]),
        Say("Subagent done."),
        Say("Done."),
    ]


def router_for(*models: ScriptedModel, **config: Any) -> ToolRouter:
    return ToolRouter({"toolRouting": RULES, **config}, models={model.spec: model for model in models})


async def test_the_agents_own_calls_are_routed() -> None:
    for asynchronous in (False, True):
        writes = writes_files()
        agent = create_routed_deep_agent(router_for(writes), model=primary([Say("Writing.", [bad_file()]), Say("Done.")]))
        out = await agent.ainvoke(ASK) if asynchronous else agent.invoke(ASK)
        message, call = last_call(out["messages"], "write_file")
        assert (message.text, call["args"]["content"]) == ("Writing.", "good")
        assert out["files"].keys() == {"/0.txt"}
        assert writes.last.tool_choice == "write_file"


@pytest.mark.parametrize("to", ["general-purpose", "scribe"])
async def test_the_calls_of_subagents_are_routed(to: str) -> None:
    for asynchronous in (False, True):
        writes, reasons = writes_files(), primary(delegates(to))
        scribe = {"name": "scribe", "description": "Writes.", "system_prompt": "Write."}
        agent = create_routed_deep_agent(router_for(writes), model=reasons, subagents=[scribe])
        out = await agent.ainvoke(ASK) if asynchronous else agent.invoke(ASK)
        assert out["files"].keys() == {"/0.txt"}
        assert DROPPED not in str(out)
        reasons.assert_done()
        writes.assert_done()


def test_without_the_helper_a_subagent_writes_with_the_primary() -> None:
    """The reason why the helper exists; if deepagents changes it, this says so."""
    writes = writes_files(0)
    agent = create_deep_agent(model=primary(delegates("general-purpose")), middleware=[ToolRouteMiddleware(router_for(writes))])
    assert agent.invoke(ASK)["files"].keys() == {f"/{DROPPED}"}


def test_a_subagent_with_a_model_of_its_own_reasons_on_it() -> None:
    own = ScriptedModel([Say("Writing.", [bad_file()]), Say("Subagent done.")], name=SPARE)
    main = primary([delegates("scribe")[0], Say("Done.")])
    scribe = {"name": "scribe", "description": "Writes.", "system_prompt": "Write.", "model": own}
    router = router_for(writes_files(), main, model={"primary": PRIMARY})
    out = create_routed_deep_agent(router, subagents=[scribe]).invoke(ASK)
    assert out["files"].keys() == {"/0.txt"}
    own.assert_done()


def test_a_subagent_whose_name_is_an_agent_of_the_configuration_has_its_rules() -> None:
    quill = ScriptedModel([Say("", [Call("write_file", {"file_path": "/quill.txt", "content": "good"})])], name=SPARE)
    config = {"agents": {"entries": {"scribe": {"model": {"toolRouting": {"write_file": {"primary": SPARE}}}}}}}
    scribe = {"name": "scribe", "description": "Writes.", "system_prompt": "Write."}
    agent = create_routed_deep_agent(router_for(writes_files(0), quill, **config), model=primary(delegates("scribe")), subagents=[scribe])
    assert agent.invoke(ASK)["files"].keys() == {"/quill.txt"}


def test_tools_are_picked_by_the_model_that_is_asked_in_the_agent_and_in_subagents() -> None:
    """A small fallback must not have the tools of the big model: neither bound nor run."""

    def big(request: ModelRequest) -> Any:
        return Fail(ConnectionError("refused"))

    def small(request: ModelRequest) -> Say:
        assert not {"write_file", "edit_file"} & set(request.tools)
        if isinstance(request.messages[-1], ToolMessage):
            return Say("Then not.")
        if "task" in request.tools:
            return Say("", [Call("task", {"description": "Write it", "subagent_type": "general-purpose"})])
        return Say("", [bad_file()])  # it was never shown that tool

    reasons, spare = primary([], answer=big), ScriptedModel(answer=small, name=SPARE)
    config = {"model": {"fallbacks": [SPARE]}, "tools": {"byModel": {SPARE: {"deny": ["write_file", "edit_file"]}}}}
    out = create_routed_deep_agent(router_for(spare, writes_files(0), **config), model=reasons).invoke(ASK)
    assert not out.get("files")
    assert out["messages"][-1].text == "Then not."
    assert len(spare.requests) == 4


def test_approval_in_a_deep_agent_sees_the_routed_call() -> None:
    agent = create_routed_deep_agent(
        router_for(writes_files()),
        model=primary([Say("Writing.", [bad_file()]), Say("Done.")]),
        interrupt_on={"write_file": True},
        checkpointer=InMemorySaver(),
    )
    out = agent.invoke(ASK, CONFIG)
    assert out["__interrupt__"][0].value["action_requests"][0]["args"]["content"] == "good"
    out = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)
    assert out["files"].keys() == {"/0.txt"}


def test_approval_behind_durable_turns_is_refused_when_the_deep_agent_is_built() -> None:
    with pytest.raises(ConfigError, match="HumanInTheLoopMiddleware after ToolRouteMiddleware"):
        create_routed_deep_agent(router_for(writes_files(0)), model=primary([]), interrupt_on={"write_file": True}, durable=True)


def test_the_primary_of_the_configuration_is_the_model_where_none_is_given() -> None:
    main = primary([Say("Hi.")])
    agent = create_routed_deep_agent(router_for(writes_files(0), main, model={"primary": PRIMARY}))
    assert record_of(agent.invoke(ASK)["messages"][-1])["model"] == PRIMARY
    with pytest.raises(ConfigError, match="there is no model for this agent; give `model=`"):
        create_routed_deep_agent(router_for(writes_files(0)))


def test_subagents_that_cannot_be_changed_are_left_as_they_are() -> None:
    compiled = {"name": "c", "description": "d", "runnable": create_agent(primary([]), [])}
    remote = {"name": "r", "description": "d", "graph_id": "agent"}
    own = {"name": "o", "description": "d", "middleware": [ToolRouteMiddleware(router_for(writes_files(0)))]}
    specs = routed_subagents(router_for(writes_files(0)), [compiled, remote, own], general_purpose=False)
    assert specs == [compiled, remote, own]
