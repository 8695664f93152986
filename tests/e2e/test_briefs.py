"""What the model that writes a call is sent: the file as it is now and not the history, on every surface, over real clients."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from lg_toolroute import BriefRequest
from lg_toolroute.testing import Call, FaultServer, Say, faults
from tests.support.briefed import OLD_TALK, OPAQUE, PRIMARY, SPARE, SURFACES, TEXT, WAYS, WRITER, Bench, changed, handoffs, read_before, says, writes
from tests.support.sampling import cells

BRIEF = {"handoff": "brief"}


def test_the_writer_is_sent_the_file_as_it_is_now_and_not_the_history():
    for surface, way in cells(SURFACES, WAYS, one_in=2):
        scripts = {PRIMARY: [says(30), says(7), Say("Done.")], WRITER: [writes(30), writes(7)]}
        with FaultServer(scripts) as server:
            bench = Bench(server, surface, BRIEF)
            messages = bench.run(way)
        first, second = bench.sent(WRITER)
        assert TEXT in first
        assert TEXT.replace("line_30 = 30\n", "line_30 = 0\n") in second, "the file is told as the first edit has left it"
        for body in (first, second):
            assert "Set line_30 to zero." in body
            assert OLD_TALK not in body
            assert OPAQUE not in body
        assert "I change line 7." in second
        assert [request.messages[0]["role"] for request in bench.asked(WRITER)] == ["system", "system"]
        assert bench.folder.files["a.py"] == TEXT.replace("line_30 = 30\n", "line_30 = 0\n").replace("line_7 = 7\n", "line_7 = 0\n")
        assert OLD_TALK in bench.sent(PRIMARY)[-1], "the primary has the whole history"
        told = handoffs(messages)
        assert [(model, each["kind"], each["size"]) for model, each in told] == [(WRITER, "brief", "lean")] * 2
        assert all(300 < each["tokens"] < 700 for _, each in told)
        assert [event["handoff"] for event in bench.events if event["event"] == "attempt" and "handoff" in event] == [each for _, each in told]


OPENAI = "openai-completions"


@pytest.mark.parametrize(("profile", "api"), [("openai", OPENAI), ("deepseek-v4", OPENAI), ("qwen-thinking", OPENAI), ("claude-5.5", "anthropic")])
def test_a_brief_is_legal_where_a_history_has_to_be_and_holds_nothing_private(profile: str, api: str):
    for words in ("I change line 30.", ""):
        primary = Say(words, says(30).calls, chunks=3)
        with FaultServer({PRIMARY: [primary, Say("Done.")], WRITER: [writes(30)]}, profile={WRITER: profile}) as server:
            bench = Bench(server, rule={**BRIEF, "fallbacks": []}, api=api)
            bench.run()
            server.assert_done()
        assert "line_30 = 0" in bench.folder.files["a.py"]
        assert all(OPAQUE not in body for body in bench.sent(WRITER))
        assert not any("cache_control" in body for body in bench.sent(WRITER)), "what is stored nowhere is not cached"


@pytest.mark.parametrize("surface", SURFACES)
def test_the_file_that_a_drained_call_names_is_told_too(surface: str):
    with FaultServer({PRIMARY: [says(30), Say("Done.")], WRITER: [writes(30)]}) as server:
        bench = Bench(server, surface, {**BRIEF, "onIntercept": "drain"})
        messages = bench.run()
    assert TEXT in bench.sent(WRITER)[0]
    assert [each["kind"] for _, each in handoffs(messages)] == ["brief"]
    assert "wrong wrong" not in repr((bench.events, messages))


@pytest.mark.parametrize("surface", ["graph", "durable middleware"])
def test_a_turn_that_was_parked_is_resumed_by_another_process_with_a_brief_made_anew(surface: str):
    with FaultServer({PRIMARY: [says(30)]}) as server:
        begun = Bench(server, surface, BRIEF, compiled={"interrupt_after": ["model"]})
        begun.run()
        assert begun.agent.get_state(begun.thread).values["toolroute"]["turn"]["pending"][0]["fixed"] == '{"path": "a.py"}'
    with FaultServer({PRIMARY: [Say("Done.")], WRITER: [writes(30)]}) as server:
        resumed = Bench(server, surface, BRIEF, folder=begun.folder, checkpointer=begun.checkpointer)
        messages = resumed.run(resume=True)
    assert TEXT in resumed.sent(WRITER)[0]
    assert OLD_TALK not in resumed.sent(WRITER)[0]
    assert [each["kind"] for _, each in handoffs(messages)] == ["brief"]
    assert "line_30 = 0\n" in resumed.folder.files["a.py"]


def test_what_stands_first_is_the_same_from_call_to_call_as_long_as_the_file_is():
    missed = Say(calls=[says(30).calls[0]])
    with FaultServer({PRIMARY: [says(30), says(30), Say("Done.")], WRITER: [missed, writes(30)]}) as server:
        bench = Bench(server, rule=BRIEF)
        bench.run()
    first, second = ([message["content"] for message in request.messages] for request in bench.asked(WRITER))
    assert first[0] == second[0]
    until = first[1].index("</file>") + len("</file>")
    assert first[1][:until] == second[1][:until]
    assert "The last call of this tool failed" in second[1]
    assert "old text not found" in second[1]


def test_a_candidate_with_less_room_is_sent_a_smaller_brief_of_the_same_thread():
    models = [{"id": WRITER, "contextWindow": 200_000}, {"id": SPARE, "contextWindow": 1_500}]
    thread = [*read_before()[:4], *(each for number in range(8) for each in ran(number)), *read_before()[4:]]
    down = faults.server_error()
    with FaultServer({PRIMARY: [says(30), Say("Done.")], WRITER: [down], SPARE: [writes(30)]}) as server:
        bench = Bench(server, rule={"handoff": {"brief": "rich"}}, models=models)
        messages = bench.run(messages=thread)
    (_, rich), (spare, smaller) = handoffs(messages)
    assert (rich["size"], spare) == ("rich", SPARE)
    assert smaller["size"] in ("lean", "cut")
    assert smaller["tokens"] <= 1_500 < rich["tokens"]
    assert "line_30 = 30" in bench.sent(SPARE)[0]
    assert messages[-1].text == "Done."


@pytest.mark.parametrize("surface", SURFACES)
def test_the_model_to_which_a_rule_escalates_is_sent_a_brief_of_its_own_with_the_failure(surface: str):
    thread = read_before()
    for number in range(2):
        call = {"name": "edit", "args": {"path": "a.py", "old": f"line_30 = {number}!", "new": "x"}, "id": f"failed_{number}"}
        failed = ToolMessage("old text not found", tool_call_id=f"failed_{number}", name="edit", status="error", id=f"f{number}")
        thread += [AIMessage("", tool_calls=[call], id=f"e{number}"), failed]
    with FaultServer({PRIMARY: [says(30), Say("Done.")], SPARE: [writes(30)]}) as server:
        bench = Bench(server, surface, {**BRIEF, "escalate": {"after": 2}})
        messages = bench.run(messages=thread)
    assert [(model, each["kind"]) for model, each in handoffs(messages)] == [(SPARE, "brief")]
    (sent,) = bench.sent(SPARE)
    assert TEXT in sent
    assert "line_30 = 1!" in sent, "the call that failed last"
    assert OLD_TALK not in sent


def ran(number: int) -> list[BaseMessage]:
    call = {"name": "web_search", "args": {"query": f"word {number}"}, "id": f"call_{number}"}
    return [AIMessage("", tool_calls=[call], id=f"w{number}"), ToolMessage("word " * 400, tool_call_id=f"call_{number}", id=f"s{number}")]


@pytest.mark.parametrize("handoff", ["auto", "brief", "full"])
def test_a_window_that_takes_the_brief_is_large_enough_for_a_call_of_a_known_file(handoff: str):
    thread = [HumanMessage("word " * 8_000, id="long"), *read_before()]
    models = [{"id": WRITER, "contextWindow": 4_000}]
    asked = SPARE if handoff == "full" else WRITER
    with FaultServer({PRIMARY: [says(30), Say("Done.")], asked: [writes(30)]}) as server:
        bench = Bench(server, rule={"handoff": handoff}, models=models)
        messages = bench.run(messages=thread)
    (told,) = handoffs(messages)
    assert (told[0], told[1]["kind"]) == (asked, "full" if handoff == "full" else "brief")
    said = {"auto": told[1]["why"], "brief": told[1]["why"], "full": str(messages[-3].response_metadata["toolroute"]["skipped"])}
    assert {"auto": "do not fit its window", "brief": "the rule says so", "full": "does not fit about"}[handoff] in said[handoff]


def priced(model: str, read: float, fresh: float, written: float) -> dict[str, Any]:
    return {"id": model, "cost": {"input": fresh, "output": written, "cacheRead": read}}


def test_auto_goes_by_the_candidates_own_prices_and_the_model_that_reasons_keeps_its_history():
    thread = [HumanMessage("word " * 12_000, id="long"), *read_before()]
    models = [priced(PRIMARY, 0.5, 5, 25), priced(WRITER, 0.1, 1, 5)]
    down = faults.server_error()
    with FaultServer({PRIMARY: [says(30), writes(30), Say("Done.")], WRITER: [down], SPARE: [down]}) as server:
        bench = Bench(server, rule={"fallbacks": [f"mine/{SPARE}", f"mine/{PRIMARY}"]}, models=models)
        messages = bench.run(messages=thread)
    told = handoffs(messages)
    assert [(model, each["kind"]) for model, each in told] == [(WRITER, "brief"), (SPARE, "brief"), (PRIMARY, "full")]
    assert "the history costs $0.01" in told[0][1]["why"]
    assert "no price is configured" in told[1][1]["why"]
    assert "it reasons in this turn" in told[2][1]["why"]


def test_a_history_that_lies_in_the_candidates_cache_is_sent_whole_where_that_costs_next_to_nothing():
    thread = [HumanMessage("word " * 12_000, id="long"), *read_before()]
    models = [priced(PRIMARY, 0.5, 5, 25), priced(WRITER, 0.014, 0.14, 0.28)]
    now = [0.0]
    with FaultServer({PRIMARY: [says(30), says(7), Say("Done.")], WRITER: [writes(30), writes(7)]}) as server:
        bench = Bench(server, models=models, settings={"clock": lambda: now[0]})
        bench.router.sent.note(thread, f"theirs/{WRITER}", 15_000, 0.0)
        messages = bench.run(messages=thread)
    assert [each["kind"] for _, each in handoffs(messages)] == ["full", "full"]
    now[0] = 301.0
    with FaultServer({PRIMARY: [says(30), Say("Done.")], WRITER: [writes(30)]}) as server:
        late = Bench(server, models=models, settings={"clock": lambda: now[0]})
        late.router.sent.note(thread, f"theirs/{WRITER}", 15_000, 0.0)
        messages = late.run(messages=thread)
    assert [each["kind"] for _, each in handoffs(messages)] == ["brief"]


@pytest.mark.parametrize("handoff", ["auto", "brief"])
def test_of_a_file_that_is_not_known_the_whole_history_tells_where_the_call_may_not_stand(handoff: str):
    with FaultServer({PRIMARY: [says(30), Say("Done.")], WRITER: [writes(30)]}) as server:
        bench = Bench(server, rule={"handoff": handoff, "fallbacks": []})
        messages = bench.run(messages=[HumanMessage(OLD_TALK, id="q1"), AIMessage("Yes.", id="a1"), HumanMessage("Set line_30 to zero.", id="q2")])
    assert OLD_TALK in bench.sent(WRITER)[0]
    ((_, told),) = handoffs(messages)
    assert (told["kind"], told["why"]) == ("full", "what the call is about is not known, so a brief could not show it")


@pytest.mark.parametrize("surface", SURFACES)
def test_the_applications_reader_goes_before_what_the_thread_tells(surface: str):
    now = TEXT.replace("line_1 = 1\n", "line_1 = 'changed outside'\n")
    asked: list[str] = []

    def read_file(name: str) -> str | None:
        asked.append(name)
        return now

    for thread in (read_before(), [HumanMessage("Set line_30 to zero.", id="q2")]):
        with FaultServer({PRIMARY: [says(30), Say("Done.")], WRITER: [writes(30)]}) as server:
            bench = Bench(server, surface, settings={"read_file": read_file})
            bench.run(messages=thread)
        assert now in bench.sent(WRITER)[0]
    assert asked == ["a.py"] * len(asked)


def test_an_error_of_the_applications_reader_reaches_the_caller():
    def read_file(name: str) -> str | None:
        raise PermissionError(name)

    with FaultServer({PRIMARY: [says(30)]}) as server, pytest.raises(PermissionError, match=r"a\.py"):
        Bench(server, settings={"read_file": read_file}).run()


def own(request: BriefRequest) -> str | list[BaseMessage] | None:
    """A brief of the application's."""
    assert (request.tool, request.arguments["path"]) == ("edit", "a.py")
    assert request.schema is not None
    assert request.schema["required"] == ["path", "old", "new"]
    assert request.file is not None
    return f"Of {len(request.thread)} messages: {request.file.text.splitlines()[29]}" if request.file.text else None


