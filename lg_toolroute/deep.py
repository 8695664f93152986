"""Routing for deepagents, subagents included.

A subagent of deepagents does not inherit the middleware of the agent that calls it, and the general-purpose one, which is there without being
asked for, can only be given some by a spec of its own. `create_routed_deep_agent` does both.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.surfaces.middleware.middleware import ToolRouteMiddleware

if TYPE_CHECKING:
    from lg_toolroute.router import ToolRouter

GENERAL_PURPOSE = "general-purpose"


def create_routed_deep_agent(
    router: ToolRouter,
    *,
    model: Any = None,
    tools: Sequence[Any] | None = None,
    middleware: Sequence[Any] = (),
    subagents: Sequence[Mapping[str, Any]] | None = None,
    agent: str | None = None,
    durable: bool = False,
    general_purpose: bool = True,
    **settings: Any,
) -> Any:
    """A deep agent whose tool calls, and those of its subagents, are written by the models that the rules name.

    Args:
        router: Rules, models, health.
        model: As `create_deep_agent` takes it; unset: the configured primary.
        tools: As `create_deep_agent` takes them.
        middleware: Stands before the routing.
        subagents: As `create_deep_agent` takes them. One that is compiled already, or runs elsewhere, is left as it is.
        agent: An id under `agents`, for the rules of the agent itself; unset: the runtime context's, or the defaults. A subagent whose name is
            such an id has that one's.
        durable: As `ToolRouteMiddleware` takes it; for the agent itself.
        general_purpose: The general-purpose subagent is there, and routed.
        settings: Everything else that `create_deep_agent` takes (`system_prompt`, `backend`, `skills`, `interrupt_on`, …).

    Returns:
        A compiled graph.

    Raises:
        ConfigError: No model was given and the configuration names no primary, or what `ToolRouteMiddleware` raises.

    Example:
        ```python
        from lg_toolroute.deep import create_routed_deep_agent

        agent = create_routed_deep_agent(router, model="anthropic:claude-sonnet-5", tools=[search])
        ```
    """
    if model is None:
        primary = router.book.primary(agent=agent)
        if primary is None:
            raise ConfigError([Problem("model", "there is no model for this agent", "give `model=`, or write `model.primary`")], source="deep agent")
        model = router.models.get(primary)
    create_deep_agent = importlib.import_module("deepagents").create_deep_agent
    routing = ToolRouteMiddleware(router, agent=agent, durable=durable)
    return create_deep_agent(
        model=model,
        tools=tools,
        middleware=[*middleware, routing],
        subagents=routed_subagents(router, subagents or (), middleware=middleware, skills=settings.get("skills"), general_purpose=general_purpose),
        **settings,
    )


def routed_subagents(
    router: ToolRouter,
    subagents: Sequence[Mapping[str, Any]],
    *,
    middleware: Sequence[Any] = (),
    skills: Sequence[str] | None = None,
    general_purpose: bool = True,
) -> list[dict[str, Any]]:
    """Subagent specs with the routing in them, for a `create_deep_agent` of your own.

    Args:
        router: Rules, models, health.
        subagents: The specs. A subagent with a `model` of its own reasons on that one, unless the configuration has an agent of its name.
        middleware: The agent's own middleware: what replaces a default of deepagents there does so in the general-purpose subagent too.
        skills: The agent's own skills, which the general-purpose subagent has too.
        general_purpose: Add the general-purpose subagent where the specs do not hold one.

    Returns:
        New specs.
    """
    specs = [dict(spec) for spec in subagents]
    if general_purpose and all(spec.get("name") != GENERAL_PURPOSE for spec in specs):
        module = importlib.import_module("deepagents.middleware.subagents")
        own: dict[str, Any] = {**module.GENERAL_PURPOSE_SUBAGENT, "middleware": [each for each in middleware if _replaces_a_default(each)]}
        if skills is not None:
            own["skills"] = list(skills)
        specs.insert(0, own)
    return [_routed(router, spec) for spec in specs]


def _routed(router: ToolRouter, spec: dict[str, Any]) -> dict[str, Any]:
    if "graph_id" in spec or "runnable" in spec:
        return spec  # runs elsewhere, or is compiled: nothing can be put into it any more
    present = list(spec.get("middleware", ()))
    if any(isinstance(each, ToolRouteMiddleware) for each in present):
        return spec
    known = spec["name"] in router.book.agents
    routing = ToolRouteMiddleware(router, agent=spec["name"] if known else None, prefer_agent_model="model" in spec and not known)
    return {**spec, "middleware": [*present, routing]}


def _replaces_a_default(middleware: Any) -> bool:
    """Has it the name of a middleware that deepagents gives every agent? Then it stands in that one's place."""
    package = importlib.import_module("deepagents.middleware")
    return middleware.name in package.__all__ or middleware.name in {"PatchToolCallsMiddleware", "AnthropicPromptCachingMiddleware"}


__all__ = ["create_routed_deep_agent", "routed_subagents"]
