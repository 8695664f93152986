"""A human approves routed calls: what they see, what they may do, and that nothing is written twice."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from lg_toolroute.approval import written_by
from lg_toolroute.testing import Call, Say
from tests.support.middleware_agents import ASK, DROPPED, PRIMARY, WRITER, agent_of, last_call, primary, record_of, writer, wrong_edit

CONFIG = {"configurable": {"thread_id": "1"}}
REVIEW: Any = {"allowed_decisions": ["approve", "edit", "reject", "respond"], "description": written_by}


def reviewed(*, mode: str = "batched", before: bool = True, durable: bool = False, script: Any = None) -> tuple[Any, Any, Any]:
    reasons = primary(script or [Say("Let me fix that.", [wrong_edit()]), Say("Done.")])
    writes = writer()
    human = HumanInTheLoopMiddleware({"edit": REVIEW}, interrupt_mode=mode)  # type: ignore[arg-type]  # the mode comes from a parameter
    place = {"before": [human]} if before else {"after": [human]}
    return agent_of(reasons, writes, settings={"durable": durable}, checkpointer=InMemorySaver(), **place), reasons, writes


async def step(agent: Any, value: Any, *, asynchronous: bool) -> Any:
    return await agent.ainvoke(value, CONFIG) if asynchronous else agent.invoke(value, CONFIG)


PLACES = [{"before": True}, {"before": False}, {"before": True, "durable": True}]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("place", PLACES)
async def test_approval_sees_the_final_arguments_and_who_wrote_them_and_asks_no_model_again(place: Any, asynchronous: bool) -> None:
    agent, reasons, writes = reviewed(**place)
    out = await step(agent, ASK, asynchronous=asynchronous)
    request = out["__interrupt__"][0].value["action_requests"][0]
    assert (request["name"], request["args"]) == ("edit", {"path": "a.py", "text": "good"})
    assert request["description"].startswith(f"edit, written by {WRITER} for {PRIMARY} (rule 'edit')\n")
    assert DROPPED not in str(out)
    assert (len(reasons.requests), len(writes.requests)) == (1, 1)
    out = await step(agent, Command(resume={"decisions": [{"type": "approve"}]}), asynchronous=asynchronous)
    assert [m.content for m in out["messages"][-2:]] == ["edited a.py: good", "Done."]
    assert (len(reasons.requests), len(writes.requests)) == (2, 1)


@pytest.mark.parametrize("place", PLACES)
def test_an_edited_call_runs_as_the_human_wrote_it(place: Any) -> None:
    agent, reasons, writes = reviewed(**place)
    agent.invoke(ASK, CONFIG)
    edited = {"type": "edit", "edited_action": {"name": "edit", "args": {"path": "b.py", "text": "mine"}}}
    out = agent.invoke(Command(resume={"decisions": [edited]}), CONFIG)
    assert "edited b.py: mine" in out["messages"][-2].content
    assert (len(reasons.requests), len(writes.requests)) == (2, 1)
    message = next(m for m in out["messages"] if isinstance(m, AIMessage) and m.tool_calls)
    assert record_of(message)["tool"] == "edit"


@pytest.mark.parametrize("place", PLACES)
def test_a_rejected_call_does_not_run_and_the_primary_reads_why(place: Any) -> None:
    agent, reasons, writes = reviewed(**place)
    agent.invoke(ASK, CONFIG)
    out = agent.invoke(Command(resume={"decisions": [{"type": "reject", "message": "Not this file."}]}), CONFIG)
    assert "edited" not in str([m.content for m in out["messages"]])
    assert "Not this file." in reasons.last.messages[-1].text
    assert (len(reasons.requests), len(writes.requests)) == (2, 1)


def test_several_calls_of_one_message_are_reviewed_together() -> None:
    agent, _, _ = reviewed(script=[Say("Both.", [Call("read", {"path": "x"}), wrong_edit()]), Say("Done.")])
    out = agent.invoke(ASK, CONFIG)
    assert [request["name"] for request in out["__interrupt__"][0].value["action_requests"]] == ["edit"]
    out = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)
    assert [m.content for m in out["messages"][-3:]] == ["content of x", "edited a.py: good", "Done."]


def test_review_call_by_call_asks_no_model_again() -> None:
    agent, reasons, writes = reviewed(mode="per_call")
    out = agent.invoke(ASK, CONFIG)
    assert out["__interrupt__"]
    out = agent.invoke(Command(resume={"type": "approve"}), CONFIG)
    assert out["messages"][-1].text == "Done."
    assert (len(reasons.requests), len(writes.requests)) == (2, 1)


def test_a_call_that_nobody_routed_is_described_by_its_arguments() -> None:
    call = {"name": "edit", "args": {"path": "a"}, "id": "1"}
    plain = {"messages": [AIMessage("", tool_calls=[call])]}
    assert written_by(call, plain) == 'edit\n\n{\n  "path": "a"\n}'


def test_a_call_that_the_primary_wrote_is_said_to_be_its_own() -> None:
    agent, _, _ = reviewed(script=[Say("Look.", [Call("read", {"path": "x"})]), Say("Done.")])
    out = agent.invoke(ASK, CONFIG)
    _, call = last_call(out["messages"], "read")
    assert written_by(call, out).startswith(f"read, written by {PRIMARY}\n")
