"""Faults of the model: answers that come through whole and must not be believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.testing.fault import Fault, FaultPlace
from lg_toolroute.testing.outages import one_place, words
from lg_toolroute.testing.sample_values import sample
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Call, Say


def eof(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The stream ends properly in the middle of the answer: no finish reason, no `[DONE]`, no error. At the `"end"` only `[DONE]` is missing."""
    where = one_place(at, after_chunks, 2)
    what = f"the stream just ends {words(where)}"
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
