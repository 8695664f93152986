"""Two laws of every surface: a call runs whole or not at all, and what was streamed is what is stored.

The primary's message is drawn as a provider might send it: kept and routed calls in any order, broken or missing arguments, ids that are missing or
repeated, one call after the other or interleaved, in any chunks, and broken off anywhere. It is cut, drained or let through.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import tool

from lg_toolroute import ToolRouter
from lg_toolroute.testing import Call, Chunks, Say, ScriptedModel
from tests.support.one_turn import SURFACES, TOOLS, WAYS, A, B, C
from tests.support.random_messages import INTERRUPTIONS, Message, Sent, message_of, part, spelled
from tests.support.sampling import examples

SECRET = "SECRET"
"""Stands in the arguments of every call that must not be seen."""

WRITERS = {"edit": B, "write": C}


@tool
def look(folder: str = ".") -> str:
    """List a folder."""
    return folder


def routed_places(message: Message, mode: str) -> list[int]:
    """The places of the calls that another model writes."""
    named = [place for place, call in enumerate(message.calls) if call.name in WRITERS and message.sent[place] is not None]
    return {"drain": named, "cut": named[:1], "none": []}[mode]


def random_call(dice: random.Random) -> Sent:
    name = dice.choice(["read", "look", "edit", "write"])
    path = SECRET if name in WRITERS else dice.choice(["a", "b", "ü}", '"{']) * dice.randint(1, 3)
    field = "folder" if name == "look" else "path"
    args = dice.choice([json.dumps({field: path}), json.dumps({field: path}), f'{{"{field}": "{SECRET}', ""])
    return Sent(name, spelled(dice, name), args, dice.choice([None, "", "call_1", "call_1", "call_2", "x y"]))


def random_message(dice: random.Random) -> Message:
    text = dice.choice(["", "Let me see."])
    calls = [random_call(dice) for _ in range(dice.randint(0 if text else 1, 4))]
    return message_of(dice, text, calls, finish=dice.choice(["proper"] * 4 + ["", *INTERRUPTIONS]))


@dataclass(frozen=True)
class Outcome:
    """What came of a turn.

    Attributes:
        stored: The message in the thread.
        shown: The chunks that a consumer got, added up; `None` where nobody listened.
        seen: Everything that can be seen of the turn, and what the writers were sent.
    """

    stored: AIMessage
    shown: AIMessage | None
    seen: str
    tried: list[Any]


def play(surface: str, way: tuple[bool, bool], mode: str, *steps: Any) -> Outcome:
    """One turn, in which the primary plays `steps`, up to the first tool."""
    is_async, streamed = way
    rules = {name: {"primary": spec, "onIntercept": mode} for name, spec in WRITERS.items()} if mode != "none" else {}
    policy = {"byModel": {B: {"deny": ["write"]}}}  # so that there is something to do without a rule, too

    def writes(name: str, **args: str) -> Any:
        def answer(request: Any) -> Say:
            count = 4 if mode == "drain" else 1  # of a drained message, the first ones that are wanted are taken
            return Say(calls=[Call(name, {"path": f"{name} {number}", **args}, id=f"w{number}") for number in range(count)], chunks=3)

        return answer

    models = {
        A: ScriptedModel([*steps, *[Say("Done.")] * 4], name=A),
        B: ScriptedModel(answer=writes("edit"), name=B),
        C: ScriptedModel(answer=writes("write", text="t"), name=C),
    }
    router = ToolRouter({"model": A, "toolRouting": rules, "tools": policy}, models=models, clock=lambda: 0.0)
    agent = SURFACES[surface](router, models, (*TOOLS, look))
    thread: Any = {"configurable": {"thread_id": "1"}}
    told: list[Any] = []
    question = {"messages": [HumanMessage("go", id="q")]}
    modes = ["custom", "messages"] if streamed else ["custom"]

    async def listen() -> None:
        async for event in agent.astream(question, thread, stream_mode=modes):
            told.append(event)

    if is_async:
        asyncio.run(listen())
    else:
        told.extend(agent.stream(question, thread, stream_mode=modes))
    stored = agent.get_state(thread).values["messages"][-1]
    assert isinstance(stored, AIMessage)
    parts = [event[0] for name, event in told if name == "messages"]
    chunks = [each for each in parts if isinstance(each, AIMessageChunk)]
    shown = None if not parts else chunks[0] + chunks[1:] if chunks[1:] else parts[0]
    asked = [request.messages for spec in (B, C) for request in models[spec].requests]
    return Outcome(stored, shown, repr((told, agent.get_state(thread).values, asked)), stored.response_metadata["toolroute"]["attempts"])


def told(message: AIMessage) -> tuple[Any, ...]:
    return message.text, [(call["id"], call["name"], call["args"]) for call in message.tool_calls]


surfaces = st.sampled_from(sorted(SURFACES))
ways = st.sampled_from(WAYS)


@settings(max_examples=examples(360), deadline=None)
@given(surface=surfaces, way=ways, mode=st.sampled_from(["cut", "drain", "none"]), dice=st.randoms(use_true_random=False))
def test_every_call_is_stored_whole_and_as_it_was_streamed(surface: str, way: tuple[bool, bool], mode: str, dice: random.Random):
    message = random_message(dice)
    found = play(surface, way, mode, message.step(whole=mode == "none" and not way[1]))
    stored, calls = found.stored, found.stored.tool_calls
    # What was streamed is what is stored.
    if found.shown is not None:
        assert told(found.shown) == told(stored)
    # Ids are there, are told apart, and name the writer.
    ids = [call["id"] for call in calls]
    assert all(ids)
    assert len({*ids}) == len(ids)
    routed = {message.calls[place].name for place in routed_places(message, mode)}
    writers = [WRITERS[call["name"]] if call["name"] in routed else A for call in calls]
    assert stored.response_metadata["toolroute"]["calls"] == dict(zip(ids, writers, strict=True))
    # Nothing of a dropped call can be seen.
    if mode != "none":
        assert SECRET not in found.seen
    # Every call of the primary is one that it wrote whole; every routed call is there, written by its model; in the order of the primary.
    places = _places(message, calls, mode)
    assert places == sorted(places)
    for place, call in zip(places, calls, strict=True):
        if place in routed_places(message, mode):
            assert call["args"]["path"].startswith(call["name"])
        else:
            assert call["args"] == message.calls[place].parsed
            assert message.sent[place] == message.calls[place].args
            # An empty string is no arguments only if the stream has said so, or has moved on.
            assert message.sent[place] or message.proper or (call["name"] == "look" and message.moved_on(place))
    # What must be there: whole calls beside a routed one, and all calls of a good message.
    assert set(routed_places(message, mode)) <= {*places}
    whole = [place for place, call in enumerate(message.calls) if call.args and call.parsed is not None and message.sent[place] == call.args]
    if routed_places(message, mode):
        last = routed_places(message, mode)[-1] if mode == "cut" else len(message.calls)
        assert {place for place in whole if place < last} <= {*places} | {*routed_places(message, mode)}
    elif message.proper and all(call.parsed is not None for call in message.calls):
        assert places == list(range(len(message.calls)))
    elif calls:
        assert message.finish == "content_filter", "a message that broke off has no calls"


def _places(message: Message, calls: Sequence[Any], mode: str) -> list[int]:
    """The place of each stored call in the primary's message."""
    places: list[int] = []
    for call in calls:
        at = places[-1] + 1 if places else 0
        routed = routed_places(message, mode)
        places.append(
            next(
                place
                for place in range(at, len(message.calls))
                if message.calls[place].name == call["name"] and (place in routed or message.is_sent(place, call["args"]))
            )
        )
    return places


