"""What the compared agents are made of: scripted models that answer at once, tools, graphs written by hand, and the session that all of them play.

In a session the model calls a tool a few times, then it says that it is done. `cases` names the agents.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Send
from pydantic import BaseModel, Field, create_model

from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel

PRIMARY, ROUTED, SPARE = "kimi/kimi-for-coding", "deepseek/deepseek-v4-pro", "openai/gpt-5"
STEPS = 6
"""Turns in a session unless said otherwise: five with a tool call, and the last answer."""

Mode = Literal["invoke", "ainvoke", "messages", "v3"]
MODES: tuple[Mode, ...] = ("invoke", "ainvoke", "messages", "v3")

Schema = Literal["flat", "usual", "nested"]
"""The arguments of a tool: six plain ones; three and a model; three, a model, and a list of models that hold another."""

ARGUMENTS = {"path": "src/app.py", "line": 7, "text": "return total / max(count, 1)"}
"""Legal for every schema."""


class Options(BaseModel):
    """How a tool is to work."""

    mode: Literal["fast", "careful", "dry-run"] = Field(default="fast", description="How carefully to work.")
    retries: int = Field(default=1, ge=0, le=5, description="How often to try again after a failure.")
    tags: list[str] = Field(default_factory=list, description="Marks that are kept with the result.")


class Position(BaseModel):
    """A place in a file."""

    line: int = Field(ge=1, description="The line, counted from 1.")
    column: int = Field(default=1, ge=1, description="The column, counted from 1.")


class Change(BaseModel):
    """One change of a file."""

    at: Position = Field(description="Where it is made.")
    text: str = Field(description="What is to stand there.")


_FIELDS: dict[str, Any] = {
    "path": (str, Field(description="The file, relative to the root of the project.")),
    "line": (int, Field(ge=1, description="The line, counted from 1.")),
    "text": (str, Field(description="What is to stand there.")),
}
_PLAIN: dict[str, Any] = {
    "mode": (Literal["fast", "careful", "dry-run"], Field(default="fast", description="How carefully to work.")),
    "retries": (int, Field(default=1, ge=0, le=5, description="How often to try again after a failure.")),
    "tags": (list[str], Field(default_factory=list, description="Marks that are kept with the result.")),
}
_OPTIONS: dict[str, Any] = {"options": (Options | None, Field(default=None, description="How to work."))}
_CHANGES: dict[str, Any] = {"changes": (list[Change], Field(default_factory=list, description="More changes of the same file, in order."))}
_SCHEMAS: Mapping[Schema, dict[str, Any]] = {
    "flat": {**_FIELDS, **_PLAIN},
    "usual": {**_FIELDS, **_OPTIONS},
    "nested": {**_FIELDS, **_OPTIONS, **_CHANGES},
}


def tools(count: int, schema: Schema = "usual") -> list[BaseTool]:
    """Tools that do nothing.

    Args:
        count: How many; the first two are called `read` and `edit`.
        schema: What arguments they take.
    """
    names = ["read", "edit", *(f"tool_{number}" for number in range(2, count))][:count]
    return [_tool(name, schema) for name in names]


def _tool(name: str, schema: Schema) -> BaseTool:
    def run(path: str, line: int, text: str, **more: Any) -> str:
        return f"{path}:{line}"

    async def arun(path: str, line: int, text: str, **more: Any) -> str:
        return run(path, line, text)

    arguments = create_model(f"{name}_arguments", **_SCHEMAS[schema])
    description = f"Does what {name} does to one line of one file."
    return StructuredTool.from_function(run, arun, name=name, description=description, args_schema=arguments)


def script(tool: str = "read", steps: int = STEPS) -> list[Say]:
    """The answers of one session.

    Args:
        tool: The tool that is called in every turn but the last.
        steps: How many answers.
    """
    calls = [Say("Let me look at that.", [Call(tool, ARGUMENTS)]) for _ in range(steps - 1)]
    return [*calls, Say("Done.")]


def primary(tool: str = "read", steps: int = STEPS) -> ScriptedModel:
    """A model that plays the session, again and again."""
    return ScriptedModel(script(tool, steps), name=PRIMARY, loop=True)


def writer(tool: str = "edit") -> ScriptedModel:
    """A model that writes the call it is asked for."""
    return ScriptedModel([Say(calls=[Call(tool, ARGUMENTS)])], name=ROUTED, loop=True)


def dead(error: BaseException, name: str = PRIMARY) -> ScriptedModel:
    """A model that always fails."""
    return ScriptedModel([Fail(error)], name=name, loop=True)


def by_hand(model: Any, bound: Sequence[BaseTool]) -> Any:
    """An agent as the LangGraph tutorial writes it: tools bound once, two nodes, one condition."""
    builder = _with_model(model, bound)
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", lambda state: "tools" if _calls(state) else END, ["tools", END])
    builder.add_edge("tools", "model")
    return builder.compile()


def by_hand_in_the_same_nodes(model: Any, bound: Sequence[BaseTool]) -> Any:
    """The same by hand, in as many nodes as the routed graph passes in a turn, two of which do nothing, and with one task a call."""
    builder = _with_model(model, bound)
    _add_empty_nodes(builder)
    builder.add_conditional_edges("model", _tasks, ["tools", END])
    return builder.compile()


def by_hand_with_two_calls(model: Any, routed_model: Any, bound: Sequence[BaseTool]) -> Any:
    """By hand, in as many nodes as the routed graph passes when every turn is routed, with the same two model calls in a turn.

    Args:
        model: Says which tool is to be called.
        routed_model: Writes the call of `edit`, which is all it can do.
        bound: The tools; `edit` is among them.
    """
    asks = model.bind_tools(list(bound))
    writes = routed_model.bind_tools([tool for tool in bound if tool.name == "edit"], tool_choice="edit")
    instruction = HumanMessage("Call `edit` now.")

    def call(state: _TwoCalls) -> dict[str, Any]:
        if not state.get("named"):
            answer = asks.invoke(state["messages"])
            return {"named": True} if answer.tool_calls else {"messages": [answer]}
        return {"messages": [writes.invoke([*state["messages"], instruction])], "named": False}

    async def acall(state: _TwoCalls) -> dict[str, Any]:
        if not state.get("named"):
            answer = await asks.ainvoke(state["messages"])
            return {"named": True} if answer.tool_calls else {"messages": [answer]}
        return {"messages": [await writes.ainvoke([*state["messages"], instruction])], "named": False}

    builder: StateGraph[Any, Any, Any, Any] = StateGraph(_TwoCalls)
    builder.add_node("model", RunnableLambda(call, acall))
    builder.add_node("tools", ToolNode(list(bound)))
    _add_empty_nodes(builder)
    builder.add_conditional_edges("model", lambda state: "route" if state.get("named") else _tasks(state), ["route", "tools", END])
    return builder.compile()


class _TwoCalls(MessagesState, total=False):
    named: bool


def _add_empty_nodes(builder: StateGraph[Any, Any, Any, Any]) -> None:
    builder.add_node("route", RunnableLambda(_nothing, _anothing))
    builder.add_node("policy", RunnableLambda(_nothing, _anothing))
    builder.add_edge(START, "route")
    builder.add_edge("route", "policy")
    builder.add_edge("policy", "model")
    builder.add_edge("tools", "route")


def _with_model(model: Any, bound: Sequence[BaseTool]) -> StateGraph[Any, Any, Any, Any]:
    chat = model.bind_tools(list(bound))

    def call(state: MessagesState) -> dict[str, Any]:
        return {"messages": [chat.invoke(state["messages"])]}

    async def acall(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await chat.ainvoke(state["messages"])]}

    builder: StateGraph[Any, Any, Any, Any] = StateGraph(MessagesState)
    builder.add_node("model", RunnableLambda(call, acall))
    builder.add_node("tools", ToolNode(list(bound)))
    return builder


def _calls(state: MessagesState) -> list[Any]:
    last = state["messages"][-1]
    return last.tool_calls if isinstance(last, AIMessage) else []


def _tasks(state: MessagesState) -> str | list[Send]:
    calls = _calls(state)
    return [Send("tools", {"__type": "tool_call_with_context", "tool_call": call, "state": dict(state)}) for call in calls] or END


def _nothing(state: MessagesState) -> dict[str, Any]:
    return {}


async def _anothing(state: MessagesState) -> dict[str, Any]:
    return {}


def stock(model: Any, bound: Sequence[BaseTool], middleware: Sequence[Any] = ()) -> Any:
    """LangChain's own agent."""
    return create_agent(model, list(bound), middleware=list(middleware))


