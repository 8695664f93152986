"""Runs the benchmarks, prints their tables, and says which promises were kept.

`python -m benchmarks [--tree DIR] [--quick] [--json FILE] [NAME …]`, or `python -m benchmarks [--tree DIR] profile CASE …`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.catalogue import CATALOGUE
from benchmarks.report import Report


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for.

    Args:
        arguments: Those of the command line; `None` takes them from there.

    Returns:
        0; 1 if a promise was not kept. With `--quick` nothing is promised: too little is measured.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What routing costs and what it saves.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones; all by default: {', '.join(CATALOGUE)}; or: profile CASE")
    parser.add_argument("--tree", type=Path, metavar="DIR", help="measure the lg_toolroute of another checkout")
    parser.add_argument("--quick", action="store_true", help="run everything once on little data, to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    chosen, more = parser.parse_known_args(arguments)
    if chosen.tree is not None:
        _use(chosen.tree, parser)
    if chosen.names[:1] == ["profile"]:
        from benchmarks import profiling

        return profiling.main([*chosen.names[1:], *more])
    if more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    unknown = [name for name in chosen.names if name not in CATALOGUE]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(map(repr, unknown))}; there are {', '.join(CATALOGUE)}")
    reports: list[Report] = []
    for name in chosen.names or CATALOGUE:
        start = time.monotonic()
        report = CATALOGUE[name](chosen.quick)
        reports.append(report)
        print(report)
        print(f"({time.monotonic() - start:.0f} s)\n", flush=True)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(document(reports, quick=chosen.quick), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if chosen.quick or all(report.kept for report in reports) else 1


def _use(tree: Path, parser: argparse.ArgumentParser) -> None:
    """Imports `lg_toolroute` from another checkout, with these benchmarks: what they use of it has the same names in both."""
    if not (tree / "lg_toolroute" / "__init__.py").is_file():
        parser.error(f"--tree: there is no lg_toolroute in {tree}")
    if "lg_toolroute" in sys.modules:
        parser.error("--tree: lg_toolroute is loaded already; run `python -m benchmarks --tree …` in a Python of its own")
    sys.path.insert(0, str(tree.resolve()))


def document(reports: Sequence[Report], *, quick: bool) -> dict[str, Any]:
    """All reports as JSON-able data, with the machine and the versions they were measured on.

    Args:
        reports: The reports.
        quick: Too little was measured to compare.
    """
    packages = ("langchain", "langchain-core", "langgraph", "langchain-openai", "openai")
    return {
        "quick": quick,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "versions": {package: version(package) for package in packages},
        "reports": {report.name: report.to_dict() for report in reports},
    }


if __name__ == "__main__":
    sys.exit(main())
