"""`lg-toolroute check CONFIG`: every mistake in a configuration, and what may surprise."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rich.markup import escape

from lg_toolroute.briefs.names import forms_of_strangers, to_be_handed_in
from lg_toolroute.cli.output import console
from lg_toolroute.cli.sources import add_tools_option, read_config, read_tools
from lg_toolroute.clients.models import ModelBook
from lg_toolroute.demo.screen import counted
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.rulebook.book import compile_config


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="the file; '-' reads standard input")
    add_tools_option(parser)
    parser.add_argument("--strict", action="store_true", help="warnings and missing keys count as mistakes")


def run(given: Namespace) -> bool:
    """Prints what it found; true unless it raises.

    Raises:
        ConfigError: With all mistakes.
    """
    config = read_config(given.config)
    book = compile_config(config)
    agents = (None, *book.agents)
    tools = read_tools(given.tools)
    # The agents inherit the rules of the defaults, and their mistakes with them.
    problems = list(dict.fromkeys(problem for agent in agents for problem in book.unmatched(tools, agent))) if tools else []
    models = ModelBook(book)
    impossible = [problem for spec in book.specs() if (problem := models.ways.impossible(spec)) is not None]
    problems += dict.fromkeys(impossible)
    unready = [problem for problem in models.check() if problem not in impossible]  # a key may be missing here and there where it runs
    warnings = [*(Problem("", text) for text in config.warnings), *to_be_handed_in(book), *forms_of_strangers(book), *unready, *models.ways.remarks()]
    if not any(book.reasoning_chain(agent=agent) for agent in agents):
        warnings.append(Problem("", "no primary is configured, so only the middleware can use this configuration", "write model.primary"))
    if given.strict:
        problems, warnings = [*problems, *warnings], []
    out = console()
    for warning in warnings:
        out.print(f"[yellow]warning[/]  {escape(str(warning))}", soft_wrap=True)
    for path in config.ignored_sections:
        out.print(f"[dim]left alone[/]  {escape(path)}", soft_wrap=True)
    for spec, text in models.ways.limited():
        out.print(f"[dim]forced[/]  {escape(spec)}: {escape(text)}", soft_wrap=True)
    if problems:
        raise ConfigError(problems, source=config.source)
    rules = sum(len(book.rules(agent)) for agent in agents)
    out.print(f"[green]ok[/]  {escape(config.source)}: {counted(rules, 'rule')}, {counted(len(book.specs()), 'model')}", soft_wrap=True)
    if rules and not tools:
        out.print("[dim]to compare the rules with the tools of your agent, add --tools read,edit,…[/]", soft_wrap=True)
    return True
