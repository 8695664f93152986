"""How long a routed turn takes, and how many tokens are written, over real HTTP: the primary alone, naive routing, and the cut.

Models are paced by a loopback server. Times are scaled down, so that a turn takes a second instead of nine; ratios are what they are.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import BaseTool, tool
from langchain_openai import ChatOpenAI

from benchmarks.agents import PRIMARY, ROUTED, router
from benchmarks.report import Promise, Report, Table
from lg_toolroute import ToolRoutedChatModel
from lg_toolroute.rulebook.breakeven import Speeds, break_even_s
from lg_toolroute.testing import Call, Fault, FaultServer, Latch, Say

SPEEDS = Speeds(primary_tokens_per_s=60.0, routed_tokens_per_s=80.0, first_token_s=0.6, cut_s=0.0)
REASONING = 80
ARGUMENTS = (40, 168, 400)
SCALE = 10.0
"""How many times faster than life."""
TOKENS = 4
"""Tokens in one chunk: the client's own work on a chunk would count ten times in scaled time, so there are fewer of them."""
LETTERS = 4
"""Letters in one token."""
TOLERANCE = 0.15
ROUNDS = 7


@tool
def edit(text: str) -> str:
    """Replace the file's text."""
    return "edited"


@dataclass(frozen=True, slots=True)
class Run:
    """One turn.

    Attributes:
        seconds: How long it took, in unscaled seconds.
        primary_tokens: Output tokens that the primary wrote.
        routed_tokens: Those that the routed model wrote.
    """

    seconds: float
    primary_tokens: int
    routed_tokens: int


def expected(arguments: int) -> dict[str, float]:
    """The seconds that a turn takes by arithmetic.

    Args:
        arguments: Tokens of arguments.
    """
    first = SPEEDS.first_token_s
    reasoning, own, other = REASONING / SPEEDS.primary_tokens_per_s, arguments / SPEEDS.primary_tokens_per_s, arguments / SPEEDS.routed_tokens_per_s
    return {
        "the primary writes everything": first + reasoning + own,
        "naive: let it finish, then call the routed model": first + reasoning + own + first + other,
        "cut": first + reasoning + first + other,
    }


class Track:
    """A server with two paced models, and the ways to take a turn on them.

    Args:
        server: A server that runs.
        arguments: Tokens of arguments in the call.
        scale: How many times faster than life.
    """

    def __init__(self, server: FaultServer, arguments: int, scale: float) -> None:
        self.server = server
        self.scale = scale
        call = Call("edit", {"text": "x" * (arguments * LETTERS - len('{"text": ""}'))})
        self._answer("primary", Say("y" * REASONING * LETTERS, [call], chunks=TOKENS * LETTERS), SPEEDS.primary_tokens_per_s)
        self._answer("routed", Say(calls=[call], chunks=TOKENS * LETTERS), SPEEDS.routed_tokens_per_s)
        self.primary, self.routed = (ChatOpenAI(**server.client(name)) for name in ("primary", "routed"))
        routing = router({PRIMARY: self.primary, ROUTED: self.routed}, rules={"edit": ROUTED})  # type: ignore[dict-item]  # any chat model
        self.agent = ToolRoutedChatModel(router=routing)

    def _answer(self, model: str, say: Say, tokens_per_s: float) -> None:
        first_s, delay_s = SPEEDS.first_token_s / self.scale, TOKENS / tokens_per_s / self.scale

        def step(request: Any) -> Fault:
            latch = Latch()
            timer = threading.Timer(first_s, latch.open)
            timer.daemon = True
            timer.start()
            return Fault("paced", ending="stall", at="start", latch=latch, say=say, delay_s=delay_s)

        self.server.answer(model, step)

    def ways(self) -> dict[str, Callable[[], AIMessage]]:
        """The three ways to take the turn."""
        names = list(expected(1))
        return dict(zip(names, (self._alone, self._naive, self._cut), strict=True))

    def _stream(self, model: Any, **choice: Any) -> AIMessage:
        whole: Any = None
        for chunk in model.bind_tools(_TOOLS, **choice).stream([HumanMessage("Fix it.")]):
            whole = chunk if whole is None else whole + chunk
        message: AIMessage = whole
        return message

    def _alone(self) -> AIMessage:
        return self._stream(self.primary)

    def _naive(self) -> AIMessage:
        self._stream(self.primary)
        return self._stream(self.routed, tool_choice="edit")

    def _cut(self) -> AIMessage:
        return self._stream(self.agent)

    def take(self, way: Callable[[], AIMessage]) -> Run:
        """Takes the turn.

        Args:
            way: How.

        Raises:
            RuntimeError: It brought no call.
        """
        before = len(self.server.requests)
        start = time.perf_counter()
        message = way()
        seconds = time.perf_counter() - start
        if [call["name"] for call in message.tool_calls] != ["edit"]:
            raise RuntimeError(f"the turn brought {message.tool_calls!r} instead of one call of 'edit'")
        self.server.wait_idle()
        written = {"primary": 0, "routed": 0}
        for request in self.server.requests[before:]:
            written[request.model] += request.chunks_sent * TOKENS
        return Run(seconds * self.scale, written["primary"], written["routed"])


