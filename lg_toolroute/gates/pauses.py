"""Goes on where Claude pauses: an answer that ends with `pause_turn` is not finished, and the same model is asked again with what it has said so far.

That message goes back as it stands, as the last of the request and without a word from us. To everything above, it is one call and one answer.

Source: Anthropic, "Handling stop reasons" (`pause_turn`: the loop of server-side tools reached its limit; send the assistant's content back to
continue), and "Code execution tool" (the container goes along; enricoros/big-AGI#1010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_usage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from lg_toolroute.gates.chunks import generation, highest_block, merged, shift_blocks

PAUSED = "pause_turn"
MOST_PAUSES = 10
"""After so many pauses in one answer it is taken as interrupted, so that a model that never ends does not run for ever."""


@lru_cache(maxsize=256)
def is_claude(cls: type[BaseChatModel]) -> bool:
    """Whether a class is LangChain's client of the Messages API, or built on it."""
    return any(base.__name__ == "ChatAnthropic" for base in cls.__mro__)


class Paused:
    """One answer that may take several requests.

    A stream is read with `while goes_on()`, each chunk passed through `take`. A whole answer is asked for until `result` gives it.

    Args:
        model: The model that answers.
        messages: What it is sent.
        settings: Keyword arguments of the call.

    Attributes:
        messages: What the next request sends.
        settings: Keyword arguments of the next request.
    """

    def __init__(self, model: BaseChatModel, messages: Sequence[BaseMessage], settings: Mapping[str, Any]) -> None:
        self._model, self._first_messages = model, list(messages)
        self.messages, self.settings = self._first_messages, dict(settings)
        self._chunks: list[ChatGenerationChunk] = []
        self._results: list[ChatResult] = []
        self._begun = False
        self._next_block = 0
        self._pauses = 0

    def take(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        """A chunk of the stream, as part of the one answer: its blocks counted on, and without the pause at its end."""
        message = cast("AIMessageChunk", chunk.message)
        if self._pauses:
            message = _counted_on(message, self._next_block)
        self._chunks.append(generation(message))
        if self._may_pause(message.response_metadata):
            # What the last answer says of its end and of the container holds for all of them.
            metadata = {key: value for key, value in message.response_metadata.items() if key not in {"stop_reason", "stop_sequence", "container"}}
            message = message.model_copy(update={"response_metadata": metadata, "chunk_position": None})
        return chunk if message is chunk.message else generation(message, chunk.generation_info)

    def goes_on(self) -> bool:
        """Whether there is a request to send: the first, or the next because the last stream ended with a pause."""
        if not self._begun:
            self._begun = True
            return True
        if not self._chunks or not self._may_pause(self._chunks[-1].message.response_metadata):
            return False
        said = merged(self._chunks)
        assert said is not None  # noqa: S101  # for the type checker: there are chunks
        self._next_block = highest_block(said.content) + 1
        self._continue_from(said.content, self._chunks[-1].message.response_metadata.get("container"))
        return True

    def result(self, answer: ChatResult) -> ChatResult | None:
        """The whole answer, now that a request has been answered in one piece; `None` if it was paused and goes on."""
        self._results.append(answer)
        if not answer.generations:
            return self._joined()
        metadata = {**answer.generations[0].message.response_metadata, **(answer.llm_output or {})}
        if not self._may_pause(metadata):
            return self._joined()
        self._continue_from([block for each in self._results for block in _blocks(each)], metadata.get("container"))
        return None

    def _may_pause(self, metadata: Mapping[str, Any]) -> bool:
        return metadata.get("stop_reason") == PAUSED and self._pauses < MOST_PAUSES

    def _continue_from(self, content: str | list[Any], container: Any) -> None:
        self._pauses += 1
        said = [{key: value for key, value in block.items() if key != "index"} if isinstance(block, dict) else block for block in content]
        self.messages = [*self._first_messages, AIMessage(said, response_metadata={"model_provider": "anthropic"})]
        if isinstance(container, Mapping) and container.get("id"):
            given = self.settings.get("container", getattr(self._model, "container", None))
            self.settings["container"] = {**given, "id": container["id"]} if isinstance(given, Mapping) else container["id"]

    def _joined(self) -> ChatResult:
        """The answers of all requests as one; the last one says how it ended."""
        last = self._results[-1]
        if len(self._results) == 1 or not last.generations:
            return last
        message = cast("AIMessage", last.generations[0].message)
        usage = None
        for each in self._results:
            usage = add_usage(usage, cast("AIMessage", each.generations[0].message).usage_metadata)
        content = [block for each in self._results for block in _blocks(each)]
        whole = message.model_copy(update={"content": content, "usage_metadata": usage})
        return last.model_copy(update={"generations": [last.generations[0].model_copy(update={"message": whole})]})


def _blocks(result: ChatResult) -> list[Any]:
    content = result.generations[0].message.content
    return content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []


def _counted_on(message: AIMessageChunk, first: int) -> AIMessageChunk:
    """A chunk of a later request, its blocks and calls counted on from those of the earlier ones. Names that were said are not said again."""
    pieces = [{**piece, "index": piece["index"] + first if isinstance(piece["index"], int) else piece["index"]} for piece in message.tool_call_chunks]
    metadata = {key: value for key, value in message.response_metadata.items() if key != "model_name"}
    return message.model_copy(update={"content": shift_blocks(message.content, first), "tool_call_chunks": pieces, "response_metadata": metadata})
