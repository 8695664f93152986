"""The cut at an argument over real clients: what the primary wrote before it lands, and no byte of what it wrote behind it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say
from tests.support.briefed import PRIMARY, SPARE, SURFACES, WAYS, WRITER, Bench, changed, read_before

SECRET = "the-primarys-long-argument"
APIS = ["openai-completions", "openai-responses", "anthropic"]
NEW = {"old": "line_30 = 30\n", "new": "line_30 = 0\n"}
FREELY: list[BaseMessage] = [HumanMessage("Set line_30 of a.py to zero.", id="q")]
"""A thread in which no file is known."""


def says(name: str = "a.py", *, before: tuple[Call, ...] = (), **short: Any) -> Say:
    """The primary's answer: an edit whose long arguments are not to be seen."""
    written = {"path": name, **short, "old": f"{SECRET} " * 30, "new": SECRET}
    return Say("I change it.", [*before, Call("edit", written), Call("read", {"path": SECRET})], chunks=7)


def writes(**more: Any) -> Say:
    return Say(calls=[Call("edit", {**NEW, **more})])


def landed(messages: list[BaseMessage]) -> list[tuple[str, dict[str, Any]]]:
    """The calls of the last message that has any."""
    message = next(each for each in reversed(messages) if isinstance(each, AIMessage) and each.tool_calls)
    return [(call["name"], call["args"]) for call in message.tool_calls]


def attempts(messages: list[BaseMessage]) -> list[dict[str, Any]]:
    """The attempts of the first turn."""
    records = (each.response_metadata.get("toolroute") for each in messages if isinstance(each, AIMessage))
    return next(record["attempts"] for record in records if record)


def arguments_of_tool(bench: Bench, place: int = 0) -> set[str]:
    """The arguments that the tool of the writer's request has."""
    (tool,) = bench.asked(WRITER)[place].body["tools"]
    return set((tool.get("function", tool).get("parameters") or tool["input_schema"])["properties"])


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.matrix(one_in=5)
def test_the_short_arguments_are_the_primarys_and_the_long_ones_the_writers(surface: str, way: str, api: str):
    with FaultServer({PRIMARY: [says(before=(Call("read", {"path": "a.py"}),)), "Done."], WRITER: [writes()]}) as server:
        bench = Bench(server, surface, primary_api=api, api=APIS[APIS.index(api) - 1])
        messages = bench.run(way)
        told = bench.sent(WRITER)[0]
    assert landed(messages) == [("read", {"path": "a.py"}), ("edit", {"path": "a.py", **NEW})]
    assert "line_30 = 0\n" in bench.folder.files["a.py"]
    assert SECRET not in repr(bench.seen)
    assert SECRET not in told
    assert arguments_of_tool(bench) == {"old", "new"}
    assert "are decided" in told
    assert [(each["outcome"], each["usage_estimated"]) for each in attempts(messages)] == [("cut", True), ("answered", False)]


@pytest.mark.parametrize("stop", ["name", "argument"])
def test_the_usage_of_a_cut_counts_the_short_arguments(stop: str):
    name = f"a long name, in {'a folder of ' * 50} its own"
    with FaultServer({PRIMARY: [says(name), "Done."], WRITER: [writes(**({"path": name} if stop == "name" else {}))]}) as server:
        messages = Bench(server, rule={"cutAt": stop}).run()
    output = attempts(messages)[0]["usage"]["output_tokens"]
    assert (output > 120) == (stop == "argument")
    assert output < 250


@pytest.mark.parametrize("surface", SURFACES)
def test_a_writer_that_changes_what_is_decided_is_told_so_once_and_its_call_never_lands(surface: str):
    wrong = writes(path="b.py")
    with FaultServer({PRIMARY: [says(), "Done."], WRITER: [wrong, wrong], SPARE: [writes(path="a.py")]}) as server:
        bench = Bench(server, surface)
        messages = bench.run("stream")
        mending = bench.sent(WRITER)[1]
    assert "'path' is decided and cannot be changed: it must be" in mending
    assert landed(messages) == [("edit", {"path": "a.py", **NEW})]
    assert "b.py" not in repr(bench.seen)
    assert [each["model"].partition("/")[2] for each in attempts(messages)] == [PRIMARY, WRITER, WRITER, SPARE]


