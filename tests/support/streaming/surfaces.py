"""The three ways to build the same agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent

from lg_toolroute import create_toolroute_agent
from tests.support.streaming.scenarios import PRIMARY, TOOLS, Scenario, models, router


def graph(scenario: Scenario) -> Any:
    return create_toolroute_agent(router(scenario), TOOLS)


def middleware(scenario: Scenario) -> Any:
    from lg_toolroute import ToolRouteMiddleware

    scripted = models(scenario)
    return create_agent(scripted[PRIMARY], TOOLS, middleware=[ToolRouteMiddleware(router(scenario, scripted=scripted))])


def chat_model(scenario: Scenario) -> Any:
    from lg_toolroute import ToolRoutedChatModel

    return create_agent(ToolRoutedChatModel(router=router(scenario)), TOOLS)


SURFACES: dict[str, Callable[[Scenario], Any]] = {"graph": graph, "middleware": middleware, "chat model": chat_model}
