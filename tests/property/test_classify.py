"""Laws of classification that hold for errors that were never seen before."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.failure import CLASSES, LONGEST_TEXT, TERMINAL
from lg_toolroute.core.failures.redact import mask
from lg_toolroute.core.failures.wait import duration_s, wait_s
from lg_toolroute.core.turn.escalation import escalation, pick_start

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["error", "message", "code", "type", "status", "details", "metadata", "raw", "retryDelay"]), inner, max_size=4),
    max_leaves=12,
)
attributes = st.dictionaries(
    st.sampled_from(["status_code", "code", "type", "status", "body", "details", "error", "response", "headers", "_content"]), values, max_size=6
)
kinds = st.sampled_from([Exception, ValueError, KeyError, TypeError, OSError, TimeoutError, ConnectionError, RuntimeError, StopIteration])


def made(kind: type[Exception], message: str, given_: dict[str, object]) -> Exception:
    error = type("Strange", (kind,), {})(message)
    for name, value in given_.items():
        error.__dict__[name] = value
    return error


@settings(max_examples=200, deadline=None)
@given(kinds, st.text(max_size=80), attributes, st.none() | st.floats(allow_nan=False))
def test_no_error_is_too_strange_to_be_classified(kind, message, given_, now):
    error = made(kind, message, given_)
    error.__cause__ = made(kind, message, given_.get("body") if isinstance(given_.get("body"), dict) else {})
    found = classify(error, now=now)
    assert found.cls in CLASSES
    assert found.next_candidate is (found.cls not in TERMINAL)
    assert found.retry_after_s is None or (math.isfinite(found.retry_after_s) and found.retry_after_s >= 0)
    assert found.status is None or 400 <= found.status <= 599
    assert len(found.text) <= LONGEST_TEXT
    assert "\n" not in found.text


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date", "x-ratelimit-reset", "x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"]),
        st.text(max_size=30) | st.floats().map(str) | st.integers(-(10**15), 10**15).map(str),
    ),
    values,
    st.text(max_size=60),
    st.none() | st.floats(),
)
def test_a_wait_is_a_finite_number_of_seconds_or_unknown(headers, body, text, now):
    found = wait_s(headers, body, text, now)
    assert found is None or (math.isfinite(found) and found >= 0)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_pieces(hours, minutes, seconds):
    assert duration_s(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@settings(max_examples=100, deadline=None)
@given(
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=16, max_size=60),
    st.sampled_from(["Bearer {}", "https://u:{}@host/v1", "?api_key={}&x=1", "'x-api-key': '{}'", "key sk-{} is wrong", "token AIza{}"]),
    st.text(" abc.,", max_size=10),
)
def test_a_secret_in_a_known_place_never_survives(secret, place, around):
    assert secret not in mask(around + " " + place.format(secret) + " " + around)


calls = st.lists(st.tuples(st.sampled_from(["edit", "read"]), st.sampled_from("abc"), st.booleans()), max_size=20)


@settings(max_examples=150, deadline=None)
@given(calls, st.integers(1, 4))
def test_escalation_looks_only_at_the_tool_since_its_last_success(results, after):
    found = escalation(results, "edit", after)
    own = [result for result in results if result[0] == "edit"]
    last_success = max((index for index, result in enumerate(own) if not result[2]), default=-1)
    row = own[last_success + 1 :]
    assert found == escalation(row, "edit", after)
    assert found.steps <= len(row)
    assert found.steps >= len(row) // after
    assert bool(found.reason) == bool(found.steps)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abcdef"), unique=True, max_size=6), st.integers(-1, 8), st.sampled_from([None, "a", "z"]))
def test_an_escalated_chain_has_the_same_candidates_and_perhaps_the_one_named(chain, steps, to):
    found = pick_start(chain, steps, to)
    assert len(found) == len(set(found))
    assert set(found) - set(chain) <= {to}
    assert set(chain) <= set(found)
