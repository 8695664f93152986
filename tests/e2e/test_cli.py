"""The command as a process of its own: exit codes, pipes, and what it does not load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = '{"model": {"primary": "kimi/kimi-for-coding"}, "toolRouting": {"edit": "deepseek/deepseek-v4-pro"}}'


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "toolroute.json").write_text(CONFIG)
    return tmp_path


def environ(home: Path, **more: str) -> dict[str, str]:
    """An empty home, no keys, no terminal."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), **more}


def run(here: Path, *argv: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "lg_toolroute.cli", *argv]
    return subprocess.run(command, cwd=here, env=environ(here, **more), capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)


def test_exit_codes_are_0_without_problems_1_with_problems_2_for_a_wrong_command_line(here: Path):
    assert run(here, "explain", "edit").returncode == 0
    assert run(here, "check", "nope.toml").returncode == 1
    assert run(here, "frob").returncode == 2


@pytest.mark.parametrize("argv", [["schema"], ["explain", "edit"]], ids=["long", "short"])
def test_a_reader_that_leaves_early_is_no_error(here: Path, argv: list[str]):
    """`lg-toolroute schema | head -1`; a short text is still in the buffer when the reader has gone."""
    command = [sys.executable, "-m", "lg_toolroute.cli", *argv]
    process = subprocess.Popen(command, cwd=here, env=environ(here), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0
    assert b"Traceback" not in errors
    assert b"BrokenPipe" not in errors


def test_a_terminal_that_cannot_show_a_character_is_no_error(here: Path):
    done = run(here, "explain", "edit", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "edit ? deepseek/deepseek-v4-pro" in done.stdout


def test_explain_and_audit_load_neither_langgraph_nor_a_client(here: Path):
    code = (
        "import sys; from lg_toolroute.cli import main; main(['explain', 'edit']); main(['audit'])\n"
        "print([name for name in ('langgraph', 'langchain_core', 'openai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=here, env=environ(here), capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