def test_an_edit_of_a_file_that_a_brief_could_not_show_stands_and_behind_a_boundary_goes_on_with_the_history():
    alone = Say("I change it.", [Call("edit", changed(30))], chunks=7)
    with FaultServer({PRIMARY: [alone, "Done."]}) as server:
        messages = Bench(server, rule={"handoff": "brief"}).run(messages=FREELY)
        assert landed(messages) == [("edit", changed(30))]
        assert server.requests_for(WRITER) == []
    with FaultServer({PRIMARY: [says(), "Done."], WRITER: [writes()]}) as server:
        bench = Bench(server, rule={"handoff": "brief", "fallbacks": []})
        assert landed(bench.run(messages=FREELY)) == [("edit", {"path": "a.py", **NEW})]
        assert FREELY[0].text in bench.sent(WRITER)[0]


def test_a_long_argument_that_comes_before_the_file_is_a_file_that_is_not_known():
    arguments = changed(30)
    backwards = {name: arguments[name] for name in ("new", "old", "path")}
    with FaultServer({PRIMARY: [Say("So.", [Call("edit", backwards)], chunks=7), "Done."]}) as server:
        assert landed(Bench(server, rule={"handoff": "brief"}).run()) == [("edit", backwards)]
        assert server.requests_for(WRITER) == []
    hidden = Say("So.", [Call("edit", {"new": SECRET * 9, "old": SECRET, "path": SECRET})], chunks=7)
    with FaultServer({PRIMARY: [hidden, "Done."], WRITER: [Say(calls=[Call("edit", arguments)])]}) as server:
        bench = Bench(server, rule={"handoff": "brief", "fallbacks": []})
        assert landed(bench.run()) == [("edit", arguments)]
        assert SECRET not in repr(bench.seen)


def test_where_no_file_of_the_thread_is_known_the_cut_is_at_the_name():
    with FaultServer({PRIMARY: [says(SECRET), "Done."], WRITER: [writes(path="a.py")]}) as server:
        bench = Bench(server)
        assert landed(bench.run(messages=FREELY)) == [("edit", {**NEW, "path": "a.py"})]
        assert SECRET not in repr(bench.seen)
        assert arguments_of_tool(bench) == {"path", "old", "new"}


def test_an_answer_that_came_whole_is_cut_in_the_same_place():
    with FaultServer({PRIMARY: [says(), "Done."], WRITER: [writes()]}) as server:
        bench = Bench(server, config={"cutWhenNotStreaming": False})
        out = bench.agent.invoke({"messages": read_before()}, bench.thread)
        assert not server.requests_for(PRIMARY)[0].body.get("stream")
    assert landed(out["messages"]) == [("edit", {"path": "a.py", **NEW})]
    assert SECRET not in repr(out)


@pytest.mark.parametrize("backwards", [False, True])
def test_drained_calls_of_one_tool_each_keep_their_own_arguments(backwards: bool):
    answer = [Call("edit", {**changed(number), "path": name}) for number, name in ((30, "a.py"), (31, "b.py"))]
    both = Say("Two.", [Call("edit", {"path": name, "old": SECRET, "new": SECRET}) for name in ("a.py", "b.py")], chunks=7)
    with FaultServer({PRIMARY: [both, "Done."], WRITER: [Say(calls=answer[::-1] if backwards else answer)]}) as server:
        bench = Bench(server, rule={"onIntercept": "drain"})
        assert landed(bench.run("stream")) == [("edit", {**changed(30), "path": "a.py"}), ("edit", {**changed(31), "path": "b.py"})]
    assert SECRET not in repr(bench.seen)


def test_what_is_decided_stays_so_in_the_process_that_resumes_the_thread():
    saver: Any = InMemorySaver()
    thread: Any = {"configurable": {"thread_id": "1"}}
    with FaultServer({PRIMARY: [says(), "Done."], WRITER: [writes()]}) as server:
        first, second = Bench(server), Bench(server)
        stopped = create_toolroute_agent(first.router, first.folder.tools(), checkpointer=saver, interrupt_after=["model"])
        stopped.invoke({"messages": read_before()}, thread)
        parked = stopped.get_state(thread).values["toolroute"]
        assert [json.loads(call["fixed"]) for call in parked["turn"]["pending"]] == [{"path": "a.py"}]
        resumed = create_toolroute_agent(second.router, second.folder.tools(), checkpointer=saver)
        assert landed(resumed.invoke(None, thread)["messages"]) == [("edit", {"path": "a.py", **NEW})]
        assert len(server.requests_for(PRIMARY)) == 2
