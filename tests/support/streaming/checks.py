"""What must be true of everything that any consumer sees."""

from __future__ import annotations

from itertools import groupby

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from tests.support.streaming.consumers import Seen
from tests.support.streaming.scenarios import DROPPED, Scenario


def check(seen: Seen, scenario: Scenario) -> None:
    """Order, ids, indices, no leak, and that adding the chunks gives the stored message."""
    assert DROPPED not in repr(seen.everything), "a byte of the dropped call was shown"
    assert seen.everything
    if seen.messages:
        check_messages(seen.messages, scenario)
    if seen.chunks:
        check_chunks(seen.chunks, scenario)
    if seen.streams:
        check_streams(seen.streams, seen.messages, scenario)


def check_messages(messages: list[BaseMessage], scenario: Scenario) -> None:
    spoken = [message for message in messages if isinstance(message, AIMessage)]
    first, last = spoken[0], spoken[-1]
    assert len(spoken) == 2, "one AI message a turn"
    assert first.text == scenario.text
    assert tuple((call["name"], call["args"]) for call in first.tool_calls) == scenario.calls
    assert first.invalid_tool_calls == []
    assert last.text == "Done."
    assert first.id
    assert first.id != last.id
    assert "toolroute" in first.response_metadata


def check_chunks(chunks: list[AIMessageChunk], scenario: Scenario) -> None:
    turns = [list(group) for _, group in groupby(chunks, key=lambda chunk: chunk.id)]
    assert len(turns) == 2, f"one message id a turn, in one run each: {[turn[0].id for turn in turns]}"
    first = turns[0][0]
    for chunk in turns[0][1:]:
        first = first + chunk
    assert first.text == scenario.text
    assert tuple((call["name"], call["args"]) for call in first.tool_calls) == scenario.calls
    indices = [piece["index"] for piece in first.tool_call_chunks]
    assert sorted(indices) == list(range(len(scenario.calls))), f"indices {indices}"
    named: set[int] = set()
    for chunk in turns[0]:
        for piece in chunk.tool_call_chunks:
            if piece["name"]:
                named.add(piece["index"])
            assert not piece["args"] or piece["index"] in named, "arguments before the name of their call"
    last_text = max(number for number, chunk in enumerate(turns[0]) if chunk.text)
    first_call = min((number for number, chunk in enumerate(turns[0]) if chunk.tool_call_chunks), default=len(turns[0]))
    assert last_text < first_call, "text after a call"


def check_streams(streams: list[tuple[str, AIMessage]], messages: list[BaseMessage], scenario: Scenario) -> None:
    """v3 has one stream a model call; all of a turn's carry its id, and together they are the stored message."""
    stored = [message for message in messages if isinstance(message, AIMessage)]
    by_id = {message.id: message for message in stored}
    assert {message_id for message_id, _ in streams} == set(by_id)
    first = [message for message_id, message in streams if message_id == stored[0].id]
    assert "".join(message.text for message in first) == scenario.text
    calls = [call for message in first for call in message.tool_calls]
    assert sorted(call["id"] for call in calls) == sorted(call["id"] for call in stored[0].tool_calls)
    assert {call["id"]: call["args"] for call in calls} == {call["id"]: call["args"] for call in stored[0].tool_calls}
    assert all(call["name"] for call in calls)
