"""`lg-toolroute explain TOOL`: who writes its calls, in which order, why, and whether that pays."""

from __future__ import annotations

import argparse

from lg_toolroute.cli import OK, PROBLEMS
from lg_toolroute.cli.sources import config_option, find_config


def arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.add_argument("tool", metavar="TOOL", type=_name, help="a tool's name")
    config_option(parser)
    parser.add_argument("--agent", metavar="ID", help="whose rules are read; unset: the defaults")
    parser.add_argument("--tag", metavar="TAG", action="append", default=[], help="a tag of the tool; may be repeated")


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("a tool's name is empty; write for instance edit")
    return text.strip()


def run(given: argparse.Namespace) -> int:
    """Prints the decision."""
    from lg_toolroute.rulebook.book import compile_config

    book = compile_config(find_config(given.config))
    print(book.explain(given.tool, agent=given.agent, tags=tuple(given.tag)))
    return OK if book.decide(given.tool, agent=given.agent, tags=tuple(given.tag)).model is not None else PROBLEMS
