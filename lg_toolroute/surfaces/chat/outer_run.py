"""The outer run of a routed chat model, and the callbacks that its inner models' runs are given.

An inner run is a child of the outer one, so callback handlers could see a turn twice. Three rules prevent that:

- handlers that stream (LangGraph's `messages` mode, `astream_events`) are attached to the outer run only;
- other handlers with `on_llm_end` or `on_llm_error` get the start and the end of each inner run, and the tokens of the outer run; handlers
  with neither (they only watch how a call starts) are attached to the outer run only;
- the usage of the outer run is the sum of the inner runs, so handlers that do not stream get the outer run's result without it.

Source: the private names this rests on (`_StreamingCallbackHandler`, `_V2StreamingCallbackHandler`, `_configure_hooks`) are pinned by
`tests/contract/test_callback_hooks.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.callbacks.manager import CallbackManager
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers._streaming import _StreamingCallbackHandler, _V2StreamingCallbackHandler
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer
from langchain_core.tracers.context import _configure_hooks
from langchain_core.utils.utils import LC_ID_PREFIX

_TOKENS = ("on_llm_new_token", "on_stream_event")
_ENDS = ("on_llm_end", "on_llm_error")
_LANGSMITH_PREFIX = "ls_"


def streams_tokens(handler: Any) -> bool:
    """Does this handler pass a model's tokens on to a consumer?"""
    return isinstance(handler, (_StreamingCallbackHandler, _V2StreamingCallbackHandler))


@dataclass(frozen=True, slots=True)
class OuterRun:
    """One call of the routed chat model.

    Attributes:
        message_id: The id of its message; LangChain's own for this run, so that it is the same wherever the message is seen.
        config: The config of the runs inside it.
        strip_last: Removes from the last chunk, once a consumer has it, what the handlers of this run must not count; `None` where the handlers
            are wrapped instead (`handlers_without_usage`).
    """

    message_id: str
    config: RunnableConfig
    strip_last: Callable[[AIMessage], AIMessage] | None = None


def start_outer_run(config: RunnableConfig) -> tuple[RunnableConfig, OuterRun]:
    """The config with which LangChain's own `stream` is to start the outer run, and that run.

    `stream` tells the model nothing about the run, so its id and its callbacks are made here, before it begins.
    """
    manager = CallbackManager.configure(
        config.get("callbacks"), None, inheritable_tags=config.get("tags"), inheritable_metadata=dict(config.get("metadata") or {})
    )
    run_id = config.get("run_id") or uuid4()
    streams = any(streams_tokens(handler) for handler in manager.handlers)
    run = OuterRun(
        _message_id(run_id), _inner_config(config, inner_callbacks(manager, run_id)), message_without_model_name if streams else message_without_usage
    )
    return {**config, "callbacks": manager, "run_id": run_id}, run


def outer_run_of(run_manager: Any, config: RunnableConfig) -> OuterRun:
    """The outer run that LangChain has begun. Wraps its handlers so that they do not see its usage.

    Args:
        run_manager: LangChain's; `None` if there is none, as when a hook is called by hand.
        config: The config of the call, or the one of the context.
    """
    if run_manager is None:
        return OuterRun(_message_id(uuid4()), _inner_config(config, CallbackManager(handlers=[])))
    callbacks = inner_callbacks(run_manager)
    run_manager.handlers = handlers_without_usage(run_manager.handlers)
    return OuterRun(_message_id(run_manager.run_id), _inner_config(config, callbacks))


def _message_id(run_id: Any) -> str:
    return f"{LC_ID_PREFIX}-{run_id}"


def _inner_config(config: RunnableConfig, callbacks: CallbackManager) -> RunnableConfig:
    # Tags, metadata and parent come with the callbacks. What stays is what configurable models read.
    return {"callbacks": callbacks, "configurable": dict(config.get("configurable") or {})}


