"""What a chain of fallbacks costs while all is well, and how often a dead primary is asked."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from langchain.agents.middleware import ModelFallbackMiddleware

from benchmarks.agents import PRIMARY, ROUTED, SPARE, STEPS, Mode, Session, dead, primary, question, routed, script, stock, tools
from benchmarks.report import Cell, Promise, Report, Table
from benchmarks.rounds import Timing, interleaved
from lg_toolroute.testing import ScriptedModel

NO_CHAIN, CHAIN, LONG_CHAIN = "no fallbacks", "one fallback", "five fallbacks"
NOISE = 0.05
"""What counts as no difference: how far apart two runs of the same thing come out on a busy machine."""
ROUNDS = 41


def healthy(mode: Mode, rounds: int) -> dict[str, Timing]:
    """Times turns of a healthy primary with chains of several lengths behind it.

    Args:
        mode: How they are consumed.
        rounds: How often each is run.
    """
    bound = tools(10)
    cases: dict[str, Session] = {}
    for name, fallbacks in ((NO_CHAIN, []), (CHAIN, [SPARE]), (LONG_CHAIN, [SPARE, *(f"{SPARE}-{number}" for number in range(4))]), ("", [])):
        models = {PRIMARY: primary(), ROUTED: ScriptedModel(["never asked"], name=ROUTED, loop=True)}
        models.update({spec: ScriptedModel(["never asked"], name=spec, loop=True) for spec in fallbacks})
        agent = routed(models, bound, rules={"edit": ROUTED}, fallbacks=fallbacks)
        cases[name or f"{NO_CHAIN}, once more"] = Session(agent, list(models.values()), mode)
    return interleaved(dict(cases), rounds=rounds, units=STEPS)


def outage(turns: int, turn_s: float) -> tuple[int, int, int]:
    """Runs a routed graph whose primary is down, on a clock of its own.

    Args:
        turns: How many turns.
        turn_s: Seconds that pass in a turn.

    Returns:
        The calls that the primary got, those that the spare got, and how long the longest silence between two calls to the primary was, in turns.
    """
    primary_model, spare = dead(ConnectionError("connection refused")), ScriptedModel(script(steps=turns), name=SPARE)
    asked_at: list[int] = []

    def now() -> float:
        # The spare answers once a turn.
        return len(spare.requests) * turn_s

    agent = routed({PRIMARY: primary_model, SPARE: spare}, tools(2), fallbacks=[SPARE], clock=now)
    for _ in agent.stream(question(), {"recursion_limit": 20 * turns}, stream_mode="updates"):
        if len(primary_model.requests) > len(asked_at):
            asked_at.append(len(spare.requests))
    silence = max((later - earlier for earlier, later in pairwise(asked_at)), default=0)
    return len(primary_model.requests), len(spare.requests), silence


def stock_outage(turns: int) -> tuple[int, int]:
    """The same with LangChain's own fallback: calls to the primary, calls to the spare.

    Args:
        turns: How many turns.
    """
    primary_model, spare = dead(ConnectionError("connection refused")), ScriptedModel(script(steps=turns), name=SPARE)
    agent: Any = stock(primary_model, tools(2), [ModelFallbackMiddleware(spare)])
    agent.invoke(question(), {"recursion_limit": 20 * turns})
    return len(primary_model.requests), len(spare.requests)


def run(quick: bool) -> Report:
    """Times healthy chains, and counts calls to a dead primary.

    Args:
        quick: Few rounds, few turns.
    """
    modes: tuple[Mode, ...] = ("invoke", "ainvoke")
    found = {mode: healthy(mode, 1 if quick else ROUNDS) for mode in modes}
    names = list(found["invoke"])
    rows: list[list[Cell]] = [
        [name, *(found[mode][name].ratio for mode in modes), *(found[mode][name].best_s * 1e3 for mode in modes)] for name in names
    ]
    columns = ("processor time of a turn × no fallbacks", *modes, *(f"{mode}, ms" for mode in modes))
    turns, turn_s = (12, 10.0) if quick else (120, 10.0)
    primary_calls, spare_calls, silence = outage(turns, turn_s)
    stock_calls, _ = stock_outage(turns)
    # 2 failures open the circuit for 30 s; each failed probe doubles that, to 300 s at most.
    windows, waits, passed = 0, [30.0 * 2**number for number in range(4)], 0.0
    while passed < turns * turn_s:
        passed += waits[windows] if windows < len(waits) else 300.0
        windows += 1
    off = max(abs(found[mode][name].ratio - 1) for mode in modes for name in (CHAIN, LONG_CHAIN))
    return Report(
        "chains",
        "what do fallbacks cost while all is well, and how often is a dead primary asked?",
        [
            Table("A healthy primary, 10 tools", columns, rows),
            Table(
                f"A primary that is down for {turns} turns of {turn_s:g} s",
                ("", "failed calls", "turns", "longest silence, turns"),
                (("routed graph", primary_calls, spare_calls, silence), ("create_agent + ModelFallbackMiddleware", stock_calls, turns, 1)),
            ),
        ],
        {"healthy chain": off, "failed calls": float(primary_calls), "failed calls, stock": float(stock_calls)},
        [
            *([] if quick else [Promise(f"a healthy chain costs nothing: within {NOISE:.0%}", f"{off:.1%} at most", off <= NOISE)]),
            Promise(
                "a dead primary costs two calls, and then one in each window",
                f"{primary_calls} calls in {windows} windows",
                primary_calls <= 2 + windows,
            ),
        ],
    )
