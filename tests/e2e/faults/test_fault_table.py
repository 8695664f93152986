"""Nothing is lost when models fail: every fault, wherever it strikes, however the run is made. `docs/failures.md` prints the table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest

from lg_toolroute.testing import faults
from tests.support.documented import check_part_of_row, check_row, check_table, rows_of
from tests.support.faults.lanes import Lanes
from tests.support.faults.outcomes import REASONING, WRITING, Cell, Outcome, play
from tests.support.faults.ways import SURFACES, WAYS
from tests.support.sampling import cells, whole

# The HTTP client leaves the innermost generators of a broken stream to the garbage collector, which may find them at work in another thread.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator.*__aiter__:pytest.PytestUnraisableExceptionWarning")

HEAD = "| fault | while the primary reasons | while a call is written | the model's health after it | runs that ended right |"
LINE_BREAK = "<br>"


@pytest.mark.parametrize("name", faults.CATALOGUE)
async def test_a_run_ends_right_whatever_a_model_does(lanes: Lanes, name: str):
    """One message a turn, the right text and calls, no torn call, each tool once, the class in the record, the health as it is written."""
    chosen = cells(list(SURFACES), list(WAYS), (REASONING, WRITING), one_in=4)
    fault = faults.CATALOGUE[name]()
    outcomes = await asyncio.gather(*(play(lanes, Cell(name, fault, role, surface, way)) for surface, way, role in chosen))
    wrong = [f"{outcome.cell}: {'; '.join(outcome.wrong)}" for outcome in outcomes if outcome.wrong]
    assert not wrong, "\n".join(wrong)
    if whole():
        check_row("failures.md", "faults", f"`{name}`", row(outcomes))
    else:
        check_part_of_row("failures.md", "faults", f"`{name}`", dict(enumerate(seen(outcomes))), separator=LINE_BREAK)


def seen(outcomes: list[Outcome]) -> list[list[str]]:
    """What a struck primary led to, what a struck writer led to, and the struck model's health after it."""
    health = _distinct(outcomes, lambda outcome: outcome.health if outcome.health != "–" else "") or ["as before"]
    return [*(_distinct([each for each in outcomes if each.cell.role == role], _said) for role in (REASONING, WRITING)), health]


def row(outcomes: list[Outcome]) -> list[str]:
    """What was seen, and how often."""
    right = sum(not outcome.wrong for outcome in outcomes)
    return [*(LINE_BREAK.join(texts) for texts in seen(outcomes)), f"{right} of {len(outcomes)}"]


def _said(outcome: Outcome) -> str:
    cls = outcome.cell.cls
    return f"`{cls}`: {outcome.attempts}" if cls else outcome.attempts


def _distinct(outcomes: Iterable[Outcome], text: Callable[[Outcome], str]) -> list[str]:
    return [each for each in dict.fromkeys(map(text, outcomes)) if each]


def test_the_table_has_a_row_for_every_fault_of_the_catalogue_and_adds_up_their_runs():
    """Each row is written by the test of its fault, with the number of runs that it made."""
    known = rows_of("failures.md", "faults")
    rows = {f"`{name}`": known.get(f"`{name}`", ["", "", "", "0 of 0"]) for name in faults.CATALOGUE}
    lines = [f"| {' | '.join([first, *others])} |" for first, others in rows.items()]
    runs = sum(int(others[-1].partition(" ")[0]) for others in rows.values())
    check_table("failures.md", "faults", "\n".join([HEAD, "|---|---|---|---|---|", *lines, "", f"{runs:,} runs, each checked by a test."]))
