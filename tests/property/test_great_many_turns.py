"""A great many random turns on whole surfaces: agents with policies, boundaries, middlewares of others, models that break off anywhere.

`LG_TOOLROUTE_TIMES=n` makes them n times as many, `LG_TOOLROUTE_TURNS_SEED` takes another seed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import warnings
from dataclasses import replace

from tests.support.great_many.configurations import CHAT, NAMES, C, random_case
from tests.support.great_many.laws import check, story
from tests.support.great_many.world import Played, Script, World
from tests.support.sampling import examples

SEED = int(os.environ.get("LG_TOOLROUTE_TURNS_SEED", "20261122"))
WANTED = examples(900)
RUNS_A_CASE = 5 if WANTED < 5_000 else 40
"""Of few turns, each case gets few, so that there are many cases; building the agents of a case takes as long as ten turns."""


def random_script(dice: random.Random) -> Script:
    return Script(
        dice.getrandbits(40),
        dice.choice([1, 3, 5, 8]),
        dice.choice([{}, {}, {}, {"agent": "coder"}, {"model": "bee"}, {"model": C}]),
        expected=dice.choice(NAMES) if dice.random() < 0.05 else None,
        streamed=dice.random() < 0.3,
    )


def one_case(dice: random.Random, loop: asyncio.Runner, runs_wanted: int = 40) -> int:
    """The runs of one random case, each on two surfaces; the number of their turns."""
    case, turns = random_case(dice), 0
    world = World(case, loop)
    for number in range(runs_wanted):
        script = random_script(dice)
        if CHAT in case.surfaces:
            script = replace(script, expected=None)
        runs: list[Played] = []
        for surface in case.surfaces:
            runs.append(world.play(surface, script, is_async=dice.random() < (0.75 if script.streamed else 0.2), thread=str(number)))
            check(case, runs[-1])
            turns += runs[-1].turns
        assert not case.is_alike or story(runs[0]) == story(runs[1]), f"{case.surfaces} differ"
    return turns


def test_every_law_holds_for_a_great_many_turns_on_whole_surfaces():
    dice, turns, number = random.Random(SEED), 0, 0
    with asyncio.Runner() as loop, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.disable()  # collected after each case instead
        while turns < WANTED:
            number += 1
            seed = dice.getrandbits(32)
            try:
                turns += one_case(random.Random(seed), loop, RUNS_A_CASE)
            except Exception as error:
                raise AssertionError(f"seed {SEED}, case {number} ({seed}), after {turns} turns") from error
            gc.collect()
        gc.enable()
    print(f"seed {SEED}: {turns} turns")
