"""LangChain's own tests for `create_agent`, with the routing in every agent they build.

The tests are taken from the source distribution of the installed LangChain when this runs, and stay in a temporary folder. It takes about
three minutes, so it runs on demand: `make langchain-suite`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.e2e.langchain_suite.expected import EVERYTHING

pytestmark = pytest.mark.skipif(not os.environ.get("LG_TOOLROUTE_LANGCHAIN_SUITE"), reason="runs on demand: make langchain-suite")

ROOT = Path(__file__).parents[3]
FOLDER = "tests/unit_tests/agents"
EXTRAS = ("pytest-mock", "syrupy", "vcrpy", "pytest-recording", "pytest-socket", "blockbuster", "toml")
"""What LangChain's tests import beside what ours do."""


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pip {words[0]} did not work here: {done.stderr.strip().splitlines()[-1:] or done.returncode}")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution, and beside it what its tests need."""
    folder = tmp_path_factory.mktemp("langchain")
    version = importlib.metadata.version("langchain")
    pip("download", "--no-deps", "--no-binary", "langchain", f"langchain=={version}", "--dest", str(folder))
    pip("install", "--no-deps", "--target", str(folder / "extras"), *EXTRAS)
    with tarfile.open(next(folder.glob("langchain-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"langchain-{version}"


@pytest.fixture(scope="module")
def untouched(suite: Path) -> dict[str, str]:
    return outcomes(suite, "off")


def outcomes(suite: Path, routes: str) -> dict[str, str]:
    """Each test's outcome in a run of its own process, with no keys in its environment."""
    result = suite.parent / f"{routes}.json"
    kept = {key: value for key, value in os.environ.items() if not key.endswith(("_API_KEY", "_TOKEN")) and not key.startswith("PYTEST_")}
    environ = {
        **kept,
        "SUITE_ROUTES": routes,
        "SUITE_OUTCOMES": str(result),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(ROOT), str(suite.parent / "extras")]),
    }
    command = [sys.executable, "-m", "pytest", "-p", "agents_plugin", "-p", "no:cacheprovider", "-p", "no:benchmark", "-q", "-o", "addopts=", FOLDER]
    done = subprocess.run(command, cwd=suite, env=environ, capture_output=True, text=True, check=False, timeout=900)
    assert result.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, str] = json.loads(result.read_text())
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert len(before) > 1000
    assert before.keys() == after.keys()
    return {test.removeprefix(f"{FOLDER}/").partition("[")[0] for test in before if before[test] != after[test]}


def test_a_router_without_rules_changes_no_outcome(suite: Path, untouched: dict[str, str]) -> None:
    assert changed(untouched, outcomes(suite, "nothing")) == set()


def test_routing_every_tool_to_an_equal_model_changes_the_listed_outcomes_only(suite: Path, untouched: dict[str, str]) -> None:
    assert changed(untouched, outcomes(suite, "everything")) == set(EVERYTHING)
