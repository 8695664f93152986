"""What the project wants to reach: each figure with its target beside it.

Every figure is a ratio to a plain agent within one run. Turns are timed in processor time (`rounds`); runs that share one event loop and long
sessions have files of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from benchmarks import concurrent_runs, long_session
from benchmarks.agents import STEPS, Schema
from benchmarks.cases import sessions
from benchmarks.report import Promise, Report, Table, shown
from benchmarks.rounds import interleaved, middle_half

ROUNDS = 25
LOOP = 21
"""Turns of a session with twenty tool rounds."""
NOISE = 0.05
"""What counts as no faster: how far apart two runs of the same thing come out on a busy machine."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One figure: the turn of one agent ÷ the turn of another, with the same tools and the same session.

    Attributes:
        title: What it shows.
        ours: The case that is measured.
        plain: The case that it is compared with.
        tools: How many tools both have.
        limit: The target: at most this.
        schema: What arguments the tools take.
        steps: Turns in a session.
        rounds: How often each is run.
    """

    title: str
    ours: str
    plain: str
    tools: int
    limit: float
    schema: Schema = "usual"
    steps: int = STEPS
    rounds: int = ROUNDS


TURNS = (
    *(
        Turn("middleware, rule that never acts, one turn", "middleware-idle", "create-agent", count, limit, "nested", steps=1)
        for count, limit in ((10, 0.70), (50, 0.22), (200, 0.10))
    ),
    *(
        Turn("middleware, rule that never acts, 20 tool rounds", "middleware-idle", "create-agent", count, limit, "flat", LOOP)
        for count, limit in ((10, 0.95), (50, 0.60))
    ),
    Turn("middleware, rule that never acts", "middleware-idle", "create-agent", 2, 1.15),
    *(Turn("graph, rule that never acts ÷ by hand", "graph-idle", "same-nodes", count, 1.10) for count in (2, 10, 50)),
    Turn("middleware, no rule ÷ one that only calls its handler", "middleware-no-rule", "hands-on", 2, 1.03, rounds=75),
    Turn("middleware, every turn routed", "middleware-routed", "create-agent", 2, 1.60),
    Turn("graph, every turn routed ÷ by hand with the same calls", "graph-routed", "two-calls", 2, 1.30),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        title: What was measured.
        ratio: The median over the rounds.
        middle: Between which two ratios the middle half of the rounds lies.
        ours: What ours takes, with its unit.
        plain: What the plain one takes.
        limit: The target.
        sense: Whether the target is the most or the least that the ratio may be.
    """

    title: str
    ratio: float
    middle: tuple[float, float]
    ours: str
    plain: str
    limit: float
    sense: Literal["≤", "≥"] = "≤"

    @property
    def kept(self) -> bool:
        """Whether the target is reached."""
        return self.ratio <= self.limit if self.sense == "≤" else self.ratio >= self.limit


def turn(target: Turn, quick: bool) -> Figure:
    """Measures one target.

    Args:
        target: What is compared.
        quick: Once, with few tools and in a short session.
    """
    count, steps, rounds = (min(target.tools, 4), min(target.steps, 2), 1) if quick else (target.tools, target.steps, target.rounds)
    cases = sessions((target.plain, target.ours), count, schema=target.schema, steps=steps)
    found = interleaved(dict(cases), rounds=rounds, units=steps)
    plain, ours = found[target.plain], found[target.ours]
    title = f"{target.title}, {target.tools} {'' if target.schema == 'usual' else f'{target.schema} '}tools"
    return Figure(title, ours.ratio, ours.middle, f"{ours.median_s * 1e3:.2f} ms", f"{plain.median_s * 1e3:.2f} ms", target.limit)


def concurrent(quick: bool) -> Iterator[Figure]:
    """Measures many runs on one event loop.

    Args:
        quick: Few runs, once.
    """
    runs, rounds = (5, 1) if quick else (concurrent_runs.RUNS, concurrent_runs.ROUNDS)
    for count in (2,) if quick else (10, 2):
        found = concurrent_runs.seconds(("create-agent", "middleware-idle"), count, runs, rounds)
        plain, ours = found["create-agent"], found["middleware-idle"]
        low, high = ours.middle
        title = f"middleware, {runs:,} concurrent runs, {count} tools: "
        rates = [f"{1 / taken:,.0f} runs/s" for taken in (ours.median_s, plain.median_s)]
        yield Figure(f"{title}throughput", 1 / ours.ratio, (1 / high, 1 / low), *rates, 0.95, "≥")
        peaks = [concurrent_runs.peak_bytes(name, count, runs) for name in ("middleware-idle", "create-agent")]
        share = peaks[0] / peaks[1]
        yield Figure(f"{title}memory", share, (share, share), *(f"{peak / 1e6:.1f} MB" for peak in peaks), 1.10)


def growing(quick: bool) -> Iterator[Figure]:
    """Measures how much slower a late turn of one session is than an early one, beside the same of `create_agent`.

    Args:
        quick: A short session, once.
    """
    turns, rounds = (20, 1) if quick else (long_session.TURNS, long_session.ROUNDS)
    names = ("middleware-idle", "middleware-routed", "graph-idle")
    found = long_session.growth(("create-agent", *names), turns, rounds)
    plain = found["create-agent"]
    for name in names:
        ratios = [mine.factor / other.factor for mine, other in zip(found[name], plain, strict=True)]
        ratio = sorted(ratios)[len(ratios) // 2]
        title = f"{name}: turn {turns:,} ÷ turn {long_session.EARLY}, beside create_agent's"
        yield Figure(title, ratio, middle_half(ratios), long_session.words(found[name]), long_session.words(plain), 1 + NOISE)


def run(quick: bool) -> Report:
    """Measures all of them.

    Args:
        quick: Each once, on little data; nothing is promised then.
    """
    figures = []
    for each in chain((turn(target, quick) for target in TURNS), concurrent(quick), growing(quick)):
        figures.append(each)
        print(f"{each.title}: {each.ratio:.3f} (target {each.sense} {each.limit:.2f})", file=sys.stderr, flush=True)  # the whole takes minutes
    rows = [
        (
            each.title,
            each.ratio,
            f"{shown(each.middle[0])} to {shown(each.middle[1])}",
            f"{each.sense} {each.limit:.2f}",
            "–" if quick else "kept" if each.kept else "NOT KEPT",
            each.ours,
            each.plain,
        )
        for each in figures
    ]
    reached = sum(each.kept for each in figures)
    return Report(
        "targets",
        "how close is each surface to what it is to cost?",
        [Table("Ours ÷ create_agent unless said otherwise", ("case", "ratio", "middle half", "target", "", "ours", "plain"), rows)],
        {each.title: each.ratio for each in figures},
        [] if quick else [Promise(f"{len(figures)} targets", f"{reached} kept", reached == len(figures))],
        notes=[
            "Turns: processor time, medians over interleaved rounds.",
            "Concurrent runs: one tool round each, with a model that takes 50 ms; runs a second of processor time.",
            "Their memory: how far the resident set of a process of its own grows.",
            "Long sessions: processor time, medians of the twenty turns around each; no faster than create_agent means within 5 %.",
        ],
    )
