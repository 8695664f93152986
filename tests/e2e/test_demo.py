"""The demo, end to end: real clients over loopback HTTP, real tools, real tests; and the same command on models of the user's configuration."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lg_toolroute.cli import main
from lg_toolroute.demo.demo_models import EDITOR, LOCAL, PRIMARY, DemoServer, demo_config
from lg_toolroute.demo.project import copy_project

ROOT = Path(__file__).parents[2]

# Clients close their connections when they are collected, which is a moment after the test.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


def row(out: str, name: str) -> list[str]:
    """The cells of a row of the last table."""
    [line] = [line for line in out.splitlines() if line.strip().startswith(name)][-1:]
    return re.split(r"\s{2,}", line.strip())[1:]


def test_the_primary_alone_fails_and_the_routed_agent_mends_the_project(capsys: pytest.CaptureFixture[str]):
    assert main(["demo", "--fast"]) == 0
    out = capsys.readouterr().out
    assert row(out, "failed edits") == ["7", "0"]
    assert row(out, "turns") == ["12 (gave up)", "6"]
    assert row(out, "tests") == ["red: 13 run, 4 failed", "green: 13 run, all passed"]
    assert row(out, "written by deepseek-v4-pro")[0] == "–"
    saved = int(row(out, "spared the primary")[1])
    assert saved > 400
    alone, routed = out.split("routed: ", 1)
    assert "old text not found" in alone
    assert "deepseek" not in alone.split("primary alone:")[1]
    assert routed.count("cut in the call of 'edit', behind its path: rule 'edit' hands the call to deepseek-v4-pro") == 2
    alone_usd, routed_usd = (float(cell.removeprefix("$")) for cell in row(out, "money, no cache"))
    assert 0 < routed_usd < alone_usd
    brief, history = map(int, re.findall(r"a brief of ([\d,]+) tokens .* the\s+history of ([\d,]+)\.", out.replace(",", ""))[0])
    assert brief < history / 2
    assert int(row(out.replace(",", ""), "read by deepseek-v4-pro")[1]) < 2 * history
    assert "old text not found" not in routed


def test_the_primarys_streams_are_closed_long_before_their_end(capsys: pytest.CaptureFixture[str]):
    """What the server saw, when chunks go out one by one."""
    assert main(["demo", "--pace", "2000"]) == 0
    [seen] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("The server saw")]
    closed = [(int(at), int(of)) for at, of in re.findall(r"(\d+) of (\d+)", seen)]
    assert len(closed) == 2
    assert all(at < of / 3 for at, of in closed)


def test_a_dead_primary_is_replaced_without_web_tools_and_comes_back(capsys: pytest.CaptureFixture[str]):
    assert main(["demo", "--kill-primary", "--fast"]) == 0
    out = capsys.readouterr().out
    assert "quota: Insufficient credits" in out
    assert "gpt-oss:20b  takes over" in out
    assert "not web_fetch (tools.byModel['ollama/gpt-oss:20b'].deny)" in out
    assert "gpt-oss:20b may not run 'web_fetch'" in out
    assert "kimi-for-coding  is back" in out
    assert "counted by the day" in out.split("is back")[1]
    assert "The outage cost 1 failed request." in out
    assert row(out, "gpt-oss:20b") == ["6", "0", "read, edit, write, run_tests"]
    assert row(out, "kimi-for-coding")[1:] == ["1", "read, edit, write, run_tests, web_fetch"]


def test_an_agent_that_is_stopped_before_the_outage_fails_the_demo(capsys: pytest.CaptureFixture[str]):
    """After one turn nothing has failed yet, so no health is recorded and no cooldown is skipped."""
    assert main(["demo", "--kill-primary", "--fast", "--max-turns", "1"]) == 1
    out = capsys.readouterr().out
    assert "stopped after 1 turn\n" in out
    assert "The outage cost 0 failed requests" in out
    assert "set forward" not in out


def test_the_demo_needs_no_key_no_home_and_no_network(tmp_path: Path):
    """A proxy that leads nowhere would be used by any call that leaves this machine, and by one that should not."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "KIMI_API_KEY": "sk-real-and-secret",
        "COLUMNS": "50",
    }
    command = [sys.executable, "-m", "lg_toolroute.cli", "demo", "--fast"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sk-real" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 50
    assert list(tmp_path.iterdir()) == []


# -- models of the user's configuration -------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(None) as server:
        yield server


@pytest.fixture
def config(server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration as a user writes it, its key in the environment."""
    document = demo_config(server.base_url)
    for provider in document["models"]["providers"].values():
        provider["apiKey"] = "${DEMO_KEY}"
    monkeypatch.setenv("DEMO_KEY", "sk-of-the-user")
    path = tmp_path / "toolroute.json"
    path.write_text(json.dumps(document))
    return str(path)


def test_the_users_models_mend_the_users_folder(config: str, server: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    mine = copy_project(tmp_path / "mine")
    assert main(["demo", "--config", config, "--folder", str(mine.root), "--task", "Mend what is broken."]) == 0
    assert mine.run_tests().green
    assert "sk-of-the-user" not in capsys.readouterr().out
    assert all("Mend what is broken." in request.messages[1]["content"] for request in server.requests)
    assert {request.model for request in server.requests} == {PRIMARY.split("/")[1], EDITOR.split("/")[1]}


def test_the_comparison_works_on_a_copy_and_leaves_the_folder_alone(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    mine = copy_project(tmp_path / "mine")
    (mine.root / ".git").mkdir()
    assert main(["demo", "--config", config, "--folder", str(mine.root), "--compare", "--max-turns", "8"]) == 0
    out = capsys.readouterr().out
    assert row(out, "failed edits") == ["4", "0"]
    assert row(out, "tests") == ["red: 13 run, 4 failed", "green: 13 run, all passed"]
    assert (mine.root / ".git").is_dir()


def test_without_a_folder_the_users_models_get_the_demos_project_twice(config: str, capsys: pytest.CaptureFixture[str]):
    assert main(["demo", "--config", config, "--max-turns", "6"]) == 0
    assert row(capsys.readouterr().out, "turns") == ["6 (gave up)", "6"]


def test_tests_that_stay_red_are_a_problem(config: str, tmp_path: Path):
    mine = copy_project(tmp_path / "mine")
    assert main(["demo", "--config", config, "--folder", str(mine.root), "--max-turns", "3"]) == 1


def test_when_no_model_is_left_the_command_names_the_models_it_tried(
    server: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    document = demo_config(server.base_url)
    document["agents"]["defaults"]["model"]["fallbacks"] = []
    (tmp_path / "c.json").write_text(json.dumps(document))
    server.out_of_credit = True
    assert main(["demo", "--config", str(tmp_path / "c.json"), "--folder", str(copy_project(tmp_path / "mine").root)]) == 1
    err = capsys.readouterr().err
    assert "no model is left to answer" in err
    assert PRIMARY in err
    assert LOCAL not in err
    assert "Traceback" not in err


def test_a_rule_without_a_tool_is_shown_on_the_screen_and_not_as_a_python_warning(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    document = json.loads(Path(config).read_text())
    document["agents"]["defaults"]["model"]["toolRouting"]["exec"] = EDITOR
    Path(config).write_text(json.dumps(document))
    assert main(["demo", "--config", config, "--folder", str(copy_project(tmp_path / "mine").root)]) == 0
    seen = capsys.readouterr()
    assert "'exec' matches none of the 4 bound tools" in seen.out
    assert "UserWarning" not in seen.err


def test_a_missing_key_is_reported_before_any_request(
    config: str, server: DemoServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("DEMO_KEY")
    assert main(["demo", "--config", config]) == 1
    assert "DEMO_KEY" in capsys.readouterr().err
    assert not server.requests