def inner_callbacks(outer: Any, run_id: Any = None) -> CallbackManager:
    """The callbacks of the runs inside an outer run.

    Args:
        outer: The outer run's own manager, or the manager it is started with.
        run_id: The outer run's id; unset: read off its manager.
    """
    manager = CallbackManager(handlers=[], parent_run_id=run_id or outer.run_id)
    for handler in outer.inheritable_handlers:
        inner = _inner_handler(handler)
        if inner is not None:
            manager.add_handler(inner)
    manager.add_tags(list(outer.inheritable_tags))
    # LangSmith would read the outer run's `ls_…` keys as the inner model's.
    manager.add_metadata({key: value for key, value in outer.inheritable_metadata.items() if not key.startswith(_LANGSMITH_PREFIX)})
    return manager


def _inner_handler(handler: BaseCallbackHandler) -> BaseCallbackHandler | None:
    if streams_tokens(handler):
        return None
    if isinstance(handler, (BaseTracer, AsyncBaseTracer)) or _is_added_by_langchain(handler):
        return handler
    if not any(_overrides(handler, event) for event in _ENDS):
        return None  # it only handles the start of a call, and the call that the caller made is the outer one
    if not any(_overrides(handler, event) for event in _TOKENS):
        return handler
    return cast("BaseCallbackHandler", _HandlerProxy(handler, dict.fromkeys(_TOKENS, _ignored)))


def _is_added_by_langchain(handler: Any) -> bool:
    """Does LangChain add this handler from the context to every run? With a proxy as well, it would get each event twice."""
    return any(variable.get() is handler for variable, *_ in _configure_hooks)


def _overrides(handler: Any, event: str) -> bool:
    return getattr(type(handler), event, None) not in {getattr(BaseCallbackHandler, event), getattr(AsyncCallbackHandler, event)}


def handlers_without_usage(handlers: Iterable[Any]) -> list[Any]:
    """The handlers of an outer run; those that stream no tokens are wrapped, so that they do not see its usage."""
    end_without_usage = {"on_llm_end": _end_without_usage}
    return [each if streams_tokens(each) or isinstance(each, _HandlerProxy) else _HandlerProxy(each, end_without_usage) for each in handlers]


class _HandlerProxy:
    """A proxy of a callback handler: every event goes to the handler, except those that are replaced.

    Args:
        handler: The handler that gets the events.
        replaced: By event, a function that takes the handler's method and gives the one that is called instead.
    """

    def __init__(self, handler: Any, replaced: Mapping[str, Callable[[Callable[..., Any]], Callable[..., Any]]]) -> None:
        self._handler = handler
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._handler, name)
        instead = self._replaced.get(name)
        return value if instead is None else instead(value)


def _ignored(event: Callable[..., Any]) -> Callable[..., Any]:
    # Callbacks are awaited or not by what kind of function they are.
    if asyncio.iscoroutinefunction(event):

        async def aignore(*args: Any, **kwargs: Any) -> None:
            return None

        return aignore
    return lambda *args, **kwargs: None


def _end_without_usage(event: Callable[..., Any]) -> Callable[..., Any]:
    if asyncio.iscoroutinefunction(event):

        async def aend(response: LLMResult, **kwargs: Any) -> Any:
            return await event(without_usage(response), **kwargs)

        return aend
    return lambda response, **kwargs: event(without_usage(response), **kwargs)


def without_usage(result: LLMResult) -> LLMResult:
    """The same result, its messages without usage."""
    rows = [[_generation_without_usage(generation) for generation in row] for row in result.generations]
    return result.model_copy(update={"generations": rows})


def _generation_without_usage(generation: Any) -> Any:
    if not isinstance(generation, ChatGeneration) or not isinstance(generation.message, AIMessage):
        return generation
    return generation.model_copy(update={"message": message_without_usage(generation.message)})


def message_without_usage(message: AIMessage) -> AIMessage:
    """The same message without usage, and without the model name under which a usage callback would count it."""
    return message_without_model_name(message).model_copy(update={"usage_metadata": None})


def message_without_model_name(message: AIMessage) -> AIMessage:
    """The same message with its usage, but without the model name under which a usage callback would count it."""
    return message.model_copy(update={"response_metadata": {k: v for k, v in message.response_metadata.items() if k != "model_name"}})
