"""What each provider's API and its LangChain client take: one row for each API, and every rule of a provider in its row.

A block that the API would take but the client raises on counts as refused. The modules that change messages read these rules and
never ask which API it is. `tests/e2e/provider_rules` checks the same APIs independently, with sources.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

ApiName = Literal["openai-chat", "openai-responses", "anthropic", "google", "mistral", "groq", "ollama", "deepseek", "unknown"]
MessageKind = Literal["start", "system", "user", "answer", "call", "tool"]
"""The kinds of message that order depends on: an assistant message without calls is an `answer`, one with calls a `call`;
`start` stands for the place before the first message."""


@dataclass(frozen=True, slots=True)
class IdRule:
    """The form of tool-call ids."""

    pattern: str  # a regular expression that a legal id matches as a whole
    prefix: str  # how an id begins that replaces an illegal one
    letters: int  # how many letters and digits follow that prefix


COMMON_IDS: Final = IdRule(r"[A-Za-z0-9_-]{1,40}", "call_", 20)
"""The strictest common form: OpenAI's 40 characters of Anthropic's alphabet."""


@dataclass(frozen=True, slots=True)
class ApiRules:
    """What one API takes: ids and names, assistant messages, media and text of the others, the order of messages, settings."""

    api: ApiName  # its name in this package
    makers: frozenset[str] = frozenset()  # values of `response_metadata["model_provider"]` in the messages of its models
    clients: tuple[str, ...] = ()  # names of LangChain's chat model classes that speak it

    ids: IdRule = COMMON_IDS  # the form of tool-call ids
    named: bool = False  # the client sends the `name` of a human or assistant message, which must match OpenAI's pattern

    opaque: bool = False  # nothing is known of its forms: what its own client wrote, and what is written for it, is not touched
    own_blocks: frozenset[str] = frozenset()  # types of block that a message keeps when it goes back to its writer; empty: text only
    signed_thinking: bool = False  # a thinking block needs a signature
    whole_answers: bool = False  # blocks are accepted only as one complete answer of the server, with the calls it had
    paired_server_tools: bool = False  # the call of a server-side tool and its result are accepted only together
    late_server_results: bool = False  # beside a call of the agent's tools, the call of a server-side one gets its result in the next answer
    standard_blocks_with_calls: bool = True  # the client can send standard blocks (`output_version="v1"`) of a message with calls
    thinking_budget_leads: bool = False  # with a thinking budget, the running tool loop must open with a thinking block
    echo_reasoning: bool = False  # an assistant message with calls must carry `reasoning_content`
    server_state: tuple[str, str] = ("", "")  # the key of `response_metadata` that names what the server stored; its value's beginning
    kwargs: frozenset[str] = frozenset({"refusal", "parsed"})  # keys of `additional_kwargs` accepted from any writer; no client sends these

    user_blocks: frozenset[str] = frozenset()  # types of block in the API's own spelling that a human message may hold
    result_blocks: frozenset[str] = frozenset()  # the same for a tool message
    source_blocks: bool = False  # blocks with Anthropic's `source` are accepted
    image_urls: tuple[str, ...] = ("",)  # how the URL of an `image_url` block may begin
    inputs: frozenset[str] = frozenset({"image"})  # the kinds of media that the API has a form for
    profiled_inputs: frozenset[str] = frozenset()  # those that reach a model only if its profile says so; the others, unless it denies it
    links: frozenset[str] = frozenset({"image", "file"})  # the kinds of media that may be given as a URL
    file_ids: str | None = None  # how the ids of uploaded files begin; `None` if uploads cannot be named
    tool_images: bool = False  # a tool message may hold images
    flat_text: bool = True  # a list of text blocks is sent as one string, for servers that take nothing else
    cache_markers: bool = False  # `cache_control` on a block is accepted
    cache_breakpoints: bool = False  # `prompt_cache_breakpoint` on a block is accepted

    system: Literal["anywhere", "profile", "first"] = "first"  # where a system message may stand; `profile`: if the model's says so
    forbidden: frozenset[tuple[MessageKind, MessageKind]] = frozenset()  # pairs of neighbours, `(previous, next)`, that are refused
    ends_with_user: bool = False  # the last message must be a human or a tool message
    text_beside_calls: bool = True  # the client sends both the text and the calls of a message

    settings: frozenset[str] = frozenset()  # settings that client and API know, beside those that every client translates


_USER_FIRST: Final = frozenset[tuple[MessageKind, MessageKind]]({("start", "answer"), ("start", "call"), ("system", "answer"), ("system", "call")})
_NOTHING_AFTER_AN_ANSWER: Final = frozenset[tuple[MessageKind, MessageKind]]({("answer", "answer"), ("answer", "call")})

_STANDARD: Final = frozenset({"text", "reasoning", "tool_call", "server_tool_call", "server_tool_result", "non_standard"})
"""Types of standard (v1) blocks that a client translates back into its provider's own."""

