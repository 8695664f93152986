"""What the notations make of what models really write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lg_toolroute.files.known import KnownFile
from lg_toolroute.files.pieces import piece
from lg_toolroute.files.tools import FileTool
from lg_toolroute.forms.blocks import Blocks
from lg_toolroute.forms.built_in import BUILT_IN
from lg_toolroute.forms.exact import MOST_JOINED, Exact
from lg_toolroute.forms.form import FormTool
from lg_toolroute.forms.lines import Lines
from lg_toolroute.forms.notation import Notation, read_back
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText
from lg_toolroute.forms.unified import Unified
from lg_toolroute.forms.v4a import V4A
from lg_toolroute.forms.whole import Whole

TEXT = "def one():\n    return 1\n\ndef two():\n    return 2\n\ndef three():\n    return 1\n"


def made(notation: Notation, arguments: dict[str, Any], text: str = TEXT) -> str:
    return read_back(notation, [arguments], FileText.of(text)).text


def refused(notation: Notation, arguments: dict[str, Any], text: str = TEXT) -> str:
    with pytest.raises(FormRefused) as error:
        made(notation, arguments, text)
    return str(error.value)


def v4a(*lines: str) -> dict[str, str]:
    return {"patch": "\n".join(("*** Begin Patch", "*** Update File: a.py", *lines, "*** End Patch"))}


def unified(*lines: str) -> dict[str, str]:
    return {"patch": "\n".join(("--- a/a.py", "+++ b/a.py", *lines, ""))}


def block(search: str, replace: str) -> dict[str, str]:
    return {"file": "a.py", "blocks": f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE"}


# -- V4A -----------------------------------------------------------------------------------------------------------------------------------------


def test_a_v4a_hunk_is_placed_by_its_lines():
    assert made(V4A(), v4a("@@", " def two():", "-    return 2", "+    return 3")) == TEXT.replace("2\n", "3\n")


def test_a_v4a_hunk_that_fits_two_places_is_refused():
    assert "2 places" in refused(V4A(), v4a("@@", "-    return 1", "+    return 0"))


def test_an_anchor_tells_the_places_of_a_v4a_hunk_apart():
    after = made(V4A(), v4a("@@ def three():", "-    return 1", "+    return 0"))
    assert after == TEXT[: -len("1\n")] + "0\n"


def test_the_end_of_the_file_tells_the_places_of_a_v4a_hunk_apart():
    assert made(V4A(), v4a("@@", "-    return 1", "+    return 0", "*** End of File")) == TEXT[: -len("1\n")] + "0\n"


def test_lines_are_added_behind_the_end_and_the_file_still_ends_in_a_newline():
    assert made(V4A(), v4a("@@", "+c", "*** End of File"), "a\nb\n") == "a\nb\nc\n"


def test_a_v4a_hunk_that_only_adds_says_where():
    assert "does not say where" in refused(V4A(), v4a("@@", "+import os"))


def test_an_empty_line_without_its_space_is_a_line_that_stays():
    after = made(V4A(), v4a("@@", "     return 1", "", " def two():", "-    return 2", "+    return 3"))
    assert after == TEXT.replace("2\n", "3\n")


def test_trailing_white_space_that_the_model_left_out_is_kept():
    assert made(V4A(), v4a("@@", " a", "-b", "+c"), "a  \nb\t\nd\n") == "a  \nc\nd\n"


def test_a_patch_with_windows_line_breaks_is_read_and_the_file_keeps_its_own():
    patch = v4a("@@", " a", "-b", "+c")["patch"].replace("\n", "\r\n")
    assert made(V4A(), {"patch": patch}, "a\nb\n") == "a\nc\n"
    assert made(V4A(), {"patch": patch.replace("\r", "")}, "a\r\nb\r\n") == "a\r\nc\r\n"


def test_a_patch_that_deletes_or_moves_a_file_is_refused():
    patch = {"patch": "*** Begin Patch\n*** Delete File: a.py\n*** End Patch"}
    assert "*** Update File:" in refused(V4A(), patch)


def test_hunks_whose_lines_around_overlap_are_one_change_each():
    after = made(V4A(), v4a("@@", "-a", "+A", " b", " c", "@@", " b", " c", "-d", "+D"), "a\nb\nc\nd\n")
    assert after == "A\nb\nc\nD\n"


def test_two_hunks_that_change_the_same_lines_are_refused():
    assert "same lines" in refused(V4A(), v4a("@@", " a", "-b", "+x", "@@", "-b", "+y"), "a\nb\n")


# -- unified patches -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["@@ -4,2 +4,2 @@", "@@ -99,2 +99,2 @@ def nine():", "@@ ... @@", "@@"])
def test_a_unified_hunk_is_placed_by_its_lines_whatever_its_numbers(header: str):
    assert made(Unified(), unified(header, " def two():", "-    return 2", "+    return 3")) == TEXT.replace("2\n", "3\n")


def test_the_line_number_chooses_among_places():
    assert made(Unified(), unified("@@ -8,1 +8,1 @@", "-    return 1", "+    return 0")) == TEXT[: -len("1\n")] + "0\n"
    assert "2 places" in refused(Unified(), unified("@@ -5,1 +5,1 @@", "-    return 1", "+    return 0"))


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        ("a\nb", ["-b", "\\ No newline at end of file", "+c", "\\ No newline at end of file"], "a\nc"),
        ("a\nb", ["-b", "\\ No newline at end of file", "+b"], "a\nb\n"),
        ("a\nb\n", ["-b", "+b", "\\ No newline at end of file"], "a\nb"),
        ("a\nb", ["-b", "+c"], "a\nc"),  # a model that forgets the mark means the file as it ends
    ],
)
def test_the_mark_of_a_missing_final_newline_is_read(before: str, lines: list[str], after: str):
    assert made(Unified(), unified("@@ -2 +2 @@", *lines), before) == after


def test_removed_lines_that_look_like_a_header_are_lines():
    after = made(Unified(), unified("@@ -1,3 +1,3 @@", "--- x", "+++ y", " a", " b"), "-- x\na\nb\n")
    assert after == "++ y\na\nb\n"


# -- blocks --------------------------------------------------------------------------------------------------------------------------------------


def test_blocks_are_whole_lines():
    assert "not in the file" in refused(Blocks("file"), block("return 2", "return 3"))
    assert made(Blocks("file"), block("    return 2", "    return 3")) == TEXT.replace("2\n", "3\n")


def test_a_heading_is_no_divider_and_a_real_one_in_the_text_is_refused():
    assert made(Blocks("file"), block("Title\n======", "Other\n======"), "Title\n======\n") == "Other\n======\n"
    assert "where none belongs" in refused(Blocks("file"), block("a\n=======\nb", "c"), "a\n=======\nb\n")


def test_a_block_that_does_not_end_is_refused():
    assert "does not end" in refused(Blocks("file"), {"file": "a.py", "blocks": "<<<<<<< SEARCH\na\n=======\nb"}, "a\n")


def test_a_block_that_changes_nothing_does_not_spoil_the_others():
    one, other = block("def one():", "def one():"), block("    return 2", "    return 3")
    assert made(Blocks("file"), {"file": "a.py", "blocks": f"{one['blocks']}\n{other['blocks']}"}) == TEXT.replace("2\n", "3\n")


# -- exact, lines, whole ---------------------------------------------------------------------------------------------------------------------------


def test_an_old_text_that_occurs_twice_is_refused():
    assert "2 times" in refused(Exact("file"), {"file": "a.py", "old_text": "return 1", "new_text": "return 0"})
    assert "2 times" in refused(Exact("file"), {"file": "a.py", "old_text": "aa", "new_text": "b"}, "aaa\n")


def test_line_breaks_of_a_model_are_those_of_the_file():
    call = {"file": "a.py", "old_text": "a\nb", "new_text": "a\nc"}
    assert made(Exact("file"), call, "a\r\nb\r\n") == "a\r\nc\r\n"
    assert made(Whole("file"), {"file": "a.py", "content": "x\ny\n"}, "a\r\nb\r\n") == "x\r\ny\r\n"


@pytest.mark.parametrize(
    ("start", "end", "text", "after"),
    [(1, 1, "x", "x\nb\n"), (1, 0, "x\n", "x\na\nb\n"), (3, 2, "x", "a\nb\nx\n"), (1, 2, "", ""), (2, 2, "\n", "a\n\n")],
)
def test_line_ranges_replace_insert_and_delete(start: int, end: int, text: str, after: str):
    assert made(Lines("file"), {"file": "a.py", "start": start, "end": end, "text": text}, "a\nb\n") == after


@pytest.mark.parametrize(("start", "end"), [(0, 1), (3, 1), (4, 4), (2, 9), (True, 1), ("1", 1)])
def test_a_range_that_is_not_in_the_file_is_refused(start: Any, end: Any):
    refused(Lines("file"), {"file": "a.py", "start": start, "end": end, "text": "x"}, "a\nb\n")


# -- as the application's calls -------------------------------------------------------------------------------------------------------------------

EDIT = FormTool(
    "edit",
    "Replaces text.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "old": {"type": "string"}, "new": {"type": "string"}, "why": {"type": "string"}},
        "required": ["path", "old", "new", "why"],
    },
    FileTool("edit", "path", "old", "new"),
)


def calls(form: str, arguments: dict[str, Any], text: str | None = TEXT, tool: FormTool = EDIT, **known: Any) -> list[dict[str, Any]]:
    pieces = tuple(piece(start, lines) for start, lines in known.get("pieces", ()))
    file = (
        KnownFile("a.py", False, None, pieces=pieces) if text is None else replace(KnownFile.holding("a.py", text), ending=known.get("ending", True))
    )
    return list(BUILT_IN[form].calls(tool=tool, arguments=arguments, known=lambda name: file if name == "a.py" else None))


def test_arguments_that_have_nothing_to_do_with_the_form_stay_in_it():
    shown = BUILT_IN["v4a"].shown(tool=EDIT)
    assert shown is not None
    assert list(shown["parameters"]["properties"]) == ["patch", "why"]
    assert shown["parameters"]["required"] == ["patch", "why"]
    made = calls("v4a", {**v4a("@@", "-    return 2", "+    return 3"), "why": "three"})
    assert made == [{"why": "three", "path": "a.py", "old": "    return 2\n", "new": "    return 3\n"}]


def test_several_hunks_are_one_call_because_calls_of_one_message_run_at_the_same_time():
    patch = v4a("@@ def one():", "-    return 1", "+    return 10", "@@", "-    return 2", "+    return 20")
    (call,) = calls("v4a", patch)
    assert TEXT.replace(call["old"], call["new"]) == TEXT.replace("1\n\n", "10\n\n").replace("2\n", "20\n")


def test_hunks_that_are_far_apart_are_several_calls():
    text = "first\n" + "".join(f"line {number}\n" for number in range(MOST_JOINED // 6)) + "last\n"
    made = calls("v4a", v4a("@@", "-first", "+FIRST", "@@", "-last", "+LAST"), text)
    assert [(call["old"], call["new"]) for call in made] == [("first\n", "FIRST\n"), ("last\n", "LAST\n")]


def test_calls_of_their_own_may_be_carried_out_in_any_order():
    text = "first\n" + "".join(f"line {number}\n" for number in range(MOST_JOINED // 6)) + "last\n"
    made = calls("v4a", v4a("@@", "-first", "+FIRST", "@@", "-last", "+first"), text)
    for order in (made, made[::-1]):
        changed = text
        for call in order:
            assert changed.count(call["old"]) == 1
            changed = changed.replace(call["old"], call["new"])
        assert changed == f"FIRST\n{text[6:-5]}first\n"


def test_a_file_that_was_not_read_needs_the_tools_own_form():
    with pytest.raises(FormRefused, match="was not read") as error:
        calls("v4a", v4a("@@", "-a", "+b"), None)
    assert error.value.own


def test_an_edit_of_the_known_part_of_a_file_is_made_and_never_reaches_over_a_gap():
    pieces = ((10, "a\nb\nc"), (20, "a\nd"))
    assert calls("v4a", v4a("@@", "-b", "+B"), None, pieces=pieces) == [{"path": "a.py", "old": "b\n", "new": "B\n"}]
    (call,) = calls("lines", {"path": "a.py", "changes": [{"start": 20, "end": 20, "text": "A", "was": "a"}]}, None, pieces=pieces)
    assert (call["old"], call["new"]) == ("a\nd\n", "A\nd\n")
    with pytest.raises(FormRefused, match="was not read yet"):
        calls("lines", {"path": "a.py", "changes": [{"start": 12, "end": 15, "text": "A", "was": "c"}]}, None, pieces=pieces)


def test_a_file_that_is_settled_is_kept():
    fixed = FormTool(EDIT.name, EDIT.description, EDIT.schema, EDIT.file, {"path": "a.py"})
    with pytest.raises(FormRefused, match=r"the file is a\.py"):
        calls("v4a", {"patch": v4a("@@", "-a", "+b")["patch"].replace("a.py", "b.py")}, tool=fixed)


def test_a_tool_that_has_the_form_already_is_shown_as_it_is():
    assert BUILT_IN["exact"].shown(tool=EDIT) is None


def test_a_tool_that_cannot_take_the_form_says_what_to_configure():
    with pytest.raises(FormRefused, match=r"tools\.files"):
        BUILT_IN["v4a"].shown(tool=FormTool("exec", "", {"type": "object", "properties": {"command": {"type": "string"}}}))


def test_a_new_file_is_made_by_a_tool_that_writes_files():
    write = FormTool("write", "", {"type": "object", "properties": {"path": {}, "content": {}}}, FileTool("write", "path", text="content"))
    patch = {"patch": "*** Begin Patch\n*** Add File: b.py\n+x = 1\n*** End Patch"}
    assert calls("v4a", patch, None, write) == [{"path": "b.py", "content": "x = 1\n"}]
    with pytest.raises(FormRefused, match="cannot make a file"):
        calls("v4a", patch, None)


def test_a_line_number_that_was_counted_wrongly_is_refused_with_the_right_one():
    change = {"path": "a.py", "changes": [{"start": 6, "end": 6, "text": "    return 3", "was": "    return 2"}]}
    with pytest.raises(FormRefused, match="that is line 5"):
        calls("lines", change)


def test_a_newline_that_was_only_assumed_at_the_end_of_the_file_is_neither_asked_for_nor_written():
    after = calls("v4a", v4a("@@", " a", "-b", "+c", "+d"), "a\nb\n", ending=False)
    assert after == [{"path": "a.py", "old": "b", "new": "c\nd"}]
    assert calls("v4a", v4a("@@", " a", "-b"), "a\nb\n", ending=False) == [{"path": "a.py", "old": "a\nb", "new": "a"}]
    for content in ("a\nc", "a\nc\n"):
        assert calls("whole", {"path": "a.py", "content": content}, "a\nb\n", ending=False) == [{"path": "a.py", "old": "b", "new": "c"}]
    with pytest.raises(FormRefused, match="ends in a newline"):
        calls("unified", unified("@@ -2 +2 @@", "-b", "+b", "\\ No newline at end of file"), "a\nb\n", ending=False)
