"""The catalogue: everything that goes wrong between an agent and a model's server, ready to be put into a `FaultServer`'s script.

```python
from lg_toolroute.testing import FaultServer, Say, faults

with FaultServer({"kimi-for-coding": [faults.rate_limit(retry_after=7), Say("Back again.")]}) as server:
    ...
```

Each function gives a `Fault` that knows the failure class it belongs to (`fault.expected_class`), so a table of tests can be made from
`CATALOGUE`. Faults that are another status instead of an answer are in `refusals`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.testing import sample_values
from lg_toolroute.testing.fault import Fault, FaultPlace
from lg_toolroute.testing.refusals import (
    BROKEN,
    INVALID,
    NO_TOOLS,
    REFUSED,
    TOO_LONG,
    content_policy,
    context_overflow,
    forbidden,
    insufficient_quota,
    invalid_request,
    model_not_found,
    no_tool_support,
    parameter_refused,
    payment_required,
    rate_limit,
    server_error,
    status,
    unauthorized,
)  # fmt: skip
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Call, Say

__all__ = [
    "CATALOGUE", "MID_STREAM", "PLACES", "broken_arguments", "close", "content_filter", "content_policy", "context_overflow", "empty_answer",
    "empty_body", "eof", "error_event", "forbidden", "hang", "insufficient_quota", "invalid_request", "length", "malformed_event", "model_not_found",
    "no_choices", "no_tool_support", "none", "not_json", "parameter_refused", "payment_required", "random_faults", "rate_limit", "reset",
    "server_error", "slow", "stall", "status", "text_instead", "truncated_arguments", "unauthorized", "unknown_tool", "wrong_arguments",
]  # fmt: skip

# -- connections that break or go silent, responses that cannot be read ----------------------------------------------------------------------


def reset(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """TCP reset, by default before the headers."""
    where = _one_place(at, after_chunks, "headers")
    return Fault("reset", f"the connection is reset {_words(where)}", "connection", ending="reset", at=where, say=say)


def close(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The server closes the connection before the response is complete, by default after two chunks."""
    where = _one_place(at, after_chunks, 2)
    return Fault("close", f"the response breaks off {_words(where)}", "connection", ending="close", at=where, say=say)


def hang() -> Fault:
    """Nothing comes back, not even headers, until the client gives up or the server is stopped."""
    return Fault("hang", "no answer ever comes", "timeout", needs_timeout=True, ending="stall")


def stall(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The stream stops and stays open, by default after two chunks."""
    where = _one_place(at, after_chunks, 2)
    return Fault("stall", f"the stream goes silent {_words(where)}", "timeout", needs_timeout=True, ending="stall", at=where, say=say)


def slow(delay_s: float = 0.02, say: Say | None = None) -> Fault:
    """A complete answer in small pieces with pauses: no failure, unless a time limit says so."""
    text = say or Say("Slow and steady gets there in the end.", chunks=4)
    return Fault("slow", "a complete answer, slowly", None, raises=False, say=text, delay_s=delay_s)


def malformed_event(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """An event (or a body) that is cut in the middle of its JSON."""
    where, torn = _one_place(at, after_chunks, 2), b'{"id": "chatcmpl-0", "choi'
    return Fault("malformed_event", f"JSON that is cut short, {_words(where)}", "server_error", ending="raw", at=where, say=say, body=torn)


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
    where = _one_place(at, after_chunks, 2)
    return Fault("error_event", f"an error object inside a 200, {_words(where)}", expected_class, ending="raw", at=where, say=say, body=body)


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


# -- answers that come through whole and must not be believed ----------------------------------------------------------------------------------


def eof(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The stream ends properly in the middle of the answer: no finish reason, no `[DONE]`, no error. At the `"end"` only `[DONE]` is missing."""
    where = _one_place(at, after_chunks, 2)
    what = f"the stream just ends {_words(where)}"
    if where == "end":
        return Fault("eof", what, None, raises=False, ending="eof", at=where, say=say)
    if where in ("headers", "start", 0):
        return Fault("eof", what, "truncated", "empty_response", raises=False, raises_streamed=True, ending="eof", at="start", say=say)
    return Fault("eof", what, "truncated", raises=False, ending="eof", at=where, say=say)


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


def _words(place: FaultPlace) -> str:
    """A place in words."""
    if isinstance(place, int):
        return f"after {place} chunks"
    return {
        "headers": "before the headers",
        "start": "before the first chunk",
        "text": "inside the text",
        "name": "inside a tool's name",
        "args": "inside its arguments",
        "end": "behind the last chunk",
    }[place]


def _one_place(at: FaultPlace | None, after_chunks: int | None, usual: FaultPlace) -> FaultPlace:
    """The place that one of two parameters names, or the usual one."""
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
    return replace(say, calls=[Call(tool, sample_values.sample(request.schema(tool)))])


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


# -- the catalogue ---------------------------------------------------------------------------------------------------------------------------

CATALOGUE: Final[Mapping[str, Callable[[], Fault]]] = {
    "rate_limit": rate_limit,
    "rate_limit_no_hint": lambda: rate_limit(None),
    "insufficient_quota": insufficient_quota,
    "payment_required": payment_required,
    "unauthorized": unauthorized,
    "forbidden": forbidden,
    "model_not_found": model_not_found,
    **{f"no_tool_support_{key}": (lambda key=key: no_tool_support(key)) for key in NO_TOOLS},  # type: ignore[misc]
    **{f"context_overflow_{key}": (lambda key=key: context_overflow(key)) for key in TOO_LONG},  # type: ignore[misc]
    **{f"parameter_refused_{key}": (lambda key=key: parameter_refused(key)) for key in REFUSED},  # type: ignore[misc]
    **{f"invalid_request_{key}": (lambda key=key: invalid_request(key)) for key in INVALID},  # type: ignore[misc]
    "content_policy": content_policy,
    **{f"server_error_{code}": (lambda code=code: server_error(code)) for code in BROKEN},  # type: ignore[misc]
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

PLACES: Final[tuple[FaultPlace, ...]] = ("headers", "start", "text", "name", "args", "end")
"""Every named place, from before the headers to behind the last chunk."""

MID_STREAM: Final[Mapping[str, Callable[..., Fault]]] = {
    "reset": reset,
    "close": close,
    "stall": stall,
    "malformed_event": malformed_event,
    "error_event": error_event,
    "eof": eof,
}
"""The faults that can strike at any place of an answer: `MID_STREAM["reset"]("args", say=Say(…))`."""

NO_FAILURE = frozenset({"none", "slow"})


def random_faults(
    dice: random.Random, count: int, *, healthy: float = 0.5, kinds: Collection[str] | None = None, timeouts: bool = False
) -> list[Fault]:
    """A script of good answers and faults, for a `FaultServer`.

    Args:
        dice: Where the chances come from.
        count: How many steps.
        healthy: The share of good answers, 0 to 1.
        kinds: Names from the catalogue to choose from; unset, all of them that are failures.
        timeouts: Include faults that a client notices only by its own time limit.

    Raises:
        ValueError: Unknown names in `kinds`.
    """
    if unknown := sorted(set(kinds or ()) - set(CATALOGUE)):
        raise ValueError(f"kinds: {unknown} are not in the catalogue; it has {sorted(CATALOGUE)}")
    names = sorted(kinds if kinds is not None else set(CATALOGUE) - NO_FAILURE)
    faults = [fault for fault in (CATALOGUE[name]() for name in names) if timeouts or not fault.needs_timeout]
    good = CATALOGUE["none"]()
    return [good if not faults or dice.random() < healthy else dice.choice(faults) for _ in range(count)]
