"""`ChatOpenAI` for servers whose models think: `reasoning_content` and `reasoning_details` are kept when they come, and sent back where the API
wants them.

LangChain's client drops both fields in both directions. Kimi and DeepSeek, while they think, refuse the next request of a tool loop without the
first, and OpenRouter refuses one with calls of Gemini 3 without the second.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from lg_toolroute.history import replay_reasoning, target_of
from lg_toolroute.history.private_fields import CONTENT, DETAILS, details_of
from lg_toolroute.langchain_hooks import check_hooks

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI


def _keep_reasoning(message: BaseMessage, received: Mapping[str, Any] | None, *, streamed: bool) -> None:
    """Copy the reasoning of a message or delta, as the server sent it, to LangChain's message."""
    said = received or {}
    if said.get(CONTENT):
        message.additional_kwargs[CONTENT] = said[CONTENT]
    if isinstance(said.get(DETAILS), list) and said[DETAILS]:
        message.additional_kwargs[DETAILS] = details_of(said[DETAILS], streamed=streamed)


@lru_cache(maxsize=1)
def thinking_client() -> type[ChatOpenAI]:
    """Give the class; it is made when it is first needed, because no provider's client is imported before that.

    Raises:
        MissingHookError: The installed `langchain-openai` lacks a private method that the class builds on.
    """
    check_hooks("clients.thinking_client", "history.target")
    base: type[ChatOpenAI] = importlib.import_module("langchain_openai").ChatOpenAI

    class ThinkingChatOpenAI(base):  # type: ignore[misc, valid-type]  # the base is known only now
        """`ChatOpenAI`, with `reasoning_content` and `reasoning_details` in `additional_kwargs` and in the requests of APIs that ask for them.

        Attributes:
            echo_reasoning: The API asks for `reasoning_content`, although its address does not show that, such as a proxy's.
            echo_details: The same, of `reasoning_details`.
        """

        echo_reasoning: bool = False
        echo_details: bool = False

        def _get_request_payload(self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
            payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
            target = target_of(self)
            if not (target.echo_reasoning or target.echo_details):
                return payload
            return replay_reasoning(payload, self._convert_input(input_).to_messages(), target)

        def _convert_chunk_to_generation_chunk(
            self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
        ) -> ChatGenerationChunk | None:
            converted: ChatGenerationChunk | None = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
            choices = chunk.get("choices") or (chunk.get("chunk") or {}).get("choices")
            if converted is not None and choices:
                _keep_reasoning(converted.message, choices[0].get("delta"), streamed=True)
            return converted

        def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
            result: ChatResult = super()._create_chat_result(response, generation_info)
            answer = response if isinstance(response, dict) else response.model_dump()
            for generation, choice in zip(result.generations, answer.get("choices") or [], strict=False):
                _keep_reasoning(generation.message, choice.get("message"), streamed=False)
            return result

    # Traces and middleware know the client by its name.
    ThinkingChatOpenAI.__name__ = ThinkingChatOpenAI.__qualname__ = base.__name__
    ThinkingChatOpenAI.__module__ = base.__module__
    return ThinkingChatOpenAI
