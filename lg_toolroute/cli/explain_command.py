"""`lg-toolroute explain TOOL`: which model writes the calls of a tool, the order of the candidates, why, and whether that pays."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from lg_toolroute.cli.sources import add_agent_option, add_config_option, read_config
from lg_toolroute.cli.store_file import add_store_option, open_store
from lg_toolroute.clients.known_ways import KnownWays
from lg_toolroute.rulebook.book import compile_config
from lg_toolroute.rulebook.explain import CallsOf


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("tool", metavar="TOOL", type=_tool_name, help="a tool's name")
    add_config_option(parser)
    add_agent_option(parser, "the defaults")
    add_store_option(parser, more="; shows how the calls of the tool went so far")
    parser.add_argument("--tag", metavar="TAG", action="append", default=[], help="a tag of the tool; may be repeated")


def run(given: Namespace) -> bool:
    """Prints the decision; true if there is a model that may write the call."""
    book = compile_config(read_config(given.config))
    tags = tuple(given.tag)
    ways = KnownWays(book)
    counted = None if given.store is None else _counted(given.store)
    print(book.explain(given.tool, agent=given.agent, tags=tags, forcing=lambda spec, off: ways.told(spec, switch_off=off), calls_of=counted))
    return book.decide(given.tool, agent=given.agent, tags=tags).model is not None


def _counted(file: str) -> CallsOf:
    """What all workers have counted."""
    from lg_toolroute.health.store import StoreHealth

    with open_store(file) as store:
        health = StoreHealth(store)
        health.inspect()
    return health.models_of


def _tool_name(text: str) -> str:
    if not text.strip():
        raise ArgumentTypeError("a tool's name is empty; write for instance edit")
    return text.strip()
