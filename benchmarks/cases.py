"""The agents that are compared, by short name: plain ones, and every surface of the router with rules that act never or in every turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelFallbackMiddleware
from langchain_core.tools import BaseTool

from benchmarks.agents import (
    PRIMARY,
    ROUTED,
    SPARE,
    STEPS,
    Mode,
    Schema,
    Session,
    by_hand,
    by_hand_in_the_same_nodes,
    by_hand_with_two_calls,
    primary,
    routed,
    router,
    stock,
    tools,
    writer,
)
from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware
from lg_toolroute.testing import ScriptedModel

Build = Callable[[ScriptedModel, ScriptedModel, Sequence[BaseTool]], Any]
"""Makes an agent of a primary, a model for routed calls, and tools."""

Rules = Mapping[str, str]
NO_RULE: Rules = {}
EDIT: Rules = {"edit": ROUTED}
"""Acts in every turn in which the primary calls `edit`, and in none in which it calls `read`."""


class HandsOn(AgentMiddleware[Any, Any, Any]):
    """Only calls its handler."""

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(request)

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return await handler(request)


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of agent.

    Attributes:
        label: What it is, for tables.
        build: Makes it.
        tool: The tool that its primary calls.
    """

    label: str
    build: Build
    tool: str = "read"


def _graph(rules: Rules, **config: Any) -> Build:
    return lambda model, other, bound: routed({PRIMARY: model, ROUTED: other}, bound, rules=rules, **config)


def _middleware(rules: Rules, **config: Any) -> Build:
    return lambda model, other, bound: stock(model, bound, [ToolRouteMiddleware(router({PRIMARY: model, ROUTED: other}, rules=rules, **config))])


def _chat(rules: Rules) -> Build:
    return lambda model, other, bound: by_hand(ToolRoutedChatModel(router=router({PRIMARY: model, ROUTED: other}, rules=rules)), bound)


def _fallback(model: ScriptedModel, other: ScriptedModel, bound: Sequence[BaseTool]) -> Any:
    return stock(model, bound, [ModelFallbackMiddleware(ScriptedModel(["spare"], name=SPARE, loop=True))])


CASES: Mapping[str, Case] = {
    "by-hand": Case("by hand, tools bound once", lambda model, other, bound: by_hand(model, bound)),
    "same-nodes": Case("by hand, in as many nodes", lambda model, other, bound: by_hand_in_the_same_nodes(model, bound)),
    "two-calls": Case("by hand, in as many nodes, with the same two calls", by_hand_with_two_calls, tool="edit"),
    "create-agent": Case("create_agent", lambda model, other, bound: stock(model, bound)),
    "hands-on": Case("+ a middleware that only calls its handler", lambda model, other, bound: stock(model, bound, [HandsOn()])),
    "fallback": Case("+ ModelFallbackMiddleware", _fallback),
    "middleware-no-rule": Case("+ ToolRouteMiddleware, no rule", _middleware(NO_RULE)),
    "middleware-idle": Case("+ ToolRouteMiddleware, rule that never acts", _middleware(EDIT)),
    "middleware-idle-whole": Case("… with cutWhenNotStreaming: false", _middleware(EDIT, cutWhenNotStreaming=False)),
    "middleware-routed": Case("+ ToolRouteMiddleware, every turn routed", _middleware(EDIT), tool="edit"),
    "graph-no-rule": Case("routed graph, no rule", _graph(NO_RULE)),
    "graph-idle": Case("routed graph, rule that never acts", _graph(EDIT)),
    "graph-idle-whole": Case("… with cutWhenNotStreaming: false", _graph(EDIT, cutWhenNotStreaming=False)),
    "graph-routed": Case("routed graph, every turn routed", _graph(EDIT), tool="edit"),
    "chat-idle": Case("by hand, ToolRoutedChatModel, rule that never acts", _chat(EDIT)),
    "chat-routed": Case("by hand, ToolRoutedChatModel, every turn routed", _chat(EDIT), tool="edit"),
}


def agent(name: str, model: ScriptedModel, bound: Sequence[BaseTool], other: ScriptedModel | None = None) -> Any:
    """One agent.

    Args:
        name: The case.
        model: Its primary.
        bound: Its tools.
        other: Writes routed calls; unset: one that answers at once.
    """
    return CASES[name].build(model, other or writer(), bound)


def sessions(names: Iterable[str], count: int, *, schema: Schema = "usual", mode: Mode = "invoke", steps: int = STEPS) -> dict[str, Session]:
    """Sessions of several agents with the same tools, by the name of the case.

    Args:
        names: The cases.
        count: How many tools each has.
        schema: What arguments the tools take.
        mode: How the agents are run.
        steps: Turns in a session.
    """
    bound = tools(count, schema)
    made = {}
    for name in names:
        model, other = primary(CASES[name].tool, steps), writer()
        made[name] = Session(agent(name, model, bound, other), [model, other], mode, steps)
    return made
