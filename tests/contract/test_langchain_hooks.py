"""How LangChain and LangGraph behave where the gates and the graph rely on it. That their private names exist is in `test_private_hooks.py`."""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models._compat_bridge import achunks_to_events, chunks_to_events
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langchain_ollama import ChatOllama
from langgraph.channels import LastValue
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Send

from lg_toolroute.testing import Call, Say, ScriptedModel


def parameters(function: Any) -> dict[str, Any]:
    return {name: parameter.kind for name, parameter in inspect.signature(function).parameters.items()}


KEYWORD = inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("hook", ["_stream", "_astream", "_generate", "_agenerate"])
def test_the_methods_that_the_gate_overrides_take_their_arguments_in_this_order(hook: str):
    assert list(parameters(getattr(BaseChatModel, hook)))[:4] == ["self", "messages", "stop", "run_manager"]


@pytest.mark.parametrize("hook", ["_stream_chat_model_events", "_astream_chat_model_events"])
def test_the_hooks_of_the_v3_protocol_are_looked_up_on_the_model(hook: str):
    """They are not defined by `BaseChatModel`; it asks whether the model has them."""
    assert not hasattr(BaseChatModel, hook)
    assert f'"{hook}"' in inspect.getsource(inspect.getmodule(BaseChatModel))  # type: ignore[arg-type]


def test_the_bridge_to_the_v3_protocol_takes_the_id_of_the_message():
    for bridge in (chunks_to_events, achunks_to_events):
        assert parameters(bridge)["message_id"] is KEYWORD
    (start, *_) = chunks_to_events(iter([ChatGenerationChunk(message=AIMessageChunk("x", id="own"))]), message_id="turn")
    assert start["id"] == "turn"  # type: ignore[typeddict-item]


def test_streaming_disabled_decides_whether_a_model_streams():
    assert "_streaming_disabled" in vars(BaseChatModel)
    assert "_streaming_disabled" in inspect.getsource(BaseChatModel._should_stream)


def test_generate_from_stream_adds_up_chunks_and_keeps_their_id():
    chunks = [ChatGenerationChunk(message=AIMessageChunk(text, id="turn")) for text in ("a", "b")]
    message = generate_from_stream(iter(chunks)).generations[0].message
    assert (message.content, message.id) == ("ab", "turn")


class Plain(BaseChatModel):
    """Streams three chunks, plainly only."""

    chunks: list[AIMessageChunk] = []
    closed: Any = None

    @property
    def _llm_type(self) -> str:
        return "plain"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("whole"))])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        try:
            for chunk in self.chunks:
                yield ChatGenerationChunk(message=chunk.model_copy(deep=True))
        finally:
            self.closed.set()


def plain(*chunks: AIMessageChunk) -> Plain:
    return Plain(chunks=list(chunks), closed=threading.Event())


class Tokens(BaseCallbackHandler):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        self.seen.append(token)


def test_callbacks_get_a_token_before_the_consumer_of_the_stream_does():
    """A consumer that stops at a tool's name has already shown that name to the callbacks, so the gate works below the callbacks."""
    tokens = Tokens()
    stream = plain(AIMessageChunk("one"), AIMessageChunk("two")).stream("x", {"callbacks": [tokens]})
    assert next(stream).content == "one"
    assert tokens.seen == ["one"]
    stream.close()
    tokens.seen.clear()
    for chunk in plain(AIMessageChunk("one"), AIMessageChunk("two")).stream("x", {"callbacks": [tokens]}):
        if tokens.seen == ["one", "two"]:
            assert chunk.content == "two"


def test_a_chunk_that_has_an_id_keeps_it_and_the_last_chunk_is_made_up_where_none_is_sent():
    made_up = list(plain(AIMessageChunk("one", id="turn")).stream("x"))
    assert made_up[0].id == "turn"
    assert made_up[-1].chunk_position == "last"
    assert made_up[-1].id != "turn"
    sent = list(plain(AIMessageChunk("one", id="turn"), AIMessageChunk("", id="turn", chunk_position="last")).stream("x"))
    assert {chunk.id for chunk in sent} == {"turn"}


async def test_langchains_awaited_fallback_does_not_close_a_plain_stream():
    """So `ModelCall` reads such a stream itself, and closes it."""
    model = plain(AIMessageChunk("one"), AIMessageChunk("two"))
    stream = model._astream([HumanMessage("x")])
    await anext(stream)
    held = stream.ag_frame.f_locals  # type: ignore[attr-defined]  # holds on to the plain stream, so that it is not collected
    await stream.aclose()  # type: ignore[attr-defined]
    assert not model.closed.is_set()
    assert held


def call(index: int | None, **values: Any) -> AIMessageChunk:
    return AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(**{"name": None, "args": None, "id": None, "index": index, **values})])


