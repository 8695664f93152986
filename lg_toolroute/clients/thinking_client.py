"""`ChatOpenAI` for servers whose models think: `reasoning_content` is kept when it comes, and sent back where the API wants it.

LangChain's client drops the field in both directions. Kimi and DeepSeek, while they think, refuse the next request of a tool loop without it.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from lg_toolroute.history import replay_reasoning, target_of

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

FIELD = "reasoning_content"


@lru_cache(maxsize=1)
def thinking_client() -> type[ChatOpenAI]:
    """The class, made when it is first needed, because nothing imports a provider's client before that."""
    base: type[ChatOpenAI] = importlib.import_module("langchain_openai").ChatOpenAI

    class ThinkingChatOpenAI(base):  # type: ignore[misc, valid-type]  # the base is known only now
        """`ChatOpenAI`, with `reasoning_content` in `additional_kwargs` and in the requests of APIs that ask for it.

        Attributes:
            echo_reasoning: The API asks for it, also behind an address that does not tell, such as a proxy's.
        """

        echo_reasoning: bool = False

        def _get_request_payload(self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
            payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
            target = target_of(self)
            if not target.echo_reasoning:
                return payload
            return replay_reasoning(payload, self._convert_input(input_).to_messages(), target)

        def _convert_chunk_to_generation_chunk(
            self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
        ) -> ChatGenerationChunk | None:
            converted: ChatGenerationChunk | None = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
            choices = chunk.get("choices") or (chunk.get("chunk") or {}).get("choices") or []
            thought = (choices[0].get("delta") or {}).get(FIELD) if choices else None
            if converted is not None and thought and isinstance(converted.message, AIMessage):
                converted.message.additional_kwargs[FIELD] = thought
            return converted

        def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
            result: ChatResult = super()._create_chat_result(response, generation_info)
            answer = response if isinstance(response, dict) else response.model_dump()
            for generation, choice in zip(result.generations, answer.get("choices") or [], strict=False):
                thought = (choice.get("message") or {}).get(FIELD)
                if thought and isinstance(generation.message, AIMessage):
                    generation.message.additional_kwargs[FIELD] = thought
            return result

    # Traces and middleware know the client by its name.
    ThinkingChatOpenAI.__name__ = ThinkingChatOpenAI.__qualname__ = base.__name__
    ThinkingChatOpenAI.__module__ = base.__module__
    return ThinkingChatOpenAI
