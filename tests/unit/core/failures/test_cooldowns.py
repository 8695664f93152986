"""How long a cooldown lasts, and from where its numbers come."""

from __future__ import annotations

import pytest

from lg_toolroute.core.failures.cooldowns import CooldownLimits, cooldown_s, failures_to_open
from lg_toolroute.core.failures.failure import CLASSES, Failure

LIMITS = CooldownLimits()


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        ("rate_limit", [30, 60, 120, 240, 300, 300]),
        ("quota", [600, 1200, 2400, 3600, 3600]),
        ("timeout", [30, 60, 120, 240, 300, 300]),
        ("auth", [600, 600, 600]),
    ],
)
def test_each_cooldown_in_a_row_is_twice_as_long_up_to_its_cap(cls, expected):
    assert [cooldown_s(Failure(cls), row, LIMITS) for row in range(len(expected))] == expected


def test_a_thousand_cooldowns_in_a_row_are_still_a_number():
    assert cooldown_s(Failure("rate_limit"), 10_000, LIMITS) == 300


def test_a_lasting_failure_opens_at_once_a_transient_one_after_a_few_and_no_other_ever():
    needed = {cls: failures_to_open(cls, CooldownLimits(transient_after=3)) for cls in CLASSES}
    at_once, transient = {"rate_limit", "quota", "auth"}, {"overloaded", "server_error", "timeout", "connection"}
    assert needed == {cls: 1 if cls in at_once else 3 if cls in transient else None for cls in CLASSES}


@pytest.mark.parametrize(
    ("asked_s", "kept_s"), [(0.0, 1.0), (0.02, 1.0), (7.5, 7.5), (45.0, 45.0), (7200.0, 3600.0), (float("inf"), 3600.0), (-3.0, 1.0)]
)
def test_retry_after_is_believed_between_a_second_and_an_hour(asked_s, kept_s):
    assert cooldown_s(Failure("rate_limit", retry_after_s=asked_s), 0, LIMITS) == kept_s


def test_retry_after_that_is_no_number_is_not_believed():
    assert cooldown_s(Failure("rate_limit", retry_after_s=float("nan")), 0, LIMITS) == 30


def test_retry_after_may_only_prolong_a_quota_cooldown():
    assert cooldown_s(Failure("quota", retry_after_s=5.0), 0, LIMITS) == 600
    assert cooldown_s(Failure("quota", retry_after_s=1800.0), 0, LIMITS) == 1800


def test_limits_are_taken_from_any_object_with_their_names():
    class Settings:
        rate_limit_s = 3.0
        transient_after = 5
        unrelated = "x"

    assert CooldownLimits.of(Settings()) == CooldownLimits(rate_limit_s=3.0, transient_after=5)
    assert CooldownLimits.of(None) == CooldownLimits()
    limits = CooldownLimits(quota_s=1.0)
    assert CooldownLimits.of(limits) is limits
