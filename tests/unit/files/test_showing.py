"""What a writer sees of a long file: whole lines around one place, and marks where something is left out."""

from __future__ import annotations

import pytest

from lg_toolroute.files.known import KnownFile, KnownFiles, Step
from lg_toolroute.files.tools import FileTool

EDIT = FileTool("edit", "path", old="old", new="new")
TEXT = "\n".join(f"line {number}" for number in range(1, 501)) + "\n"


def test_a_file_that_fits_is_shown_as_it_is() -> None:
    assert KnownFile.holding("a", TEXT).shown(len(TEXT)) == TEXT
    assert KnownFile.holding("a", TEXT).shown() == TEXT


@pytest.mark.parametrize("most", [0, 1, 10, 100, 500, 2_000, 4_000])
@pytest.mark.parametrize("around", [None, "line 250", "line 1\nline 2", "no such line", "line 499\nline 500"])
def test_no_more_is_shown_than_asked_for(most: int, around: str | None) -> None:
    assert len(KnownFile.holding("a", TEXT).shown(most, around)) <= most


def test_what_is_shown_lies_around_the_text_that_is_asked_for() -> None:
    shown = KnownFile.holding("a", TEXT).shown(600, "line 250")
    assert "\nline 249\nline 250\nline 251\n" in shown
    assert shown.startswith("[lines 1–")
    assert shown.endswith("[what follows is left out]")
    assert all(line.startswith(("line ", "[")) for line in shown.split("\n"))


def test_otherwise_it_lies_around_what_was_changed_last() -> None:
    known = KnownFiles().given("a", TEXT).after(Step("edit", {"path": "a", "old": "line 400\n", "new": "LINE 400\n"}, "done", tool=EDIT))
    found = known.of("a")
    assert found is not None
    assert "LINE 400\nline 401" in found.shown(500)


def test_a_single_line_that_is_too_long_is_cut() -> None:
    assert "x" * 50 in KnownFile.holding("a", "x" * 10_000).shown(400)


def test_numbers_are_those_of_the_lines_in_the_file() -> None:
    assert KnownFile.holding("a", "x\n\ny\n").shown(numbered=True) == "1\tx\n2\t\n3\ty\n"
    shown = KnownFile.holding("a", TEXT).shown(700, "line 250", numbered=True)
    assert "\n249\tline 249\n250\tline 250\n" in shown
    assert len(shown) <= 700
