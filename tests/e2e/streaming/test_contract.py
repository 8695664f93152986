"""Streaming as a contract: every surface, every consumer, every story. `docs/streaming.md` prints the table."""

from __future__ import annotations

import pytest

from tests.documented import check_table
from tests.e2e.streaming.checks import check
from tests.e2e.streaming.consumers import CONSUMERS
from tests.e2e.streaming.scenarios import SCENARIOS, Scenario
from tests.e2e.streaming.surfaces import SURFACES


@pytest.mark.filterwarnings("ignore:.*(v3|beta|experimental).*")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("consumer", CONSUMERS)
@pytest.mark.parametrize("surface", SURFACES)
async def test_a_consumer_sees_one_whole_message_a_turn_and_nothing_else(surface: str, consumer: str, scenario: Scenario):
    check(await CONSUMERS[consumer](SURFACES[surface](scenario)), scenario)


def test_the_table_in_the_docs_names_every_cell_that_is_tested():
    """A cell stands for one test above or in `test_server.py`, which runs all stories of one surface through one consumer."""
    rows = [*CONSUMERS, "LangGraph server, `messages-tuple`", "LangGraph SDK, v3 threads"]
    stories = [scenario.name for scenario in SCENARIOS]
    lines = [f"| | {' | '.join(stories)} |", f"|---|{'---|' * len(stories)}"]
    cell = " · ".join(surface for surface in SURFACES)
    lines.extend(f"| {row} | {' | '.join([cell] * len(stories))} |" for row in rows)
    cells = len(rows) * len(stories) * len(SURFACES)
    check_table("streaming.md", "contract", "\n".join([*lines, "", f"{cells} cells, each a test that passed."]))
