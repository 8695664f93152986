"""Every benchmark runs and reports its figures. No time is asserted: what a machine takes is no property of the code."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.__main__ import document, main
from benchmarks.agents import question
from benchmarks.bench_brief import RECORDING
from benchmarks.bench_chains import outage, stock_outage
from benchmarks.bench_sessions import TRACES, replay
from benchmarks.bench_targets import Figure
from benchmarks.cases import CASES, sessions
from benchmarks.catalogue import CATALOGUE
from benchmarks.profiling import profiled
from benchmarks.report import Promise, Report, Table
from benchmarks.rounds import interleaved
from tests.support.recorded_session import our_session

BEFORE = ("Look.", [("Read", {"path": "a.py"})])
WRITTEN = {"path": "a.py", "text": "x" * 4_000}


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """A folder with one recorded session, of a call that is short and one that is long and would be cut, and one of edits."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Fix it."}]
    for number, (words, calls) in enumerate([BEFORE, ("", [("Write", WRITTEN)]), ("Done.", [])]):
        made = [{"id": f"c{number}", "function": {"name": name, "arguments": json.dumps(args)}} for name, args in calls]
        messages.append({"role": "assistant", "content": words, "tool_calls": made})
        messages += [{"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in made]
    (tmp_path / "replay_claude_code.jsonl").write_text(json.dumps({"messages": messages}) + "\n", encoding="utf-8")
    with gzip.open(tmp_path / RECORDING, "wt", encoding="utf-8") as file:
        file.write(json.dumps({"events": our_session()}) + "\n")
    monkeypatch.setenv(TRACES, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_benchmark_runs_and_reports_figures(name, recordings):
    report = CATALOGUE[name](True)
    assert report.name == name
    assert not report.skipped
    assert report.tables
    assert report.figures
    assert all(math.isfinite(value) for value in report.figures.values())
    for table in report.tables:
        assert table.rows
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert report.kept, [promise for promise in report.promises if not promise.kept]
    assert report.question in str(report)


def test_the_command_prints_and_writes_what_was_asked_for(capsys, tmp_path, recordings):
    written = tmp_path / "figures.json"
    assert main(["--quick", "--json", str(written), "sessions"]) == 0
    assert "Edit, Write" in capsys.readouterr().out
    found = json.loads(written.read_text(encoding="utf-8"))
    assert list(found["reports"]) == ["sessions"]
    assert found["quick"] is True
    assert found["versions"]["langgraph"]


def test_an_unknown_benchmark_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["speed"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert all(name in said for name in ("'speed'", *CATALOGUE))


def test_the_package_of_another_checkout_is_measured_when_it_is_named(tmp_path):
    (tmp_path / "lg_toolroute").mkdir()
    (tmp_path / "lg_toolroute" / "__init__.py").write_text("raise RuntimeError('this is the other checkout')\n", encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks", "--tree", str(tmp_path), "--quick", "targets"]
    assert "this is the other checkout" in subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_a_folder_without_the_package_is_no_checkout(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--tree", str(tmp_path), "targets"])
    assert "there is no lg_toolroute in" in capsys.readouterr().err


def test_a_profile_names_the_functions_and_packages_of_a_turn(capsys):
    assert main(["profile", "graph-idle", "--sessions", "4", "--top", "3"]) == 0
    said = capsys.readouterr().out
    assert CASES["graph-idle"].label in said
    assert "langgraph/pregel/main.py" in said
    found = profiled("middleware-idle", repeats=2)
    assert sum(sum(each.packages.values()) for each in found) == pytest.approx(sum(each.own_us for each in found), rel=0.01)


@pytest.mark.parametrize(("by_hand", "routed"), [("same-nodes", "graph-idle"), ("two-calls", "graph-routed")])
def test_a_graph_by_hand_passes_the_same_nodes_as_the_routed_graph(by_hand, routed):
    passed = {
        name: [node for update in one.agent.stream(question(), stream_mode="updates") for node in update]
        for name, one in sessions((by_hand, routed), 2).items()
    }
    assert passed[by_hand] == passed[routed]
    assert len(passed[routed]) > 20


def test_a_target_is_the_most_or_the_least_that_a_ratio_may_be():
    def figure(ratio: float, limit: float, sense: Any) -> Figure:
        return Figure("a turn", ratio, (ratio, ratio), "1 ms", "1 ms", limit, sense)

    assert [figure(ratio, 1.1, "≤").kept for ratio in (1.0, 1.1, 1.2)] == [True, True, False]
    assert [figure(ratio, 0.95, "≥").kept for ratio in (0.9, 0.95, 1.0)] == [False, True, True]


def test_without_recordings_their_benchmark_says_why_it_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setenv(TRACES, str(tmp_path))
    report = CATALOGUE["sessions"](True)
    assert TRACES in report.skipped
    assert report.skipped in str(report)


def test_replaying_counts_what_the_primary_would_not_have_written(recordings):
    tally = replay(recordings / "replay_claude_code.jsonl", ("Edit", "Write"), None)
    assert (tally.sessions, tally.answers, tally.cuts) == (1, 3, 1)
    assert tally.written - tally.streamed == len(json.dumps(WRITTEN))


def test_a_dead_primary_is_asked_once_a_window_and_by_others_every_turn():
    failed, answered, silence = outage(turns=40, turn_s=10.0)
    assert answered == 40
    assert failed == 5  # two to open the circuit, then one after 30, 60 and 120 s; 240 s are not over yet
    assert silence == 12
    assert stock_outage(turns=10) == (10, 10)


def test_cases_are_interleaved_and_compared_with_the_first():
    moment = [0.0]
    order: list[str] = []

    def taking(name: str, seconds: float):
        def work() -> None:
            order.append(name)
            moment[0] += seconds

        return work

    found = interleaved({"one": taking("one", 1.0), "two": taking("two", 2.0)}, rounds=3, units=2, warm=1, clock=lambda: moment[0])
    assert order == ["one", "two", "one", "two", "two", "one", "one", "two"]
    assert found["one"].ratio == 1.0
    assert found["two"].middle == (2.0, 2.0)
    assert found["two"].ratio == found["two"].best_ratio == 2.0
    assert found["two"].median_s == 1.0


def test_a_broken_promise_shows():
    report = Report("x", "how long?", [Table("t", ("a", "b"), (("case", 0.5), ("none", None)))], {}, [Promise("fast", "slow", kept=False)])
    assert not report.kept
    assert "NOT KEPT: fast (slow)" in str(report)
    assert "0.50" in str(report)
    assert document([report], quick=False)["reports"]["x"]["promises"][0]["kept"] is False
