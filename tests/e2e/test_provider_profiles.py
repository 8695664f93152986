"""`FaultServer(profile=…)`: every rule of every provider refuses what breaks it, in that provider's words, and takes what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lg_toolroute.testing import PROFILES, FaultServer
from tests.support.provider_rules.asking_raw import CHAT, MESSAGES, RESPONSES, first_request, post, tool_loop
from tests.support.provider_rules.examples import BY_PATH, OWN_RULES, SPECIAL, SPECIAL_OWN

OF_HISTORIES = [(name, path, rule) for name, profile in PROFILES.items() for path, api in profile.apis.items() for rule in api.rules]
OF_PROVIDERS = [(name, rule.name) for name, profile in PROFILES.items() for rule in profile.rules]
BY_DIALOGUE = {
    "reasoning stands before what it led to", "items are sent once", "thinking stays behind its system prompt", "thinking stays behind its tools",
    "thinking stays behind its messages", "thinking is unchanged and in its place",
}  # fmt: skip
"""Rules about what a server itself wrote: they are broken in the dialogues below."""
ONLY_AGENTS = ("kimi-coding-agents-only", "only listed agents")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    """One server that stands for all of them: a model has the name of its profile."""
    with FaultServer(profile={**{name: name for name in PROFILES}, "gpt-5.4": "openai"}) as server:
        yield server


@pytest.mark.parametrize("name", PROFILES)
def test_a_legal_tool_loop_is_taken(name: str, server: FaultServer) -> None:
    for path in PROFILES[name].apis:
        assert post(server, path, legal(name, path)).status == 200, path


@pytest.mark.parametrize(("name", "path", "rule"), [case for case in OF_HISTORIES if case[2] not in BY_DIALOGUE])
def test_a_rule_of_a_history_bites(name: str, path: str, rule: str, server: FaultServer) -> None:
    """The same request without the one thing is taken: see above."""
    body = legal(name, path)
    SPECIAL.get((name, rule), BY_PATH[path][rule])(body)
    assert_refused(server, path, body, name, rule)


@pytest.mark.parametrize(("name", "rule"), [case for case in OF_PROVIDERS if case != ONLY_AGENTS])
def test_a_rule_of_a_provider_bites(name: str, rule: str, server: FaultServer) -> None:
    broken, mended = SPECIAL_OWN.get((name, rule), OWN_RULES.get(rule, (None, None)))
    assert broken is not None, f"{name}: no example breaks {rule!r}"
    assert mended is not None
    (path, *_) = PROFILES[name].apis
    body, whole = legal(name, path), legal(name, path)
    broken(body)
    mended(whole)
    assert_refused(server, path, body, name, rule)
    assert post(server, path, whole).status == 200


def legal(name: str, path: str) -> dict[str, Any]:
    """A request that the profile takes: some take no request with tools that makes no choice."""
    body = tool_loop(name, path)
    return {**body, "tool_choice": "required"} if name == "vllm-without-parser" else body


def assert_refused(server: FaultServer, path: str, body: dict[str, Any], name: str, rule: str) -> None:
    answer = post(server, path, body)
    assert server.last.refused_by == rule, (answer, server.last.refused_by)
    assert 400 <= answer.status < 500
    assert answer.status == server.last.status
    assert answer.body, "a refusal says something"


def test_unlisted_agents_are_refused_only_by_the_profile_that_says_so(server: FaultServer) -> None:
    for agent, refused in (("OpenAI/Python 2.32.0", True), ("KimiCLI/1.30.0", False)):
        answer = post(server, CHAT, tool_loop("kimi-coding-agents-only", CHAT), **{"user-agent": agent})
        assert (answer.status == 403) is refused
        assert post(server, CHAT, tool_loop("kimi-for-coding", CHAT), **{"user-agent": agent}).status == 200


UNKNOWN_NAME = 'Invalid JSON payload received. Unknown name "store": Cannot find field.'
REPORTED: list[tuple[str, dict[str, Any], int, Any]] = [
    (
        "deepseek-v4",
        {"tool_choice": "required"},
        400,
        {
            "error": {
                "message": "Thinking mode does not support this tool_choice",
                "type": "invalid_request_error",
                "param": None,
                "code": "invalid_request_error",
            }
        },
    ),
    (
        "kimi-k2.6",
        {"tool_choice": {"type": "function", "function": {"name": "edit"}}},
        400,
        {"error": {"message": "tool_choice 'specified' is incompatible with thinking enabled", "type": "invalid_request_error"}},
    ),
    (
        "kimi-k2.6",
        {"temperature": 0},
        400,
        {"error": {"message": "invalid temperature: only 1 is allowed for this model", "type": "invalid_request_error"}},
    ),
    (
        "kimi-k2.7-code",
        {"thinking": {"type": "disabled"}},
        400,
        {"error": {"message": "invalid thinking: only type=enabled is allowed for this model", "type": "invalid_request_error"}},
    ),
    (
        "zai-glm",
        {"tool_choice": "required"},
        400,
        {"error": {"code": "1210", "message": "API 调用参数有误，请检查文档。"}},
    ),
    (
        "lmstudio",
        {"tool_choice": {"type": "function", "function": {"name": "edit"}}},
        400,
        {"error": "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"},
    ),
    (
        "openrouter",
        {"tool_choice": "required"},
        404,
        {
            "error": {
                "message": "No endpoints found that support the provided 'tool_choice' value. To learn more about provider routing, visit: "
                "https://openrouter.ai/docs/provider-routing",
                "code": 404,
            }
        },
    ),
    (
        "claude-5.5",
        {"tool_choice": {"type": "tool", "name": "edit"}},
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": 'tool_choice: type "tool" and "any" are not supported for this model.'},
            "request_id": "req_refused",
        },
    ),
    (
        "gemini",
        {"store": True},
        400,
        [{"error": {"code": 400, "message": UNKNOWN_NAME, "status": "INVALID_ARGUMENT"}}],
    ),
    (
        "xai",
        {"presence_penalty": 0},
        400,
        {"code": "Client specified an invalid argument", "error": "Argument not supported on this model: presencePenalty"},
    ),
]
"""Whole bodies as they stand in the threads that the table names."""


@pytest.mark.parametrize(("name", "change", "status", "body"), REPORTED, ids=[f"{name}-{next(iter(change))}" for name, change, *_ in REPORTED])
def test_a_refusal_is_the_one_that_was_reported(name: str, change: dict[str, Any], status: int, body: Any, server: FaultServer) -> None:
    (path, *_) = PROFILES[name].apis
    answer = post(server, path, {**tool_loop(name, path), **change})
    assert (answer.status, answer.body) == (status, body)


def test_mistral_and_cerebras_refuse_in_the_words_that_were_reported(server: FaultServer) -> None:
    body = tool_loop("mistral", CHAT)
    body["messages"][1]["tool_calls"][0]["id"] = body["messages"][2]["tool_call_id"] = "turn1_0"
    assert post(server, CHAT, body).body == {
        "object": "error",
        "message": "Tool call id was turn1_0 but must be a-z, A-Z, 0-9, with a length of 9.",
        "type": "invalid_function_call",
        "param": None,
        "code": "3280",
        "raw_status_code": 400,
    }
    body = tool_loop("cerebras", CHAT)
    body["messages"][1]["reasoning_content"] = "Hm."
    assert post(server, CHAT, body).body == {
        "message": "messages.1.assistant.reasoning_content: property 'messages.1.assistant.reasoning_content' is unsupported",
        "type": "invalid_request_error",
        "param": "validation_error",
        "code": "wrong_api_format",
    }


# -- what a server itself wrote ----------------------------------------------------------------------------------------------------------


def claude_loop(server: FaultServer) -> dict[str, Any]:
    """What Claude 5.5 called, and the tool's result behind it."""
    first = first_request("claude-5.5", MESSAGES)
    content = post(server, MESSAGES, first).body["content"]
    result = {"type": "tool_result", "tool_use_id": content[-1]["id"], "content": "edited"}
    return {**first, "messages": [*first["messages"], {"role": "assistant", "content": content}, {"role": "user", "content": [result]}]}


