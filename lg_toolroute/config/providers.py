"""The providers that need no configuration: where they are, what their key is called, which client talks to them.

A table and nothing else: no client is imported and no environment is read here.

Source: the providers' own API references; the ids in the second half are those of LangChain's `init_chat_model`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from lg_toolroute.core.rules.nearest import did_you_mean


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A provider that is known by its id.

    Attributes:
        id: What stands before the slash in a model spec.
        client: `openai` for `ChatOpenAI` with this base URL; `community:` and a class name for one of `langchain-community`; anything else is
            the `model_provider` of `init_chat_model`.
        base_url: Where its API is; `None` where the client knows.
        key_env: The environment variables that may hold its key, the usual one first; empty if it has no single key.
        needs_key: Whether a call without a key must fail. Servers on the user's own machine need none.
    """

    id: str
    client: str
    base_url: str | None = None
    key_env: tuple[str, ...] = ()
    needs_key: bool = True


COMMUNITY = "community:"
"""Stands before the name of a chat model class of `langchain-community`."""

_APIS = (
    "openai-completions", "openai-responses", "anthropic", "anthropic-messages", "google-generative-ai", "google-vertex",
    "bedrock-converse-stream", "azure-openai-responses", "ollama", "mistral", "openai-chatgpt-responses", "github-copilot", "pi-messages",
)  # fmt: skip
_COMMUNITY_CLASS = rf"^{COMMUNITY}[A-Za-z]\w*$"


def _known_api(api: str) -> str:
    if api in _APIS or re.match(_COMMUNITY_CLASS, api):
        return api
    known = (*_APIS, f"{COMMUNITY}<class>")
    raise ValueError(f"{api!r} is not one of {', '.join(known)}; {did_you_mean(api, _APIS)}")


ProviderApi = Annotated[
    str, AfterValidator(_known_api), WithJsonSchema({"anyOf": [{"enum": list(_APIS)}, {"pattern": _COMMUNITY_CLASS}], "type": "string"})
]
"""A request format, or `community:` and the name of a chat model class of `langchain-community`."""

API_CLIENTS: dict[str, str] = {
    "openai-completions": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "anthropic-messages": "anthropic",
    "google-generative-ai": "google_genai",
    "google-vertex": "google_vertexai",
    "bedrock-converse-stream": "bedrock_converse",
    "azure-openai-responses": "azure_openai",
    "ollama": "ollama",
    "mistral": "mistralai",
}
"""The client of each `api`. Those that are missing exist only inside OpenClaw."""


def _compatible(id: str, base_url: str, *key_env: str) -> KnownProvider:
    return KnownProvider(id, "openai", base_url, key_env)


def _local(id: str, base_url: str) -> KnownProvider:
    return KnownProvider(id, "openai", base_url, needs_key=False)


def _client(client: str, *key_env: str, id: str | None = None) -> KnownProvider:
    return KnownProvider(id or client, client, None, key_env, needs_key=bool(key_env))


_ALL = (
    # OpenAI-compatible endpoints.
    _compatible("kimi", "https://api.kimi.com/coding/v1", "KIMI_API_KEY"),
    _compatible("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    _compatible("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    _compatible("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    _compatible("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    _compatible("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    _compatible("xai", "https://api.x.ai/v1", "XAI_API_KEY"),
    _compatible("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    _compatible("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    _compatible("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    _compatible("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    _compatible("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    _compatible("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    _compatible("perplexity", "https://api.perplexity.ai", "PPLX_API_KEY", "PERPLEXITY_API_KEY"),
    _compatible("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN"),
    _compatible("qwen", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", "QWEN_API_KEY"),
    _compatible("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
    _compatible("minimax", "https://api.minimax.io/v1", "MINIMAX_API_KEY"),
    # On the user's own machine.
    _local("ollama", "http://127.0.0.1:11434/v1"),
    _local("lmstudio", "http://127.0.0.1:1234/v1"),
    _local("vllm", "http://127.0.0.1:8000/v1"),
    _local("llamacpp", "http://127.0.0.1:8080/v1"),
    _local("sglang", "http://127.0.0.1:30000/v1"),
    KnownProvider("mlx", f"{COMMUNITY}ChatMLX", needs_key=False),
    # Clients of their own.
    _client("openai", "OPENAI_API_KEY"),
    _client("anthropic", "ANTHROPIC_API_KEY"),
    _client("google_genai", "GOOGLE_API_KEY", "GEMINI_API_KEY"),
    _client("google_genai", "GOOGLE_API_KEY", "GEMINI_API_KEY", id="google"),
    _client("google_genai", "GOOGLE_API_KEY", "GEMINI_API_KEY", id="gemini"),
    _client("mistralai", "MISTRAL_API_KEY"),
    _client("cohere", "COHERE_API_KEY"),
    _client("upstage", "UPSTAGE_API_KEY"),
    _client("google_vertexai"),
    _client("google_anthropic_vertex"),
    _client("azure_openai"),
    _client("azure_ai"),
    _client("bedrock"),
    _client("bedrock_converse"),
    _client("anthropic_bedrock"),
    _client("ibm"),
    _client("litellm"),
    _client("baseten", "BASETEN_API_KEY"),
)

KNOWN_PROVIDERS: dict[str, KnownProvider] = {provider.id: provider for provider in _ALL}
"""Every provider that is known by its id."""


def client_of(api: str) -> str | None:
    """The client of an `api`; `None` for one that exists only inside OpenClaw."""
    return api if is_community(api) else API_CLIENTS.get(api)


def is_community(client: str | None) -> bool:
    """Whether a client is a chat model class of `langchain-community`."""
    return client is not None and client.startswith(COMMUNITY)


def known(provider_id: str) -> KnownProvider | None:
    """The provider of that id, or `None`; `-` and `_` are the same, as in `google-genai`."""
    name = provider_id.lower()
    return KNOWN_PROVIDERS.get(name) or KNOWN_PROVIDERS.get(name.replace("-", "_"))