@pytest.mark.parametrize("surface", SURFACES)
def test_a_brief_of_the_applications_own_stands_in_place_of_the_history(surface: str):
    with FaultServer({PRIMARY: [says(30), Say("Done.")], WRITER: [writes(30)]}) as server:
        bench = Bench(server, surface, {"handoff": {"brief": "own"}}, settings={"briefs": {"own": own}})
        messages = bench.run()
    (request,) = bench.asked(WRITER)
    assert [message["role"] for message in request.messages] == ["user", "assistant", "user"]
    assert request.messages[0]["content"] == "Of 5 messages: line_30 = 30"
    ((_, told),) = handoffs(messages)
    assert (told["kind"], told["size"], told["why"]) == ("brief", "own", "the rule says so")


def test_messages_of_the_thread_in_a_brief_of_the_applications_own_are_adapted_to_the_writer():
    with FaultServer({PRIMARY: [says(30), Say("Done.")], WRITER: [writes(30)]}, profile={WRITER: "openai"}) as server:
        settings = {"briefs": {"own": lambda request: request.thread[1:4]}}
        bench = Bench(server, rule={"handoff": {"brief": "own"}}, settings=settings)
        bench.run()
    assert OPAQUE not in bench.sent(WRITER)[0]
    assert "That is the file." in bench.sent(WRITER)[0]
    assert OLD_TALK not in bench.sent(WRITER)[0]


