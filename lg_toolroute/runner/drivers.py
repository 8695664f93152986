"""The two drivers of a turn's flow, one synchronous and one asynchronous. The flow is written once, and nothing else steps it.

Both yield the chunks that may be shown while models answer. A surface whose models stream through LangChain's callbacks gets none here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from typing import Any, TypeVar

from lg_toolroute.core.turn.flow import Ask, Step
from lg_toolroute.core.turn.turn import Answer

ChunkT = TypeVar("ChunkT")


def drive(
    flow: Generator[Step, Any, None], handle: Callable[[Step], Any], ask: Callable[[Ask], Generator[ChunkT, None, list[Answer]]]
) -> Generator[ChunkT, None, None]:
    """Runs a flow to its end.

    Args:
        flow: The flow.
        handle: Answers every step but `Ask`.
        ask: Asks the models, yields the chunks that may be shown meanwhile, and returns the answers.
    """
    with closing(flow):
        step = next(flow, None)
        while step is not None:
            result = (yield from ask(step)) if isinstance(step, Ask) else handle(step)
            step = _next(flow, result)


async def adrive(
    flow: Generator[Step, Any, None],
    handle: Callable[[Step], Awaitable[Any]],
    ask: Callable[[Ask, list[Answer]], AsyncGenerator[ChunkT, None]],
) -> AsyncGenerator[ChunkT, None]:
    """Runs a flow to its end, awaited. `ask` appends the answers to the list that it is given: an async generator cannot return a value."""
    with closing(flow):
        step = next(flow, None)
        while step is not None:
            result: Any = []
            if isinstance(step, Ask):
                async with aclosing(ask(step, result)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            else:
                result = await handle(step)
            step = _next(flow, result)


def _next(flow: Generator[Step, Any, None], result: Any) -> Step | None:
    """The next step; `None` at the end."""
    try:
        return flow.send(result)
    except StopIteration:
        return None
