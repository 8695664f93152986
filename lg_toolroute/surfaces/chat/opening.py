"""How a routed chat model calls an inner one: through its gate, with the caller's settings, as a child of the outer run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config

from lg_toolroute.clients.models import Bound
from lg_toolroute.clients.wrappers import map_leaves
from lg_toolroute.gates.gate import gated
from lg_toolroute.gates.timing import TimeLimits
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.request import Request
from lg_toolroute.runner.send import to_send

NOT_FOR_CALLS = frozenset({"response_format", "ls_structured_output_format"})
"""Settings that shape words. A model that writes a call is not asked for words."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens an inner model.

    Attributes:
        router: Knows the models.
        config: The config of the inner runs: callbacks, and what configurable models read.
        settings: The caller's settings, for every inner call (`temperature`, `response_format`, …).
        stop: Where the words end. Arguments are no words, so it is not for a model that writes a call.
        timeout_s: How long one inner call may take, in seconds.
    """

    router: ToolRouter
    config: RunnableConfig
    settings: Mapping[str, Any] = field(default_factory=dict)
    stop: list[str] | None = None
    timeout_s: float | None = None

    def send(self, request: Request) -> AIMessage:
        """The inner model's message."""
        with self._inside():
            return cast("AIMessage", self._prepared(request, sync=True).invoke(to_send(request), self.config, **self._said(request)))

    async def asend(self, request: Request) -> AIMessage:
        """The inner model's message."""
        with self._inside():
            return cast("AIMessage", await self._prepared(request, sync=False).ainvoke(to_send(request), self.config, **self._said(request)))

    def stream(self, request: Request) -> Generator[AIMessageChunk, None, None]:
        """The inner model's chunks."""
        chunks = self._prepared(request, sync=True).stream(to_send(request), self.config, **self._said(request))
        with closing(cast("Any", chunks)):
            while True:
                with self._inside():
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk

    async def astream(self, request: Request) -> AsyncGenerator[AIMessageChunk, None]:
        """The inner model's chunks."""
        chunks = self._prepared(request, sync=False).astream(to_send(request), self.config, **self._said(request))
        async with aclosing(cast("Any", chunks)):
            while True:
                with self._inside():
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """What is around an inner model is the outer run, not what is around that: bindings read their callbacks off the context."""
        token = var_child_runnable_config.set(self.config)
        try:
            yield
        finally:
            var_child_runnable_config.reset(token)

    def _prepared(self, request: Request, *, sync: bool) -> Runnable[Any, Any]:
        """The request's model, gated, with its tools bound; whatever stood around the model still stands around it."""
        settings = self._settings(request)
        through = {key: value for key, value in settings.items() if _is_for_binding(key, value)}

        def at_leaf(leaf: BaseChatModel) -> Runnable[Any, Any]:
            bound = Bound(leaf, {})
            if request.tools:
                bound = self.router.models.bound(leaf, request.tools, request.tool_choice, **through)
            elif "response_format" in through and type(leaf).bind_tools is not BaseChatModel.bind_tools:
                # A schema is translated by a client's `bind_tools`, and that wants a list even of no tools.
                asked, kwargs = self.router.models.bound(leaf, [], None, **through)
                bound = Bound(asked, {key: value for key, value in kwargs.items() if key != "tools"})
            model = gated(
                bound.model,
                request.gate,
                stream_always=request.stream_always,
                limits=self._limits(request, sync=sync),
                binder=self.router.models.bound,
            )
            return RunnableBinding(bound=model, kwargs=bound.kwargs) if bound.kwargs else model

        return cast("Runnable[Any, Any]", map_leaves(request.model, at_leaf, self.config))

    def _said(self, request: Request) -> dict[str, Any]:
        """What is said with the call, and so goes before what stands around the model."""
        said = {key: value for key, value in self._settings(request).items() if not _is_for_binding(key, value)}
        return {**said, "stop": self.stop} if self.stop and not request.job.tools else said

    def _settings(self, request: Request) -> dict[str, Any]:
        job = request.job
        # What a rule says of its own model is said of nothing else, so it is the nearer word.
        own = job.params if request.spec == job.params_for else {}
        kept = {key: value for key, value in self.settings.items() if key not in own}
        if not job.tools:
            return kept
        if len(job.tools) > 1:
            kept.pop("parallel_tool_calls", None)  # several calls are wanted in one answer
        return {key: value for key, value in kept.items() if key not in NOT_FOR_CALLS}

    def _limits(self, request: Request, *, sync: bool) -> TimeLimits | None:
        limits = self.router.models.limits(request.spec, sync=sync)
        if self.timeout_s is None:
            return limits
        limits = limits or TimeLimits()
        total = self.timeout_s if limits.total_s is None else min(self.timeout_s, limits.total_s)
        return replace(limits, total_s=total, client_waits=False)  # no client knows of it


def _is_for_binding(key: str, value: Any) -> bool:
    """Is this for a client's `bind_tools`, which translates it? A `response_format` that is what goes over the wire already is not."""
    if key == "response_format":
        return not (isinstance(value, Mapping) and value.get("type") in {"json_object", "json_schema", "text"})
    return key in {"strict", "parallel_tool_calls"}
