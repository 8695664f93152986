"""What a turn of an agent is about, read off the agent's request: its tools, its history, its own model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from langchain.agents.middleware.types import ModelRequest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from lg_toolroute.core.rules.spec import canonical
from lg_toolroute.history import target_of
from lg_toolroute.router import ToolRouter, tool_name
from lg_toolroute.runner.request import Stage
from lg_toolroute.runner.scene import Failed, make_scene
from lg_toolroute.state import context_value
from lg_toolroute.surfaces.graph.nodes import new_call_id


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all turns of one middleware.

    Attributes:
        router: Rules, models, health.
        agent: Whose rules apply; `None`: whom the runtime context names.
        is_failure: Says whether a tool's result is a failure.
        parks: A turn in which a routed call was named is parked in the state before that call is written.
    """

    router: ToolRouter
    agent: str | None
    is_failure: Failed
    parks: bool

    def agent_of(self, context: Any) -> str | None:
        return self.agent or context_value(context, "agent") or None


@dataclass(frozen=True, slots=True)
class Primary:
    """The agent's own model, and what it is in this turn.

    Attributes:
        spec: Its spec.
        model: The model, as an outer middleware left it.
        used: It is one of the models of this turn; otherwise the configuration names another primary.
        override: It stands in front of the configured primary.
    """

    spec: str
    model: Any
    used: bool
    override: bool = False


@dataclass(slots=True)
class AgentStage(Stage):
    """A stage on which the agent's own model gets the history as the agent would have sent it, where nothing is known of its client."""

    def _adapted(self, messages: list[BaseMessage], leaf: BaseChatModel | None, spec: str) -> list[BaseMessage]:
        if spec in self.given and leaf is not None and target_of(leaf).api == "unknown":
            return messages
        return Stage._adapted(self, messages, leaf, spec)  # `super()` does not find its way in a class with slots


def stage_of(terms: Terms, request: ModelRequest[Any], primary: Primary, expected: str | None) -> AgentStage:
    """The stage of a turn.

    Args:
        terms: What holds for all turns.
        request: The agent's request.
        primary: The agent's own model.
        expected: A tool that is known to come next.
    """
    router = terms.router
    context = request.runtime.context if request.runtime is not None else None
    names = {tool_name(tool) for tool in request.tools}
    override = context_value(context, "model")
    given = {primary.spec: primary.model} if primary.used else {}
    agent = terms.agent_of(context)
    asked = canonical(override) if override else (primary.spec if primary.override else None)
    scene = make_scene(
        router,
        request.messages,
        request.tools,
        agent=agent,
        role=context_value(context, "role") or None,
        override=asked,
        forced=expected or forced_tool(request.tool_choice, names),
        model_given=primary.spec if primary.used and router.book.primary(agent=agent) is None else None,
        is_failure=terms.is_failure,
    )
    scene = replace(scene, facts=lambda spec: router.models.facts(spec, given.get(spec)))
    return AgentStage(
        router,
        scene,
        request.messages,
        request.tools,
        new_call_id,
        system=request.system_message,
        tool_choice=request.tool_choice,
        given=given,
        keep_ids=True,
    )


def forced_tool(choice: Any, names: set[str]) -> str | None:
    """The tool that a tool choice names, in any client's spelling; `None` if it names none of these."""
    if isinstance(choice, Mapping):
        function = choice.get("function")
        choice = function.get("name") if isinstance(function, Mapping) else choice.get("name")
    return choice if isinstance(choice, str) and choice in names else None
