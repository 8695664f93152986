"""Faults of the way to a model: connections that break or go silent, and responses that cannot be read."""

from __future__ import annotations

from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.testing.fault import Fault, FaultPlace
from lg_toolroute.testing.steps import Say


def reset(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """TCP reset, by default before the headers."""
    where = one_place(at, after_chunks, "headers")
    return Fault("reset", f"the connection is reset {words(where)}", "connection", ending="reset", at=where, say=say)


def close(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The server closes the connection before the response is complete, by default after two chunks."""
    where = one_place(at, after_chunks, 2)
    return Fault("close", f"the response breaks off {words(where)}", "connection", ending="close", at=where, say=say)


def hang() -> Fault:
    """Nothing comes back, not even headers, until the client gives up or the server is stopped."""
    return Fault("hang", "no answer ever comes", "timeout", needs_timeout=True, ending="stall")


def stall(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """The stream stops and stays open, by default after two chunks."""
    where = one_place(at, after_chunks, 2)
    return Fault("stall", f"the stream goes silent {words(where)}", "timeout", needs_timeout=True, ending="stall", at=where, say=say)


def slow(delay_s: float = 0.02, say: Say | None = None) -> Fault:
    """A complete answer in small pieces with pauses: no failure, unless a time limit says so."""
    text = say or Say("Slow and steady gets there in the end.", chunks=4)
    return Fault("slow", "a complete answer, slowly", None, raises=False, say=text, delay_s=delay_s)


def malformed_event(at: FaultPlace | None = None, *, after_chunks: int | None = None, say: Say | None = None) -> Fault:
    """An event (or a body) that is cut in the middle of its JSON."""
    where, torn = one_place(at, after_chunks, 2), b'{"id": "chatcmpl-0", "choi'
    return Fault("malformed_event", f"JSON that is cut short, {words(where)}", "server_error", ending="raw", at=where, say=say, body=torn)


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
    where = one_place(at, after_chunks, 2)
    return Fault("error_event", f"an error object inside a 200, {words(where)}", expected_class, ending="raw", at=where, say=say, body=body)


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


def words(place: FaultPlace) -> str:
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


def one_place(at: FaultPlace | None, after_chunks: int | None, usual: FaultPlace) -> FaultPlace:
    """The place that one of two parameters names, or the usual one."""
    if at is not None and after_chunks is not None:
        raise ValueError(f"at={at!r} and after_chunks={after_chunks!r} both say where; leave one out")
    if after_chunks is not None:
        return after_chunks
    return usual if at is None else at
