"""Tables in the documentation that the tests print: written with `LG_TOOLROUTE_WRITE_DOCS=1`, and compared otherwise."""

from __future__ import annotations

import os
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def check_table(page: str, name: str, table: str) -> None:
    """The table between the markers `<!-- name -->` and `<!-- /name -->` of a page is the one that was measured.

    Args:
        page: The file in `docs/`.
        name: The marker.
        table: Markdown.
    """
    path = DOCS / page
    text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, found, rest = text.partition(begin)
    old, closed, tail = rest.partition(end)
    assert found, f"{path.name} has no marker {begin.strip()}"
    assert closed, f"{path.name} has no marker {end}"
    if os.environ.get("LG_TOOLROUTE_WRITE_DOCS") == "1":
        path.write_text(head + begin + table.strip() + "\n" + end + tail, encoding="utf-8")
        return
    assert old.strip() == table.strip(), f"docs/{page} is out of date: run `make docs`"


def rows_of(page: str) -> dict[str, str]:
    """The rows of all tables of a page, by their first cell."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines if line.startswith("| ")}


def check_row(page: str, first: str, cells: list[str]) -> None:
    """One row of a page's table is the one that was measured.

    Args:
        page: The file in `docs/`.
        first: The row's first cell.
        cells: The others.
    """
    path, row = DOCS / page, f"| {' | '.join([first, *cells])} |"
    old = rows_of(page).get(first)
    assert old is not None, f"docs/{page} has no row {first}"
    if os.environ.get("LG_TOOLROUTE_WRITE_DOCS") == "1":
        path.write_text(path.read_text(encoding="utf-8").replace(f"{old}\n", f"{row}\n", 1), encoding="utf-8")
        return
    assert old == row, f"docs/{page} is out of date: run `make docs`"
