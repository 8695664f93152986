"""Runs the notebooks in a real kernel and writes their outputs: `make notebooks`, or `python notebooks/run.py 01_route_a_tool_call.ipynb`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
LIMIT_S = 120


def notebooks() -> list[Path]:
    """All notebooks, in order."""
    return sorted(HERE.glob("[0-9]*.ipynb"))


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook as a kernel of its own leaves it.

    Args:
        path: The notebook.

    Raises:
        CellExecutionError: A cell raised, so also where an assert does not hold.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=LIMIT_S, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}, record_timing=False)
    # The package need not be installed; the checkout is enough.
    paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return client.execute(env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)})


def shown(notebook: nbformat.NotebookNode) -> list[str]:
    """What each code cell prints and gives back, as one text; pictures are left out, because they show measured times.

    A kernel may send in several pieces what a cell prints; where they are parted is chance.

    Args:
        notebook: The notebook.
    """
    return ["".join(map(_text, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type in ("execute_result", "display_data"):
        return "" if "image/png" in output.data else str(output.data.get("text/plain", ""))
    return ""


def main(names: list[str]) -> int:
    """Runs the named notebooks, or all."""
    for path in [HERE / name for name in names] or notebooks():
        notebook = executed(path)
        notebook.metadata = nbformat.from_dict({"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}})
        nbformat.write(notebook, path)
        sys.stdout.write(f"{path.name}: {len(notebook.cells)} cells\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
