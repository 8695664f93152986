"""Streaming as a contract: every surface, every consumer, every story. `docs/streaming.md` prints the table."""

from __future__ import annotations

import pytest

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
