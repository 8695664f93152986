"""Puts a gate into a chat model's own stream, below LangChain's callbacks, for any `BaseChatModel`.

`gated(model, gate)` is a shallow copy of the model whose class is a cached subclass of the model's class. So `isinstance(model, ChatOpenAI)`,
`model._llm_type`, its profile, its rate limiter and its `bind_tools` stay what they were, the HTTP client is shared, and nothing that the gate
withholds reaches a callback, a trace, or a consumer in any streaming mode. When the gate needs no more of the stream, the model's generator is
closed, which closes the connection.

The private hooks of LangChain that this needs are in `langchain_hooks.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models._compat_bridge import achunks_to_events, chunks_to_events
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableBinding

from lg_toolroute.gates.chunks import added_up
from lg_toolroute.gates.model_call import AwaitedChunkStream, ChunkStream, ModelCall, as_one_chunk
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.timing import TimeLimits
from lg_toolroute.gates.writing import WriteGate

Gate = ReasonGate | WriteGate
Messages = list[BaseMessage]
Stop = list[str] | None
Prepare = Callable[[BaseChatModel, Messages, dict[str, Any]], tuple[Messages, dict[str, Any]]]
"""Takes a model, and the messages and keyword arguments of a call; gives those that the client is sent."""


class Binder(Protocol):
    """Does the work of `model.bind_tools`, from a cache: returns the model to ask, usually the same one, and the keyword arguments of each call."""

    def __call__(self, model: BaseChatModel, tools: Sequence[Any], tool_choice: Any, **settings: Any) -> tuple[BaseChatModel, dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class _Gating:
    """What a gated model carries: the arguments of `gated`.

    Attributes:
        original: The model that was copied.
        fields: The copy's fields when it was made.
    """

    gate: Gate
    original: BaseChatModel
    fields: dict[str, Any]
    stream_always: bool
    limits: TimeLimits | None
    binder: Binder | None
    prepare: Prepare | None


def gated(
    model: BaseChatModel,
    gate: Gate,
    *,
    stream_always: bool = False,
    limits: TimeLimits | None = None,
    binder: Binder | None = None,
    prepare: Prepare | None = None,
) -> BaseChatModel:
    """A copy of `model` whose answers pass through `gate`. The model itself does not change.

    Args:
        model: Any chat model. A gated one gets this gate in place of its own.
        gate: Used for one call.
        stream_always: Let the model stream even if its answer is wanted whole, so that a cut saves the rest of the answer.
        limits: Time limits for the stream.
        binder: Caches bound tools; `None` for the model's own `bind_tools`.
        prepare: Has the last word on what the client is sent, after all code around the model.
    """
    original = model.__dict__["_gating"].original if isinstance(model, _Gated) else model
    # What LangChain serialises of a model for traces is cached on the model; the copy takes it along, so that it is made once and not in every call.
    getattr(original, "_serialized", None)
    copy = original.model_copy()
    object.__setattr__(copy, "__class__", _gated_class(type(original)))  # type: ignore[arg-type]  # a class is hashable
    copy.__dict__["cache"] = False  # a cut answer must not be cached, and a cached answer would not pass through the gate
    fields = {name: copy.__dict__[name] for name in _field_names(type(original)) if name in copy.__dict__}  # type: ignore[arg-type]  # a class is hashable
    copy.__dict__["_gating"] = _Gating(gate, original, fields, stream_always, limits, binder, prepare)
    return copy


def gate_of(model: Any) -> Gate | None:
    """The gate of a model made by `gated`; `None` for any other."""
    return cast("Gate", model.__dict__["_gating"].gate) if isinstance(model, _Gated) else None


@lru_cache(maxsize=256)
def _field_names(cls: type[BaseChatModel]) -> tuple[str, ...]:
    return tuple(name for name in cls.model_fields if name != "cache")


@lru_cache(maxsize=256)
def _gated_class(base: type[BaseChatModel]) -> type[BaseChatModel]:
    # Traces and middleware read the name of the class, so it stays.
    body = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    return cast("type[BaseChatModel]", type(base.__name__, (_Gated, base), body))


class _Gated:
    """The mixin of a gated model: overrides every method by which a chat model is called. Its own names must not meet those of a client's class.

    No method passes on its `run_manager`: the client would report tokens to the callbacks before the gate has seen them.
    """

    def _stream(self, messages: Messages, stop: Stop = None, run_manager: Any = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        return _shown(*_call_of(self, messages, stop, kwargs), announce=True)

    async def _astream(self, messages: Messages, stop: Stop = None, run_manager: Any = None, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        # `aclosing`: leaving this stream closes the model's stream at once, not when it is garbage collected.
        async with aclosing(_ashown(*_call_of(self, messages, stop, kwargs), announce=True)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _generate(self, messages: Messages, stop: Stop = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        gate, call = _call_of(self, messages, stop, kwargs)
        if _gating_of(self).stream_always and not call.answers_whole:
            return added_up(_shown(gate, call, announce=False))
        with _recording_errors(gate):
            return _shown_result(gate, call.answer())

    async def _agenerate(self, messages: Messages, stop: Stop = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        gate, call = _call_of(self, messages, stop, kwargs)
        if _gating_of(self).stream_always and not call.answers_whole:
            return added_up([chunk async for chunk in _ashown(gate, call, announce=False)])
        with _recording_errors(gate):
            return _shown_result(gate, await call.aanswer())

    def _stream_chat_model_events(self, messages: Messages, *, stop: Stop = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        return chunks_to_events(_shown(*_call_of(self, messages, stop, kwargs), announce=False), message_id=_gating_of(self).gate.message_id)

    async def _astream_chat_model_events(
        self, messages: Messages, *, stop: Stop = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        async with aclosing(_ashown(*_call_of(self, messages, stop, kwargs), announce=False)) as chunks:
            async for event in achunks_to_events(chunks, message_id=_gating_of(self).gate.message_id):
                yield event

    def _streaming_disabled(self, **kwargs: Any) -> bool:
        return False  # the answer of a model that does not stream is shown as one chunk, under the message id of the turn

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any) -> Runnable[Any, AIMessage]:
        gating = _gating_of(self)
        if gating.binder is None:
            return super().bind_tools(tools, tool_choice=tool_choice, **kwargs)  # type: ignore[misc, no-any-return]  # the base is a chat model
        model = _model_to_call(self)
        with _recording_errors(gating.gate):
            bound, settings = gating.binder(model, tools, tool_choice, **kwargs)
        if bound is model:
            return RunnableBinding(bound=cast("BaseChatModel", self), kwargs=settings)
        again = gated(bound, gating.gate, stream_always=gating.stream_always, limits=gating.limits, binder=gating.binder, prepare=gating.prepare)
        return RunnableBinding(bound=again, kwargs=settings)


def _gating_of(model: _Gated) -> _Gating:
    return cast("_Gating", model.__dict__["_gating"])


def _model_to_call(model: _Gated) -> BaseChatModel:
    """The original model, so that what it keeps in its fields between calls stays there, and calls of its own methods do not meet the gate again.

    If the gated model was copied with other settings, a copy of the original with these settings.
    """
    original, before, now = _gating_of(model).original, _gating_of(model).fields, model.__dict__
    changed = {name: now[name] for name, value in before.items() if now[name] is not value}
    return original.model_copy(update=changed) if changed else original


def _call_of(model: _Gated, messages: Messages, stop: Stop, kwargs: dict[str, Any]) -> tuple[Gate, ModelCall]:
    gating, asked = _gating_of(model), _model_to_call(model)
    if gating.prepare is not None:
        messages, kwargs = gating.prepare(asked, messages, kwargs)
    return gating.gate, ModelCall(asked, messages, stop, kwargs, gating.limits)


@contextmanager
def _recording_errors(gate: Gate) -> Iterator[None]:
    """Stores on the gate what the model raises: a retry or a fallback around the model may catch the error."""
    gate.raised = None
    try:
        yield
    except Exception as error:
        gate.raised = error
        raise


def _shown(gate: Gate, call: ModelCall, *, announce: bool) -> ChunkStream:
    """What the gate shows of the model's stream, which is closed when the gate needs no more of it."""
    gate.restart()
    with _recording_errors(gate):
        yield from gate.begin(announce=announce)
        chunks = call.chunks()
        try:
            for chunk in chunks:
                yield from gate.feed(chunk)
                if gate.halted:
                    break
        except Exception as error:
            if not gate.fail(error):
                raise
        finally:
            chunks.close()
        yield from gate.end()


