"""How a server with a profile answers: it thinks as that provider's models do, names its calls as they are named, and does what a model would do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from lg_toolroute.clients.thinking_client import thinking_client
from lg_toolroute.testing import PROFILES, Call, FaultServer, Say, faults
from tests.support.asking import WAYS, ask
from tests.support.provider_rules.asking_raw import CHAT, MESSAGES, OLLAMA, RESPONSES, first_request, post, tool_loop
from tests.support.provider_rules.examples import OFF

FIX = Say("Let me fix that.", [Call("edit", {"path": "a.py"}), Call("edit", {"path": "b.py"})])
EVERY = {name: name for name in PROFILES}
"""A model has the name of its profile."""


@pytest.fixture(scope="module")
def server():
    with FaultServer(profile=EVERY) as server:
        yield server


def edit(path: str) -> str:
    """Edit a file."""
    return path


IDS = {
    "kimi-k2.6": r"functions\.edit:0",
    "deepseek-v4": r"call_00_[0-9a-f]{24}",
    "mistral": r"[0-9a-f]{9}",
    "lmstudio": r"\d{9}",
    "vllm": r"chatcmpl-tool-[0-9a-f]{32}",
    "groq": r"call_[0-9a-f]{4}",
    "zai-glm": r"call_-\d{19}",
    "gemini": r"function-call-\d+",
    "openai": r"call_[0-9a-f]{24}",
}


@pytest.mark.parametrize("name", IDS)
def test_ids_of_calls_are_the_providers(name: str, server: FaultServer) -> None:
    (message,) = [choice["message"] for choice in post(server, CHAT, first_request(name, CHAT)).body["choices"]]
    assert re.fullmatch(IDS[name], message["tool_calls"][0]["id"])


def test_ids_differ_from_request_to_request_and_kimis_count_through_the_thread() -> None:
    with FaultServer({name: [FIX, FIX] for name in ("deepseek-v4", "kimi-k2.6")}, profile=EVERY) as server:
        ids = {
            name: [
                call["id"]
                for body in (first_request(name, CHAT), tool_loop(name, CHAT))
                for call in post(server, CHAT, body).body["choices"][0]["message"]["tool_calls"]
            ]
            for name in ("deepseek-v4", "kimi-k2.6")
        }
    assert len(set(ids["deepseek-v4"])) == 4
    assert ids["kimi-k2.6"] == ["functions.edit:0", "functions.edit:1", "functions.edit:1", "functions.edit:2"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", ["deepseek-v4", "kimi-for-coding", "qwen-thinking", "zai-glm"])
async def test_thinking_comes_before_words_and_calls(name: str, how: str) -> None:
    with FaultServer({name: [FIX]}, profile=name) as server:
        message = await ask(thinking_client()(**server.client(name)).bind_tools([edit]), how)
    assert message.additional_kwargs["reasoning_content"]
    assert message.text == "Let me fix that."
    assert [call["args"]["path"] for call in message.tool_calls] == ["a.py", "b.py"]


@pytest.mark.parametrize(
    ("name", "off"),
    [("deepseek-v4", {"thinking": OFF}), ("kimi-k2.6", {"thinking": OFF}), ("qwen-thinking", {"enable_thinking": False})],
)
def test_a_forced_call_is_written_without_thinking_where_it_is_switched_off(name: str, off: dict[str, Any], server: FaultServer) -> None:
    model = thinking_client()(**server.client(name, extra_body=off)).bind_tools([edit], tool_choice="edit")
    message = model.invoke("go")
    assert message.tool_calls[0]["args"] == {"path": "sample"}
    assert "reasoning_content" not in message.additional_kwargs


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_loop_of_claude_goes_round_with_thinking_that_cannot_be_read(streamed: bool) -> None:
    """Two calls in one answer: the thinking between them comes back between them, and words in the loop are thinking too."""
    script = [replace(FIX, text=""), Say("Now the other one.", [Call("edit", {"path": "c.py"})]), "Done."]
    with FaultServer({"claude-5.5": script}, profile="claude-5.5") as server:
        model = ChatAnthropic(model="claude-5.5", base_url=server.url, api_key="x", max_retries=0, streaming=streamed).bind_tools([edit])
        history: list[BaseMessage] = [HumanMessage("Fix them.")]
        for kinds in (["thinking", "tool_use", "thinking", "tool_use"], ["thinking", "tool_use"], ["thinking", "text"]):
            message = model.invoke(history)
            assert isinstance(message, AIMessage)
            assert [block["type"] for block in message.content] == kinds
            assert {block["thinking"] for block in message.content if block["type"] == "thinking"} == {""}
            history += [message, *(ToolMessage("ok", tool_call_id=call["id"]) for call in message.tool_calls)]
        assert message.text == "Done."


def test_claude_shows_its_thinking_where_it_is_asked_to(server: FaultServer) -> None:
    body = {**first_request("claude-5.5", MESSAGES), "thinking": {"type": "adaptive", "display": "summarized"}}
    assert post(server, MESSAGES, body).body["content"][0]["thinking"]
    thinks = {**first_request("claude-4.5", MESSAGES), "thinking": {"type": "enabled", "budget_tokens": 1024}}
    assert [block["type"] for block in post(server, MESSAGES, thinks).body["content"]] == ["thinking", "tool_use"]
    assert [block["type"] for block in post(server, MESSAGES, first_request("claude-4.5", MESSAGES)).body["content"]] == ["tool_use"]


@pytest.mark.parametrize("streamed", [False, True])
def test_responses_reason_and_show_a_summary_where_it_is_asked_for(streamed: bool, server: FaultServer) -> None:
    for reasoning, shown in ((None, False), ({"summary": "auto"}, True)):
        model = ChatOpenAI(**server.client("openai-responses", use_responses_api=True, reasoning=reasoning, streaming=streamed)).bind_tools([edit])
        first = model.invoke("Edit a.py.")
        assert isinstance(first, AIMessage)
        kinds = {block["type"]: block for block in first.content_blocks}
        assert bool(kinds["reasoning"].get("reasoning")) is shown
        history = [HumanMessage("Edit a.py."), first, ToolMessage("ok", tool_call_id=first.tool_calls[0]["id"])]
        assert model.invoke(history).text


def test_openrouter_and_gemini_sign_their_calls(server: FaultServer) -> None:
    message = post(server, CHAT, first_request("openrouter-gemini-3", CHAT)).body["choices"][0]["message"]
    assert [detail["type"] for detail in message["reasoning_details"]] == ["reasoning.text", "reasoning.encrypted"]
    assert message["reasoning"]
    signed = tool_loop("openrouter-gemini-3", CHAT)
    signed["messages"][1]["reasoning_details"] = message["reasoning_details"]
    assert post(server, CHAT, signed).status == 200
    (call,) = post(server, CHAT, first_request("gemini", CHAT)).body["choices"][0]["message"]["tool_calls"]
    signed = tool_loop("gemini", CHAT)
    signed["messages"][1]["tool_calls"][0]["extra_content"] = call["extra_content"]
    assert post(server, CHAT, signed).status == 200
    signed["messages"][1]["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "bm9ib2R5"}}
    assert post(server, CHAT, signed).body[0]["error"]["message"] == "Corrupted thought signature."


def test_gemini_signs_in_a_stream_as_it_does_in_one_piece(server: FaultServer) -> None:
    model = ChatOpenAI(**server.client("gemini"))
    with model.root_client.chat.completions.create(**{**first_request("gemini", CHAT), "stream": True}) as stream:
        calls = [call for chunk in stream for call in chunk.choices[0].delta.tool_calls or [] if call.id]
    assert calls[0].model_extra["extra_content"]["google"]["thought_signature"]
    with model.root_client.chat.completions.create(**{**first_request("openrouter-gemini-3", CHAT), "stream": True}) as stream:
        details = [detail for chunk in stream for detail in (chunk.choices[0].delta.model_extra or {}).get("reasoning_details", [])]
    assert [detail["type"] for detail in details] == ["reasoning.text", "reasoning.encrypted"]


@pytest.mark.parametrize(
    ("change", "called"),
    [
        ({}, True),
        ({"tool_choice": "none"}, False),
        ({"tools": [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("edit", "write")]}, False),
        ({"messages": tool_loop("groq", CHAT)["messages"]}, False),
    ],
    ids=["told, with one tool", "told not to", "told, with two tools", "the tool has answered"],
)
def test_a_model_that_is_told_to_do_something_calls_its_only_tool(change: dict[str, Any], called: bool, server: FaultServer) -> None:
    message = post(server, CHAT, {**first_request("groq", CHAT), **change}).body["choices"][0]["message"]
    assert bool(message.get("tool_calls")) is called
    assert bool(message["content"]) is not called


def test_an_instruction_behind_a_tools_result_is_followed(server: FaultServer) -> None:
    body = tool_loop("claude-4.5", MESSAGES)
    assert post(server, MESSAGES, body).body["stop_reason"] == "end_turn"
    body["messages"][-1]["content"].append({"type": "text", "text": "Now call `edit`."})
    assert post(server, MESSAGES, body).body["stop_reason"] == "tool_use"
    body = tool_loop("openai-responses", RESPONSES)
    body["input"].append({"type": "message", "role": "user", "content": "Now call `edit`."})
    assert post(server, RESPONSES, body).body["output"][-1]["type"] == "function_call"


def test_ollama_drops_a_choice_without_a_word(server: FaultServer) -> None:
    two = {"tools": [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("edit", "write")]}
    for path in (CHAT, OLLAMA):
        body = {**first_request("ollama", path), **two, "tool_choice": {"type": "function", "function": {"name": "write"}}}
        answer = post(server, path, body)
        message = answer.body["choices"][0]["message"] if path == CHAT else answer.body["message"]
        assert (answer.status, bool(message["content"]), "tool_calls" in message) == (200, True, False)
    message = ChatOllama(model="ollama", base_url=server.url).bind_tools([edit]).invoke("Edit a.py.")
    assert message.tool_calls[0]["name"] == "edit"


def test_a_refused_request_takes_no_step_of_a_script() -> None:
    with FaultServer({"m": [faults.rate_limit(), FIX]}, profile="deepseek-v4") as server:
        statuses = [post(server, CHAT, {**first_request("m", CHAT), **more}).status for more in ({"tool_choice": "auto"}, {}, {})]
        assert statuses == [400, 429, 200]
        assert [request.refused_by for request in server.requests] == ["no choice while it thinks, not even auto", None, None]


def test_one_server_stands_for_several_and_others_are_left_alone() -> None:
    with FaultServer(profile={"kimi-for-coding": "kimi-for-coding", "deepseek-v4-pro": PROFILES["deepseek-v4"]}) as server:
        forced = {"tool_choice": "required"}
        said = [post(server, CHAT, {**first_request(model, CHAT), **forced}).body for model in ("kimi-for-coding", "deepseek-v4-pro", "another")]
    assert "incompatible with thinking" in said[0]["error"]["message"]
    assert "Thinking mode" in said[1]["error"]["message"]
    assert said[2]["choices"]


def test_a_profile_of_ones_own() -> None:
    lenient = replace(PROFILES["kimi-k2.6"], name="ours", rules=())
    with FaultServer(profile=lenient) as server:
        assert post(server, CHAT, {**first_request("m", CHAT), "tool_choice": "required"}).status == 200


def test_a_provider_serves_its_own_paths_only(server: FaultServer) -> None:
    assert post(server, RESPONSES, first_request("kimi-k2.6", RESPONSES)).status == 404


def test_an_unknown_profile_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"profile='kimi-k9'.*kimi-k2\.6"):
        FaultServer(profile="kimi-k9")
