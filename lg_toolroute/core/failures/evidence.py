"""What an exception of any client tells about itself, read without knowing the client.

Clients disagree about everything but a few habits: a status lies on the error or its response, an error code in the body, and the
provider's own words in the message. `gather` collects these from the error and from the errors it was raised from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lg_toolroute.core.failures.client_classes import TRANSPORT

_DEEPEST_CAUSE: Final = 8
_LARGEST_BODY: Final = 65_536
_LONGEST_TEXT: Final = 4_000
_MESSAGE_KEYS: Final = re.findall(
    r"\w+",
    "message msg error_message errorMessage error errors detail raw title Message details description error_description error_msg status_msg",
)
_CODE_KEYS: Final = ("code", "type", "status", "reason", "error_type", "Code", "innererror", "finish_reason")
_NESTED_KEYS: Final = ("error", "errors", "Error", "detail", "details", "metadata", "innererror", "response", "raw", "message")
_LABELLED_STATUS: Final = re.compile(
    r"(?:^|error code:?\s*|status(?:[ _]code)?:?\s*|\bhttp(?:/[\d.]+)?\s+|error response\s+|\b\w{1,30} error '|^\w+:?\s+)([45]\d\d)\b",
    re.IGNORECASE,
)
_QUOTED_STATUS: Final = re.compile(
    r"(?:status(?: code)?|error code|upstream(?: error| returned| responded)?(?: with)?|http(?:/[\d.]+)?|returned"
    r"|<)\W{0,3}([45]\d\d)\b|[-:] ([45]\d\d) (?=request|bad |unauthori|payment|forbidden|not found|unprocess|too many|service unav|gateway)",
    re.IGNORECASE,
)
_NAMED_CODE: Final = re.compile(r"\b[A-Z]\w+(?:Error|Exception)\b")
"""`ThrottlingException`, `litellm.AuthenticationError`: codes that stand in the words."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one error.

    Attributes:
        names: The class names of the error and its bases, and of the errors it was raised from.
        status: The HTTP status, or `None`.
        meant: The provider's status where a gateway quotes it under one of its own; else `status`.
        codes: Error codes and types in lower case: `rate_limit_exceeded`, `insufficient_quota`.
        blamed: Where in the request the body finds the mistake: `tool_choice`, `tools[0].function.strict`, `body.temperature`.
        text: Every message found, for matching; not fit to be shown.
        message: The one to show: the provider's own if there is one.
        headers: The response's headers, names in lower case.
        body: The parsed body, or `None`.
    """

    names: frozenset[str]
    status: int | None
    meant: int | None
    codes: frozenset[str]
    blamed: tuple[str, ...]
    text: str
    message: str
    headers: Mapping[str, str]
    body: Any


def class_names(error: BaseException) -> frozenset[str]:
    """The names of an error's class and its bases, so that no client need be imported."""
    return frozenset(cls.__name__ for cls in type(error).__mro__)


def words_of(error: BaseException) -> str:
    """The error's own words, its class name if it has none."""
    try:
        return str(error)[:_LONGEST_TEXT] or type(error).__name__
    except Exception:
        # A broken `__str__` must not hide the error that it belongs to.
        return type(error).__name__


def gather(error: BaseException) -> Evidence:
    """The evidence of an error and its causes; what the error itself says hides what a cause says."""
    names: set[str] = set()
    codes: set[str] = set()
    blamed: list[str] = []
    texts: list[str] = []
    message: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = {}
    body: Any = None
    for cause in _causes(error):
        response = _attribute(cause, "response")
        found = _body(cause, response)
        plain = _plain_words(response) if found is None else []
        if status is None and names & TRANSPORT:
            texts.append(words_of(cause))
            continue
        names |= class_names(cause)
        body = found if body is None else body
        headers = headers or _headers(cause, response)
        levels = list(_levels(found))
        status = _status(cause, response, levels) if status is None else status
        codes.update(_codes(cause, levels))
        blamed += _blamed(levels)
        messages = [value[:_LONGEST_TEXT] for level in levels for key in _MESSAGE_KEYS if isinstance(value := level.get(key), str) and value.strip()]
        message = message or (messages[0] if messages else None)
        texts += messages or plain or ([] if type(cause).__name__ == "HTTPStatusError" else [words_of(cause)])
    text = "\n".join(dict.fromkeys(texts))[:_LONGEST_TEXT]
    if status is None and not names & TRANSPORT and (match := _LABELLED_STATUS.search(text)):
        status = int(match.group(1))
    codes |= {code.lower() for code in _NAMED_CODE.findall(text)}
    shown = message or next(iter(texts), words_of(error))
    return Evidence(frozenset(names), status, _meant(status, text), frozenset(codes), tuple(blamed), text, shown, headers, body)


