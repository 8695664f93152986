"""How long a provider asks us to wait: headers, bodies and sentences, all turned into seconds.

Known spellings, in the order in which they are believed:

| where | example |
|---|---|
| `retry-after-ms` | `1500` |
| `retry-after` | `30`, `7.5`, `Wed, 21 Oct 2026 07:28:00 GMT` |
| body, Google's `RetryInfo` | `{"retryDelay": "7.5s"}` |
| `x-ratelimit-reset*`, `ratelimit-reset`, `anthropic-ratelimit-*-reset` | `6m0s`, `20ms`, `12`, an epoch in s or ms, RFC 3339 |
| the message | `Please try again in 7.5s`, `retry after 30 seconds`, `in 1m30s` |

A date is measured against the response's own `Date` header, so that a skewed clock here does not matter, else against `now`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PIECE: Final = re.compile(
    r"(\d+(?:\.\d+)?)\s*"
    r"(ms|milliseconds?|msecs?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])",
    re.IGNORECASE,
)
_DURATION: Final = re.compile(rf"\s*(?:{_PIECE.pattern}\s*)+", re.IGNORECASE)
_SENTENCE: Final = re.compile(
    r"(?:try(?:ing)?\s+again|retry(?:ing)?|wait|available(?:\s+again)?|resets?)\s+(?:\w+\s+)?(?:in|after|for|at\s+least)?:?\s*"
    rf"(?:about\s+)?(?P<wait>(?:{_PIECE.pattern}[\s,]*(?:and\s+)?)+)",
    re.IGNORECASE,
)
_LONGEST_DURATION: Final = 100
_EPOCH_S: Final = 1_000_000_000.0
_EPOCH_MS: Final = _EPOCH_S * 1000


def wait_s(headers: Mapping[str, str], body: Any, text: str, now: float | None) -> float | None:
    """Seconds until the provider wants to be asked again; `None` when it does not say.

    Args:
        headers: The response's headers, names in lower case.
        body: The parsed body, or `None`.
        text: The error's message.
        now: Seconds since 1970, for dates; `None` leaves dates to the response's own `Date` header.
    """
    sent_at = _moment(headers.get("date", ""))
    for found in _spelled(headers, body, text, now if sent_at is None else sent_at):
        if found is not None and math.isfinite(found):
            return max(found, 0.0)
    return None


def duration_s(text: str) -> float | None:
    """Seconds of `6m0s`, `20ms`, `1 minute 30 seconds`; `None` when it is something else."""
    return _sum_s(text) if len(text) <= _LONGEST_DURATION and _DURATION.fullmatch(text) else None


def _spelled(headers: Mapping[str, str], body: Any, text: str, now: float | None) -> Iterator[float | None]:
    milliseconds = _number(headers.get("retry-after-ms", ""))
    yield None if milliseconds is None else milliseconds / 1000
    after = headers.get("retry-after", "")
    seconds = _number(after)
    yield _until(_moment(after), now) if seconds is None else seconds
    yield _retry_info(body)
    yield _reset(headers, now)
    match = _SENTENCE.search(text)
    yield _sum_s(match.group("wait")) if match else None


def _retry_info(body: Any) -> float | None:
    error = body.get("error", body) if isinstance(body, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping) and isinstance(detail.get("retryDelay"), str):
            return duration_s(detail["retryDelay"])
    return None


def _reset(headers: Mapping[str, str], now: float | None) -> float | None:
    """The longest reset among the limits that are used up; of all limits when none says what remains."""
    resets: list[float] = []
    used_up: list[float] = []
    for name, value in headers.items():
        if "ratelimit" in name and "reset" in name and (seconds := _reset_s(value, now)) is not None:
            resets.append(seconds)
            remaining = _number(headers.get(name.replace("reset", "remaining"), ""))
            if remaining is not None and remaining <= 0:
                used_up.append(seconds)
    says_what_remains = any("ratelimit" in name and "remaining" in name for name in headers)
    return max(used_up if says_what_remains else resets, default=None)


def _reset_s(value: str, now: float | None) -> float | None:
    number = _number(value)
    if number is None:
        seconds = duration_s(value)
        return _until(_moment(value), now) if seconds is None else seconds
    if number >= _EPOCH_MS:
        number /= 1000
    return _until(number, now) if number >= _EPOCH_S else number


def _until(moment: float | None, now: float | None) -> float | None:
    return None if moment is None or now is None else moment - now


def _number(text: str) -> float | None:
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _moment(text: str) -> float | None:
    """Seconds since 1970 of an HTTP date or of one by RFC 3339; `None` if the text is neither."""
    text = text.strip()
    for read in () if text.isdigit() else (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            moment = read(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _sum_s(text: str) -> float:
    total_s = 0.0
    for match in _PIECE.finditer(text):
        unit = match.group(2).lower()
        total_s += float(match.group(1)) * _UNITS["ms" if unit.startswith(("ms", "mil")) else unit[0]]
    return total_s
