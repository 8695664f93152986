"""Every client class whose package is installed, built for a server on 127.0.0.1, and what it answers with.

Some packages come with the extra `test`, others with `providers`, and some agree with neither; a client whose package is missing is skipped,
and says so.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
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
        private: A text that the first answer brings and the second request must bring back, where the client sends it; empty: it sends none.
        streams: Whether the client itself can stream a tool call whole.
        reads_images: Whether its model takes images; LangChain's profile of it may say that it does not.
    """

    name: str
    package: str
    cls: str
    settings: Callable[[str], dict[str, Any]]
    writer: Writer
    private: str = ""
    streams: bool = True
    reads_images: bool = True

    def build(self, base: str, **more: Any) -> BaseChatModel:
        """The client, or a skipped test where a package is missing."""
        if importlib.util.find_spec(self.package) is None:
            pytest.skip(f"{self.package.replace('_', '-')} is not installed; docs/testing.md says what brings it")
        model: BaseChatModel = getattr(importlib.import_module(self.package), self.cls)(**self.settings(base), **more)
        return model


def _openai_like(model: str, **more: Any) -> Callable[[str], dict[str, Any]]:
    return lambda base: {"model": model, "api_key": KEY, "base_url": f"{base}/v1", "max_retries": 0, **more}


def _litellm(base: str) -> dict[str, Any]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # read at import: without it, prices are fetched from the web
    return {"model": "openai/kimi-k2-thinking", "api_key": KEY, "api_base": f"{base}/v1", "max_retries": 0}


def _huggingface(base: str) -> dict[str, Any]:
    from langchain_huggingface import HuggingFaceEndpoint

    return {"llm": HuggingFaceEndpoint(endpoint_url=f"{base}/v1", huggingfacehub_api_token=KEY), "model_id": "deepseek-ai/DeepSeek-V3.1"}


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
    Client(
        "ollama", "langchain_ollama", "ChatOllama",
        lambda base: {"model": "qwen3:8b", "base_url": base, "reasoning": True}, dialects.ollama, THOUGHT,
    ),
    Client("deepseek", "langchain_deepseek", "ChatDeepSeek", _openai_like("deepseek-chat"), THOUGHTFUL, reads_images=False),
    Client("moonshot", "langchain_moonshot", "ChatMoonshot", _openai_like("kimi-k2-thinking"), THOUGHTFUL, THOUGHT, reads_images=False),
    Client("xai", "langchain_xai", "ChatXAI", _openai_like("grok-4"), THOUGHTFUL),
    Client("together", "langchain_together", "ChatTogether", _openai_like("moonshotai/Kimi-K2-Thinking"), completions()),
    Client("fireworks", "langchain_fireworks", "ChatFireworks", _openai_like("accounts/fireworks/models/kimi-k2-thinking"), THOUGHTFUL, THOUGHT),
    Client("openrouter", "langchain_openrouter", "ChatOpenRouter", _openai_like("google/gemini-3-pro-preview"), DETAILED, "c2lnbmF0dXJl"),
    Client("litellm", "langchain_litellm", "ChatLiteLLM", _litellm, THOUGHTFUL),
    Client(
        "cohere", "langchain_cohere", "ChatCohere",
        lambda base: {"model": "command-a-03-2025", "cohere_api_key": KEY, "base_url": base}, dialects.cohere,
        streams=False,  # langchain-cohere 0.6 makes a call of each piece of a call
    ),
    Client(
        "bedrock converse", "langchain_aws", "ChatBedrockConverse",
        lambda base: {
            "model": "us.anthropic.claude-sonnet-4-6-v1:0", "endpoint_url": base, "region_name": "us-east-1",
            "aws_access_key_id": KEY, "aws_secret_access_key": KEY,
        },
        dialects.bedrock, "c2lnbmF0dXJl",
    ),
    Client("sambanova", "langchain_sambanova", "ChatSambaNova", _openai_like("DeepSeek-V3.1"), THOUGHTFUL),
    Client("huggingface", "langchain_huggingface", "ChatHuggingFace", _huggingface, THOUGHTFUL),
    Client(
        "zhipu of community", "langchain_community.chat_models", "ChatZhipuAI",
        lambda base: {"model": "glm-4", "api_key": "id.secret", "api_base": f"{base}/v1/chat/completions"}, completions(),
    ),
)  # fmt: skip
"""The classes, and what each brings back to its API."""
