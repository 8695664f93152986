"""One answer of a model, whichever way it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import Any

WAYS = ["invoke", "stream", "ainvoke", "astream"]


def gather(stream: Iterable[Any]) -> Any:
    """The sum of a stream's chunks; `None` if it has none."""
    total = None
    for chunk in stream:
        total = chunk if total is None else total + chunk
    return total


async def agather(stream: AsyncIterable[Any]) -> Any:
    """The same for an asynchronous stream."""
    total = None
    async for chunk in stream:
        total = chunk if total is None else total + chunk
    return total


async def ask(model: Any, how: str, prompt: str = "go") -> Any:
    """One answer, by one of `WAYS`; the chunks of a stream added up."""
    match how:
        case "invoke":
            return model.invoke(prompt)
        case "stream":
            return gather(model.stream(prompt))
        case "ainvoke":
            return await model.ainvoke(prompt)
        case _:
            return await agather(model.astream(prompt))