def routed(
    models: Mapping[str, ScriptedModel],
    bound: Sequence[BaseTool],
    *,
    rules: Mapping[str, str] | None = None,
    fallbacks: Sequence[str] | None = None,
    clock: Callable[[], float] | None = None,
    **config: Any,
) -> Any:
    """The routed graph.

    Args:
        models: The models, by spec.
        bound: Its tools.
        rules: Tool to model.
        fallbacks: The models behind the primary.
        clock: Seconds.
        **config: More of the configuration.
    """
    return create_toolroute_agent(router(models, rules=rules, fallbacks=fallbacks, clock=clock, **config), bound)


def router(
    models: Mapping[str, ScriptedModel],
    *,
    rules: Mapping[str, str] | None = None,
    fallbacks: Sequence[str] | None = None,
    clock: Callable[[], float] | None = None,
    **config: Any,
) -> ToolRouter:
    """The router of `routed`."""
    model: dict[str, Any] = {"primary": PRIMARY}
    if fallbacks is not None:
        model["fallbacks"] = list(fallbacks)
    return ToolRouter({"model": model, "toolRouting": dict(rules or {}), **config}, models=models, clock=clock)


@dataclass(slots=True)
class Session:
    """One agent and its models, ready to be run again and again.

    Attributes:
        agent: The compiled graph.
        models: The models in it; what they noted of earlier runs is thrown away before each run.
        mode: How it is consumed.
        steps: Turns in a session.
    """

    agent: Any
    models: Sequence[ScriptedModel]
    mode: Mode = "invoke"
    steps: int = STEPS
    checked: bool = field(default=False, init=False)

    def __call__(self) -> None:
        """Runs one session.

        Raises:
            RuntimeError: It did not go as scripted, so that what was timed is not what was meant.
        """
        for model in self.models:
            model.requests.clear()
        messages = _RUNS[self.mode](self.agent)
        if self.checked:
            return
        spoken = [message for message in messages if isinstance(message, AIMessage)]
        results = [message for message in messages if isinstance(message, ToolMessage)]
        if len(spoken) != self.steps or len(results) != self.steps - 1 or any(result.status == "error" for result in results):
            raise RuntimeError(f"the session went otherwise than it was scripted: {[message.type for message in messages]}")
        self.checked = True


