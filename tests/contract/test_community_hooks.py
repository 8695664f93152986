"""What is assumed of langchain-community's chat models, and the faults that the clients built here make up for.

If one of these fails, langchain-community has changed: a correction in `lg_toolroute/clients` can go, or needs another hook.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from langchain_community.chat_models import ChatLlamaCpp, ChatMLX, MiniMaxChat
from langchain_community.chat_models.minimax import _convert_delta_to_message_chunk, _convert_message_to_dict
from langchain_community.llms.mlx_pipeline import MLXPipeline
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from tests.support.local_engines import gguf, llama_cpp, mlx_lm  # noqa: F401  # fixtures

EDIT = {"name": "edit", "description": "Edit.", "parameters": {"type": "object", "properties": {}}}
CALL = {"name": "edit", "args": {}, "id": "call_1", "type": "tool_call"}


def test_the_hooks_that_are_overridden_are_there():
    assert {"_generate", "bind_tools"} <= vars(ChatLlamaCpp).keys()
    assert {"_generate", "_agenerate", "_stream", "bind_tools"} <= vars(ChatMLX).keys()
    assert {"model_id", "tokenizer_config", "adapter_file", "lazy", "pipeline_kwargs"} <= set(inspect.signature(MLXPipeline.from_model_id).parameters)
    assert "disable_streaming" in BaseChatModel.model_fields


def test_llama_cpp_calls_its_engine_through_one_method_of_its_client_field(llama_cpp: Any, gguf: Path):  # noqa: F811
    model = ChatLlamaCpp(model_path=str(gguf))
    llama_cpp.Llama.script += [llama_cpp.Reply("one"), llama_cpp.Reply("two")]
    assert isinstance(model.client, llama_cpp.Llama)
    assert model.invoke("hi", tool_choice="none").content == "one"  # without a choice it streams inside `invoke` too
    assert "".join(chunk.content for chunk in model.stream("hi")).strip() == "two"  # type: ignore[misc]
    assert [request["stream"] for request in llama_cpp.Llama.requests] == [False, True]


def test_llama_cpp_cannot_be_told_to_choose_a_tool_itself(llama_cpp: Any, gguf: Path):  # noqa: F811
    model = ChatLlamaCpp(model_path=str(gguf))
    assert model.bind_tools([EDIT]).kwargs["tool_choice"] is None  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="the only provided tools were"):
        model.bind_tools([EDIT], tool_choice="auto")


def test_mlx_refuses_a_history_that_ends_with_a_result(mlx_lm: Any):  # noqa: F811
    model = ChatMLX(llm=MLXPipeline.from_model_id("a/b"))
    with pytest.raises(ValueError, match="Last message must be a HumanMessage"):
        model.invoke([HumanMessage("fix"), AIMessage("", tool_calls=[CALL]), ToolMessage("edited", tool_call_id="call_1")])


def test_mlx_calls_its_engine_in_a_way_that_it_no_longer_takes(mlx_lm: Any):  # noqa: F811
    with pytest.raises(TypeError, match="formatter"):
        ChatMLX(llm=MLXPipeline.from_model_id("a/b")).invoke("hi")


def test_minimax_loses_calls_that_are_streamed_and_calls_of_other_clients():
    piece = {"role": "assistant", "content": "", "tool_calls": [{"id": "call_1", "function": {"name": "edit", "arguments": "{}"}}]}
    assert not _convert_delta_to_message_chunk(piece, AIMessageChunk).tool_calls  # type: ignore[attr-defined]
    assert _convert_message_to_dict(AIMessage("", tool_calls=[CALL]))["tool_calls"] is None
    assert MiniMaxChat.bind_tools is not BaseChatModel.bind_tools
