"""A finished call is looked at before it lands: a good one costs nothing, a bad one is mended once, and what cannot be mended lands as it was."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lg_toolroute import ConfigError, LookRequest, ToolRoutedChatModel, ToolRouter
from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel
from tests.support.looking import BAD, GOOD, MENDED, NEAREST, OLD, TEXT, TOOLS, WRONG, Turn, edit, thread
from tests.support.one_turn import SURFACES, WAYS, A, B, C
from tests.support.sampling import cells

ALONE = {"model": A, "toolRouting": {"edit_file": {"look": True}}}
ROUTED = {"model": A, "toolRouting": {"edit_file": {"primary": B, "fallbacks": [C], "look": True}}}
SAME = {"model": A, "toolRouting": {"edit_file": {"primary": A, "look": True}}}
SOMETIMES = cells(list(SURFACES), WAYS, one_in=4)
NAMED = Say("", [edit("dropped")])
"""What a primary says that is cut at the tool's name."""
UNUSABLE = {
    "words": Say("I would rather talk."),
    "another tool": Say("", [Call("grep", {"pattern": "x"})]),
    "half a call": Say("", [Call("edit_file", '{"file_path": "a.py"')]),
    "wrong arguments": Say("", [Call("edit_file", {"file": "a.py"})]),
    "nothing": Say(""),
    "an error": Fail(ConnectionError("gone")),
}


@pytest.mark.parametrize("config", [ALONE, SAME], ids=["no model", "the same model"])
def test_a_primarys_call_that_does_not_fit_is_mended_with_the_nearest_text(config: Any):
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [BAD, MENDED]}, config)
        assert turn.calls == [("edit_file", OLD)], (surface, way)
        assert turn.landed.text == "Let me fix it.", "what it said stays, what it says beside the mended call does not"
        assert WRONG not in turn.seen, "no byte of the call that was sent back"
        first, second = turn.models[A].requests
        assert [message.content for message in second.messages[: len(first.messages)]] == [message.content for message in first.messages]
        assert second.messages[-1].type == "human"
        assert NEAREST in second.last_text
        assert WRONG in second.last_text
        assert second.tool_choice == "edit_file"
        assert set(second.tools) == set(first.tools), "the same tools, for the provider's prompt cache"
        assert turn.record["looked"] == {turn.landed.tool_calls[0]["id"]: "mended"}
        assert [event["outcome"] for event in turn.events if event["event"] == "look"] == ["mended"]
        assert turn.router.health.calls_of(A, "edit_file") == CallCounts(looked=1, look_mended=1)


def test_a_good_call_costs_no_request_and_lands_as_without_a_look():
    plain = {"model": A, "toolRouting": {"grep": B}}
    for surface, way in SOMETIMES:
        turn, unlooked = Turn(surface, way, {A: [GOOD]}, ALONE), Turn(surface, way, {A: [GOOD]}, plain)
        assert len(turn.models[A].requests) == 1
        assert (turn.landed.content, turn.calls) == (unlooked.landed.content, unlooked.calls)
        assert "looked" not in turn.record
        assert f"  looked at   {A} edit_file: looked 1, mended 0, stood 0" in turn.router.explain("edit_file")
        assert turn.router.health.calls_of(A, "edit_file").looks == "looked 1, mended 0, stood 0"


def test_a_primarys_call_stands_if_nothing_usable_comes_in_its_place():
    for kind, surface, way in cells(list(UNUSABLE), list(SURFACES), WAYS, one_in=6):
        turn = Turn(surface, way, {A: [BAD, UNUSABLE[kind]]}, ALONE)
        assert turn.calls == [("edit_file", WRONG)], (surface, way)
        assert turn.landed.text == "Let me fix it."
        assert "rather talk" not in turn.seen
        assert len(turn.models[A].requests) == 2, "one mend, and no more"
        assert turn.record["looked"] == {turn.landed.tool_calls[0]["id"]: "stood"}
        assert turn.router.health.calls_of(A, "edit_file") == CallCounts(looked=1, look_stood=1)
        assert turn.router.health.inspect()["models"] == {}, "a mend costs no health"
        if way[1]:
            assert turn.added_up is not None
            assert [call["args"] for call in turn.added_up.tool_calls] == [call["args"] for call in turn.landed.tool_calls]


def test_a_second_miss_lands():
    for surface, way in SOMETIMES:
        again = "        totals += value"
        turn = Turn(surface, way, {A: [BAD, Say("", [edit(again)])]}, ALONE)
        assert turn.calls == [("edit_file", again)]
        assert len(turn.models[A].requests) == 2


