"""What a thread of messages tells of its files, read whole or turn by turn."""

from __future__ import annotations

import copy
import time

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langgraph.graph.message import add_messages

from lg_toolroute.briefs import known as known_module
from lg_toolroute.briefs.known import KnownThreads, known_files
from lg_toolroute.files.tools import FileTool

TOOLS = {
    "read": FileTool("read", "path", start="start", count="count"),
    "edit": FileTool("edit", "path", old="old", new="new"),
}


def calls(*named: tuple[str, str, dict[str, object]]) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": call_id} for call_id, name, args in named])


def result(call_id: str, text: str = "done", *, failed: bool = False) -> ToolMessage:
    return ToolMessage(text, tool_call_id=call_id, status="error" if failed else "success")


def thread() -> list[BaseMessage]:
    return [
        SystemMessage("Be brief."),
        HumanMessage("Fix a.py."),
        calls(("1", "read", {"path": "a.py"})),
        result("1", "     1→x = 1\n     2→y = 2\n     3→"),
        calls(("2", "edit", {"path": "a.py", "old": "x = 1", "new": "x = 3"})),
        result("2"),
    ]


def text(messages: list[BaseMessage], name: str = "a.py") -> str | None:
    found = known_files(messages, TOOLS).of(name)
    return found.text if found else None


def test_reads_and_edits_are_taken_from_the_messages() -> None:
    assert text(thread()) == "x = 3\ny = 2\n"


def test_a_failed_edit_is_not_applied() -> None:
    assert text([*thread()[:5], result("2", "no", failed=True)]) == "x = 1\ny = 2\n"


def test_a_call_without_a_result_and_a_result_without_a_call_tell_nothing() -> None:
    assert text(thread()[:5]) == "x = 1\ny = 2\n"
    assert text([HumanMessage("Go on."), *thread()[5:]]) is None
    assert text([*thread()[:2], *thread()[3:]]) is None


def test_parallel_calls_are_taken_in_their_order_whatever_the_order_of_the_results() -> None:
    first, second = ("2", "edit", {"path": "a.py", "old": "x = 1", "new": "z = 1"}), ("3", "edit", {"path": "a.py", "old": "z = 1", "new": "w = 1"})
    assert text([*thread()[:4], calls(first, second), result("3"), result("2")]) == "w = 1\ny = 2\n"


def test_a_trimmed_thread_is_known_as_far_as_it_stands() -> None:
    assert text([HumanMessage("Summary: a.py was read."), *thread()[4:]]) is None
    found = known_files([HumanMessage("Summary: a.py was read."), *thread()[4:]], TOOLS).of("a.py")
    assert found is not None
    assert (found.whole, found.count("x = 3")) == (False, 1)


def test_removed_messages_are_forgotten_turn_by_turn_too() -> None:
    messages = add_messages([], thread())
    threads = KnownThreads()
    assert threads.of(messages, TOOLS).of("a.py") is not None
    left = add_messages(messages, [RemoveMessage(id=message.id) for message in messages[2:4]])
    assert threads.of(left, TOOLS).of("a.py") == known_files(left, TOOLS).of("a.py")
    assert not (found := threads.of(left, TOOLS).of("a.py")) or not found.whole


def test_a_result_with_an_image_tells_nothing() -> None:
    image = ToolMessage([{"type": "text", "text": "a.py"}, {"type": "image", "base64": "", "mime_type": "image/png"}], tool_call_id="1")
    assert text([*thread()[:3], image]) is None
    assert text([*thread()[:3], ToolMessage([{"type": "text", "text": "     1→x\n     2→"}], tool_call_id="1")]) == "x\n"


def test_a_thread_that_grows_is_known_as_one_that_is_read_whole() -> None:
    threads = KnownThreads()
    messages = thread()
    for length in range(len(messages) + 1):
        assert threads.of(messages[:length], TOOLS) == known_files(messages[:length], TOOLS)
    assert threads.of(messages[:4], TOOLS) == known_files(messages[:4], TOOLS)


def test_a_late_result_is_taken_in_the_order_of_the_calls() -> None:
    threads = KnownThreads()
    both = calls(
        ("2", "edit", {"path": "a.py", "old": "x = 1", "new": "z = 1"}), ("3", "edit", {"path": "a.py", "old": "z = 1", "new": "w = 1"})
    )
    messages = [*thread()[:4], both, result("3")]
    threads.of(messages, TOOLS)
    messages.append(result("2"))
    found = threads.of(messages, TOOLS).of("a.py")
    assert found is not None
    assert found.text == "w = 1\ny = 2\n"


def test_a_message_that_was_edited_in_place_is_read_again() -> None:
    threads = KnownThreads()
    messages = thread()
    threads.of(messages, TOOLS)
    messages[3].content = "     1→x = 1\n     2→"
    assert threads.of(messages, TOOLS) == known_files(messages, TOOLS)
    messages[4].tool_calls = [{"name": "edit", "args": {"path": "a.py", "old": "x = 1", "new": "x = 9"}, "id": "2"}]
    assert threads.of(messages, TOOLS) == known_files(messages, TOOLS)


def test_other_file_tools_make_another_reading() -> None:
    threads = KnownThreads()
    threads.of(thread(), TOOLS)
    assert threads.of(thread_again := thread(), {}).of("a.py") is None
    assert threads.of(thread_again, TOOLS).of("a.py") is not None


def test_two_threads_do_not_mix_and_few_are_remembered() -> None:
    threads = KnownThreads()
    many = [thread() for _ in range(known_module.MOST_THREADS + 5)]
    for messages in many:
        threads.of(messages, TOOLS)
    assert len(threads._told) == known_module.MOST_THREADS
    other = copy.deepcopy(many[0])
    assert threads.of(other[:4], TOOLS) != threads.of(other, TOOLS)


def test_a_turn_at_the_end_of_400_messages_costs_no_more_than_itself() -> None:
    messages: list[BaseMessage] = [HumanMessage("Go.")]
    for number in range(133):
        lines = "\n".join(f"{line:>6}→value_{line} = {number}" for line in range(1, 101))
        messages += [calls((str(number), "read", {"path": f"f{number % 40}.py"})), result(str(number), lines), AIMessage("Read.")]
    threads = KnownThreads()
    start = time.process_time()
    threads.of(messages, TOOLS)
    whole = time.process_time() - start
    best = 1.0
    for number in range(20):
        messages += [calls((f"e{number}", "edit", {"path": "f3.py", "old": f"value_{number + 1} =", "new": f"v{number} ="})), result(f"e{number}")]
        start = time.process_time()
        threads.of(messages, TOOLS)
        best = min(best, time.process_time() - start)
    assert best < whole / 10
    assert best < 0.005
