"""In which order middlewares work together: checked when the agent is built.

`create_agent` tells no middleware about the others. But it reads the attribute `tools` of each one, once, and `ToolRouteMiddleware` takes that
moment to look at the list it is in: the only private fact used is that `create_agent` calls its arguments `model`, `tools` and
`middleware`. Where that does not hold (an agent built by something else) nothing is found, what concerns model and tools is checked at the
first call instead, and `check_order` can be called by hand.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware.types import AgentMiddleware

from lg_toolroute.errors import ConfigError, Problem

_DEPTH = 4
"""Frames between the attribute and `create_agent`: a comprehension has one of its own up to Python 3.11, a subclass may add one."""


class RoutesToolCalls:
    """Marks `ToolRouteMiddleware` among an agent's middlewares.

    Attributes:
        guards: It refuses calls of tools that a model may not run.
        durable: It leads the agent's loop back to the model for a routed call.
    """

    guards: bool = False
    durable: bool = False


@dataclass(frozen=True, slots=True)
class Construction:
    """The agent that is being built.

    Attributes:
        model: Its model, as it was given.
        tools: Its tools, without those that middlewares bring.
        middleware: All its middlewares, in order.
    """

    model: Any
    tools: tuple[Any, ...]
    middleware: tuple[Any, ...]


def under_construction() -> Construction | None:
    """The agent that is being built by `create_agent` further up the stack; `None` if there is none."""
    frame = inspect.currentframe()
    for _ in range(_DEPTH):
        frame = frame.f_back if frame is not None else None
        if frame is None:
            return None
        if frame.f_code is create_agent.__code__:
            values = frame.f_locals
            return Construction(values.get("model"), tuple(values.get("tools") or ()), tuple(values.get("middleware") or ()))
    return None


def check_order(middleware: Sequence[Any]) -> None:
    """Raise if the routing cannot work at its place in this list. `create_agent` does it by itself.

    Args:
        middleware: All middlewares of an agent, in order.

    Raises:
        ConfigError: It cannot; each problem names both middlewares and the fix.
    """
    problems = order_problems(middleware)
    if problems:
        raise ConfigError(problems, source="middleware")


def order_problems(middleware: Sequence[Any]) -> list[Problem]:
    """Why the routing cannot work at its place in this list; empty if it can."""
    places = [place for place, each in enumerate(middleware) if isinstance(each, RoutesToolCalls)]
    problems: list[Problem] = []
    for place in places[1:]:
        first, again = middleware[places[0]].name, middleware[place].name
        hint = "keep one of them, with one configuration for all rules"
        problems.append(Problem(_at(place), f"{again} would route what {first} has routed already", hint))
    for place in places[:1]:
        ours = middleware[place]
        for other_place, other in enumerate(middleware):
            if other_place != place and (reason := _reason(ours, other, before=other_place < place)) is not None:
                problems.append(Problem(_at(other_place), *reason))
    return problems


def _at(place: int) -> str:
    return f"middleware[{place}]"


def _reason(ours: Any, other: Any, *, before: bool) -> tuple[str, str] | None:
    """Why `other` cannot stand where it stands, and the fix; `None` if it can."""
    names = {cls.__name__ for cls in type(other).__mro__}
    mine, its = ours.name, other.name
    ahead, behind = f"list {its} before {mine}", f"list {its} after {mine}"
    if "LLMToolSelectorMiddleware" in names and not before:
        return f"{its} after {mine} would choose anew among the tools of every segment, and may take away the one that is being written", ahead
    if "ProviderToolSearchMiddleware" in names and not before:
        return f"{its} after {mine} looks for all its tools in every segment, and raises where only the routed ones are bound", ahead
    if "LLMToolEmulator" in names and before and ours.guards:
        return f"{its} before {mine} would answer for tools that the policy denies", behind
    if ours.durable and not before and _looks_after_the_model(other):
        return (
            f"{its} after {mine} would look at the message before the routed call is in it: with durable=True nothing that acts after the model "
            f"may stand behind {mine}",
            f"{ahead}, or drop durable=True",
        )
    return None


def _looks_after_the_model(middleware: Any) -> bool:
    cls = type(middleware)
    return cls.after_model is not AgentMiddleware.after_model or cls.aafter_model is not AgentMiddleware.aafter_model
