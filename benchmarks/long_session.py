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
ROUNDS = 9
_USED = (1_000, 20)
"""Tokens that the models report: a fixed number, because counting them would take longer with each turn."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What two turns of one session took.

    Attributes:
        early_s: Processor time of turn `EARLY`.
        late_s: Processor time of the late turn.
    """

    early_s: float
    late_s: float

    @property
    def factor(self) -> float:
        """How much longer the late one takes."""
        return self.late_s / self.early_s


class Conversation:
    """An agent whose turns are timed: from one request to the primary to the next.

    Args:
        name: The case.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tool = CASES[name].tool
        self._asked: list[float] = []
        self._turns = 0
        other = ScriptedModel([Say(calls=[Call(self._tool, ARGUMENTS)], usage=_USED)], name=ROUTED, loop=True)
        self._models = [ScriptedModel(answer=self._answer, name=PRIMARY), other]
        self._agent = agent(name, self._models[0], tools(2), other)

    def _answer(self, request: Any) -> Say:
        self._asked.append(time.process_time())
        if len(self._asked) > self._turns:
            return Say("Done.", usage=_USED)
        return Say("Let me look at that.", [Call(self._tool, ARGUMENTS)], usage=_USED)

    def go_on(self, messages: Sequence[Any], turns: int) -> tuple[float, list[Any]]:
        """Plays some turns.

        Args:
            messages: The conversation so far.
            turns: How many turns, each with a tool call.

        Returns:
            The median turn in seconds, and the conversation up to its last tool message.
        """
        self._turns = turns
        for noted in (self._asked, *(model.requests for model in self._models)):
            noted.clear()
        *history, _ = self._agent.invoke({"messages": list(messages)}, {"recursion_limit": 20 * turns})["messages"]
        if len(self._asked) != turns + 1:
            raise RuntimeError(f"{self._name}: the primary was asked {len(self._asked)} times in {turns} turns and a last answer")
        return statistics.median(later - earlier for earlier, later in pairwise(self._asked)), history


def growth(names: Iterable[str], turns: int, rounds: int) -> dict[str, list[Growth]]:
    """Plays a long session of each case, and then in every round the turns around an early and around the late one again.

    Args:
        names: The cases.
        turns: Which turn is the late one.
        rounds: How often both are timed.
    """
    begin = question()["messages"]
    conversations = {name: Conversation(name) for name in names}
    histories = {name: one.go_on(begin, turns - EARLY)[1] for name, one in conversations.items()}
    found: dict[str, list[Growth]] = {name: [] for name in conversations}
    for _ in range(rounds):
        for name, one in conversations.items():
            early, _ = one.go_on(begin, 2 * EARLY)
            late, _ = one.go_on(histories[name], 2 * EARLY)
            found[name].append(Growth(early, late))
    return found


def words(found: Sequence[Growth]) -> str:
    """The medians of both turns, in milliseconds."""
    early, late = (statistics.median(getattr(each, turn) for each in found) * 1e3 for turn in ("early_s", "late_s"))
    return f"{early:.1f} → {late:.1f} ms"
