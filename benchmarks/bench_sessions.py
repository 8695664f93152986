"""What cutting would have saved in recorded agent sessions: each of their answers is streamed through the gate again.

The recordings are not part of the project. Without them (`LG_TOOLROUTE_TRACES` names their folder) this is skipped.
"""

from __future__ import annotations

import json
import os
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from benchmarks.agents import PRIMARY
from benchmarks.report import Promise, Report, Table
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.rulebook.breakeven import Speeds, break_even_s, saved_s

TRACES = "LG_TOOLROUTE_TRACES"
RECORDINGS = ("claude_code", "tau_airline", "tau_retail")
ROUTED: Mapping[str, tuple[str, ...]] = {"claude_code": ("Edit", "Write")}
"""The tools that are routed; of the other recordings, those with the longest arguments."""
LETTERS = 4
"""Letters in a token: an approximation, the same for all columns."""
PIECE = 64
"""Letters of arguments in a chunk."""
SHOWN = 8


@dataclass(slots=True)
class Tally:
    """What the answers of a recording came to, in letters.

    Attributes:
        sessions: How many sessions there are.
        answers: How many answers.
        written: All letters: words, names, arguments.
        streamed: Those that the primary writes when it is cut.
        arguments: The length of the arguments of each call, by tool.
        cuts: How many answers were cut.
    """

    sessions: int = 0
    answers: int = 0
    written: int = 0
    streamed: int = 0
    arguments: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    cuts: int = 0


def folder() -> Path:
    """Where the recordings lie."""
    return Path(os.environ.get(TRACES, "../shared/traces"))


def answers(path: Path, most: int | None) -> Iterator[tuple[int, str, list[tuple[str, str]]]]:
    """The answers of a recording: the number of the session, the words, and the calls as `(name, arguments)`.

    Args:
        path: A file with one session a line, its messages in OpenAI's format.
        most: Read no more sessions than this; `None` reads all.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if most is not None and number >= most:
                return
            for message in json.loads(line)["messages"]:
                if message["role"] == "assistant":
                    calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or ()]
                    yield number, str(message.get("content") or ""), calls


def chunks(words: str, calls: list[tuple[str, str]]) -> Iterator[tuple[int, ChatGenerationChunk]]:
    """An answer as a provider streams it, each chunk with the number of its letters."""
    if words:
        yield len(words), _chunk(AIMessageChunk(content=words))
    for index, (name, arguments) in enumerate(calls):
        yield len(name), _chunk(AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=name, args="", id=f"call_{index}", index=index)]))
        for at in range(0, len(arguments), PIECE):
            piece = arguments[at : at + PIECE]
            call = tool_call_chunk(name=None, args=piece, id=None, index=index)
            yield len(piece), _chunk(AIMessageChunk(content="", tool_call_chunks=[call]))


def _chunk(message: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=message)


def replay(path: Path, routed: tuple[str, ...], most: int | None) -> Tally:
    """Streams every answer of a recording through the gate, until it is cut.

    Args:
        path: The recording.
        routed: The tools at whose names it is cut.
        most: Read no more sessions than this.
    """
    tally = Tally()
    seen: set[int] = set()
    for number, words, calls in answers(path, most):
        seen.add(number)
        tally.answers += 1
        gate = ReasonGate("lc_run--1", model=PRIMARY, gates=dict.fromkeys(routed, "cut"), bound=[name for name, _ in calls])
        for name, arguments in calls:
            tally.arguments[name].append(len(arguments))
        tally.written += len(words) + sum(len(name) + len(arguments) for name, arguments in calls)
        for letters, chunk in chunks(words, calls):
            tally.streamed += letters
            for _ in gate.feed(chunk):
                continue
            if gate.halted:
                tally.cuts += 1
                break
    tally.sessions = len(seen)
    return tally


def longest(path: Path, count: int, most: int | None) -> tuple[str, ...]:
    """The tools with the longest arguments, in the median.

    Args:
        path: The recording.
        count: How many.
        most: Read no more sessions than this.
    """
    lengths: dict[str, list[int]] = defaultdict(list)
    for _, _, calls in answers(path, most):
        for name, arguments in calls:
            lengths[name].append(len(arguments))
    return tuple(sorted(lengths, key=lambda name: -statistics.median(lengths[name]))[:count])


def run(quick: bool) -> Report:
    """Replays the recordings.

    Args:
        quick: Only a few sessions of each.
    """
    question = "how many of its tokens would a primary not have had to write?"
    found = {name: folder() / f"replay_{name}.jsonl" for name in RECORDINGS}
    found = {name: path for name, path in found.items() if path.is_file()}
    if not found:
        return Report("sessions", question, skipped=f"no recordings in {folder()}; set {TRACES} to their folder")
    most = 3 if quick else None
    speeds = Speeds()
    even = break_even_s(speeds) or 0.0
    overview: list[tuple[Any, ...]] = []
    tables: list[Table] = []
    figures: dict[str, float] = {}
    for name, path in found.items():
        routed = ROUTED.get(name) or longest(path, 2, most)
        tally = replay(path, routed, most)
        share = 1 - tally.streamed / tally.written
        figures[f"{name}: share of output saved"] = share
        overview.append((name, tally.sessions, tally.answers, ", ".join(routed), tally.cuts, f"{share:.0%}", tally.written // LETTERS))
        tables.append(_by_tool(name, tally, routed, even, speeds))
    columns = ("recording", "sessions", "answers", "routed", "cut", "primary's output saved", "its output, tokens")
    return Report(
        "sessions",
        question,
        [Table("Recorded sessions, streamed through the gate again", columns, tuple(overview)), *tables],
        figures,
        [] if quick or "claude_code" not in found else [_promise(figures["claude_code: share of output saved"])],
        notes=[f"A token is taken for {LETTERS} letters. {speeds}: a call pays, in time, above {even:.0f} tokens of arguments."],
    )


def _by_tool(name: str, tally: Tally, routed: tuple[str, ...], even: float, speeds: Speeds) -> Table:
    rows = []
    ordered = sorted(tally.arguments, key=lambda tool: -sum(tally.arguments[tool]))
    for tool in ordered[:SHOWN]:
        tokens = [letters / LETTERS for letters in tally.arguments[tool]]
        pays = sum(each > even for each in tokens) / len(tokens)
        gain = sum(saved_s(each, speeds) for each in tokens)
        share = sum(tokens) * LETTERS / tally.written
        rows.append((f"{tool} *" if tool in routed else tool, len(tokens), statistics.median(tokens), f"{share:.0%}", f"{pays:.0%}", gain))
    head = ("tool (* routed)", "calls", "median tokens", "of all output", "calls that pay in time", "seconds saved if routed")
    return Table(f"{name}: is a tool worth routing?", head, tuple(rows))


def _promise(share: float) -> Promise:
    return Promise("cutting Edit and Write spares a coding primary at least half of its visible output", f"{share:.0%}", share >= 0.5)
