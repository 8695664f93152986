"""Sends one request to a chat model, plainly or awaited, through its gate. For the surfaces that bind the tools themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig

from lg_toolroute.clients.bindings import Bound
from lg_toolroute.clients.wrappers import map_leaves
from lg_toolroute.gates.gate import gated

if TYPE_CHECKING:
    from lg_toolroute.router import ToolRouter
    from lg_toolroute.runner.request import Request


def prepared(request: Request, router: ToolRouter, config: RunnableConfig | None, *, sync: bool) -> Runnable[Any, Any]:
    """The request's model, gated, with its tools bound; whatever stood around the model still stands around it."""

    def at_leaf(leaf: BaseChatModel) -> Runnable[Any, Any]:
        bound = router.models.bound(leaf, request.tools, request.tool_choice) if request.tools else Bound(leaf, {})
        model = gated(
            bound.model,
            request.gate,
            stream_always=request.stream_always,
            limits=router.models.limits(request.spec, sync=sync),
            binder=router.models.bound,
        )
        return RunnableBinding(bound=model, kwargs=bound.kwargs) if bound.kwargs else model

    return cast("Runnable[Any, Any]", map_leaves(request.model, at_leaf, config))


def to_send(request: Request) -> list[BaseMessage]:
    """The messages, with the system prompt in front."""
    return [request.system, *request.messages] if request.system is not None else request.messages


def send(request: Request, router: ToolRouter, config: RunnableConfig | None) -> AIMessage:
    """The model's message."""
    # `invoke`, not `stream`: it is the one call that adapts to every streaming mode the run may be in.
    return cast("AIMessage", prepared(request, router, config, sync=True).invoke(to_send(request), config))


async def asend(request: Request, router: ToolRouter, config: RunnableConfig | None) -> AIMessage:
    """The model's message."""
    return cast("AIMessage", await prepared(request, router, config, sync=False).ainvoke(to_send(request), config))
