"""The sample of a matrix: fixed, and with every value of every axis."""

from __future__ import annotations

from itertools import product

import pytest

from tests.support import sampling
from tests.support.sampling import cells

AXES = (range(7), "abc", (True, False))


def test_the_sample_is_the_same_each_time_and_holds_every_value(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(sampling.VARIABLE, raising=False)
    sample = cells(*AXES, one_in=4)
    assert sample == cells(*AXES, one_in=4)
    assert [set(values) for values in zip(*sample, strict=True)] == [set(axis) for axis in AXES]
    assert len(sample) < len(list(product(*AXES))) / 3


def test_the_whole_is_every_cell(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(sampling.VARIABLE, "1")
    assert cells(*AXES, one_in=4) == list(product(*AXES))


def test_a_sample_that_leaves_out_a_value_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(sampling.VARIABLE, raising=False)
    with pytest.raises(ValueError, match="one cell in 8 leaves out values of axis 1"):
        cells(range(7), "abc", one_in=8)


@pytest.mark.matrix(one_in=3)
@pytest.mark.parametrize("letter", "abc")
@pytest.mark.parametrize("number", range(6))
def test_a_marked_test_runs_for_its_sample(number: int, letter: str):
    assert sampling.whole() or (number + "abc".index(letter)) % 3 == 0
