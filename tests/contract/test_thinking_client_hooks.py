"""The private methods of `ChatOpenAI` that the thinking client and the description of a reader build on."""

from __future__ import annotations

import inspect

import pytest
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("_get_request_payload", ["self", "input_", "stop", "kwargs"]),
        ("_convert_input", ["self", "model_input"]),
        ("_convert_chunk_to_generation_chunk", ["self", "chunk", "default_chunk_class", "base_generation_info"]),
        ("_create_chat_result", ["self", "response", "generation_info"]),
        ("_use_responses_api", ["self", "payload"]),
    ],
)
def test_a_private_method_of_chat_openai_has_the_parameters_we_pass(method: str, parameters: list[str]) -> None:
    """A release that renames one is found here, not in a request."""
    assert list(inspect.signature(getattr(ChatOpenAI, method)).parameters) == parameters
    assert issubclass(ChatOpenAI, BaseChatOpenAI)
