"""A look at a finished call, before it lands and its tool runs: the one that is built in for edits, and those of the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import BaseMessage

from lg_toolroute.core.rules.match import Table, kind_of
from lg_toolroute.core.rules.nearest import did_you_mean
from lg_toolroute.core.rules.tools import tool_name, tool_tags
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.files.known import KnownFile
from lg_toolroute.files.look import look
from lg_toolroute.files.tools import FileTool
from lg_toolroute.rulebook.book import RuleBook

Looks = Mapping[str, Callable[["LookRequest"], str | None]]
"""The looks of an application, by the names that its rules use."""


@dataclass(frozen=True, slots=True)
class LookRequest:
    """What a look is told of a finished call.

    Attributes:
        tool: The tool's name.
        arguments: The call's arguments, which fit the tool's schema.
        messages: The thread, without the system prompt and without the message that the call belongs to.
        file: What is known of the file that the call names, the earlier calls of its message already made; `None` if the tool is no file tool,
            or if nothing certain is known.
        before: The calls that stand before it in its message and have not run either: name and arguments, in order.
    """

    tool: str
    arguments: Mapping[str, Any]
    messages: Sequence[BaseMessage]
    file: KnownFile | None = None
    before: tuple[tuple[str, Mapping[str, Any]], ...] = ()


def said_of(request: LookRequest, option: Literal[True] | str, tool: FileTool | None, looks: Looks) -> str | None:
    """What is wrong with a call, in words for the model that is to mend it; `None` if nothing is.

    Args:
        request: The call.
        option: The rule's `look`.
        tool: What the arguments of a file tool mean.
        looks: The application's.
    """
    if option is not True:
        said: Any = looks[option](request)
        if said and not isinstance(said, str):
            raise TypeError(f"looks[{option!r}] returned {type(said).__name__}; return what is wrong as a text, or None")
        return said or None
    return None if tool is None else look(tool, request.arguments, request.file)


def check_names(book: RuleBook, looks: Looks) -> bool:
    """Whether any rule has a look.

    Raises:
        ConfigError: The application did not hand in a look that a rule names.
    """
    problems: list[Problem] = []
    options = [(rule.path, rule.options.look) for rule in book.every_rule() if rule.options.look is not None]
    for path, option in options:
        if isinstance(option, str) and option not in looks:
            hint = did_you_mean(option, looks, f"hand it in: ToolRouter(…, looks={{{option!r}: fn}}), or write true for the one that is built in")
            problems.append(Problem(f"{path}.look", f"there is no look {option!r}", hint))
    if problems:
        raise ConfigError(problems, source=book.config.source)
    return bool(options)


def blind(book: RuleBook, tools: Sequence[Any], file_tool: Callable[[str, Any], FileTool | None], agent: str | None) -> list[Problem]:
    """The rules whose built-in look could never say anything, because the tool that they name does not edit files.

    A pattern (`group:fs`, `*`) is for agents with other tools, too, and is not judged by those of one.

    Args:
        book: The rules.
        tools: What is bound.
        file_tool: Gives what the arguments of a tool mean, by its name and itself.
        agent: Whose rules.
    """
    problems = []
    for rule in book.rules(agent):
        if rule.options.look is not True or kind_of(rule.pattern) != "exact":
            continue
        table = Table.of((rule.pattern,), book.groups)
        matched = [tool for tool in tools if table.holds(tool_name(tool), tool_tags(tool))]
        meant = [file_tool(tool_name(tool), tool) for tool in matched]
        if matched and not any(each is not None and each.kind == "edit" for each in meant):
            hint = "say under tools.files what the arguments of such a tool mean, or name a look of your own: ToolRouter(…, looks={name: fn})"
            problems.append(Problem(f"{rule.path}.look", f"{rule.pattern!r} matches no tool that is known to edit files", hint))
    return problems
