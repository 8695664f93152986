"""`lg-toolroute health`: what a shared store records about the health of models, and how to reset it."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from lg_toolroute.cli.output import add_json_option, console, print_json, table
from lg_toolroute.cli.sources import read_config, wrong_argument
from lg_toolroute.cli.store_file import add_store_option, open_store
from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.rules.spec import canonical

_ALL = ""


def add_arguments(parser: ArgumentParser) -> None:
    add_store_option(parser, required=True)
    parser.add_argument("--config", metavar="FILE", help="the configuration whose `health` section applies; unset: the defaults")
    parser.add_argument("--reset", metavar="MODEL", nargs="?", const=_ALL, help="forget the failures of a model, or without a name of all models")
    add_json_option(parser)


def run(given: Namespace) -> bool:
    """Resets if asked to, and shows the health; true if every circuit is closed."""
    limits = None if given.config is None else read_config(given.config).health
    from lg_toolroute.health.store import StoreHealth

    with open_store(given.store) as store:
        book = StoreHealth(store, limits, time.time)
        if given.reset is not None:
            book.reset(_spec(given.reset) if given.reset != _ALL else None)
        found = book.inspect()
    if given.json:
        print_json(found)
    else:
        _print(found["models"])
        for spec, tools in found["calls"].items():
            for tool, counts in tools.items():
                print(f"{spec} {tool}: {CallCounts(**counts).told}")
    return all(model["state"] == "closed" for model in found["models"].values())


def _spec(text: str) -> str:
    try:
        return canonical(text)
    except ValueError as error:
        raise wrong_argument("--reset", str(error)) from error


def _print(models: Mapping[str, Mapping[str, Any]]) -> None:
    if not models:
        console().print("[green]all models are healthy[/]")
        return
    shown = table("model", "state", "next try in", "failure", "details")
    for model, health in models.items():
        due = "" if health["due_in_s"] is None else f"{health['due_in_s']:.0f} s"
        style = "green" if health["state"] == "closed" else "yellow"
        bad = [f"bad calls of {tool}: {counts['total']}" for tool, counts in health["bad_answers"].items()]
        details = "; ".join(filter(None, [health["why"], *bad]))
        shown.add_row(escape(model), f"[{style}]{health['state']}[/]", due, health["class"] or "", escape(details))
    console().print(shown)
