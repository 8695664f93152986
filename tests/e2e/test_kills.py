"""What is repeated after a process was killed with SIGKILL in a turn, and what a plain agent repeats at the same place.

The table in `docs/kills.md` is written from here with `LG_TOOLROUTE_WRITE_DOCS=1` and `LG_TOOLROUTE_WHOLE=1`, and compared with what was counted
otherwise: the whole of it with `LG_TOOLROUTE_WHOLE=1`, a few rows without.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import kill_worker
from tests.e2e.kill_worker import AGENTS, PLACES, ROUTED, Order
from tests.support.documented import DOCS, check_table

WHOLE = os.environ.get("LG_TOOLROUTE_WHOLE") == "1"
DURABILITIES = ("sync", "async", "exit")
SAMPLE = (("between the two calls", "sync"), ("after the tool's work", "sync"))
HEAD = ["killed", "durability", *AGENTS]
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Starts processes from one that has read all modules and run nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([kill_worker.__name__])
    return context


def started(processes: ForkServerContext, order: Order, *, kill: bool) -> Any:
    """What a process said, once it was killed or has ended by itself."""
    hears, says = processes.Pipe(duplex=False)
    process = processes.Process(target=kill_worker.run, args=(order, says), daemon=True)
    process.start()
    says.close()
    try:
        assert hears.poll(PATIENCE_S), f"{order}: nothing was heard of the process"
        said = hears.recv()
        if not kill:
            process.join(PATIENCE_S)
            assert process.exitcode == 0, order
        return said
    finally:
        process.kill()
        process.join(PATIENCE_S)
        hears.close()


def killed_and_resumed(processes: ForkServerContext, folder: Path, surface: str, place: str, durability: str, saved: int) -> tuple[Counter[str], int]:
    """Counts the requests and the tool's runs of both processes; and what the checkpointer had written before the kill."""
    folder.mkdir()
    where, saved = started(processes, Order(surface, durability, folder, place, saved), kill=True)
    assert where == "here"
    said = started(processes, Order(surface, durability, folder), kill=False)
    assert said == ("done", "All is done now.")
    return Counter((folder / "notes").read_text().split()), saved


def row(processes: ForkServerContext, folder: Path, place: str, durability: str, saved: dict[str, int]) -> dict[str, Counter[str]]:
    """The counts of each surface. `saved` is what each had written at this place where every write is waited for."""
    counts: dict[str, Counter[str]] = {}
    for number, surface in enumerate(AGENTS):
        # In the background a write may come late; here the process is killed once what belongs to the steps before has been written.
        expected = saved.get(surface, 0) if durability == "async" else 0
        counts[surface], written = killed_and_resumed(processes, folder / f"{number}", surface, place, durability, expected)
        if durability == "sync":
            saved[surface] = written
    return counts


def check_counts(place: str, durability: str, counts: dict[str, Counter[str]]) -> None:
    """The routing repeats no more than a plain agent does; a parked turn does not ask the primary again."""
    asked, ran = counts["plain `create_agent`"]["primary"], counts["plain `create_agent`"]["tool"]
    assert counts["hand-written graph"] == counts["plain `create_agent`"]
    for surface in ROUTED:
        assert counts[surface]["tool"] == ran, (place, durability, surface)
        assert counts[surface]["primary"] <= asked, (place, durability, surface)
    if "writer" in PLACES[place][0] and durability != "exit":
        assert counts["graph"]["primary"] == counts["durable middleware"]["primary"] == 2


def shown(place: str, durability: str, counts: dict[str, Counter[str]]) -> str:
    cells = [
        f"{found['primary']} + {found['writer']}, {found['tool']}" if surface in ROUTED else f"{found['primary']}, {found['tool']}"
        for surface, found in counts.items()
    ]
    return f"| {' | '.join([place, durability, *cells])} |"


def test_a_killed_process_repeats_what_the_table_says(processes: ForkServerContext, tmp_path: Path) -> None:
    rows = [(place, durability) for place in PLACES for durability in DURABILITIES] if WHOLE else list(SAMPLE)
    lines, saved = [], {place: dict[str, int]() for place in PLACES}
    for number, (place, durability) in enumerate(rows):
        folder = tmp_path / str(number)
        folder.mkdir()
        counts = row(processes, folder, place, durability, saved[place])
        check_counts(place, durability, counts)
        lines.append(shown(place, durability, counts))
    if WHOLE:
        check_table("kills.md", "kills", "\n".join([f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|", *lines]))
        return
    written = (DOCS / "kills.md").read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert line in written, f"docs/kills.md is out of date: it has no row {line}"
