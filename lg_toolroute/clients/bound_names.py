"""The names of bound tools and of their arguments, held against each other and against what the configuration says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lg_toolroute.config.tools import FileToolConfig
from lg_toolroute.core.rules.decision import Decision
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.core.rules.tools import is_called_by_name, tool_name
from lg_toolroute.errors import ConfigError, Problem

_TOOL_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
"""The union of what providers accept: OpenAI and Anthropic letters, digits, `_` and `-`; Gemini also `.` and `:`; MCP servers also `/`."""

Schema = Callable[[Any], Mapping[str, Any] | None]
"""Gives the JSON Schema of a bound tool's arguments; `None` where it has none."""


def odd_names(names: Sequence[str]) -> list[Problem]:
    """The names that a provider may refuse."""
    hint = "most take 1 to 128 of the characters A-Z a-z 0-9 _ - . : / ; rename it"
    return [Problem("tools", f"{name!r} is a name that a provider may refuse", hint) for name in names if not _TOOL_NAME.fullmatch(name)]


def refuse_duplicate_names(tools: Sequence[Any]) -> None:
    """Raise if a model could not tell two tools apart, which it calls by their names.

    Raises:
        ConfigError: Each name that is bound more than once.
    """
    names = [tool_name(tool) for tool in tools if is_called_by_name(tool)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        hint = "a tool's name must be unique among the bound tools; rename one of them"
        raise ConfigError([Problem("tools", f"{name!r} is bound {names.count(name)} times", hint) for name in twice], source="tools")


def missing_arguments(tools: Sequence[Any], decide: Callable[[str], Decision], schema: Schema) -> list[Problem]:
    """The names in a rule's `cutAt` that no argument of its tools has."""
    rules: dict[str, tuple[tuple[str, ...], set[str]]] = {}
    for tool in tools:
        decision = decide(tool_name(tool))
        if decision.path is not None and isinstance(decision.options.cut_at, tuple):
            arguments = rules.setdefault(decision.path, (decision.options.cut_at, set()))[1]
            arguments.update((schema(tool) or {}).get("properties") or ())
    problems: list[Problem] = []
    for path, (named, known) in rules.items():
        for name in (each for each in named if each not in known):
            hint = did_you_mean(name, known, f"they have {', '.join(sorted(known))}")
            problems.append(Problem(f"{path}.cutAt", f"no tool of the rule has an argument {name!r}", hint))
    return problems


def wrong_file_tools(tools: Sequence[Any], described: Mapping[str, FileToolConfig], schema: Schema) -> list[Problem]:
    """The arguments in `tools.files` that a bound tool does not have, and the names there that are nearly those of one."""
    bound = {tool_name(tool): tool for tool in tools}
    problems: list[Problem] = []
    for name, file_tool in described.items():
        if name not in bound:
            if hint := did_you_mean(name, bound):  # tools of other agents and of servers that come later are described there too
                problems.append(Problem(f"tools.files.{name}", f"{name!r} matches none of the {len(bound)} bound tools", hint))
            continue
        known = tuple((schema(bound[name]) or {}).get("properties") or ())
        for key, argument in file_tool.arguments().items():
            if argument not in known:
                hint = did_you_mean(argument, known, f"it has {', '.join(sorted(known))}")
                problems.append(Problem(f"tools.files.{name}.{key}", f"{name!r} has no argument {argument!r}", hint))
    return problems
