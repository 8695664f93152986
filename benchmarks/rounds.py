"""How things are timed: every case once a round, so that a machine that slows down slows all of them, and ratios within one run."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Work = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Timing:
    """What was measured for one case.

    Attributes:
        name: The case.
        best_s: The fastest round, in seconds a unit of work.
        median_s: The median round, in seconds a unit of work.
        ratio: The median over the rounds of this case's time over the baseline's in the same round; 1.0 for the baseline.
        best_ratio: The fastest round over the baseline's fastest.
        middle: Between which two ratios the middle half of the rounds lies.
    """

    name: str
    best_s: float
    median_s: float
    ratio: float
    best_ratio: float
    middle: tuple[float, float]


def interleaved(
    cases: Mapping[str, Work],
    *,
    rounds: int,
    units: int = 1,
    baseline: str | None = None,
    warm: int = 1,
    clock: Clock = time.process_time,
    collecting: bool = False,
) -> dict[str, Timing]:
    """Times the cases in turn, again and again.

    Args:
        cases: What is timed, by name.
        rounds: How often each is.
        units: How many units of work one call does; times are given a unit.
        baseline: The case that the others are compared with; unset: the first one.
        warm: Calls of each case before the first round, which fill its caches.
        clock: Seconds. Processor time by default, of all threads of this process: who else runs on the machine is left out.
        collecting: Leave the garbage collector on, where one call runs so long that the collector is a part of its cost.

    Returns:
        The timings, in the order of the cases.
    """
    for _ in range(warm):
        for work in cases.values():
            work()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    order = list(cases.items())
    gc.collect()
    gc.freeze()  # the modules are not looked through again between any two cases
    try:
        for number in range(rounds):
            # Another case goes first in every round, so that none always follows the same one.
            first = number % len(order)
            for name, work in (*order[first:], *order[:first]):
                seconds[name].append(_once(work, clock, collecting=collecting) / units)
    finally:
        gc.unfreeze()
    against = seconds[baseline if baseline is not None else next(iter(cases))]
    return {name: _timing(name, taken, against) for name, taken in seconds.items()}


def _once(work: Work, clock: Clock, *, collecting: bool) -> float:
    gc.collect()
    if not collecting:
        gc.disable()  # a collection that falls into one case by chance is none of its cost
    try:
        start = clock()
        work()
        return clock() - start
    finally:
        gc.enable()


def _timing(name: str, taken: list[float], against: list[float]) -> Timing:
    floor = 1e-9  # a clock that did not move
    ratios = [mine / max(other, floor) for mine, other in zip(taken, against, strict=True)]
    best_ratio = min(taken) / max(min(against), floor)
    return Timing(name, min(taken), statistics.median(taken), statistics.median(ratios), best_ratio, middle_half(ratios))


def middle_half(values: Sequence[float]) -> tuple[float, float]:
    """Between which two values the middle half of them lies."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high
