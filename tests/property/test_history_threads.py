"""The law of threads that grow: adapting what is new gives what adapting the whole gives, message for message."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from lg_toolroute.history import HistoryError, Target
from lg_toolroute.history.adapting import adapt
from lg_toolroute.history.threads import AdaptedThreads
from tests.property.test_history import IMITATORS, TARGETS, THINKING_CLAUDE, assistants, contents, messages
from tests.support.sampling import examples

ANTHROPIC_IN_PLACE = Target(api="anthropic", model="claude-sonnet-4-6", first_party=True, system_in_place=True)


@st.composite
def answered(draw: st.DrawFn) -> list[BaseMessage]:
    """Draw a message with calls, most of them answered."""
    message = draw(assistants)
    asked = [*message.tool_calls, *message.invalid_tool_calls]
    return [message, *(ToolMessage(draw(contents), tool_call_id=call["id"] or "", name="edit") for call in asked if draw(st.integers(0, 9)))]


def replace_one(thread: list[BaseMessage], place: int) -> None:
    thread[place] = thread[place].model_copy(update={"content": "Something else."})


def remove_one(thread: list[BaseMessage], place: int) -> None:
    del thread[place]


def edit_in_place(thread: list[BaseMessage], place: int) -> None:
    """Change what a message holds: a block, the arguments of a call, or its words."""
    message = thread[place]
    block = next((block for block in message.content if isinstance(block, dict)), None) if isinstance(message.content, list) else None
    if block is not None:
        block.clear()
        block.update({"type": "text", "text": "edited"})
    elif isinstance(message, AIMessage) and message.tool_calls:
        message.tool_calls[0]["name"] = "another tool"
    else:
        message.content = "" if message.content else "edited"


def go_back(thread: list[BaseMessage], place: int) -> None:
    """Fork: the thread goes on from an earlier message."""
    del thread[place + 1 :]


Change = Callable[[list[BaseMessage], int], None]
CHANGES: Sequence[Change] = (replace_one, remove_one, edit_in_place, go_back)
changes = st.tuples(st.sampled_from(CHANGES), st.integers(0, 99))
steps = st.lists(st.one_of(answered(), st.lists(messages, min_size=1, max_size=3), changes), min_size=2, max_size=10)
extras = st.sampled_from([[], [HumanMessage("Call `edit` now.")], [AIMessage("Let me"), HumanMessage("Go on.")]])


def outcome(make: Callable[[], list[BaseMessage]]) -> list[BaseMessage] | str:
    try:
        return make()
    except HistoryError as error:
        return str(error)


@settings(max_examples=examples(600), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=steps,
    extra=extras,
    others=st.sampled_from([*TARGETS, *IMITATORS, THINKING_CLAUDE, ANTHROPIC_IN_PLACE]),
    system=st.booleans(),
    forked=st.booleans(),
)
def test_a_thread_that_grows_is_adapted_as_if_it_were_adapted_whole(
    steps: list[list[BaseMessage] | tuple[Change, int]], extra: list[BaseMessage], others: Target, system: bool, forked: bool
) -> None:
    """Whatever is appended, edited, in place or not, removed, or forked off, and for each reader of one thread."""
    threads = AdaptedThreads(shortest=0)
    thread: list[BaseMessage] = [SystemMessage("Be brief."), HumanMessage("Fix it.")] if system else [HumanMessage("Fix it.")]
    fork = list(thread)
    for step in steps:
        if isinstance(step, list):
            thread = [*thread, *step]
        else:
            change, place = step
            if thread:
                change(thread, place % len(thread))
        for asked in (thread, fork) if forked else (thread,):
            for target in (others, Target()):
                whole = [*asked, *extra]
                expected = outcome(lambda whole=whole, target=target: adapt(whole, target))  # type: ignore[misc]
                found = outcome(lambda asked=asked, target=target: threads.adapt(asked, target, extra))  # type: ignore[misc]
                assert found == expected
                stored = {id(message) for message in whole}
                assert [id(each) in stored for each in found] == [id(each) in stored for each in expected]
        if forked and len(fork) < 4:
            fork = list(thread)
