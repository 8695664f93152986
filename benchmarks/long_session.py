"""One session of many turns: what an early turn costs and what a late one does, when the history has grown."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.agents import ARGUMENTS, PRIMARY, ROUTED, question, tools
from benchmarks.cases import CASES, agent
from lg_toolroute.testing import Call, Say, ScriptedModel

TURNS = 1_000
EARLY = 10
ROUNDS = 3
_AROUND = 10
"""Turns whose middle stands for one."""
_USED = (1_000, 20)
"""Tokens that the models report: a fixed number, because counting them would take longer with each turn."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What two turns of one session took.

    Attributes:
        early_s: Processor time of turn `EARLY`.
        late_s: Processor time of the last turn.
    """

    early_s: float
    late_s: float

    @property
    def factor(self) -> float:
        """How much longer the late one takes."""
        return self.late_s / self.early_s


def session(name: str, turns: int) -> Growth:
    """Runs one session.

    Args:
        name: The case.
        turns: How many.
    """
    asked: list[float] = []
    tool = CASES[name].tool

    def answer(request: Any) -> Say:
        asked.append(time.process_time())
        return Say("Let me look at that.", [Call(tool, ARGUMENTS)], usage=_USED) if len(asked) <= turns else Say("Done.", usage=_USED)

    primary = ScriptedModel(answer=answer, name=PRIMARY)
    other = ScriptedModel([Say(calls=[Call(tool, ARGUMENTS)], usage=_USED)], name=ROUTED, loop=True)
    agent(name, primary, tools(2), other).invoke(question(), {"recursion_limit": 20 * turns})
    if len(asked) != turns + 1:
        raise RuntimeError(f"{name}: the primary was asked {len(asked)} times in a session of {turns} turns and a last answer")
    took = [later - earlier for earlier, later in pairwise(asked)]  # from one request to the primary to the next
    return Growth(statistics.median(took[EARLY - _AROUND // 2 : EARLY + _AROUND // 2]), statistics.median(took[-_AROUND:]))


def growth(names: Iterable[str], turns: int, rounds: int) -> dict[str, list[Growth]]:
    """Runs a session of each case in every round.

    Args:
        names: The cases.
        turns: How many turns a session has.
        rounds: How many sessions of each.
    """
    found: dict[str, list[Growth]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, sessions in found.items():
            sessions.append(session(name, turns))
    return found


def words(found: Sequence[Growth]) -> str:
    """The medians of both turns, in milliseconds."""
    early, late = (statistics.median(getattr(each, turn) for each in found) * 1e3 for turn in ("early_s", "late_s"))
    return f"{early:.1f} → {late:.1f} ms"