_PENALTIES: Final = frozenset({"presence_penalty", "frequency_penalty", "logprobs", "top_logprobs"})
_HTTP: Final = frozenset({"extra_body", "extra_headers", "timeout"})

_OPENAI_SETTINGS: Final = _PENALTIES | _HTTP | {
    "n", "seed", "user", "logit_bias", "parallel_tool_calls", "reasoning_effort", "service_tier", "metadata", "store", "prompt_cache_key",
    "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "verbosity", "max_completion_tokens", "stream_options", "extra_query",
}  # fmt: skip
_OPENAI_ONLY: Final = frozenset({
    "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "verbosity", "store", "service_tier",
    "web_search_options", "prediction", "modalities", "audio",
})  # fmt: skip
"""Settings that servers which imitate OpenAI often refuse."""

_ROWS: Final = (
    ApiRules(
        "openai-chat",
        makers=frozenset({"openai", "azure"}),
        clients=("BaseChatOpenAI",),
        named=True,
        user_blocks=frozenset({"image_url", "input_audio", "file"}),
        inputs=frozenset({"image", "file", "audio"}),
        profiled_inputs=frozenset({"audio"}),
        links=frozenset({"image"}),
        file_ids="file-",
        flat_text=False,
        cache_breakpoints=True,
        system="anywhere",
        settings=_OPENAI_SETTINGS | {"modalities", "audio", "prediction", "web_search_options", "functions", "function_call"},
    ),
    ApiRules(
        "openai-responses",
        makers=frozenset({"openai", "azure"}),
        own_blocks=_STANDARD | {
            "function_call", "refusal", "compaction", "image", "web_search_call", "file_search_call", "computer_call", "custom_tool_call",
            "code_interpreter_call", "mcp_call", "mcp_list_tools", "mcp_approval_request", "image_generation_call", "tool_search_call",
            "tool_search_output", "apply_patch_call", "apply_patch_call_output",
        },
        whole_answers=True,
        paired_server_tools=True,
        server_state=("id", "resp_"),
        user_blocks=frozenset({"image_url", "file", "input_text", "input_image", "input_file", "mcp_approval_response"}),
        result_blocks=frozenset({"custom_tool_call_output", "input_image", "input_file"}),
        inputs=frozenset({"image", "file"}),
        file_ids="file-",
        tool_images=True,
        flat_text=False,
        cache_breakpoints=True,
        system="anywhere",
        settings=_OPENAI_SETTINGS | {
            "reasoning", "include", "truncation", "text", "previous_response_id", "context_management", "background", "instructions",
        },
    ),
    ApiRules(
        "anthropic",
        makers=frozenset({"anthropic"}),
        clients=("ChatAnthropic", "ChatAnthropicVertex"),
        own_blocks=_STANDARD | {
            "thinking", "redacted_thinking", "tool_use", "compaction", "container_upload", "server_tool_use", "mcp_tool_use",
            "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result",
            "text_editor_code_execution_tool_result", "mcp_tool_result", "tool_search_tool_result", "advisor_tool_result",
        },
        signed_thinking=True,
        paired_server_tools=True,
        late_server_results=True,
        thinking_budget_leads=True,
        server_state=("container", ""),
        user_blocks=frozenset({"image", "image_url", "document", "search_result", "container_upload", "tool_reference"}),
        source_blocks=True,
        image_urls=("https://", "http://", "data:image/"),
        inputs=frozenset({"image", "file"}),
        file_ids="file_",
        tool_images=True,
        flat_text=False,
        cache_markers=True,
        system="profile",
        forbidden=_USER_FIRST,
        ends_with_user=True,
        settings=_HTTP | {
            "cache_control", "betas", "thinking", "container", "mcp_servers", "context_management", "output_config", "output_format",
            "effort", "reasoning_effort", "inference_geo", "user_profile_id", "top_k", "stop_sequences", "metadata", "service_tier",
            "parallel_tool_calls", "system", "speed", "extra_query",
        },
    ),
    ApiRules(
        "google",
        makers=frozenset({"google_genai", "google_vertexai"}),
        clients=("ChatGoogleGenerativeAI", "ChatVertexAI"),
        own_blocks=_STANDARD - {"tool_call"} | {
            "thinking", "executable_code", "code_execution_result", "image_url", "media", "function_call_signature", "image", "file",
        },
        user_blocks=frozenset({"image_url", "media"}),
        inputs=frozenset({"image", "file", "audio", "video"}),
        file_ids="https://",
        tool_images=True,
        flat_text=False,
        forbidden=_USER_FIRST | _NOTHING_AFTER_AN_ANSWER,
        ends_with_user=True,
        settings=_PENALTIES - {"top_logprobs"} | {
            "top_k", "safety_settings", "generation_config", "cached_content", "thinking_budget", "thinking_level", "thinking_config",
            "include_thoughts", "response_mime_type", "response_schema", "response_json_schema", "response_modalities", "media_resolution",
            "image_config", "seed", "labels", "tool_config", "functions", "max_output_tokens", "stop_sequences", "timeout", "max_retries",
        },
    ),
    ApiRules(
        "mistral",
        makers=frozenset({"mistralai"}),
        clients=("ChatMistralAI",),
        ids=IdRule("[A-Za-z0-9]{9}", "", 9),
        own_blocks=frozenset({"text", "thinking", "reasoning", "reference", "tool_call"}),
        standard_blocks_with_calls=False,
        kwargs=frozenset({"refusal", "parsed", "prefix"}),
        user_blocks=frozenset({"image_url", "document_url", "input_audio"}),
        forbidden=_USER_FIRST | {("tool", "user")},
        ends_with_user=True,
        text_beside_calls=False,
        settings=frozenset({
            "safe_prompt", "random_seed", "presence_penalty", "frequency_penalty", "n", "prediction", "parallel_tool_calls", "prompt_mode",
            "metadata", "guardrails",
        }),
    ),
    ApiRules(
        "groq",
        makers=frozenset({"groq"}),
        clients=("ChatGroq",),
        user_blocks=frozenset({"image_url"}),
        system="anywhere",
        settings=_PENALTIES | _HTTP | {
            "n", "seed", "user", "logit_bias", "parallel_tool_calls", "reasoning_effort", "reasoning_format", "include_reasoning",
            "service_tier", "search_settings", "compound_custom", "documents", "citation_options", "metadata", "store",
            "max_completion_tokens", "stream_options",
        },
    ),
    ApiRules(
        "ollama",
        makers=frozenset({"ollama"}),
        clients=("ChatOllama",),
        user_blocks=frozenset({"image_url"}),
        links=frozenset(),
        tool_images=True,
        system="anywhere",
        settings=frozenset({
            "format", "keep_alive", "reasoning", "num_ctx", "num_predict", "num_gpu", "num_thread", "num_keep", "seed", "top_k", "min_p",
            "tfs_z", "repeat_last_n", "repeat_penalty", "mirostat", "mirostat_eta", "mirostat_tau", "options", "logprobs", "top_logprobs",
        }),
    ),
    ApiRules(
        "deepseek",
        makers=frozenset({"deepseek"}),
        clients=("ChatDeepSeek",),
        named=True,
        echo_reasoning=True,
        profiled_inputs=frozenset({"image"}),
        system="anywhere",
        settings=_PENALTIES | _HTTP | {"reasoning_effort", "user", "stream_options", "extra_query"},
    ),
    ApiRules(
        "unknown",
        opaque=True,
        named=True,
        forbidden=_USER_FIRST | _NOTHING_AFTER_AN_ANSWER | {("user", "user"), ("tool", "user")},
        ends_with_user=True,
    ),
)  # fmt: skip

