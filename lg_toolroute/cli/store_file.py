"""The store that workers share, in an SQLite file, for the commands that read it."""

from __future__ import annotations

import importlib.util
import sqlite3
from argparse import ArgumentParser
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from lg_toolroute.cli.sources import wrong_argument

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore


def add_store_option(parser: ArgumentParser, *, required: bool = False, more: str = "") -> None:
    text = f"the SQLite file of the LangGraph store that the workers share{more}"
    parser.add_argument("--store", metavar="FILE", required=required, help=text)


def open_store(text: str) -> AbstractContextManager[BaseStore]:
    """The LangGraph store in an SQLite file, to be entered.

    Raises:
        ConfigError: The file is not there, or holds no such store.
    """
    path = Path(text)
    _check_store(path)
    from langgraph.store.sqlite import SqliteStore

    return SqliteStore.from_conn_string(str(path))


def _check_store(path: Path) -> None:
    hint = "name the file that your workers open with SqliteStore"
    if importlib.util.find_spec("langgraph.store.sqlite") is None:
        raise wrong_argument("--store", "the SQLite store of LangGraph is not installed", "run: pip install langgraph-checkpoint-sqlite")
    if not path.is_file():
        # SqliteStore would create an empty one, in which all models are healthy.
        raise wrong_argument("--store", f"there is no file {str(path)!r}", hint)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT 1 FROM store LIMIT 1")
    except sqlite3.Error as error:
        raise wrong_argument("--store", f"{str(path)!r} holds no LangGraph store that can be read ({error})", hint) from error
