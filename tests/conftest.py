"""Options and checks for the whole test run.

- `--whole` runs every cell of the large matrices, and Hypothesis draws other examples each time. Without it a fixed sample of each matrix is run
  (`tests/support/sampling.py`), and Hypothesis draws the same examples in every run.
- A test process that uses more memory than `tests.support.memory.LIMIT_MB` fails the run.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.support import authorities, memory, sampling

PEAKS = pytest.StashKey[dict[str, float]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="run every cell of the large matrices, and LangChain's whole test suite")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "matrix(one_in): without --whole, run one of so many combinations of the parameters; each value is among them")
    config.stash[PEAKS] = {}
    authorities.load_one_only(config.rootpath / ".pytest_cache")
    if config.getoption("whole"):
        os.environ[sampling.VARIABLE] = "1"
    else:
        settings.register_profile("sample", derandomize=True)
        settings.load_profile("sample")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    names_one_test = any("::" in str(argument) for argument in config.args)
    if not sampling.whole() and not names_one_test and (dropped := sampling.keep_sample(items)):
        config.hook.pytest_deselected(items=dropped)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object) -> None:
    output = getattr(node, "workeroutput", {})
    if "peak_mb" in output:
        node.config.stash[PEAKS][node.gateway.id] = output["peak_mb"]  # type: ignore[attr-defined]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["peak_mb"] = memory.peak_mb()
        return
    peaks = session.config.stash[PEAKS]
    peaks["main"] = memory.peak_mb()
    if max(peaks.values()) > memory.LIMIT_MB and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    peaks = config.stash[PEAKS]
    said = ", ".join(f"{name} {peak:.0f} MB" for name, peak in sorted(peaks.items()))
    terminalreporter.write_line(f"peak memory of each test process: {said} (limit {memory.LIMIT_MB} MB)")
    if over := sorted(name for name, peak in peaks.items() if peak > memory.LIMIT_MB):
        terminalreporter.write_line(f"FAILED: {', '.join(over)} used more than {memory.LIMIT_MB} MB", red=True)
