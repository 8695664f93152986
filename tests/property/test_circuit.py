"""Laws of a circuit that hold after any sequence of reports and claims, also when clocks jump."""

from __future__ import annotations

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.core.failures.circuit import CLOSED, Circuit, after_claim, after_report
from lg_toolroute.core.failures.cooldowns import CooldownLimits
from lg_toolroute.core.failures.failure import CLASSES, Failure
from lg_toolroute.core.failures.stored_circuit import read_circuit, write_circuit

SKEW_S = 5.0

seconds = st.floats(min_value=0.01, max_value=2000.0, allow_nan=False)
limits_ = st.builds(
    CooldownLimits,
    rate_limit_s=seconds,
    rate_limit_max_s=seconds,
    quota_s=seconds,
    quota_max_s=seconds,
    transient_after=st.integers(1, 4),
    transient_s=seconds,
    transient_max_s=seconds,
    auth_s=seconds,
    probe_timeout_s=seconds,
)
waits = st.none() | st.floats(allow_nan=True, allow_infinity=True)
tools = st.sampled_from([None, "edit", "write"])
failures = st.builds(lambda cls, wait: Failure(cls, "x", retry_after_s=wait), st.sampled_from(CLASSES), waits)
events = st.just("claim") | st.tuples(st.none() | failures, tools)
forwards = st.floats(min_value=0.0, max_value=500.0)
jumps = st.floats(min_value=-1e7, max_value=1e7, allow_nan=False)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(write_circuit(CLOSED))), inner, max_size=12),
    max_leaves=15,
)


def play(history, limits: CooldownLimits, start: float = 1_000_000.0) -> tuple[Circuit, float]:
    circuit, now = CLOSED, start
    for step_s, event in history:
        now += step_s
        circuit = after_claim(circuit, now, limits) if event == "claim" else after_report(circuit, *event, now, limits)
    return circuit, now


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(jumps, events), max_size=25), limits_)
def test_no_model_is_blocked_beyond_the_longest_window_whatever_clocks_do(history, limits):
    circuit, now = play(history, limits)
    longest_s = max(limits.longest_s, limits.probe_timeout_s)
    blocked = circuit.blocked(now)
    if blocked is not None:
        assert 0 < blocked[1] <= longest_s + 1e-6  # a moment near a million has 1e-10 s of rounding
    # From here on the clock runs as it should: one window, a difference between clocks, and one claim that is never reported on.
    later = now + limits.longest_s + limits.probe_timeout_s + 2 * SKEW_S
    assert circuit.blocked(later) is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(jumps, events), max_size=25), limits_, tools)
def test_a_success_always_closes(history, limits, tool):
    circuit, now = play(history, limits)
    after = after_report(circuit, None, tool, now, limits)
    assert after.blocked(now) is None
    assert after.state(now) == "closed"
    assert (after.opened, after.failures) == (0, 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(forwards, events), max_size=25), limits_)
def test_a_cooldown_lasts_no_longer_than_its_cap(history, limits):
    circuit, _ = play(history, limits)
    assert circuit.until - circuit.since <= limits.longest_s + 1e-6


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(jumps, events), max_size=25), limits_)
def test_a_circuit_round_trips_through_json(history, limits):
    circuit, _ = play(history, limits)
    assert read_circuit(json.loads(json.dumps(write_circuit(circuit))), limits) == (circuit, None)


@settings(max_examples=60, deadline=None)
@given(limits_, st.sampled_from(["rate_limit", "quota", "auth", "timeout"]), st.lists(st.floats(0.001, 50.0), min_size=20, max_size=120))
def test_a_dead_primary_is_asked_at_most_once_a_window(limits, cls, steps):
    """Callers come at any times, ask when they may, and always meet the same failure: between two asks lies a whole cooldown."""
    circuit, now, asked = CLOSED, 0.0, []
    for step_s in steps:
        now += step_s
        if circuit.opened:
            claimed = after_claim(circuit, now, limits)
            if claimed is circuit:
                continue
            circuit = claimed
            asked.append((now, circuit.since, circuit.until))
        circuit = after_report(circuit, Failure(cls), None, now, limits)
    for (earlier, _, _), (later, since, until) in itertools.pairwise(asked):
        assert since == earlier
        assert later >= until


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(jumps, events), max_size=15), limits_, jumps, st.integers(2, 8))
def test_of_several_claims_at_one_moment_at_most_one_is_granted(history, limits, jump_s, claims):
    circuit, now = play(history, limits)
    now += jump_s
    granted = 0
    for _ in range(claims):
        after = after_claim(circuit, now, limits)
        granted += after is not circuit
        circuit = after
    assert granted <= 1


@settings(max_examples=100, deadline=None)
@given(anything)
def test_any_value_of_a_store_is_read_without_an_error(value):
    limits = CooldownLimits()
    if isinstance(value, dict):
        value = {**write_circuit(CLOSED), **value, "format": 1}
    circuit, wrong = read_circuit(value, limits)
    assert wrong is None or circuit is CLOSED
    assert circuit.blocked(1e9) is None or circuit.blocked(1e9)[1] <= limits.longest_s
