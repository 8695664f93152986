"""LangChain's ChatMLX over an engine that refuses what the real one refuses."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_community.chat_models import ChatMLX
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from lg_toolroute.clients.models import ModelBook
from lg_toolroute.config import load_config
from lg_toolroute.rulebook.book import compile_config
from tests.support.local_engines import mlx_lm  # noqa: F401  # fixture

EDIT = {"name": "edit", "description": "Edit.", "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}
READ = {**EDIT, "name": "read"}
CALL = {"name": "edit", "args": {"path": "a.py"}, "id": "call_1", "type": "tool_call"}


def model_of(repository: str = "mlx-community/Qwen3-4B-4bit", **params: Any) -> Any:
    return ModelBook(compile_config(load_config({"model": f"mlx/{repository}"})), {}, {}).get(f"mlx/{repository}", params)


def test_an_mlx_spec_needs_no_configuration(mlx_lm: Any):  # noqa: F811
    model = model_of()
    assert isinstance(model, ChatMLX)
    assert mlx_lm.LOADED == ["mlx-community/Qwen3-4B-4bit"]


def test_an_answer_without_tools_is_streamed_with_its_usage_at_the_end(mlx_lm: Any):  # noqa: F811
    mlx_lm.SCRIPT.append("one two three")
    chunks = list(model_of().stream("hi"))
    assert [chunk.content for chunk in chunks if chunk.content] == ["one ", "two ", "three "]
    assert next(chunk.usage_metadata for chunk in reversed(chunks) if chunk.usage_metadata)["output_tokens"] == 3


def test_sampling_settings_are_passed_with_each_call_of_one_loaded_model(mlx_lm: Any):  # noqa: F811
    made = ModelBook(compile_config(load_config({"model": "mlx/a/b"})), {}, {})
    mlx_lm.SCRIPT += ["Hello.", "Hello."]
    made.get("mlx/a/b").invoke("hi")
    made.get("mlx/a/b", {"temperature": 0.5, "max_tokens": 9, "repetition_penalty": 1.1}).invoke("hi")
    assert mlx_lm.LOADED == ["a/b"]
    assert [found["max_tokens"] for found in mlx_lm.SETTINGS] == [4096, 9]
    assert (mlx_lm.SETTINGS[1]["sampler"]["temp"], mlx_lm.SETTINGS[1]["logits_processors"]) == (0.5, {"repetition_penalty": 1.1})


def test_the_template_sees_tools_calls_and_results(mlx_lm: Any):  # noqa: F811
    mlx_lm.SCRIPT.append("Done.")
    history = [SystemMessage("Be short."), HumanMessage("fix"), AIMessage("", tool_calls=[CALL]), ToolMessage("edited", tool_call_id="call_1")]
    assert model_of().bind_tools([EDIT, READ]).invoke(history).content.strip() == "Done."
    (prompt,) = mlx_lm.PROMPTS
    assert [message["role"] for message in prompt["messages"]] == ["system", "user", "assistant", "tool"]
    assert prompt["messages"][2]["tool_calls"][0]["function"] == {"name": "edit", "arguments": {"path": "a.py"}}
    assert [tool["function"]["name"] for tool in prompt["tools"]] == ["edit", "read"]


@pytest.mark.parametrize(("choice", "seen"), [("edit", ["edit"]), (None, ["edit", "read"]), ("any", ["edit", "read"]), ("none", [])])
def test_a_forced_tool_is_the_only_one_that_the_model_sees(mlx_lm: Any, choice: str | None, seen: list[str]):  # noqa: F811
    mlx_lm.SCRIPT.append("Hello.")
    model_of().bind_tools([EDIT, READ], tool_choice=choice).invoke("fix")
    assert [tool["function"]["name"] for tool in mlx_lm.PROMPTS[0]["tools"] or []] == seen


@pytest.mark.parametrize(
    ("repository", "text"),
    [
        ("mlx-community/Qwen3-4B-4bit", 'I fix it. <tool_call>\n{"name": "edit", "arguments": {"path": "a.py"}}\n</tool_call>'),
        ("mlx-community/Mistral-Small", 'I fix it. [TOOL_CALLS]edit[ARGS]{"path": "a.py"}'),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_calls_are_read_in_the_form_of_the_model(mlx_lm: Any, repository: str, text: str, streamed: bool):  # noqa: F811
    mlx_lm.SCRIPT.append(text)
    bound = model_of(repository).bind_tools([EDIT])
    (message,) = [chunk for chunk in bound.stream("fix") if chunk.tool_calls] if streamed else [bound.invoke("fix")]
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("edit", {"path": "a.py"})]
    assert message.content == "I fix it."


@pytest.mark.parametrize("streamed", [False, True])
def test_a_stop_word_ends_the_answer_before_it(mlx_lm: Any, streamed: bool):  # noqa: F811
    mlx_lm.SCRIPT += ["one two END three", "next"]
    model = model_of()
    said = "".join(chunk.content for chunk in model.stream("hi", stop=["END"])) if streamed else model.invoke("hi", stop=["END"]).content
    assert said == "one two "
    assert model.invoke("again").content.strip() == "next"


async def test_it_is_awaited_in_a_thread(mlx_lm: Any):  # noqa: F811
    mlx_lm.SCRIPT.append("Hello.")
    assert (await model_of().ainvoke("hi")).content.strip() == "Hello."


def test_an_answer_that_was_cut_says_so(mlx_lm: Any):  # noqa: F811
    mlx_lm.SCRIPT.append("one two three")
    assert model_of(max_tokens=2).invoke("hi").response_metadata["finish_reason"] == "length"
