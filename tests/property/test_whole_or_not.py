"""Two laws of every surface: a call runs whole or not at all, and what was streamed is what is stored.

The primary's message is drawn as a provider might send it: kept and routed calls in any order, broken or missing arguments, ids that are missing or
repeated, one call after the other or interleaved, in any chunks, and broken off anywhere. It is cut, drained or let through.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.tools import tool

from lg_toolroute import ToolRouter
from lg_toolroute.core.failures.spellings import words
from lg_toolroute.testing import Call, Chunks, Say, ScriptedModel
from tests.support.one_turn import SURFACES, TOOLS, WAYS, A, B, C
from tests.support.sampling import examples

SECRET = "SECRET"
"""Stands in the arguments of every call that must not be seen."""

PROPER = {"finish_reason": "tool_calls", "model_name": "a"}
INTERRUPTIONS = sorted(
    words("""length content_filter insufficient_system_resource abort cancelled OTHER ERROR_LIMIT error USER_CANCEL network_error time_limit
    malformed_tool_use TOO_MANY_TOOL_CALLS""")
)
WRITERS = {"edit": B, "write": C}


@tool
def look(folder: str = ".") -> str:
    """List a folder."""
    return folder


@dataclass(frozen=True)
class Sent:
    """A call as the primary writes it, under a name that plainly means `name`."""

    name: str
    written: str
    args: str
    id: str | None

    @property
    def parsed(self) -> dict[str, Any] | None:
        """The arguments; `None` if they are broken."""
        try:
            return json.loads(self.args) if self.args else {}
        except ValueError:
            return None


@dataclass(frozen=True)
class Message:
    """The primary's message, in the order of its chunks.

    Attributes:
        calls: What it was going to write.
        sent: The arguments of each call as far as they were sent; `None` for a call that had not begun.
        proper: It ended with a finish reason that says it is complete.
    """

    text: str
    calls: tuple[Sent, ...]
    chunks: tuple[AIMessageChunk, ...] = field(repr=False)
    sent: tuple[str | None, ...]
    proper: bool
    finish: str
    dialect: str

    def step(self, *, whole: bool) -> Any:
        """What the primary plays; `whole`, as clients read an answer that is not streamed: an empty string is `{}` to them."""
        if not whole:
            return Chunks(list(self.chunks))
        calls = [Call(call.written, sent or {}, call.id) for call, sent in zip(self.calls, self.sent, strict=True) if sent is not None]
        return Say(self.text, calls, finish_reason="tool_calls" if self.proper else self.finish)

    def is_sent(self, place: int, args: Any) -> bool:
        """Whether a call was sent to its end, with these arguments: of two that are alike, one may have broken off."""
        return self.calls[place].parsed == args and self.sent[place] == self.calls[place].args

    def moved_on(self, place: int) -> bool:
        """Whether the stream says that a call without arguments is finished: a later block has begun, or arguments of a later call have come."""
        later = self.sent[place + 1 :]
        return any(later) or (self.dialect in {"blocks", "no index"} and any(sent is not None for sent in later))

    def routed(self, mode: str) -> list[int]:
        """The places of the calls that another model writes."""
        named = [place for place, call in enumerate(self.calls) if call.name in WRITERS and self.sent[place] is not None]
        return {"drain": named, "cut": named[:1], "none": []}[mode]


@st.composite
def sent_calls(draw: Any) -> Sent:
    name = draw(st.sampled_from(["read", "look", "edit", "write"]))
    path = SECRET if name in WRITERS else draw(st.sampled_from(["a", "b", "ü}", '"{'])) * draw(st.integers(1, 3))
    field = "folder" if name == "look" else "path"
    args = draw(st.sampled_from([json.dumps({field: path}), json.dumps({field: path}), f'{{"{field}": "{SECRET}', ""]))
    written = draw(st.sampled_from([name] * 4 + [name.title(), f"functions.{name}", f"functions.{name}:0", f"default_api.{name}"]))
    return Sent(name, written, args, draw(st.sampled_from([None, "", "call_1", "call_1", "call_2", "x y"])))


def part(place: int | None, **piece: Any) -> AIMessageChunk:
    return AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(**{"name": None, "args": None, "id": None, "index": place, **piece})])


def block(place: int, call: Sent, args: str | None) -> AIMessageChunk:
    """The beginning of a call in Anthropic's form, or a piece of its arguments."""
    opens = args is None
    mine = {"type": "tool_use", "id": call.id, "name": call.written, "input": {}} if opens else {"type": "input_json_delta", "partial_json": args}
    piece = tool_call_chunk(name=call.written if opens else None, args=args or "", id=call.id if opens else None, index=place + 1)
    return AIMessageChunk(content=[{**mine, "index": place + 1}], tool_call_chunks=[piece], response_metadata={"model_provider": "anthropic"})


