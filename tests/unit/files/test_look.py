"""A look says what is wrong with an edit before it runs, with the real text, and is silent where it cannot tell."""

from __future__ import annotations

from typing import Any

import pytest

from lg_toolroute.files.known import KnownFile, KnownFiles, Step
from lg_toolroute.files.look import look
from lg_toolroute.files.tools import FileTool, file_tool

EDIT = FileTool("edit", "path", old="old", new="new", every="all")
READ = FileTool("read", "path", start="start", count="count")
TEXT = """import os

def first(value):
\tif value:
\t\treturn "one"
\treturn value

def second(value):
\treturn value
"""


def said(old: str, new: str = "something else", known: KnownFile | None = None, **more: Any) -> str | None:
    return look(EDIT, {"path": "a.py", "old": old, "new": new, **more}, known or KnownFile.holding("a.py", TEXT))


def ranges(*parts: tuple[int, int]) -> KnownFiles:
    known = KnownFiles()
    for start, count in parts:
        shown = "\n".join(f"{number:>6}→{line}" for number, line in enumerate(TEXT.split("\n")[start - 1 :][:count], start))
        known = known.after(Step("read", {"path": "a.py", "start": start, "count": count}, shown, tool=READ))
    return known


def test_an_edit_that_fits_is_not_spoken_of() -> None:
    assert said('\t\treturn "one"') is None
    assert said("value", all=True) is None


def test_of_a_file_that_is_not_known_nothing_is_said() -> None:
    assert look(EDIT, {"path": "a.py", "old": "x", "new": "y"}, None) is None


def test_other_tools_and_arguments_of_another_shape_are_not_looked_at() -> None:
    known = KnownFile.holding("a.py", TEXT)
    assert look(FileTool("write", "path", text="text"), {"path": "a.py", "text": "x"}, known) is None
    assert look(EDIT, {"path": "a.py", "old": 3}, known) is None
    assert look(EDIT, {}, known) is None


def test_an_old_text_that_is_not_there_is_faulted_with_the_nearest_text() -> None:
    assert said('def first(value):\n\tif value:\n\t\treturn "two"\n') == (
        "`old` is not in a.py as it is now; the nearest text, lines 3–5, is:\n"
        'def first(value):\n\tif value:\n\t\treturn "one"'
    )  # fmt: skip


def test_an_old_text_like_nothing_in_the_file_is_faulted_without() -> None:
    fault = "`old` is not in a.py as it is now, nor is anything like it; copy the text from the file as it is shown."
    assert said("completely(unrelated, words)") == fault


def test_an_old_text_that_occurs_twice_is_faulted_with_the_lines() -> None:
    assert said("\treturn value") == "`old` occurs 2 times in a.py (lines 6, 9); give more of the lines around the one that is meant."


@pytest.mark.parametrize(
    ("old", "cause"),
    [
        ("     3→def first(value):\n     4→\tif value:", "it carries the line numbers of the read"),
        ("3: def first(value):\n4: \tif value:", "it carries the line numbers of the read"),
        ("def first(value):\n    if value:", "white space differs (the file is indented with tabs)"),
        ("return “one”", "quotes, dashes or spaces are other characters there"),
        ("import os\\n\\ndef first(value):", "it is escaped once too often"),
        ("def second(value):\n\treturn value\n\n", "the file ends without the newline behind it"),
    ],
)
def test_the_cause_is_named_where_it_can_be_told(old: str, cause: str) -> None:
    known = KnownFile.holding("a.py", TEXT.removesuffix("\n")) if "newline" in cause else None
    fault = said(old, known=known)
    assert fault is not None
    assert cause in fault
    real = fault.split(":\n", 1)[1]
    assert real in TEXT


def test_a_text_that_was_replaced_already_is_said_to_stand_there() -> None:
    fault = said("import sys", "import os")
    assert fault is not None
    assert "the new text stands there already" in fault


def test_the_same_text_twice_changes_nothing() -> None:
    assert said("import os", "import os") == "`old` and the new text are the same; write what is to change, or leave the call out."


def test_an_empty_old_text_is_faulted_in_a_file_that_is_not_empty() -> None:
    assert "is empty" in (said("") or "")
    assert said("", known=KnownFile.holding("a.py", "")) is None


def test_line_ends_are_no_fault() -> None:
    crlf = KnownFile.holding("a.py", TEXT.replace("\n", "\r\n"))
    assert said('\tif value:\n\t\treturn "one"', known=crlf) is None
    assert said('\tif value:\r\n\t\treturn "one"', known=crlf) is None


def test_the_edits_of_a_list_are_made_one_after_another() -> None:
    tool = file_tool("MultiEdit", ("file_path", "edits"))
    assert tool is not None
    known = KnownFile.holding("a.py", TEXT)

    def fault(*edits: tuple[str, str]) -> str | None:
        return look(tool, {"file_path": "a.py", "edits": [{"old_string": old, "new_string": new} for old, new in edits]}, known)

    assert fault(("import os", "import re"), ("import re", "import sys")) is None
    assert fault(("import os", "import re"), ("import os", "import sys")) is None  # some tools make all in the text as it was
    assert (fault(("import os", "import re"), ("import json", "import sys")) or "").startswith("`edits[1].old_string` is not in a.py")


def test_nothing_is_said_of_a_text_that_may_stand_where_nothing_is_known() -> None:
    known = ranges((1, 2)).of("a.py")
    assert known is not None
    assert said("def second(value):\n\treturn value", known=known) is None
    assert said("\treturn value", known=known) is None


def test_a_text_whose_place_is_known_is_faulted_though_the_rest_of_the_file_is_not() -> None:
    known = ranges((1, 6)).of("a.py")
    fault = said('def first(value):\n\tif value:\n\t\treturn "two"', known=known)
    assert fault is not None
    assert 'return "one"' in fault


def test_a_text_that_goes_on_where_nothing_was_shown_is_faulted() -> None:
    known = ranges((1, 5)).of("a.py")
    fault = said('\tif value:\n\t\treturn "one"\n\telse:\n\t\treturn "two"', known=known)
    assert fault is not None
    assert "lines that were never shown" in fault


def test_a_text_that_an_edit_has_replaced_everywhere_is_faulted_wherever_it_would_stand() -> None:
    known = ranges((1, 2)).after(Step("edit", {"path": "a.py", "old": "second", "new": "other", "all": True}, "done", tool=EDIT))
    fault = said("def second(value):", known=known.of("a.py"))
    assert fault is not None
    assert "an earlier edit has replaced 'second'" in fault
    known = known.after(Step("edit", {"path": "a.py", "old": "first", "new": "second"}, "done", tool=EDIT))
    assert said("def second(value):", known=known.of("a.py")) is None


def test_an_old_text_that_occurs_twice_in_what_is_known_is_faulted_though_the_rest_is_not() -> None:
    known = ranges((6, 1), (9, 1)).of("a.py")
    assert "occurs 2 times" in (said("\treturn value", known=known) or "")


def test_what_is_quoted_is_bounded_and_found_in_time() -> None:
    text = "\n".join(f"def function_{number}(value): return {number}" for number in range(20_000))
    known = KnownFile.holding("big.py", text)
    old = "\n".join(f"def function_{number}(value): return {number + 1}" for number in range(500, 700))
    fault = said(old, known=known)
    assert fault is not None
    assert len(fault) < 4_000
    assert said("\n".join("}" for _ in range(3_000)), known=known)
