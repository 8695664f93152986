"""Whole sessions: what is known before each edit, in a session of our own and, where they are at hand, in recorded ones."""

from __future__ import annotations

import pytest

from benchmarks.bench_brief import RECORDING, Tally, follow, sessions
from benchmarks.bench_sessions import TRACES, folder
from tests.support.recorded_session import our_session

SHARE = 12
"""Recorded sessions that are followed here; `python -m benchmarks brief` follows all."""

def test_in_a_session_of_our_own_files_are_rebuilt_and_bad_edits_are_seen() -> None:
    tally = Tally()
    follow(our_session(), tally)
    assert (tally.good, tally.contained) == (6, 4)  # not contained: the edit behind the formatter, and the one behind the compaction
    assert (tally.read_in_full, tally.equal) == (3, 3)
    assert (dict(tally.failed), dict(tally.flagged)) == ({"no_match": 2}, {"no_match": 2})
    assert tally.alarms == 1  # behind the formatter


def test_in_recorded_sessions_what_is_known_suffices_for_edits() -> None:
    path = folder() / RECORDING
    if not path.is_file():
        pytest.skip(f"no recording {RECORDING} in {folder()}; set {TRACES} to its folder")
    tally = Tally()
    for events in sessions(path, SHARE):
        follow(events, tally)
    assert tally.good > 100
    assert tally.contained / tally.good >= 0.96
    assert tally.equal / tally.read_in_full >= 0.95
    assert tally.alarms / tally.good <= 0.05
    assert tally.flagged["no_match"] == tally.failed["no_match"]
    assert sorted(tally.sizes)[len(tally.sizes) // 2] <= 3_500
