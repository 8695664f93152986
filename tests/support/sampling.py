"""A fixed sample of a large matrix: `make test` runs the sample, `make test-all` (`pytest --whole`) runs every cell.

A sample is the cells whose indices add up to a multiple of `one_in`. It is the same in every run, and holds each value of each axis.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest

VARIABLE = "LG_TOOLROUTE_WHOLE"
"""Set by `--whole`, so that modules can read it while they are collected, and in the processes of pytest-xdist too."""


def whole() -> bool:
    """Whether every cell of every matrix is run."""
    return os.environ.get(VARIABLE) == "1"


def examples(count: int) -> int:
    """How many examples Hypothesis tries for a property: all with `--whole`, otherwise a third."""
    return count if whole() else count // 3


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
    dropped = [item for item in items if not _in_sample(item)]
    gone = set(dropped)
    kept = [item for item in items if item not in gone]
    if lost := _values(dropped) - _values(kept):
        raise ValueError(f"the sample leaves out {sorted(map(str, lost))}; choose a smaller one_in")
    items[:] = kept
    return dropped


def _in_sample(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("matrix")
    return mark is None or sum(item.callspec.indices.values()) % mark.kwargs["one_in"] == 0  # type: ignore[attr-defined]


def _values(items: Sequence[pytest.Item]) -> set[tuple[str, str, int]]:
    found: set[tuple[str, str, int]] = set()
    for item in items:
        if item.get_closest_marker("matrix") is not None:
            test = item.nodeid.partition("[")[0]
            found.update((test, axis, index) for axis, index in item.callspec.indices.items())  # type: ignore[attr-defined]
    return found
