"""All benchmarks, by name. Each is loaded when it is run, because some load every provider's client."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from benchmarks.report import Report

Benchmark = Callable[[bool], Report]


def _of(module: str, function: str = "run") -> Benchmark:
    def run(quick: bool) -> Report:
        report: Report = getattr(importlib.import_module(f"benchmarks.{module}"), function)(quick)
        return report

    return run


CATALOGUE: Mapping[str, Benchmark] = {
    "targets": _of("bench_targets"),
    "decide": _of("parts", "decisions"),
    "imports": _of("bench_imports"),
    "turns": _of("bench_turns", "graph"),
    "middleware": _of("bench_turns", "middleware"),
    "gate": _of("bench_gate"),
    "chains": _of("bench_chains"),
    "health": _of("parts", "health"),
    "history": _of("parts", "histories"),
    "cut": _of("bench_cut"),
    "sessions": _of("bench_sessions"),
    "brief": _of("bench_brief"),
}
"""Benchmark by name: given whether to be quick, its report."""
