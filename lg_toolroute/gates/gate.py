"""Puts a gate into a chat model's own stream, below LangChain's callbacks, for any `BaseChatModel`.

`gated(model, gate)` is a shallow copy of the model whose class is a cached subclass of its own class. So `isinstance(model, ChatOpenAI)`,
`model._llm_type`, its profile, its rate limiter and its `bind_tools` are what they were, the HTTP client is shared, and nothing that
the gate withholds reaches a callback, a trace, or a consumer in any streaming mode. When the gate has what it wants, the inner generator
is closed, which closes the connection.

Source: the private hooks this rests on (`_stream`, `_astream`, `_generate`, `_agenerate`, `_stream_chat_model_events`,
`_astream_chat_model_events`, `_streaming_disabled`) are pinned by `tests/contract/test_langchain_hooks.py`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from functools import lru_cache
from typing import Any, Protocol, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models._compat_bridge import achunks_to_events, chunks_to_events
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableBinding

from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.source import achunks_of, as_one_chunk, chunks_of, is_whole, once
from lg_toolroute.gates.timing import Limits, atimed, in_time, timed
from lg_toolroute.gates.writing import WriteGate

Gate = ReasonGate | WriteGate


class Binder(Protocol):
    """Gives the model that `bind_tools` would bind, usually the same, and the keyword arguments that go along; remembered."""

    def __call__(self, model: BaseChatModel, tools: Sequence[Any], tool_choice: Any, **settings: Any) -> tuple[BaseChatModel, dict[str, Any]]: ...


class GatePost:
    """What a gated model carries: its gate, and how it is to be called.

    Attributes:
        gate: Decides what may be shown.
        stream_always: Stream although nobody listens, so that a cut saves what comes behind it.
        limits: Time limits around the stream; `None` where the client has its own.
        binder: Remembers bound tools.
        origin: The model this one is a copy of.
        fields: The origin's fields when it was copied.
    """

    __slots__ = ("binder", "fields", "gate", "limits", "origin", "stream_always")

    def __init__(self, gate: Gate, origin: BaseChatModel, *, stream_always: bool, limits: Limits | None, binder: Binder | None) -> None:
        self.gate = gate
        self.origin = origin
        self.fields = dict(origin.__dict__)
        self.stream_always = stream_always
        self.limits = limits
        self.binder = binder


def gated(
    model: BaseChatModel,
    gate: Gate,
    *,
    stream_always: bool = False,
    limits: Limits | None = None,
    binder: Binder | None = None,
) -> BaseChatModel:
    """A copy of `model` whose answers pass through `gate`. The model itself is left as it is.

    Args:
        model: Any chat model.
        gate: Used for one call.
        stream_always: Stream although nobody listens, so that a cut saves what comes behind it.
        limits: Time limits to keep around the stream.
        binder: Remembers bound tools.
    """
    origin = model.__dict__["_gate_post"].origin if isinstance(model, _Gated) else model
    copy = origin.model_copy()
    object.__setattr__(copy, "__class__", _gated_class(type(origin)))  # type: ignore[arg-type]  # a class is hashable
    # A cut answer must not be remembered as the answer, nor a remembered one slip past the gate.
    copy.__dict__["cache"] = False
    copy.__dict__["_gate_post"] = GatePost(gate, origin, stream_always=stream_always, limits=limits, binder=binder)
    return copy


def gate_of(model: Any) -> Gate | None:
    """The gate of a model made by `gated`; `None` for any other."""
    return model.__dict__["_gate_post"].gate if isinstance(model, _Gated) else None


@lru_cache(maxsize=256)
def _gated_class(base: type[BaseChatModel]) -> type[BaseChatModel]:
    # The name stays: it is written into traces, and some middleware looks at it.
    body = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    return cast("type[BaseChatModel]", type(base.__name__, (_Gated, base), body))


class _Gated:
    """The mixin: every way into the model leads through the gate."""

    # -- the model's own hooks, overridden ------------------------------------------------------------------------------------------

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        # run_manager is not passed on: the client would fire its tokens past the gate.
        model, post = self._behind, self._post
        return _through(post, chunks_of(model, messages, stop, kwargs), _limits(post, model, kwargs), announce=True)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        model, post = self._behind, self._post
        # `aclosing`: whoever leaves this stream has left the model's, now and not when it is collected.
        async with aclosing(_athrough(post, achunks_of(model, messages, stop, kwargs), _limits(post, model, kwargs), announce=True)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        model, post = self._behind, self._post
        if post.stream_always and not is_whole(model, kwargs):
            return generate_from_stream(_through(post, chunks_of(model, messages, stop, kwargs), post.limits, announce=False))
        with _noting(post.gate):
            limits = _limits(post, model, kwargs, whole=True)
            if limits is None or limits.client_waits:
                return _result(post, model._generate(messages, stop, None, **kwargs))
            return _result(post, next(timed(once(lambda: model._generate(messages, stop, None, **kwargs)), limits)))

    async def _agenerate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        model, post = self._behind, self._post
        if post.stream_always and not is_whole(model, kwargs):
            chunks = [chunk async for chunk in _athrough(post, achunks_of(model, messages, stop, kwargs), post.limits, announce=False)]
            return generate_from_stream(iter(chunks))
        with _noting(post.gate):
            answer = model._agenerate(messages, stop, None, **kwargs)
            limits = _limits(post, model, kwargs, whole=True)
            return _result(post, await (answer if limits is None else in_time(answer, limits)))

    def _stream_chat_model_events(
        self, messages: list[BaseMessage], *, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[Any]:
        model, post = self._behind, self._post
        chunks = _through(post, chunks_of(model, messages, stop, kwargs), _limits(post, model, kwargs), announce=False)
        return chunks_to_events(chunks, message_id=post.gate.message_id)

    async def _astream_chat_model_events(
        self, messages: list[BaseMessage], *, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        model, post = self._behind, self._post
        async with aclosing(_athrough(post, achunks_of(model, messages, stop, kwargs), _limits(post, model, kwargs), announce=False)) as chunks:
            async for event in achunks_to_events(chunks, message_id=post.gate.message_id):
                yield event

    def _streaming_disabled(self, **kwargs: Any) -> bool:
        return False  # a model that does not stream is shown as one chunk, under the id of the turn

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any) -> Runnable[Any, AIMessage]:
        post = self._post
        if post.binder is None:
            return super().bind_tools(tools, tool_choice=tool_choice, **kwargs)  # type: ignore[misc, no-any-return]  # the base is a chat model
        with _noting(post.gate):
            bound, settings = post.binder(self._behind, tools, tool_choice, **kwargs)
        model = self._model
        if bound is not self._behind:
            model = gated(bound, post.gate, stream_always=post.stream_always, limits=post.limits, binder=post.binder)
        return RunnableBinding(bound=model, kwargs=settings)

    # -- shorthands ------------------------------------------------------------------------------------------------------------------

    @property
    def _post(self) -> GatePost:
        return cast("GatePost", self.__dict__["_gate_post"])

    @property
    def _model(self) -> BaseChatModel:
        return cast("BaseChatModel", self)

    @property
    def _behind(self) -> BaseChatModel:
        """The model itself: what it keeps between calls it keeps in its own fields, and what it calls of its own does not meet the gate again.

        Somebody who copied the gated model with other settings means those, so then it is a copy with them.
        """
        post, mine = self._post, self.__dict__
        names = type(post.origin).model_fields
        changed = {name: mine[name] for name in names if name != "cache" and name in mine and mine[name] is not post.fields.get(name)}
        return post.origin.model_copy(update=changed) if changed else post.origin


@contextmanager
def _noting(gate: Gate) -> Iterator[None]:
    """Notes on the gate what the model raises, for a surface where something else may catch it first."""
    gate.raised = None
    try:
        yield
    except Exception as error:  # whatever a client raises; it goes on at once
        gate.raised = error
        raise


def _limits(post: GatePost, model: BaseChatModel, kwargs: dict[str, Any], *, whole: bool = False) -> Limits | None:
    """The time limits of a call. An answer in one piece has no first token: only its end is waited for."""
    limits = post.limits
    if limits is None or not (whole or is_whole(model, kwargs)):
        return limits
    return Limits(total_s=limits.total_s, client_waits=limits.client_waits) if limits.total_s is not None else None


def _through(post: GatePost, source: Iterator[ChatGenerationChunk], limits: Limits | None, *, announce: bool) -> Iterator[ChatGenerationChunk]:
    gate = post.gate
    gate.restart()
    chunks = source if limits is None else timed(source, limits)
    with _noting(gate):
        if isinstance(gate, ReasonGate):
            gate.announcing = announce
        elif announce and not gate.live:
            yield from gate.begin()
        try:
            for chunk in chunks:
                yield from gate.feed(chunk)
                if gate.halted:
                    break
        except Exception as error:  # whatever a client raises; the gate says whether the turn can go on, anything else goes through
            if not gate.fail(error):
                raise
        finally:
            chunks.close()  # type: ignore[attr-defined]  # both are generators
        yield from gate.end()


async def _athrough(
    post: GatePost, source: AsyncIterator[ChatGenerationChunk], limits: Limits | None, *, announce: bool
) -> AsyncGenerator[ChatGenerationChunk, None]:
    gate = post.gate
    gate.restart()
    chunks = source if limits is None else atimed(source, limits)
    with _noting(gate):
        if isinstance(gate, ReasonGate):
            gate.announcing = announce
        elif announce and not gate.live:
            for chunk in gate.begin():
                yield chunk
        try:
            async for chunk in chunks:
                for shown in gate.feed(chunk):
                    yield shown
                if gate.halted:
                    break
        except Exception as error:  # whatever a client raises; the gate says whether the turn can go on, anything else goes through
            if not gate.fail(error):
                raise
        finally:
            await chunks.aclose()  # type: ignore[attr-defined]  # both are generators
        for chunk in gate.end():
            yield chunk


def _result(post: GatePost, result: ChatResult) -> ChatResult:
    """A whole answer, put through the gate. One that nothing was taken from is handed on as it is."""
    gate = post.gate
    gate.restart()
    if isinstance(gate, ReasonGate) and not gate.gates and result.generations:
        for _ in gate.feed(as_one_chunk(result.model_copy(deep=True))):
            continue
        for _ in gate.end():
            continue
        first = result.generations[0]
        named = first.message.model_copy(update={"id": gate.message_id})  # a copy: the model may keep the message and say it again
        return result.model_copy(update={"generations": [first.model_copy(update={"message": named})]})
    shown = list(gate.feed(as_one_chunk(result)))
    shown.extend(gate.end())
    return generate_from_stream(iter(shown))
