"""What a benchmark found: tables to read, figures to compare, and the promises that it checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        title: What it shows.
        columns: Their heads, units included.
        rows: The cells. A float is printed to three significant digits; `None` is a dash.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __str__(self) -> str:
        lines = [tuple(self.columns), *(tuple(map(shown, row)) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        printed = ["  ".join(_aligned(cell, widths[at], first=at == 0) for at, cell in enumerate(line)).rstrip() for line in lines]
        return "\n".join([self.title, "", printed[0], "  ".join("-" * width for width in widths), *printed[1:]])


def _aligned(cell: str, width: int, *, first: bool) -> str:
    return cell.ljust(width) if first else cell.rjust(width)


def shown(cell: Cell) -> str:
    """A cell as it is printed."""
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}" if abs(cell) >= 0.1 else f"{cell:.3f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


@dataclass(frozen=True, slots=True)
class Promise:
    """Something the project promises, held against what was measured.

    Attributes:
        text: The promise.
        found: What was measured, in words.
        kept: It was kept.
    """

    text: str
    found: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark found.

    Attributes:
        name: The benchmark.
        question: The question that it answers.
        tables: What was measured.
        figures: The same as numbers by name, for whoever compares runs; ratios carry over to another machine, times do not.
        promises: What was promised.
        notes: What to know when reading the tables.
        skipped: Why nothing was measured; empty when something was.
    """

    name: str
    question: str
    tables: Sequence[Table] = ()
    figures: dict[str, float] = field(default_factory=dict)
    promises: Sequence[Promise] = ()
    notes: Sequence[str] = ()
    skipped: str = ""

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return all(promise.kept for promise in self.promises)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able data."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"== {self.name}: {self.question}", ""]
        if self.skipped:
            return "\n".join([*lines, f"skipped: {self.skipped}", ""])
        for table in self.tables:
            lines += [str(table), ""]
        lines += [f"{note}" for note in self.notes]
        lines += [f"{'kept' if promise.kept else 'NOT KEPT'}: {promise.text} ({promise.found})" for promise in self.promises]
        return "\n".join([*lines, ""])
