"""One turn on every surface, in every way of consuming it, told in a form that can be compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.errors import AnswerRejected, ChainExhausted
from lg_toolroute.state import ToolRouteContext
from lg_toolroute.testing import ScriptedModel

A, B, C = "kimi/a", "deepseek/b", "qwen/c"


@tool
def read(path: str) -> str:
    """Read a file."""
    return path


@tool
def edit(path: str) -> str:
    """Edit a file."""
    return path


@tool
def write(path: str, text: str) -> str:
    """Write a file."""
    return path + text


TOOLS: tuple[BaseTool, ...] = (read, edit, write)


@dataclass
class Situation:
    """What a turn meets.

    Attributes:
        config: The configuration; its primary is `A`.
        scripts: What each model answers, by spec.
        context: The runtime context.
        question: What the human said.
    """

    config: Mapping[str, Any]
    scripts: Mapping[str, Sequence[Any]]
    context: Mapping[str, Any] = field(default_factory=dict)
    question: str = "go"

    def router(self) -> tuple[ToolRouter, dict[str, ScriptedModel]]:
        models = {spec: ScriptedModel(self.scripts.get(spec, ()), name=spec) for spec in (A, B, C)}
        return ToolRouter(self.config, models=models, clock=lambda: 0.0), models


@dataclass(frozen=True)
class Story:
    """What came of a turn: the message, the events and the requests, ids numbered in order of appearance; or the error."""

    message: Any = None
    error: Any = None
    events: Any = ()
    requests: Any = ()


def graph_of(router: ToolRouter, models: Mapping[str, ScriptedModel], tools: Sequence[BaseTool] = TOOLS) -> Any:
    return create_toolroute_agent(router, list(tools), checkpointer=InMemorySaver(), interrupt_before=["tools"])


def agent_of(router: ToolRouter, models: Mapping[str, ScriptedModel], tools: Sequence[BaseTool] = TOOLS, **settings: Any) -> Any:
    middleware = [ToolRouteMiddleware(router, **settings)]
    return create_agent(
        models[A], list(tools), middleware=middleware, context_schema=ToolRouteContext, checkpointer=InMemorySaver(), interrupt_before=["tools"]
    )


def durable_agent_of(router: ToolRouter, models: Mapping[str, ScriptedModel], tools: Sequence[BaseTool] = TOOLS) -> Any:
    return agent_of(router, models, tools, durable=True)


def chat_graph_of(router: ToolRouter, models: Mapping[str, ScriptedModel], tools: Sequence[BaseTool] = TOOLS) -> Any:
    """A graph with one node, in which the chat model is asked: outside of a run there is neither a context nor a stream of events."""
    model = ToolRoutedChatModel(router=router).bind_tools(list(tools))

    def say(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [model.invoke(state["messages"])]}

    async def asay(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder: StateGraph[Any, Any, Any, Any] = StateGraph(MessagesState, context_schema=ToolRouteContext)
    builder.add_node("say", RunnableLambda(say, asay))
    builder.add_edge(START, "say")
    builder.add_edge("say", END)
    return builder.compile(checkpointer=InMemorySaver())


SURFACES: Mapping[str, Callable[..., Any]] = {
    "graph": graph_of,
    "middleware": agent_of,
    "durable middleware": durable_agent_of,
    "chat model": chat_graph_of,
}
WAYS = [(is_async, streamed) for is_async in (False, True) for streamed in (False, True)]


def play(situation: Situation, surface: str, *, is_async: bool, streamed: bool) -> Story:
    """Runs one turn, up to the first tool.

    Args:
        situation: What it meets.
        surface: A key of `SURFACES`.
        is_async: The run is awaited.
        streamed: A consumer listens to the models' tokens.
    """
    router, models = situation.router()
    agent = SURFACES[surface](router, models)
    thread: Any = {"configurable": {"thread_id": "1"}}
    modes = ["custom", "messages"] if streamed else ["custom"]
    told: list[Any] = []

    async def listen() -> None:
        stream = agent.astream(question(situation), thread, stream_mode=modes, context=dict(situation.context))
        async for mode, event in stream:
            if mode == "custom":
                told.append(event)

    error: BaseException | None = None
    try:
        if is_async:
            asyncio.run(listen())
        else:
            for mode, event in agent.stream(question(situation), thread, stream_mode=modes, context=dict(situation.context)):
                if mode == "custom":
                    told.append(event)
    except Exception as caught:
        error = caught
    last = agent.get_state(thread).values["messages"][-1] if error is None else None
    number = Numbers()
    for event in told:
        number.of(event["message_id"] or "")
    message = None if last is None else told_of(last, number)
    requests = {spec: [(request.tools, request.tool_choice) for request in model.requests] for spec, model in models.items()}
    return Story(message, None if error is None else told_of_error(error), number.deep(without_times(told)), requests)


def question(situation: Situation) -> dict[str, Any]:
    return {"messages": [HumanMessage(situation.question, id="q")]}


class Numbers:
    """Numbers ids in order of appearance."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, mark: str) -> str:
        return self._known.setdefault(mark, f"id {len(self._known)}")

    def deep(self, value: Any) -> Any:
        """The value, with every id that is known here numbered."""
        if isinstance(value, str):
            return self._known.get(value, value)
        if isinstance(value, Mapping):
            return {self.deep(key): self.deep(each) for key, each in value.items()}
        return [self.deep(each) for each in value] if isinstance(value, (list, tuple)) else value


def told_of(message: Any, number: Numbers) -> Any:
    assert isinstance(message, AIMessage), message
    number.of(message.id or "")
    calls = [(number.of(call["id"] or ""), call["name"], call["args"]) for call in message.tool_calls]
    noted = number.deep(without_times(message.response_metadata["toolroute"]))
    finish = message.response_metadata.get("finish_reason")
    return message.text, calls, noted, message.usage_metadata, finish


def told_of_error(error: BaseException) -> Any:
    """What was raised. The middleware gives the only attempt's own exception where a single model was asked once, so that one is told everywhere."""
    if isinstance(error, ChainExhausted) and len(error.exceptions) == 1 and error.tool is None:
        cause = error.exceptions[0].__cause__
        error = cause if isinstance(cause, Exception) and not isinstance(cause, AnswerRejected) else error
    due = getattr(error, "due_in_s", None)
    inside = [(type(each).__name__, str(each)) for each in error.exceptions] if isinstance(error, ChainExhausted) else []
    return type(error).__name__, str(error), due, inside


def without_times(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: without_times(each) for key, each in value.items() if key != "latency_s"}
    return [without_times(each) for each in value] if isinstance(value, (list, tuple)) else value
