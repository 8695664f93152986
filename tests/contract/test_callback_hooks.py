"""What the routed chat model assumes of LangChain's callbacks and of the hooks around a chat model's stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler, StreamingStdOutCallbackHandler, UsageMetadataCallbackHandler, get_usage_metadata_callback
from langchain_core.callbacks.manager import CallbackManager
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, LLMResult
from langchain_core.runnables import RunnableBinding
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers import ConsoleCallbackHandler, LangChainTracer
from langchain_core.tracers.context import _configure_hooks
from langchain_core.tracers.event_stream import _AstreamEventsCallbackHandler
from langchain_core.tracers.log_stream import LogStreamCallbackHandler
from langgraph.pregel._messages import StreamMessagesHandler, StreamMessagesHandlerV2

from lg_toolroute.surfaces.chat.outer_run import inner_callbacks, streams_tokens


class Plain(BaseChatModel):
    """Streams two chunks, and changes the last one after it has been shown."""

    @property
    def _llm_type(self) -> str:
        return "plain"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        assert run_manager is None, "`stream` tells the model nothing about its run"
        yield ChatGenerationChunk(message=AIMessageChunk("one"))
        last = ChatGenerationChunk(message=AIMessageChunk("two", response_metadata={"model_name": "m"}, chunk_position="last"))
        yield last
        last.message = AIMessageChunk("two", chunk_position="last")


class Ends(BaseCallbackHandler):
    def __init__(self) -> None:
        self.results: list[LLMResult] = []

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.results.append(response)


def test_handlers_that_show_are_marked_and_others_are_not():
    for handler in (StreamMessagesHandler, StreamMessagesHandlerV2, _AstreamEventsCallbackHandler, LogStreamCallbackHandler):
        assert streams_tokens(object.__new__(handler)), handler
    for handler in (UsageMetadataCallbackHandler, StreamingStdOutCallbackHandler, ConsoleCallbackHandler, LangChainTracer):
        assert not streams_tokens(object.__new__(handler)), handler


def test_chunks_are_added_up_for_handlers_after_the_last_one_was_shown():
    ends = Ends()
    shown = list(Plain().stream("hi", {"callbacks": [ends]}))
    assert shown[-1].response_metadata == {"model_name": "m"}
    assert ends.results[0].generations[0][0].message.response_metadata == {}  # type: ignore[union-attr]  # a chat generation


def test_a_run_keeps_the_id_and_the_handlers_it_is_given():
    ends = Ends()
    manager = CallbackManager.configure([ends], None, inheritable_tags=["t"])
    again = CallbackManager.configure(manager)
    assert again.handlers == [ends]
    assert (again.handlers is manager.handlers) is False
    assert again.inheritable_tags == ["t"]


def test_handlers_of_the_context_are_known_by_the_variable_that_holds_them():
    with get_usage_metadata_callback() as counting:
        assert any(variable.get() is counting for variable, *_ in _configure_hooks)
        manager = CallbackManager.configure([])
        assert counting in manager.inheritable_handlers
        (run,) = manager.on_chat_model_start({}, [[]])
        inner = CallbackManager.configure(inner_callbacks(run))
        assert inner.handlers.count(counting) == 1


def test_a_binding_reads_its_callbacks_off_the_context_too():
    listening, own = Ends(), Ends()
    token = var_child_runnable_config.set({"callbacks": CallbackManager([listening], [listening])})
    try:
        list(RunnableBinding(bound=Plain()).stream("hi", {"callbacks": CallbackManager([own], [own])}))
    finally:
        var_child_runnable_config.reset(token)
    assert (len(listening.results), len(own.results)) == (1, 1)
