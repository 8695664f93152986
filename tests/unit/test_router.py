"""The router: it answers from tables, checks before the first call, and keeps the clients' own exceptions at hand."""

from __future__ import annotations

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.tools import tool

from lg_toolroute import ChainExhausted, ConfigError, ToolRouter
from lg_toolroute.core.turn.turn import Attempt
from lg_toolroute.errors import AttemptFailed
from lg_toolroute.files.tools import FileTool
from lg_toolroute.router import tool_name, tool_tags
from lg_toolroute.testing import ScriptedModel

A, B = "a/a", "b/b"


@tool
def edit(path: str) -> str:
    """Edit a file."""
    return path


@tool
def read(path: str) -> str:
    """Read a file."""
    return path


def router(**more: Any) -> ToolRouter:
    config = {"model": A, "toolRouting": {"edit": B}, **more.pop("config", {})}
    return ToolRouter(config, **{"models": {A: ScriptedModel(), B: ScriptedModel()}, **more})


def test_deciding_explaining_and_policy_build_no_model():
    asked = ToolRouter({"model": "nowhere/x", "toolRouting": {"edit": "nobody/y"}, "tools": {"byModel": {"nobody/*": {"deny": ["read"]}}}})
    assert asked.decide("edit").chain == ("nobody/y", "nowhere/x")
    assert "nobody/y" in asked.explain("edit")
    assert asked.tools_for("nobody:y", [edit, read, "write", {"type": "web_search"}]) == [edit, "write", {"type": "web_search"}]


def test_a_configuration_may_be_a_mapping_a_text_or_loaded_already():
    text = '{"model": "a/a"}'
    assert ToolRouter(text).book.specs() == ToolRouter({"model": "a/a"}).book.specs() == ToolRouter(ToolRouter(text).config).book.specs() == ("a/a",)


@pytest.mark.parametrize(
    ("given", "name", "tags"),
    [
        ("edit", "edit", ()),
        (edit, "edit", ()),
        (edit.model_copy(update={"tags": ["mcp"]}), "edit", ("mcp",)),
        ({"type": "function", "function": {"name": "edit"}}, "edit", ()),
        ({"name": "edit", "input_schema": {}}, "edit", ()),
        ({"title": "edit", "properties": {}}, "edit", ()),
        ({"type": "web_search_20250305", "name": "web_search"}, "web_search", ()),
        ({"type": "web_search"}, "web_search", ()),
        ({"google_search": {}}, "google_search", ()),
        ({}, "", ()),
        (len, "len", ()),
    ],
)
def test_a_tool_is_known_by_the_name_that_a_model_sees(given, name, tags):
    assert (tool_name(given), tool_tags(given)) == (name, tags)


def test_a_rule_that_matches_no_bound_tool_is_a_warning_with_the_nearest_name():
    with pytest.warns(UserWarning, match=r"toolRouting\.edti: 'edti' matches none of the 2 bound tools; did you mean 'edit'\?"):
        router(config={"toolRouting": {"edti": B}}).check_tools([edit, read])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        router().check_tools([edit, read])


@tool
def page_edit(page: str, was: str, becomes: str) -> str:
    """Edit a page."""
    return "done"


