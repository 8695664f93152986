"""`lg-toolroute audit`: every model that any chain can reach, its size, its tools, and what is dangerous about that."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from lg_toolroute.cli import OK, PROBLEMS
from lg_toolroute.cli.sources import config_option, find_config, find_tools, tools_option

if TYPE_CHECKING:
    from lg_toolroute.rulebook.audit import Audit, ModelAudit

_STYLES = {"critical": "bold red", "warning": "yellow", "note": "dim"}
_MOST_TOOLS = 12


def arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    config_option(parser)
    tools_option(parser)
    parser.add_argument("--agent", metavar="ID", help="one agent only; unset: the defaults and all agents")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(given: argparse.Namespace) -> int:
    """Prints the audit; critical findings are problems."""
    from lg_toolroute.rulebook.audit import audit
    from lg_toolroute.rulebook.book import compile_config

    found = audit(compile_config(find_config(given.config)), find_tools(given.tools), agent=given.agent)
    if given.json:
        print(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        _show(found, Console(highlight=False))
    return PROBLEMS if found.critical else OK


def _show(found: Audit, console: Console) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    agents = len({record.agent for record in found.models}) > 1
    for name in ("model", *(["agent"] if agents else []), "reached as", "size", "tools"):
        table.add_column(name, overflow="fold")
    for record in found.models:
        agent = [escape(record.agent or "(defaults)")] if agents else []
        table.add_row(escape(record.model), *agent, escape(", ".join(record.reached)), escape(record.size), _tools(record, len(found.tools)))
    console.print(table)
    if found.assumed_tools:
        console.print("[dim]The tools are those that ship with the groups; write --tools to name the ones your agent binds.[/]")
    for finding in found.findings:
        where = f"{finding.path}: " if finding.path else ""
        # A line that a program reads, or that is copied from a file, is not broken.
        console.print(f"[{_STYLES[finding.level]}]{finding.level}[/]  {escape(where + finding.message)}", soft_wrap=not console.is_terminal)
        if finding.remedy:
            remedy = escape(finding.remedy)
            if console.is_terminal:
                console.print(Padding(remedy, (0, 0, 0, 4)))
            else:
                console.print(f"    {remedy}", soft_wrap=True)
    if not found.findings:
        console.print("[green]nothing to report[/]")


def _tools(record: ModelAudit, count: int) -> str:
    if len(record.tools) == count:
        return f"all {count}"
    if len(record.denied) < len(record.tools):
        return f"all but {escape(_names([name for name, _ in record.denied]))}"
    return escape(_names(list(record.tools))) or "none"


def _names(names: list[str]) -> str:
    rest = len(names) - _MOST_TOOLS
    return ", ".join(names[:_MOST_TOOLS]) + (f" and {rest} more" if rest > 0 else "")