@pytest.mark.parametrize("mode", ["cut", "drain", "none"])
@pytest.mark.parametrize("finish", ["", *INTERRUPTIONS, "a_word_of_its_own"])
@pytest.mark.parametrize("name", ["read", "look"])
def test_a_message_that_ends_after_the_name_of_a_call_has_no_such_call(name: str, finish: str, mode: str):
    """The routed call stands before it, so that only `drain` reads on; no arguments are not the arguments `{}`, whatever the tool needs."""
    ends = AIMessageChunk(content="", response_metadata={"model_name": "a", **({"finish_reason": finish} if finish else {})})
    first = [part(0, name="edit", id="e"), part(0, args="{}")] if mode == "drain" else []
    for number, surface in enumerate(SURFACES):
        # A word that is not known means nothing where a client has read the whole answer, and has found a call in it.
        way = WAYS[number] if finish in {"", *INTERRUPTIONS} else (number % 2 == 0, True)
        calls = play(surface, way, mode, Chunks([*first, part(1, name=name, id="r"), ends])).stored.tool_calls
        assert [call["name"] for call in calls] == ["edit"] * bool(first)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(("turn", "finish"), list(enumerate(["", *(word for word in INTERRUPTIONS if word != "content_filter")])))
def test_half_a_sentence_is_gone_on_with(turn: int, finish: str, surface: str):
    ends = AIMessageChunk(content="", response_metadata={"model_name": "a", **({"finish_reason": finish} if finish else {})})
    found = play(surface, WAYS[turn % len(WAYS)], "none", Chunks([AIMessageChunk(content="The bug is "), ends]))
    assert found.stored.text == "The bug is Done."
    assert [(attempt["outcome"], attempt["reason"]) for attempt in found.tried] == [("failed", "truncated"), ("answered", "")]
