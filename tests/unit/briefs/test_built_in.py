"""The built-in brief: what it holds, in which order, and how it shrinks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from lg_toolroute.briefs.built_in import EXTENTS, SYSTEM, Told, built_in
from lg_toolroute.briefs.known import known_files
from lg_toolroute.briefs.request import BriefRequest, PlannedCall
from lg_toolroute.core.rules.handoff import SIZES
from lg_toolroute.files.tools import file_tool

TOOLS = {
    name: tool
    for name, arguments in {"read": ("path",), "edit": ("path", "old", "new"), "write": ("path", "text")}.items()
    if (tool := file_tool(name, arguments)) is not None
}
TEXT = "\n".join(f"line {number}" for number in range(1, 41))


def did(name: str, result: str, number: int, words: Any = "", status: Any = "success", **arguments: Any) -> list[BaseMessage]:
    call = {"name": name, "args": arguments, "id": f"c{number}"}
    return [AIMessage(content=words, tool_calls=[call]), ToolMessage(result, tool_call_id=f"c{number}", name=name, status=status)]


def story() -> list[BaseMessage]:
    return [
        HumanMessage("The pager shows old lines."),
        *did("read", TEXT, 1, "I read it.", path="a.py"),
        *did("edit", "edited", 2, "First the easy one.", path="a.py", old="line 7", new="line seven"),
        AIMessage("Line 7 is done. Shall I go on with line 8?"),
        HumanMessage("Yes."),
        *did("run", "tests/test_a.py: a.py is wrong in line 8", 3, "I look at the tests.", command="pytest"),
        *did("edit", "Error: String not found", 4, "Now line 8.", path="a.py", old="line VIII", new="line eight"),
    ]


def told(thread: Sequence[BaseMessage], size: str = "lean", budget: int | None = None, tool: str = "edit", path: str = "a.py") -> Told:
    call = PlannedCall(tool, None, {"path": path}, known_files(thread, TOOLS).of(path))
    return built_in(BriefRequest(thread, (call,), budget), size, TOOLS)


def text(made: Told) -> str:
    return str(made.messages[-1].content)


def test_it_is_one_system_and_one_human_message_and_nothing_of_the_thread_is_changed():
    thread = story()
    before = [message.model_copy(deep=True) for message in thread]
    made = told(thread)
    assert [type(message) for message in made.messages] == [SystemMessage, HumanMessage]
    assert made.messages[0].content == SYSTEM
    assert thread == before


def test_the_file_stands_as_it_is_now_with_the_edits_that_succeeded():
    shown = text(told(story()))
    assert TEXT.replace("line 7\n", "line seven\n") in shown
    assert shown.startswith('The file a.py, as it is now:\n<file name="a.py">\nline 1\n')


def test_the_parts_stand_in_the_order_in_which_they_stay_the_same_longest():
    shown = text(told(story(), "mid"))
    heads = [
        "The file a.py",
        "A later result that names it:",
        "Said before:",
        "The user's last message:\nYes.",
        "The last calls",
        "What the assistant said since:",
        "The last call of this tool failed",
    ]
    places = [shown.find(head) for head in heads]
    assert -1 not in places
    assert places == sorted(places)


def test_what_a_size_adds():
    lean, mid = (text(told(story(), size)) for size in ("lean", "mid"))
    assert "a.py is wrong in line 8" in lean, "a later result that names the file"
    assert "I look at the tests.\n\nNow line 8." in lean
    assert "String not found" in lean
    assert "Shall I go on with line 8?" not in lean
    assert "Assistant: Line 7 is done. Shall I go on with line 8?" in mid
    assert '"new": "line seven"' in mid


def test_a_rich_brief_shows_what_was_read_of_other_files():
    thread = [*did("read", "def helper(): ...", 9, path="helper.py"), *story()]
    assert "def helper(): ..." in text(told(thread, "rich", tool="write", path="new.py"))
    assert "def helper(): ..." not in text(told(thread, "mid", tool="write", path="new.py"))


def test_the_last_failure_of_the_tool_is_told_and_one_that_was_mended_is_not():
    mended = [*story(), *did("edit", "edited", 5, path="a.py", old="line 8", new="line eight")]
    assert "The last call of this tool failed" not in text(told(mended))


def test_only_plain_words_are_told_and_an_image_is_a_note():
    secret = "OPAQUE"
    thoughts = AIMessage(
        [{"type": "thinking", "thinking": secret, "signature": secret}, {"type": "text", "text": "A word."}],
        additional_kwargs={"reasoning_content": secret, "reasoning_details": [{"data": secret}]},
    )
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{secret}"}}
    thread = [*story()[:3], HumanMessage([{"type": "text", "text": "Like this:"}, picture]), thoughts]
    for size in SIZES:
        shown = text(told(thread, size))
        assert "Like this:" in shown
        assert "[image]" in shown
        assert "A word." in shown
        assert secret not in shown


@pytest.mark.parametrize("size", SIZES)
def test_nothing_grows_beyond_its_size_in_a_thread_that_does(size: str):
    thread = [message for _ in range(30) for message in story()]
    thread = [message.model_copy(update={"content": f"{message.content} {'word ' * 4000}"}) for message in thread]
    extent = EXTENTS[size]
    most = extent.before + extent.asked + extent.since + 4 * extent.evidence + 4 * extent.steps * extent.step + 8_000
    assert len(text(told(thread, size, path="unknown.py"))) < most


def test_a_smaller_budget_gives_a_smaller_brief_and_at_last_a_part_of_the_file():
    long = "\n".join(f"value_{number} = {number}" for number in range(4000))
    thread = [
        HumanMessage("Fix value_3000."),
        *did("read", long, 1, "I read it.", path="a.py"),
        *did("run", "word " * 300, 2, "I ran it.", command="x"),
        *did("edit", "Error: String not found", 3, path="a.py", old="value_3000 = 3_000", new="value_3000 = 1"),
    ]
    sizes = [told(thread, "rich", budget).size for budget in (None, 30_000, 18_000, 2_000)]
    assert sizes[0] == "rich"
    assert sizes[-1] == "cut"
    assert sorted(sizes, key=["rich", "mid", "lean", "cut"].index) == sizes
    for budget in (2_000, 1_000, 500):
        made = told(thread, "rich", budget)
        assert made.tokens <= budget
        assert "value_3000 = 3000" in text(made), "what is shown of it lies around the edit that failed"
        assert "Fix value_3000." in text(made)


def test_what_stands_first_is_the_same_from_call_to_call_while_the_file_is():
    thread = story()
    first = text(told(thread))
    later = [*thread, *did("run", "ok", 5, "One more look.", command="ls"), HumanMessage("Go on.")]
    second = text(told(later))
    same = next(place for place, (one, other) in enumerate(zip(first, second, strict=False)) if one != other)
    assert same > first.index("</file>")


def test_a_compacted_history_is_told_from_what_is_left_of_it():
    thread = [HumanMessage("Summary of what was: a.py was mended."), *story()[3:]]
    made = told(thread)
    assert "The user's last message:\nYes." in text(made)


def test_two_calls_of_one_request_show_each_file_once():
    thread = [*did("read", "other", 9, path="b.py"), *story()]
    known = known_files(thread, TOOLS)
    calls = tuple(PlannedCall("edit", None, {"path": path}, known.of(path)) for path in ("a.py", "b.py", "a.py"))
    shown = text(built_in(BriefRequest(thread, calls), "lean", TOOLS))
    assert [shown.count(f'<file name="{path}">') for path in ("a.py", "b.py")] == [1, 1]
