"""The benchmarks of single parts (`bench_decide`, `bench_health`, `bench_history`, each a program of its own) as reports."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.report import Promise, Report, Table

if TYPE_CHECKING:
    from benchmarks.bench_history import Prefix


def decisions(quick: bool) -> Report:
    """What a decision costs.

    Args:
        quick: Few rules, few runs.
    """
    from benchmarks import bench_decide as bench

    rules, runs = (50, 1) if quick else (bench.RULES, bench.RUNS)
    found = [bench.measure(kind, pattern, rules, runs) for kind, pattern in bench.KINDS.items()]
    rows = tuple(
        (one.kind, one.load_ms, one.compile_ms, one.cold_us, one.warm_us, one.loop_us / one.cold_us, one.loop_us / one.warm_us) for one in found
    )
    columns = ("rules", "load ms", "compile ms", "cold µs", "warm µs", "fnmatch loop ÷ cold", "fnmatch loop ÷ warm")
    worst = {name: max(getattr(one, name) for one in found) for name in bench.LIMITS}
    return Report(
        "decide",
        f"what does a decision cost with {rules:,} rules?",
        [Table(f"{rules:,} rules of one kind", columns, rows)],
        {**worst, "loop_over_warm": min(one.loop_us / one.warm_us for one in found)},
        [Promise(f"{name} ≤ {limit:g}", f"{worst[name]:.3g} at worst", worst[name] <= limit) for name, limit in bench.LIMITS.items() if not quick],
    )


def health(quick: bool) -> Report:
    """What the health of models costs.

    Args:
        quick: Few turns.
    """
    from benchmarks import bench_health as bench

    turns, runs, probes = (200, 1, 2) if quick else (bench.TURNS, bench.RUNS, 50)
    with bench.books(time.time) as real:
        healthy = {name: statistics.median(bench.healthy_turn_us(book, turns) for _ in range(runs)) for name, book in real.items()}
    moment = [1_000_000.0]
    rows, promises = [], []
    with bench.books(lambda: moment[0]) as simulated:
        for name, book in simulated.items():
            probe = bench.probe_ms(book, moment, probes)
            asked, windows = bench.failed_calls(book, moment, turns=50 if quick else 1_000, turn_s=6.0)
            rows.append((name, healthy[name], probe, asked, int(windows)))
            limit = bench.LIMITS[name]
            if not quick:
                promises.append(Promise(f"{name}: a healthy turn ≤ {limit:g} µs", f"{healthy[name]:.2f} µs", healthy[name] <= limit))
            promises.append(Promise(f"{name}: two calls open the circuit, then one a window", f"{asked} calls", asked == windows + 1))
    columns = ("book", "healthy turn µs", "probe ms", "calls to a dead primary", "its cooldowns")
    return Report(
        "health",
        "what does a look at the models' health cost, and how often is a dead model asked?",
        [Table("One look at three candidates and the report of a success; one turn every 6 s while the primary is down", columns, tuple(rows))],
        {f"healthy_us_{name}": value for name, value in healthy.items()},
        promises,
    )


def histories(quick: bool) -> Report:
    """What adapting a history costs, and what it leaves of prompt caches.

    Args:
        quick: One round, one pair of providers.
    """
    from benchmarks import bench_history as bench

    costs = bench.costs(1 if quick else 7)
    pairs = [_one_pair()] if quick else bench.prefixes()
    lost = max(max(pair.primary_lost, pair.routed_lost) for pair in pairs)
    rows = tuple((cost.case, cost.microseconds, cost.limit) for cost in costs)
    return Report(
        "history",
        "what does it cost to adapt a history, and do prompt caches survive it?",
        [Table(f"{bench.MESSAGES} messages", ("reader and history", "µs", "promised µs"), rows)],
        {"prefix_bytes_lost": float(lost), "pairs": float(len(pairs)), "slowest_us": max(cost.microseconds for cost in costs)},
        [
            *(Promise(f"{cost.case} ≤ {cost.limit:g} µs", f"{cost.microseconds:.0f} µs", cost.kept) for cost in costs if not quick),
            Promise(f"{len(pairs)} pairs of providers: every request begins with the one before it", f"{lost} bytes lost at most", lost == 0),
        ],
    )


def _one_pair() -> Prefix:
    from benchmarks import bench_history as bench
    from tests.support.provider_rules.providers import PROVIDERS
    from tests.support.provider_rules.stories import Studio

    studio = Studio()
    try:
        return bench.prefix(studio, PROVIDERS[0], PROVIDERS[1], turns=2)
    finally:
        studio.close()
