"""What is remembered of a thread that grows: that it is, for how long, and when it is not to be trusted. The law is in `tests/property`."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from lg_toolroute.history import HistoryError, Target, adapt
from lg_toolroute.history.threads import AdaptedThreads

READER = Target()


class Unequal:
    """What a tool may leave beside its result: like an array, it cannot be compared as a whole."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


def thread(turns: int, begin: str = "Fix it.") -> list[BaseMessage]:
    messages: list[BaseMessage] = [HumanMessage(begin)]
    for number in range(turns):
        calls: list[Any] = [{"name": "edit", "args": {"path": "a.py"}, "id": f"not legal: {number}", "type": "tool_call"}]
        messages += [AIMessage("Now.", tool_calls=calls), ToolMessage("ok", tool_call_id=f"not legal: {number}", artifact=Unequal())]
    return messages


def test_what_was_adapted_before_is_sent_again_as_the_same_objects() -> None:
    threads, messages = AdaptedThreads(shortest=0), thread(3)
    before = threads.adapt(messages[:5], READER)
    after = threads.adapt(messages, READER, [HumanMessage("Call `edit`.")])
    assert before[1] is not messages[1]  # its id was rewritten
    assert all(one is other for one, other in zip(before, after[:5], strict=True))
    assert after == adapt([*messages, HumanMessage("Call `edit`.")], READER)


def test_what_belongs_to_one_request_is_not_remembered() -> None:
    threads, messages = AdaptedThreads(shortest=0), thread(2)
    threads.adapt(messages, READER, [HumanMessage("Call `edit`.")])
    assert threads.adapt(messages, READER) == adapt(messages, READER)


def test_an_artifact_that_was_replaced_and_cannot_be_compared_is_another_one() -> None:
    threads, messages = AdaptedThreads(shortest=0), thread(2)
    first = threads.adapt(messages, READER)
    messages[2].artifact = Unequal()  # type: ignore[attr-defined]
    assert threads.adapt(messages, READER)[1] is not first[1]


def test_an_unreadable_call_that_is_answered_late_is_sent_with_its_answer() -> None:
    threads, messages = AdaptedThreads(shortest=0), thread(1)
    unreadable: list[Any] = [{"name": "edit", "args": "{", "id": "late", "error": None, "type": "invalid_tool_call"}]
    messages += [AIMessage("And now.", invalid_tool_calls=unreadable), HumanMessage("Go on.")]
    threads.adapt(messages, READER)
    messages.append(ToolMessage("done", tool_call_id="late"))
    assert threads.adapt(messages, READER) == adapt(messages, READER)


def test_short_threads_and_the_oldest_of_many_are_not_remembered() -> None:
    threads, short = AdaptedThreads(shortest=5, most=10), thread(1)
    assert threads.adapt(short, READER)[1] is not threads.adapt(short, READER)[1]
    old, new, long = thread(2, "old"), thread(2, "new"), thread(6)
    first, second = threads.adapt(old, READER), threads.adapt(new, READER)
    assert threads.adapt(old, READER)[1] is first[1]
    threads.adapt(thread(2, "one more"), READER)
    assert threads.adapt(new, READER)[1] is second[1]
    assert threads.adapt(old, READER)[1] is not first[1]
    assert threads.adapt(long, READER)[1] is not threads.adapt(long, READER)[1]


@pytest.mark.parametrize("messages", [[], [*thread(2), "no message"]])
def test_errors_are_those_of_adapt(messages: list[Any]) -> None:
    with pytest.raises(HistoryError) as expected:
        adapt(messages, READER)
    with pytest.raises(HistoryError) as found:
        AdaptedThreads(shortest=0).adapt(messages, READER)
    assert str(found.value) == str(expected.value)
