"""Structured answers beside routed calls: each strategy of `create_agent`, sync and async."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import AutoStrategy, ProviderStrategy, StructuredOutputValidationError, ToolStrategy
from langchain_core.messages import ToolMessage
from pydantic import BaseModel

from lg_toolroute import LookRequest, ToolRouteMiddleware, ToolRouter
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel
from tests.support.middleware_agents import ASK, DROPPED, PRIMARY, SPARE, WRITER, agent_of, edit, last_call, primary, read, writer, wrong_edit


class Report(BaseModel):
    """What was done."""

    file: str


JSON = '{"file": "a.py"}'
FIX = Say("Let me fix that.", [wrong_edit()])


async def run(agent: Any, *, asynchronous: bool) -> Any:
    return await agent.ainvoke(ASK) if asynchronous else agent.invoke(ASK)


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_tool_strategy_answers_with_its_tool_and_the_routed_model_never_sees_it(asynchronous: bool) -> None:
    reasons, writes = primary([FIX, Say("", [Call("Report", {"file": "a.py"})])]), writer()
    out = await run(agent_of(reasons, writes, response_format=ToolStrategy(Report)), asynchronous=asynchronous)
    assert out["structured_response"] == Report(file="a.py")
    assert last_call(out["messages"])[1]["args"]["text"] == "good"
    assert reasons.requests[0].tools == ("read", "edit", "Report")
    assert (writes.last.tools, writes.last.tool_choice) == (("edit",), "edit")
    assert DROPPED not in str(out)


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_provider_strategy_parses_the_answer_and_not_the_words_before_a_routed_call(asynchronous: bool) -> None:
    reasons, writes = primary([FIX, Say(JSON)]), writer()
    out = await run(agent_of(reasons, writes, response_format=ProviderStrategy(Report)), asynchronous=asynchronous)
    assert out["structured_response"] == Report(file="a.py")
    assert last_call(out["messages"])[0].text == "Let me fix that."
    assert "response_format" in reasons.last.kwargs
    assert "response_format" not in writes.last.kwargs


def test_a_provider_strategy_does_not_parse_the_words_beside_a_call_that_a_look_sends_back() -> None:
    def unfit(call: LookRequest) -> str | None:
        return None if call.arguments["text"] == "good" else "That text is not good."

    for strategy, last in ((ProviderStrategy(Report), Say(JSON)), (ToolStrategy(Report), Say("", [Call("Report", {"file": "a.py"})]))):
        reasons = primary([FIX, Say("", [Call("edit", {"path": "a.py", "text": "good"})]), last])
        router = ToolRouter({"toolRouting": {"edit": {"look": "unfit"}}}, looks={"unfit": unfit})
        agent = create_agent(reasons, [read, edit], middleware=[ToolRouteMiddleware(router)], response_format=strategy)
        out = agent.invoke(ASK)
        assert out["structured_response"] == Report(file="a.py")
        assert next(message.text for message in out["messages"] if message.type == "ai") == "Let me fix that."
        assert DROPPED not in str(out)


@pytest.mark.parametrize("native", [False, True])
def test_an_auto_strategy_follows_the_profile_of_the_model_that_is_asked(native: bool) -> None:
    """The fallback answers in its own way, although the primary would have in another."""
    answers = {True: Say(JSON), False: Say("", [Call("Report", {"file": "a.py"})])}
    reasons = primary([Fail(ConnectionError("refused"))], profile={"structured_output": not native})
    spare = ScriptedModel([answers[native]], name=SPARE, profile={"structured_output": native})
    agent = agent_of(reasons, writer([]), spare, config={"model": {"fallbacks": [SPARE]}}, response_format=AutoStrategy(Report))
    assert agent.invoke(ASK)["structured_response"] == Report(file="a.py")
    assert ("response_format" in spare.last.kwargs) is native


def test_a_rule_for_all_tools_does_not_route_the_tool_of_a_structured_answer() -> None:
    reasons = primary([Say("", [Call("Report", {"file": "a.py"})])])
    out = agent_of(reasons, writer([]), rules={"*": {"primary": WRITER}}, response_format=ToolStrategy(Report)).invoke(ASK)
    assert out["structured_response"] == Report(file="a.py")


def test_a_policy_that_allows_one_tool_does_not_take_away_the_tool_of_a_structured_answer() -> None:
    reasons = primary([Say("", [Call("Report", {"file": "a.py"})])])
    agent = agent_of(reasons, writer([]), config={"tools": {"byModel": {PRIMARY: {"allow": ["edit"]}}}}, response_format=ToolStrategy(Report))
    assert agent.invoke(ASK)["structured_response"] == Report(file="a.py")
    assert reasons.last.tools == ("edit", "Report")


def test_a_structured_answer_that_is_kept_before_a_routed_call_keeps_its_result() -> None:
    reasons = primary([Say("", [Call("Report", {"file": "a.py"}), wrong_edit()])])
    out = agent_of(reasons, writer(), response_format=ToolStrategy(Report)).invoke(ASK)
    assert out["structured_response"] == Report(file="a.py")
    assert [call["name"] for call in last_call(out["messages"])[0].tool_calls] == ["Report", "edit"]
    assert {message.name for message in out["messages"] if isinstance(message, ToolMessage)} == {"Report", "edit"}


def test_a_wrong_structured_answer_is_asked_for_again_as_the_agent_does_it() -> None:
    reasons = primary([Say("", [Call("Report", {"path": "a.py"})]), Say("", [Call("Report", {"file": "a.py"})])])
    out = agent_of(reasons, writer([]), response_format=ToolStrategy(Report)).invoke(ASK)
    assert out["structured_response"] == Report(file="a.py")


@pytest.mark.parametrize("strategy", [ToolStrategy(Report, handle_errors=False), ProviderStrategy(Report)])
def test_the_error_of_a_wrong_structured_answer_is_the_agents_own_and_nobody_falls_back(strategy: Any) -> None:
    spare = ScriptedModel([], name=SPARE)
    reasons = primary([Say("not JSON", [] if isinstance(strategy, ProviderStrategy) else [Call("Report", {"path": "a.py"})])])
    agent = agent_of(reasons, writer([]), spare, config={"model": {"fallbacks": [SPARE]}}, response_format=strategy)
    with pytest.raises(StructuredOutputValidationError):
        agent.invoke(ASK)
    spare.assert_done()


def test_json_that_broke_off_is_gone_on_with_as_text_and_parsed_when_it_is_whole() -> None:
    reasons = primary([Fail(ConnectionError("reset"), Say(JSON, chunks=9), at=1)])
    spare = ScriptedModel([Say(JSON[9:])], name=SPARE)
    agent = agent_of(reasons, writer([]), spare, config={"model": {"fallbacks": [SPARE]}}, response_format=ProviderStrategy(Report))
    out = agent.invoke(ASK)
    assert out["structured_response"] == Report(file="a.py")
    assert out["messages"][-1].text == JSON
    assert "response_format" not in spare.last.kwargs
