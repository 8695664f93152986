"""How long a provider asks us to wait, in all its spellings."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from lg_toolroute.core.failures.wait import duration_s, wait_s

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "7.5"}, 7.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "30"}, 1.5),
        ({"retry-after": formatdate(NOW + 90, usegmt=True)}, 90.0),
        ({"retry-after": formatdate(NOW - 90, usegmt=True)}, 0.0),
        ({"retry-after": formatdate(NOW + 1090, usegmt=True), "date": formatdate(NOW + 1000, usegmt=True)}, 90.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, 360.0),
        ({"x-ratelimit-reset-tokens": "20ms", "x-ratelimit-remaining-tokens": "0"}, 0.02),
        (
            {
                "x-ratelimit-reset-requests": "1h",
                "x-ratelimit-remaining-requests": "99",
                "x-ratelimit-reset-tokens": "7.66s",
                "x-ratelimit-remaining-tokens": "0",
            },
            7.66,
        ),
        ({"x-ratelimit-reset-requests": "1h", "x-ratelimit-remaining-requests": "99"}, None),
        ({"x-ratelimit-reset": str(int(NOW + 12))}, 12.0),
        ({"x-ratelimit-reset": str(int((NOW + 12) * 1000))}, 12.0),
        ({"ratelimit-reset": "45"}, 45.0),
        ({"anthropic-ratelimit-tokens-reset": "2026-11-18T15:07:00Z", "anthropic-ratelimit-tokens-remaining": "0"}, 1_795_014_420.0 - NOW),
        ({"x-ratelimit-reset": "whenever"}, None),
    ],
)
def test_the_wait_is_read_from_any_header(headers, seconds):
    assert wait_s(headers, None, "", NOW) == (seconds if seconds is None else pytest.approx(seconds))


def test_a_date_without_any_clock_says_nothing():
    assert wait_s({"retry-after": formatdate(NOW, usegmt=True)}, None, "", None) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached. Please try again in 7.5s.", 7.5),
        ("Please try again in 20ms. Visit https://example.com", 0.02),
        ("Please try again in 1m30.5s", 90.5),
        ("try again in 6m0s", 360.0),
        ("Retry after 30 seconds", 30.0),
        ("Please retry in 42.186s.", 42.186),
        ("please wait 2 minutes and 5 seconds before retrying", 125.0),
        ("limit resets in 3 hours", 10_800.0),
        ("try again in 2 days", 172_800.0),
        ("try again later", None),
        ("we waited 30 s", None),
    ],
)
def test_the_wait_is_read_from_the_message(text, seconds):
    assert wait_s({}, None, text, None) == (seconds if seconds is None else pytest.approx(seconds))


def test_google_s_retry_info_is_read_from_the_body():
    body = {"error": {"code": 429, "details": [{"@type": "x.QuotaFailure"}, {"@type": "x.RetryInfo", "retryDelay": "13.5s"}]}}
    assert wait_s({}, body, "", None) == 13.5


def test_durations_are_whole_texts():
    assert duration_s("1h2m3s") == 3723.0
    assert duration_s("12") is None
    assert duration_s("") is None
    assert duration_s("3 s tomorrow") is None
