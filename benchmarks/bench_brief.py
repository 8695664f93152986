"""What a brief of a file would have held in recorded coding sessions: every session is folded into `KnownFiles` and asked before each edit.

The recordings are not part of the project. Without them (`LG_TOOLROUTE_TRACES` names their folder) this is skipped.
"""

from __future__ import annotations

import gzip
import json
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import brief_money
from benchmarks.bench_sessions import LETTERS, TRACES, folder
from benchmarks.report import Promise, Report, Table
from lg_toolroute.files.known import KnownFiles, Step
from lg_toolroute.files.look import look
from lg_toolroute.files.tools import FileTool, file_tool

RECORDING = "files_claude_code.jsonl.gz"
QUICK = 8
"""Sessions of a quick run."""

Event = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """What was found before the edits of the sessions.

    Attributes:
        sessions: How many sessions there are.
        good: Edits that succeeded.
        contained: Good edits whose old text is in what a brief would show.
        sizes: The tokens of what a brief would show, by good edit.
        read_in_full: Edits, with the file as it really was, of a file that is known whole.
        equal: Of those: the file was rebuilt exactly.
        failed: Failed edits, by kind.
        flagged: Of those: the look said so beforehand.
        alarms: Good edits at which the look found fault.
        steps: Calls that were folded.
    """

    sessions: int = 0
    good: int = 0
    contained: int = 0
    sizes: list[int] = field(default_factory=list)
    read_in_full: int = 0
    equal: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    alarms: int = 0
    steps: int = 0


def sessions(path: Path, most: int | None = None) -> Iterator[list[Event]]:
    """The events of each session of a recording, one session in memory at a time."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in islice(lines, most):
            yield json.loads(line)["events"]


@dataclass(slots=True)
class Asked:
    """An edit that was written and has no result yet: what was known of its file then."""

    call: Event
    tool: FileTool
    fault: str | None
    contained: bool
    letters: int


def follow(events: list[Event], tally: Tally) -> None:
    """Folds one session, and asks before each of its edits."""
    known = expected = KnownFiles()
    waiting: dict[str, Event] = {}
    asked: dict[str, Asked] = {}
    tally.sessions += 1
    for event in events:
        if event.get("compacted"):
            known = expected = KnownFiles()
        elif "call" in event:
            waiting[event["call"]] = event
            tool = file_tool(event["name"], event["args"])
            if tool is not None and tool.kind == "edit":
                asked[event["call"]] = _ask(event, tool, known, expected)
                expected = expected.expecting(tool, event["args"])
        elif "result" in event and (call := waiting.pop(event["result"], None)) is not None:
            if (edit := asked.pop(event["result"], None)) is not None:
                _count(edit, event, known, tally)
            known = expected = known.after(step_of(call, event))
            tally.steps += 1


def step_of(call: Mapping[str, Any], result: Mapping[str, Any]) -> Step:
    """A recorded call and its result, as they are folded."""
    return Step(call["name"], call["args"], str(result["text"]), bool(result["error"]), file_tool(call["name"], call["args"]))


def _ask(call: Event, tool: FileTool, known: KnownFiles, expected: KnownFiles) -> Asked:
    """What a brief would hold for an edit, from what was known; what a look would say, with the calls before it in the same message taken as made."""
    fault = look(tool, call["args"], expected.of(call["args"][tool.file]))
    file = known.of(call["args"][tool.file])
    if file is None:
        return Asked(call, tool, fault, contained=False, letters=0)
    old = call["args"][tool.old or ""]
    contained = file.count(old) > 0 or any(old in each for each in file.evidence)
    return Asked(call, tool, fault, contained, len(file.shown()) + sum(map(len, file.evidence)))


def _count(edit: Asked, result: Event, known: KnownFiles, tally: Tally) -> None:
    if result["error"]:
        kind = str(result.get("kind", "other"))
        tally.failed[kind] += 1
        tally.flagged[kind] += edit.fault is not None
        return
    tally.good += 1
    tally.contained += edit.contained
    tally.alarms += edit.fault is not None
    tally.sizes.append(edit.letters // LETTERS)
    file = known.of(edit.call["args"][edit.tool.file])
    if "file_before" in result and file is not None and file.text is not None:
        tally.read_in_full += 1
        tally.equal += file.text == result["file_before"]


def run(quick: bool) -> Report:
    """Folds the recorded sessions.

    Args:
        quick: Only a few of them.
    """
    question = "does a brief hold what an edit needs, and what would a look have caught?"
    path = folder() / RECORDING
    if not path.is_file():
        return Report("brief", question, skipped=f"no recording {RECORDING} in {folder()}; set {TRACES} to its folder")
    tally, bill = Tally(), brief_money.Bill()
    for events in sessions(path, QUICK if quick else None):
        follow(events, tally)
        brief_money.follow(events, bill)
    costs, saved = brief_money.money(bill)
    figures = {
        "coverage": tally.contained / tally.good,
        "median tokens": statistics.median(tally.sizes),
        "rebuilt": tally.equal / max(tally.read_in_full, 1),
        "look: flagged": tally.flagged["no_match"] / max(tally.failed["no_match"], 1),
        "look: false alarms": tally.alarms / tally.good,
        "milliseconds for a brief of a thread of 400 messages": brief_money.seconds_of_a_brief() * 1000,
        **saved,
    }
    took = figures["milliseconds for a brief of a thread of 400 messages"]
    note = f"{took:.2f} ms of processor time for a brief when a thread of 400 messages has grown by a call."
    return Report("brief", question, [_coverage(tally), _looks(tally), costs], figures, [] if quick else _promises(figures), [note])


def _coverage(tally: Tally) -> Table:
    rows = [
        ("edits that succeeded", tally.good, ""),
        ("old text is in what is shown of the file", tally.contained, f"{tally.contained / tally.good:.1%}"),
        ("edits of a file that is known whole", tally.read_in_full, ""),
        ("rebuilt exactly", tally.equal, f"{tally.equal / max(tally.read_in_full, 1):.1%}"),
        ("tokens shown, median", int(statistics.median(tally.sizes)), ""),
        ("tokens shown, 95th percentile", int(statistics.quantiles(tally.sizes, n=20)[-1]), ""),
    ]
    return Table(f"{tally.sessions} sessions, {tally.steps} calls: the file as it must look now", ("", "number", "share"), rows)


def _looks(tally: Tally) -> Table:
    rows: list[tuple[str, int, int, str]] = [
        (kind, number, tally.flagged[kind], f"{tally.flagged[kind] / number:.0%}") for kind, number in tally.failed.most_common()
    ]
    rows.append(("(succeeded)", tally.good, tally.alarms, f"{tally.alarms / tally.good:.1%}"))
    return Table("A look before the edit runs", ("the edit failed with", "edits", "the look found fault", "share"), rows)


def _promises(figures: Mapping[str, float]) -> list[Promise]:
    return [
        _promise("a brief holds the old text of at least 96 % of edits", figures["coverage"], 0.96),
        Promise("in a median of at most 3,500 tokens", f"{figures['median tokens']:,.0f}", figures["median tokens"] <= 3500),
        _promise("of the files known whole at least 95 % are rebuilt exactly", figures["rebuilt"], 0.95),
        _promise("a look flags at least 90 % of the edits whose old text was not found", figures["look: flagged"], 0.90),
        Promise("and at most 5 % of the good ones", f"{figures['look: false alarms']:.1%}", figures["look: false alarms"] <= 0.05),
    ]


def _promise(text: str, share: float, least: float) -> Promise:
    return Promise(text, f"{share:.1%}", share >= least)
