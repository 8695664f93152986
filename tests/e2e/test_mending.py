"""A writer that answers with words, another tool or half a call is asked once more, on every surface, in every way of consuming it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.tool import tool_call_chunk
from langgraph.store.memory import InMemoryStore

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.errors import ChainExhausted
from lg_toolroute.health.store import StoreHealth
from lg_toolroute.testing import Call, Chunks, Fail, Say, ScriptedModel
from tests.support.one_turn import SURFACES, TOOLS, WAYS, A, B, C
from tests.support.sampling import cells

WORDS = "Gladly, here is the edit that was asked for."
CONFIG = {"model": A, "toolRouting": {"edit": {"primary": B, "fallbacks": [C]}}}
RIGHT = Say("Gladly, once more.", [Call("edit", {"path": "right"})], chunks=3)
BAD = {
    "words": Say(WORDS, chunks=4),
    "another tool": Say(WORDS, [Call("read", {"path": WORDS})]),
    "half a call": Say(WORDS, [Call("edit", '{"path": "Gladly')]),
    "wrong arguments": Say(calls=[Call("edit", {"paths": WORDS})]),
}


class Turn:
    """One turn, up to the first tool, with everything that a consumer can see of it."""

    def __init__(self, surface: str, way: tuple[bool, bool], scripts: dict[str, list[Any]], config: Any = CONFIG, store: Any = None) -> None:
        is_async, streamed = way
        self.models = {spec: ScriptedModel(scripts.get(spec, ()), name=spec) for spec in (A, B, C)}
        self.router = ToolRouter(config, models=self.models, clock=lambda: 0.0, store=store)
        agent = SURFACES[surface](self.router, self.models)
        thread: Any = {"configurable": {"thread_id": "1"}}
        modes = ["custom", "messages", "updates", "values", "debug", "tasks"] if streamed else ["custom", "values"]
        self.told: list[Any] = []
        question = {"messages": [HumanMessage("go", id="q")]}

        async def listen() -> None:
            async for event in agent.astream(question, thread, stream_mode=modes):
                self.told.append(event)

        if is_async:
            asyncio.run(listen())
        else:
            self.told.extend(agent.stream(question, thread, stream_mode=modes))
        state = agent.get_state(thread)
        self.seen = repr((self.told, state.values, [each.values for each in agent.get_state_history(thread)]))
        self.landed: AIMessage = state.values["messages"][-1]

    def asked(self, spec: str) -> list[str]:
        """The last words of each request to a model."""
        return [request.last_text for request in self.models[spec].requests]

    @property
    def calls(self) -> list[tuple[str, Any]]:
        return [(call["name"], call["args"]) for call in self.landed.tool_calls]


def edit_of(primary: str = "Hm.") -> Say:
    return Say(primary, [Call("edit", {"path": "dropped"})])


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_answer_is_mended_once_on_the_same_model_and_seen_by_nobody(kind: str):
    for surface, (is_async, streamed) in cells(list(SURFACES), WAYS, one_in=4):
        turn = Turn(surface, (is_async, streamed), {A: [edit_of()], B: [BAD[kind], RIGHT]})
        assert turn.calls == [("edit", {"path": "right"})], surface
        assert turn.landed.text == "Hm."
        assert "Gladly" not in turn.seen
        first, second = turn.models[B].requests
        assert [m.content for m in second.messages[:-1]] == [m.content for m in first.messages[:-1]], "what stands before is the same"
        assert second.messages[-1].type == "human"
        assert "Gladly" in second.last_text
        assert "Write the call of `edit` again, correctly, and nothing else." in second.last_text
        assert all(not getattr(message, "tool_calls", None) for message in second.messages)
        assert turn.router.health.calls_of(B, "edit") == CallCounts(1, mended=1)
        assert f"{B} edit: 1 call, 1 mended, 0 failed" in turn.router.explain("edit")


def test_a_model_that_does_not_mend_its_answer_has_failed_and_the_next_one_writes():
    for surface, way in cells(list(SURFACES), WAYS, one_in=4):
        turn = Turn(surface, way, {A: [edit_of()], B: [BAD["words"], BAD["half a call"]], C: [RIGHT]})
        assert turn.calls == [("edit", {"path": "right"})]
        assert len(turn.models[B].requests) == 2
        assert "Your last answer" not in turn.asked(C)[0], "another model is told nothing of it"
        health = turn.router.health
        assert (health.calls_of(B, "edit"), health.calls_of(C, "edit")) == (CallCounts(1, failed=1), CallCounts(1))
        assert health.snapshot([B])[B].opened == 0, "it counts for the tool, not for the model"


def test_a_mend_that_meets_an_outage_has_failed_and_an_outage_alone_is_not_counted():
    turn = Turn("graph", (False, False), {A: [edit_of()], B: [BAD["words"], Fail(ConnectionError("gone"))], C: [RIGHT]})
    assert turn.router.health.calls_of(B, "edit") == CallCounts(1, failed=1)
    turn = Turn("graph", (False, False), {A: [edit_of()], B: [Fail(ConnectionError("gone"))], C: [RIGHT]})
    assert turn.router.health.calls_of(B, "edit") == CallCounts()


def test_each_written_call_is_counted_for_its_own_tool():
    config = {"model": A, "toolRouting": {"edit": {"primary": B, "onIntercept": "drain"}, "write": {"primary": B, "onIntercept": "drain"}}}
    all_three = [Call("edit", {"path": "x"}), Call("write", {"path": "x", "text": "t"}), Call("edit", {"path": "y"})]
    turn = Turn("graph", (False, False), {A: [Say("Hm.", all_three)], B: [BAD["words"], Say(calls=all_three)]}, config)
    assert len(turn.calls) == 3
    health = turn.router.health
    assert (health.calls_of(B, "edit"), health.calls_of(B, "write")) == (CallCounts(2, mended=2), CallCounts(1, mended=1))


def test_with_no_other_model_the_error_says_what_was_wrong_both_times():
    config = {"model": A, "toolRouting": {"edit": {"primary": B, "fallbacks": []}}}
    with pytest.raises(ChainExhausted) as caught:
        Turn("graph", (False, False), {A: [edit_of()], B: [BAD["words"], BAD["another tool"]]}, config)
    said = [str(each) for each in caught.value.exceptions]
    assert ["it called nothing, and edit was wanted" in said[0], "it called 'read' instead of edit" in said[1]] == [True, True]
    assert WORDS not in str(said)


@pytest.mark.parametrize("is_async", [False, True])
def test_counts_are_shared_through_a_store(is_async: bool):
    store = InMemoryStore()
    for _ in range(2):
        turn = Turn("graph", (is_async, False), {A: [edit_of()], B: [BAD["words"], RIGHT]}, store=store)
        told = asyncio.run(turn.router.health.ainspect()) if is_async else turn.router.health.inspect()
    assert told["calls"] == {B: {"edit": {"calls": 2, "mended": 2, "failed": 0}}}
    other = StoreHealth(store)
    assert other.calls_of(B, "edit") == CallCounts()
    other.inspect()
    assert other.calls_of(B, "edit") == CallCounts(2, mended=2)


# -- what a writer is told of a silent primary -----------------------------------------------------------------------------------------------


def told_writer(primary: Any, surface: str = "graph", way: tuple[bool, bool] = (False, True)) -> str:
    return Turn(surface, way, {A: [primary], B: [RIGHT]}).asked(B)[0]


def test_a_writer_is_told_the_kept_calls_and_that_the_primary_gave_no_reason():
    kept_and_routed = Say("", [Call("read", {"path": "a.py"}), Call("edit", {"path": "dropped"})])
    for surface, way in cells(list(SURFACES), WAYS, one_in=4):
        turn = Turn(surface, way, {A: [kept_and_routed], B: [RIGHT]})
        (told,) = turn.asked(B)
        assert 'read({"path": "a.py"})' in told, surface
        assert "did not say what this call is for" in told
        assert "dropped" not in told
        assert all(not getattr(message, "tool_calls", None) for message in turn.models[B].requests[0].messages)
        assert [name for name, _ in turn.calls] == ["read", "edit"]


def test_a_writer_is_told_the_calls_beside_the_words_but_no_reasoning():
    spoken = Say("Let me fix it.", [Call("read", {"path": "a.py"}), Call("edit", {"path": "dropped"})], thinking="secret plan")
    told = told_writer(spoken)
    assert 'read({"path": "a.py"})' in told
    assert "secret plan" not in told
    assert "did not say" not in told


CALL = AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(index=9, name="edit", args='{"path": "dropped"}', id="x")])
BUG = "The bug is in a.py."
REASONED: dict[str, list[AIMessageChunk]] = {
    "reasoning_content": [AIMessageChunk(content="", additional_kwargs={"reasoning_content": text}) for text in ("The bug is ", "in a.py.")],
    "thinking": [
        AIMessageChunk(content=[{"type": "thinking", "thinking": BUG, "signature": "SIGNED", "index": 0}]),
    ],
    "summaries": [AIMessageChunk(content=[{"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": BUG}]}])],
    "older summaries": [
        AIMessageChunk(content="", additional_kwargs={"reasoning": {"id": "rs_1", "summary": [{"type": "summary_text", "text": BUG}]}})
    ],
    "reasoning_details": [
        AIMessageChunk(content="", additional_kwargs={"reasoning_details": [{"type": "reasoning.text", "text": BUG, "index": 0}]})
    ],
    "standard": [AIMessageChunk(content=[{"type": "reasoning", "reasoning": BUG, "index": 0}])],
    "bedrock": [AIMessageChunk(content=[{"type": "reasoning_content", "reasoning_content": {"text": BUG, "signature": "SIGNED"}}])],
}


@pytest.mark.parametrize("form", REASONED)
def test_a_writer_is_told_the_readable_reasoning_of_a_silent_primary_as_plain_words(form: str):
    for surface, way in cells(list(SURFACES), [(False, True), (True, True)], one_in=2):
        turn = Turn(surface, way, {A: [Chunks([*REASONED[form], CALL])], B: [RIGHT]})
        (request,) = turn.models[B].requests
        assert "What the assistant reasoned before this call:\nThe bug is in a.py." in request.last_text, surface
        assert "did not say" not in request.last_text
        assert all(isinstance(message.content, str) and not message.additional_kwargs for message in request.messages)
        assert "SIGNED" not in repr(request.messages)
        assert turn.calls == [("edit", {"path": "right"})]


def test_reasoning_is_shortened_from_the_front():
    told = told_writer(Say("", [Call("edit", {"path": "x"})], thinking="BEGIN " + "x" * 9000 + " END."))
    assert "BEGIN" not in told
    assert "END." in told
    assert len(told) < 5000


def test_a_writer_of_a_tool_that_was_forced_is_told_nothing_of_a_primary():
    models = {A: ScriptedModel(name=A), B: ScriptedModel([RIGHT], name=B)}
    agent = create_toolroute_agent(ToolRouter({"model": A, "toolRouting": {"edit": B}}, models=models), list(TOOLS), interrupt_before=["tools"])
    agent.invoke({"messages": [("user", "go")], "expected_tool": "edit"})
    assert "did not say" not in models[B].requests[0].last_text


# -- names as models write them --------------------------------------------------------------------------------------------------------------


def named(name: str, path: str, index: int, size: int = 100) -> list[AIMessageChunk]:
    pieces = [name[at : at + size] for at in range(0, len(name), size)]
    first = tool_call_chunk(index=index, name=pieces[0], args="", id=f"own_{index}")
    rest = [tool_call_chunk(index=index, name=piece, args="", id=None) for piece in pieces[1:]]
    args = tool_call_chunk(index=index, name=None, args=f'{{"path": "{path}"}}', id=None)
    return [AIMessageChunk(content="", tool_call_chunks=[piece]) for piece in (first, *rest, args)]


@pytest.mark.parametrize("name", ["Edit", "functions.edit", "functions.edit:0", "default_api.edit", "tools.edit"])
@pytest.mark.parametrize("size", [4, 100])
def test_a_dressed_name_is_cut_kept_and_written_as_the_tool_that_it_means(name: str, size: int):
    for surface, way in cells(list(SURFACES), WAYS, one_in=8, covering=False):
        primary = Chunks([AIMessageChunk(content="Hm."), *named("functions.read", "a.py", 0, size), *named(name, "dropped", 1, size)])
        writer = Chunks([*named(name, "right", 0, size), AIMessageChunk(content="", response_metadata={"finish_reason": "tool_calls"})])
        turn = Turn(surface, way, {A: [primary], B: [writer]})
        assert turn.calls == [("read", {"path": "a.py"}), ("edit", {"path": "right"})], (surface, way)
        assert "dropped" not in turn.seen
        attempts = turn.landed.response_metadata["toolroute"]["attempts"]
        assert [attempt["outcome"] for attempt in attempts] == ["cut", "answered"]


@pytest.mark.parametrize("name", ["functions.write", "Write", "default_api.write"])
@pytest.mark.parametrize("surface", ["graph", "middleware", "durable middleware"])
def test_a_denied_tool_stays_denied_under_every_name_that_means_it(surface: str, name: str):
    config = {**CONFIG, "tools": {"byModel": {A: {"deny": ["write"]}}}}
    call = Say("", [Call(name, {"path": "a", "text": "t"})])
    models = {A: ScriptedModel([call, "Done."], name=A), B: ScriptedModel(name=B), C: ScriptedModel(name=C)}
    agent = SURFACES[surface](ToolRouter(config, models=models), models)
    thread: Any = {"configurable": {"thread_id": "1"}}
    agent.invoke({"messages": [("user", "go")]}, thread)
    messages = agent.invoke(None, thread)["messages"]
    assert [call["name"] for call in messages[1].tool_calls] == ["write"]
    assert messages[2].content == "The tool 'write' is not available to you. Do not call it again; go on without it."


@pytest.mark.parametrize("surface", ["graph", "middleware"])
def test_a_call_that_another_graph_wrote_is_held_to_the_policy_for_the_tool_that_its_name_means(surface: str):
    config = {**CONFIG, "tools": {"deny": ["write"]}}
    models = {A: ScriptedModel(["Done."], name=A), B: ScriptedModel(name=B), C: ScriptedModel(name=C)}
    agent = SURFACES[surface](ToolRouter(config, models=models), models)
    thread: Any = {"configurable": {"thread_id": "1"}}
    foreign = AIMessage("", tool_calls=[{"name": "functions.write", "args": {}, "id": "1"}])
    agent.update_state(thread, {"messages": [("user", "go"), foreign]}, "model")
    messages = agent.invoke(None, thread)["messages"]
    if messages[-1].type != "ai":
        messages = agent.invoke(None, thread)["messages"]
    assert "is not available to you" in str(messages[2].content)
