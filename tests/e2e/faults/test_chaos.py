"""Models fail at random, thousands of turns long, and no run ends wrong.

`LG_TOOLROUTE_CHAOS_TURNS` makes it longer, `LG_TOOLROUTE_CHAOS_SEED` takes another seed; a failure names the seed that brought it about.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.support.faults.lanes import Lanes
from tests.support.faults.ways import SURFACES, WAYS
from tests.support.faults.weather import ANYBODY, KINDS, ONE_STAYS, Weather
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
    weathers = [Weather(lanes.server, kind, surface, way, seed) for kind in KINDS]
    wrong = await asyncio.gather(*(_storm(weather, TURNS // (len(SURFACES) * len(WAYS) * len(KINDS))) for weather in weathers))
    for weather in weathers:
        print(f"seed {seed}, {weather.kind}: {weather.turns} turns, {weather.struck} faults, {weather.given_up} runs given up")
    assert not any(wrong), "\n".join(text for texts in wrong for text in texts)
    assert all(weather.struck for weather in weathers)
    given_up = {weather.kind: weather.given_up for weather in weathers}
    assert given_up[ONE_STAYS] == 0
    assert given_up[ANYBODY] or TURNS < 2000


async def _storm(weather: Weather, turns: int) -> list[str]:
    runs = 0
    while weather.turns < turns and runs < turns:
        runs += 1
        wrong = await weather.blow()
        if wrong:
            return [f"seed {SEED}, {weather.kind}, {weather.surface}, {weather.way}, run {runs}: {what}" for what in wrong]
    return []
