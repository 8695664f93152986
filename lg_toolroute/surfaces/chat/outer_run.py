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
_MARK = "ls_"


def shows(handler: Any) -> bool:
    """Does this handler pass on to a consumer what it hears of a model?"""
    return isinstance(handler, (_StreamingCallbackHandler, _V2StreamingCallbackHandler))


@dataclass(frozen=True, slots=True)
class OuterRun:
    """One call of the routed chat model.

    Attributes:
        message_id: The id of its message; LangChain's own for this run, so that it is the same wherever the message is seen.
        config: The config of the runs inside it.
        settles: Makes of the last chunk, once it has been shown, what LangChain adds up for the handlers of this run; `None` where the
            handlers themselves are kept from the usage.
    """

    message_id: str
    config: RunnableConfig
    settles: Callable[[AIMessage], AIMessage] | None = None


def started(config: RunnableConfig) -> tuple[RunnableConfig, OuterRun]:
    """The config with which LangChain's own `stream` is to start the outer run, and that run.

    `stream` tells the model nothing about the run, so its id and its callbacks are made here, before it begins.
    """
    manager = CallbackManager.configure(
        config.get("callbacks"), None, inheritable_tags=config.get("tags"), inheritable_metadata=dict(config.get("metadata") or {})
    )
    run_id = config.get("run_id") or uuid4()
    shown = any(shows(handler) for handler in manager.handlers)
    run = OuterRun(_message_id(run_id), _inner_config(config, inner_callbacks(manager, run_id)), unnamed_message if shown else unbilled_message)
    return {**config, "callbacks": manager, "run_id": run_id}, run


def under(run_manager: Any, config: RunnableConfig) -> OuterRun:
    """The outer run that LangChain has begun; its handlers are kept from the usage from here on.

    Args:
        run_manager: LangChain's; `None` if there is none, as when a hook is called by hand.
        config: What the call was given, or what is around it.
    """
    if run_manager is None:
        return OuterRun(_message_id(uuid4()), _inner_config(config, CallbackManager(handlers=[])))
    callbacks = inner_callbacks(run_manager)
    run_manager.handlers = keep_usage_from(run_manager.handlers)
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
        heard = _without_tokens(handler)
        if heard is not None:
            manager.add_handler(heard)
    manager.add_tags(list(outer.inheritable_tags))
    # What the outer run says about its own model would be read as the inner one's.
    manager.add_metadata({key: value for key, value in outer.inheritable_metadata.items() if not key.startswith(_MARK)})
    return manager


def _without_tokens(handler: BaseCallbackHandler) -> BaseCallbackHandler | None:
    if shows(handler):
        return None
    if isinstance(handler, (BaseTracer, AsyncBaseTracer)) or _is_ambient(handler):
        return handler
    if not any(_hears(handler, event) for event in _ENDS):
        return None  # it looks at how a call begins, not at what becomes of it; that call is the caller's own, the outer one
    if not any(_hears(handler, event) for event in _TOKENS):
        return handler
    return cast("BaseCallbackHandler", _HandlerProxy(handler, dict.fromkeys(_TOKENS, _nothing)))


def _is_ambient(handler: Any) -> bool:
    """Does LangChain add this handler by itself, from the context, to every run? A stand-in for it would make it hear twice."""
    return any(variable.get() is handler for variable, *_ in _configure_hooks)


def _hears(handler: Any, event: str) -> bool:
    return getattr(type(handler), event, None) not in {getattr(BaseCallbackHandler, event), getattr(AsyncCallbackHandler, event)}


def keep_usage_from(handlers: Iterable[Any]) -> list[Any]:
    """The handlers of an outer run, those that show nothing unable to see its usage."""
    unbilled_end = {"on_llm_end": _unbilled_end}
    return [each if shows(each) or isinstance(each, _HandlerProxy) else _HandlerProxy(each, unbilled_end) for each in handlers]


class _HandlerProxy:
    """Stands in for a callback handler: everything it hears goes to the handler, but for what is told otherwise.

    Args:
        handler: The handler that it stands in for.
        told: By event, what makes the function that is called instead of the handler's own.
    """

    def __init__(self, handler: Any, told: Mapping[str, Callable[[Callable[..., Any]], Callable[..., Any]]]) -> None:
        self._handler = handler
        self._told = told

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._handler, name)
        instead = self._told.get(name)
        return value if instead is None else instead(value)


def _nothing(event: Callable[..., Any]) -> Callable[..., Any]:
    # Callbacks are awaited or not by what kind of function they are.
    if asyncio.iscoroutinefunction(event):

        async def aignore(*args: Any, **kwargs: Any) -> None:
            return None

        return aignore
    return lambda *args, **kwargs: None


def _unbilled_end(event: Callable[..., Any]) -> Callable[..., Any]:
    if asyncio.iscoroutinefunction(event):

        async def aend(response: LLMResult, **kwargs: Any) -> Any:
            return await event(unbilled(response), **kwargs)

        return aend
    return lambda response, **kwargs: event(unbilled(response), **kwargs)


def unbilled(result: LLMResult) -> LLMResult:
    """The same result, its messages without usage."""
    rows = [[_unbilled_generation(generation) for generation in row] for row in result.generations]
    return result.model_copy(update={"generations": rows})


def _unbilled_generation(generation: Any) -> Any:
    if not isinstance(generation, ChatGeneration) or not isinstance(generation.message, AIMessage):
        return generation
    return generation.model_copy(update={"message": unbilled_message(generation.message)})


def unbilled_message(message: AIMessage) -> AIMessage:
    """The same message without usage, and without the name under which a counter would book it."""
    return unnamed_message(message).model_copy(update={"usage_metadata": None})


def unnamed_message(message: AIMessage) -> AIMessage:
    """The same message with its usage, but without the name under which a counter would book it."""
    return message.model_copy(update={"response_metadata": {k: v for k, v in message.response_metadata.items() if k != "model_name"}})
