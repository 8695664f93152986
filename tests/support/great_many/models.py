"""Chat models that answer from a script in which anything may go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from lg_toolroute.testing import ScriptedModel, ScriptedWholeModel
from lg_toolroute.testing.bound_tools import choice_for, tool_for
from tests.support.random_messages import Message


class Refused(Exception):
    """What a client raises when its provider answers with an HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status_code = status


@dataclass(eq=False)
class Answer:
    """One answer, and what became of it.

    Attributes:
        spec: The model that was asked.
        tools: The names of the tools that it was given.
        wanted: The tools whose calls it was told to write; empty if it was to reason.
        message: What it says.
        error: What it raises instead of the chunk at `breaks_at`.
        streamed: It was asked for as a stream.
        pulled: How many chunks were read.
        ended: It was read to its end.
    """

    spec: str
    tools: tuple[str, ...]
    wanted: tuple[str, ...]
    message: Message
    error: Exception | None = None
    breaks_at: int = 0
    streamed: bool = False
    pulled: int = field(default=0, compare=False)
    ended: bool = False

    @property
    def is_good(self) -> bool:
        """It came to its end, and its end says that it is complete."""
        return self.message.proper and self.ended

    def chunks(self) -> Iterator[ChatGenerationChunk]:
        self.streamed = True
        for place, chunk in enumerate(self.message.chunks):
            if self.error is not None and place == self.breaks_at:
                raise self.error
            self.pulled += 1
            self.ended = self.pulled == len(self.message.chunks)
            yield ChatGenerationChunk(message=chunk)

    def result(self) -> ChatResult:
        """The same in one piece, as a client reads it that is not streaming: broken JSON is an invalid call, and an empty string is `{}`."""
        if self.error is not None:
            raise self.error
        self.ended = True
        said = self.message
        begun = [(call, sent) for call, sent in zip(said.calls, said.sent, strict=True) if sent is not None]
        whole = [(call, sent) for call, sent in begun if not sent or (sent == call.args and isinstance(call.parsed, dict))]
        broken = [each for each in begun if each not in whole]
        message = AIMessage(
            content=said.text,
            tool_calls=[tool_call(name=call.written, args=(call.parsed if sent else None) or {}, id=call.id) for call, sent in whole],
            invalid_tool_calls=[invalid_tool_call(name=call.written, args=sent, id=call.id, error=None) for call, sent in broken],
            response_metadata=dict(said.chunks[-1].response_metadata),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


Play = Callable[[str, list[BaseMessage], Mapping[str, Any]], Answer]
"""Takes the spec of a model, the messages and the settings of a request; gives the answer."""


_FORMATTED: dict[str, dict[str, Any]] = {}
"""The tools in the provider's format, by name: they are the same in every agent."""


def _formatted(tool: Any) -> dict[str, Any]:
    return tool if isinstance(tool, dict) else _FORMATTED.setdefault(tool.name, _FORMATTED.get(tool.name) or tool_for(tool, "openai"))


class _Player:
    """What both models share."""

    play: Play
    spec: str

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **settings: Any) -> Any:
        choice = {} if tool_choice is None else {"tool_choice": choice_for(tool_choice, "openai")}
        return self.bind(tools=[_formatted(tool) for tool in tools], **choice, **settings)

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return self.play(self.spec, messages, kwargs).result()

    async def _agenerate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        await asyncio.sleep(0)
        return self.play(self.spec, messages, kwargs).result()


class WholePlayer(_Player, ScriptedWholeModel):
    """A model that cannot stream."""

    play: Play = Field(repr=False, exclude=True)


class Player(_Player, ScriptedModel):
    """A model that streams."""

    play: Play = Field(repr=False, exclude=True)

    def _stream(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        yield from self.play(self.spec, messages, kwargs).chunks()

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.sleep(0)  # let others run, as a real client does
        for chunk in self.play(self.spec, messages, kwargs).chunks():
            yield chunk
