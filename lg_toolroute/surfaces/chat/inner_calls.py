"""How the routed chat model calls an inner one: through its gate, with the caller's settings, as a child of the outer run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config

from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.calling import ModelCaller, messages_to_send
from lg_toolroute.runner.request_parts import Request

NOT_FOR_CALLS = frozenset({"response_format", "ls_structured_output_format"})
"""Settings that shape an answer in text. A model that writes a call gives none."""


class InnerCalls(ModelCaller):
    """Calls inner models; the `StreamingSurface` of the routed chat model.

    Args:
        router: Knows the models.
        config: The config of the inner runs: callbacks, and what configurable models read.
        settings: The caller's settings, for every inner call (`temperature`, `response_format`, …).
        stop: Stop sequences for text. A model that writes a call is not given them.
        timeout_s: How long one inner call may take, in seconds.
    """

    def __init__(
        self,
        router: ToolRouter,
        config: RunnableConfig,
        *,
        settings: Mapping[str, Any],
        stop: list[str] | None = None,
        timeout_s: float | None = None,
    ) -> None:
        super().__init__(router, config, timeout_s=timeout_s)
        self._settings = settings
        self._stop = stop

    def send(self, request: Request) -> AIMessage:
        """The inner model's message."""
        model, call_settings = self._model(request, sync=True)
        with self._inner_config():
            return cast("AIMessage", model.invoke(messages_to_send(request), self.config, **call_settings))

    async def asend(self, request: Request) -> AIMessage:
        """The inner model's message, awaited."""
        model, call_settings = self._model(request, sync=False)
        with self._inner_config():
            return cast("AIMessage", await model.ainvoke(messages_to_send(request), self.config, **call_settings))

    def stream(self, request: Request) -> Generator[AIMessageChunk, None, None]:
        """The inner model's chunks."""
        model, call_settings = self._model(request, sync=True)
        with closing(cast("Any", model.stream(messages_to_send(request), self.config, **call_settings))) as chunks:
            while True:
                with self._inner_config():
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk

    async def astream(self, request: Request) -> AsyncGenerator[AIMessageChunk, None]:
        """The inner model's chunks, awaited."""
        model, call_settings = self._model(request, sync=False)
        async with aclosing(cast("Any", model.astream(messages_to_send(request), self.config, **call_settings))) as chunks:
            while True:
                with self._inner_config():
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk

    @contextmanager
    def _inner_config(self) -> Iterator[None]:
        """Makes the config of the inner runs the current one: bindings read their callbacks from the context, which still has the outer run's."""
        token = var_child_runnable_config.set(self.config)
        try:
            yield
        finally:
            var_child_runnable_config.reset(token)

    def _model(self, request: Request, *, sync: bool) -> tuple[Runnable[Any, Any], dict[str, Any]]:
        """The model to call, and the keyword arguments of the call."""
        settings = self._settings_for(request)
        binding = {key: value for key, value in settings.items() if _is_for_binding(key, value)}
        call_settings = {key: value for key, value in settings.items() if key not in binding}
        if self._stop and not request.job.calls:
            call_settings["stop"] = self._stop
        model, kwargs = self.prepared(request, sync=sync, binding=binding)
        return model, {**kwargs, **call_settings}

    def _settings_for(self, request: Request) -> dict[str, Any]:
        job = request.job
        # The settings of a rule are for its own model, so they go before the caller's, which are for all.
        kept = request.without_thinking({key: value for key, value in self._settings.items() if key not in (job.params or {})})
        if not job.calls:
            return kept
        if len(job.calls) > 1:
            kept.pop("parallel_tool_calls", None)  # several calls are wanted in one answer
        return {key: value for key, value in kept.items() if key not in NOT_FOR_CALLS}


def _is_for_binding(key: str, value: Any) -> bool:
    """Is this for a client's `bind_tools`, which translates it? A `response_format` in the shape that goes over the wire needs no translation."""
    if key == "response_format":
        return not (isinstance(value, Mapping) and value.get("type") in {"json_object", "json_schema", "text"})
    return key in {"strict", "parallel_tool_calls"}