def pieces(draw: Any, text: str) -> list[str]:
    size = draw(st.integers(1, 9))
    return [text[at : at + size] for at in range(0, len(text), size)]


@st.composite
def messages(draw: Any) -> Message:
    text = draw(st.sampled_from(["", "Let me see."]))
    calls = tuple(draw(st.lists(sent_calls(), min_size=0 if text else 1, max_size=4)))
    dialect = draw(st.sampled_from(["one by one", "names first", "in turn", "blocks", "no index"]))
    begins: list[list[tuple[int, AIMessageChunk]]] = []
    for place, call in enumerate(calls):
        if dialect == "no index":
            begins.append([(place, part(None, name=call.written, id=call.id, args=call.args))])
        elif dialect == "blocks":
            begins.append([(place, block(place, call, None)), *((place, block(place, call, piece)) for piece in pieces(draw, call.args))])
        else:
            rest = [(place, part(place, args=piece)) for piece in pieces(draw, call.args)]
            begins.append([(place, part(place, name=call.written, id=call.id, args=draw(st.sampled_from(["", None])))), *rest])
    order = [chunk for column in begins for chunk in column]
    if dialect == "names first":
        order = [column[0] for column in begins] + [chunk for column in begins for chunk in column[1:]]
    elif dialect == "in turn":
        order = [column[step] for step in range(max(map(len, begins), default=0)) for column in begins if step < len(column)]
    finish = draw(st.sampled_from(["proper"] * 4 + ["", *INTERRUPTIONS]))
    if finish != "proper":
        order = order[: draw(st.integers(0, len(order)))]
    sent: list[str | None] = [None] * len(calls)
    for place, chunk in order:
        sent[place] = (sent[place] or "") + (chunk.tool_call_chunks[0]["args"] or "")
    words: Any = [{"type": "text", "text": text, "index": 0}] if dialect == "blocks" and text else text
    first = AIMessageChunk(content=words, response_metadata={"model_provider": "anthropic"} if dialect == "blocks" else {})
    ends = {"model_name": "a"} if finish == "" else {**PROPER, **({} if finish == "proper" else {"finish_reason": finish})}
    chunks = (first, *(chunk for _, chunk in order), AIMessageChunk(content="", response_metadata=ends))
    return Message(text, calls, chunks, tuple(sent), finish == "proper", finish, dialect)


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
@given(surface=surfaces, way=ways, mode=st.sampled_from(["cut", "drain", "none"]), message=messages())
def test_every_call_is_stored_whole_and_as_it_was_streamed(surface: str, way: tuple[bool, bool], mode: str, message: Message):
    found = play(surface, way, mode, message.step(whole=mode == "none" and not way[1]))
    stored, calls = found.stored, found.stored.tool_calls
    # What was streamed is what is stored.
    if found.shown is not None:
        assert told(found.shown) == told(stored)
    # Ids are there, are told apart, and name the writer.
    ids = [call["id"] for call in calls]
    assert all(ids)
    assert len({*ids}) == len(ids)
    routed = {message.calls[place].name for place in message.routed(mode)}
    writers = [WRITERS[call["name"]] if call["name"] in routed else A for call in calls]
    assert stored.response_metadata["toolroute"]["calls"] == dict(zip(ids, writers, strict=True))
    # Nothing of a dropped call can be seen.
    if mode != "none":
        assert SECRET not in found.seen
    # Every call of the primary is one that it wrote whole; every routed call is there, written by its model; in the order of the primary.
    places = _places(message, calls, mode)
    assert places == sorted(places)
    for place, call in zip(places, calls, strict=True):
        if place in message.routed(mode):
            assert call["args"]["path"].startswith(call["name"])
        else:
            assert call["args"] == message.calls[place].parsed
            assert message.sent[place] == message.calls[place].args
            # An empty string is no arguments only if the stream has said so, or has moved on.
            assert message.sent[place] or message.proper or (call["name"] == "look" and message.moved_on(place))
    # What must be there: whole calls beside a routed one, and all calls of a good message.
    assert set(message.routed(mode)) <= {*places}
    whole = [place for place, call in enumerate(message.calls) if call.args and call.parsed is not None and message.sent[place] == call.args]
    if message.routed(mode):
        last = message.routed(mode)[-1] if mode == "cut" else len(message.calls)
        assert {place for place in whole if place < last} <= {*places} | {*message.routed(mode)}
    elif message.proper and all(call.parsed is not None for call in message.calls):
        assert places == list(range(len(message.calls)))
    elif calls:
        assert message.finish == "content_filter", "a message that broke off has no calls"


def _places(message: Message, calls: Sequence[Any], mode: str) -> list[int]:
    """The place of each stored call in the primary's message."""
    places: list[int] = []
    for call in calls:
        at = places[-1] + 1 if places else 0
        routed = message.routed(mode)
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
