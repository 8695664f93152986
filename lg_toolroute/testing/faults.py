"""The catalogue: everything that goes wrong between an agent and a model's server, ready to be put into a `FaultServer`'s script.

```python
from lg_toolroute.testing import FaultServer, Say, faults

with FaultServer({"kimi-for-coding": [faults.rate_limit(retry_after=7), Say("Back again.")]}) as server:
    ...
```

Each function gives a `Fault` that knows the failure class it belongs to (`fault.expected_class`), so a table of tests can be made from
`CATALOGUE`. `table()` prints it. The bodies are what providers really send, shortened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final, Literal

from lg_toolroute.core.failure import FailureClass
from lg_toolroute.testing.fault import Fault, FaultPlace
from lg_toolroute.testing.sample_values import sample
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Call, Say

# -- refused: another status instead of an answer ----------------------------------------------------------------------------------------


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
    return status(403, "You are not allowed to use this model.", "auth", kind="permission_error", name="forbidden", what="403, no permission")


def model_not_found() -> Fault:
    """404 for a model that does not exist."""
    said = "The model `no-such-model` does not exist or you do not have access to it."
    return status(404, said, "model_not_found", error_code="model_not_found", name="model_not_found", what="404, no such model")


_NO_TOOLS: Final[Mapping[str, tuple[int, str]]] = {
    "openrouter": (404, "No endpoints found that support tool use."),
    "ollama": (400, "registry.ollama.ai/library/tiny:latest does not support tools"),
    "plain": (400, "model tiny does not support tools"),
    "vllm": (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
}


def no_tool_support(spelling: Literal["openrouter", "ollama", "plain", "vllm"] = "openrouter") -> Fault:
    """The model cannot call tools, in a provider's own words."""
    code, said = _NO_TOOLS[spelling]
    return status(code, said, "no_tool_support", name=f"no_tool_support_{spelling}")


