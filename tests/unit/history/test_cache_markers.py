"""Where Claude's cache markers stand when code execution made some of the calls: results of such calls take none."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from lg_toolroute.history.cache_markers import CacheMarkers, since_last

SPEC = "anthropic/claude-sonnet-5"
BY_CODE = {"type": "code_execution_20260120", "tool_id": "code_1"}


def asked(call_id: str, *, by_code: bool) -> list[BaseMessage]:
    """A call and its result."""
    block: dict[str, Any] = {"type": "tool_use", "id": call_id, "name": "read", "input": {}}
    if by_code:
        block["caller"] = BY_CODE
    said = AIMessage([block], tool_calls=[{"name": "read", "args": {}, "id": call_id}])
    said.response_metadata["toolroute"] = {"reasoner": SPEC, "calls": {call_id: SPEC}}
    return [said, ToolMessage("text", tool_call_id=call_id)]


def marked(messages: list[BaseMessage]) -> list[int]:
    markers = CacheMarkers(True, since_last(messages, SPEC, writes=False))
    placed, _ = markers.place(None, messages, {})
    return [place for place, (before, after) in enumerate(zip(messages, placed, strict=True)) if before is not after]


def test_the_newest_and_the_end_of_the_previous_request_are_marked() -> None:
    assert marked([HumanMessage("Go."), *asked("call_1", by_code=False), *asked("call_2", by_code=False)]) == [2, 4]


def test_a_result_of_code_that_ended_the_previous_request_leaves_its_marker_to_the_message_before_it() -> None:
    thread = [HumanMessage("Go."), *asked("call_1", by_code=False), *asked("call_2", by_code=True), *asked("call_3", by_code=False)]
    assert marked(thread) == [2, 6]


def test_a_newer_result_of_code_does_not_move_the_marker_of_the_previous_request_back() -> None:
    thread = [HumanMessage("Go."), *asked("call_1", by_code=False), *asked("call_2", by_code=False), *asked("call_3", by_code=True)]
    assert marked(thread) == [4]
    thread[5:5] = [HumanMessage("And?")]
    assert marked(thread) == [5]
