"""`lg-toolroute health`: what a shared store says about the health of models, and how to make it forget."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lg_toolroute.cli import OK, PROBLEMS
from lg_toolroute.core.rules.spec import canonical
from lg_toolroute.errors import ConfigError, Problem

_ALL = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.add_argument("--store", metavar="FILE", required=True, help="the SQLite file of the LangGraph store that the workers share")
    parser.add_argument("--config", metavar="FILE", help="whose `health` numbers apply; unset: the defaults")
    parser.add_argument("--reset", metavar="MODEL", nargs="?", const=_ALL, help="forget a model's troubles, or without a name all of them")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(given: argparse.Namespace) -> int:
    """Shows or resets; a model that is not closed is a problem."""
    limits = _limits(given.config)
    path = Path(given.store)
    _must_be_a_store(path)
    from langgraph.store.sqlite import SqliteStore

    from lg_toolroute.health.store import StoreHealth

    with SqliteStore.from_conn_string(str(path)) as store:
        book = StoreHealth(store, limits, time.time)
        if given.reset is not None:
            book.reset(_spec(given.reset) if given.reset != _ALL else None)
        found = book.inspect()
    if given.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(found, Console(highlight=False))
    troubled = [model for model in found["models"].values() if model["state"] != "closed"]
    return PROBLEMS if troubled else OK


def _limits(config: str | None) -> Any:
    if config is None:
        return None
    from lg_toolroute.cli.sources import find_config

    return find_config(config).health


def _spec(text: str) -> str:
    try:
        return canonical(text)
    except ValueError as error:
        raise ConfigError([Problem("--reset", str(error))], source="command line") from error


def _must_be_a_store(path: Path) -> None:
    def refuse(message: str, hint: str) -> ConfigError:
        return ConfigError([Problem("--store", message, hint)], source="command line")

    if importlib.util.find_spec("langgraph.store.sqlite") is None:
        raise refuse("the SQLite store of LangGraph is not installed", "run: pip install langgraph-checkpoint-sqlite")
    if not path.is_file():
        # Opening it would make an empty one, and say that all is well.
        raise refuse(f"there is no file {str(path)!r}", "name the file that your workers open with SqliteStore")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            connection.execute("SELECT 1 FROM store LIMIT 1")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise refuse(f"{str(path)!r} holds no LangGraph store ({error})", "name the file that your workers open with SqliteStore") from error


def _show(found: dict[str, Any], console: Console) -> None:
    if not found["models"]:
        console.print("[green]all models are healthy[/]")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("model", "state", "due back in", "class", "what it said"):
        table.add_column(name, overflow="fold")
    for model, health in found["models"].items():
        due = "" if health["due_in_s"] is None else f"{health['due_in_s']:.0f} s"
        style = "green" if health["state"] == "closed" else "yellow"
        said = "; ".join([*filter(None, [health["why"]]), *(f"bad {tool}: {bad['total']}" for tool, bad in health["bad_answers"].items())])
        table.add_row(escape(model), f"[{style}]{health['state']}[/]", due, health["class"] or "", escape(said))
    console.print(table)
