"""`python -m benchmarks profile CASE`: where the turns of one agent spend their time, by package and by function."""

from __future__ import annotations

import argparse
import cProfile
import math
import pstats
import sysconfig
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import lg_toolroute
from benchmarks.agents import MODES, STEPS, Schema
from benchmarks.cases import CASES, sessions
from benchmarks.report import Report, Table

SESSIONS = 100
BUILT_IN = "~"
"""What the profiler has for the file of a function that is not written in Python."""
Place = tuple[str, int, str]
"""File, line and name of a function."""
_HOME = Path(lg_toolroute.__file__).parent
_PACKAGES = tuple(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib"))


@dataclass(frozen=True, slots=True)
class Function:
    """What one function took, a turn, in the session in which it took least.

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
        repeats: How many sessions.
    """
    made = sessions((case,), count, schema=schema, mode=mode)[case]  # type: ignore[arg-type]  # the command line has checked it
    made()  # fills its caches
    least: dict[Place, _Least] = defaultdict(_Least)
    for _ in range(repeats):
        profiler = cProfile.Profile()  # the wall clock: reading the processor's takes longer than most functions do
        profiler.runcall(made)
        for place, (_, calls, own, cumulative, callers) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
            least[place].add(calls, own, cumulative, {caller: spent for caller, (_, _, spent, _) in callers.items()})
    return sorted((_function(place, found, repeats) for place, found in least.items()), key=lambda each: -each.cumulative_us)


@dataclass(slots=True)
class _Least:
    """What a function took in the sessions so far: the least of each time, because in another session it may have waited for the processor."""

    calls: int = 0
    own: float = math.inf
    cumulative: float = math.inf
    callers: dict[Place, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, calls: int, own: float, cumulative: float, callers: Mapping[Place, float]) -> None:
        self.calls += calls
        self.own = min(self.own, own)
        self.cumulative = min(self.cumulative, cumulative)
        for caller, spent in callers.items():
            self.callers[caller] += spent


def _function(place: Place, found: _Least, repeats: int) -> Function:
    file, line, name = place
    own_us, cumulative_us = found.own / STEPS * 1e6, found.cumulative / STEPS * 1e6
    package, shown = _location(file)
    packages = {package: own_us}
    spent = sum(found.callers.values())
    if file == BUILT_IN and spent:
        packages = defaultdict(float)
        for (caller, _, _), share in found.callers.items():
            packages[_location(caller)[0]] += own_us * share / spent
    return Function(f"{shown}:{line}:{name}" if line else name, packages, found.calls / repeats / STEPS, own_us, cumulative_us)


def _location(file: str) -> tuple[str, str]:
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
            "Each function's times are its least of all sessions; those of a package are the sum of its functions'.",
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
