"""The types of the public names, as mypy and pyright see them in a user's code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RIGHT, WRONG = HERE / "public_api.py", HERE / "misuse.py"


def mypy() -> dict[str, dict[int, str]]:
    """The errors of mypy: file, line, what it says."""
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", str(RIGHT), str(WRONG)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for line in done.stdout.splitlines():
        if match := re.match(r"(.+?):(\d+): error: (.*)", line):
            found[Path(match[1]).name][int(match[2])] = match[3]
    return found


def pyright() -> dict[str, dict[int, str]]:
    """The errors of pyright: file, line, what it says."""
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(HERE), "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for each in json.loads(done.stdout)["generalDiagnostics"]:
        if each["severity"] == "error":
            found[Path(each["file"]).name][each["range"]["start"]["line"] + 1] = each["message"]
    return found


@pytest.fixture(scope="module", params=[mypy, pyright], ids=lambda checker: checker.__name__)
def errors(request):
    return request.param()


def test_right_use_is_accepted(errors):
    assert errors.get(RIGHT.name, {}) == {}


def test_misuse_is_refused(errors):
    wrong = {number for number, line in enumerate(WRONG.read_text(encoding="utf-8").splitlines(), 1) if line.endswith("# wrong")}
    assert set(errors[WRONG.name]) == wrong, errors[WRONG.name]


def test_what_is_accepted_also_runs():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, str(RIGHT)], cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "lg_toolroute" / "py.typed").is_file()
