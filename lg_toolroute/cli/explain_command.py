"""`lg-toolroute explain TOOL`: which model writes the calls of a tool, the order of the candidates, why, and whether that pays."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from lg_toolroute.cli.sources import add_agent_option, add_config_option, read_config
from lg_toolroute.clients.known_ways import KnownWays
from lg_toolroute.rulebook.book import compile_config


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("tool", metavar="TOOL", type=_tool_name, help="a tool's name")
    add_config_option(parser)
    add_agent_option(parser, "the defaults")
    parser.add_argument("--tag", metavar="TAG", action="append", default=[], help="a tag of the tool; may be repeated")


def run(given: Namespace) -> bool:
    """Prints the decision; true if there is a model that may write the call."""
    book = compile_config(read_config(given.config))
    tags = tuple(given.tag)
    ways = KnownWays(book)
    print(book.explain(given.tool, agent=given.agent, tags=tags, forcing=lambda spec, off: ways.told(spec, switch_off=off)))
    return book.decide(given.tool, agent=given.agent, tags=tags).model is not None


def _tool_name(text: str) -> str:
    if not text.strip():
        raise ArgumentTypeError("a tool's name is empty; write for instance edit")
    return text.strip()