async def _ashown(gate: Gate, call: ModelCall, *, announce: bool) -> AwaitedChunkStream:
    """What the gate shows of the model's awaited stream, which is closed when the gate needs no more of it."""
    gate.restart()
    with _recording_errors(gate):
        for shown in gate.begin(announce=announce):
            yield shown
        chunks = call.achunks()
        try:
            async for chunk in chunks:
                for shown in gate.feed(chunk):
                    yield shown
                if gate.halted:
                    break
        except Exception as error:
            if not gate.fail(error):
                raise
        finally:
            await chunks.aclose()
        for shown in gate.end():
            yield shown


def _shown_result(gate: Gate, result: ChatResult) -> ChatResult:
    """What the gate shows of a whole answer."""
    gate.restart()
    takes_nothing = isinstance(gate, ReasonGate) and not gate.gates and not gate.forgets and bool(result.generations)
    chunk = as_one_chunk(result.model_copy(deep=True) if takes_nothing else result)
    shown = [*gate.feed(chunk), *gate.end()]
    if not takes_nothing or (isinstance(gate, ReasonGate) and (gate.rejected or gate.renamed or gate.sent_back)):
        return added_up(shown)
    # The gate has only checked the answer, so the client's own result stays, with all that it says. The model may keep its message: a copy is named.
    first = result.generations[0]
    named = first.message.model_copy(update={"id": gate.message_id})
    return result.model_copy(update={"generations": [first.model_copy(update={"message": named})]})
