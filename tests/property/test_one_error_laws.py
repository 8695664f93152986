"""One error for one mistake, what LangChain takes is taken, and what is shared is told apart: on every surface."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.globals import get_llm_cache, set_llm_cache
from langchain_core.language_models import FakeListChatModel
from langchain_core.tools import StructuredTool, tool
from langchain_openai import ChatOpenAI

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.config import load_config
from lg_toolroute.errors import ConfigError
from lg_toolroute.state import ToolRouteContext
from lg_toolroute.testing import Call, Say, ScriptedModel

A, B = "kimi/a", "deepseek/b"


@tool
def read(path: str) -> str:
    """Read a file."""
    return path


def graph(router: ToolRouter, tools: list[Any], model: Any) -> Any:
    return create_toolroute_agent(router, tools)


def middleware(router: ToolRouter, tools: list[Any], model: Any) -> Any:
    return create_agent(model, tools, middleware=[ToolRouteMiddleware(router)], context_schema=ToolRouteContext)


def chat_model(router: ToolRouter, tools: list[Any], model: Any) -> Any:
    bound = ToolRoutedChatModel(router=router).bind_tools(tools)
    if len({id(each) for each in tools}) == len(tools) and all(isinstance(each, StructuredTool) for each in tools):
        return create_agent(bound.bound, tools, context_schema=ToolRouteContext)
    return bound  # an agent of LangChain's would bind one of two tools of one name


SURFACES: Mapping[str, Callable[..., Any]] = {"graph": graph, "middleware": middleware, "chat model": chat_model}
MISTAKES: Mapping[str, Mapping[str, Any]] = {
    "a number for a tool": {"tools": [read, 7]},
    "text for a tool": {"tools": [read, "edit"]},
    "nothing for a tool": {"tools": [None]},
    "two tools of one name": {"tools": [read, read]},
    "a model without bind_tools": {"models": {B: FakeListChatModel(responses=["x"])}},
    "a missing key": {"config": {"model": A, "toolRouting": {"read": "nowhere/x"}}},
    "an agent that is no text": {"context": {"agent": ["coder"]}, "schema": False},
    "a role that is no text": {"context": {"role": 7}, "schema": False},
    "an unknown agent, strictly": {"context": {"agent": "codr"}, "config": {"model": A, "agents": {"entries": {"coder": {}}}}, "strict": True},
    "an unknown role, strictly": {"context": {"role": "rle"}, "config": {"model": A, "roles": {"role": {"model": A}}}, "strict": True},
    "a model that is no spec": {"context": {"model": "gpt"}},
}


def error_of(surface: str, mistake: Mapping[str, Any]) -> tuple[str, str]:
    """The class and the words of what is raised, when the agent is built or when it is asked."""
    own = ScriptedModel(answer=lambda request: Say("Done."), name=A)
    config = mistake.get("config", {"model": A, "toolRouting": {"read": B}})
    try:
        models = {A: own, B: ScriptedModel([], name=B), **mistake.get("models", {})}
        router = ToolRouter(config, models=models, strict=mistake.get("strict", False))
        agent = SURFACES[surface](router, mistake.get("tools", [read]), own)
        if hasattr(agent, "context_schema") and not mistake.get("schema", True):
            agent.context_schema = None
        given = [("user", "Go.")] if surface == "chat model" and not hasattr(agent, "nodes") else {"messages": [("user", "Go.")]}
        agent.invoke(given, context=dict(mistake.get("context", {})))
    except (ConfigError, TypeError, ValueError) as error:
        return type(error).__name__, str(error)
    return "nothing", ""


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_error_on_every_surface(mistake: str):
    found = {surface: error_of(surface, MISTAKES[mistake]) for surface in SURFACES}
    assert len(set(found.values())) == 1, found
    assert found["graph"][0] == "ConfigError", found


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    "given",
    [
        [{"google_search": {}}, {"url_context": {}}],
        [{"googleSearch": {}}, {"code_execution": {}}],
        [{"type": "mcp", "server_label": "one", "server_url": "u"}, {"type": "mcp", "server_label": "two", "server_url": "u"}],
        [{"type": "web_search_preview"}, {"type": "web_search_preview", "search_context_size": "high"}],
        [StructuredTool.from_function(lambda path: path, name=name, description="Read.") for name in ("lesen ä", "a.b", "x" * 200, "読む")],
    ],
)
def test_tools_that_langchain_takes_are_taken(surface: str, given: list[Any]):
    class Listening(ScriptedModel):
        def bind_tools(self, tools: Any, **settings: Any) -> Any:
            bound.append(list(tools))
            return self.bind(**settings)

    bound: list[list[Any]] = []
    own = Listening([Say("Done.")], name=A)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agent = SURFACES[surface](ToolRouter({"model": A}, models={A: own}), given, own)
        agent.invoke([("user", "Go.")] if not hasattr(agent, "nodes") else {"messages": [("user", "Go.")]})
    if surface != "middleware":  # an agent that has no rules goes by itself
        assert len(bound[-1]) == len(given)


def test_two_chat_models_of_one_configuration_share_no_answers_of_different_clients():
    before = get_llm_cache()
    set_llm_cache(InMemoryCache())
    try:
        routers = [ToolRouter({"model": A}, models={A: ScriptedModel([Say(text)], name=A)}) for text in "xy"]
        said = [ToolRoutedChatModel(router=router).invoke("Hi.").text for router in routers]
    finally:
        set_llm_cache(before)
    assert said == ["x", "y"]


def test_what_tells_clients_apart_is_their_making_and_no_secret():
    def text(**settings: Any) -> str:
        client = ChatOpenAI(model="m", api_key="hush", **settings)
        return ToolRoutedChatModel(router=ToolRouter({"model": A}, models={A: client}))._get_llm_string()

    assert text() == text() != text(base_url="http://127.0.0.1:9/v1")
    assert "hush" not in text()


HOSTILE = """
from lg_toolroute.gates.answer import schema_problem
for schema in (
    {"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}},
    {"properties": {"a": {"type": "string", "pattern": "^(a|a)*b$"}}},
    {"patternProperties": {"^(a+)+$": {"type": "integer"}}, "additionalProperties": False},
    {"patternProperties": {"^(a+)+$": {"type": "integer"}}, "unevaluatedProperties": False},
):
    text = "a" * 5000 + "!"
    print(schema_problem({"a": text, text: 1}, schema))
"""


def test_a_hostile_pattern_of_a_schema_does_not_stall_the_process():
    done = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, timeout=120, check=True)
    assert "must satisfy 'pattern'" in done.stdout


@pytest.mark.parametrize("to", [B, "bee"])
def test_an_escalation_does_not_lead_across_a_boundary(to: str):
    aliases = {"agents": {"defaults": {"models": {B: {"alias": "bee"}}}}}
    rule = {"primary": A, "fallbacks": [], "escalate": {"to": to}}
    with pytest.raises(ConfigError, match=r"toolRouting\.edit\.escalate\.to: 'fallbacks: \[\]' lets no other model write the call") as caught:
        load_config({**aliases, "model": A, "toolRouting": {"edit": rule}})
    assert len(caught.value.problems) == 1
    load_config({**aliases, "model": A, "toolRouting": {"edit": {**rule, "primary": "bee"}}})


def test_an_alias_stands_wherever_a_spec_may():
    config = {"agents": {"defaults": {"models": {A: {"alias": "ace"}, B: {"alias": "bee"}}}}, "model": "ace", "toolRouting": {"read": "bee"}}
    router = ToolRouter(
        {**config, "tools": {"byModel": {"Ace": {"deny": ["read"]}}}},
        models={"ace": ScriptedModel([Say("On it.", [Call("read", {"path": "x"})])], name=A), "bee": ScriptedModel([], name=B)},
    )
    assert (router.decide("read").chain, router.tools_for("ace", ["read", "edit"]), router.tools_for("bee", ["read"])) == ((B, A), ["edit"], ["read"])
    for models in ({A: {"alias": "a/b"}}, {"kimi/*": {"alias": "ace"}}):
        with pytest.raises(ConfigError, match="alias"):
            load_config({"agents": {"defaults": {"models": models}}})