def test_a_brief_that_knows_nothing_sends_the_history_and_one_that_is_wrong_is_named():
    with FaultServer({PRIMARY: [says(30), Say("Done.")], WRITER: [writes(30)]}) as server:
        bench = Bench(server, rule={"handoff": {"brief": "own"}}, settings={"briefs": {"own": lambda request: None}})
        ((_, told),) = handoffs(bench.run())
    assert (told["kind"], told["why"]) == ("full", "the brief 'own' says that it does not know this thread")
    assert OLD_TALK in bench.sent(WRITER)[0]
    for made, error, text in (
        (lambda request: 42, TypeError, r"briefs\['own'\] returned int; return messages, a text, or None"),
        (lambda request: 1 / 0, ZeroDivisionError, "division by zero"),
    ):
        with FaultServer({PRIMARY: [says(30)]}) as server, pytest.raises(error, match=text):
            Bench(server, rule={"handoff": {"brief": "own"}}, settings={"briefs": {"own": made}}).run()


def test_a_call_that_is_kept_in_the_same_message_and_has_not_run_yet_is_counted_in():
    write = Say("Anew.", [Call("write", {"path": "a.py", "text": "line_1 = 1\n"}), *says(1).calls], chunks=3)
    with FaultServer({PRIMARY: [write, Say("Done.")], WRITER: [writes(1)]}) as server:
        bench = Bench(server, rule=BRIEF)
        bench.run()
    assert '<file name=\\"a.py\\">\nline_1 = 1\n' in bench.sent(WRITER)[0]
    assert bench.folder.files["a.py"] == changed(1)["new"]
