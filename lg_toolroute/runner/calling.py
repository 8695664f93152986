"""Sends a request to its model through its gate, synchronously or awaited: for the graph and the chat model, which bind the tools themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig

from lg_toolroute.clients.bindings import Bound
from lg_toolroute.clients.wrappers import map_leaves
from lg_toolroute.gates.gate import gated
from lg_toolroute.gates.timing import TimeLimits
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.request_parts import Request


class ModelCaller:
    """Calls models: the `Surface` of the graph, and the base class of the chat model's.

    Args:
        router: Knows the models.
        config: The config of the models' runs.
        timeout_s: How long one call may take, in seconds, on top of the configured limits.
    """

    others_between = False

    def __init__(self, router: ToolRouter, config: RunnableConfig | None, *, timeout_s: float | None = None) -> None:
        self.router = router
        self.config = config
        self.timeout_s = timeout_s

    def send(self, request: Request) -> AIMessage:
        """The model's message."""
        # `invoke`, not `stream`: it is the one call that adapts to every streaming mode the run may be in.
        model, kwargs = self.prepared(request, sync=True)
        return cast("AIMessage", model.invoke(messages_to_send(request), self.config, **kwargs))

    async def asend(self, request: Request) -> AIMessage:
        """The model's message, awaited."""
        model, kwargs = self.prepared(request, sync=False)
        return cast("AIMessage", await model.ainvoke(messages_to_send(request), self.config, **kwargs))

    def prepared(
        self, request: Request, *, sync: bool, binding: Mapping[str, Any] = MappingProxyType({})
    ) -> tuple[Runnable[Any, Any], Mapping[str, Any]]:
        """The request's model, gated, inside the wrappers (retries, fallbacks, bindings) that it had, and the keyword arguments of its call.

        Args:
            request: What is asked.
            sync: The call is a synchronous one.
            binding: Settings for the model's `bind_tools`, which translates them (`strict`, a schema as `response_format`).
        """
        models = self.router.models

        def at_leaf(leaf: BaseChatModel) -> Bound:
            bound = Bound(leaf, {})
            if request.tools:
                bound = models.bound(leaf, request.tools, request.tool_choice, **binding)
            elif "response_format" in binding and type(leaf).bind_tools is not BaseChatModel.bind_tools:
                # A schema is translated by a client's `bind_tools`, which wants a list even of no tools.
                asked, kwargs = models.bound(leaf, [], None, **binding)
                bound = Bound(asked, {key: value for key, value in kwargs.items() if key != "tools"})
            limits = self._limits(request, sync=sync)
            prepare, stream_always = request.prepare(bound.model), request.stream_always
            model = gated(bound.model, request.gate, stream_always=stream_always, limits=limits, binder=models.bound, prepare=prepare)
            return Bound(model, bound.kwargs)

        def bound_leaf(leaf: BaseChatModel) -> Runnable[Any, Any]:
            model, kwargs = at_leaf(leaf)
            return RunnableBinding(bound=model, kwargs=kwargs) if kwargs else model

        if isinstance(request.model, BaseChatModel):
            return at_leaf(request.model)
        return map_leaves(request.model, bound_leaf, self.config), {}

    def _limits(self, request: Request, *, sync: bool) -> TimeLimits | None:
        limits = self.router.models.limits(request.spec, sync=sync)
        if self.timeout_s is None:
            return limits
        limits = limits or TimeLimits()
        total = self.timeout_s if limits.total_s is None else min(self.timeout_s, limits.total_s)
        return replace(limits, total_s=total, client_waits=False)  # the client does not know this limit


def messages_to_send(request: Request) -> list[BaseMessage]:
    """The messages, with the system prompt in front."""
    return [request.system, *request.messages] if request.system is not None else request.messages
