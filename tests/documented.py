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