def question() -> dict[str, Any]:
    """What every session begins with."""
    return {"messages": [HumanMessage("Fix the division in src/app.py.")]}


_LIMIT = {"recursion_limit": 1_000}


def _invoke(agent: Any) -> list[Any]:
    return list(agent.invoke(question(), _LIMIT)["messages"])


def _ainvoke(agent: Any) -> list[Any]:
    return list(_runner().run(agent.ainvoke(question(), _LIMIT))["messages"])


def _messages(agent: Any) -> list[Any]:
    last: dict[str, Any] = {}
    for kind, item in agent.stream(question(), _LIMIT, stream_mode=["messages", "values"]):
        if kind == "values":
            last = item
    return list(last["messages"])


def _v3(agent: Any) -> list[Any]:
    last: dict[str, Any] = {}
    for event in agent.stream_events(question(), _LIMIT, version="v3"):
        if event["method"] == "values":
            last = event["params"]["data"]
    return list(last["messages"])


_RUNS: Mapping[Mode, Callable[[Any], list[Any]]] = {"invoke": _invoke, "ainvoke": _ainvoke, "messages": _messages, "v3": _v3}

_loops: list[asyncio.Runner] = []


def _runner() -> asyncio.Runner:
    """One event loop for all asynchronous runs: making one is no part of a turn."""
    if not _loops:
        _loops.append(asyncio.Runner())
    return _loops[0]
