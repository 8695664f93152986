"""Faults that are another status instead of an answer. The bodies are what providers really send, shortened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final, Literal

from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.testing.fault import Fault


def status(
    code: int,
    message: str,
    expected_class: FailureClass,
    *,
    kind: str = "invalid_request_error",
    error_code: str | None = None,
    headers: Mapping[str, str] | None = None,
    name: str | None = None,
    what: str = "",
) -> Fault:
    """Any refusal in OpenAI's format.

    Args:
        code: The HTTP status.
        message: What the body says.
        expected_class: The failure class.
        kind: The body's `type`.
        error_code: The body's `code`.
        headers: More headers.
        name: What it is called.
        what: What happens, in one line.
    """
    body = {"error": {"message": message, "type": kind, "param": None, "code": error_code}}
    said = what or f"{code}: {message}"
    return Fault(name or f"status_{code}", said, expected_class, ending="reply", status=code, body=body, headers=dict(headers or {}))


def rate_limit(retry_after: float | datetime | str | None = 7) -> Fault:
    """429, with `Retry-After` in seconds or as a date; `None` sends none."""
    text = format_datetime(retry_after, usegmt=True) if isinstance(retry_after, datetime) else retry_after
    headers = {} if text is None else {"retry-after": f"{text:g}" if isinstance(text, int | float) else text}
    said = "Rate limit reached for requests per min. Please try again later."
    what = "429 with Retry-After" if headers else "429 without Retry-After"
    return status(429, said, "rate_limit", kind="requests", error_code="rate_limit_exceeded", headers=headers, name="rate_limit", what=what)


def insufficient_quota() -> Fault:
    """429 that no waiting cures."""
    said = "You exceeded your current quota, please check your plan and billing details."
    mark = "insufficient_quota"
    return status(429, said, "quota", kind=mark, error_code=mark, name=mark, what="429, out of credit")


def payment_required() -> Fault:
    """402."""
    return status(402, "Insufficient credits. Add more to continue.", "quota", name="payment_required", what="402, out of credit")


def unauthorized() -> Fault:
    """401."""
    said = "Incorrect API key provided."
    return status(401, said, "auth", error_code="invalid_api_key", name="unauthorized", what="401, wrong key")


def forbidden() -> Fault:
    """403."""
    return status(
        403,
        "Your API key does not have permission to use the specified resource.",
        "auth",
        kind="permission_error",
        name="forbidden",
        what="403, no permission",
    )


def model_not_found() -> Fault:
    """404 for a model that does not exist."""
    said = "The model `no-such-model` does not exist or you do not have access to it."
    return status(404, said, "model_not_found", error_code="model_not_found", name="model_not_found", what="404, no such model")


NO_TOOLS: Final[Mapping[str, tuple[int, str]]] = {
    "openrouter": (404, "No endpoints found that support tool use."),
    "ollama": (400, "registry.ollama.ai/library/tiny:latest does not support tools"),
    "plain": (400, "model tiny does not support tools"),
    "vllm": (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
}


def no_tool_support(spelling: Literal["openrouter", "ollama", "plain", "vllm"] = "openrouter") -> Fault:
    """The model cannot call tools, in a provider's own words."""
    code, said = NO_TOOLS[spelling]
    return status(code, said, "no_tool_support", name=f"no_tool_support_{spelling}")


TOO_LONG: Final[Mapping[str, tuple[int, str, str | None]]] = {
    "openai": (
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
        "Please reduce the length of the messages.",
        "context_length_exceeded",
    ),
    "anthropic": (400, "prompt is too long: 210000 tokens > 200000 maximum", None),
    "google": (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", None),
    "llama_cpp": (400, "the request exceeds the available context size. try increasing the context size", None),
    "too_large": (413, "Request too large", None),
}


def context_overflow(spelling: Literal["openai", "anthropic", "google", "llama_cpp", "too_large"] = "openai") -> Fault:
    """The history does not fit the model's window, in a provider's own words."""
    code, said, mark = TOO_LONG[spelling]
    return status(code, said, "context_overflow", error_code=mark, name=f"context_overflow_{spelling}")


REFUSED: Final[Mapping[str, tuple[int, str]]] = {
    "thinking": (400, "Thinking mode does not support this tool_choice"),
    "openrouter": (404, "No endpoints found that support the provided 'tool_choice' value."),
}


def parameter_refused(spelling: Literal["thinking", "openrouter"] = "thinking") -> Fault:
    """The provider refuses `tool_choice`, in its own words; without it the model would answer."""
    code, said = REFUSED[spelling]
    return status(code, said, "parameter_refused", name=f"parameter_refused_{spelling}")


INVALID: Final[Mapping[str, tuple[int, str]]] = {
    "ids": (400, "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got 64."),
    "mistral_ids": (422, "Tool call id was call_0001 but must be a-z, A-Z, 0-9, with a length of 9."),
    "signature": (400, "messages.1.content.0: Invalid `signature` in `thinking` block"),
    "schema": (422, "Invalid schema for function 'edit': schema must have a 'type' key."),
}


def invalid_request(reason: Literal["ids", "mistral_ids", "signature", "schema"] = "ids") -> Fault:
    """The provider does not take this history or these tools; another one may."""
    code, said = INVALID[reason]
    return status(code, said, "invalid_request", name=f"invalid_request_{reason}")


def content_policy() -> Fault:
    """400: the provider's filter refuses the prompt."""
    said = "The response was filtered due to the prompt triggering the content management policy."
    return status(400, said, "content_policy", error_code="content_filter", name="content_policy", what="400, refused by a content filter")


BROKEN: Final[Mapping[int, tuple[str, FailureClass]]] = {
    500: ("The server had an error while processing your request.", "server_error"),
    502: ("Bad gateway", "server_error"),
    503: ("The engine is currently overloaded, please try again later.", "overloaded"),
    504: ("Gateway timeout", "timeout"),
    529: ("Overloaded", "overloaded"),
}


def server_error(code: Literal[500, 502, 503, 504, 529] = 500) -> Fault:
    """A 5xx."""
    said, cls = BROKEN[code]
    return status(code, said, cls, kind="server_error", name=f"server_error_{code}")
