"""The catalogue of faults as the table that `docs/testing.md` prints."""

from __future__ import annotations

from lg_toolroute.testing import Fault, faults


def catalogue_table() -> str:
    """The catalogue as a Markdown table."""
    rows = [f"| `{name}` | {make().what} | {_classes(make())} |" for name, make in faults.CATALOGUE.items()]
    return "\n".join(["| fault | what happens | failure class |", "|---|---|---|", *rows])


def _classes(fault: Fault) -> str:
    if fault.expected_class is None:
        return "–"
    streamed = f", streamed `{fault.expected_streamed}`" if fault.expected_streamed else ""
    return f"`{fault.expected_class}`{streamed}"
