"""What one turn of the routed graph costs, beside agents without routing, on models that answer at once.

Processor time, so all that is seen is what frameworks do. A real model call takes seconds; see `bench_cut` for what routing does to those.
"""

from __future__ import annotations

import warnings
from typing import Any

from benchmarks.agents import (
    MODES,
    PRIMARY,
    ROUTED,
    STEPS,
    Mode,
    Session,
    by_hand,
    by_hand_in_the_same_nodes,
    primary,
    routed,
    stock,
    tools,
    writer,
)
from benchmarks.report import Cell, Report, Table
from benchmarks.rounds import Timing, interleaved

BY_HAND = "by hand, tools bound once"
SAME_NODES = "by hand, in as many nodes"
STOCK = "create_agent"
NO_RULE = "routed graph, no rule"
IDLE = "routed graph, rule that never acts"
IDLE_WHOLE = "… with cutWhenNotStreaming: false"
EVERY = "routed graph, every turn routed"
ROUNDS = 25


def sessions(count: int, mode: Mode) -> dict[str, Session]:
    """The agents that are compared, by name.

    Args:
        count: How many tools each has.
        mode: How they are consumed.
    """
    bound = tools(count)
    made: dict[str, Session] = {}
    for name, make in ((BY_HAND, by_hand), (SAME_NODES, by_hand_in_the_same_nodes), (STOCK, stock)):
        model = primary()
        made[name] = Session(make(model, bound), [model], mode)

    def routing(tool: str, rules: dict[str, str], **config: Any) -> Session:
        models = {PRIMARY: primary(tool), ROUTED: writer()}
        return Session(routed(models, bound, rules=rules, **config), list(models.values()), mode)

    made[NO_RULE] = routing("read", {})
    made[IDLE] = routing("read", {"edit": ROUTED})
    made[IDLE_WHOLE] = routing("read", {"edit": ROUTED}, cutWhenNotStreaming=False)
    made[EVERY] = routing("edit", {"edit": ROUTED})
    return made


def measure(count: int, mode: Mode, rounds: int) -> dict[str, Timing]:
    """Times them, a turn.

    Args:
        count: How many tools each has.
        mode: How they are consumed.
        rounds: How often each is run.
    """
    return interleaved(dict(sessions(count, mode)), rounds=rounds, units=STEPS)


def run(quick: bool) -> Report:
    """Times all of them in every mode with 2 tools, and invoked with 10 and 50.

    Args:
        quick: Once each, with 2 tools.
    """
    rounds = 1 if quick else ROUNDS
    cells: list[tuple[int, Mode]] = [(2, mode) for mode in MODES]
    if not quick:
        cells += [(10, "invoke"), (50, "invoke"), (50, "ainvoke")]
    found: dict[tuple[int, Mode], dict[str, Timing]] = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The v3 streaming protocol")
        for count, mode in cells:
            found[count, mode] = measure(count, mode, rounds)
    names = list(found[cells[0]])
    columns = ("processor time of a turn × by hand", *(f"{mode}, {count} tools" for count, mode in cells))
    ratios: list[list[Cell]] = [[name, *(found[cell][name].ratio for cell in cells)] for name in names]
    times: list[list[Cell]] = [[name, *(found[cell][name].best_s * 1e3 for cell in cells)] for name in names]
    return Report(
        "turns",
        "what does a turn cost with routing and without, when the models take no time?",
        [Table("Ratios: medians over interleaved rounds", columns, ratios), Table("Times: the fastest round", ("ms a turn", *columns[1:]), times)],
        {f"{name}, {mode}, {count} tools": found[count, mode][name].ratio for count, mode in cells for name in names},
        notes=[
            f"{BY_HAND!r} is the least that LangGraph can do: two nodes, tools converted once. {STOCK!r} converts them in every turn.",
            f"{SAME_NODES!r} has two more nodes that do nothing, and one task a call: what is above it is the routed graph's own work.",
            f"{EVERY!r} asks two models a turn; by hand only one is asked.",
        ],
    )