CHANGED: dict[str, Any] = {
    "thinking stays behind its system prompt": lambda body: body.update(system="You are brief."),
    "thinking stays behind its tools": lambda body: body["tools"].append({"name": "write", "input_schema": {"type": "object"}}),
    "thinking stays behind its messages": lambda body: body["messages"][0].update(content="Edit b.py."),
    "thinking is unchanged and in its place": lambda body: body["messages"][1]["content"].reverse(),
}


@pytest.mark.parametrize("rule", CHANGED)
def test_claudes_thinking_is_bound_to_what_stood_before_it(rule: str, server: FaultServer) -> None:
    """Unchanged it is taken; so is the changed request without the thinking, and a cache marker changes nothing."""
    body = claude_loop(server)
    assert post(server, MESSAGES, body).status == 200
    body["messages"][0]["content"] = [{"type": "text", "text": body["messages"][0]["content"], "cache_control": {"type": "ephemeral"}}]
    assert post(server, MESSAGES, body).status == 200
    body = claude_loop(server)
    CHANGED[rule](body)
    assert_refused(server, MESSAGES, body, "claude-5.5", rule)
    body["messages"][1]["content"] = [block for block in body["messages"][1]["content"] if block["type"] != "thinking"]
    assert post(server, MESSAGES, body).status == 200


def test_claude_drops_bound_thinking_where_it_is_told_to(server: FaultServer) -> None:
    body = claude_loop(server)
    body["system"] = "You are brief."
    body["thinking"] = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    assert post(server, MESSAGES, body).status == 200


def responses_loop(server: FaultServer) -> dict[str, Any]:
    first = first_request("openai-responses", RESPONSES)
    output = post(server, RESPONSES, first).body["output"]
    result = {"type": "function_call_output", "call_id": output[-1]["call_id"], "output": "edited"}
    return {**first, "input": [*first["input"], *output, result]}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("reasoning stands before what it led to", lambda items: items.pop(1)),
        ("items are sent once", lambda items: items.insert(1, items[1])),
    ],
)
def test_items_of_responses_come_back_whole(rule: str, change: Any, server: FaultServer) -> None:
    body = responses_loop(server)
    assert post(server, RESPONSES, body).status == 200
    change(body["input"])
    assert_refused(server, RESPONSES, body, "openai-responses", rule)


def test_every_rule_is_seen_to_bite() -> None:
    """By an example, or in one of the dialogues."""
    assert {*CHANGED, "reasoning stands before what it led to", "items are sent once"} == BY_DIALOGUE
    assert {rule for _, _, rule in OF_HISTORIES} >= BY_DIALOGUE
