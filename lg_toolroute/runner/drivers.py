"""Runs a core flow: plainly, or awaited. The flow is written once; these two are all that differs between sync and async."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

from lg_toolroute.core.turn.flow import Step

T = TypeVar("T")


def drive(flow: Generator[Step, Any, T], perform: Callable[[Step], Any]) -> T:
    """The flow's result, each of its steps done by `perform`."""
    try:
        step = next(flow)
        while True:
            step = flow.send(perform(step))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a generator's return value
    finally:
        flow.close()


async def adrive(flow: Generator[Step, Any, T], perform: Callable[[Step], Awaitable[Any]]) -> T:
    """The flow's result, each of its steps awaited."""
    try:
        step = next(flow)
        while True:
            step = flow.send(await perform(step))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a generator's return value
    finally:
        flow.close()
