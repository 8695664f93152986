"""Globs mean what `fnmatch` means by them."""

import pytest

from lg_toolroute.core.rules.glob import is_glob, parse_glob


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "", True),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c", "ac", True),
        ("a*a", "a", False),
        ("a**c", "abc", True),
        ("?", "a", True),
        ("?", "", False),
        ("[abc]x", "bx", True),
        ("[!abc]x", "bx", False),
        ("[a-c]x", "dx", False),
        ("[]]", "]", True),
        ("[", "[", True),
        ("a[", "a[", True),
        ("*[ab]*", "xbx", True),
        ("*.py", "a.py.txt", False),
    ],
)
def test_a_glob_fits_or_not(pattern, name, fits):
    assert parse_glob(pattern).matches(name) is fits


def test_literal_characters_are_counted():
    assert parse_glob("mcp__*__get?").literals == 10
    assert parse_glob("*").literals == 0
    assert is_glob("a?")
    assert not is_glob("a.b")