_TOOLS: list[BaseTool] = [edit]


def measure(arguments: int, rounds: int, scale: float) -> dict[str, list[Run]]:
    """Takes the turn in each way, in turn.

    Args:
        arguments: Tokens of arguments.
        rounds: How often.
        scale: How many times faster than life.
    """
    with FaultServer(keep_alive=True) as server:
        track = Track(server, arguments, scale)
        ways = track.ways()
        for way in ways.values():
            track.take(way)
        runs: dict[str, list[Run]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                runs[name].append(track.take(way))
        return runs


def run(quick: bool) -> Report:
    """Measures turns with few, middling and many tokens of arguments.

    Args:
        quick: Once, with few, and faster.
    """
    rounds, lengths, scale = (1, ARGUMENTS[:1], 40.0) if quick else (ROUNDS, ARGUMENTS, SCALE)
    tables, figures, promises = [], {}, []
    for arguments in lengths:
        runs = measure(arguments, rounds, scale)
        formula = expected(arguments)
        baseline, *_ = runs
        seconds = {name: statistics.median(one.seconds for one in taken) for name, taken in runs.items()}
        rows = tuple(
            (
                name,
                seconds[name],
                seconds[name] / seconds[baseline],
                formula[name] / formula[baseline],
                round(statistics.median(one.primary_tokens for one in runs[name])),
                round(statistics.median(one.routed_tokens for one in runs[name])),
            )
            for name in runs
        )
        columns = ("", "seconds", "× primary alone", "by arithmetic", "primary's tokens", "routed model's")
        tables.append(Table(f"{REASONING} tokens of reasoning, {arguments} of arguments", columns, rows))
        ratio, by_formula = seconds["cut"] / seconds[baseline], formula["cut"] / formula[baseline]
        figures[f"cut ÷ primary alone, {arguments} tokens"] = ratio
        figures[f"naive ÷ primary alone, {arguments} tokens"] = seconds[list(runs)[1]] / seconds[baseline]
        if not quick:
            off = abs(ratio - by_formula)
            promises.append(Promise(f"{arguments} tokens: the cut is what arithmetic says, within {TOLERANCE}", f"{off:.2f} off", off <= TOLERANCE))
        wrote = max(one.primary_tokens for one in runs["cut"])
        late = REASONING + 3 * TOKENS
        promises.append(Promise(f"{arguments} tokens: the primary is stopped within two chunks of the name", f"{wrote} tokens", wrote <= late))
    return Report(
        "cut",
        "how long does a routed turn take, and who writes how much?",
        tables,
        figures,
        promises,
        notes=[
            f"{SPEEDS}; {scale:g} times faster than life, {TOKENS} tokens a chunk.",
            f"Break-even by arithmetic: {break_even_s(SPEEDS):.0f} tokens of arguments.",
        ],
    )