def test_chunks_of_one_index_are_added_up_and_names_too():
    whole = call(0, name="ed", id="x") + call(0, name="it") + call(0, args='{"a": 1}')
    assert [(each["name"], each["args"]) for each in whole.tool_calls] == [("edit", {"a": 1})]
    torn = call(0, name="edit", args='{"a": 1', id="x") + call(0, args='{"b": 2}')
    assert torn.tool_call_chunks[0]["args"] == '{"a": 1{"b": 2}'


def test_a_second_id_at_an_index_is_a_second_call():
    whole = call(0, name="edit", args="{}", id="x") + call(0, name="edit", args="{}", id="y")
    assert [each["id"] for each in whole.tool_calls] == ["x", "y"]


@pytest.mark.parametrize("torn", ['{"path": "a', '{"path": "a", "force": fal', '{"path": "a",'])
def test_cut_off_arguments_become_a_valid_call(torn: str):
    """So we parse arguments strictly, and want a finish reason."""
    assert call(0, name="edit", args=torn, id="x").tool_calls[0]["args"]["path"] == "a"


@pytest.mark.parametrize(("mode", "streams"), [(None, False), ("values", False), ("messages", True)])
def test_invoke_inside_a_node_streams_exactly_if_the_run_does(mode: str | None, streams: bool):
    model = ScriptedModel(["Hello."])
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_edge(START, "model")
    graph = builder.compile()
    state: Any = {"messages": [HumanMessage("x")]}
    graph.invoke(state) if mode is None else list(graph.stream(state, stream_mode=mode))  # type: ignore[arg-type]
    assert model.requests[0].streamed is streams


def test_tools_that_are_bound_drop_the_config_around_a_model():
    bound: Any = ScriptedModel().with_config(tags=["mine"]).bind_tools([edit])  # type: ignore[attr-defined]
    assert "tags" not in (bound.config or {})


@pytest.mark.parametrize(("cache", "asked"), [(None, 1), (False, 2)])
def test_cache_false_keeps_the_global_cache_out(cache: bool | None, asked: int):
    set_llm_cache(InMemoryCache())
    try:
        model = ScriptedModel(["a", "b"], cache=cache)
        for _ in range(2):
            model.invoke("x")
        assert len(model.requests) == asked
    finally:
        set_llm_cache(None)


RAN: list[str] = []


@tool
def edit(path: str) -> str:
    """Edit a file."""
    RAN.append(path)
    return "edited"


def test_a_tool_that_was_never_bound_is_run():
    """Filtering what is bound is not enforcement."""
    RAN.clear()
    model = ScriptedModel([Say(calls=[Call("edit", {"path": "a"})])])
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.bind_tools([]).invoke(state["messages"])]})
    builder.add_node("tools", ToolNode([edit]))
    builder.add_edge(START, "model")
    builder.add_edge("model", "tools")
    builder.add_edge("tools", END)
    builder.compile().invoke({"messages": [HumanMessage("x")]})
    assert RAN == ["a"]


def test_the_tool_node_takes_one_call_with_the_state_it_came_from():
    """The form in which each call is sent as a task of its own."""
    RAN.clear()
    pending = {"name": "edit", "args": {"path": "sent"}, "id": "1", "type": "tool_call"}
    builder = StateGraph(MessagesState)
    builder.add_node("start", lambda state: {})
    builder.add_node("tools", ToolNode([edit]))
    builder.add_edge(START, "start")
    task = {"__type": "tool_call_with_context", "tool_call": pending, "state": {"messages": []}}
    builder.add_conditional_edges("start", lambda state: [Send("tools", task)], ["tools"])
    out = builder.compile().invoke({"messages": [HumanMessage("x")]})
    assert isinstance(out["messages"][-1], ToolMessage)
    assert RAN == ["sent"]


def test_a_message_of_one_id_is_replaced_in_its_place():
    merged = add_messages([HumanMessage("a", id="1"), AIMessage("old", id="2")], [AIMessage("new", id="2")])
    assert [message.content for message in merged] == ["a", "new"]  # type: ignore[union-attr]


def test_the_channels_and_managed_values_of_a_graph_can_be_looked_up_before_it_is_compiled():
    builder = StateGraph(MessagesState)
    assert not isinstance(builder.channels["messages"], LastValue)
    assert builder.managed == {}
    assert builder.state_schema is MessagesState


def test_ollamas_client_drops_a_forced_tool_choice_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bound: Any = ChatOllama(model="x").bind_tools([edit], tool_choice="edit")
    assert "tool_choice" not in bound.kwargs


def test_anthropics_client_drops_a_forced_choice_while_thinking_with_a_warning():
    model = ChatAnthropic(model="claude-sonnet-4-5", api_key="x", thinking={"type": "enabled", "budget_tokens": 1024})
    with pytest.warns(UserWarning, match="tool_choice"):
        bound: Any = model.bind_tools([edit], tool_choice="edit")
    assert bound.kwargs.get("tool_choice", {}).get("type") != "tool"
