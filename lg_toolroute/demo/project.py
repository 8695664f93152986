"""The demo's project, a timesheet with two bugs and a test suite that shows them, and working copies of a project."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lg_toolroute.demo.folder import UNITTEST, Folder

PROJECT = Path(__file__).parent / "demo_project"

TASK = "The tests are red. Mend the code, not the tests."

PROMPT = (
    "You mend the project in your folder. Run the tests, read the code that the traces lead to, say what is wrong, change it with edit, "
    "and run the tests again. Change as little as you can. Say what you do in a sentence before you do it."
)

_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".mypy_cache")


def copy_project(target: Path, source: Path = PROJECT) -> Folder:
    """Copies a project, without its repository, environments and caches.

    Args:
        target: A folder that does not exist yet.
        source: The project; unset: the demo's.
    """
    # Links are copied as links: what they point to is outside of the copy, where no tool reaches.
    shutil.copytree(source, target, symlinks=True, ignore=_NOT_COPIED)
    return Folder(target)


@contextmanager
def working_copy(source: Path = PROJECT, test_command: Sequence[str] = UNITTEST) -> Iterator[Folder]:
    """A copy of a project in a temporary folder, which is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="toolroute-") as name:
        copy = copy_project(Path(name) / source.resolve().name, source)
        yield Folder(copy.root, test_command)
