"""`durable=True`: a checkpoint between the two calls of a routed turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware, ModelCallLimitMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from pydantic import BaseModel

from lg_toolroute import ToolRouteMiddleware
from lg_toolroute.testing import Call, Say
from tests.support.middleware_agents import ASK, DROPPED, RULES, agent_of, edit, good_edit, last_call, primary, read, router_for, writer, wrong_edit

CONFIG = {"configurable": {"thread_id": "1"}}
FIX = Say("Let me fix that.", [wrong_edit()])


class Crash(KeyError):
    """A mistake in a program: it ends the run, and nobody falls back because of it."""


def crashing_once() -> Any:
    def first(request: Any) -> Any:
        raise Crash

    return writer([first, good_edit()])


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_a_crash_between_the_two_calls_repeats_only_the_second(durability: Any) -> None:
    for asynchronous in (False, True):
        reasons, writes = primary([FIX, Say("Done.")]), crashing_once()
        agent = agent_of(reasons, writes, settings={"durable": True}, checkpointer=InMemorySaver())
        with pytest.raises(Crash):
            await agent.ainvoke(ASK, CONFIG, durability=durability) if asynchronous else agent.invoke(ASK, CONFIG, durability=durability)
        assert len(reasons.requests) == 1
        out = await agent.ainvoke(None, CONFIG) if asynchronous else agent.invoke(None, CONFIG)
        message, call = last_call(out["messages"])
        assert (message.text, call["args"]["text"]) == ("Let me fix that.", "good")
        assert len(reasons.requests) == 2  # the fix, and "Done."
        assert len(writes.requests) == 2


def test_without_durable_the_crash_repeats_both() -> None:
    reasons, writes = primary([FIX, FIX, Say("Done.")]), crashing_once()
    agent = agent_of(reasons, writes, checkpointer=InMemorySaver())
    with pytest.raises(Crash):
        agent.invoke(ASK, CONFIG)
    agent.invoke(None, CONFIG)
    reasons.assert_done()


def test_another_process_goes_on_with_the_parked_turn(tmp_path: Path) -> None:
    """The state goes through a file, into an agent built anew."""
    with SqliteSaver.from_conn_string(str(tmp_path / "thread.db")) as saver, pytest.raises(Crash):
        agent_of(primary([FIX]), crashing_once(), settings={"durable": True}, checkpointer=saver).invoke(ASK, CONFIG, durability="sync")
    with SqliteSaver.from_conn_string(str(tmp_path / "thread.db")) as saver:
        out = agent_of(primary([Say("Done.")]), writer(), settings={"durable": True}, checkpointer=saver).invoke(None, CONFIG)
    assert last_call(out["messages"])[1]["args"]["text"] == "good"


def test_nothing_of_the_dropped_call_is_in_any_checkpoint_or_stream() -> None:
    agent = agent_of(primary(), writer(), settings={"durable": True}, checkpointer=InMemorySaver())
    for mode, part in agent.stream(ASK, CONFIG, stream_mode=["values", "updates", "messages", "custom", "checkpoints", "tasks"]):
        assert DROPPED not in str(part), mode
    assert all(DROPPED not in str(snapshot) for snapshot in agent.get_state_history(CONFIG))


def test_the_chunks_of_both_passes_are_one_message() -> None:
    agent = agent_of(primary([FIX, Say("Done.")]), writer(), settings={"durable": True})
    chunks = [chunk for chunk, meta in agent.stream(ASK, stream_mode="messages") if meta["langgraph_node"] == "model"]
    ids = list(dict.fromkeys(chunk.id for chunk in chunks))
    assert len(ids) == 2
    first = [chunk for chunk in chunks if chunk.id == ids[0]]
    whole = first[0]
    for chunk in first[1:]:
        whole = whole + chunk
    assert whole.text == "Let me fix that."
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("edit", {"path": "a.py", "text": "good"})]


def test_a_new_question_drops_a_turn_that_was_never_finished() -> None:
    reasons, writes = primary([FIX, Say("Never mind, then.")]), crashing_once()
    agent = agent_of(reasons, writes, settings={"durable": True}, checkpointer=InMemorySaver())
    with pytest.raises(Crash):
        agent.invoke(ASK, CONFIG)
    out = agent.invoke({"messages": [("user", "Never mind")]}, CONFIG)
    assert out["messages"][-1].text == "Never mind, then."
    assert len(writes.requests) == 1


def test_a_turn_that_another_version_parked_is_begun_anew() -> None:
    reasons, writes = primary([FIX, FIX, Say("Done.")]), writer([good_edit()])
    agent = agent_of(reasons, writes, settings={"durable": True}, checkpointer=InMemorySaver(), interrupt_after=["model"])
    agent.invoke(ASK, CONFIG)
    parked = agent.get_state(CONFIG).values["toolroute"]
    agent.update_state(CONFIG, {"toolroute": {**parked, "turn": {**parked["turn"], "version": 1}}}, as_node="model")
    while agent.get_state(CONFIG).next:
        out = agent.invoke(None, CONFIG)
    assert [message.text for message in out["messages"]][-3:] == ["Let me fix that.", "edited a.py: good", "Done."]
    reasons.assert_done()


def test_approval_before_it_sees_each_routed_call_once() -> None:
    human = HumanInTheLoopMiddleware({"edit": True})
    agent = agent_of(primary([FIX, Say("Done.")]), writer(), before=[human], settings={"durable": True}, checkpointer=InMemorySaver())
    out = agent.invoke(ASK, CONFIG)
    assert [request["args"]["text"] for request in out["__interrupt__"][0].value["action_requests"]] == ["good"]
    out = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)
    assert "__interrupt__" not in out
    assert out["messages"][-1].text == "Done."


def test_words_that_another_middleware_adds_to_each_request_do_not_lose_the_turn() -> None:
    class Reminding(AgentMiddleware[Any, Any, Any]):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(messages=[*request.messages, HumanMessage("Be brief.")]))

    reasons = primary([FIX, Say("Done.")])
    out = agent_of(reasons, writer(), before=[Reminding()], settings={"durable": True}).invoke(ASK)
    assert out["messages"][-1].text == "Done."
    reasons.assert_done()


def test_a_limit_of_model_calls_counts_a_durable_turn_once() -> None:
    limit = ModelCallLimitMiddleware(run_limit=2, exit_behavior="error")
    out = agent_of(primary([FIX, Say("Done.")]), writer(), before=[limit], settings={"durable": True}).invoke(ASK)
    assert out["messages"][-1].text == "Done."


def test_a_draft_is_passed_on_at_once_and_never_parked() -> None:
    rules = {"edit": {**RULES["edit"], "onIntercept": "drain", "handoff": "draft"}}
    writes = writer()
    agent = create_agent(
        primary([FIX, Say("Done.")]),
        [read, edit],
        middleware=[ToolRouteMiddleware(router_for(writes, rules=rules), durable=True)],
        checkpointer=InMemorySaver(),
    )
    agent.invoke(ASK, CONFIG)
    assert DROPPED in writes.last.messages[-1].text
    assert all(DROPPED not in str(snapshot) for snapshot in agent.get_state_history(CONFIG))


def test_a_structured_answer_beside_a_routed_call_survives_the_checkpoint() -> None:
    class Report(BaseModel):
        file: str

    reasons = primary([Say("", [Call("Report", {"file": "a.py"}), wrong_edit()])])
    agent = agent_of(reasons, writer(), settings={"durable": True}, response_format=ToolStrategy(Report))
    out = agent.invoke(ASK)
    assert out["structured_response"] == Report(file="a.py")
    assert [call["name"] for call in last_call(out["messages"])[0].tool_calls] == ["Report", "edit"]


def test_a_hook_that_changes_the_thread_in_every_pass_ends_in_one_turn_that_is_not_parked() -> None:
    class Counting(AgentMiddleware[Any, Any, Any]):
        passes = 0

        def before_model(self, state: Any, runtime: Any) -> dict[str, Any]:
            self.passes += 1
            question = state["messages"][0]
            return {"messages": [question.model_copy(update={"content": f"Fix a.py ({self.passes})"})]}

    reasons = primary([FIX, FIX, Say("Done.")])
    out = agent_of(reasons, writer(), before=[Counting()], settings={"durable": True}).invoke(ASK)
    assert out["messages"][-1].text == "Done."
    reasons.assert_done()
