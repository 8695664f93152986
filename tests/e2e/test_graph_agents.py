"""Several agents in one graph, and agents that are nobody's: whose rules and whose tool policy apply."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.graph import START, StateGraph

from lg_toolroute import ConfigError, ToolRouter, ToolRouteState, add_toolroute, create_toolroute_agent
from lg_toolroute.state import ToolRouteContext
from lg_toolroute.testing import Call, Say, ScriptedModel
from tests.support.folder_agents import DEEPSEEK, KIMI, LOCAL, Folder, ai, ask, record

EDIT = {"path": "a.py", "old": "x = 1", "new": "x = 2"}
AGENTS: dict[str, Any] = {
    "coder": {"model": {"toolRouting": {"edit": DEEPSEEK}}},
    "reviewer": {"model": {"primary": LOCAL}, "tools": {"deny": ["edit"]}},
}


def router(models: dict[str, ScriptedModel], **more: Any) -> ToolRouter:
    return ToolRouter({"model": KIMI, "agents": {"entries": AGENTS}}, models=models, **more)


def test_two_agents_in_one_graph_have_their_own_rules_and_tools():
    """The coder's `edit` is routed; the reviewer, on a model of its own, is not shown the tool, and may not run it."""
    kimi = ScriptedModel([Say("Mine.", [Call("edit", {"path": "dropped"})]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=DEEPSEEK)
    local = ScriptedModel([Say("I mend it.", [Call("edit", EDIT)]), Say("It is good.")], name=LOCAL)
    folder = Folder()
    shared = router({KIMI: kimi, DEEPSEEK: deepseek, LOCAL: local})
    builder = StateGraph(ToolRouteState, context_schema=ToolRouteContext)
    add_toolroute(builder, shared, folder.tools(), prefix="coder_", agent="coder", entry=False, end="reviewer_route")
    add_toolroute(builder, shared, folder.tools(), prefix="reviewer_", agent="reviewer")
    builder.add_edge(START, "coder_route")
    with kimi, deepseek, local:
        out = builder.compile().invoke(ask())
    edited, done, refused, good = ai(out["messages"])
    assert record(edited)["calls"] == {edited.tool_calls[0]["id"]: DEEPSEEK}
    assert [record(message)["reasoner"] for message in (done, refused, good)] == [KIMI, LOCAL, LOCAL]
    assert [request.tools for request in local.requests] == [("read", "write", "web_search")] * 2
    assert folder.ran == [("edit", EDIT)]


def test_an_agent_given_to_the_graph_wins_over_the_runs_context():
    kimi = ScriptedModel(["Kimi."], name=KIMI)
    others = {spec: ScriptedModel([], name=spec) for spec in (DEEPSEEK, LOCAL)}
    agent = create_toolroute_agent(router({KIMI: kimi, **others}), Folder().tools(), agent="coder")
    with kimi:
        out = agent.invoke(ask(), context={"agent": "reviewer"})
    assert record(ai(out["messages"])[0])["reasoner"] == KIMI


def test_an_agent_that_is_not_configured_is_said_when_the_graph_is_built():
    """It would have the defaults, and their tool policy, without a word."""
    models = {spec: ScriptedModel([], name=spec) for spec in (KIMI, DEEPSEEK, LOCAL)}
    said = r"^agent: 'codr' is not configured, so it has the defaults; did you mean 'coder'\?$"
    with pytest.warns(UserWarning, match=said):
        create_toolroute_agent(router(models), Folder().tools(), agent="codr")
    with pytest.raises(ConfigError, match="did you mean 'coder'"):
        create_toolroute_agent(router(models, strict=True), Folder().tools(), agent="codr")


def test_a_configuration_in_place_of_the_router_is_refused_in_words():
    with pytest.raises(TypeError, match=r"takes a ToolRouter, not a dict; write ToolRouter\(config\)"):
        create_toolroute_agent({"model": KIMI}, [])  # type: ignore[arg-type]


def test_a_router_shows_what_it_is():
    assert repr(ToolRouter({"model": KIMI}, models={KIMI: ScriptedModel([], name=KIMI)})) == "ToolRouter('configuration', 1 models, strict=False)"


def test_a_run_whose_agent_or_role_is_mistyped_is_warned_about_once():
    """It has the defaults and their tool policy, which is not what was asked for."""
    kimi = ScriptedModel(["Hi.", "Hi.", "Hi."], name=KIMI)
    config = {
        "agents": {
            "defaults": {"model": KIMI, "roles": {"review": {"model": KIMI}}},
            "entries": {"coder": {"tools": {"deny": ["web_search"]}}},
        }
    }
    agent = create_toolroute_agent(ToolRouter(config, models={KIMI: kimi}), Folder().tools())
    with pytest.warns(UserWarning, match="agent: 'codr' is not configured, so it has the defaults; did you mean 'coder'"):
        agent.invoke(ask(), context={"agent": "codr"})
    agent.invoke(ask(), context={"agent": "codr"})
    with pytest.warns(UserWarning, match="role: 'reveiw' is not configured, so the primary reasons; did you mean 'review'"):
        agent.invoke(ask(), context={"role": "reveiw"})
