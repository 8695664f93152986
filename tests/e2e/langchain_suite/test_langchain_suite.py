"""LangChain's own tests for `create_agent`, with the routing in every agent they build.

`make test` runs a fixed sample of them in one process: some of each file, and all whose outcome is expected to change. `make test-all` runs
all, each mode in a process of its own, so that agents which are built when a module is imported have the routing too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.langchain_suite.expected import EVERYTHING, FOLDER, name_of
from tests.support import langchain_source
from tests.support.sampling import whole

ROOT = Path(__file__).parents[3]
MODES = ("off", "nothing", "everything")
ONE_IN = 12
"""In the sample is one test of so many in each file."""

FEWEST = {True: 1000, False: 100}
"""Tests that have to run at least: the whole suite, the sample. Fewer means that the suite was not found."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Each test's outcome by mode."""
    try:
        langchain_source.fetch()
    except RuntimeError as error:
        # `make` stops where it cannot get the suite; this is for a plain pytest without a network.
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("langchain")
    found: dict[str, dict[str, str]] = {}
    for modes in MODES if whole() else [",".join(MODES)]:
        found |= outcomes_in(modes, folder / f"{modes}.json")
    return found


def outcomes_in(modes: str, result: Path) -> dict[str, dict[str, str]]:
    """The outcomes in a process of its own, with no keys in its environment."""
    kept = {key: value for key, value in os.environ.items() if not key.endswith(("_API_KEY", "_TOKEN")) and not key.startswith("PYTEST_")}
    environment = {
        **kept,
        "SUITE_MODES": modes,
        "SUITE_ONE_IN": "1" if whole() else str(ONE_IN),
        "SUITE_OUTCOMES": str(result),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(ROOT), str(langchain_source.PACKAGES)]),
    }
    command = [sys.executable, "-m", "pytest", "-p", "agents_plugin", "-p", "no:cacheprovider", "-p", "no:benchmark", "-q", "-o", "addopts=", FOLDER]
    done = subprocess.run(command, cwd=langchain_source.SUITE, env=environment, capture_output=True, text=True, check=False, timeout=900)
    said = done.stdout[-3000:] + done.stderr[-3000:]
    assert done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), said
    found: dict[str, dict[str, str]] = json.loads(result.read_text())
    assert all(len(each) >= FEWEST[whole()] for each in found.values()), said
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name_of(test) for test in before if before[test] != after[test]}


def test_a_router_without_rules_changes_no_outcome(outcomes: dict[str, dict[str, str]]) -> None:
    assert changed(outcomes["off"], outcomes["nothing"]) == set()


def test_routing_every_tool_to_an_equal_model_changes_the_listed_outcomes_only(outcomes: dict[str, dict[str, str]]) -> None:
    assert changed(outcomes["off"], outcomes["everything"]) == set(EVERYTHING)


def test_the_packages_that_the_suite_needs_are_pinned():
    pinned = {line.partition("==")[0] for line in langchain_source.CONSTRAINTS.read_text().splitlines() if "==" in line}
    assert not set(langchain_source.EXTRAS) - pinned
