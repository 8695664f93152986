"""A circuit in a store: written, read again, and read with care."""

from __future__ import annotations

import json
import pickle

import pytest

from lg_toolroute.core.failures.circuit import CLOSED, Circuit, after_claim, after_report
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.failures.stored_circuit import read_circuit, write_circuit

LIMITS = CooldownLimits()


def troubled() -> Circuit:
    """A circuit with something in each of its fields."""
    incapable = after_report(CLOSED, Failure("no_tool_support", "words"), None, 0.0, LIMITS)
    counted = after_report(incapable, Failure("truncated"), "edit", 1.0, LIMITS)
    return after_claim(after_report(counted, Failure("rate_limit", "words"), None, 2.0, LIMITS), 40.0, LIMITS)


def test_a_circuit_survives_json_and_pickle():
    circuit = troubled()
    assert read_circuit(json.loads(json.dumps(write_circuit(circuit))), LIMITS) == (circuit, None)
    assert pickle.loads(pickle.dumps(circuit)) == circuit


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (None, "not a mapping"),
        (["a"], "not a mapping"),
        ({}, "format None"),
        ({"format": 2}, "format 2"),
        ({"opened": -1}, "not a count"),
        ({"opened": True}, "not a count"),
        ({"opened": 10**12}, "not a count"),
        ({"until": float("inf")}, "not a moment"),
        ({"until": float("nan")}, "not a moment"),
        ({"until": "soon"}, "not a moment"),
        ({"until": 10**400}, "OverflowError"),
        ({"since": 1e9}, "ends before it begins"),
        ({"cls": "nonsense"}, "not a failure class"),
        ({"cls": ["rate_limit"]}, "not a failure class"),
        ({"incapable_of": [["rate_limit", "x", 0.0, 1.0, 1]]}, "not a failure class"),
        ({"incapable_of": [["no_tool_support", "x", 2.0, 1.0, 1]]}, "ends before it begins"),
        ({"incapable_of": [["no_tool_support", "x"]]}, "ValueError"),
        ({"incapable_of": 7}, "TypeError"),
        ({"pairs": {"edit": [1]}}, "ValueError"),
        ({"pairs": [1]}, "AttributeError"),
        ({"pairs": {"edit": [1, 1, "bug"]}}, "not a failure class"),
    ],
)
def test_what_cannot_be_read_is_a_closed_circuit_and_says_what_was_wrong(change, complaint):
    value = {**write_circuit(troubled()), **change} if isinstance(change, dict) and change else change
    circuit, wrong = read_circuit(value, LIMITS)
    assert circuit is CLOSED
    assert complaint in wrong


def test_a_missing_key_is_unreadable():
    for key in write_circuit(troubled()):
        value = write_circuit(troubled())
        del value[key]
        assert read_circuit(value, LIMITS)[0] is CLOSED


def test_a_cooldown_longer_than_our_own_limits_allow_is_cut_to_them():
    long = after_report(CLOSED, Failure("auth"), None, 0.0, CooldownLimits(auth_s=86_400.0))
    circuit, wrong = read_circuit(write_circuit(long), LIMITS)
    assert wrong is None
    assert long.until == 86_400
    assert circuit.until == LIMITS.longest_s == 3600
