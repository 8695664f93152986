"""The two drivers: a flow's steps are answered in order, models are asked with what may be shown meanwhile, and the flow is closed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from lg_toolroute.core.turn.flow import Ask, Claim, Step
from lg_toolroute.core.turn.turn import Turn
from lg_toolroute.runner.drivers import adrive, drive

ASK = Ask(Turn("m"), ())


class Flow:
    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self.closed = False
        self.answers: list[Any] = []

    def run(self) -> Generator[Step, Any, None]:
        try:
            for step in self.steps:
                self.answers.append((yield step))
        finally:
            self.closed = True


def look(step: Step) -> Any:
    assert isinstance(step, Claim)
    return f"answer to {step.spec}"


async def alook(step: Step) -> Any:
    return look(step)


def ask(step: Ask) -> Generator[str, None, list[Any]]:
    yield "a"
    yield "b"
    return ["answered"]


async def aask(step: Ask, answers: list[Any]) -> AsyncGenerator[str, None]:
    yield "a"
    answers.append("answered")
    yield "b"


@pytest.mark.parametrize("steps", [(), (Claim("0"),), (Claim("0"), ASK, Claim("1"), ASK)])
async def test_each_step_gets_its_answer_and_what_may_be_shown_is_shown(steps: tuple[Step, ...]):
    plain, awaited = Flow(*steps), Flow(*steps)
    asks = steps.count(ASK)
    assert list(drive(plain.run(), look, ask)) == ["a", "b"] * asks
    assert [shown async for shown in adrive(awaited.run(), alook, aask)] == ["a", "b"] * asks
    assert plain.answers == awaited.answers == [["answered"] if step is ASK else look(step) for step in steps]
    assert plain.closed
    assert awaited.closed


async def test_an_error_of_a_step_goes_through_and_the_flow_is_closed():
    def fail(step: Step) -> Any:
        raise KeyError("no")

    async def afail(step: Step) -> Any:
        raise KeyError("no")

    plain, awaited = Flow(Claim("0")), Flow(Claim("0"))
    with pytest.raises(KeyError, match="no"):
        list(drive(plain.run(), fail, ask))
    with pytest.raises(KeyError, match="no"):
        [shown async for shown in adrive(awaited.run(), afail, aask)]
    assert plain.closed
    assert awaited.closed


def test_an_error_of_the_flow_goes_through():
    def flow() -> Generator[Step, Any, None]:
        yield Claim("a/a")
        raise ValueError("the flow's own")

    with pytest.raises(ValueError, match="the flow's own"):
        list(drive(flow(), look, ask))


async def test_a_consumer_that_leaves_closes_the_flow():
    plain, awaited = Flow(ASK), Flow(ASK)
    shown = drive(plain.run(), look, ask)
    assert next(shown) == "a"
    shown.close()
    ashown = adrive(awaited.run(), alook, aask)
    assert await anext(ashown) == "a"
    await ashown.aclose()
    assert plain.closed
    assert awaited.closed


def test_a_stop_iteration_of_a_step_does_not_end_the_flow_silently():
    nothing = iter(())
    flow = Flow(Claim("0"))
    with pytest.raises(RuntimeError):
        list(drive(flow.run(), lambda step: next(nothing), ask))
    assert flow.closed
