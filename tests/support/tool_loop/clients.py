"""Every client class whose package is installed, built for a server on 127.0.0.1, and what it answers with.

Some packages come with the extra `test`, the others with `providers`; a client whose package is missing is skipped, and says so.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from tests.support.tool_loop import dialects
from tests.support.tool_loop.dialects import DETAILS, THOUGHT, Writer, completions

KEY = "loopback"


@dataclass(frozen=True)
class Client:
    """One client class.

    Attributes:
        name: What it is called in a test's name.
        package: The module of its package.
        cls: The class in it.
        settings: Gives what it is built with, for the server's base URL.
        writer: How its server answers.
        private: A text that the first answer brings and the second request must bring back, where the API wants it; empty: nothing is wanted.
        needs: Further modules that it needs.
    """

    name: str
    package: str
    cls: str
    settings: Callable[[str], dict[str, Any]]
    writer: Writer
    private: str = ""
    needs: tuple[str, ...] = ()

    def build(self, base: str, **more: Any) -> BaseChatModel:
        """The client, or a skipped test where a package is missing."""
        for package in (self.package, *self.needs):
            if importlib.util.find_spec(package) is None:
                pytest.skip(f"{package} is not installed: it comes with the extra `providers`")
        model: BaseChatModel = getattr(importlib.import_module(self.package), self.cls)(**self.settings(base), **more)
        return model


def _openai_like(model: str, **more: Any) -> Callable[[str], dict[str, Any]]:
    return lambda base: {"model": model, "api_key": KEY, "base_url": f"{base}/v1", "max_retries": 0, **more}


def _perplexity(base: str) -> dict[str, Any]:
    """Its class has no address; the clients inside it have."""
    from perplexity import AsyncPerplexity, Perplexity

    inner = {"api_key": KEY, "base_url": base, "max_retries": 0}
    return {"model": "sonar-pro", "api_key": KEY, "client": Perplexity(**inner), "async_client": AsyncPerplexity(**inner)}


THOUGHTFUL = completions(reasoning_content=THOUGHT)
DETAILED = completions(reasoning=THOUGHT, reasoning_details=DETAILS)

CLIENTS = (
    Client("openai", "langchain_openai", "ChatOpenAI", _openai_like("gpt-4o"), completions()),
    Client("openai responses", "langchain_openai", "ChatOpenAI", _openai_like("gpt-5.4", use_responses_api=True), dialects.responses, "rs_1"),
    Client(
        "anthropic", "langchain_anthropic", "ChatAnthropic",
        lambda base: {"model": "claude-sonnet-4-6", "api_key": KEY, "base_url": base, "max_retries": 0}, dialects.anthropic, "c2lnbmF0dXJl",
    ),
    Client(
        "google", "langchain_google_genai", "ChatGoogleGenerativeAI",
        lambda base: {"model": "gemini-3-pro-preview", "api_key": KEY, "base_url": base, "max_retries": 1}, dialects.google, "c2lnbmF0dXJl",
    ),
    Client("mistral", "langchain_mistralai", "ChatMistralAI", _openai_like("mistral-large-latest"), completions("M00000001", whole_calls=True)),
    Client(
        "groq", "langchain_groq", "ChatGroq",
        lambda base: {"model": "qwen3-32b", "api_key": KEY, "base_url": base, "max_retries": 0}, completions(reasoning=THOUGHT),
    ),
    Client("ollama", "langchain_ollama", "ChatOllama", lambda base: {"model": "qwen3:8b", "base_url": base, "reasoning": True}, dialects.ollama, THOUGHT),
    Client("deepseek", "langchain_deepseek", "ChatDeepSeek", _openai_like("deepseek-chat"), THOUGHTFUL),
    Client("moonshot", "langchain_moonshot", "ChatMoonshot", _openai_like("kimi-k2-thinking"), THOUGHTFUL, THOUGHT),
    Client("xai", "langchain_xai", "ChatXAI", _openai_like("grok-4"), THOUGHTFUL),
    Client("together", "langchain_together", "ChatTogether", _openai_like("moonshotai/Kimi-K2-Thinking"), completions()),
    Client("fireworks", "langchain_fireworks", "ChatFireworks", _openai_like("accounts/fireworks/models/kimi-k2-thinking"), THOUGHTFUL, THOUGHT),
    Client("openrouter", "langchain_openrouter", "ChatOpenRouter", _openai_like("google/gemini-3-pro-preview"), DETAILED, "c2lnbmF0dXJl"),
    Client(
        "litellm", "langchain_litellm", "ChatLiteLLM",
        lambda base: {"model": "openai/kimi-k2-thinking", "api_key": KEY, "api_base": f"{base}/v1", "max_retries": 0}, THOUGHTFUL,
    ),
    Client("cohere", "langchain_cohere", "ChatCohere", lambda base: {"model": "command-a-03-2025", "cohere_api_key": KEY, "base_url": base}, dialects.cohere),
    Client(
        "bedrock converse", "langchain_aws", "ChatBedrockConverse",
        lambda base: {
            "model": "us.anthropic.claude-sonnet-4-6-v1:0", "endpoint_url": base, "region_name": "us-east-1",
            "aws_access_key_id": KEY, "aws_secret_access_key": KEY,
        },
        dialects.bedrock, "c2lnbmF0dXJl",
    ),
    Client("sambanova", "langchain_sambanova", "ChatSambaNova", _openai_like("DeepSeek-V3.1"), THOUGHTFUL),
    Client("perplexity", "langchain_perplexity", "ChatPerplexity", _perplexity, completions()),
)  # fmt: skip
"""The classes, and what each brings back to its API."""
