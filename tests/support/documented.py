"""Tables in the documentation that the tests measure: written with `LG_TOOLROUTE_WRITE_DOCS=1` (`make docs`), and compared otherwise."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def writes_docs() -> bool:
    """Whether the tables are written instead of compared."""
    return os.environ.get("LG_TOOLROUTE_WRITE_DOCS") == "1"


def check_table(page: str, name: str, table: str) -> None:
    """The table between the markers `<!-- name -->` and `<!-- /name -->` of a page is the one that was measured.

    Args:
        page: The file in `docs/`.
        name: The marker.
        table: Markdown.
    """
    path = DOCS / page
    head, old, tail = _around(page, name)
    if writes_docs():
        path.write_text(head + table.strip() + "\n" + tail, encoding="utf-8")
        return
    assert old.strip() == table.strip(), f"docs/{page} is out of date: run `make docs`"


def rows_of(page: str, name: str) -> dict[str, list[str]]:
    """The rows of a page's table below its head: the other cells by the first one."""
    _, text, _ = _around(page, name)
    cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in cells[1:]}


def check_row(page: str, name: str, first: str, cells: Sequence[str]) -> None:
    """One row of a page's table is the one that was measured.

    Args:
        page: The file in `docs/`.
        name: The table's marker.
        first: The row's first cell.
        cells: The others.
    """
    old = rows_of(page, name).get(first)
    assert old is not None, f"docs/{page} has no row {first}"
    if writes_docs():
        head, table, tail = _around(page, name)
        begun = f"| {first} | "
        lines = [f"{begun}{' | '.join(cells)} |" if line.startswith(begun) else line for line in table.splitlines()]
        (DOCS / page).write_text(head + "\n".join(lines) + "\n" + tail, encoding="utf-8")
        return
    assert old == list(cells), f"docs/{page} is out of date: run `make docs`"


def check_part_of_row(page: str, name: str, first: str, measured: Mapping[int, Collection[str]], *, separator: str) -> None:
    """What a sample of the runs showed is among what one row of a page's table says; nothing is written.

    Args:
        page: The file in `docs/`.
        name: The table's marker.
        first: The row's first cell.
        measured: By column, counted from 0 behind the first cell: what was seen.
        separator: What stands between the values in a cell.
    """
    row = rows_of(page, name).get(first)
    assert row is not None, f"docs/{page} has no row {first}"
    for column, seen in measured.items():
        unsaid = set(seen) - set(row[column].split(separator))
        assert not unsaid, f"docs/{page}, row {first}: {sorted(unsaid)} was seen, the page says {row[column]!r}; run `make docs`"


def _around(page: str, name: str) -> tuple[str, str, str]:
    """A page up to a table, the table, and the rest; the markers belong to the first and the last."""
    text = (DOCS / page).read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, found, rest = text.partition(begin)
    old, closed, tail = rest.partition(end)
    assert found, f"docs/{page} has no marker {begin.strip()}"
    assert closed, f"docs/{page} has no marker {end}"
    return head + begin, old, end + tail
