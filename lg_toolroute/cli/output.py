"""How the commands print: lines and tables for people, JSON for programs."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table


def add_json_option(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def console() -> Console:
    """Standard output without guesses at what a number or a path is."""
    return Console(highlight=False)


def table(*columns: str) -> Table:
    """An empty table whose cells are wrapped and never cut."""
    return Table(*(Column(name, overflow="fold") for name in columns), box=SIMPLE_HEAD, pad_edge=False)


def print_json(document: Any) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))
