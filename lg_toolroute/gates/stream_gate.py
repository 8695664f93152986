"""What both gates share: how they read a chunk, and how they put calls together from their pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk

from lg_toolroute.errors import AnswerRejected
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.gates.answer import Finish
from lg_toolroute.gates.chunks import generation, without_thoughts
from lg_toolroute.gates.held_call import HeldCall
from lg_toolroute.gates.looked import Look, SentBack


@dataclass(eq=False, repr=False)
class StreamGate(ABC):
    """Reads the chunks of one model call; what its methods yield may be shown.

    Attributes:
        message_id: The id of every chunk that is shown.
        model: `provider/model`, for error texts.
        look: Looks at the finished calls before they are shown.
        sent_back: The calls that it sent back; they are not shown.
        forgets: Claude's thinking is neither shown nor kept: it is bound to what this request holds and the next one will not.
        raised: The error of the model's last call; `None` if it raised none.
        fault: The error of code of the application (a form, its reader of files) that ran inside the model's stream: it is not the model's.
        saw_chunk: The model has answered.
        finish: Why the model stopped.
        calls: The calls of the answer, as far as they have come.
        ended: The client has marked the end of the answer.
    """

    message_id: str
    _: KW_ONLY
    model: str
    forgets: bool = False
    look: Look | None = None
    raised: BaseException | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Get ready for a stream of the model: its first, or another one after a retry around the model."""
        self.saw_chunk = False
        self.finish = Finish()
        self.calls: list[HeldCall] = []
        self.ended = False
        self.sent_back: list[SentBack] = []
        self.fault: Exception | None = None
        self._by_index: dict[Any, HeldCall] = {}

    def feed(self, chunk: ChatGenerationChunk) -> Iterable[ChatGenerationChunk]:
        """What may be shown now that this chunk has come. Read all of it before the next call.

        Raises:
            TypeError: The chunk holds no `AIMessageChunk`.
        """
        message = chunk.message
        if not isinstance(message, AIMessageChunk):
            raise TypeError(f"{self.model} streamed a {type(message).__name__}; a chat model streams AIMessageChunk")
        self.saw_chunk = True
        if self.forgets and (content := without_thoughts(message.content)) is not message.content:
            message = message.model_copy(update={"content": content})  # the model may keep its chunk
            chunk = generation(message, chunk.generation_info)
        if message.chunk_position is not None:
            self.ended = True
        for metadata in (chunk.generation_info, message.response_metadata):
            if metadata:
                self.finish.update(metadata)
        return self._feed(chunk, message)

    @abstractmethod
    def _feed(self, chunk: ChatGenerationChunk, message: AIMessageChunk) -> Iterable[ChatGenerationChunk]: ...

    @property
    def finished(self) -> bool:
        """The stream has said that the answer is finished, so that its calls are. Only then may an empty string mean no arguments."""
        return self.finish.proper or (self.ended and not self.finish.truncated and not self.finish.refused)

    @contextmanager
    def _of_the_application(self) -> Iterator[None]:
        """Where code of the application may run: what it raises is kept apart from what the model does."""
        try:
            yield
        except (AnswerRejected, FormRefused):
            raise
        except Exception as error:
            self.fault = error
            raise

    def _call_of(self, piece: ToolCallChunk) -> HeldCall:
        """The call that a piece belongs to, by its index; without an index, a name begins a new call. A new id always does."""
        index, call_id = piece.get("index"), piece.get("id")
        call = self._by_index.get(index) if index is not None else (self.calls[-1] if self.calls and not piece.get("name") else None)
        if call is None or (call_id and call.id and call_id != call.id):
            call = HeldCall(len(self.calls))
            self.calls.append(call)
            if index is not None:
                self._by_index[index] = call
        return call
