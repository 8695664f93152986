"""The two drivers: a flow's steps are performed in order, its result is given back, and it is closed whatever happens."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from lg_toolroute.core.turn.flow import Claim, Step
from lg_toolroute.runner.drivers import adrive, drive


class Flow:
    def __init__(self, steps: int = 3) -> None:
        self.steps = steps
        self.closed = False
        self.answers: list[Any] = []

    def run(self) -> Generator[Step, Any, str]:
        try:
            for number in range(self.steps):
                self.answers.append((yield Claim(str(number))))
            return "done"
        finally:
            self.closed = True


def perform(step: Step) -> Any:
    assert isinstance(step, Claim)
    return f"answer to {step.spec}"


async def aperform(step: Step) -> Any:
    return perform(step)


@pytest.mark.parametrize("steps", [0, 1, 3])
async def test_each_step_gets_its_answer_and_the_result_comes_back(steps: int):
    plain, awaited = Flow(steps), Flow(steps)
    assert drive(plain.run(), perform) == "done"
    assert await adrive(awaited.run(), aperform) == "done"
    assert plain.answers == awaited.answers == [f"answer to {number}" for number in range(steps)]
    assert plain.closed
    assert awaited.closed


async def test_an_error_of_a_step_goes_through_and_the_flow_is_closed():
    def fail(step: Step) -> Any:
        raise KeyError("no")

    async def afail(step: Step) -> Any:
        raise KeyError("no")

    plain, awaited = Flow(), Flow()
    with pytest.raises(KeyError, match="no"):
        drive(plain.run(), fail)
    with pytest.raises(KeyError, match="no"):
        await adrive(awaited.run(), afail)
    assert plain.closed
    assert awaited.closed


def test_an_error_of_the_flow_goes_through():
    def flow() -> Generator[Step, Any, None]:
        yield Claim("a/a")
        raise ValueError("the flow's own")

    with pytest.raises(ValueError, match="the flow's own"):
        drive(flow(), perform)
