"""The agent, role and model of one run, from the surface's own arguments or from the runtime context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lg_toolroute.core.rules.tools import Tools
from lg_toolroute.core.warned import warn
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.rulebook.book import RuleBook


@dataclass(frozen=True, slots=True)
class Overrides:
    """What holds for one run.

    Attributes:
        agent: An id under `agents`, for that agent's rules and tool policy; `None`: the defaults.
        role: The role of the run, which picks the chain that reasons.
        model: Reason on this model instead of the primary; canonical.
    """

    agent: str | None = None
    role: str | None = None
    model: str | None = None


NO_OVERRIDES = Overrides()
_NOUNS = (("agent's id", "an id under agents, as text"), ("role", "its name, as text"), ("model spec", "provider/model"))
"""What an agent, a role and a model must be, and what to write instead of anything else."""


def read_overrides(
    book: RuleBook, context: Any, *, agent: str | None = None, role: str | None = None, model: str | None = None
) -> Overrides:
    """The overrides of a run: the surface's own arguments first, then the runtime context.

    Args:
        book: The rules, which know the aliases of models.
        context: A `ToolRouteContext`, any other object, a mapping, or `None`.
        agent: The surface's own agent; it goes before the context's. `role` and `model` likewise.
        role: The surface's own role.
        model: The surface's own model.

    Raises:
        ConfigError: The model is neither a spec nor an alias, or the agent or the role is not text.
    """
    if context is None and agent is None and role is None and model is None:
        return NO_OVERRIDES
    names = {"agent": agent, "role": role, "model": model}
    found = {name: own or context_value(context, name) or None for name, own in names.items()}
    paths = {name: name if own else f"context.{name}" for name, own in names.items()}
    problems = [
        Problem(paths[name], f"a {type(value).__name__} is no {noun}", f"write {instead}")
        for (name, value), (noun, instead) in zip(found.items(), _NOUNS, strict=True)
        if value is not None and not isinstance(value, str)
    ]
    if not problems and found["model"] is not None:
        try:
            found["model"] = book.spec(found["model"])
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            problems = [Problem(paths["model"], message, hint)]
    if problems:
        raise ConfigError(problems, source="runtime context")
    return Overrides(**found)


def read_expected(expected: Any, tools: Tools) -> str | None:
    """The tool that a state says comes next; `None`, with a warning, if it is none of the bound tools."""
    if not expected:
        return None
    names = [name for name, _ in tools]
    if expected not in names:
        message = f"expected_tool: {expected!r} is none of the {len(names)} bound tools ({', '.join(names)}); the primary decides instead"
        warn(message)
        return None
    return expected or None


def context_value(context: Any, name: str) -> Any:
    """One value of a runtime context that may be a `ToolRouteContext`, any other object, a mapping, or nothing."""
    if context is None:
        return None
    if isinstance(context, Mapping):
        return context.get(name)
    return getattr(context, name, None)
