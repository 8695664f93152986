"""Parallel calls as servers may send them, read by a real `ChatOpenAI`: they land as in plain `create_agent`, and a cut tears none of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, FaultServer, Say
from lg_toolroute.testing.completions import sse
from lg_toolroute.testing.fault import Fault
from tests.support.one_turn import TOOLS
from tests.support.sampling import whole

PRIMARY, WRITER = "openai/primary", "openai/writer"
SECRET = "SECRET"

Piece = tuple[int | None, str | None, str | None, str | None]
"""Index, id, name and arguments of one piece; what is `None` is left out, but for the id, which is sent as `null` where it is `NULL`."""
NULL = "<null>"


@dataclass(frozen=True)
class Told:
    """How a server tells three calls: `read(a)`, one of `tool`, `read(c)`.

    Attributes:
        name: What is odd about it.
        events: The pieces of each event.
        missing: The server gives the calls no ids, so they get ours.
    """

    name: str
    events: tuple[tuple[Piece, ...], ...]
    missing: bool = False


def split(text: str) -> list[str]:
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def args(path: str) -> str:
    return json.dumps({"path": path})


def stories(tool: str) -> Iterator[Told]:
    names, paths = ("read", tool, "read"), ("a }", SECRET, "c")
    begun: list[Piece] = [(at, f"call_{at}", name, "") for at, name in enumerate(names)]
    rest: list[list[Piece]] = [[(at, None, None, piece) for piece in split(args(path))] for at, path in enumerate(paths)]
    one_by_one = [(piece,) for at in range(3) for piece in (begun[at], *rest[at])]
    yield Told("one after the other", tuple(one_by_one))
    yield Told("all names first", (tuple(begun), *((piece,) for column in rest for piece in column)))
    longest = max(map(len, rest))
    in_turn = [column[step] for step in range(longest) for column in rest if step < len(column)]
    yield Told("arguments interleaved", (*((piece,) for piece in begun), *((piece,) for piece in in_turn)))
    backwards = [piece for column in reversed(rest) for piece in column]
    yield Told("arguments of the last call first", (*((piece,) for piece in begun), *((piece,) for piece in backwards)))
    side_by_side = [tuple(column[step] for column in rest if step < len(column)) for step in range(longest)]
    yield Told("several pieces in one event", (tuple(begun), *side_by_side))
    yield Told("gaps between the indices", tuple(((5 + 3 * (piece[0] or 0), *piece[1:]),) for (piece,) in one_by_one))
    yield Told("indices that begin at 1, interleaved", tuple((((piece[0] or 0) + 1, *piece[1:]),) for piece in (*begun, *in_turn)))
    yield Told("later pieces with an empty id and name", tuple(((at, mark or "", name or "", part),) for ((at, mark, name, part),) in one_by_one))
    yield Told("later pieces with null for an id", tuple(((at, mark or NULL, name, part),) for ((at, mark, name, part),) in one_by_one))
    yield Told("the id again in every piece", tuple(((at, f"call_{at}", name, part),) for ((at, _, name, part),) in one_by_one))
    yield Told("null ids", tuple(((at, NULL, name, part),) for ((at, _, name, part),) in one_by_one), missing=True)
    yield Told("empty ids, interleaved", tuple(((at, "", name, part),) for at, _, name, part in (*begun, *in_turn)), missing=True)
    halves = [((at, mark, name[:2] if name else None, part), (at, None, name[2:] if name else None, "")) for at, mark, name, part in begun]
    yield Told("names in two pieces", tuple((piece,) for at in range(3) for piece in (*halves[at], *rest[at])))
    late = [((at, f"call_{at}", None, args(path)), (at, None, name, None)) for at, (name, path) in enumerate(zip(names, paths, strict=True))]
    yield Told("names after the arguments", tuple((piece,) for pair in late for piece in pair))
    at_once = [((at, f"call_{at}", name, args(path)),) for at, (name, path) in enumerate(zip(names, paths, strict=True))]
    yield Told("whole calls", tuple(at_once))
    yield Told("all in one event", (tuple(piece for (piece,) in at_once),))


def served(told: Told) -> Fault:
    """The story as the body of a stream."""

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "primary", "choices": [choice]})

    def piece(index: int | None, mark: str | None, name: str | None, part: str | None) -> dict[str, Any]:
        function = {key: value for key, value in (("name", name), ("arguments", part)) if value is not None}
        found: dict[str, Any] = {"index": index, "type": "function", "function": function}
        return found if mark is None else {**found, "id": None if mark == NULL else mark}

    deltas = [{"role": "assistant", "content": "Three calls."}, *({"tool_calls": [piece(*each) for each in pieces]} for pieces in told.events)]
    body = b"".join([*map(event, deltas), event({}, "tool_calls"), b"data: [DONE]\n\n"])
    return Fault("told", ending="reply", body=body)


def landed(agent: Any, *, is_async: bool) -> tuple[AIMessage, str]:
    """The message up to the first tool, and everything that was seen of it."""
    thread: Any = {"configurable": {"thread_id": "1"}}
    question = {"messages": [HumanMessage("go", id="q")]}
    seen: list[Any] = []

    async def listen() -> None:
        async for event in agent.astream(question, thread, stream_mode=["messages", "values"]):
            seen.append(event)

    if is_async:
        asyncio.run(listen())
    else:
        seen.extend(agent.stream(question, thread, stream_mode=["messages", "values"]))
    message = agent.get_state(thread).values["messages"][-1]
    assert isinstance(message, AIMessage)
    return message, repr(seen)


def agent_of(surface: str, server: FaultServer, rules: dict[str, Any]) -> Any:
    models = {spec: ChatOpenAI(**server.client(spec.partition("/")[2])) for spec in (PRIMARY, WRITER)}
    stops: dict[str, Any] = {"checkpointer": InMemorySaver(), "interrupt_before": ["tools"]}
    if surface == "plain":
        return create_agent(models[PRIMARY], list(TOOLS), **stops)
    router = ToolRouter({"model": PRIMARY, "toolRouting": rules}, models=models)
    if surface == "graph":
        return create_toolroute_agent(router, list(TOOLS), **stops)
    if surface == "middleware":
        return create_agent(models[PRIMARY], list(TOOLS), middleware=[ToolRouteMiddleware(router)], **stops)
    return create_agent(ToolRoutedChatModel(router=router), list(TOOLS), **stops)


SURFACES = ("graph", "middleware", "chat model")
NAMES = [told.name for told in stories("edit")]


def ways(number: int) -> list[tuple[str, bool]]:
    """The surfaces of a story, each plain or awaited: all of them with `--whole`, otherwise one, another for each story."""
    every = [(surface, is_async) for is_async in (False, True) for surface in SURFACES]
    return every if whole() else [every[number % len(every)]]


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_calls_of_which_none_is_routed_land_as_plain_create_agent_lands_them(number: int):
    told = list(stories("edit"))[number]
    for surface, is_async in ways(number):
        with FaultServer({"primary": [served(told)] * 2}) as server:
            plain, _ = landed(agent_of("plain", server, {}), is_async=is_async)
            ours, _ = landed(agent_of(surface, server, {"write": WRITER}), is_async=is_async)
        assert (ours.content, ours.invalid_tool_calls) == (plain.content, plain.invalid_tool_calls) == ("Three calls.", []), surface
        assert [(call["name"], call["args"]) for call in ours.tool_calls] == [(call["name"], call["args"]) for call in plain.tool_calls]
        assert len(plain.tool_calls) == 3
        if told.missing:
            assert len({call["id"] for call in ours.tool_calls if call["id"]}) == 3
        else:
            assert [call["id"] for call in ours.tool_calls] == [call["id"] for call in plain.tool_calls] == ["call_0", "call_1", "call_2"]
        assert ours.usage_metadata == plain.usage_metadata
        assert ours.response_metadata["finish_reason"] == plain.response_metadata["finish_reason"]


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_a_cut_among_parallel_calls_keeps_those_before_it_whole_and_shows_nothing_of_the_others(number: int):
    told = list(stories("edit"))[number]
    for surface, is_async in ways(number):
        with FaultServer({"primary": [served(told)], "writer": [Say(calls=[Call("edit", {"path": "right"})])]}) as server:
            message, seen = landed(agent_of(surface, server, {"edit": WRITER}), is_async=is_async)
        assert [(call["name"], call["args"]) for call in message.tool_calls] == [("read", {"path": "a }"}), ("edit", {"path": "right"})], surface
        assert SECRET not in seen
        assert [each["outcome"] for each in message.response_metadata["toolroute"]["attempts"]] == ["cut", "answered"]
        assert 'read({"path": "a }"})' in server.requests[-1].last_text