API_RULES: Final[dict[ApiName, ApiRules]] = {row.api: row for row in _ROWS}


def _imitated(api: ApiName, **stricter: Any) -> ApiRules:
    row = API_RULES[api]
    return replace(row, cache_breakpoints=False, file_ids=None, settings=row.settings - _OPENAI_ONLY, **stricter)


COMPATIBLE_RULES: Final[dict[ApiName, ApiRules]] = {
    "openai-chat": _imitated("openai-chat", flat_text=True, system="first"),
    "openai-responses": _imitated("openai-responses"),
}
"""The rules for servers that imitate an API: what their maker's own takes, without what they often refuse."""


@dataclass(frozen=True, slots=True)
class ServerRules:
    """What a server wants beside the rules of the API that it speaks."""

    hosts: tuple[str, ...] = ()  # how its host names end, where OpenAI's client is used
    clients: tuple[str, ...] = ()  # the names of its own client classes
    echo_reasoning: bool = False  # as in `ApiRules`
    echo_details: bool = False  # it wants `reasoning_details` back, for models that sign their calls
    cache_markers: bool = False  # as in `ApiRules`


SERVER_RULES: Final = (
    ServerRules(("moonshot.ai", "moonshot.cn", "kimi.com"), ("ChatMoonshot",), echo_reasoning=True),
    ServerRules(("deepseek.com", "xiaomimimo.com"), echo_reasoning=True),
    ServerRules(("openrouter.ai",), ("ChatOpenRouter",), echo_details=True, cache_markers=True),
)
"""Source for `echo_reasoning`: DeepSeek, "Thinking Mode" guide (on by default; omission is a 400 once tools were called);
Moonshot, "Use the Kimi thinking model" (the same). For `echo_details`: OpenRouter, "Preserving reasoning blocks"; jan#7009."""