def test_a_routed_writers_call_is_mended_by_the_same_writer():
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [NAMED], B: [BAD, MENDED]}, ROUTED)
        assert turn.calls == [("edit_file", OLD)], (surface, way)
        first, second = turn.models[B].requests
        assert [message.content for message in second.messages[:-1]] == [message.content for message in first.messages[:-1]]
        assert NEAREST in second.last_text
        assert WRONG not in turn.seen
        assert set(turn.record["calls"].values()) == {B}
        counts = turn.router.health.calls_of(B, "edit_file")
        assert counts == CallCounts(1, looked=1, look_mended=1), "a mended look is no bad answer"
        told = turn.router.explain("edit_file")
        assert f"{B} edit_file: looked 1, mended 1, stood 0" in told


def test_a_routed_writers_call_stands_and_no_other_candidate_is_asked():
    for kind, surface, way in cells(list(UNUSABLE), list(SURFACES), WAYS, one_in=6):
        turn = Turn(surface, way, {A: [NAMED], B: [BAD, UNUSABLE[kind]]}, ROUTED)
        assert turn.calls == [("edit_file", WRONG)], (surface, way)
        assert turn.models[C].requests == []
        assert turn.router.health.calls_of(B, "edit_file") == CallCounts(1, looked=1, look_stood=1)
        assert [each["outcome"] for each in turn.record["attempts"]] == ["cut", "answered", "failed"]


def test_other_calls_of_the_message_stay_and_keep_their_order():
    three = Say("Let me fix it.", [Call("grep", {"pattern": "x"}), edit(WRONG), Call("read_file", {"file_path": "b.py"})])
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [three, MENDED]}, ALONE)
        assert turn.calls == [("grep", {"pattern": "x"}), ("edit_file", OLD), ("read_file", {"file_path": "b.py"})], (surface, way)
        if way[1]:
            assert turn.added_up is not None
            assert [(call["name"], call["id"]) for call in turn.added_up.tool_calls] == [(c["name"], c["id"]) for c in turn.landed.tool_calls]


def test_two_calls_of_one_message_are_mended_in_one_request():
    both = Say("", [edit(WRONG), edit("not there either", path="b.py")])
    mended = Say("", [edit(OLD), edit("return result", path="b.py")])
    messages = [*thread(), *(m.model_copy(update={"id": f"{m.id}b"}) for m in thread("b.py"))]
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [both, mended]}, ALONE, messages=_apart(messages))
        assert turn.calls == [("edit_file", OLD), ("edit_file", "return result")], (surface, way)
        assert "in this order: edit_file, edit_file" in turn.asked(A)[1]
        assert turn.router.health.calls_of(A, "edit_file") == CallCounts(looked=2, look_mended=2)


def _apart(messages: list[Any]) -> list[Any]:
    """The second thread's read with an id of its own."""
    call = messages[4].tool_calls[0]
    messages[4] = messages[4].model_copy(update={"tool_calls": [{**call, "id": "read2"}]})
    messages[5] = messages[5].model_copy(update={"tool_call_id": "read2"})
    return messages


def test_the_look_knows_what_earlier_calls_of_the_message_do():
    new = "        result += 2 * value"
    for surface, way in SOMETIMES:
        follows = Turn(surface, way, {A: [Say("", [edit(OLD, new), edit(new, "x")])]}, ALONE)
        assert len(follows.models[A].requests) == 1, "the text that the first edit writes is there for the second"
        twice = Turn(surface, way, {A: [Say("", [edit(OLD, new), edit(OLD, "x")]), Say("", [edit(new, "x")])]}, ALONE)
        assert [old for _, old in twice.calls] == [OLD, new]


def test_the_look_is_silent_where_an_earlier_call_of_the_file_is_not_known():
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [Say("", [edit(WRONG), edit("what the first one will write")]), MENDED]}, ALONE)
        assert [old for _, old in turn.calls] == [OLD, "what the first one will write"], (surface, way)
        assert "what the first one" not in turn.asked(A)[1].partition("You wrote this")[2]


def test_in_drain_kept_calls_behind_a_routed_one_are_not_judged_by_a_file_it_may_change():
    config = {"model": A, "toolRouting": {"write_file": {"primary": B, "onIntercept": "drain"}, "edit_file": {"look": True}}}
    written = Call("write_file", {"file_path": "a.py", "content": "dropped"})
    for surface, way in SOMETIMES:
        behind = Turn(surface, way, {A: [Say("", [written, edit(WRONG)])], B: [Say("", [written])]}, config)
        assert (behind.calls[1], len(behind.models[A].requests)) == (("edit_file", WRONG), 1), (surface, way)
        before = Turn(surface, way, {A: [Say("", [edit(WRONG), written]), MENDED], B: [Say("", [written])]}, config)
        assert before.calls[0] == ("edit_file", OLD)


