"""What one turn costs on each surface, beside agents without routing, on models that answer at once.

Processor time, so all that is seen is what frameworks do. A real model call takes seconds; see `bench_cut` for what routing does to those.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from benchmarks.agents import MODES, STEPS, Mode
from benchmarks.cases import CASES, sessions
from benchmarks.report import Cell, Report, Table
from benchmarks.rounds import interleaved

GRAPHS = (
    "by-hand", "same-nodes", "create-agent", "graph-no-rule", "graph-idle", "graph-idle-whole",
    "graph-routed", "two-calls", "chat-idle", "chat-routed",
)  # fmt: skip
MIDDLEWARES = ("create-agent", "hands-on", "fallback", "middleware-no-rule", "middleware-idle", "middleware-idle-whole", "middleware-routed")
ROUNDS = 25


def graph(quick: bool) -> Report:
    """Times the graph and the chat model in every mode with 2 tools, and run plainly and awaited with more.

    Args:
        quick: Once each, with 2 tools.
    """
    cells: list[tuple[int, Mode]] = [(2, mode) for mode in MODES]
    if not quick:
        cells += [(10, "invoke"), (50, "invoke"), (50, "ainvoke")]
    question = "what does a turn of the graph or of the chat model cost, with routing and without, when the models take no time?"
    notes = [
        f"{CASES['by-hand'].label!r} is the least that LangGraph can do: two nodes, tools converted once. create_agent converts them in every turn.",
        f"{CASES['same-nodes'].label!r} has two more nodes that do nothing, and one task a call: what is above it is the routed graph's own work.",
        f"{CASES['graph-routed'].label!r} asks two models a turn, and so does {CASES['two-calls'].label!r}.",
    ]
    return _report("turns", question, GRAPHS, cells, notes, quick=quick)


def middleware(quick: bool) -> Report:
    """Times the middleware beside none and beside LangChain's own, run plainly and awaited.

    Args:
        quick: Once each, with 2 tools.
    """
    cells: list[tuple[int, Mode]] = [(2, "invoke"), (2, "ainvoke")]
    if not quick:
        cells += [(2, "messages"), (10, "invoke"), (50, "invoke"), (50, "ainvoke")]
    notes = [
        "create_agent converts the schemas of all tools in every turn; ToolRouteMiddleware remembers them, so with many tools a turn is cheaper.",
        f"{CASES['middleware-routed'].label!r} asks two models a turn, the others one.",
    ]
    return _report("middleware", "what does the middleware cost a turn, when the models take no time?", MIDDLEWARES, cells, notes, quick=quick)


def _report(name: str, question: str, names: Sequence[str], cells: Sequence[tuple[int, Mode]], notes: Sequence[str], *, quick: bool) -> Report:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The v3 streaming protocol")
        found = {
            (count, mode): interleaved(dict(sessions(names, count, mode=mode)), rounds=1 if quick else ROUNDS, units=STEPS) for count, mode in cells
        }
    heads = [f"{mode}, {count} tools" for count, mode in cells]
    ratios: list[list[Cell]] = [[CASES[case].label, *(found[cell][case].ratio for cell in cells)] for case in names]
    times: list[list[Cell]] = [[CASES[case].label, *(found[cell][case].best_s * 1e3 for cell in cells)] for case in names]
    return Report(
        name,
        question,
        [
            Table("Ratios: medians over interleaved rounds", (f"processor time of a turn × {CASES[names[0]].label}", *heads), ratios),
            Table("Times: the fastest round", ("ms a turn", *heads), times),
        ],
        {f"{case}, {head}": found[cell][case].ratio for cell, head in zip(cells, heads, strict=True) for case in names},
        notes=notes,
    )
