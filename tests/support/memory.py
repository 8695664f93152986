"""How much memory a test process has used at most, and how much it may use."""

from __future__ import annotations

import resource
import sys

LIMIT_MB = 600
"""Megabytes that one test process may use at its peak."""


def peak_mb() -> float:
    """The largest resident size of this process so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, kilobytes on Linux
