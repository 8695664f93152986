"""LangChain's own tests, from the source distribution of the installed version.

`make` puts them into the environment with `python -m tests.support.langchain_source`. They are no part of this repository.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.support.authorities import environment_with_all

EXTRAS = ("pytest-mock", "syrupy", "vcrpy", "pytest-recording", "pytest-socket", "blockbuster", "toml")
"""What LangChain's tests import beside what the tests of this project do."""

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"
"""Names the version of each of them."""

VERSION = importlib.metadata.version("langchain")
PLACE = Path(sys.prefix) / "langchain-tests"
SUITE = PLACE / f"langchain-{VERSION}"
PACKAGES = PLACE / "packages"


def fetch() -> None:
    """Download the source distribution and the packages that its tests need, unless they are there.

    Raises:
        RuntimeError: pip could not get them.
    """
    if SUITE.exists():
        return
    PLACE.mkdir(exist_ok=True)
    _pip("install", "--no-deps", "--upgrade", "--constraint", str(CONSTRAINTS), "--target", str(PACKAGES), *EXTRAS)
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        _pip("download", "--no-deps", "--no-binary", "langchain", f"langchain=={VERSION}", "--dest", folder)
        with tarfile.open(next(Path(folder).glob("langchain-*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        (Path(folder) / SUITE.name).rename(SUITE)


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment_with_all())
    if done.returncode:
        raise RuntimeError(f"pip {words[0]} failed: {done.stderr.strip()}")


if __name__ == "__main__":
    fetch()
