"""`lg-toolroute check CONFIG`: every mistake in a configuration, and what may surprise."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from lg_toolroute.cli import OK
from lg_toolroute.cli.sources import Tool, find_config, find_tools, tools_option
from lg_toolroute.errors import ConfigError, Problem

if TYPE_CHECKING:
    from lg_toolroute.rulebook.book import RuleBook


def arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.add_argument("config", metavar="CONFIG", help="the file; '-' reads standard input")
    tools_option(parser)
    parser.add_argument("--strict", action="store_true", help="warnings and missing keys count as mistakes")


def run(given: argparse.Namespace) -> int:
    """Checks and says what it found."""
    from lg_toolroute.clients.models import ModelBook
    from lg_toolroute.rulebook.book import compile_config

    config = find_config(given.config)
    book = compile_config(config)
    tools = find_tools(given.tools)
    problems = list(_unmatched(book, tools)) if tools else []
    warnings = [Problem("", text) for text in config.warnings]
    warnings += [Problem(problem.path, f"{problem.message} in this environment", problem.hint) for problem in ModelBook(book).check()]
    if not book.reasoning_chain() and not any(book.reasoning_chain(agent=agent) for agent in book.agents):
        warnings.append(Problem("", "no primary is configured, so only the middleware can use this", "write model.primary"))
    if given.strict:
        problems, warnings = [*problems, *warnings], []
    console = Console(highlight=False, soft_wrap=True)
    for warning in warnings:
        console.print(f"[yellow]warning[/]  {escape(str(warning))}")
    for path in config.ignored_sections:
        console.print(f"[dim]left alone[/]  {escape(path)}")
    if problems:
        raise ConfigError(problems, source=config.source)
    rules = sum(len(book.rules(agent)) for agent in (None, *book.agents))
    console.print(f"[green]ok[/]  {escape(config.source)}: {_count(rules, 'rule')}, {_count(len(book.specs()), 'model')}")
    if rules and not tools:
        console.print("[dim]the rules were not compared with any tools; write --tools to do so[/]")
    return OK


def _unmatched(book: RuleBook, tools: list[Tool]) -> list[Problem]:
    found = [problem for agent in (None, *book.agents) for problem in book.unmatched(tools, agent)]
    return list(dict.fromkeys(found))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
