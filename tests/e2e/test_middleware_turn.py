"""A routed turn in `create_agent`: who writes what, and what the agent, its user and its state see of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelFallbackMiddleware, ModelRetryMiddleware, ToolErrorMiddleware
from langchain.agents.middleware.types import omit_payload
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ChainExhausted, ToolRouteContext, ToolRouteMiddleware, ToolRouter
from lg_toolroute.testing import Call, Eof, Fail, Say, ScriptedModel, ScriptedWholeModel
from tests.support.middleware_agents import (
    ASK,
    DROPPED,
    PRIMARY,
    SPARE,
    WRITER,
    agent_of,
    good_edit,
    last_call,
    primary,
    read,
    record_of,
    story,
    writer,
    wrong_edit,
)


async def test_sync_and_async_runs_give_one_message_with_the_words_of_one_and_the_call_of_the_other() -> None:
    for asynchronous in (False, True):
        reasons, writes = primary(), writer()
        agent = agent_of(reasons, writes, name="fixer")
        out = await agent.ainvoke(ASK) if asynchronous else agent.invoke(ASK)
        message, call = last_call(out["messages"])
        assert (message.text, call["args"]) == ("Let me fix that.", {"path": "a.py", "text": "good"})
        assert message.name == "fixer"
        assert [type(each).__name__ for each in out["messages"]] == ["HumanMessage", *["AIMessage", "ToolMessage"] * 2, "AIMessage"]
        assert out["messages"][-2].content == "edited a.py: good"
        assert DROPPED not in str(out)
        assert record_of(message)["calls"] == {call["id"]: WRITER}
        assert (record_of(message)["reasoner"], record_of(message)["rule"], record_of(message)["source"]) == (PRIMARY, "edit", "intercepted")
        assert (len(reasons.requests), len(writes.requests)) == (3, 1)
        assert writes.last.tools == ("edit",)
        assert writes.last.tool_choice == "edit"


def test_the_primary_is_cut_although_nobody_streams() -> None:
    reasons = primary([Say("Let me fix that.", [wrong_edit()], chunks=4), Say("Done.")])
    agent_of(reasons, writer()).invoke(ASK)
    assert reasons.requests[0].closed_at is not None
    assert reasons.requests[0].closed_at < reasons.requests[0].chunks_total


def test_the_record_of_the_last_routed_turn_is_private_state() -> None:
    agent = agent_of(primary(), writer(), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    out = agent.invoke(ASK, config)
    assert set(out) == {"messages"}
    assert "record" in agent.get_state(config).values["toolroute"]


def test_a_configuration_with_nothing_to_decide_leaves_the_model_call_alone() -> None:
    """No gate, no stream, no record: what comes back is the model's own message."""
    model = primary([Say("Hello.")])
    agent = create_agent(model, [read], middleware=[ToolRouteMiddleware(ToolRouter({}))])
    message = agent.invoke(ASK)["messages"][-1]
    assert "toolroute" not in message.response_metadata
    assert not model.last.streamed


def test_a_turn_without_a_bound_routed_tool_is_not_streamed_for_our_sake() -> None:
    model = primary([Say("Hello.")])
    with pytest.warns(UserWarning, match="edit"):
        agent = agent_of(model, writer([]), tools=[read])
    agent.invoke(ASK)
    assert not model.last.streamed


