"""A gated chat model: it is still an instance of its class, and its answers pass through the gate however it is called."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import RunnableBinding

from lg_toolroute.gates.gate import gate_of, gated
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.timing import TimeLimits
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.testing import Call, Fail, Latch, Say, ScriptedModel, ScriptedWholeModel

DONE = {"finish_reason": "stop", "model_name": "m"}


def new_gate(**settings: Any) -> ReasonGate:
    return ReasonGate("turn", **{"model": "a/b", "gates": {"edit": "cut"}, "bound": ["edit", "read"], **settings})


def routed_call() -> Say:
    return Say("Hm.", [Call("edit", {"path": "SECRET" * 20})], chunks=5)


def edit(path: str) -> str:
    """Edit a file."""
    return path


class Stepping(BaseChatModel):
    """Streams plainly only; between its two chunks it may wait."""

    latch: Latch | None = None
    closed: Any = None
    said: str = "one"

    @property
    def _llm_type(self) -> str:
        return "stepping"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(PLACE.get(), response_metadata=DONE))], llm_output={"token_usage": 7})

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        try:
            yield ChatGenerationChunk(message=AIMessageChunk(content=PLACE.get()))
            if self.latch is not None:
                self.latch.wait(30.0)
            yield ChatGenerationChunk(message=AIMessageChunk(content="two", response_metadata=DONE))
        finally:
            self.closed.set()


PLACE: ContextVar[str] = ContextVar("PLACE", default="lost")


def test_a_gated_model_is_an_instance_of_its_class_with_its_name_and_fields():
    model = ScriptedModel(name="kimi/k", temperature=0.5)
    copy = gated(model, new_gate())
    assert isinstance(copy, ScriptedModel)
    assert type(copy).__name__ == "ScriptedModel"
    assert (copy.temperature, copy._llm_type, copy.profile) == (0.5, model._llm_type, model.profile)
    assert copy._get_ls_params() == model._get_ls_params()
    assert type(model) is ScriptedModel
    assert model.cache is None


def test_the_class_of_a_gated_model_is_made_once():
    assert type(gated(ScriptedModel(), new_gate())) is type(gated(ScriptedModel(), new_gate()))


def test_gating_again_takes_the_place_of_the_first_gate():
    first, second = new_gate(), new_gate()
    twice = gated(gated(ScriptedModel(["Hi."]), first), second)
    assert twice.invoke("x").content == "Hi."
    assert (gate_of(twice), first.saw_chunk, second.saw_chunk) == (second, False, True)


def test_only_gated_models_have_a_gate():
    assert gate_of(ScriptedModel()) is None
    assert gate_of("no model") is None


@pytest.mark.parametrize("how", ["invoke", "invoke, streaming", "stream", "ainvoke", "ainvoke, streaming", "astream"])
async def test_a_routed_call_is_cut_however_the_model_is_called(how: str):
    reason_gate, model = new_gate(), ScriptedModel([routed_call()])
    copy = gated(model, reason_gate, stream_always="streaming" in how)
    shown: list[Any]
    match how.partition(",")[0]:
        case "invoke":
            shown = [copy.invoke("x")]
        case "stream":
            shown = list(copy.stream("x"))
        case "ainvoke":
            shown = [await copy.ainvoke("x")]
        case _:
            shown = [chunk async for chunk in copy.astream("x")]
    assert reason_gate.hit == "edit"
    assert "SECRET" not in str(shown)
    assert {message.id for message in shown} == {"turn"}
    assert "".join(message.text for message in shown) == "Hm."
    whole = how in ("invoke", "ainvoke")
    assert model.requests[0].streamed is not whole


@pytest.mark.parametrize("cls", [ScriptedModel, ScriptedWholeModel])
@pytest.mark.parametrize("disabled", [True, "tool_calling", False])
async def test_a_model_that_does_not_stream_is_shown_as_chunks_under_the_turns_id(cls, disabled):
    model = cls([routed_call(), routed_call()], disable_streaming=disabled)
    for chunks in (list(gated(model, new_gate()).stream("x", tools=[{}])), [c async for c in gated(model, new_gate()).astream("x", tools=[{}])]):
        assert {chunk.id for chunk in chunks} == {"turn"}
        assert "SECRET" not in str(chunks)
        assert [chunk.chunk_position for chunk in chunks].count("last") == 1


def test_metadata_outside_the_message_of_a_whole_answer_is_kept():
    message = gated(Stepping(closed=threading.Event()), new_gate()).invoke("x")
    assert message.response_metadata["finish_reason"] == "stop"
    with_gates = gated(Stepping(closed=threading.Event(), disable_streaming=True), new_gate())
    assert next(iter(with_gates.stream("x"))).response_metadata["token_usage"] == 7


def test_a_gated_model_neither_reads_nor_writes_the_cache():
    set_llm_cache(InMemoryCache())
    try:
        model = ScriptedModel([routed_call(), routed_call(), Say("whole")])
        for _ in range(2):
            assert "SECRET" not in str(gated(model, new_gate()).invoke("x"))
        assert len(model.requests) == 2
        assert model.invoke("x").content == "whole"
    finally:
        set_llm_cache(None)


@pytest.mark.parametrize("gates", [{}, {"edit": "drain"}])
def test_a_whole_answer_that_broke_off_is_shown_without_its_calls(gates: dict[str, str]):
    """Clients read an empty string as `{}`, and say nothing of it."""
    say = Say("Hm.", [Call("read", {}), Call("read", '{"path": "SECRET')], finish_reason="max_tokens")
    gate = new_gate(gates=gates)
    message = gated(ScriptedWholeModel([say], dialect="anthropic"), gate).invoke("x", tools=[{}])
    assert gate.rejected is not None
    assert (message.text, message.tool_calls, message.invalid_tool_calls) == ("Hm.", [], [])
    assert "SECRET" not in str(message)


def test_a_whole_answer_whose_calls_have_one_id_is_shown_with_ids_of_their_own():
    same = [Call("read", {"path": "a"}, id="x"), Call("read", {"path": "b"}, id="x")]
    message = gated(ScriptedWholeModel([Say(calls=same)], dialect="anthropic"), new_gate(gates={})).invoke("x", tools=[{}])
    assert isinstance(message, AIMessage)
    ids = [call["id"] for call in message.tool_calls]
    assert (ids[0], len({*ids})) == ("x", 2)
    assert [block["id"] for block in message.content if isinstance(block, dict)] == ids


class Counter(BaseRateLimiter):
    taken = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        self.taken += 1
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        self.taken += 1
        return True


async def test_a_rate_limiter_is_asked_once_a_call():
    limiter = Counter()
    model = ScriptedModel(["a", "b", "c"], rate_limiter=limiter)
    gated(model, new_gate()).invoke("x")
    await gated(model, new_gate(), stream_always=True).ainvoke("x")
    list(gated(model, new_gate()).stream("x"))
    assert limiter.taken == 3


def test_tools_are_bound_by_the_binder():
    asked = []

    def binder(model: BaseChatModel, tools: Any, tool_choice: Any, **settings: Any) -> tuple[BaseChatModel, dict[str, Any]]:
        asked.append((model, list(tools), tool_choice, settings))
        return model, {"tools": ["converted"]}

    model = ScriptedModel()
    bound = gated(model, new_gate(), binder=binder).bind_tools([edit], tool_choice="edit", strict=True)
    assert isinstance(bound, RunnableBinding)
    assert bound.kwargs == {"tools": ["converted"]}
    assert gate_of(bound.bound) is not None
    assert asked == [(model, [edit], "edit", {"strict": True})]


def test_without_a_binder_the_models_own_bind_tools_is_used_and_the_gate_stays():
    bound = gated(ScriptedModel(), new_gate()).bind_tools([edit])
    assert isinstance(bound, RunnableBinding)
    assert gate_of(bound.bound) is not None


def test_a_wanted_call_is_announced_only_if_chunks_are_shown_as_they_come():
    def writer(**more: Any) -> WriteGate:
        settings = {"model": "a/b", "tools": ("edit",), "call_ids": ("c",), "slots": (0,), "exact": False, "schemas": {}, "new_id": lambda: "n"}
        return WriteGate("turn", **{**settings, **more})

    model = ScriptedModel([Say(calls=[Call("edit", {"path": "a"})])], loop=True)
    chunks = list(gated(model, writer()).stream("x"))
    assert [piece["name"] for chunk in chunks for piece in chunk.tool_call_chunks] == ["edit", None]
    message = gated(model, writer(), stream_always=True).invoke("x")
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("edit", {"path": "a"})]
    live = list(gated(model, writer(live=True)).stream("x"))
    assert [piece["name"] for chunk in live for piece in chunk.tool_call_chunks] == ["edit"]


# -- a model that streams plainly, awaited -------------------------------------------------------------------------------------------------


async def test_a_plain_stream_is_stepped_through_and_closed():
    model = Stepping(closed=threading.Event())
    assert "".join([chunk.text async for chunk in gated(model, new_gate()).astream("x")]) == "losttwo"
    assert model.closed.is_set()


async def test_the_callers_context_reaches_a_plain_model():
    PLACE.set("kept")
    model = Stepping(closed=threading.Event())
    assert (await gated(model, new_gate()).ainvoke("x")).content == "kept"
    assert "".join([chunk.text async for chunk in gated(model, new_gate()).astream("x")]) == "kepttwo"


async def test_a_cancelled_plain_stream_is_cancelled_at_once_and_closed_by_the_thread_that_waits_in_it():
    model = Stepping(latch=Latch(), closed=threading.Event())

    async def read() -> list[Any]:
        return [chunk async for chunk in gated(model, new_gate()).astream("x")]

    task = asyncio.create_task(read())
    assert model.latch is not None
    await model.latch.wait_reached_async()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not model.closed.is_set()
    model.latch.open()
    assert await asyncio.to_thread(model.closed.wait, 30.0)


async def test_a_stalled_plain_stream_is_given_up_when_its_time_is_over():
    model, reason_gate = Stepping(latch=Latch(), closed=threading.Event()), new_gate()
    chunks = [chunk async for chunk in gated(model, reason_gate, limits=TimeLimits(idle_s=0.01)).astream("x")]
    assert "".join(chunk.text for chunk in chunks) == "lost"
    assert "no further chunk within 0.01 s" in str(reason_gate.error)
    assert model.latch is not None
    model.latch.open()
    assert await asyncio.to_thread(model.closed.wait, 30.0)


async def test_closing_a_gated_stream_closes_the_models_stream():
    model = Stepping(closed=threading.Event())
    stream = gated(model, new_gate())._astream([])
    await anext(stream)
    await stream.aclose()
    assert model.closed.is_set()
    model.closed.clear()
    plain = gated(model, new_gate())._stream([])
    next(plain)
    plain.close()
    assert model.closed.is_set()


class Awaiting(Stepping):
    """Streams both ways; notes that it was the awaited one."""

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        try:
            yield ChatGenerationChunk(message=AIMessageChunk(content="awaited", response_metadata=DONE))
        finally:
            self.closed.set()


async def test_a_model_with_an_awaited_stream_is_awaited():
    model = Awaiting(closed=threading.Event())
    assert "".join([chunk.text async for chunk in gated(model, new_gate()).astream("x")]) == "awaited"
    assert model.closed.is_set()


class Iterating(Stepping):
    """Its awaited stream is an iterator that is no generator, and cannot be closed."""

    def _astream(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> AsyncIterator[Any]:
        return Twice()


class Twice:
    def __init__(self) -> None:
        self.left = 2

    def __aiter__(self) -> Twice:
        return self

    async def __anext__(self) -> ChatGenerationChunk:
        self.left -= 1
        if self.left < 0:
            raise StopAsyncIteration
        return ChatGenerationChunk(message=AIMessageChunk(content="again", response_metadata=DONE))


async def test_an_awaited_stream_may_be_an_iterator_that_is_no_generator():
    assert "".join([chunk.text async for chunk in gated(Iterating(closed=threading.Event()), new_gate()).astream("x")]) == "againagain"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_before_the_first_chunk_is_raised_unchanged(stream: bool):
    error = ConnectionError("refused")
    for is_async in (False, True):
        copy = gated(ScriptedModel([Fail(error)]), new_gate(), stream_always=stream)
        with pytest.raises(ConnectionError) as caught:
            await copy.ainvoke("x") if is_async else copy.invoke("x")
        assert caught.value is error


class Slow(BaseChatModel):
    """Does not stream; its answer waits for a latch."""

    latch: Latch

    @property
    def _llm_type(self) -> str:
        return "slow"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.latch.wait(30.0)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("late", response_metadata=DONE))])


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_in_one_piece_has_no_first_token_but_an_end(streamed: bool):
    """TimeLimits of silence do not hold for it: it is silent until it is there."""
    slow = Slow(latch=Latch())
    reason_gate = TimeLimits(first_token_s=0.001, idle_s=0.001, total_s=0.01)
    for is_async in (False, True):
        model = gated(slow, new_gate(), limits=reason_gate)
        with pytest.raises(TimeoutError, match=r"no end within 0.01 s"):
            await answered(model, is_async, streamed)
    slow.latch.open()
    for is_async in (False, True):
        model = gated(slow, new_gate(), limits=TimeLimits(first_token_s=0.0001, total_s=30.0))
        assert await answered(model, is_async, streamed) == "late"


async def answered(model: BaseChatModel, is_async: bool, streamed: bool) -> str:
    if is_async:
        return "".join([chunk.text async for chunk in model.astream("x")]) if streamed else (await model.ainvoke("x")).text
    return "".join(chunk.text for chunk in model.stream("x")) if streamed else model.invoke("x").text
