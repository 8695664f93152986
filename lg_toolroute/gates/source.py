"""The chunks of a chat model's own answer, plain and awaited, also of models that do not stream. Closing them closes the model's stream."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import run_in_executor

from lg_toolroute.gates.chunks import as_chunk, generation


def answers_whole(model: BaseChatModel, kwargs: dict[str, Any]) -> bool:
    """Whether the model's answer comes in one piece, because the model cannot stream or is told not to."""
    cls = type(model)
    streams = cls._stream is not BaseChatModel._stream or cls._astream is not BaseChatModel._astream
    return not streams or bool(model._streaming_disabled(**kwargs))


def chunks_of(model: BaseChatModel, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]) -> Iterator[ChatGenerationChunk]:
    """The chunks of a model's answer."""
    if answers_whole(model, kwargs) or type(model)._stream is BaseChatModel._stream:
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
    if answers_whole(model, kwargs):
        yield as_one_chunk(await model._agenerate(messages, stop, None, **kwargs))
    elif type(model)._astream is not BaseChatModel._astream:
        stream = model._astream(messages, stop=stop, **kwargs)
        try:
            async for chunk in stream:
                yield chunk
        finally:
            if hasattr(stream, "aclose"):  # an iterator that is no generator has nothing to close
                await stream.aclose()
    else:
        # LangChain's own fallback would leave the plain stream open.
        reader = _ThreadedReader(model._stream(messages, stop=stop, **kwargs))
        try:
            while (piece := await run_in_executor(None, reader.read)) is not None:
                yield piece
        finally:
            reader.abandoned = True
            await run_in_executor(None, reader.close)


class _ThreadedReader:
    """Reads a plain stream from threads. A stream that is abandoned while a thread waits for a chunk is closed by that thread."""

    __slots__ = ("_reading", "_stream", "abandoned")

    def __init__(self, stream: Iterator[ChatGenerationChunk]) -> None:
        self._stream = stream
        self._reading = threading.Lock()
        self.abandoned = False

    def read(self) -> ChatGenerationChunk | None:
        """The next chunk; `None` at the end."""
        with self._reading:
            chunk = next(self._stream, None)
        if self.abandoned:
            self.close()
        return chunk

    def close(self) -> None:
        """Close the stream, unless a thread is reading it."""
        if self._reading.acquire(blocking=False):
            try:
                _close(self._stream)
            finally:
                self._reading.release()


def _close(stream: Iterator[Any]) -> None:
    if hasattr(stream, "close"):  # an iterator that is no generator has nothing to close
        stream.close()


def as_one_chunk(result: ChatResult) -> ChatGenerationChunk:
    """A complete answer as the only chunk of a stream."""
    if not result.generations:  # an answer without any choice; the gate rejects it as empty
        return generation(AIMessageChunk(content=""))
    first = result.generations[0]
    message = as_chunk(cast("AIMessage", first.message))
    for key, value in (result.llm_output or {}).items():
        message.response_metadata.setdefault(key, value)
    return generation(message, first.generation_info)
