"""`lg-toolroute audit`: every model that any chain can reach, its size, its tools, and what is dangerous about that."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from lg_toolroute.cli.output import add_json_option, console, print_json, table
from lg_toolroute.cli.sources import add_agent_option, add_config_option, add_tools_option, read_config, read_tools
from lg_toolroute.rulebook.audit import Audit, Finding, ModelAudit, audit
from lg_toolroute.rulebook.book import compile_config

_STYLES = {"critical": "bold red", "warning": "yellow", "note": "dim"}
_MAX_NAMES = 12


def add_arguments(parser: ArgumentParser) -> None:
    add_config_option(parser)
    add_tools_option(parser)
    add_agent_option(parser, "the defaults and all agents")
    add_json_option(parser)


def run(given: Namespace) -> bool:
    """Prints the audit; true if nothing in it is critical."""
    found = audit(compile_config(read_config(given.config)), read_tools(given.tools), agent=given.agent)
    if given.json:
        print_json(found.to_dict())
    else:
        _print(found, console())
    return not found.critical


def _print(found: Audit, out: Console) -> None:
    several = len({record.agent for record in found.models}) > 1
    models = table("model", *(["agent"] if several else []), "reached as", "size", "tools")
    for record in found.models:
        agent = [record.agent or "(defaults)"] if several else []
        cells = [record.model, *agent, ", ".join(record.reached), record.size, _tools(record, len(found.tools))]
        models.add_row(*map(escape, cells))
    out.print(models)
    if found.assumed_tools:
        out.print("[dim]Without --tools, the audit assumes the tools of the predefined groups.[/]")
    for finding in found.findings:
        _print_finding(finding, out)
    if not found.findings:
        out.print("[green]nothing to report[/]")


def _print_finding(finding: Finding, out: Console) -> None:
    # In a file each remedy stays on one line, so that it can be copied or read by a program.
    one_line = not out.is_terminal
    where = f"{finding.path}: " if finding.path else ""
    out.print(f"[{_STYLES[finding.level]}]{finding.level}[/]  {escape(where + finding.message)}", soft_wrap=one_line)
    if finding.remedy:
        remedy = escape(finding.remedy)
        out.print(f"    {remedy}" if one_line else Padding(remedy, (0, 0, 0, 4)), soft_wrap=one_line)


def _tools(record: ModelAudit, count: int) -> str:
    if len(record.tools) == count:
        return f"all {count}"
    if len(record.denied) < len(record.tools):
        return f"all but {_names([name for name, _ in record.denied])}"
    return _names(record.tools) or "none"


def _names(names: Sequence[str]) -> str:
    rest = len(names) - _MAX_NAMES
    return ", ".join(names[:_MAX_NAMES]) + (f" and {rest} more" if rest > 0 else "")