def test_a_kept_call_before_a_cut_is_mended_and_the_cut_call_is_routed():
    config = {"model": A, "toolRouting": {"write_file": B, "edit_file": {"look": True}}}
    first = Say("Both.", [edit(WRONG), Call("write_file", {"file_path": "b.py", "content": "dropped"})])
    writes = Say("", [Call("write_file", {"file_path": "b.py", "content": "written"})])
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [first, MENDED], B: [writes]}, config)
        assert turn.calls == [("edit_file", OLD), ("write_file", {"file_path": "b.py", "content": "written"})], (surface, way)
        assert "dropped" not in turn.seen
        assert turn.record["tool"] == "write_file"
        assert list(turn.record["calls"].values()).count(A) == 1


def test_a_tool_that_is_known_to_come_next_is_looked_at():
    for config, writer, script in ((ALONE, A, [BAD, MENDED]), (ROUTED, B, [BAD, MENDED])):
        for surface in ("graph", "middleware", "durable middleware"):
            turn = Turn(surface, (False, True), {writer: script}, config, state={"expected_tool": "edit_file"})
            assert turn.calls == [("edit_file", OLD)], surface
            assert list(turn.record["calls"].values()) == [writer]
            assert turn.record["source"] == "forced"


def test_a_process_that_resumes_a_turn_has_the_call_written_and_looked_at_again():
    """What was sent back is in no state, so it is gone with the process that died over it."""
    for config, before, after in (
        (ALONE, {A: [BAD, DEATH]}, {A: [BAD, MENDED]}),
        (ROUTED, {A: [NAMED], B: [BAD, DEATH]}, {B: [BAD, MENDED]}),
    ):
        for surface in ("graph", "durable middleware"):
            run: Any = {"configurable": {"thread_id": "1"}}
            first, second = (agent_with(surface, config, scripts) for scripts in (before, after))
            with pytest.raises(KeyboardInterrupt):
                first.invoke({"messages": thread()}, run)
            assert WRONG not in repr(list(first.get_state_history(run)))
            second.checkpointer = first.checkpointer
            second.invoke(None, run)
            (call,) = second.get_state(run).values["messages"][-1].tool_calls
            assert call["args"]["old_string"] == OLD, (surface, config)


DEATH = Fail(KeyboardInterrupt())


def agent_with(surface: str, config: Any, scripts: Mapping[str, list[Any]]) -> Any:
    models = {spec: ScriptedModel(scripts.get(spec, ()), name=spec) for spec in (A, B, C)}
    return SURFACES[surface](ToolRouter(config, models=models), models, TOOLS)


def test_the_applications_reader_is_preferred_over_what_the_thread_tells():
    asked: list[str] = []

    def read(name: str) -> str:
        asked.append(name)
        return TEXT.replace(OLD, WRONG)

    for surface, way in SOMETIMES:
        asked.clear()
        turn = Turn(surface, way, {A: [BAD]}, ALONE, read_file=read)
        assert turn.calls == [("edit_file", WRONG)], "it fits the file as the application has it"
        assert asked == ["a.py"]
        assert turn.router.health.calls_of(A, "edit_file") == CallCounts(looked=1)


def test_a_file_of_which_nothing_is_known_is_not_looked_at():
    for surface, way in SOMETIMES:
        turn = Turn(surface, way, {A: [Say("", [edit(WRONG, path="other.py")])]}, ALONE)
        assert len(turn.models[A].requests) == 1
        assert turn.router.health.calls_of(A, "edit_file") == CallCounts()


def test_a_call_that_the_model_may_not_make_is_not_looked_at():
    config = {**ALONE, "tools": {"byModel": {A: {"deny": ["edit_file"]}}}}
    turn = Turn("graph", (False, False), {A: [BAD]}, config)
    assert turn.calls == [("edit_file", WRONG)], "it is refused where tools run"
    assert len(turn.models[A].requests) == 1


# -- looks of the application ----------------------------------------------------------------------------------------------------------------


def test_a_look_of_the_application_is_told_the_call_the_thread_and_the_file():
    told: list[LookRequest] = []

    def sql(call: LookRequest) -> str | None:
        told.append(call)
        return "There is no table `user`; the nearest is `users`." if call.arguments["pattern"] == "user" else None

    config = {"model": A, "toolRouting": {"grep": {"look": "sql"}, "edit_file": {"look": "sql2"}}}
    first = Say("", [Call("read_file", {"file_path": "b.py"}), Call("grep", {"pattern": "user"}), edit(OLD)])

    def file(call: LookRequest) -> str | None:
        told.append(call)
        return None

    for surface, way in SOMETIMES:
        told.clear()
        turn = Turn(surface, way, {A: [first, Say("", [Call("grep", {"pattern": "users"})])]}, config, looks={"sql": sql, "sql2": file})
        assert [args for _, args in turn.calls] == [{"file_path": "b.py"}, {"pattern": "users"}, OLD], (surface, way)
        assert "the nearest is `users`" in turn.asked(A)[1]
        grepped, edited = told
        assert (grepped.tool, grepped.file, grepped.before) == ("grep", None, (("read_file", {"file_path": "b.py"}),))
        assert edited.file is not None
        assert edited.file.text == TEXT
        assert [message.id for message in edited.messages] == ["q1", "a1", "t1"]


