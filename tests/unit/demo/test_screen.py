"""Output that stays readable on any terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lg_toolroute.demo.screen import Screen, call_text, clean
from lg_toolroute.demo.session import comparable


def screen(width: int = 80, **settings: object) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(Console(file=out, width=width, highlight=False, **settings)), out  # type: ignore[arg-type]


def test_words_are_wrapped_beside_the_speakers_name():
    shown, out = screen(width=60)
    for piece in ("A night sh", "ift ends before it began, so the differ", "ence is negative", "."):
        shown.words("kimi/kimi-for-coding", piece)
    shown.end_line()
    assert out.getvalue() == (
        " kimi-for-coding  A night shift ends before it began, so the\n                  difference is negative.\n"
    )


def test_a_new_speaker_begins_a_line():
    shown, out = screen()
    shown.words("kimi/kimi-for-coding", "One.")
    shown.words("deepseek/v4", "Two.")
    shown.end_line()
    assert [line.split() for line in out.getvalue().splitlines()] == [["kimi-for-coding", "One."], ["v4", "Two."]]


@pytest.mark.parametrize("width", [30, 45, 59, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int):
    shown, out = screen(width=width)
    shown.title("the primary alone")
    shown.words("kimi/kimi-for-coding", "some words that have to be wrapped somewhere, " * 5)
    shown.line("edit", "✗ old text not found in a/file/with/a/name.py " * 3)
    shown.line("", "a line that is cropped " * 20, crop=True)
    shown.end_line()
    assert max(len(line) for line in out.getvalue().splitlines()) <= width


def test_a_narrow_screen_shows_a_whole_title_and_no_empty_label():
    shown, out = screen(width=30)
    shown.title("primary alone: kimi reasons and writes every call")
    shown.line("edit", "✗ not found")
    shown.line("", "the file: a")
    shown.end_line()
    title, *rest = out.getvalue().replace("─", "").split("\nedit\n")
    assert " ".join(title.split()) == "primary alone: kimi reasons and writes every call"
    assert rest == ["  ✗ not found\n  the file: a\n"]


def test_lines_that_are_held_against_each_other_show_where_they_differ_on_a_narrow_screen():
    file, written = comparable("    total   = finish - begin      # '22:00' to", 'total   = finish - begin      # "22:00" to')
    assert (file, written) == ("…egin      # '22:00' to", '…egin      # "22:00" to')
    assert comparable("begin   = 1", "begin = 1") == ["begin   = 1", "begin = 1"]
    assert comparable("    a", "a") == ["····a", "a"]


def test_without_a_terminal_there_are_no_colours():
    shown, out = screen()
    shown.line("edit", "failed", style="red")
    assert "\x1b" not in out.getvalue()


def test_no_color_is_honoured_on_a_terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    shown, out = screen(force_terminal=True)
    shown.line("edit", "failed", style="red")
    assert "\x1b[31m" not in out.getvalue()


def test_what_a_model_writes_cannot_move_the_cursor():
    shown, out = screen(force_terminal=True, no_color=True)
    shown.words("m/m", "fine\x1b[2J\x07 and\x9b31m on")
    shown.line("m/m", "\x1b]0;title\x07", style="red")
    assert "\x1b[2J" not in out.getvalue()
    assert "\x1b]0" not in out.getvalue()
    assert "\x9b" not in out.getvalue()
    assert clean("a\tb\r\nc") == "a   b\nc"


def test_brackets_of_a_model_are_not_markup():
    shown, out = screen()
    shown.words("m/m", "items[0] = [red]x[/red]")
    shown.line("edit", "[bold]x")
    shown.end_line()
    assert "items[0] = [red]x[/red]" in out.getvalue()
    assert "[bold]x" in out.getvalue()


def test_a_terminal_without_unicode_gets_plain_marks():
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    shown = Screen(Console(file=out, width=80, highlight=False))
    shown.title("routed")
    shown.line("edit", f"{shown.marks['bad']} no")
    out.flush()
    assert set(shown.marks.values()) == {">", "ok", "x", "/"}


def test_calls_are_shown_with_their_first_argument_and_the_size_of_long_ones():
    args = {"path": "a.py", "old_text": "one\ntwo", "new_text": "x" * 61}
    assert call_text("edit", args) == "edit(a.py, old_text=2 lines, new_text=1 line)"
    assert call_text("read", {"path": "a.py", "first_line": 7}) == "read(a.py, first_line=7)"
    assert call_text("run_tests", {}) == "run_tests()"
