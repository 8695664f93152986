"""The two drivers of a turn's flow: plainly, and awaited. The flow is written once, and nothing else steps it.

Both yield what may be shown while models answer; a surface whose models are streamed by LangChain's callbacks has nothing to show here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing
from typing import Any, TypeVar

from lg_toolroute.core.turn.flow import Ask, Step
from lg_toolroute.core.turn.turn import Answer

Shown = TypeVar("Shown")


def drive(
    flow: Generator[Step, Any, None], look: Callable[[Step], Any], ask: Callable[[Ask], Generator[Shown, None, list[Answer]]]
) -> Generator[Shown, None, None]:
    """Takes a flow to its end.

    Args:
        flow: The flow.
        look: Answers every step but `Ask`.
        ask: Asks the models, yields what may be shown meanwhile, and returns their answers.
    """
    try:
        step = next(flow)
        while True:
            step = flow.send((yield from ask(step)) if isinstance(step, Ask) else look(step))
    except StopIteration:
        return
    finally:
        flow.close()


async def adrive(
    flow: Generator[Step, Any, None],
    look: Callable[[Step], Awaitable[Any]],
    ask: Callable[[Ask, list[Answer]], AsyncGenerator[Shown, None]],
) -> AsyncGenerator[Shown, None]:
    """Takes a flow to its end, awaited. `ask` adds the answers to the list that it is given, since it can return none."""
    try:
        step = next(flow)
        while True:
            result: Any = []
            if isinstance(step, Ask):
                async with aclosing(ask(step, result)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            else:
                result = await look(step)
            step = flow.send(result)
    except StopIteration:
        return
    finally:
        flow.close()
