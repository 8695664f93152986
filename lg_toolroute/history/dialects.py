"""What each provider's API takes: the facts that the rest of this package acts on, one row an API.

The rows say what the *client library of LangChain* can carry to that API, too: a block that the API would take but the
client raises on is as good as refused. `tests/support/provider_rules` holds the same APIs as independent checks, with sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Api = Literal[
    "openai-chat",
    "openai-responses",
    "anthropic",
    "google",
    "mistral",
    "groq",
    "ollama",
    "deepseek",
    "unknown",
]

SYSTEM: Final = 0
USER: Final = 1
AI: Final = 2
CALL: Final = 3
TOOL: Final = 4
START: Final = 5
"""The kinds of message that order depends on; `AI` is an answer without calls, `CALL` one with."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One API, as far as a history can offend it.

    Attributes:
        api: Its name here.
        makers: The values of `response_metadata["model_provider"]` that its models' messages carry.
        short_ids: Tool-call ids are exactly 9 letters and digits.
        native_blocks: Types of content block that an assistant message of its own may keep; empty: text only, as a string.
        user_blocks: Types of content block in the API's own spelling that a user's message may carry as they are.
        tool_images: A tool's result may hold images.
        files: Documents can be sent.
        audio: Audio can be sent.
        video: Video can be sent.
        flat_text: A list of text blocks is sent as one string, for servers that take nothing else.
        text_beside_calls: One assistant message may hold text and calls; the client sends both.
        system_anywhere: A system message may stand in the middle of the conversation.
        forbidden: Pairs of neighbours, `(previous, next)`, that are refused.
        ends_with_user: The last message must be the user's or a tool's.
        named: The messages' `name` is sent, and must match the API's pattern.
    """

    api: Api
    makers: frozenset[str] = frozenset()
    short_ids: bool = False
    native_blocks: frozenset[str] = frozenset()
    user_blocks: frozenset[str] = frozenset()
    tool_images: bool = False
    files: bool = False
    audio: bool = False
    video: bool = False
    flat_text: bool = True
    text_beside_calls: bool = True
    system_anywhere: bool = False
    forbidden: frozenset[tuple[int, int]] = frozenset()
    ends_with_user: bool = False
    named: bool = False


_USER_FIRST = frozenset({(START, AI), (START, CALL), (SYSTEM, AI), (SYSTEM, CALL)})

_STANDARD = frozenset({"text", "reasoning", "tool_call", "server_tool_call", "server_tool_result", "non_standard"})
"""Types of standard (v1) blocks that a client translates back into its provider's own."""

_CLAUDE_SERVER_TOOLS = frozenset({
    "server_tool_use", "mcp_tool_use", "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
    "bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "mcp_tool_result", "tool_search_tool_result",
    "advisor_tool_result",
})  # fmt: skip

_OPENAI_SERVER_TOOLS = frozenset({
    "web_search_call", "file_search_call", "computer_call", "custom_tool_call", "code_interpreter_call", "mcp_call",
    "mcp_list_tools", "mcp_approval_request", "image_generation_call", "tool_search_call", "tool_search_output",
    "apply_patch_call", "apply_patch_call_output",
})  # fmt: skip

DIALECTS: Final[dict[str, Dialect]] = {
    row.api: row
    for row in (
        Dialect(
            "openai-chat",
            makers=frozenset({"openai", "azure"}),
            user_blocks=frozenset({"image_url", "input_audio", "file"}),
            files=True,
            audio=True,
            flat_text=False,
            system_anywhere=True,
            named=True,
        ),
        Dialect(
            "openai-responses",
            makers=frozenset({"openai", "azure"}),
            native_blocks=_STANDARD | _OPENAI_SERVER_TOOLS | {"function_call", "refusal", "compaction", "image"},
            user_blocks=frozenset({"image_url", "file", "input_text", "input_image", "input_file", "mcp_approval_response"}),
            tool_images=True,
            files=True,
            flat_text=False,
            system_anywhere=True,
        ),
        Dialect(
            "anthropic",
            makers=frozenset({"anthropic"}),
            native_blocks=_STANDARD
            | _CLAUDE_SERVER_TOOLS
            | {"thinking", "redacted_thinking", "tool_use", "compaction", "container_upload"},
            user_blocks=frozenset({"image", "image_url", "document", "search_result", "container_upload", "tool_reference"}),
            tool_images=True,
            files=True,
            flat_text=False,
            forbidden=_USER_FIRST,
            ends_with_user=True,
        ),
        Dialect(
            "google",
            makers=frozenset({"google_genai", "google_vertexai"}),
            native_blocks=_STANDARD
            | {"thinking", "executable_code", "code_execution_result", "image_url", "media", "function_call_signature", "image", "file"},
            user_blocks=frozenset({"image_url", "media"}),
            tool_images=True,
            files=True,
            audio=True,
            video=True,
            flat_text=False,
            forbidden=_USER_FIRST | {(AI, AI), (AI, CALL)},
            ends_with_user=True,
        ),
        Dialect(
            "mistral",
            makers=frozenset({"mistralai"}),
            short_ids=True,
            native_blocks=frozenset({"text", "thinking", "reasoning", "reference", "tool_call"}),
            user_blocks=frozenset({"image_url", "document_url", "input_audio"}),
            text_beside_calls=False,
            forbidden=_USER_FIRST | {(TOOL, USER)},
            ends_with_user=True,
        ),
        Dialect("groq", makers=frozenset({"groq"}), user_blocks=frozenset({"image_url"}), system_anywhere=True),
        Dialect("ollama", makers=frozenset({"ollama"}), user_blocks=frozenset({"image_url"}), tool_images=True, system_anywhere=True),
        Dialect("deepseek", makers=frozenset({"deepseek"}), system_anywhere=True, named=True),
        Dialect(
            "unknown",
            short_ids=False,
            text_beside_calls=True,
            forbidden=_USER_FIRST | {(AI, AI), (AI, CALL), (USER, USER), (TOOL, USER)},
            ends_with_user=True,
            named=True,
        ),
    )
}
