"""The three surfaces as graphs of a LangGraph server; the story is named in the run's configuration."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig

from tests.support.streaming import surfaces
from tests.support.streaming.scenarios import BY_NAME, SCENARIOS


def _scenario(config: RunnableConfig) -> Any:
    return BY_NAME.get(config.get("configurable", {}).get("scenario", ""), SCENARIOS[0])


def graph(config: RunnableConfig) -> Any:
    return surfaces.graph(_scenario(config))


def middleware(config: RunnableConfig) -> Any:
    return surfaces.middleware(_scenario(config))


def chat_model(config: RunnableConfig) -> Any:
    return surfaces.chat_model(_scenario(config))
