"""Whatever calls a thread makes: what is claimed of a file is so."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.files.look import look
from tests.support.file_world import EDIT, STYLES, World
from tests.support.sampling import examples

LINES = (
    "", "a", "b", "}", "\treturn a", "    return b", "1: a", "2: b", "3\tc", "x = 1  ", "ä“b”", "a\r", "one two three", "def f(x):", "...",
    "error: no", "-- c", "a:3:b",
)  # fmt: skip
ONLY = st.integers(0, 999).map("only {}".format)
LINE = st.one_of(st.sampled_from(LINES), ONLY, ONLY)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, st.lists(LINE, max_size=4), st.sampled_from(("", "\n", "\n\n")))
FILES = st.builds(lambda lines, end: "\n".join(lines) + end, st.lists(LINE, min_size=10, max_size=30), st.sampled_from(("", "\n", "\n\n")))
ACTS = ("every", "twice", "write", "insert", "search", "outside", "wrong")
PATHS = ("src/a.py", "src/b.py")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world after some calls, each of them checked."""
    world = World(draw(st.sampled_from(sorted(STYLES))))
    world.files = {path: draw(FILES) for path in PATHS}
    for _ in range(draw(st.integers(1, 12))):
        _act(draw, world)
        world.check()
    return world


def _act(draw: st.DrawFn, world: World) -> None:
    path = draw(st.sampled_from(PATHS))
    real = world.files[path]
    match draw(st.sampled_from(("read", *["range"] * 5, *["edit"] * 4, *ACTS))):
        case "read":
            world.read(path)
        case "range":
            world.read(path, draw(st.integers(1, real.count("\n") + 1)), draw(st.integers(1, 6)))
        case "edit":
            known = world.known.of(path)
            shown = "\n".join(each.text for each in known.pieces) if known is not None else ""
            world.edit(path, _part(draw, shown if draw(st.booleans()) else real), draw(TEXTS))
        case "every":
            world.edit(path, _part(draw, real), draw(TEXTS), every=True)
        case "twice":
            world.edit_twice(path, (_part(draw, real), draw(TEXTS)), (_part(draw, real), draw(TEXTS)))
        case "write":
            world.write(path, draw(FILES))
        case "insert":
            world.insert(path, draw(st.integers(0, 8)), draw(TEXTS))
        case "search":
            world.search(path, draw(st.sampled_from(("a", "return", "=", "}"))))
        case "outside":
            world.replace_outside(path, draw(FILES))
        case "wrong":
            world.edit(path, draw(TEXTS) + "nowhere", "x")


def _part(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    once = [line for line in lines if text.count(line) == 1]
    if once and draw(st.integers(0, 3)):
        return draw(st.sampled_from(once))
    begin = draw(st.integers(0, len(text)))
    return text[begin : draw(st.integers(begin, len(text)))]


@settings(max_examples=examples(600), deadline=None)
@given(worlds())
def test_what_is_claimed_of_a_file_is_so(world: World) -> None:
    world.check()


@settings(max_examples=examples(300), deadline=None)
@given(worlds(), st.data())
def test_an_edit_that_would_succeed_in_a_file_that_is_known_whole_is_not_faulted(world: World, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PATHS))
    known, real = world.known.of(path), world.files[path]
    old = _part(data.draw, real)
    if known is not None and known.whole and known.ending and real.count(old) == 1 and old != "x":
        assert look(EDIT, {"path": path, "old": old, "new": "x"}, known) is None


@settings(max_examples=examples(300), deadline=None)
@given(worlds(), st.data())
def test_an_edit_that_would_fail_in_a_file_that_is_known_whole_is_faulted(world: World, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PATHS))
    known, real = world.known.of(path), world.files[path]
    old = data.draw(TEXTS)
    if known is not None and known.whole and known.ending and "\r" not in real + old and old and real.count(old) != 1:
        assert look(EDIT, {"path": path, "old": old, "new": "something else"}, known)
