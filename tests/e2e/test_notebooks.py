"""Every committed notebook runs in a real kernel, its asserts hold, and it shows what it shows in the repository."""

from __future__ import annotations

import base64
import importlib.util
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

# The kernel is a process of its own; its sockets are closed a moment after the test.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def runner() -> Any:
    spec = importlib.util.spec_from_file_location("notebooks_run", NOTEBOOKS / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN = runner()


def test_there_are_notebooks():
    """A test without parameters would be skipped, and say nothing."""
    assert [path.name for path in RUN.notebooks()][:1] == ["01_route_a_tool_call.ipynb"]


@pytest.mark.parametrize("path", RUN.notebooks(), ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_committed(path: Path):
    committed = nbformat.read(path, as_version=4)
    assert RUN.shown(RUN.executed(path)) == RUN.shown(committed)


@pytest.mark.parametrize("path", RUN.notebooks(), ids=lambda path: path.stem)
def test_a_notebook_is_committed_with_its_outputs_and_a_picture(path: Path):
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.splitlines()[0].endswith("?"), "a notebook begins with its question"
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("assert " in cell.source for cell in code)
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error" or output.get("name") == "stderr"]
    pictures = [output.data["image/png"] for cell in code for output in cell.outputs if "image/png" in output.get("data", {})]
    assert pictures
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
