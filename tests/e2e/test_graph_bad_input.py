"""Everything that can be wrong with what a graph is given: one clear error that says where, what, and what to write instead, before any model
is called. And everything that a routed model can answer wrongly: the next candidate writes, and a torn call never runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.tools import tool
from langgraph.graph import StateGraph
from langgraph.prebuilt import InjectedState
from typing_extensions import TypedDict

from lg_toolroute import ConfigError, ToolRouter, add_toolroute, create_toolroute_agent
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel
from tests.support.folder_agents import DEEPSEEK, KIMI, LOCAL, Folder, ask, results, routed

EDIT = {"path": "a.py", "old": "x = 1", "new": "x = 2"}
FINE = {"model": KIMI, "toolRouting": {"edit": DEEPSEEK}}


def build(config: Any, tools: Any = None, *, models: Any = None, **more: Any) -> Any:
    """An agent whose models, if they are ever called, fail the test."""
    given = {spec: ScriptedModel(name=spec) for spec in (KIMI, DEEPSEEK, LOCAL)} if models is None else models
    strict = more.pop("strict", False)
    return create_toolroute_agent(ToolRouter(config, models=given, strict=strict), Folder().tools() if tools is None else tools, **more)


def refused(doing: Callable[[], Any]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        doing()
    return caught.value


@pytest.mark.parametrize(
    ("config", "path", "what", "instead"),
    [
        ({**FINE, "modle": KIMI}, "modle", "is not a key that is known here", "did you mean 'model'?"),
        (
            {**FINE, "toolRouting": {"edit": {"model": DEEPSEEK, "falbacks": []}}},
            "toolRouting.edit.falbacks",
            "is not a key that is known here",
            "did you mean 'fallbacks'?",
        ),
        (
            {**FINE, "toolRouting": [{"tools": ["edit"], "model": DEEPSEEK}, {"tools": ["read", "edit"], "model": LOCAL}]},
            "toolRouting[1].tools[1]",
            "two rules for 'edit'",
            "toolRouting[0].tools[0]",
        ),
        ({**FINE, "toolRouting": {"group:wbe": DEEPSEEK}}, "toolRouting.group:wbe", "'group:wbe'", "did you mean 'group:web'?"),
        ({**FINE, "tools": {"deny": ["group:wbe"]}}, "tools.deny[0]", "'group:wbe'", "did you mean 'group:web'?"),
        ({"model": "claude-sonnet-4-5"}, "model", "'claude-sonnet-4-5' names no provider", "'anthropic/claude-sonnet-4-5'"),
        (
            {**FINE, "toolRouting": {"edit": {"model": "deepseek-v4"}}},
            "toolRouting.edit.model",
            "'deepseek-v4' names no provider",
            "'deepseek/deepseek-v4'",
        ),
    ],
    ids=["unknown key", "unknown key in a rule", "two rules", "group in a rule", "group in the policy", "model", "model of a rule"],
)
def test_a_mistake_in_the_configuration_names_its_path_its_value_and_what_to_write(config, path, what, instead):
    (problem,) = refused(lambda: build(config)).problems
    said = f"{problem.message}; {problem.hint}"
    assert problem.path.replace("'", "").replace("[group:wbe]", ".group:wbe") == path
    assert what in said
    assert instead in said


def test_all_mistakes_are_told_at_once():
    error = refused(lambda: build({"modle": KIMI, "toolRouting": {"edit": "deepseek-v4", "group:wbe": DEEPSEEK}}))
    assert len(error.problems) == 3
    assert "3 mistakes" in str(error)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.yaml", "- just\n- a list\n", "mapping"),
        ("a.yaml", "just words", "mapping"),
        ("a.json", "[1, 2]", "mapping"),
        ("a.yaml", "a: &x\n  b: *x\n", "itself"),
        ("a.json", '{"model": ', "is not JSON"),
        ("a.toml", "model = ", "is not TOML"),
        ("a.json5", "{" + " " * 10_000_001 + "}", "10"),
    ],
    ids=["yaml list", "yaml words", "json list", "cycle", "torn json", "torn toml", "ten megabytes"],
)
def test_a_file_that_is_no_configuration_is_refused_with_its_name(tmp_path: Path, name: str, text: str, what: str):
    path = tmp_path / name
    path.write_text(text)
    error = refused(lambda: build(path))
    assert name in str(error)
    assert what in str(error)


def test_a_mapping_that_holds_itself_is_refused():
    config: dict[str, Any] = {"model": KIMI}
    config["agents"] = {"defaults": config}
    assert "itself" in str(refused(lambda: build(config)))


def test_a_rule_that_matches_no_bound_tool_warns_with_the_nearest_name_and_the_agent_works():
    with pytest.warns(UserWarning, match=r"toolRouting\.edti: 'edti' matches none of the 4 bound tools; did you mean 'edit'\?"):
        agent = build({"model": KIMI, "toolRouting": {"edti": DEEPSEEK}}, models={KIMI: ScriptedModel(["Hi."]), DEEPSEEK: ScriptedModel()})
    assert agent.invoke(ask())["messages"][-1].content == "Hi."


def test_under_strict_it_is_an_error():
    (problem,) = refused(lambda: build({"model": KIMI, "toolRouting": {"edti": DEEPSEEK}}, strict=True)).problems
    assert (problem.path, problem.hint) == ("toolRouting.edti", "did you mean 'edit'?")


@pytest.mark.parametrize(("spec", "path"), [("openai/gpt-5", "models.providers.openai.apiKey"), ("nobody/x", "models.providers.nobody.baseUrl")])
def test_a_provider_without_a_key_or_an_address_stops_the_run_before_the_first_model_is_called(monkeypatch, spec: str, path: str):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    kimi = ScriptedModel(name=KIMI)
    agent = build({"model": KIMI, "toolRouting": {"edit": spec}}, models={KIMI: kimi})
    (problem,) = refused(lambda: agent.invoke(ask())).problems
    assert problem.path == path
    assert "OPENAI_API_KEY" in problem.hint or "baseUrl" in problem.hint
    assert kimi.requests == []
    assert path in str(refused(lambda: build({"model": KIMI, "toolRouting": {"edit": spec}}, models={KIMI: kimi}, strict=True)))


@pytest.mark.parametrize("name", ["ed it", "édit", "edit\n", "edit()", "x" * 129])
def test_a_tools_name_with_odd_characters_is_a_warning(name: str):
    tools = Folder().tools()
    with pytest.warns(UserWarning, match="is a name that a provider may refuse.*rename it") as caught:
        build(FINE, [*tools, tools[0].model_copy(update={"name": name})])
    assert repr(name) in str(caught[0].message)


def test_a_tool_bound_twice_is_refused():
    tools = Folder().tools()
    (problem,) = refused(lambda: build(FINE, [*tools, tools[1]])).problems
    assert problem.message == "'edit' is bound 2 times"
    assert "rename one of them" in problem.hint


@pytest.mark.parametrize("thing", ["edit", 5, None, {"no": "name"}, object()], ids=["text", "number", "nothing", "dict", "object"])
def test_what_is_no_tool_is_refused_with_its_place(thing: Any):
    (problem,) = refused(lambda: build(FINE, [Folder().tools()[1], thing])).problems
    assert problem.path == "tools[1]"
    assert "is not a tool" in problem.message
    assert "a function with a docstring" in problem.hint


def test_a_function_without_a_docstring_is_refused_with_what_to_write():
    def bare(path: str) -> str:
        return path

    (problem,) = refused(lambda: build({"model": KIMI}, [bare])).problems
    assert (problem.path, problem.hint) == ("tools[0]", "write the docstring: it is what the model reads")


@pytest.mark.parametrize(("given", "what"), [("kimi:gpt", "is a string"), (object(), "is not a chat model")])
def test_what_is_no_model_is_refused_with_its_place(given: Any, what: str):
    (problem,) = refused(lambda: ToolRouter(FINE, models={KIMI: given})).problems
    assert problem.path == f"models[{KIMI!r}]"
    assert what in problem.message


@pytest.mark.parametrize("model", ["justname", "", 7, ["a/b"]])
def test_a_model_in_the_context_that_is_no_spec_is_refused(model: Any):
    kimi = ScriptedModel(["Hi."], name=KIMI)
    agent = build(FINE, models={KIMI: kimi, DEEPSEEK: ScriptedModel()}, context_schema=dict)
    if not model:
        assert agent.invoke(ask(), context={"model": model})["messages"][-1].content == "Hi."
        return
    (problem,) = refused(lambda: agent.invoke(ask(), context={"model": model})).problems
    assert problem.path == "context.model"
    assert "provider" in f"{problem.message}{problem.hint}"
    assert kimi.requests == []


def test_a_configuration_without_a_model_is_refused_when_the_graph_runs():
    (problem,) = refused(lambda: build({}, models={}).invoke(ask())).problems
    assert (problem.path, problem.hint) == ("model.primary", 'write model.primary, for instance "openai/gpt-5"')


def test_messages_that_would_be_replaced_are_refused():
    class State(TypedDict):
        messages: list[Any]

    (problem,) = refused(lambda: add_toolroute(StateGraph(State), ToolRouter(FINE), Folder().tools())).problems
    assert problem.path == "state.messages"
    assert "add_messages" in problem.hint


def test_no_error_shows_a_secret(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-very-secret-0123456789")
    providers = {"mine": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "${MY_KEY}", "headerz": {"x": "sk-other-secret-0123456789"}}}
    error = refused(lambda: build({"model": "mine/x", "models": {"providers": providers}}))
    assert "headerz" in str(error)
    assert "secret" not in str(error)


# -- what a routed model can answer ------------------------------------------------------------------------------------------------------------

BAD = {
    "text": Say("I would rather talk."),
    "another tool": Say(calls=[Call("read", {"path": "a.py"})]),
    "an unknown tool": Say(calls=[Call("rm_rf", {"path": "/"})]),
    "broken JSON": Say(calls=[Call("edit", json.dumps(EDIT)[:-1])]),
    "cut-off JSON": Say(calls=[Call("edit", '{"path": "a.py", "old": "x = 1", "new": "x')]),
    "two objects": Say(calls=[Call("edit", json.dumps(EDIT) * 2)]),
    "a list": Say(calls=[Call("edit", "[]")]),
    "missing arguments": Say(calls=[Call("edit", {"path": "a.py"})]),
    "wrong types": Say(calls=[Call("edit", {**EDIT, "new": 5})]),
    "nothing": Say(""),
    "only thoughts": Say(thinking="Hm."),
    "cut off": Say(calls=[Call("edit", EDIT)], finish_reason="length"),
    "no end": Say(calls=[Call("edit", EDIT)], finish_reason=""),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
async def test_a_bad_answer_is_mended_once_then_the_next_candidate_writes_and_no_torn_call_runs(bad: Say, how: str):
    kimi = ScriptedModel([Say("Now.", [Call("edit", {})]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([bad, bad], name=DEEPSEEK)
    local = ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=LOCAL)
    folder = Folder()
    agent = routed({KIMI: kimi, DEEPSEEK: deepseek, LOCAL: local}, rules={"edit": {"primary": DEEPSEEK, "fallbacks": [LOCAL]}}, folder=folder)
    with kimi, deepseek, local:
        match how:
            case "invoke":
                agent.invoke(ask())
            case "ainvoke":
                await agent.ainvoke(ask())
            case "stream":
                list(agent.stream(ask(), stream_mode="messages"))
            case _:
                [chunk async for chunk in agent.astream(ask(), stream_mode="messages")]
    assert folder.ran == [("edit", EDIT)]
    assert folder.files == {"a.py": "x = 2\n"}


def test_what_a_tool_asks_of_the_graph_is_not_asked_of_the_model():
    """Injected arguments are no part of what a routed call has to hold."""
    seen: list[Any] = []

    @tool("edit")
    def edit(path: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
        """Edit a file."""
        seen.append(sorted(state))
        return path

    kimi = ScriptedModel([Say(calls=[Call("edit", {})]), Say("Done.")], name=KIMI)
    deepseek = ScriptedModel([Say(calls=[Call("edit", {"path": "a"})])], name=DEEPSEEK)
    with kimi, deepseek:
        out = build(FINE, [edit], models={KIMI: kimi, DEEPSEEK: deepseek}).invoke(ask())
    assert [result.status for result in results(out["messages"])] == ["success"]
    assert seen == [["messages"]]


def test_a_candidate_that_is_down_is_no_bad_answer():
    kimi = ScriptedModel([Say(calls=[Call("edit", {})]), Say("Done.")], name=KIMI)
    deepseek, local = ScriptedModel([Fail(ConnectionError("refused"))], name=DEEPSEEK), ScriptedModel([Say(calls=[Call("edit", EDIT)])], name=LOCAL)
    with kimi, deepseek, local:
        routed({KIMI: kimi, DEEPSEEK: deepseek, LOCAL: local}, rules={"edit": {"primary": DEEPSEEK, "fallbacks": [LOCAL]}}).invoke(ask())
