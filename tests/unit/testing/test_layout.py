"""Cutting answers into chunks: nothing is lost, whatever the cuts."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.testing import Call, Say
from lg_toolroute.testing.layout import AFTER, before_place, cut_for, segments, shortened

CALLS = st.lists(st.builds(Call, st.text(max_size=6), st.text(max_size=12)), max_size=3)
CHUNKINGS = st.one_of(
    st.sampled_from(["parts", "whole"]), st.integers(1, 5), st.lists(st.integers(-1, 60), max_size=8), st.builds(random.Random, st.integers(0, 99))
)


def joined(pieces, kind, call=-1):
    return "".join(piece.text for piece in pieces if (piece.kind, piece.call) == (kind, call))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), st.text(max_size=5), CALLS, CHUNKINGS, st.none() | st.integers(0, 40))
def test_every_cut_keeps_every_character(text, thinking, calls, chunks, extra):
    say = Say(text, calls, thinking=thinking, chunks=chunks)
    made = segments(say, extra_cut=extra)
    pieces = [piece for chunk in made for piece in chunk]
    assert joined(pieces, "text") == text
    assert joined(pieces, "thinking") == thinking
    for index, call in enumerate(calls):
        assert joined(pieces, "name", index) == call.name
        assert joined(pieces, "args", index) == call.json
        # A call opens once, with its first piece; also one that has no name.
        own = [piece for piece in pieces if piece.call == index]
        assert [piece.opens for piece in own] == [True] + [False] * (len(own) - 1)
    assert all(made)


def test_places_are_in_the_middle_of_their_part():
    say = Say("abcd", [Call("edit", {"a": 1})])
    assert (cut_for(say, "text"), cut_for(say, "name"), cut_for(say, "args")) == (2, 6, 12)
    assert cut_for(say, "start") is cut_for(say, "end") is cut_for(say, 3) is None
    with pytest.raises(ValueError, match=r"at='name': the answer .* has no name"):
        cut_for(Say("abcd"), "name")


def test_chunks_before_a_place_are_counted():
    positions = [0, 2, 4, AFTER]
    counted = {place: before_place(positions, place, 2) for place in ("start", "text", "end", 3, 99, None)}
    assert counted == {"start": 0, "text": 2, "end": 4, 3: 3, 99: 4, None: 4}


def test_function_that_loses_characters_is_refused():
    with pytest.raises(ValueError, match="do not add up"):
        segments(Say("abc", chunks=lambda text: [text[:1]]))


def test_answer_is_shortened_at_a_place():
    say = Say("abcd", [Call("edit", {"a": 1}), Call("read", {})], thinking="hm")
    assert shortened(say, "start") == Say(thinking="", calls=())
    assert (shortened(say, "text").text, shortened(say, "text").calls) == ("ab", [])
    assert shortened(say, "name").calls == [Call("ed", "")]
    assert shortened(say, "args").calls == [Call("edit", '{"a"')]
    assert shortened(say, "end") == shortened(say, 2) == say


@pytest.mark.parametrize("wrong", [{"chunks": 0}, {"chunks": -3}])
def test_chunks_of_no_characters_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1 character"):
        Say("a", **wrong)