def test_what_the_configuration_says_of_a_file_tool_is_held_against_its_arguments():
    of = router(config={"tools": {"files": {"page_edit": {"kind": "edit", "file": "pge", "old": "was", "new": "becomes"}}}})
    with pytest.warns(UserWarning, match=r"tools\.files\.page_edit\.file: 'page_edit' has no argument 'pge'; did you mean 'page'\?"):
        of.check_tools([edit, page_edit])
    of = router(config={"tools": {"files": {"page_edt": {"kind": "edit", "file": "page", "old": "was", "new": "becomes"}}}})
    with pytest.warns(UserWarning, match=r"tools\.files\.page_edt: 'page_edt' matches none of the 2 bound tools; did you mean 'page_edit'\?"):
        of.check_tools([edit, page_edit])
    of = router(config={"tools": {"files": {"page_edit": {"kind": "edit", "file": "page", "old": "was", "new": "becomes"}}}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of.check_tools([edit, page_edit])
    assert of.file_tool("page_edit", page_edit) == FileTool("edit", "page", "was", "becomes")
    assert router().file_tool("page_edit", page_edit) is None


def test_under_strict_it_is_an_error_together_with_everything_else():
    of = ToolRouter({"model": "nowhere/x", "toolRouting": {"edti": B}}, models={B: ScriptedModel()}, strict=True)
    with pytest.raises(ConfigError) as caught:
        of.check_tools([edit])
    assert [problem.path for problem in caught.value.problems] == ["toolRouting.edti", "models.providers.nowhere.baseUrl"]


def test_a_tool_bound_twice_is_an_error():
    with pytest.raises(ConfigError, match="tools: 'edit' is bound 2 times; a tool's name must be unique among the bound tools; rename one of them"):
        router().check_tools([edit, read, edit])


@pytest.mark.parametrize("name", ["ed it", "édit", "edit\n", "x" * 129, "a(b)", "ed‍it"])
def test_a_name_with_odd_characters_is_a_warning(name: str):
    with pytest.warns(UserWarning, match="is a name that a provider may refuse; most take 1 to 128 of the characters"):
        router().check_tools([edit, edit.model_copy(update={"name": name})])


@pytest.mark.parametrize(
    "twice",
    [
        [{"type": "mcp", "server_label": "one"}, {"type": "mcp", "server_label": "two"}],
        [{"type": "web_search_preview"}, {"type": "web_search_preview", "search_context_size": "high"}],
        [{"google_search": {}}, {"url_context": {}}, {"googleSearch": {}}, {"code_execution": {}}],
    ],
)
def test_tools_that_run_at_a_provider_and_have_no_name_are_taken_as_they_are(twice: list[dict[str, Any]]):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        router().check_tools([edit, read, *twice])


@pytest.mark.parametrize("name", ["Edit-1", "mcp__github__get_issue", "server.tool", "server/tool", "ns:tool", "x" * 128])
def test_names_that_some_provider_takes_are_taken(name: str):
    router().check_tools([edit, edit.model_copy(update={"name": name})])


def test_models_are_checked_before_the_first_call_and_once():
    broken = ToolRouter({"model": "nowhere/x"})
    for _ in range(2):
        with pytest.raises(ConfigError, match="nowhere"):
            broken.check_models()
    fine = router()
    fine.check_models()
    fine.check_models()


def test_a_clients_own_exception_is_the_cause_of_its_attempt():
    of, own = router(), ConnectionError("reset")
    attempt = Attempt(A, "failed", "connection", detail="reset")
    of.remember_cause("turn", attempt, own)
    error = ChainExhausted("no model is left", [AttemptFailed(A, "connection", "reset"), AttemptFailed(B, "auth", "no")])
    assert of.with_causes(error, "turn") is error
    assert [inner.__cause__ for inner in error.exceptions] == [own, None]


def test_exceptions_of_turns_that_never_ended_are_forgotten_in_time():
    of = router()
    for number in range(1000):
        of.remember_cause(f"turn {number}", Attempt(A, "failed", "connection"), ConnectionError())
    assert len(of._causes) <= 64


def test_a_brief_that_was_not_handed_in_is_refused_with_the_nearest_name_and_so_is_one_called_as_a_size():
    rules = {"edit": {"model": "a/b", "handoff": {"brief": "leen"}}, "query": {"model": "a/b", "handoff": {"brief": "tabels"}}}
    with pytest.raises(ConfigError) as caught:
        ToolRouter({"model": "a/c", "toolRouting": rules}, briefs={"tables": repr, "mid": repr})  # type: ignore[dict-item]
    text = str(caught.value)
    assert "toolRouting.edit.handoff.brief: 'leen' is no brief that is known; did you mean 'lean'?" in text
    assert "toolRouting.query.handoff.brief: 'tabels' is no brief that is known; did you mean 'tables'?" in text
    assert "briefs: 'mid' is the name of a size; give the function another name" in text


def test_what_cannot_be_called_is_refused_where_it_is_handed_in():
    async def awaited(name: str) -> str:
        return name

    with pytest.raises(ConfigError) as caught:
        ToolRouter({"model": "a/c"}, briefs={"a": 3}, looks=[len], forms=len, read_file=awaited)  # type: ignore[arg-type, dict-item]
    assert {problem.path: str(problem).partition(": ")[2] for problem in caught.value.problems} == {
        "briefs['a']": "3 is not a function; hand in a function",
        "looks": """'list' is no mapping; write looks={"name": function}""",
        "forms": """'builtin_function_or_method' is no mapping; write forms={"name": form}""",
        "read_file": "is an async function, and is called plainly, not awaited; hand in a plain one (`def`)",
    }


def test_a_pickled_router_keeps_its_briefs_and_its_reader():
    rules = {"query": {"model": "a/b", "handoff": {"brief": "own"}}}
    again = pickle.loads(pickle.dumps(ToolRouter({"model": "a/c", "toolRouting": rules}, briefs={"own": repr}, read_file=str.upper)))  # type: ignore[dict-item]
    assert (again.briefs, again.read_file) == ({"own": repr}, str.upper)


@pytest.mark.parametrize("trip", [copy.copy, copy.deepcopy, lambda of: pickle.loads(pickle.dumps(of))], ids=["copy", "deepcopy", "pickle"])
def test_a_router_is_copied_and_pickled(trip):
    assert trip(ToolRouter({"model": A, "toolRouting": {"edit": B}})).decide("edit").model == B


def test_fifty_threads_ask_one_router_and_agree():
    of = router()

    def ask(number: int) -> tuple[Any, Any, Any]:
        return of.decide(f"edit_{number % 7}"), of.decide("edit"), of.models.bound(of.models.get(A), [edit, read])  # type: ignore[arg-type]

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(500)))
    assert {decision.model for _, decision, _ in answers} == {B}
    assert len({id(bound) for *_, bound in answers[50:]}) == 1


def test_a_model_handed_in_for_one_turn_does_not_hide_that_it_cannot_be_built_for_the_next(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    router = ToolRouter({"model": "openai/gpt-5"})
    router.check_models({"openai/gpt-5"})
    with pytest.raises(ConfigError, match="no key"):
        router.check_models()
