"""The routed graph, end to end, with scripted models: who writes which call, and what lands."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ChainExhausted, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel, ScriptedWholeModel
from tests.support.folder_agents import DEEPSEEK, DROPPED, FORCEABLE, KIMI, LOCAL, Folder, ai, ask, called, record, results, routed

EDIT = {"path": "a.py", "old": "x = 1", "new": "x = 2"}


def story(whole: bool = False) -> tuple[ScriptedModel, ScriptedModel]:
    """Kimi reads, names `edit` with arguments that are dropped, and says when it is done; deepseek writes the edit."""
    cls = ScriptedWholeModel if whole else ScriptedModel
    kimi = cls(
        [
            Say("Let me look.", [Call("read", {"path": "a.py"})]),
            Say("Let me fix that.", [Call("edit", {"path": "a.py", "old": DROPPED})]),
            Say("Fixed."),
        ],
        name=KIMI,
    )
    return kimi, cls([Say("(its words are not part of the answer)", [Call("edit", EDIT)])], name=DEEPSEEK)


@pytest.mark.parametrize("whole", [False, True], ids=["streams", "does not stream"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_the_routed_model_writes_the_call_and_the_primary_has_the_next_turn(whole: bool, is_async: bool):
    kimi, deepseek = story(whole)
    folder = Folder()
    agent = routed({KIMI: kimi, DEEPSEEK: deepseek}, folder=folder)
    with kimi, deepseek:
        out = await agent.ainvoke(ask()) if is_async else agent.invoke(ask())
    assert folder.files["a.py"] == "x = 2\n"
    looked, fixed, done = ai(out["messages"])
    assert called(fixed) == [("edit", EDIT)]
    assert fixed.content == "Let me fix that."
    assert done.content == "Fixed."
    assert record(looked)["model"] == KIMI
    assert record(fixed) | {"attempts": []} == record(fixed) | {
        "tool": "edit",
        "rule": "edit",
        "moment": "call",
        "source": "intercepted",
        "model": DEEPSEEK,
        "primary": KIMI,
        "calls": {fixed.tool_calls[0]["id"]: DEEPSEEK},
        "attempts": [],
    }
    assert [(a["model"], a["outcome"]) for a in record(fixed)["attempts"]] == [(KIMI, "cut"), (DEEPSEEK, "answered")]
    assert DROPPED not in str(out)


def test_the_primary_is_not_read_behind_the_name_of_a_routed_tool():
    """The dropped call has a hundred chunks of arguments; next to none of them are pulled."""
    kimi = ScriptedModel([Say("Hm.", [Call("edit", {"path": DROPPED, "new": "y" * 500})], chunks=5), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=DEEPSEEK)
    routed({KIMI: kimi, DEEPSEEK: deepseek}).invoke(ask())
    request = kimi.requests[0]
    assert request.streamed
    assert request.chunks_sent <= 5


def test_a_turn_in_which_no_routed_tool_is_bound_is_not_streamed_for_our_sake():
    kimi = ScriptedModel([Say("Hello.")], name=KIMI)
    routed({KIMI: kimi}, rules={}).invoke(ask())
    assert not kimi.requests[0].streamed


def test_cut_when_not_streaming_false_intercepts_after_the_whole_message():
    kimi, deepseek = story()
    out = routed({KIMI: kimi, DEEPSEEK: deepseek}, config={"cutWhenNotStreaming": False}).invoke(ask())
    assert [request.streamed for request in kimi.requests] == [False, False, False]
    assert called(ai(out["messages"])[1]) == [("edit", EDIT)]


def test_the_handoff_request_holds_the_history_the_words_of_this_turn_and_one_instruction():
    kimi, deepseek = story()
    rules = {"edit": {"primary": DEEPSEEK, "handoff": "full"}}
    routed({KIMI: kimi, DEEPSEEK: deepseek}, rules=rules, system_prompt="You fix things.").invoke(ask())
    request = deepseek.requests[0]
    assert [message.type for message in request.messages] == ["system", "human", "ai", "tool", "ai", "human"]
    assert request.messages[4].content == "Let me fix that."
    assert "edit" in request.messages[5].content
    assert (request.tools, request.tool_choice) == (("edit",), None)  # DeepSeek thinks, and takes no choice then
    assert DROPPED not in str(request.messages)


def test_tools_of_one_route_are_bound_together_so_that_a_prompt_cache_survives_from_one_to_the_other():
    rules = {"edit": {"primary": DEEPSEEK}, "write": {"primary": DEEPSEEK}}
    kimi = ScriptedModel([Say(calls=[Call("edit", {})]), Say(calls=[Call("write", {})]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", EDIT)]), Say(calls=[Call("write", {"path": "b", "text": ""})])], name=DEEPSEEK)
    routed({KIMI: kimi, DEEPSEEK: deepseek}, rules=rules, config=FORCEABLE).invoke(ask())
    assert [(request.tools, request.tool_choice) for request in deepseek.requests] == [(("edit", "write"), "edit"), (("edit", "write"), "write")]


def test_calls_before_the_routed_one_are_kept_and_those_behind_it_are_dropped_by_the_cut():
    kimi = ScriptedModel(
        [Say("Two things.", [Call("read", {"path": "a.py"}), Call("edit", {"path": DROPPED}), Call("write", {})]), Say("Ok.")], name=KIMI
    )
    deepseek = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=DEEPSEEK)
    out = routed({KIMI: kimi, DEEPSEEK: deepseek}).invoke(ask())
    message = ai(out["messages"])[0]
    assert called(message) == [("read", {"path": "a.py"}), ("edit", EDIT)]
    kept, written = (call["id"] for call in message.tool_calls)
    assert record(message)["calls"] == {kept: KIMI, written: DEEPSEEK}


def test_drain_writes_several_routed_calls_and_keeps_order_and_count():
    rules = {
        "edit": {"primary": DEEPSEEK, "onIntercept": "drain"},
        "write": {"primary": LOCAL, "onIntercept": "drain"},
    }
    drafts = [Call("edit", {"path": DROPPED}), Call("read", {"path": "a.py"}), Call("write", {"path": DROPPED}), Call("edit", {"path": DROPPED})]
    kimi = ScriptedModel([Say("All at once.", drafts), Say("Ok.")], name=KIMI)
    second = {"path": "a.py", "old": "x = 2", "new": "x = 3"}
    deepseek = ScriptedModel([Say(calls=[Call("edit", EDIT), Call("edit", second)])], name=DEEPSEEK)
    local = ScriptedModel([Say(calls=[Call("write", {"path": "b.py", "text": "y"})])], name=LOCAL)
    with kimi, deepseek, local:
        out = routed({KIMI: kimi, DEEPSEEK: deepseek, LOCAL: local}, rules=rules).invoke(ask())
    message = ai(out["messages"])[0]
    assert called(message) == [("edit", EDIT), ("read", {"path": "a.py"}), ("write", {"path": "b.py", "text": "y"}), ("edit", second)]
    assert [record(message)["calls"][call["id"]] for call in message.tool_calls] == [DEEPSEEK, KIMI, LOCAL, DEEPSEEK]
    assert len({call["id"] for call in message.tool_calls}) == 4


def test_a_draft_reaches_the_routed_model_and_nobody_else():
    rules = {"edit": {"primary": DEEPSEEK, "onIntercept": "drain", "handoff": "draft"}}
    kimi = ScriptedModel([Say("Try this.", [Call("edit", {"path": DROPPED})]), Say("Ok.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=DEEPSEEK)
    agent = routed({KIMI: kimi, DEEPSEEK: deepseek}, rules=rules)
    seen = list(agent.stream(ask(), stream_mode=["values", "updates", "messages", "custom"]))
    assert DROPPED in str(deepseek.requests[0].messages)
    assert DROPPED not in str(seen)


def test_the_call_of_the_model_that_is_first_in_the_chain_stands():
    """No handoff when the model already writing is the one that would write."""
    kimi = ScriptedModel([Say(calls=[Call("edit", EDIT)]), Say("Done.")], name=KIMI)
    out = routed({KIMI: kimi, DEEPSEEK: ScriptedModel(name=DEEPSEEK)}, rules={"edit": {"primary": KIMI, "fallbacks": [DEEPSEEK]}}).invoke(ask())
    assert record(ai(out["messages"])[0])["model"] == KIMI


def test_a_forced_tool_is_written_by_its_route_without_asking_the_primary():
    kimi = ScriptedModel([Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=DEEPSEEK)
    with kimi, deepseek:
        out = routed({KIMI: kimi, DEEPSEEK: deepseek}).invoke({**ask(), "expected_tool": "edit"})
    message = ai(out["messages"])[0]
    assert called(message) == [("edit", EDIT)]
    assert record(message)["source"] == "forced"


def test_an_expected_tool_that_is_not_bound_is_warned_about():
    kimi = ScriptedModel([Say("Done.")], name=KIMI)
    with pytest.warns(UserWarning, match="expected_tool: 'edti' is none of the 4 bound tools"):
        routed({KIMI: kimi}, rules={}).invoke({**ask(), "expected_tool": "edti"})


def test_an_expected_tool_without_a_route_is_forced_on_the_primary():
    kimi = ScriptedModel([Say(calls=[Call("read", {"path": "a.py"})]), Say("Done.")], name=KIMI)
    with kimi:
        routed({KIMI: kimi}, rules={}, config=FORCEABLE).invoke({**ask(), "expected_tool": "read"})
    assert [request.tool_choice for request in kimi.requests] == ["read", None]


def test_at_the_result_moment_the_routed_model_reads_the_result():
    rules = {"web_search": {"primary": DEEPSEEK, "moments": ["result"]}}
    kimi = ScriptedModel([Say(calls=[Call("web_search", {"query": "q"})]), Say("(never)")], name=KIMI)
    deepseek = ScriptedModel([Say("It says: found.")], name=DEEPSEEK)
    out = routed({KIMI: kimi, DEEPSEEK: deepseek}, rules=rules).invoke(ask())
    last = ai(out["messages"])[-1]
    assert last.content == "It says: found."
    assert (record(last)["moment"], record(last)["model"], record(last)["tool"]) == ("result", DEEPSEEK, "web_search")
    assert kimi.remaining == 1


def test_usage_is_added_up_and_a_cut_call_is_marked_as_estimated():
    kimi, deepseek = story()
    message = ai(routed({KIMI: kimi, DEEPSEEK: deepseek}).invoke(ask())["messages"])[1]
    cut, wrote = record(message)["attempts"]
    assert cut["usage_estimated"]
    assert not wrote["usage_estimated"]
    total = cut["usage"]["total_tokens"] + wrote["usage"]["total_tokens"]
    assert message.usage_metadata["total_tokens"] == total
    assert record(message)["saved_output_tokens"] == wrote["usage"]["output_tokens"]


@pytest.mark.parametrize(
    "bad",
    [
        Say("I would rather talk."),
        Say(calls=[Call("read", {"path": "a.py"})]),
        Say(calls=[Call("edit", '{"path": "a.py", "old"')]),
        Say(calls=[Call("edit", {"path": 7})]),
        Say(""),
        Say(calls=[Call("edit", EDIT)], finish_reason="length"),
        Say(calls=[Call("edit", EDIT)], finish_reason=""),
    ],
    ids=["text", "another tool", "broken JSON", "not its schema", "nothing", "cut off by length", "no finish reason"],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
def test_an_answer_that_is_not_the_call_is_repaired_once_and_then_the_next_candidate_writes(bad: Say, streamed: bool):
    kimi = ScriptedModel([Say("Now.", [Call("edit", {})]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([bad, bad], name=DEEPSEEK)
    local = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=LOCAL)
    folder = Folder()
    agent = routed({KIMI: kimi, DEEPSEEK: deepseek, LOCAL: local}, rules={"edit": {"primary": DEEPSEEK, "fallbacks": [LOCAL]}}, folder=folder)
    with kimi, deepseek, local:
        if streamed:
            list(agent.stream(ask(), stream_mode="messages"))
        else:
            agent.invoke(ask())
    assert folder.ran == [("edit", EDIT)]
    assert "could not be used" in deepseek.requests[1].messages[-1].content


def test_a_repair_that_succeeds_needs_no_other_candidate():
    kimi = ScriptedModel([Say("Now.", [Call("edit", {})]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", {"path": "a.py"})]), Say(calls=[Call("edit", EDIT)])], name=DEEPSEEK)
    with kimi, deepseek:
        out = routed({KIMI: kimi, DEEPSEEK: deepseek}).invoke(ask())
    attempts = record(ai(out["messages"])[0])["attempts"]
    assert [(a["outcome"], a["reason"]) for a in attempts] == [("cut", ""), ("failed", "invalid_tool_call"), ("answered", "")]
    assert "missing 'old', 'new'" in deepseek.requests[1].messages[-1].content


def test_the_primary_is_the_last_candidate_of_a_rule():
    kimi = ScriptedModel([Say("Now.", [Call("edit", {})]), Say(calls=[Call("edit", EDIT)]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Fail(ConnectionError("refused"))], name=DEEPSEEK)
    with kimi, deepseek:
        out = routed({KIMI: kimi, DEEPSEEK: deepseek}, config=FORCEABLE).invoke(ask())
    assert record(ai(out["messages"])[0])["model"] == KIMI
    assert kimi.requests[1].tool_choice == "edit"


def test_empty_fallbacks_are_a_boundary_that_no_call_leaves():
    kimi = ScriptedModel([Say("Now.", [Call("edit", {})])], name=KIMI)
    local = ScriptedModel([Fail(ConnectionError("refused"))], name=LOCAL)
    models = {KIMI: kimi, LOCAL: local, DEEPSEEK: ScriptedModel(name=DEEPSEEK)}
    agent = routed(models, rules={"edit": {"primary": LOCAL, "fallbacks": []}}, fallbacks=[DEEPSEEK])
    with pytest.raises(ChainExhausted) as caught:
        agent.invoke(ask())
    assert caught.value.tool == "edit"
    assert len(kimi.requests) == 1
    assert isinstance(caught.value.exceptions[0].__cause__, ConnectionError)


def test_a_bug_in_the_callers_code_is_raised_as_it_is():
    class Buggy(ScriptedModel):
        def _generate(self, *args, **kwargs):
            return None.nothing  # a mistake in somebody's program

        _stream = property(lambda self: None.nothing)

    deepseek = ScriptedModel(name=DEEPSEEK)
    with pytest.raises(AttributeError):
        routed({KIMI: Buggy(name=KIMI), DEEPSEEK: deepseek}, rules={}, fallbacks=[DEEPSEEK]).invoke(ask())
    assert deepseek.requests == []


def test_a_denied_tool_is_not_bound_and_a_call_of_it_is_refused_in_plain_words():
    config = {"tools": {"byModel": {KIMI: {"deny": ["web_search"]}}}}
    kimi = ScriptedModel([Say(calls=[Call("web_search", {"query": "q"})]), Say("Fine.")], name=KIMI)
    folder = Folder()
    out = routed({KIMI: kimi}, rules={}, folder=folder, config=config).invoke(ask())
    assert "web_search" not in kimi.requests[0].tools
    (refusal,) = results(out["messages"])
    assert refusal.status == "error"
    assert "web_search" in refusal.content
    assert folder.ran == []
    assert ai(out["messages"])[-1].content == "Fine."


def test_denied_tool_is_not_bound_after_fallback_and_is_back_with_the_primary():
    config = {"tools": {"byModel": {"ollama/*": {"deny": ["web_search"]}}}}
    kimi = ScriptedModel([Fail(ConnectionError("refused")), Say("Back.")], name=KIMI)
    local = ScriptedModel([Say("Hi.")], name=LOCAL)
    agent = routed({KIMI: kimi, LOCAL: local}, rules={}, fallbacks=[LOCAL], config=config)
    agent.invoke(ask())
    agent.invoke(ask())
    assert "web_search" not in local.requests[0].tools
    assert "web_search" in kimi.requests[1].tools


def test_a_candidate_that_may_not_use_the_tool_is_skipped_and_says_why():
    config = {"tools": {"byModel": {DEEPSEEK: {"deny": ["edit"]}}}}
    kimi = ScriptedModel([Say("Now.", [Call("edit", {})]), Say("Done.")], name=KIMI)
    local = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=LOCAL)
    rules = {"edit": {"primary": DEEPSEEK, "fallbacks": [LOCAL]}}
    out = routed({KIMI: kimi, LOCAL: local, DEEPSEEK: ScriptedModel(name=DEEPSEEK)}, rules=rules, config=config).invoke(ask())
    (skipped,) = record(ai(out["messages"])[0])["skipped"]
    assert skipped["model"] == DEEPSEEK
    assert "may not use 'edit'" in skipped["why"]


def test_text_that_was_shown_before_a_model_died_is_gone_on_from():
    dying = Fail(ConnectionError("reset"), Say("The bug is in line 7, I think", chunks=4), after_chunks=5)
    kimi, local = ScriptedModel([dying], name=KIMI), ScriptedModel([Say(" seven.")], name=LOCAL)
    agent = routed({KIMI: kimi, LOCAL: local}, rules={}, fallbacks=[LOCAL])
    chunks = [chunk for chunk, _ in agent.stream(ask(), stream_mode="messages")]
    assert len({chunk.id for chunk in chunks}) == 1
    text = "".join(chunk.content for chunk in chunks)
    assert text.startswith("The bug is in line")
    assert text.endswith(" seven.")
    assert local.requests[0].messages[-2].content == text.removesuffix(" seven.")


def test_return_direct_ends_the_run_after_the_tool():
    folder = Folder()
    tools = folder.tools()
    tools[0].return_direct = True
    kimi = ScriptedModel([Say(calls=[Call("read", {"path": "a.py"})]), Say("(never)")], name=KIMI)
    agent = create_toolroute_agent(ToolRouter({"model": KIMI}, models={KIMI: kimi}), tools)
    assert isinstance(agent.invoke(ask())["messages"][-1], ToolMessage)
    assert kimi.remaining == 1


def test_escalation_goes_up_the_chain_after_two_failures_and_comes_back_after_a_success():
    rules = {"edit": {"primary": DEEPSEEK, "fallbacks": [LOCAL], "escalate": {"after": 2}}}
    wrong = [Say(calls=[Call("edit", {"path": "a.py", "old": f"not there {n}", "new": ""})]) for n in range(2)]
    kimi = ScriptedModel([Say(calls=[Call("edit", {})]) for _ in range(4)] + [Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([*wrong, Say(calls=[Call("edit", {**EDIT, "old": "x = 2"})])], name=DEEPSEEK)
    local = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=LOCAL)
    with kimi, deepseek, local:
        out = routed({KIMI: kimi, DEEPSEEK: deepseek, LOCAL: local}, rules=rules).invoke(ask())
    turns = ai(out["messages"])[:4]
    assert [record(turn)["model"] for turn in turns] == [DEEPSEEK, DEEPSEEK, LOCAL, DEEPSEEK]
    assert "failed 2 times in a row" in record(turns[2])["reason"]


def test_a_failed_call_that_is_issued_again_unchanged_escalates_at_once():
    rules = {"edit": {"primary": DEEPSEEK, "fallbacks": [LOCAL], "escalate": {"after": 5}}}
    wrong = Say(calls=[Call("edit", {"path": "a.py", "old": "not there", "new": ""})])
    kimi = ScriptedModel([Say(calls=[Call("edit", {})]) for _ in range(3)] + [Say("Done.")], name=KIMI)
    deepseek, local = ScriptedModel([wrong, wrong], name=DEEPSEEK), ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=LOCAL)
    with kimi, deepseek, local:
        routed({KIMI: kimi, DEEPSEEK: deepseek, LOCAL: local}, rules=rules).invoke(ask())


def test_a_thread_that_was_left_in_the_middle_of_a_turn_begins_anew_when_the_user_speaks():
    kimi, deepseek = story()
    agent = routed({KIMI: kimi, DEEPSEEK: deepseek}, checkpointer=InMemorySaver(), interrupt_before=["model"])
    thread = {"configurable": {"thread_id": "1"}}
    agent.invoke(ask(), thread)
    agent.invoke({"messages": [HumanMessage("Never mind, look at b.py")]}, thread)
    agent.invoke(None, thread)
    assert kimi.requests[0].messages[-1].content == "Never mind, look at b.py"


def test_a_rules_params_stay_with_its_model_when_a_call_escalates_past_it():
    rules = {"edit": {"primary": DEEPSEEK, "fallbacks": [LOCAL], "escalate": {"after": 1}, "params": {"temperature": 0.1}}}
    wrong = Say(calls=[Call("edit", {"path": "a.py", "old": "not there", "new": ""})])
    kimi = ScriptedModel([Say(calls=[Call("edit", {})]), Say(calls=[Call("edit", {})]), Say("Done.")], name=KIMI)
    deepseek, local = ScriptedModel([wrong], name=DEEPSEEK), ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=LOCAL)
    with kimi, deepseek, local:
        routed({KIMI: kimi, DEEPSEEK: deepseek, LOCAL: local}, rules=rules).invoke(ask())
    assert deepseek.requests[0].kwargs["temperature"] == 0.1
    assert "temperature" not in local.requests[0].kwargs
    assert "temperature" not in kimi.requests[0].kwargs


def test_a_drained_message_that_broke_off_leaves_no_name_of_a_call_behind():
    """The next model reasons anew, and need not want the same calls."""
    rules = {"edit": {"primary": DEEPSEEK, "onIntercept": "drain"}}
    torn = Say("Let me see.", [Call("edit", {"path": DROPPED}), Call("read", {"path": "a.py"})], chunks=4)
    kimi = ScriptedModel([Fail(ConnectionError("reset"), torn, after_chunks=8)], name=KIMI)
    local = ScriptedModel([Say(" Nothing to do.")], name=LOCAL)
    models = {KIMI: kimi, LOCAL: local, DEEPSEEK: ScriptedModel(name=DEEPSEEK)}
    agent = routed(models, rules=rules, fallbacks=[LOCAL])
    chunks = [chunk for chunk, _ in agent.stream(ask(), stream_mode="messages")]
    assert "".join(chunk.content for chunk in chunks) == "Let me see. Nothing to do."
    assert not any(chunk.tool_call_chunks for chunk in chunks)