def test_what_a_look_raises_is_raised_untouched():
    class Broken(ConnectionError):
        """Of a class that would be a model's failure, if a model raised it."""

    def broken(call: LookRequest) -> str | None:
        raise Broken("mine")

    config = {"model": A, "toolRouting": {"edit_file": {"primary": B, "fallbacks": [C], "look": "broken"}}}
    for surface, way in SOMETIMES:
        with pytest.raises(Broken, match="mine"):
            Turn(surface, way, {A: [NAMED], B: [GOOD], C: [GOOD]}, config, looks={"broken": broken})


def test_the_agents_own_model_is_looked_at_with_no_model_configured():
    for surface in ("middleware", "durable middleware"):
        turn = Turn(surface, (False, True), {A: [BAD, MENDED]}, {"toolRouting": {"edit_file": {"look": True}}})
        assert turn.calls == [("edit_file", OLD)]
        assert f"{A} edit_file: looked 1, mended 1, stood 0" in turn.router.explain("edit_file")


# -- in what cannot work -----------------------------------------------------------------------------------------------------------------------


def test_a_look_that_nobody_handed_in_is_refused_with_the_remedy():
    with pytest.raises(ConfigError, match=r"toolRouting\.edit_file\.look: there is no look 'sql'; did you mean 'sqll'\?"):
        ToolRouter({"model": A, "toolRouting": {"edit_file": {"look": "sql"}}}, looks={"sqll": lambda call: None})


@pytest.mark.parametrize("surface", SURFACES)
def test_a_built_in_look_at_a_tool_that_edits_no_file_is_refused_with_the_remedy(surface: str):
    with pytest.raises(ConfigError, match=r"toolRouting\.grep\.look: 'grep' matches no tool that is known to edit files; say under tools\.files"):
        Turn(surface, (False, False), {A: [GOOD]}, {"model": A, "toolRouting": {"grep": {"look": True}}})
    Turn(surface, (False, False), {A: [GOOD]}, {"model": A, "toolRouting": {"*": {"look": True}}})


def test_a_chat_model_refuses_such_a_look_when_its_tools_are_bound():
    router = ToolRouter({"model": A, "toolRouting": {"grep": {"look": True}}}, models={A: ScriptedModel(["Done."], name=A)})
    grep = {"name": "grep", "description": "Search.", "parameters": {"type": "object", "properties": {"pattern": {"type": "string"}}}}
    with pytest.raises(ConfigError, match=r"toolRouting\.grep\.look: 'grep' matches no tool"):
        ToolRoutedChatModel(router=router).bind_tools([grep])


PAGE = (Path(__file__).parents[2] / "docs" / "look.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "output"), re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL))
def test_the_examples_of_the_page_print_what_it_shows(code: str, output: str, capsys: pytest.CaptureFixture[str]):
    exec(compile(code, "docs/look.md", "exec"), {"__name__": "page"})  # our own page
    assert capsys.readouterr().out == output


@pytest.mark.parametrize("pattern", ["*", "group:fs", "gr*"])
def test_a_pattern_with_a_look_or_a_form_is_not_judged_by_the_tools_of_one_agent(pattern: str):
    config = {"model": A, "toolRouting": {pattern: {"primary": "deepseek/b", "look": True, "form": "v4a"}}}
    models = {A: ScriptedModel(["Done."], name=A), "deepseek/b": ScriptedModel([], name="deepseek/b")}
    grep = {"name": "grep", "description": "Search.", "parameters": {"type": "object", "properties": {"pattern": {"type": "string"}}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ToolRoutedChatModel(router=ToolRouter(config, models=models)).bind_tools([grep])
    assert model.invoke("Hi.").text == "Done."


def test_a_look_that_returns_no_text_is_named():
    config = {"model": A, "toolRouting": {"edit_file": {"look": "own"}}}
    with pytest.raises(TypeError, match=r"looks\['own'\] returned bool; return what is wrong as a text, or None"):
        Turn("graph", (False, True), {A: [BAD]}, config, looks={"own": lambda request: True})