@pytest.mark.parametrize("how", ["state", "tool_choice", "tool_choice in a client's spelling"])
def test_a_tool_that_is_known_to_come_next_is_written_at_once(how: str) -> None:
    """The primary is not asked who should call what: that is known."""
    reasons, writes = primary([Say("Done.")]), writer()

    class Forcing(AgentMiddleware[Any, Any, Any]):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            if isinstance(request.messages[-1], ToolMessage) or how == "state":
                return handler(request)
            choice = "edit" if how == "tool_choice" else {"type": "function", "function": {"name": "edit"}}
            return handler(request.override(tool_choice=choice))

    agent = agent_of(reasons, writes, before=[Forcing()], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    out = agent.invoke({**ASK, "expected_tool": "edit"} if how == "state" else ASK, config)
    message, _ = last_call(out["messages"])
    assert record_of(message)["source"] == "forced"
    assert (len(reasons.requests), len(writes.requests)) == (1, 1)
    assert not agent.get_state(config).values.get("expected_tool")


def test_the_chain_falls_back_and_the_consumer_sees_one_answer() -> None:
    reasons, writes = primary(), writer([Fail(ConnectionError("refused"))])
    spare = ScriptedModel([good_edit("b.py")], name=SPARE)
    rules = {"edit": {"primary": WRITER, "fallbacks": [SPARE]}}
    out = agent_of(reasons, writes, spare, rules=rules).invoke(ASK)
    message, call = last_call(out["messages"])
    assert call["args"]["path"] == "b.py"
    assert [(a["model"], a["outcome"]) for a in record_of(message)["attempts"]] == [(PRIMARY, "cut"), (WRITER, "failed"), (SPARE, "answered")]


def test_a_routed_call_that_does_not_fit_the_tool_is_mended_once_by_the_same_model() -> None:
    writes = writer([Say("", [Call("edit", {"path": "a.py"})]), good_edit()])
    out = agent_of(primary(), writes).invoke(ASK)
    assert last_call(out["messages"])[1]["args"]["text"] == "good"
    assert "missing 'text'" in writes.last.messages[-1].text


def test_a_primary_that_dies_after_text_was_shown_is_continued_by_its_fallback() -> None:
    reasons = primary([Fail(ConnectionError("reset"), Say("Hello world", chunks=6), at=1)])
    spare = ScriptedModel([Say("world.")], name=SPARE)
    agent = agent_of(reasons, writer([]), spare, config={"model": {"fallbacks": [SPARE]}})
    assert agent.invoke(ASK)["messages"][-1].text == "Hello world."
    assert spare.last.messages[-2].text == "Hello "


def test_drained_calls_keep_the_order_and_count_of_the_primary() -> None:
    say = Say("Both.", [wrong_edit("1"), Call("read", {"path": "x"}), wrong_edit("2")])
    writes = writer([Say("", [Call("edit", {"path": "one", "text": "good"}), Call("edit", {"path": "two", "text": "good"})])])
    rules = {"edit": {"primary": WRITER, "onIntercept": "drain"}}
    out = agent_of(primary([say, Say("Done.")]), writes, rules=rules).invoke(ASK)
    message, _ = last_call(out["messages"])
    assert [(call["name"], call["args"]["path"]) for call in message.tool_calls] == [("edit", "one"), ("read", "x"), ("edit", "two")]


async def test_drained_calls_of_two_chains_are_written_side_by_side() -> None:
    rules = {"edit": {"primary": WRITER, "onIntercept": "drain"}, "read": {"primary": SPARE, "onIntercept": "drain"}}
    for asynchronous in (False, True):
        spare = ScriptedModel([Say("", [Call("read", {"path": "spare"})])], name=SPARE)
        reasons = primary([Say("Both.", [wrong_edit(), Call("read", {"path": DROPPED})]), Say("Done.")])
        agent = agent_of(reasons, writer(), spare, rules=rules)
        out = await agent.ainvoke(ASK) if asynchronous else agent.invoke(ASK)
        message, _ = last_call(out["messages"])
        assert [call["args"]["path"] for call in message.tool_calls] == ["a.py", "spare"]
        assert set(record_of(message)["calls"].values()) == {WRITER, SPARE}


def test_the_result_moment_gives_the_turn_that_reads_a_result_to_the_routed_model() -> None:
    reasons = primary([Say("Let me look.", [Call("read", {"path": "a.py"})])])
    reads = writer([Say("It says so.")])
    out = agent_of(reasons, reads, rules={"read": {"primary": WRITER, "moments": ["result"]}}).invoke(ASK)
    assert record_of(out["messages"][-1])["moment"] == "result"
    assert record_of(out["messages"][-1])["model"] == WRITER


def test_a_tool_that_failed_twice_goes_one_step_up_its_chain() -> None:
    def broken(path: str, text: str) -> str:
        """Edit a file."""
        raise ValueError("no such text")

    tool = StructuredTool.from_function(broken, name="edit")
    reasons = primary([Say("Again.", [wrong_edit()])] * 3 + [Say("I give up.")])
    writes = writer([good_edit("1"), good_edit("2")])
    spare = ScriptedModel([good_edit("3")], name=SPARE)
    rules = {"edit": {"primary": WRITER, "fallbacks": [SPARE], "escalate": {"after": 2}}}
    agent = agent_of(reasons, writes, spare, rules=rules, tools=[read, tool], after=[ToolErrorMiddleware(on_error=lambda error, request: str(error))])
    out = agent.invoke(ASK)
    assert last_call(out["messages"])[1]["args"]["path"] == "3"


def test_no_model_left_says_who_was_tried() -> None:
    rules = {"edit": {"primary": WRITER, "fallbacks": []}}
    agent = agent_of(primary([Say("Fix.", [wrong_edit()])]), writer([Fail(ConnectionError("refused"))]), rules=rules)
    with pytest.raises(ChainExhausted, match="write the call of 'edit'") as caught:
        agent.invoke(ASK)
    assert isinstance(caught.value.exceptions[0].__cause__, ConnectionError)


def test_where_there_was_one_model_to_ask_its_clients_own_error_comes_through() -> None:
    with pytest.raises(ConnectionError, match="refused"):
        agent_of(primary([Fail(ConnectionError("refused"))]), writer([])).invoke(ASK)


def test_an_error_of_another_middleware_is_not_taken_for_the_models() -> None:
    class Broken(AgentMiddleware[Any, Any, Any]):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            raise ValueError("mine")

    spare = ScriptedModel([], name=SPARE)
    agent = agent_of(primary([]), writer([]), spare, after=[Broken()], config={"model": {"fallbacks": [SPARE]}})
    with pytest.raises(ValueError, match="mine"):
        agent.invoke(ASK)
    spare.assert_done()


def test_spans_of_the_middleware_carry_no_history() -> None:
    policy = ToolRouteMiddleware(ToolRouter({})).trace_policy
    assert policy is not None
    assert policy.process_inputs is omit_payload


# -- the primary ------------------------------------------------------------------------------------------------------------------------


def test_a_configured_primary_wins_over_the_agents_model_and_one_warning_says_so() -> None:
    own, configured = ScriptedModel([], name="openai/gpt-5"), primary([Say("Hi."), Say("Hi.")])
    with pytest.warns(UserWarning, match=r"'openai/gpt-5'.*'kimi/k2'.*the configuration wins"):
        agent = agent_of(own, configured, writer([]), config={"model": {"primary": PRIMARY}})
    for _ in range(2):  # a second warning would be an error here
        assert agent.invoke(ASK)["messages"][-1].text == "Hi."
    own.assert_done()


def test_a_configured_primary_that_is_the_agents_model_is_that_very_object() -> None:
    model = primary([Say("Hi.")])
    agent = agent_of(model, writer([]), config={"model": {"primary": PRIMARY}})
    assert agent.invoke(ASK)["messages"][-1].text == "Hi."


@pytest.mark.parametrize("config", [{}, {"model": {"primary": PRIMARY}}])
def test_the_model_that_an_outer_middleware_puts_in_is_the_primary(config: dict[str, Any]) -> None:
    """`ModelFallbackMiddleware` outside: the routing goes on with the model that it chose, also where the configuration names the agent's own."""
    own = primary([Fail(ConnectionError("refused"))], loop=True)
    other = ScriptedModel([Say("Fix.", [wrong_edit()]), Say("Done.")], name=SPARE)
    out = agent_of(own, writer(), config=config, before=[ModelFallbackMiddleware(other)]).invoke(ASK)
    assert record_of(last_call(out["messages"])[0])["reasoner"] == SPARE


def test_the_runtime_context_names_agent_role_and_model() -> None:
    own, other = primary([]), ScriptedModel([Say("Override."), Say("Beat.")], name=SPARE)
    config = {"agents": {"defaults": {"heartbeat": {"model": SPARE}}}}
    agent = agent_of(own, other, writer([]), config=config, context_schema=ToolRouteContext)
    assert agent.invoke(ASK, context=ToolRouteContext(model=SPARE))["messages"][-1].text == "Override."
    assert agent.invoke(ASK, context=ToolRouteContext(role="heartbeat"))["messages"][-1].text == "Beat."


# -- the tool policy --------------------------------------------------------------------------------------------------------------------


def test_a_denied_tool_is_not_bound_and_its_call_is_refused_in_words_the_model_can_act_on() -> None:
    """Hiding is not enforcement: a model can call what it was never shown."""
    model = primary([Say("Sneak.", [Call("edit", {"path": "a", "text": "b"})]), Say("Very well.")])
    agent = agent_of(model, writer([]), rules={}, config={"tools": {"byModel": {PRIMARY: {"deny": ["edit"]}}}})
    events: list[Any] = []
    out: Any = None
    for mode, part in agent.stream(ASK, stream_mode=["values", "custom"]):
        if mode == "custom":
            events.append(part)
        else:
            out = part
    assert model.requests[0].tools == ("read",)
    refusal = out["messages"][2]
    assert (refusal.status, refusal.content) == ("error", "The tool 'edit' is not available to you. Do not call it again; go on without it.")
    assert next(e for e in events if e["event"] == "denied")["why"] == f"tools.byModel[{PRIMARY!r}].deny"


def test_a_fallback_loses_its_denied_tools_at_once() -> None:
    own = primary([Fail(ConnectionError("refused"))])
    spare = ScriptedModel([Say("Hi.")], name=SPARE)
    config = {"model": {"fallbacks": [SPARE]}, "tools": {"byModel": {SPARE: {"deny": ["edit"]}}}}
    agent_of(own, spare, rules={}, config=config).invoke(ASK)
    assert spare.last.tools == ("read",)


def test_a_router_without_a_policy_adds_no_wrapper_around_tools() -> None:
    """LangChain checks for unknown tools only in agents where nobody wraps tool calls."""
    free, guarded = ToolRouteMiddleware(ToolRouter({})), ToolRouteMiddleware(ToolRouter({"tools": {"deny": ["edit"]}}))
    assert type(free).wrap_tool_call is AgentMiddleware.wrap_tool_call
    assert type(guarded).wrap_tool_call is not AgentMiddleware.wrap_tool_call
    assert isinstance(guarded, ToolRouteMiddleware)
    assert guarded.name == free.name == "ToolRouteMiddleware"
    assert ToolRouteMiddleware(ToolRouter({}), name="routing").name == "routing"


# -- what stands further in -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [[Fail(ConnectionError("refused"))], [Eof(good_edit(), at="args")], [Say("I would rather not.")]])
def test_words_that_a_retry_middleware_puts_in_place_of_an_error_are_not_believed(script: list[Any]) -> None:
    """`ModelRetryMiddleware` inside, `on_failure="continue"`: it turns the last error into an AI message."""
    retry = ModelRetryMiddleware(max_retries=1, on_failure="continue", initial_delay=0, jitter=False)
    writes = writer(script, loop=True)
    spare = ScriptedModel([good_edit("b.py")], name=SPARE)
    out = agent_of(primary(), writes, spare, rules={"edit": {"primary": WRITER, "fallbacks": [SPARE]}}, after=[retry]).invoke(ASK)
    message, call = last_call(out["messages"])
    assert call["args"]["path"] == "b.py"
    assert "failed after" not in str(out)
    assert record_of(message)["calls"][call["id"]] == SPARE


def test_a_retry_middleware_inside_retries_each_segment() -> None:
    retry = ModelRetryMiddleware(max_retries=1, initial_delay=0, jitter=False)
    writes = writer([Fail(ConnectionError("refused")), good_edit()])
    out = agent_of(primary(), writes, after=[retry]).invoke(ASK)
    assert last_call(out["messages"])[1]["args"]["text"] == "good"
    assert len(writes.requests) == 2


class Swapping(AgentMiddleware[Any, Any, Any]):
    """Puts another model in, as a router of another kind would."""

    def __init__(self, model: Any, *, behind_the_back: bool) -> None:
        super().__init__()
        self.model = model
        self.behind_the_back = behind_the_back

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        if request.response_format is None and request.tool_choice == "edit":
            return handler(request)
        if self.behind_the_back:
            return handler(dataclasses.replace(request, model=self.model))
        return handler(request.override(model=self.model))


@pytest.mark.parametrize("whole", [False, True])
def test_a_model_that_an_inner_middleware_puts_in_is_gated_and_held_to_its_own_policy(whole: bool) -> None:
    kind = ScriptedWholeModel if whole else ScriptedModel
    other = kind([Say("Fix.", [wrong_edit()]), Say("Done.")], name=SPARE)
    config = {"tools": {"byModel": {SPARE: {"deny": ["read"]}}}}
    agent = agent_of(primary([]), writer(), after=[Swapping(other, behind_the_back=False)], config=config)
    out: Any = None
    for mode, part in agent.stream(ASK, stream_mode=["messages", "values"]):
        assert DROPPED not in str(part)
        out = part if mode == "values" else out
    message, call = last_call(out["messages"])
    assert call["args"]["text"] == "good"
    assert record_of(message)["reasoner"] == SPARE
    assert "read" not in other.requests[0].tools


def test_a_call_of_a_model_that_was_put_in_behind_the_gates_back_is_dropped_and_routed_all_the_same() -> None:
    other = ScriptedModel([Say("Fix.", [wrong_edit()]), Say("Done.")], name=SPARE)
    out = agent_of(primary([]), writer(), after=[Swapping(other, behind_the_back=True)]).invoke(ASK)
    message, call = last_call(out["messages"])
    assert (message.text, call["args"]["text"]) == ("Fix.", "good")
    assert DROPPED not in str(out)


def test_a_fallback_middleware_inside_answers_for_the_primary_through_the_gate() -> None:
    other = ScriptedModel([Say("Fix.", [wrong_edit()])], name=SPARE)
    own = primary([Fail(ConnectionError("refused")), Say("Done.")])
    out = agent_of(own, writer(), after=[ModelFallbackMiddleware(other)]).invoke(ASK)
    message, call = last_call(out["messages"])
    assert (record_of(message)["reasoner"], call["args"]["text"]) == (SPARE, "good")


def test_an_inner_middleware_wraps_both_segments() -> None:
    seen: list[tuple[str, Any]] = []

    class Watching(AgentMiddleware[Any, Any, Any]):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            seen.append((request.model.spec, request.tool_choice))
            assert isinstance(request.model, ScriptedModel)
            return handler(request)

    agent_of(primary(), writer(), after=[Watching()]).invoke(ASK)
    assert seen == [(PRIMARY, None), (PRIMARY, None), (WRITER, "edit"), (PRIMARY, None)]


def test_settings_for_the_agents_own_model_do_not_reach_another_providers() -> None:
    class Caching(AgentMiddleware[Any, Any, Any]):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(model_settings={"cache_control": {"type": "ephemeral"}, "temperature": 0.1}))

    reasons, writes = primary(), writer()
    agent_of(reasons, writes, before=[Caching()]).invoke(ASK)
    assert "cache_control" in reasons.last.kwargs
    assert "cache_control" not in writes.last.kwargs
    assert writes.last.kwargs["temperature"] == 0.1


def test_a_rules_settings_reach_the_routed_model_only() -> None:
    reasons, writes = primary(), writer()
    agent_of(reasons, writes, rules={"edit": {"primary": WRITER, "params": {"temperature": 0.0}}}).invoke(ASK)
    assert writes.last.kwargs["temperature"] == 0.0
    assert "temperature" not in reasons.last.kwargs


def test_a_message_that_a_human_wrote_into_the_thread_is_answered() -> None:
    """A thread may hold an AI message that nobody routed."""
    agent = agent_of(primary(story()[1:]), writer())
    out = agent.invoke({"messages": [("user", "x"), AIMessage("Hm."), ("user", "y")]})
    assert last_call(out["messages"])[1]["args"]["text"] == "good"