def _meant(status: int | None, text: str) -> int | None:
    """The status that a gateway quotes: a 4xx behind its 400 or 5xx, a 5xx behind its 400."""
    if status not in {400, 500, 502, 503}:
        return status
    quoted = [int("".join(found)) for found in _QUOTED_STATUS.findall(text)]
    return next((found for found in quoted if found != status and (found < 500 or status < 500)), status)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, then those it was raised `from`.

    What merely happened before (`__context__`) does not count: while the second candidate of a chain is asked, that is the failure of
    the first.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < _DEEPEST_CAUSE:
        seen.add(id(current))
        yield current
        current = current.__cause__


def _attribute(value: object, name: str) -> Any:
    try:
        return getattr(value, name, None)
    except Exception:
        # A property of a stranger's class may raise anything (httpx: "the request has not been set"); then it says nothing.
        return None


def _status(error: BaseException, response: Any, levels: list[Mapping[str, Any]]) -> int | None:
    places = [_attribute(error, "status_code"), _botocore(response).get("HTTPStatusCode")]
    places += [_attribute(response, "status_code"), _attribute(response, "status"), _attribute(error, "status"), _attribute(error, "code")]
    # An error inside a stream that began with 200 carries its status only in its body.
    places += [level.get(key) for level in levels for key in ("code", "status", "status_code")]
    return next((status for status in map(_http_status, places) if status is not None), None)


def _http_status(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isdecimal() and len(value) == 3:
        value = int(value)
    return int(value) if isinstance(value, int) and 400 <= value <= 599 else None


def _headers(error: BaseException, response: Any) -> Mapping[str, str]:
    headers = _botocore(response).get("HTTPHeaders") or _attribute(response, "headers") or _attribute(error, "headers")
    items = _attribute(headers, "items")
    return {str(name).lower(): str(value) for name, value in items()} if callable(items) else {}


def _botocore(response: Any) -> Mapping[str, Any]:
    """The metadata in a response as botocore keeps it: a mapping; empty for other clients."""
    metadata = response.get("ResponseMetadata") if isinstance(response, Mapping) else None
    return metadata if isinstance(metadata, Mapping) else {}


def _body(error: BaseException, response: Any) -> Any:
    for name in ("body", "details", "error"):
        value = _attribute(error, name)
        if isinstance(value, Mapping | list):
            return value
        if isinstance(value, str) and (parsed := _json(value)) is not None:
            return parsed
    if isinstance(response, Mapping):
        return response
    # httpx and requests keep what was read there; their public attributes would read from the network, or raise.
    content = _attribute(response, "_content")
    return _json(content) if isinstance(content, bytes) else None


def _plain_words(response: Any) -> list[str]:
    """A body that is no JSON, as text."""
    content = _attribute(response, "_content")
    return [content[:_LONGEST_TEXT].decode(errors="replace")] if isinstance(content, bytes) and content.strip() else []


def _json(text: str | bytes) -> Any:
    if len(text) > _LARGEST_BODY:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping | list) else None


def _levels(body: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The objects of an error body: the outer one, then those in it that describe the error."""
    if isinstance(body, str) and depth:
        body = _json(body)  # a gateway quotes the provider's body as text
    if isinstance(body, Mapping):
        yield body
        if depth < 5:
            for key in _NESTED_KEYS:
                yield from _levels(body.get(key), depth + 1)
    elif isinstance(body, list) and depth < 5:
        for item in body[:8]:
            yield from _levels(item, depth + 1)


def _codes(error: BaseException, levels: list[Mapping[str, Any]]) -> set[str]:
    values = [_attribute(error, name) for name in ("code", "type", "status")]
    values += [level.get(key) for level in levels for key in _CODE_KEYS]
    return {str(value).strip().lower() for value in values if isinstance(value, str | int) and not isinstance(value, bool)}


def _blamed(levels: list[Mapping[str, Any]]) -> list[str]:
    """The parameters that a body names: OpenAI's `param`, FastAPI's `loc`."""
    values = [level.get(key) for level in levels for key in ("param", "loc")]
    return [".".join(map(str, value)) if isinstance(value, list) else value for value in values if isinstance(value, str | list) and value]
