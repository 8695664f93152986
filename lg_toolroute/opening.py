"""How a routed chat model calls an inner one: through its gate, with the caller's settings, as a child of the outer run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config

from lg_toolroute.gate import gated
from lg_toolroute.models import map_leaves
from lg_toolroute.request import Request
from lg_toolroute.router import ToolRouter
from lg_toolroute.send import to_send
from lg_toolroute.timing import Limits

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
            return cast("AIMessage", self._prepared(request, sync=True).invoke(to_send(request), self.config, **self._stop(request)))

    async def asend(self, request: Request) -> AIMessage:
        """The inner model's message."""
        with self._inside():
            return cast("AIMessage", await self._prepared(request, sync=False).ainvoke(to_send(request), self.config, **self._stop(request)))

    def stream(self, request: Request) -> Generator[AIMessageChunk, None, None]:
        """The inner model's chunks."""
        chunks = self._prepared(request, sync=True).stream(to_send(request), self.config, **self._stop(request))
        with closing(cast("Any", chunks)):
            while True:
                with self._inside():
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk

    async def astream(self, request: Request) -> AsyncGenerator[AIMessageChunk, None]:
        """The inner model's chunks."""
        chunks = self._prepared(request, sync=False).astream(to_send(request), self.config, **self._stop(request))
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
        """The request's model, gated, with tools and settings bound; whatever stood around the model still stands around it."""
        settings = self._settings(request)

        def at_leaf(leaf: BaseChatModel) -> Runnable[Any, Any]:
            kwargs = dict(settings)
            asked = leaf
            form = kwargs.get("response_format")
            schema = {"response_format": kwargs.pop("response_format")} if form is not None and not _is_wire_form(form) else {}
            # A schema is translated by a client's `bind_tools`, and that wants a list even of no tools.
            if request.tools or (schema and type(leaf).bind_tools is not BaseChatModel.bind_tools):
                through = {key: kwargs.pop(key) for key in list(kwargs) if key != "response_format"}
                choice = request.tool_choice if request.tools else None
                asked, bound = self.router.models.bound(leaf, request.tools, choice, **schema, **through)
                kwargs.update(bound if request.tools else {key: value for key, value in bound.items() if key != "tools"})
            model = gated(
                asked,
                request.gate,
                stream_always=request.stream_always,
                limits=self._limits(request, sync=sync),
                binder=self.router.models.bound,
            )
            return RunnableBinding(bound=model, kwargs=kwargs) if kwargs else model

        return cast("Runnable[Any, Any]", map_leaves(request.model, at_leaf, self.config))

    def _settings(self, request: Request) -> dict[str, Any]:
        job = request.job
        if not job.tools:
            return dict(self.settings)
        kept = {key: value for key, value in self.settings.items() if key not in NOT_FOR_CALLS}
        if len(job.tools) > 1:
            kept.pop("parallel_tool_calls", None)  # several calls are wanted in one answer
        # What a rule says of its own model is said of nothing else, so it is the nearer word.
        own = job.params if job.rule is not None and job.chain and request.spec == job.chain[0] else {}
        return {key: value for key, value in kept.items() if key not in own}

    def _stop(self, request: Request) -> dict[str, Any]:
        return {"stop": self.stop} if self.stop and not request.job.tools else {}

    def _limits(self, request: Request, *, sync: bool) -> Limits | None:
        limits = self.router.models.limits(request.spec, sync=sync)
        if self.timeout_s is None:
            return limits
        total = min(self.timeout_s, limits.total_s) if limits is not None and limits.total_s is not None else self.timeout_s
        return Limits(limits.first_token_s, limits.idle_s, total) if limits is not None else Limits(total_s=total)


def _is_wire_form(form: Any) -> bool:
    """Is this `response_format` what goes over the wire already, and no schema?"""
    return isinstance(form, Mapping) and form.get("type") in {"json_object", "json_schema", "text"}
