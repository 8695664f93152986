"""What may be an agent's model, a routed model, or a tool: it works, or is refused in one clear sentence when the agent is built."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_core.tools import StructuredTool, tool

from lg_toolroute import ChainExhausted, ConfigError, ToolRouteContext, ToolRouteMiddleware, ToolRouter
from lg_toolroute.surfaces.middleware.agent_model import spec_of
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel
from tests.support.middleware_agents import (
    ASK,
    PRIMARY,
    RULES,
    SPARE,
    WRITER,
    agent_of,
    edit,
    last_call,
    primary,
    read,
    record_of,
    writer,
    wrong_edit,
)


def wrapped(model: ScriptedModel, how: str) -> Any:
    spare = ScriptedModel([], name=SPARE)
    return {
        "bare": model,
        "bind": model.bind(temperature=0.1),
        "with_config": model.with_config(tags=["mine"]),
        "with_retry": model.with_retry(stop_after_attempt=2, wait_exponential_jitter=False),
        "with_fallbacks": model.with_fallbacks([spare]),
        "configurable_alternatives": model.configurable_alternatives(ConfigurableField(id="which"), other=spare),
        "nested": model.bind(temperature=0.1).with_retry(stop_after_attempt=2, wait_exponential_jitter=False).with_fallbacks([spare]),
    }[how]


HOW = ["bare", "bind", "with_config", "with_retry", "with_fallbacks", "configurable_alternatives", "nested"]


@pytest.mark.parametrize("how", HOW)
async def test_a_wrapped_primary_reasons_and_is_cut(how: str) -> None:
    for asynchronous in (False, True):
        model = primary()
        agent = agent_of(wrapped(model, how), writer())
        out = await agent.ainvoke(ASK) if asynchronous else agent.invoke(ASK)
        message, call = last_call(out["messages"])
        assert call["args"]["text"] == "good"
        assert record_of(message)["reasoner"] == PRIMARY
        assert model.requests[0].tools == ("read", "edit")
        if how in {"bind", "nested"}:
            assert model.last.kwargs["temperature"] == 0.1


@pytest.mark.parametrize("how", HOW)
def test_a_wrapped_routed_model_writes(how: str) -> None:
    writes = writer()
    router = ToolRouter({"toolRouting": RULES}, models={WRITER: wrapped(writes, how)})
    out = create_agent(primary(), [read, edit], middleware=[ToolRouteMiddleware(router)]).invoke(ASK)
    assert last_call(out["messages"])[1]["args"]["text"] == "good"
    assert writes.last.tool_choice == "edit"


def test_what_stands_around_the_primary_still_stands_around_it() -> None:
    model = primary([Fail(ConnectionError("refused")), Say("Hi.")])
    agent = agent_of(model.with_retry(stop_after_attempt=2, wait_exponential_jitter=False), writer([]))
    assert agent.invoke(ASK)["messages"][-1].text == "Hi."
    spare = ScriptedModel([Say("Fix.", [wrong_edit()]), Say("Done.")], name=SPARE)
    failing = primary([Fail(ConnectionError("refused"))] * 2)
    out = agent_of(failing.with_fallbacks([spare]), writer()).invoke(ASK)
    assert last_call(out["messages"])[1]["args"]["text"] == "good"


def test_a_configurable_model_is_taken() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LangChain's own words on configurable fields
        model = init_chat_model("openai:gpt-5", configurable_fields=["temperature"], api_key="none")
    assert spec_of(model) == "openai/gpt-5"
    agent_of(model, writer([]))


def test_a_string_is_taken_as_create_agent_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    agent_of("openai:gpt-5", writer([]))


def test_a_primary_that_cannot_be_given_tools_is_refused_when_the_agent_is_built() -> None:
    with pytest.raises(ConfigError, match="model: a FakeListChatModel cannot be given tools, and this agent has some; use a chat model whose"):
        agent_of(FakeListChatModel(responses=["x"]), writer([]))


def test_a_primary_that_cannot_be_given_tools_will_do_where_there_are_none() -> None:
    agent = create_agent(FakeListChatModel(responses=["Hi."]), [], middleware=[ToolRouteMiddleware(ToolRouter({}))])
    assert agent.invoke(ASK)["messages"][-1].text == "Hi."


def test_a_routed_model_that_cannot_be_given_tools_is_refused_when_the_agent_is_built() -> None:
    router = ToolRouter({"toolRouting": RULES}, models={WRITER: FakeListChatModel(responses=["x"])})
    with pytest.raises(ConfigError, match=r"models\['deepseek/v4'\]: a FakeListChatModel cannot be given tools"):
        create_agent(primary([]), [edit], middleware=[ToolRouteMiddleware(router)])


def test_something_that_holds_no_chat_model_is_refused_when_the_agent_is_built() -> None:
    with pytest.raises(ConfigError, match="model: there is no chat model inside a RunnableLambda; hand in a BaseChatModel"):
        agent_of(RunnableLambda(lambda x: x), writer([]))


def test_a_middleware_without_a_router_is_refused() -> None:
    with pytest.raises(TypeError, match=r"takes a ToolRouter, not a dict; write ToolRouteMiddleware\(ToolRouter\("):
        ToolRouteMiddleware({"toolRouting": {}})  # type: ignore[arg-type]


def test_a_rule_that_matches_no_tool_is_a_warning_and_an_error_when_strict() -> None:
    with pytest.warns(UserWarning, match="'edti'.*'edit'"):
        agent_of(primary([]), writer([]), rules={"edti": {"primary": WRITER}})
    router = ToolRouter({"toolRouting": {"edti": {"primary": WRITER}}}, models={WRITER: writer([])}, strict=True)
    with pytest.raises(ConfigError, match="did you mean 'edit'"):
        create_agent(primary([]), [read, edit], middleware=[ToolRouteMiddleware(router)])


def test_what_could_not_be_checked_when_it_was_built_is_checked_at_the_first_call() -> None:
    """A middleware handed to something that builds agents in another way."""
    from langchain.agents.middleware import ModelRequest, ModelResponse

    routing = ToolRouteMiddleware(ToolRouter({"toolRouting": RULES}, models={WRITER: FakeListChatModel(responses=["x"])}))
    request = ModelRequest(model=primary([]), messages=[], tools=[edit])
    with pytest.raises(ConfigError, match="cannot be given tools"):
        routing.wrap_model_call(request, lambda request: ModelResponse(result=[]))


# -- tools ------------------------------------------------------------------------------------------------------------------------------


def test_a_server_side_tool_is_bound_for_the_agents_own_model_only() -> None:
    search = {"type": "web_search"}
    reasons, writes = primary(), writer()
    spare = ScriptedModel([Say("Done.")], name=SPARE)
    agent_of(reasons, writes, tools=[read, edit, search]).invoke(ASK)
    assert reasons.last.tools == ("read", "edit", "web_search")
    assert writes.last.tools == ("edit",)
    own = primary([Fail(ConnectionError("refused"))])
    agent_of(own, spare, writer([]), tools=[read, edit, search], config={"model": {"fallbacks": [SPARE]}}).invoke(ASK)
    assert spare.last.tools == ("read", "edit")


def test_a_tool_given_as_a_dict_is_routed_like_any_other() -> None:
    """Nobody runs it here, so the run ends with its call for the caller to answer."""
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    given = {"type": "function", "function": {"name": "deploy", "description": "Deploy.", "parameters": schema}}
    writes = writer([Say("", [Call("deploy", {"path": "good"})])])
    agent = agent_of(primary([Say("Go.", [Call("deploy", {"path": "bad"})])]), writes, rules={"deploy": {"primary": WRITER}}, tools=[given])
    last = agent.invoke(ASK)["messages"][-1]
    assert writes.last.tool_choice == "deploy"
    assert "bad" not in str(last)


@pytest.mark.parametrize("name", ["mcp__git-hub__create_issue", "mcp.files.read", "a" * 80])
def test_a_tool_with_an_odd_name_is_routed(name: str) -> None:
    def run(path: str) -> str:
        """Run."""
        return f"ran {path}"

    odd = StructuredTool.from_function(run, name=name)
    writes = writer([Say("", [Call(name, {"path": "good"})])])
    reasons = primary([Say("Go.", [Call(name, {"path": "bad"})]), Say("Done.")])
    out = agent_of(reasons, writes, rules={name: {"primary": WRITER}}, tools=[odd]).invoke(ASK)
    assert out["messages"][-2].content == "ran good"


def test_a_tool_whose_name_a_provider_may_refuse_is_a_warning_when_the_agent_is_built() -> None:
    def run(path: str) -> str:
        """Run."""
        return path

    with pytest.warns(UserWarning, match="'Über-Tool' is a name that a provider may refuse"):
        agent_of(primary([]), writer([]), tools=[StructuredTool.from_function(run, name="Über-Tool")], rules={})


def test_a_tool_that_only_a_middleware_knows_is_routed_and_run() -> None:
    """A dynamic tool: added to the request by one hook, run by another."""
    from langchain.agents.middleware import AgentMiddleware

    @tool
    def late(path: str) -> str:
        """Come late."""
        return f"late {path}"

    class Adding(AgentMiddleware[Any, Any, Any]):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(tools=[*request.tools, late]))

        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(tool=late) if request.tool_call["name"] == "late" else request)

    writes = writer([Say("", [Call("late", {"path": "good"})])])
    with pytest.warns(UserWarning, match="late"):
        agent = agent_of(
            primary([Say("Go.", [Call("late", {"path": "bad"})]), Say("Done.")]), writes, rules={"late": {"primary": WRITER}}, before=[Adding()]
        )
    assert agent.invoke(ASK)["messages"][-2].content == "late good"


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
async def test_a_fallback_inside_the_agents_model_does_not_write_behind_its_boundary(asynchronous: bool, streamed: bool) -> None:
    spare = ScriptedModel([Say(calls=[Call("edit", {"path": "a.py", "text": "never"})])], name=SPARE)
    own = ScriptedModel([Fail(ConnectionError("refused"))], name=PRIMARY)
    reasons = ScriptedModel([Say("I edit.", [Call("edit", {"path": "a.py", "text": "dropped"})])], name=WRITER)
    rules = {"edit": {"primary": PRIMARY, "fallbacks": []}}
    router = ToolRouter({"toolRouting": rules}, models={WRITER: reasons})
    agent = create_agent(own.with_fallbacks([spare]), [read, edit], middleware=[ToolRouteMiddleware(router)], context_schema=ToolRouteContext)
    given: Any = {"context": {"model": WRITER}, "stream_mode": "messages"}

    async def run() -> None:
        if asynchronous and streamed:
            _ = [chunk async for chunk in agent.astream(ASK, **given)]
        elif asynchronous:
            await agent.ainvoke(ASK, context=given["context"])
        elif streamed:
            list(agent.stream(ASK, **given))
        else:
            agent.invoke(ASK, context=given["context"])

    with pytest.raises((ChainExhausted, ConnectionError)):
        await run()
    assert len(own.requests) == 1
    assert spare.requests == []
