"""A routed agent as a graph: `create_toolroute_agent` for a whole one, `add_toolroute` for a part of yours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from langchain_core.messages import SystemMessage
from langchain_core.tools import BaseTool
from langgraph.channels import LastValue
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from lg_toolroute.clients.tools import as_tools
from lg_toolroute.core.rules.tools import tool_name
from lg_toolroute.errors import ConfigError, Problem
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.inputs import IsFailure, has_error_status
from lg_toolroute.state import ToolRouteContext, ToolRouteState, input_and_output, node_schema
from lg_toolroute.surfaces.graph.edges import AfterModel, AfterTools
from lg_toolroute.surfaces.graph.nodes import FallbackNode, ModelNode, PolicyNode, RouteNode
from lg_toolroute.surfaces.graph.tool_node import tool_node


def create_toolroute_agent(
    router: ToolRouter,
    tools: Sequence[Any],
    *,
    system_prompt: str | SystemMessage | None = None,
    checkpointer: Any = None,
    store: Any = None,
    name: str | None = None,
    agent: str | None = None,
    state_schema: type[Any] = ToolRouteState,
    context_schema: type[Any] | None = ToolRouteContext,
    is_failure: IsFailure = has_error_status,
    **compile: Any,
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """An agent whose tool calls are written by the models that its rules name.

    Args:
        router: Rules, models, health.
        tools: `BaseTool`s, functions, or tool dicts for tools that run at the provider.
        system_prompt: Stands before the messages of every request.
        checkpointer: As `StateGraph.compile` takes it.
        store: As `StateGraph.compile` takes it.
        name: The agent's name: of the graph, and on every message.
        agent: An id under `agents`, for the agent's own rules and tool policy; unset: the runtime context's `agent`, or the defaults.
        state_schema: A subclass of `ToolRouteState`, if your tools keep state of their own.
        context_schema: The runtime context; `ToolRouteContext` or anything with (some of) its fields.
        is_failure: Says whether a tool's result counts as a failure for `escalate`; unset: `status == "error"`.
        compile: Passed on to `StateGraph.compile` (`interrupt_before`, `cache`, `debug`, …).

    Returns:
        A compiled graph. It takes `{"messages": […]}`, and `expected_tool` where one is known.

    Raises:
        ConfigError: Two tools have one name; with `ToolRouter(strict=True)` also a rule that matches no tool, or a missing key.

    Example:
        ```python
        agent = create_toolroute_agent(router, [read, edit], system_prompt="Fix what is broken.")
        agent.invoke({"messages": [("user", "the tests are red")]})
        ```
    """
    taken, given = input_and_output(state_schema)
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(state_schema, context_schema=context_schema, input_schema=taken, output_schema=given)
    add_toolroute(builder, router, tools, system_prompt=system_prompt, agent=agent, agent_name=name, is_failure=is_failure)
    return builder.compile(checkpointer=checkpointer, store=store, name=name or "toolroute", **compile)


def add_toolroute(
    builder: StateGraph[Any, Any, Any, Any],
    router: ToolRouter,
    tools: Sequence[Any],
    *,
    prefix: str = "",
    system_prompt: str | SystemMessage | None = None,
    agent: str | None = None,
    agent_name: str | None = None,
    entry: Literal["auto"] | bool = "auto",
    end: str = END,
    is_failure: IsFailure = has_error_status,
) -> StateGraph[Any, Any, Any, Any]:
    """Add the nodes `route`, `policy`, `model`, `fallback` and `tools`, and the edges between them, to a graph of yours.

    The graph's state needs `messages`; the private key `toolroute` comes with the nodes.

    Args:
        builder: A graph that is not compiled yet.
        router: Rules, models, health.
        tools: As in `create_toolroute_agent`.
        prefix: Stands before the nodes' names, so that a graph can hold several agents.
        system_prompt: Stands before the messages of every request.
        agent: An id under `agents`, for the agent's own rules and tool policy; unset: the runtime context's `agent`, or the defaults. Give it
            where a graph holds several agents.
        agent_name: Written on every message.
        entry: Whether an edge leads from `START` to `route`. `auto`: if the graph has no node yet.
        end: Where a finished run goes; `END` unless another node of yours takes over.
        is_failure: Says whether a tool's result counts as a failure for `escalate`.

    Returns:
        The same builder.

    Raises:
        ConfigError: Two tools have one name; with `ToolRouter(strict=True)` also a rule that matches no tool, or a missing key.
    """
    if not isinstance(router, ToolRouter):
        raise TypeError(f"a routed graph takes a ToolRouter, not a {type(router).__name__}; write ToolRouter(config)")
    bound = as_tools(tools)
    router.check_tools(bound, agent=agent)
    if isinstance(builder.channels.get("messages"), LastValue):
        hint = "write `messages: Annotated[list[AnyMessage], add_messages]`"
        raise ConfigError([Problem("state.messages", "has no reducer, so each message would replace the conversation", hint)], source="graph")
    begins = entry is True or (entry == "auto" and not builder.nodes and not builder.edges)
    names = {node: f"{prefix}{node}" for node in ("route", "policy", "model", "fallback", "tools")}
    # The nodes' own input schema brings the private key into graphs whose state does not name it.
    reads = node_schema(builder.state_schema)
    common: dict[str, Any] = {"system_prompt": system_prompt, "agent": agent, "agent_name": agent_name, "is_failure": is_failure}
    for node, cls in (("route", RouteNode), ("policy", PolicyNode), ("model", ModelNode), ("fallback", FallbackNode)):
        builder.add_node(names[node], cls(router, bound, name=names[node], **common), input_schema=reads)
    if begins:
        builder.add_edge(START, names["route"])
    builder.add_edge(names["route"], names["policy"])
    builder.add_edge(names["policy"], names["model"])
    builder.add_edge(names["fallback"], names["policy"])
    tools_node = _add_tools(builder, router, [each for each in bound if isinstance(each, BaseTool)], names, end, agent)
    after = AfterModel(route=names["route"], tools=tools_node, fallback=names["fallback"], end=end, schema=builder.state_schema)
    targets = [names["fallback"], names["route"], end]
    builder.add_conditional_edges(names["model"], after, targets if tools_node is None else [tools_node, *targets])
    return builder


def _add_tools(
    builder: StateGraph[Any, Any, Any, Any], router: ToolRouter, tools: list[BaseTool], names: Mapping[str, str], end: str, agent: str | None
) -> str | None:
    """Add the node that runs the tools, and the edge behind it; the node's name, `None` if there are no tools."""
    if not tools:
        return None
    entries = {names[node]: names["route"] for node in ("policy", "model", "fallback")}
    builder.add_node(names["tools"], tool_node(router, tools, name=names["tools"], agent=agent, entries=entries))
    direct = frozenset(tool_name(each) for each in tools if each.return_direct)
    if direct:
        builder.add_conditional_edges(names["tools"], AfterTools(direct, names["route"], end), [names["route"], end])
    else:
        builder.add_edge(names["tools"], names["route"])
    return names["tools"]
