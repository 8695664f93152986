"""A chat model's own answer as a stream of chunks, plainly or awaited, whichever way the model gives it, and closed by whoever leaves it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import run_in_executor

from lg_toolroute.gates.chunks import as_chunk, generation


def is_whole(model: BaseChatModel, kwargs: dict[str, Any]) -> bool:
    """Does this model not stream, or is it told not to?"""
    cls = type(model)
    streams = cls._stream is not BaseChatModel._stream or cls._astream is not BaseChatModel._astream
    return not streams or bool(model._streaming_disabled(**kwargs))


def chunks_of(model: BaseChatModel, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]) -> Iterator[ChatGenerationChunk]:
    """The chunks of a model's answer."""
    if is_whole(model, kwargs) or type(model)._stream is BaseChatModel._stream:
        yield as_one_chunk(model._generate(messages, stop, None, **kwargs))
        return
    stream = model._stream(messages, stop=stop, **kwargs)
    try:
        yield from stream
    finally:
        _close(stream)


async def achunks_of(
    model: BaseChatModel, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
) -> AsyncIterator[ChatGenerationChunk]:
    """The chunks of a model's answer, awaited."""
    if is_whole(model, kwargs):
        yield as_one_chunk(await model._agenerate(messages, stop, None, **kwargs))
    elif type(model)._astream is not BaseChatModel._astream:
        stream = model._astream(messages, stop=stop, **kwargs)
        try:
            async for chunk in stream:
                yield chunk
        finally:
            aclose = getattr(stream, "aclose", None)
            if aclose is not None:  # a generator; an iterator of another kind has nothing to close
                await aclose()
    else:
        # LangChain's own fallback would leave the plain stream open; here it is stepped through in a thread, and closed.
        plain = _Stepped(model._stream(messages, stop=stop, **kwargs))
        try:
            while (piece := await run_in_executor(None, plain.step)) is not None:
                yield piece
        finally:
            plain.left = True
            await run_in_executor(None, plain.close)


class _Stepped:
    """A plain stream that is pulled by threads: closed when it is left, or, if a thread is still waiting for a chunk then, by that thread."""

    __slots__ = ("_busy", "_stream", "left")

    def __init__(self, stream: Iterator[ChatGenerationChunk]) -> None:
        self._stream = stream
        self._busy = threading.Lock()
        self.left = False

    def step(self) -> ChatGenerationChunk | None:
        """The next chunk; `None` at the end."""
        with self._busy:
            chunk = next(self._stream, None)
        if self.left:  # whoever left found the stream busy
            self.close()
        return chunk

    def close(self) -> None:
        if self._busy.acquire(blocking=False):
            try:
                _close(self._stream)
            finally:
                self._busy.release()


def _close(stream: Iterator[Any]) -> None:
    close = getattr(stream, "close", None)
    if close is not None:  # a generator; an iterator of another kind has nothing to close
        close()


def as_one_chunk(result: ChatResult) -> ChatGenerationChunk:
    """A whole answer as the one chunk of its stream."""
    if not result.generations:  # an answer without a choice in it; the gate says what is to be thought of that
        return generation(AIMessageChunk(content=""))
    first = result.generations[0]
    message = as_chunk(cast("AIMessage", first.message))
    for key, value in (result.llm_output or {}).items():
        message.response_metadata.setdefault(key, value)
    return generation(message, first.generation_info)


def once(answer: Callable[[], ChatResult]) -> Iterator[ChatResult]:
    """An answer in one piece, as a stream that can be timed like any other."""
    yield answer()
