"""Nothing is lost when models fail: every fault, wherever it strikes, however the run is made. `docs/failures.md` prints the table."""

from __future__ import annotations

import asyncio

import pytest

from lg_toolroute.testing import faults
from tests.documented import check_row, check_table
from tests.e2e.faults.lanes import Lanes
from tests.e2e.faults.table import REASONING, WRITING, Cell, Outcome, play
from tests.e2e.faults.ways import SURFACES, WAYS

# The HTTP client leaves the innermost generators of a broken stream to the garbage collector, which may find them at work in another thread.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator.*__aiter__:pytest.PytestUnraisableExceptionWarning")

HEAD = "| fault | while the primary reasons | while a call is written | the model's health after it | runs that ended right |"


@pytest.mark.parametrize("name", faults.CATALOGUE)
async def test_a_run_ends_right_whatever_a_model_does(lanes: Lanes, name: str):
    """One message a turn, the right text and calls, no torn call, each tool once, the class in the record, the health as it is written."""
    cells = [Cell(name, faults.CATALOGUE[name](), role, surface, way) for role in (REASONING, WRITING) for surface in SURFACES for way in WAYS]
    outcomes = await asyncio.gather(*(play(lanes, cell) for cell in cells))
    wrong = [f"{outcome.cell}: {'; '.join(outcome.wrong)}" for outcome in outcomes if outcome.wrong]
    assert not wrong, "\n".join(wrong)
    check_row("failures.md", f"`{name}`", row(outcomes))


def row(outcomes: list[Outcome]) -> list[str]:
    """What was seen, and how often."""
    by_role = {role: [outcome for outcome in outcomes if outcome.cell.role == role] for role in (REASONING, WRITING)}
    seen = [_joined(_said(outcome) for outcome in by_role[role]) for role in (REASONING, WRITING)]
    health = _joined(outcome.health for outcome in outcomes if outcome.health != "–") or "as before"
    right = sum(not outcome.wrong for outcome in outcomes)
    return [*seen, health, f"{right} of {len(outcomes)}"]


def _said(outcome: Outcome) -> str:
    cls = outcome.cell.cls
    return f"`{cls}`: {outcome.attempts}" if cls else outcome.attempts


def _joined(texts: object) -> str:
    return "<br>".join(dict.fromkeys(texts))  # type: ignore[call-overload]


def test_the_table_has_a_row_for_every_fault_of_the_catalogue():
    check_table("failures.md", "faults", _skeleton())


def _skeleton() -> str:
    """The table with the rows that stand in it: each is written by the test of its fault."""
    from tests.documented import rows_of

    known = rows_of("failures.md")
    rows = [known.get(f"`{name}`", f"| `{name}` | | | | |") for name in faults.CATALOGUE]
    runs = 2 * len(SURFACES) * len(WAYS)
    total = f"{len(faults.CATALOGUE)} faults × {runs} runs: {len(faults.CATALOGUE) * runs} runs, each checked by a test."
    return "\n".join([HEAD, "|---|---|---|---|---|", *rows, "", total])
