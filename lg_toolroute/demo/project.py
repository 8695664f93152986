"""The demo's project: a timesheet with two bugs and a test suite that shows them, copied to a folder of its own for each session."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from lg_toolroute.demo.folder import Folder

TASK = "The tests are red. Mend the code, not the tests."

PROMPT = (
    "You mend the project in your folder. Run the tests, read the code that the traces lead to, say what is wrong, change it with edit, "
    "and run the tests again. Change as little as you can. Say what you do in a sentence before you do it."
)


def copy_project(target: Path) -> Folder:
    """Copies the demo's project.

    Args:
        target: A folder that does not exist yet, or is empty.
    """
    with as_file(files("lg_toolroute.demo").joinpath("demo_project")) as source:
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return Folder(target)


@contextmanager
def project_copy() -> Iterator[Folder]:
    """A copy of the demo's project that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="toolroute-") as name:
        yield copy_project(Path(name) / "timesheet")
