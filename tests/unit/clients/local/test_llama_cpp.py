"""LangChain's ChatLlamaCpp over an engine that refuses what the real one refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_community.chat_models import ChatLlamaCpp
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableBinding

from lg_toolroute.clients.models import ModelBook
from lg_toolroute.config import load_config
from lg_toolroute.rulebook.book import compile_config
from tests.support.local_engines import gguf, llama_cpp  # noqa: F401  # fixtures

SPEC = "llamacpp/qwen3-4b"
EDIT = {"name": "edit", "description": "Edit.", "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}
READ = {**EDIT, "name": "read"}


@pytest.fixture
def book(llama_cpp: Any, gguf: Path) -> Callable[..., ModelBook]:  # noqa: F811
    def build(**entry: Any) -> ModelBook:
        params = {"model_path": str(gguf), **entry.pop("params", {})}
        provider = {"api": "community:ChatLlamaCpp", "models": [{"id": "qwen3-4b", "params": params, **entry}]}
        return ModelBook(compile_config(load_config({"model": SPEC, "models": {"providers": {"llamacpp": provider}}})), {}, {})

    return build


@pytest.fixture
def model(book: Callable[..., ModelBook], gguf: Path) -> Any:  # noqa: F811
    return book().get(SPEC, {"model_path": str(gguf)})


def test_the_configured_window_is_the_size_of_the_context(book: Any, gguf: Path, llama_cpp: Any):  # noqa: F811
    made = book(contextWindow=8192, maxTokens=700)
    model = made.get(SPEC, {"model_path": str(gguf)})
    assert isinstance(model, ChatLlamaCpp)
    assert (model.n_ctx, model.max_tokens, model.verbose, model.model_name) == (8192, 700, False, "qwen3-4b")  # type: ignore[attr-defined]
    assert made.limits(SPEC, sync=True) is not None
    made = book()
    made.get(SPEC, {"model_path": str(gguf), "n_ctx": 2048})
    assert made.facts(SPEC).context_window == 2048


def test_the_weights_are_loaded_once_whatever_the_sampling_settings(book: Any, gguf: Path, llama_cpp: Any):  # noqa: F811
    made = book()
    plain = made.get(SPEC, {"model_path": str(gguf)})
    warm = made.get(SPEC, {"model_path": str(gguf), "temperature": 0.5})
    assert isinstance(warm, RunnableBinding)
    assert warm.bound is plain
    assert len(llama_cpp.Llama.loaded) == 1
    llama_cpp.Llama.script.append(llama_cpp.Reply("Hello."))
    warm.invoke("hi")
    assert llama_cpp.Llama.requests[-1]["temperature"] == 0.5
    made.get(SPEC, {"model_path": str(gguf), "n_ctx": 1024})
    assert len(llama_cpp.Llama.loaded) == 2


def test_an_answer_without_tools_is_streamed(model: Any, llama_cpp: Any):  # noqa: F811
    llama_cpp.Llama.script.append(llama_cpp.Reply("one two three"))
    assert [chunk.content for chunk in model.stream("hi") if chunk.content] == ["one ", "two ", "three "]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, "auto"),
        ("auto", "auto"),
        ("any", "auto"),
        (True, "auto"),
        ("edit", {"type": "function", "function": {"name": "edit"}}),
        ({"type": "function", "function": {"name": "edit"}}, {"type": "function", "function": {"name": "edit"}}),
    ],
)
def test_a_choice_reaches_the_engine_in_the_form_that_it_takes(model: Any, choice: Any, sent: Any):
    assert model.bind_tools([EDIT, READ], tool_choice=choice).kwargs["tool_choice"] == sent


def test_any_of_one_tool_is_that_tool_and_none_binds_no_tool(model: Any):
    assert model.bind_tools([EDIT], tool_choice="any").kwargs["tool_choice"]["function"]["name"] == "edit"
    assert "tools" not in model.bind_tools([EDIT], tool_choice="none").kwargs
    with pytest.raises(ValueError, match="tool_choice 'write' is none of the bound tools: edit, read"):
        model.bind_tools([EDIT, READ], tool_choice="write")


@pytest.mark.parametrize("chat_format", [None, "chatml-function-calling"])
@pytest.mark.parametrize("choice", [None, "edit"])
@pytest.mark.parametrize("streamed", [False, True])
def test_calls_come_as_tool_calls(book: Any, gguf: Path, llama_cpp: Any, chat_format: str | None, choice: str | None, streamed: bool):  # noqa: F811
    model = book().get(SPEC, {"model_path": str(gguf), "model_kwargs": {"chat_format": chat_format}})
    llama_cpp.Llama.script.append(llama_cpp.Reply("I fix it. ", (("edit", {"path": "a.py"}),)))
    bound = model.bind_tools([EDIT, READ], tool_choice=choice)
    message = None
    for chunk in bound.stream("fix") if streamed else [bound.invoke("fix")]:
        message = chunk if message is None else message + chunk
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("edit", {"path": "a.py"})]
    assert "<tool_call>" not in message.content
    assert message.response_metadata["finish_reason"] in {"tool_calls", "stop"}


def test_a_setting_that_the_engine_does_not_have_is_its_type_error(model: Any):
    with pytest.raises(TypeError, match="parallel_tool_calls"):
        model.invoke("hi", parallel_tool_calls=False)


def test_a_stream_that_is_closed_ends_its_generation_and_frees_the_engine(model: BaseChatModel, llama_cpp: Any):  # noqa: F811
    llama_cpp.Llama.pause = threading.Event()
    llama_cpp.Llama.script += [llama_cpp.Reply("one two three four five"), llama_cpp.Reply("next")]
    stream = model._stream([HumanMessage("hi")])
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    llama_cpp.Llama.pause.set()
    assert model.invoke("again").content == "next"
    assert json.dumps(llama_cpp.Llama.requests[-1]["messages"]) == '[{"content": "again", "role": "user"}]'
