"""Models fail at random, thousands of turns long, and no run ends wrong.

`LG_TOOLROUTE_CHAOS_TURNS` makes it longer, `LG_TOOLROUTE_CHAOS_SEED` takes another seed; a failure names the seed that brought it about.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.support.faults.lanes import Lanes
from tests.support.faults.random_failures import ANY_MAY_FAIL, KINDS, ONE_STAYS, FailingAgent
from tests.support.faults.ways import SURFACES, WAYS
from tests.support.sampling import whole

# The HTTP client leaves the innermost generators of a broken stream to the garbage collector, which may find them at work in another thread.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator.*__aiter__:pytest.PytestUnraisableExceptionWarning")

TURNS = int(os.environ.get("LG_TOOLROUTE_CHAOS_TURNS", "2400" if whole() else "480"))
"""Messages of models, over all tests here."""

SEED = int(os.environ.get("LG_TOOLROUTE_CHAOS_SEED", "20261121"))


@pytest.mark.parametrize("seed", [SEED], ids=lambda seed: f"seed {seed}")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("surface", SURFACES)
async def test_no_run_ends_wrong_whatever_fails(lanes: Lanes, surface: str, way: str, seed: int):
    """The right answer whenever a candidate could give it; each tool once; no denied tool; no call outside its boundary; legal histories."""
    agents = [FailingAgent(lanes.server, kind, surface, way, seed) for kind in KINDS]
    wrong = await asyncio.gather(*(_run_until(agent, TURNS // (len(SURFACES) * len(WAYS) * len(KINDS))) for agent in agents))
    for agent in agents:
        print(f"seed {seed}, {agent.kind}: {agent.turns} turns, {agent.struck} faults, {agent.given_up} runs given up")
    assert not any(wrong), "\n".join(text for texts in wrong for text in texts)
    assert all(agent.struck for agent in agents)
    given_up = {agent.kind: agent.given_up for agent in agents}
    assert given_up[ONE_STAYS] == 0
    assert given_up[ANY_MAY_FAIL] or TURNS < 2000


async def _run_until(agent: FailingAgent, turns: int) -> list[str]:
    runs = 0
    while agent.turns < turns and runs < turns:
        runs += 1
        wrong = await agent.run_once()
        if wrong:
            return [f"seed {SEED}, {agent.kind}, {agent.surface}, {agent.way}, run {runs}: {what}" for what in wrong]
    return []
