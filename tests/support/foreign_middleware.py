"""Middlewares of others that put a model of their own into every request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelFallbackMiddleware
from langchain_core.tools import BaseTool

WAYS_TO_PUT_IN = ("override", "fallback", "fallback", "assigned", "prepared", "around", "all tools")


class Foreign(AgentMiddleware):
    """A middleware that puts a model of its own into every request, in one of the ways in which that can be done.

    Args:
        model: The model that it puts in.
        other: Another one, for which it prepares a request that is not sent.
        way: One of `WAYS_TO_PUT_IN`.
        tools: What it binds where its way is `all tools`.
    """

    def __init__(self, model: Any, other: Any, way: str, tools: Sequence[BaseTool]) -> None:
        super().__init__()
        self.model, self.other, self.way, self.tools_to_add = model, other, way, list(tools)

    @property
    def name(self) -> str:
        return f"Foreign-{self.way}-{id(self)}"

    def changed(self, request: Any) -> Any:
        if self.way == "assigned":
            request.model = self.model
            return request
        if self.way == "prepared":  # a request for each of two models, of which the first is sent
            first, _ = request.override(model=self.model), request.override(model=self.other)
            return first
        if self.way == "around":
            return request.override(model=request.model.with_fallbacks([self.model]))
        if self.way == "all tools":
            return request.override(tools=self.tools_to_add)
        return request.override(model=self.model)

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(self.changed(request))

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        return await handler(self.changed(request))


def foreign_middleware(way: str, model: Any, other: Any, tools: Sequence[BaseTool]) -> AgentMiddleware:
    """A middleware that puts `model` in, in one of `WAYS_TO_PUT_IN`; its name is its own, so that an agent may have two."""
    if way == "fallback":
        return type("Fallback", (ModelFallbackMiddleware,), {"name": property(lambda self: f"fallback-{id(self)}")})(model)
    return Foreign(model, other, way, tools)
