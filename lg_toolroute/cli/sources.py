"""What the commands are pointed at: a configuration, and the tools that an agent binds."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lg_toolroute.config import RoutingConfig, load_config
from lg_toolroute.errors import ConfigError, Problem

VARIABLE = "LG_TOOLROUTE_CONFIG"
NAMES = tuple(f"toolroute.{ending}" for ending in ("toml", "yaml", "yml", "json5", "json"))

Tool = tuple[str, tuple[str, ...]]


def find_config(given: str | None) -> RoutingConfig:
    """The configuration to work with.

    Args:
        given: A file's name, `-` for standard input; `None` looks at `$LG_TOOLROUTE_CONFIG` and for `toolroute.toml` and its like here.

    Raises:
        ConfigError: There is none, or it is wrong.
    """
    if given == "-":
        return load_config(sys.stdin.read())
    if given is not None:
        return load_config(Path(given))
    if named := os.environ.get(VARIABLE):
        return load_config(Path(named))
    for name in NAMES:
        if Path(name).is_file():
            return load_config(Path(name))
    hint = f"write --config FILE, set {VARIABLE}, or call it {NAMES[0]} (or .yaml, .json5, .json) and run the command beside it"
    raise ConfigError([Problem("", "no configuration was named and none lies here", hint)], source="command line")


def find_tools(given: str | None) -> list[Tool]:
    """The tools that an agent binds, each with its tags.

    Args:
        given: `read,edit,exec`, or `package.module:attribute` for a list of tools or a function that gives one; `None` for none.

    Raises:
        ConfigError: They cannot be imported, or are no tools.
    """
    if given is None:
        return []
    module, colon, attribute = given.partition(":")
    # A tag is no attribute: `tag:mcp` is a pattern and nothing that an agent binds.
    if not colon or "," in given:
        return [(name.strip(), ()) for name in given.split(",") if name.strip()]
    from lg_toolroute.core.rules.tools import tool_name, tool_tags

    return [(tool_name(tool), tool_tags(tool)) for tool in _imported(given, module, attribute)]


def _imported(given: str, module: str, attribute: str) -> Sequence[Any]:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
        tools = found() if callable(found) and not hasattr(found, "name") else found
    except Exception as error:  # importing runs the user's own code, which may raise anything; the command names it and ends
        message = f"{given!r} cannot be imported: {type(error).__name__}: {error}"
        hint = "write module:attribute for a list of tools, as in app.tools:TOOLS, or their names: read,edit"
        raise ConfigError([Problem("--tools", message, hint)], source="command line") from error
    if not isinstance(tools, (list, tuple)):
        problem = Problem("--tools", f"{given!r} is a {type(tools).__name__}, not a list of tools", "name a list, or a function that gives one")
        raise ConfigError([problem], source="command line")
    return tools


def config_option(parser: Any) -> None:
    """Adds `--config`."""
    where = f"the configuration; '-' reads standard input; unset: ${VARIABLE}, or {NAMES[0]} and its like here"
    parser.add_argument("--config", metavar="FILE", help=where)


def tools_option(parser: Any) -> None:
    """Adds `--tools`."""
    parser.add_argument("--tools", metavar="TOOLS", help="what the agent binds: read,edit,exec or module:attribute of a list of tools")
