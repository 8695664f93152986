"""`python -m benchmarks profile CASE`: where the turns of one agent spend their time, by package and by function."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sysconfig
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import lg_toolroute
from benchmarks.agents import MODES, STEPS, Schema
from benchmarks.cases import CASES, sessions
from benchmarks.report import Report, Table
from benchmarks.rounds import Work

SESSIONS = 200
BUILT_IN = "~"
"""What the profiler has for the file of a function that is not written in Python."""
_HOME = Path(lg_toolroute.__file__).parent
_PACKAGES = tuple(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib"))


@dataclass(frozen=True, slots=True)
class Function:
    """What one function took, a turn.

    Attributes:
        name: File, line and name.
        packages: The time in it alone by the package that it belongs to, in microseconds. A function that is built in belongs to its callers.
        calls: How often it was called.
        own_us: Time in it alone.
        cumulative_us: Time in it and in what it called.
    """

    name: str
    packages: Mapping[str, float]
    calls: float
    own_us: float
    cumulative_us: float


def profiled(case: str, *, count: int = 2, schema: Schema = "usual", mode: str = "invoke", repeats: int = SESSIONS) -> list[Function]:
    """Runs sessions of one agent under the profiler.

    Args:
        case: The agent.
        count: How many tools it has.
        schema: What arguments the tools take.
        mode: How it is run.
        repeats: How many sessions; the fastest quarter is kept.
    """
    made = sessions((case,), count, schema=schema, mode=mode)[case]  # type: ignore[arg-type]  # the command line has checked it
    made()  # fills its caches
    profilers = [_profiled(made) for _ in range(repeats)]
    # The wall clock, because reading the processor's takes longer than most functions do; sessions that had to wait for the processor are left out.
    fastest = sorted(profilers, key=lambda each: each[0])[: max(1, repeats // 4)]
    stats = pstats.Stats(*(profiler for _, profiler in fastest))
    return sorted(_functions(stats, len(fastest) * STEPS), key=lambda each: -each.cumulative_us)


def _profiled(work: Work) -> tuple[float, cProfile.Profile]:
    profiler = cProfile.Profile()
    start = time.perf_counter()
    profiler.runcall(work)
    return time.perf_counter() - start, profiler


def _functions(stats: pstats.Stats, turns: int) -> Iterator[Function]:
    for (file, line, name), (_, calls, own, cumulative, callers) in stats.stats.items():  # type: ignore[attr-defined]
        package, shown = _place(file)
        packages: dict[str, float] = defaultdict(float)
        if file == BUILT_IN:
            for (caller, _, _), (_, _, spent, _) in callers.items():
                packages[_place(caller)[0]] += spent / turns * 1e6
        else:
            packages[package] = own / turns * 1e6
        yield Function(f"{shown}:{line}:{name}" if line else name, packages, calls / turns, own / turns * 1e6, cumulative / turns * 1e6)


def _place(file: str) -> tuple[str, str]:
    """The package that a file belongs to, and its path inside of it."""
    path = Path(file)
    if path.is_relative_to(_HOME):
        inside = path.relative_to(_HOME.parent)
        return "/".join(inside.parts[: 2 if len(inside.parts) > 2 else 1]), str(inside)
    for root in _PACKAGES:
        if path.is_relative_to(root):
            inside = path.relative_to(root)
            return inside.parts[0].removesuffix(".py"), str(inside)
    if file == BUILT_IN:
        return "called by built-in functions", file
    return ("benchmarks", f"benchmarks/{path.name}") if path.parent == Path(__file__).parent else ("Python", path.name)


def run(case: str, found: Sequence[Function], top: int) -> Report:
    """The profile as tables.

    Args:
        case: The agent.
        found: What was measured.
        top: How many functions are shown.
    """
    packages: dict[str, float] = defaultdict(float)
    for each in found:
        for package, spent in each.packages.items():
            packages[package] += spent
    whole = sum(packages.values())
    shares = [(package, spent, f"{spent / whole:.1%}") for package, spent in sorted(packages.items(), key=lambda item: -item[1])]

    def table(title: str, functions: Sequence[Function]) -> Table:
        rows = [(each.name, each.own_us, each.cumulative_us, each.calls) for each in functions[:top]]
        return Table(f"The {top} functions with the most {title}, a turn", ("function", "own µs", "cumulative µs", "calls"), rows)

    return Report(
        "profile",
        f"where does a turn of {CASES[case].label!r} ({case}) spend its time?",
        [
            Table("By package, with the built-in functions that it calls, a turn", ("package", "own µs", "share"), shares),
            table("time in them and below", sorted(found, key=lambda each: -each.cumulative_us)),
            table("time of their own", sorted(found, key=lambda each: -each.own_us)),
        ],
        {"µs a turn": whole},
        notes=[
            "Tools run in threads of their own; the time in which the agent waits for them is that of `acquire`.",
            "The profiler slows every call down, small functions most: read shares and numbers of calls, and time with `targets` or `turns`.",
        ],
    )


def main(arguments: Sequence[str]) -> int:
    """Profiles one agent and prints where its time goes.

    Args:
        arguments: What stands behind `profile` on the command line.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks profile", description="Where the turns of one agent spend their time.")
    parser.add_argument("case", choices=CASES, metavar="CASE", help=f"which agent: {', '.join(CASES)}")
    parser.add_argument("--tools", type=int, default=2, help="how many tools it has (2)")
    parser.add_argument("--schema", choices=get_args(Schema), default="usual", help="what arguments they take (usual)")
    parser.add_argument("--mode", choices=MODES, default="invoke", help="how it is run (invoke)")
    parser.add_argument("--sessions", type=int, default=SESSIONS, help=f"how many sessions of {STEPS} turns ({SESSIONS})")
    parser.add_argument("--top", type=int, default=25, help="how many functions are shown (25)")
    chosen = parser.parse_args(arguments)
    found = profiled(chosen.case, count=chosen.tools, schema=chosen.schema, mode=chosen.mode, repeats=chosen.sessions)
    print(run(chosen.case, found, chosen.top))
    return 0
