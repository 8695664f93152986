"""A fixed sample of a large matrix: `make test` runs the sample, `make test-all` (`pytest --whole`) runs every cell.

A sample is the cells whose indices add up to a multiple of `one_in`. It is the same in every run, and holds each value of each axis.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pytest

VARIABLE = "LG_TOOLROUTE_WHOLE"
"""Set by `--whole`, so that modules can read it while they are collected, and in the processes of pytest-xdist too."""


def whole() -> bool:
    """Whether every cell of every matrix is run."""
    return os.environ.get(VARIABLE) == "1"


def examples(count: int) -> int:
    """How many examples Hypothesis tries for a property: all with `--whole`, otherwise a third. `LG_TOOLROUTE_TIMES=n` makes it n times as many."""
    return (count if whole() else count // 3) * int(os.environ.get("LG_TOOLROUTE_TIMES", "1"))


def cells(*axes: Sequence[Any], one_in: int, covering: bool = True) -> list[tuple[Any, ...]]:
    """The cells of a matrix that are run: all of them with `--whole`, otherwise the sample.

    Args:
        *axes: The values of each axis.
        one_in: One cell of so many is in the sample.
        covering: The sample must hold every value of every axis. Switched off where several samples together do.

    Raises:
        ValueError: A value of an axis would not be in the sample.
    """
    if whole():
        return list(product(*axes))
    chosen = [place for place in product(*(range(len(axis)) for axis in axes)) if sum(place) % one_in == 0]
    for number, axis in enumerate(axes):
        if covering and len({place[number] for place in chosen}) < len(axis):
            raise ValueError(f"one cell in {one_in} leaves out values of axis {number + 1}: {list(axis)}")
    return [tuple(axis[index] for axis, index in zip(axes, place, strict=True)) for place in chosen]


def keep_sample(items: list[pytest.Item]) -> list[pytest.Item]:
    """Take out of `items` what is not in the sample of a test marked `@pytest.mark.matrix(one_in=…)`, and give what was taken out.

    Raises:
        ValueError: A value of a parameter would not be in the sample.
    """
    places = _places(items)
    kept = [item for item in items if item not in places or sum(places[item].values()) % _one_in(item) == 0]
    staying = set(kept)
    dropped = [item for item in items if item not in staying]
    if lost := _values(dropped, places) - _values(kept, places):
        raise ValueError(f"the sample leaves out values of {sorted({(test, axis) for test, axis, _ in lost})}; choose a smaller one_in")
    items[:] = kept
    return dropped


def _one_in(item: pytest.Item) -> int:
    mark = item.get_closest_marker("matrix")
    return int(mark.kwargs["one_in"]) if mark is not None else 1


def _test(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _places(items: Sequence[pytest.Item]) -> dict[pytest.Item, dict[str, int]]:
    """For each item of a marked test: the position of each of its parameters among the values of that parameter."""
    known: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    places: dict[pytest.Item, dict[str, int]] = {}
    for item in items:
        if item.get_closest_marker("matrix") is not None:
            parameters = item.callspec.params  # type: ignore[attr-defined]
            axes = {name: known[_test(item), name] for name in parameters}
            places[item] = {name: axes[name].setdefault(id(value), len(axes[name])) for name, value in parameters.items()}
    return places


def _values(items: Sequence[pytest.Item], places: Mapping[pytest.Item, Mapping[str, int]]) -> set[tuple[str, str, int]]:
    return {(_test(item), axis, place) for item in items if item in places for axis, place in places[item].items()}