_TOO_LONG: Final[Mapping[str, tuple[int, str, str | None]]] = {
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
    code, said, mark = _TOO_LONG[spelling]
    return status(code, said, "context_overflow", error_code=mark, name=f"context_overflow_{spelling}")


_INVALID: Final[Mapping[str, tuple[int, str]]] = {
    "ids": (400, "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got 64."),
    "mistral_ids": (422, "Tool call id was call_0001 but must be a-z, A-Z, 0-9, with a length of 9."),
    "signature": (400, "messages.1.content.0: Invalid `signature` in `thinking` block"),
    "schema": (422, "Invalid schema for function 'edit': 'strict' is not allowed"),
}


def invalid_request(reason: Literal["ids", "mistral_ids", "signature", "schema"] = "ids") -> Fault:
    """The provider does not take this history or these tools; another one may."""
    code, said = _INVALID[reason]
    return status(code, said, "invalid_request", name=f"invalid_request_{reason}")


def content_policy() -> Fault:
    """400: the provider's filter refuses the prompt."""
    said = "The response was filtered due to the prompt triggering the content management policy."
    return status(400, said, "content_policy", error_code="content_filter", name="content_policy", what="400, refused by a content filter")


_BROKEN: Final[Mapping[int, tuple[str, FailureClass]]] = {
    500: ("The server had an error while processing your request.", "server_error"),
    502: ("Bad gateway", "server_error"),
    503: ("The engine is currently overloaded, please try again later.", "overloaded"),
    504: ("Gateway timeout", "timeout"),
    529: ("Overloaded", "overloaded"),
}


def server_error(code: Literal[500, 502, 503, 504, 529] = 500) -> Fault:
    """A 5xx."""
    said, cls = _BROKEN[code]
    return status(code, said, cls, kind="server_error", name=f"server_error_{code}")


# -- the connection ---------------------------------------------------------------------------------------------------------------------


def reset(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """TCP reset, by default before the headers."""
    return Fault("reset", "the connection is reset", "connection", ending="reset", at=_where(at, after_chunks, "headers"), say=say)


def close(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The server closes the connection before the response is complete, by default inside the text."""
    return Fault("close", "the response breaks off", "connection", ending="close", at=_where(at, after_chunks, 2), say=say)


def hang() -> Fault:
    """Nothing comes back, not even headers, until the client gives up or the server is stopped."""
    return Fault("hang", "no answer ever comes", "timeout", needs_timeout=True, ending="stall")


def stall(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The stream stops and stays open, by default after two chunks."""
    where = _where(at, after_chunks, 2)
    return Fault("stall", "the stream goes silent", "timeout", needs_timeout=True, ending="stall", at=where, say=say)


def slow(delay_s: float = 0.02, say: Say | None = None) -> Fault:
    """A complete answer in small pieces with pauses: no failure, unless a time limit says so."""
    text = say or Say("Slow and steady gets there in the end.", chunks=4)
    return Fault("slow", "a complete answer, slowly", None, raises=False, say=text, delay_s=delay_s)


# -- unreadable responses -----------------------------------------------------------------------------------------------------------------


def malformed_event(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """An event (or a body) that is cut in the middle of its JSON."""
    where, torn = _where(at, after_chunks, 2), b'{"id": "chatcmpl-0", "choi'
    return Fault("malformed_event", "JSON that ends in the middle", "server_error", ending="raw", at=where, say=say, body=torn)


def error_event(
    at: FaultPlace | None = None,
    *,
    after_chunks: int | None = None,
    say: Say | None = None,
    code: str = "server_error",
    message: str = "Provider returned error",
    expected_class: FailureClass = "server_error",
) -> Fault:
    """Status 200, and then an error object inside the stream (or as the body)."""
    body = {"error": {"message": message, "type": code, "param": None, "code": code}}
    where = _where(at, after_chunks, 2)
    return Fault("error_event", "an error object inside a 200", expected_class, ending="raw", at=where, say=say, body=body)


def not_json() -> Fault:
    """Status 200 with a web page, as a proxy between sends it."""
    page = b"<html><body>Please sign in to the network</body></html>"
    headers = {"content-type": "text/html"}
    return Fault("not_json", "200 with a web page", "server_error", "empty_response", ending="reply", body=page, headers=headers)


def empty_body() -> Fault:
    """Status 200 with nothing."""
    return Fault("empty_body", "200 with an empty body", "server_error", "empty_response", ending="reply", body=b"")


def no_choices() -> Fault:
    """A well-formed response without a choice in it."""
    body = {"id": "chatcmpl-0", "object": "chat.completion", "created": 0, "model": "m", "choices": []}
    return Fault("no_choices", "an answer without a choice", "empty_response", raises_streamed=False, ending="raw", at="start", body=body)


# -- answers that must not be believed -----------------------------------------------------------------------------------------------------


def eof(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The stream ends properly in the middle of the answer: no finish reason, no `[DONE]`, no error."""
    where = _where(at, after_chunks, 2)
    return Fault("eof", "the stream just ends", "truncated", raises=False, ending="eof", at=where, say=say)


def length(say: Say | None = None) -> Fault:
    """`finish_reason: length`, in the middle of the arguments if there is a call."""
    return _answer("length", "finish reason 'length'", "truncated", _by_length, say)


def content_filter(say: Say | None = None) -> Fault:
    """`finish_reason: content_filter` and nothing else."""
    return _answer("content_filter", "finish reason 'content_filter'", "content_policy", _filtered, say)


def empty_answer() -> Fault:
    """A complete answer that says nothing."""
    return _answer("empty_answer", "neither text nor a call", "empty_response", lambda say, request: Say("", finish_reason="stop"))


def truncated_arguments(say: Say | None = None) -> Fault:
    """The arguments end in the middle, and the finish reason says that all is well."""
    return _answer("truncated_arguments", "arguments that end in the middle", "invalid_tool_call", _cut_arguments, say)


def broken_arguments(say: Say | None = None) -> Fault:
    """Arguments that are no JSON."""
    return _answer("broken_arguments", "arguments that are no JSON", "invalid_tool_call", _arguments("{path: 'a.py',}"), say)


def wrong_arguments(say: Say | None = None) -> Fault:
    """Arguments that do not fit the tool's schema."""
    return _answer("wrong_arguments", "arguments that do not fit", "invalid_tool_call", _arguments('{"no_such_argument": true}'), say)


def unknown_tool(name: str = "no_such_tool") -> Fault:
    """A call of a tool that is not bound."""
    return _answer("unknown_tool", "a call of a tool that is not bound", "invalid_tool_call", lambda say, request: Say(calls=[Call(name, {})]))


def text_instead(text: str = "I have made the change you asked for.") -> Fault:
    """Text where a call was forced."""
    return _answer("text_instead", "text where a call was forced", "invalid_tool_call", lambda say, request: Say(text))


def none(say: Say | None = None) -> Fault:
    """No fault: the default answer, for places where a script wants one."""
    return Fault("none", "a good answer", None, raises=False, say=say)


CATALOGUE: Final[Mapping[str, Callable[[], Fault]]] = {
    "rate_limit": rate_limit,
    "rate_limit_no_hint": lambda: rate_limit(None),
    "insufficient_quota": insufficient_quota,
    "payment_required": payment_required,
    "unauthorized": unauthorized,
    "forbidden": forbidden,
    "model_not_found": model_not_found,
    **{f"no_tool_support_{key}": (lambda key=key: no_tool_support(key)) for key in _NO_TOOLS},  # type: ignore[misc]
    **{f"context_overflow_{key}": (lambda key=key: context_overflow(key)) for key in _TOO_LONG},  # type: ignore[misc]
    **{f"invalid_request_{key}": (lambda key=key: invalid_request(key)) for key in _INVALID},  # type: ignore[misc]
    "content_policy": content_policy,
    **{f"server_error_{code}": (lambda code=code: server_error(code)) for code in _BROKEN},  # type: ignore[misc]
    "reset_before_headers": reset,
    "reset_before_text": lambda: reset("start"),
    "reset_in_stream": lambda: reset(after_chunks=2),
    "reset_after_last_chunk": lambda: reset("end"),
    "close_before_headers": lambda: close("headers"),
    "close_in_stream": close,
    "hang": hang,
    "stall": stall,
    "malformed_event": malformed_event,
    "error_event": error_event,
    "error_event_overloaded": lambda: error_event(code="overloaded_error", message="Overloaded", expected_class="overloaded"),
    "not_json": not_json,
    "empty_body": empty_body,
    "no_choices": no_choices,
    "eof": eof,
    "length": length,
    "content_filter": content_filter,
    "empty_answer": empty_answer,
    "truncated_arguments": truncated_arguments,
    "broken_arguments": broken_arguments,
    "wrong_arguments": wrong_arguments,
    "unknown_tool": unknown_tool,
    "text_instead": text_instead,
    "slow": slow,
    "none": none,
}
"""Every fault with its default parameters, by name."""


def table() -> str:
    """The catalogue as a Markdown table."""
    rows = [f"| `{name}` | {fault.what} | {_classes(fault)} |" for name, fault in ((name, make()) for name, make in CATALOGUE.items())]
    return "\n".join(["| fault | what happens | failure class |", "|---|---|---|", *rows])


def _classes(fault: Fault) -> str:
    if fault.expected_class is None:
        return "–"
    streamed = f", streamed `{fault.expected_streamed}`" if fault.expected_streamed else ""
    return f"`{fault.expected_class}`{streamed}"


def _where(at: FaultPlace | None, after_chunks: int | None, usual: FaultPlace) -> FaultPlace:
    if at is not None and after_chunks is not None:
        raise ValueError(f"at={at!r} and after_chunks={after_chunks!r} both say where; leave one out")
    if after_chunks is not None:
        return after_chunks
    return usual if at is None else at


def _answer(name: str, what: str, cls: FailureClass, alter: Callable[[Say, ServerRequest], Say], say: Say | None = None) -> Fault:
    return Fault(name, what, cls, raises=False, at="end", say=say, alter=alter)


def _with_call(say: Say, request: ServerRequest) -> Say:
    """The answer, with a call in it if a tool is bound."""
    if say.calls or not request.tools:
        return say
    tool = request.forced_tool or request.tools[0]
    return replace(say, calls=[Call(tool, sample(request.schema(tool)))])


def _by_length(say: Say, request: ServerRequest) -> Say:
    return replace(_halved(say), finish_reason="length")


def _filtered(say: Say, request: ServerRequest) -> Say:
    return replace(say, text="", calls=(), finish_reason="content_filter")


def _cut_arguments(say: Say, request: ServerRequest) -> Say:
    return _halved(_with_call(say, request))


def _halved(say: Say) -> Say:
    if not say.calls:
        return say
    *others, last = say.calls
    return replace(say, calls=[*others, replace(last, args=last.json[: max(1, len(last.json) // 2)])])


def _arguments(text: str) -> Callable[[Say, ServerRequest], Say]:
    def alter(say: Say, request: ServerRequest) -> Say:
        called = _with_call(say, request)
        return replace(called, calls=[replace(call, args=text) for call in called.calls])

    return alter


def payload(body: Any) -> bytes:
    """A fault's body as bytes."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()

