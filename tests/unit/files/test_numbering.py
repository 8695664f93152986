"""What the result of a read shows, in the forms that tools give it."""

from __future__ import annotations

import pytest

from lg_toolroute.files.numbering import Block, reading


def lines(text: str, *, numbers: bool = True) -> list[tuple[int | None, list[str]]]:
    return [(block.start, list(block.lines)) for block in reading(text, numbers=numbers).blocks]


@pytest.mark.parametrize(
    "text",
    [
        "     7→def f():\n     8→    return 1\n     9→",
        "     7\tdef f():\n     8\t    return 1\n     9\t",
        "7\tdef f():\n8\t    return 1\n9\t",
        "7: def f():\n8:     return 1\n9: ",
        "7:def f():\n8:    return 1\n9:",
        "7|def f():\n8|    return 1\n9|",
        "00007| def f():\n00008|     return 1\n00009| ",
        "   7  def f():\n   8      return 1\n   9  ",
        "   7 │ def f():\n   8 │     return 1\n   9 │ ",
        "L7: def f():\nL8:     return 1\nL9: ",
        "Here's the result of running `cat -n` on a.py:\n     7\tdef f():\n     8\t    return 1\n     9\t",
        "<file>\n00007| def f():\n00008|     return 1\n00009|\n</file>",
        "@@ lines 7-9 of 40 | next offset 9 @@\ndef f():\n    return 1\n",
    ],
)
def test_the_numbers_of_a_tool_are_taken_off(text: str) -> None:
    assert lines(text) == [(7, ["def f():", "    return 1", ""])]


def test_a_reminder_behind_the_lines_is_none_of_them() -> None:
    found = reading("     1→a\n     2→\n\n<system-reminder>\nConsider whether…\n</system-reminder>\n")
    assert found.blocks == (Block(1, ("a", "")),)
    assert not found.cut


def test_lines_counted_from_zero_are_counted_from_one() -> None:
    assert lines("0: a\n1: b\n2: c") == [(1, ["a", "b", "c"])]


def test_numbers_that_jump_part_the_lines() -> None:
    assert lines("     1→a\n     2→b\n... [6 lines] ...\n     9→c") == [(1, ["a", "b"]), (9, ["c"])]


def test_a_line_that_goes_on_is_one_line() -> None:
    assert lines("  1  aaa\n1.1  bbb\n  2  c") == [(1, ["aaabbb", "c"])]


def test_a_line_that_the_tool_has_cut_is_not_known() -> None:
    assert lines(f"     1→a\n     2→{'x' * 2000}... [truncated]\n     3→c") == [(1, ["a"]), (3, ["c"])]


def test_only_the_outer_numbers_are_the_tool_s() -> None:
    assert lines("     1→1: a\n     2→2: b") == [(1, ["1: a", "2: b"])]


def test_a_single_space_behind_a_colon_is_the_tool_s_where_all_lines_have_it() -> None:
    assert lines("5:     a\n6:       b\n7:     c") == [(5, ["    a", "      b", "    c"])]
    assert lines("5:    a\n6:      b\n7:    c") == [(5, ["    a", "      b", "    c"])]


def test_numbers_that_may_be_the_text_s_own_are_doubtful() -> None:
    assert reading("1: a\n2: b").doubtful
    assert not reading("     1→a").doubtful
    assert not reading("   1\ta\n   2\tb").doubtful
    assert lines("1: a\n2: b", numbers=False) == [(None, ["1: a", "2: b"])]


@pytest.mark.parametrize("text", ["1. first\nthen\n2. second", "12:30 we met\nand went", "3\n4\n5", "1: a\n3: b\nc\nd\ne\nf"])
def test_text_that_only_begins_with_a_number_is_text(text: str) -> None:
    assert reading(text).style is None
    assert lines(text) == [(None, text.split("\n"))]


@pytest.mark.parametrize(
    "note",
    [
        "[…]",
        "[...]",
        "... [120 lines truncated] ...",
        "(File has more lines. Use 'offset' to read beyond line 2)",
        "[Output was truncated due to size limits.]",
        "… 12 more lines; read on with first_line=3",
        "<response clipped>",
        "[2 more lines not shown]",
    ],
)
@pytest.mark.parametrize("numbered", [True, False])
def test_a_note_that_something_was_left_out_is_no_line_and_is_remembered(note: str, numbered: bool) -> None:
    text = f"     1→a\n     2→b\n{note}" if numbered else f"a\nb\nc\nd\ne\n{note}"
    found = reading(text)
    assert found.cut
    assert all(note not in block.lines for block in found.blocks)
    assert found.blocks[0].lines[:2] == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[Old tool result content cleared]",
        "[cleared: 2,031 tokens removed]",
        "Tool result too large, the result was saved at /large/1",
        "PK\x03\x04\0\0binary",
        "\ufffd\ufffd\ufffdPNG",
    ],
)
def test_what_is_no_text_shows_nothing(text: str) -> None:
    found = reading(text)
    assert found.blocks == ()
    assert found.cut


@pytest.mark.parametrize(
    "text",
    [
        "System reminder: File exists but has empty contents",
        "<system-reminder>Warning: the file exists but the contents are empty.</system-reminder>",
        "(empty)",
    ],
)
def test_an_empty_file_is_known_whole(text: str) -> None:
    found = reading(text)
    assert found.blocks == (Block(1, ("",)),)
    assert found.ends


def test_a_window_says_whether_it_ends_the_file() -> None:
    assert reading("@@ lines 1-2 of 2 @@\na\nb").ends
    assert reading("@@ lines 1-2 of 9 | next offset 2 @@\na\nb").ends is False
    assert reading("@@ lines 1-1 of 1 | truncated mid-line | 5 of 90 chars @@\naaaaa").blocks == ()


def test_a_million_lines_are_read_in_linear_time() -> None:
    text = "\n".join(f"{number:>6}→x" for number in range(1, 200_001))
    assert len(reading(text).blocks[0].lines) == 200_000
