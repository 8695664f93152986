"""The public names as their users write them. Type checkers read this file; `test_typing.py` runs them, and runs this file too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_type

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.memory import InMemoryStore

from lg_toolroute import (
    ChainExhausted,
    ConfigError,
    Decision,
    RoutingConfig,
    ToolRouteContext,
    ToolRoutedChatModel,
    ToolRouteError,
    ToolRouteMiddleware,
    ToolRouter,
    ToolRouteState,
    add_toolroute,
    create_toolroute_agent,
    load_config,
)
from lg_toolroute.testing import Call, Expect, Fault, FaultServer, Say, ScriptedModel, ServerRequest, by_tool, faults

PRIMARY, WRITER = "kimi/kimi-for-coding", "deepseek/deepseek-v4-pro"
DOCUMENT: Mapping[str, Any] = {"model": {"primary": PRIMARY}, "toolRouting": {"edit": {"primary": WRITER}}}


@tool
def edit(path: str, text: str) -> str:
    """Edit a file."""
    return f"edited {path}"


TOOLS: Sequence[BaseTool] = [edit]


def reads_a_configuration() -> RoutingConfig:
    config = load_config(DOCUMENT)
    assert_type(config, RoutingConfig)
    load_config('{"model": {"primary": "kimi/kimi-for-coding"}}', format="json")
    assert_type(RoutingConfig.json_schema(), dict[str, Any])
    return config


def scripted() -> dict[str, BaseChatModel]:
    reasoner = ScriptedModel([Say("Let me fix that.", [Call("edit", {"path": "?", "text": "?"})]), "Done."], name=PRIMARY)
    writer = ScriptedModel(answer=by_tool({"edit": Say(calls=[Call("edit", {"path": "a.py", "text": "x = 1"})])}), name=WRITER)
    return {PRIMARY: reasoner, WRITER: writer}


def routes(config: RoutingConfig) -> ToolRouter:
    router = ToolRouter(config, models=scripted(), strict=True)
    decision = router.decide("edit", agent=None, tags=("mcp",))
    assert_type(decision, Decision)
    assert_type(decision.model, str | None)
    assert_type(decision.chain, tuple[str, ...])
    assert_type(decision.moments, tuple[str, ...])
    assert_type(decision.to_dict(), dict[str, Any])
    assert_type(router.explain("edit"), str)
    assert_type(router.tools_for(WRITER, TOOLS), list[Any])
    assert_type(router.health.claim(WRITER), bool)
    router.health.reset()
    ToolRouter(DOCUMENT, store=InMemoryStore(), clock=lambda: 0.0)
    return router


def builds_a_graph(router: ToolRouter) -> str:
    agent = create_toolroute_agent(router, TOOLS, system_prompt="Fix it.", checkpointer=InMemorySaver(), name="fixer", interrupt_before=["tools"])
    assert_type(agent, CompiledStateGraph[Any, Any, Any, Any])
    agent.invoke(
        {"messages": [("user", "Fix a.py")]}, {"configurable": {"thread_id": "1"}}, context=ToolRouteContext(agent=None, model=PRIMARY)
    )
    messages: list[BaseMessage] = agent.get_state({"configurable": {"thread_id": "1"}}).values["messages"]
    last = messages[-1]
    assert isinstance(last, AIMessage)
    return str(last.response_metadata["toolroute"]["model"])


def adds_nodes_to_a_graph(router: ToolRouter) -> None:
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(ToolRouteState, context_schema=ToolRouteContext)
    same = add_toolroute(builder, router, TOOLS, prefix="coder_", entry=False)
    same.add_edge(START, "coder_route")
    same.compile()


def builds_a_langchain_agent(router: ToolRouter) -> None:
    middleware = ToolRouteMiddleware(router, durable=True)
    create_agent(scripted()[PRIMARY], list(TOOLS), middleware=[middleware])


def stands_in_for_a_model(router: ToolRouter) -> str:
    model: BaseChatModel = ToolRoutedChatModel(router=router, temperature=0.0)
    answer = model.bind_tools(TOOLS, tool_choice="edit").invoke("Fix a.py")
    assert_type(answer, AIMessage)
    return answer.tool_calls[0]["name"]


def handles_errors(router: ToolRouter) -> str:
    try:
        router.check_models()
    except ConfigError as error:
        return "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
    except ChainExhausted as error:
        assert_type(error.due_in_s, float | None)
        return str(error.tool)
    except ToolRouteError as error:
        return str(error)
    return ""


def tests_a_graph_of_their_own() -> int:
    script = [faults.rate_limit(retry_after=7), Say("Hello.", expects=Expect(tools=["edit"]))]
    with FaultServer({"kimi-for-coding": script}, chunk_delay_s=0.0, strict=False) as server:
        settings = server.client("kimi-for-coding")
        assert_type(settings, dict[str, Any])
        assert_type(server.requests, list[ServerRequest])
        assert_type(faults.unauthorized(), Fault)
        return len(server.requests)


if __name__ == "__main__":
    chosen = routes(reads_a_configuration())
    assert builds_a_graph(chosen) == WRITER
    adds_nodes_to_a_graph(chosen)
    builds_a_langchain_agent(routes(reads_a_configuration()))
    assert stands_in_for_a_model(routes(reads_a_configuration())) == "edit"
    assert handles_errors(chosen) == ""
    assert tests_a_graph_of_their_own() == 0
