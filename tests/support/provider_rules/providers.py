"""Eight providers: the real client of each, its rules, and how its server answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_deepseek import ChatDeepSeek
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_groq import ChatGroq
from langchain_mistralai import ChatMistralAI
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from lg_toolroute.testing.providers.histories import anthropic, groq, mistral, openai_responses
from lg_toolroute.testing.signatures import sign
from tests.support.provider_rules import deepseek, google
from tests.support.provider_rules.minted import Minted, check_ollama, check_openai_chat

Check = Callable[[dict[str, Any], Minted], list[Any]]
KEY = "loopback"


@dataclass(frozen=True)
class Answer:
    """What a model says in a test; each server writes it in its own dialect.

    Attributes:
        text: Its words.
        thinking: Its thoughts.
        calls: Its tool calls, `(name, arguments)`.
        server_tool: It used a tool of the provider's.
    """

    text: str = ""
    thinking: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    server_tool: bool = False


@dataclass
class Provider:
    """One provider.

    Attributes:
        name: As it stands in the table.
        package: The client's package.
        model: The name of its model.
        build: Builds the client for a base URL, with extra settings.
        write: Writes an answer as its server would.
        check: Its API's rules.
        v1: The setting that makes the client store standard blocks.
    """

    name: str
    package: str
    model: str
    build: Callable[..., BaseChatModel]
    write: Callable[[Provider, Answer, Minted], dict[str, Any]]
    check: Check
    v1: dict[str, Any] = field(default_factory=lambda: {"output_version": "v1"})


_numbers = count(1)


def _number() -> int:
    return next(_numbers)


def _sign(provider: Provider) -> str:
    return sign(provider.model, number=_number())


def _chat(provider: Provider, message: dict[str, Any], reason: str) -> dict[str, Any]:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return {"id": f"chatcmpl-{_number()}", "object": "chat.completion", "created": 1, "model": provider.model, "choices": [choice], "usage": usage}


def _calls(answer: Answer, name: Callable[[int, str], str]) -> list[dict[str, Any]]:
    return [
        {"id": name(place, tool), "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
        for place, (tool, arguments) in enumerate(answer.calls)
    ]


def _shaped_like_openai(provider: Provider, answer: Answer, name: Callable[[int, str], str], **extra: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"content": answer.text or None, **extra}
    if answer.calls:
        message["tool_calls"] = _calls(answer, name)
    return _chat(provider, message, "tool_calls" if answer.calls else "stop")


def _write_openai(provider: Provider, answer: Answer, minted: Minted) -> dict[str, Any]:
    # Servers behind this client give ids of their own: vLLM's have 46 characters, Kimi's a dot and a colon.
    def give(place: int, tool: str) -> str:
        given = f"functions.{tool}:{_number()}" if len(answer.calls) > 1 else f"chatcmpl-tool-{_number():032d}"
        minted.call_ids[given] = provider.model
        return given

    return _shaped_like_openai(provider, answer, give)


def _write_responses(provider: Provider, answer: Answer, minted: Minted) -> dict[str, Any]:
    number = _number()
    output: list[dict[str, Any]] = []
    if answer.thinking:
        output.append({"type": "reasoning", "id": f"rs_{number}", "summary": [{"type": "summary_text", "text": answer.thinking}]})
    if answer.server_tool:
        output.append({"type": "web_search_call", "id": f"ws_{number}", "status": "completed", "action": {"type": "search", "query": "q"}})
    if answer.text:
        citation = {"type": "url_citation", "url": "https://example.com", "title": "t", "start_index": 0, "end_index": 1}
        part = {"type": "output_text", "text": answer.text, "annotations": [citation] if answer.server_tool else []}
        output.append({"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [part]})
    for place, (tool, arguments) in enumerate(answer.calls):
        ids = {"id": f"fc_{number}_{place}", "call_id": f"call_{number:020d}_{place}"}
        output.append({"type": "function_call", **ids, "name": tool, "arguments": json.dumps(arguments), "status": "completed"})
    minted.answers.append((provider.model, [item["id"] for item in output]))
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": f"resp_{number}", "object": "response", "created_at": 1, "status": "completed", "model": provider.model, "output": output,
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None, "instructions": None,
        "metadata": {}, "temperature": 1.0, "top_p": 1.0, "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2, **details},
    }  # fmt: skip


def _write_anthropic(provider: Provider, answer: Answer, minted: Minted) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if answer.thinking:
        content.append({"type": "thinking", "thinking": answer.thinking, "signature": _sign(provider)})
    if answer.server_tool:
        number = _number()
        found = {"type": "web_search_result", "url": "https://example.com", "title": "t", "encrypted_content": _sign(provider), "page_age": None}
        content.append({"type": "server_tool_use", "id": f"srvtoolu_{number}", "name": "web_search", "input": {"query": "q"}})
        content.append({"type": "web_search_tool_result", "tool_use_id": f"srvtoolu_{number}", "content": [found]})
    if answer.text:
        content.append({"type": "text", "text": answer.text})
    for tool, arguments in answer.calls:
        content.append({"type": "tool_use", "id": f"toolu_{_number():024d}", "name": tool, "input": arguments})
    return {
        "id": f"msg_{_number()}", "type": "message", "role": "assistant", "model": provider.model, "content": content,
        "stop_reason": "tool_use" if answer.calls else "end_turn", "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip


def _write_google(provider: Provider, answer: Answer, minted: Minted) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if answer.thinking:
        parts.append({"text": answer.thinking, "thought": True, "thoughtSignature": _sign(provider)})
    if answer.server_tool:
        parts.append({"executableCode": {"language": "PYTHON", "code": "print(1)"}})
        parts.append({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}})
    if answer.text:
        parts.append({"text": answer.text})
    for place, (tool, arguments) in enumerate(answer.calls):
        signature = {"thoughtSignature": _sign(provider)} if place == 0 and answer.thinking else {}
        parts.append({"functionCall": {"name": tool, "args": arguments}, **signature})
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": provider.model, "responseId": f"r{_number()}"}


def _write_mistral(provider: Provider, answer: Answer, minted: Minted) -> dict[str, Any]:
    content: Any = answer.text
    if answer.thinking:
        content = [{"type": "thinking", "thinking": [{"type": "text", "text": answer.thinking}]}, {"type": "text", "text": answer.text}]
    if answer.server_tool:
        content = [{"type": "text", "text": answer.text}, {"type": "reference", "text": "cited", "reference_ids": [1]}]
    message: dict[str, Any] = {"content": content}
    if answer.calls:
        message["tool_calls"] = _calls(answer, lambda place, tool: f"M{_number():08d}")
    return _chat(provider, message, "tool_calls" if answer.calls else "stop")


def _write_groq(provider: Provider, answer: Answer, minted: Minted) -> dict[str, Any]:
    extra: dict[str, Any] = {"reasoning": answer.thinking} if answer.thinking else {}
    if answer.server_tool:
        extra["executed_tools"] = [{"type": "search", "index": 0, "arguments": '{"query": "q"}', "output": "found"}]
    return _shaped_like_openai(provider, answer, lambda place, tool: f"call_g{_number():03d}", **extra)


def _write_ollama(provider: Provider, answer: Answer, minted: Minted) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.thinking:
        message["thinking"] = answer.thinking
        minted.thoughts[answer.thinking] = provider.model
    if answer.calls:
        message["tool_calls"] = [{"function": {"name": tool, "arguments": arguments}} for tool, arguments in answer.calls]
    times = {"total_duration": 1, "load_duration": 1, "prompt_eval_count": 1, "prompt_eval_duration": 1, "eval_count": 1, "eval_duration": 1}
    return {"model": provider.model, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": True, "done_reason": "stop", **times}


def _write_deepseek(provider: Provider, answer: Answer, minted: Minted) -> dict[str, Any]:
    extra = {"reasoning_content": answer.thinking} if answer.thinking else {}
    return _shaped_like_openai(provider, answer, lambda place, tool: f"call_{place}_{_number():08d}-aaaa-bbbb-cccc", **extra)


PROVIDERS = [
    Provider(
        "openai chat", "langchain-openai", "gpt-4o",
        lambda base, **more: ChatOpenAI(model="gpt-4o", api_key=KEY, base_url=f"{base}/v1", max_retries=0, use_responses_api=False, **more),
        _write_openai, check_openai_chat,
    ),
    Provider(
        "openai responses", "langchain-openai", "gpt-5.4",
        lambda base, **more: ChatOpenAI(model="gpt-5.4", api_key=KEY, base_url=f"{base}/v1", max_retries=0, use_responses_api=True, **more),
        _write_responses, openai_responses.check,
    ),
    Provider(
        "anthropic", "langchain-anthropic", "claude-sonnet-4-6",
        lambda base, **more: ChatAnthropic(model="claude-sonnet-4-6", api_key=KEY, base_url=base, max_retries=0, **more),
        _write_anthropic, anthropic.check,
    ),
    Provider(
        "google-genai", "langchain-google-genai", "gemini-3-pro-preview",
        lambda base, **more: ChatGoogleGenerativeAI(
            model="gemini-3-pro-preview", api_key=KEY, base_url=base, max_retries=1, **more
        ),
        _write_google, google.check,
    ),
    Provider(
        "mistralai", "langchain-mistralai", "mistral-large-latest",
        lambda base, **more: ChatMistralAI(model="mistral-large-latest", api_key=KEY, base_url=f"{base}/v1", max_retries=0, **more),
        _write_mistral, mistral.check,
    ),
    Provider(
        "groq", "langchain-groq", "llama-3.3-70b-versatile",
        lambda base, **more: ChatGroq(model="llama-3.3-70b-versatile", api_key=KEY, base_url=base, max_retries=0, **more),
        _write_groq, groq.check,
    ),
    Provider(
        "ollama", "langchain-ollama", "qwen3:8b",
        lambda base, **more: ChatOllama(model="qwen3:8b", base_url=base, reasoning=True, **more),
        _write_ollama, check_ollama,
    ),
    Provider(
        "deepseek", "langchain-deepseek", "deepseek-chat",
        lambda base, **more: ChatDeepSeek(model="deepseek-chat", api_key=KEY, base_url=f"{base}/v1", max_retries=0, **more),
        _write_deepseek, deepseek.check,
    ),
]  # fmt: skip

BY_NAME = {provider.name: provider for provider in PROVIDERS}
