"""Streaming as a contract: every surface, every consumer, every story. `docs/streaming.md` prints the table.

The rows of the LangGraph server are written by `test_server.py`.
"""

from __future__ import annotations

import pytest

from tests.support.documented import check_table, rows_of
from tests.support.sampling import cells
from tests.support.streaming.checks import check
from tests.support.streaming.consumers import CONSUMERS
from tests.support.streaming.contract import SERVER_ROWS, check_row_of_the_contract
from tests.support.streaming.scenarios import LOOKED, SCENARIOS, Scenario
from tests.support.streaming.surfaces import SURFACES


@pytest.mark.filterwarnings("ignore:.*(v3|beta|experimental).*")
@pytest.mark.parametrize("consumer", CONSUMERS)
async def test_a_consumer_sees_one_whole_message_a_turn_and_nothing_else(consumer: str):
    first = list(CONSUMERS).index(consumer)  # another sample of stories and surfaces for each consumer
    stories = [*SCENARIOS[first % len(SCENARIOS) :], *SCENARIOS[: first % len(SCENARIOS)]]

    async def listen(surface: str, scenario: Scenario):
        return await CONSUMERS[consumer](SURFACES[surface](scenario))

    await check_row_of_the_contract(consumer, cells(list(SURFACES), stories, one_in=3), listen)


@pytest.mark.filterwarnings("ignore:.*(v3|beta|experimental).*")
@pytest.mark.parametrize("consumer", CONSUMERS)
async def test_a_consumer_sees_as_little_of_a_call_that_a_look_sends_back(consumer: str):
    first = list(CONSUMERS).index(consumer)
    for surface, scenario in cells(list(SURFACES), [*LOOKED[first % 3 :], *LOOKED[: first % 3]], one_in=3):
        seen = await CONSUMERS[consumer](SURFACES[surface](scenario))
        for event in seen.everything:
            if isinstance(event, dict) and isinstance(event.get("data"), dict):
                event["data"].pop("input", None)  # a trace shows each request as it was sent: the model is told what it wrote
        check(seen, scenario)


def test_the_table_has_a_row_for_every_consumer_and_adds_up_their_cells():
    """Each row is written by the test of its consumer, with the surfaces whose run kept the contract."""
    stories = [scenario.name for scenario in SCENARIOS]
    known = rows_of("streaming.md", "contract")
    rows = {consumer: known.get(consumer, [""] * len(stories)) for consumer in (*CONSUMERS, *SERVER_ROWS)}
    count = sum(len(cell.split(" · ")) for row in rows.values() for cell in row if cell)
    lines = [f"| | {' | '.join(stories)} |", f"|---|{'---|' * len(stories)}", *(f"| {name} | {' | '.join(row)} |" for name, row in rows.items())]
    check_table("streaming.md", "contract", "\n".join([*lines, "", f"{count} runs, each checked by a test."]))
