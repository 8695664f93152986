"""One call of a chat model below LangChain's callbacks: its answer whole or as chunks, plain or awaited, within time limits."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import run_in_executor

from lg_toolroute.gates.chunks import as_chunk, generation
from lg_toolroute.gates.pauses import Paused, is_claude
from lg_toolroute.gates.timing import TimeLimits, acall_in_time, atimed, call_in_time, timed

ChunkStream = Generator[ChatGenerationChunk, None, None]
AwaitedChunkStream = AsyncGenerator[ChatGenerationChunk, None]


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A call of a chat model. Closing its chunks closes the model's stream.

    Attributes:
        model: The chat model.
        messages: What it is sent.
        stop: Words at which the answer ends.
        kwargs: Further settings of the call.
        limits: Time limits. An answer in one piece has no first token; only its total time is limited.
    """

    model: BaseChatModel
    messages: list[BaseMessage]
    stop: list[str] | None
    kwargs: dict[str, Any]
    limits: TimeLimits | None = None

    @property
    def answers_whole(self) -> bool:
        """Whether the answer comes in one piece, because the model cannot stream or is told not to."""
        cls = type(self.model)
        streams = cls._stream is not BaseChatModel._stream or cls._astream is not BaseChatModel._astream
        return not streams or bool(self.model._streaming_disabled(**self.kwargs))

    def answer(self) -> ChatResult:
        """The whole answer."""
        return call_in_time(self._whole, self.limits)

    async def aanswer(self) -> ChatResult:
        """The whole answer, awaited."""
        return await acall_in_time(self._awhole(), self.limits)

    def chunks(self) -> ChunkStream:
        """The chunks of the answer."""
        if self.answers_whole or type(self.model)._stream is BaseChatModel._stream:
            return self._one_chunk()
        return timed(self._stream(), self.limits) if self.limits is not None else self._stream()

    def achunks(self) -> AwaitedChunkStream:
        """The chunks of the answer, awaited."""
        if self.answers_whole:
            return self._aone_chunk()
        stream = self._astream() if type(self.model)._astream is not BaseChatModel._astream else self._stream_by_threads()
        return atimed(stream, self.limits) if self.limits is not None else stream

    def _whole(self) -> ChatResult:
        asked = Paused(self.model, self.messages, self.kwargs)
        while (whole := asked.result(self.model._generate(asked.messages, self.stop, None, **asked.settings))) is None:
            continue
        return whole

    async def _awhole(self) -> ChatResult:
        asked = Paused(self.model, self.messages, self.kwargs)
        while (whole := asked.result(await self.model._agenerate(asked.messages, self.stop, None, **asked.settings))) is None:
            continue
        return whole

    def _one_chunk(self) -> ChunkStream:
        yield as_one_chunk(self.answer())

    async def _aone_chunk(self) -> AwaitedChunkStream:
        yield as_one_chunk(await self.aanswer())

    def _stream(self) -> ChunkStream:
        if not is_claude(type(self.model)):
            yield from self.model._stream(self.messages, stop=self.stop, **self.kwargs)
            return
        asked = Paused(self.model, self.messages, self.kwargs)
        while asked.goes_on():
            with closing(cast("ChunkStream", self.model._stream(asked.messages, stop=self.stop, **asked.settings))) as chunks:
                yield from map(asked.take, chunks)

    def _astream(self) -> AwaitedChunkStream:
        watched = is_claude(type(self.model))
        return self._astream_on() if watched else self._astream_once(self.messages, self.kwargs)

    async def _astream_on(self) -> AwaitedChunkStream:
        asked = Paused(self.model, self.messages, self.kwargs)
        while asked.goes_on():
            async with aclosing(self._astream_once(asked.messages, asked.settings)) as chunks:
                async for chunk in chunks:
                    yield asked.take(chunk)

    async def _astream_once(self, messages: list[BaseMessage], settings: dict[str, Any]) -> AwaitedChunkStream:
        stream = self.model._astream(messages, stop=self.stop, **settings)
        try:
            async for chunk in stream:
                yield chunk
        finally:
            if isinstance(stream, AsyncGenerator):  # an iterator of another kind has nothing to close
                await stream.aclose()

    async def _stream_by_threads(self) -> AwaitedChunkStream:
        """The plain stream, each chunk read by a thread. LangChain's own fallback would leave the stream open."""
        reader = _ThreadedReader(self._stream())
        try:
            while (chunk := await run_in_executor(None, reader.read)) is not None:
                yield chunk
        finally:
            reader.abandoned = True
            await run_in_executor(None, reader.close)


class _ThreadedReader:
    """Reads a stream from threads. A stream that is abandoned while a thread waits for a chunk is closed by that thread."""

    __slots__ = ("_reading", "_stream", "abandoned")

    def __init__(self, stream: ChunkStream) -> None:
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
                self._stream.close()
            finally:
                self._reading.release()


def as_one_chunk(result: ChatResult) -> ChatGenerationChunk:
    """A whole answer as the only chunk of a stream."""
    if not result.generations:  # an answer without any choice; the gate rejects it as empty
        return generation(AIMessageChunk(content=""))
    first = result.generations[0]
    message = as_chunk(cast("AIMessage", first.message))
    for key, value in (result.llm_output or {}).items():
        message.response_metadata.setdefault(key, value)
    return generation(message, first.generation_info)
