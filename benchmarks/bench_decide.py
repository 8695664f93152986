"""What a decision costs: compiling, the first decision for a tool, and every one after that.

Run it with `python -m benchmarks.bench_decide`. Times are medians of several runs of one process; the ratios against a loop over
`fnmatch` are what carries over to another machine.
"""

from __future__ import annotations

import fnmatch
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lg_toolroute.config import load_config
from lg_toolroute.rulebook.book import compile_config

RULES = 1_000
RUNS = 7
LIMITS = {"compile_ms": 100.0, "cold_us": 200.0, "warm_us": 2.0}
"""What was promised, for 1,000 rules."""

KINDS: dict[str, Callable[[int], str]] = {
    "exact names": lambda n: f"tool_{n}",
    "prefixes": lambda n: f"mcp__server{n}__*",
    "globs": lambda n: f"*_action{n}_*",
    "globs that begin alike": lambda n: f"mcp__*__action{n}",
    "mixed": lambda n: (f"tool_{n}", f"mcp__server{n}__*", f"*_action{n}_?", f"get_[ab]*{n}")[n % 4],
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured for one kind of rules.

    Attributes:
        kind: The kind.
        load_ms: Reading and validating the configuration, in milliseconds.
        compile_ms: Compiling it, in milliseconds.
        cold_us: The first decision for a tool, in microseconds.
        warm_us: Every further decision for it, in microseconds.
        loop_us: Finding the rule by a loop over `fnmatch` instead, in microseconds.
    """

    kind: str
    load_ms: float
    compile_ms: float
    cold_us: float
    warm_us: float
    loop_us: float

    @property
    def kept(self) -> bool:
        """Whether all promises were kept."""
        return all(getattr(self, name) <= limit for name, limit in LIMITS.items())


def measure(kind: str, pattern: Callable[[int], str], rules: int = RULES, runs: int = RUNS) -> Figures:
    """Measures one kind of rules.

    Args:
        kind: Its name.
        pattern: The pattern of the n-th rule.
        rules: How many rules.
        runs: How many runs the medians are of.
    """
    patterns = [pattern(number) for number in range(rules)]
    document = {"model": "a/primary", "toolRouting": {text: f"b/model{number % 7}" for number, text in enumerate(patterns)}}
    names = [f"mcp__server{number}__action{number}" for number in range(0, rules, 5)] + [f"tool_{number}" for number in range(0, rules * 2, 10)]
    config = load_config(document)
    loads, compiles, colds, warms = [], [], [], []
    for _ in range(runs):
        loads.append(_seconds(lambda: load_config(document)) * 1e3)
        compiles.append(_seconds(lambda: compile_config(config)) * 1e3)
        book = compile_config(config)
        colds.append(_seconds(lambda book=book: [book.decide(name) for name in names]) / len(names) * 1e6)
        warms.append(_seconds(lambda book=book: [book.decide("tool_7") for _ in range(20_000)]) / 20_000 * 1e6)
    sample = names[:: max(1, len(names) // 20)]
    loop = _seconds(lambda: [_loop(patterns, name) for name in sample]) / len(sample) * 1e6
    median = statistics.median
    return Figures(kind, median(loads), median(compiles), median(colds), median(warms), loop)


def _loop(patterns: list[str], name: str) -> str | None:
    return next((pattern for pattern in patterns if fnmatch.fnmatchcase(name, pattern)), None)


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    """Prints the figures; 1 if a promise was not kept."""
    print(f"{RULES:,} rules; promised: compile {LIMITS['compile_ms']:g} ms, cold {LIMITS['cold_us']:g} µs, warm {LIMITS['warm_us']:g} µs\n")
    print(f"{'rules':<24}{'load ms':>9}{'compile ms':>12}{'cold µs':>9}{'warm µs':>9}{'loop µs':>9}{'loop ÷ cold':>13}{'loop ÷ warm':>13}")
    found = [measure(kind, pattern) for kind, pattern in KINDS.items()]
    for one in found:
        ratios = f"{one.loop_us / one.cold_us:>13.0f}{one.loop_us / one.warm_us:>13.0f}"
        times = f"{one.load_ms:>9.0f}{one.compile_ms:>12.1f}{one.cold_us:>9.1f}{one.warm_us:>9.2f}{one.loop_us:>9.0f}"
        print(f"{one.kind:<24}{times}{ratios}" + ("" if one.kept else "   NOT KEPT"))
    return 0 if all(one.kept for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
