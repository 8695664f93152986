"""What the commands read: a configuration, and the tools that an agent binds."""

from __future__ import annotations

import importlib
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lg_toolroute.config import RoutingConfig, load_config
from lg_toolroute.core.rules.tools import tool_name, tool_tags
from lg_toolroute.errors import ConfigError, Problem

VARIABLE = "LG_TOOLROUTE_CONFIG"
FILES = tuple(f"toolroute.{ending}" for ending in ("toml", "yaml", "yml", "json5", "json"))

Tool = tuple[str, tuple[str, ...]]
"""A tool's name and its tags."""


def add_config_option(parser: ArgumentParser) -> None:
    where = f"the configuration; '-' reads standard input; unset: the file that ${VARIABLE} names, or {FILES[0]} (.yaml, .json5, .json) here"
    parser.add_argument("--config", metavar="FILE", help=where)


def add_tools_option(parser: ArgumentParser) -> None:
    parser.add_argument("--tools", metavar="TOOLS", help="the tools of your agent: read,edit,exec or package.module:LIST_OF_TOOLS")


def add_agent_option(parser: ArgumentParser, unset: str) -> None:
    parser.add_argument("--agent", metavar="ID", help=f"use the rules of this agent; unset: {unset}")


def read_config(given: str | None) -> RoutingConfig:
    """The configuration to work with.

    Args:
        given: A file's name, or `-` for standard input; `None` for the file that `$LG_TOOLROUTE_CONFIG` names, or `toolroute.toml` and its
            like in the working directory.

    Raises:
        ConfigError: There is none, or it is wrong.
    """
    if given == "-":
        return load_config(sys.stdin.read())
    found = given or os.environ.get(VARIABLE) or next((name for name in FILES if Path(name).is_file()), None)
    if found is None:
        hint = f"write --config FILE, set {VARIABLE}, or call the file {FILES[0]} (or .yaml, .json5, .json) and run the command beside it"
        raise wrong_argument("", "no configuration was named, and none was found here", hint)
    return load_config(Path(found))


def read_tools(given: str | None) -> list[Tool]:
    """The tools that an agent binds.

    Args:
        given: `read,edit,exec`, or `package.module:attribute` for a list of tools or a function that returns one; `None` for none.

    Raises:
        ConfigError: They cannot be imported, or are not tools.
    """
    if given is None:
        return []
    # `tag:mcp` among names is a pattern of a rule, not a module.
    if ":" not in given or "," in given:
        return [(name.strip(), ()) for name in given.split(",") if name.strip()]
    return [(tool_name(tool), tool_tags(tool)) for tool in _import_tools(given)]


def _import_tools(given: str) -> Sequence[Any]:
    module, _, attribute = given.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
        tools = found() if callable(found) and not hasattr(found, "name") else found
    except Exception as error:  # the user's own code may raise anything; the command reports it and ends
        message = f"{given!r} cannot be imported: {type(error).__name__}: {error}"
        hint = "write module:attribute for a list of tools, as in app.tools:TOOLS, or their names: read,edit"
        raise wrong_argument("--tools", message, hint) from error
    if not isinstance(tools, (list, tuple)):
        message = f"{given!r} is a {type(tools).__name__}, not a list of tools"
        raise wrong_argument("--tools", message, "name a list, or a function that returns one")
    return tools


def wrong_argument(option: str, message: str, hint: str = "") -> ConfigError:
    """The error for an argument that is well-formed and does not work; exit code 1."""
    return ConfigError([Problem(option, message, hint)], source="command line")
