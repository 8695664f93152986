"""Random faults from a seed: the same seed gives the same faults, everywhere."""

from __future__ import annotations

import random
from collections.abc import Collection

from lg_toolroute.testing.fault import Fault
from lg_toolroute.testing.faults import CATALOGUE

NO_FAILURE = frozenset({"none", "slow"})


def random_faults(
    dice: random.Random, count: int, *, healthy: float = 0.5, kinds: Collection[str] | None = None, timeouts: bool = False
) -> list[Fault]:
    """A script of good answers and faults, for a `FaultServer`.

    Args:
        dice: Where the chances come from.
        count: How many steps.
        healthy: The share of good answers, 0 to 1.
        kinds: Names from the catalogue to choose from; unset, all of them that are failures.
        timeouts: Include faults that a client notices only by its own time limit.

    Raises:
        ValueError: Unknown names in `kinds`.
    """
    if unknown := sorted(set(kinds or ()) - set(CATALOGUE)):
        raise ValueError(f"kinds: {unknown} are not in the catalogue; it has {sorted(CATALOGUE)}")
    names = sorted(kinds if kinds is not None else set(CATALOGUE) - NO_FAILURE)
    faults = [fault for fault in (CATALOGUE[name]() for name in names) if timeouts or not fault.needs_timeout]
    good = CATALOGUE["none"]()
    return [good if not faults or dice.random() < healthy else dice.choice(faults) for _ in range(count)]
