"""What the chooser of handoffs knows before a call is written, and of candidates in general."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from lg_toolroute import ToolRouter
from lg_toolroute.core.turn.turn import Intercepted, Job, Turn
from lg_toolroute.runner.handoffs import HandoffChooser
from lg_toolroute.runner.inputs import read_inputs
from lg_toolroute.runner.requests import RequestBuilder
from tests.support.folder_agents import Folder

A, B, C = "a/reasons", "b/writes", "c/spare"
TOOLS = Folder().tools()
THREAD: list[BaseMessage] = [
    HumanMessage("Fix it.", id="1"),
    AIMessage("", tool_calls=[{"name": "read", "args": {"path": "a.py"}, "id": "r"}]),
    ToolMessage("x = 1\n", tool_call_id="r", name="read"),
]


def chooser(handoff: Any = "auto", thread: list[BaseMessage] = THREAD, **settings: Any) -> HandoffChooser:
    rule = {"primary": B, "fallbacks": [C], "handoff": handoff}
    router = ToolRouter({"model": A, "toolRouting": dict.fromkeys(("edit", "write", "web_search"), rule)}, **settings)
    return RequestBuilder(router, read_inputs(router, thread, TOOLS), thread, TOOLS).handoffs


def job(of: HandoffChooser, tool: str = "edit", fixed: str = "", call_id: str = "x") -> Job:
    return Job((B, C), (Intercepted(0, tool, call_id, fixed=fixed),), of._inputs.decision(tool, "intercepted"))


@pytest.mark.parametrize(
    ("arguments", "expected"), [({"path": "a.py"}, True), ({"path": "./a.py"}, True), ({"path": "b.py"}, False), ({}, False), ({"path": 3}, False)]
)
def test_a_file_is_known_by_the_argument_that_names_it(arguments: Mapping[str, Any], expected: bool):
    assert chooser().knows("edit", arguments) is expected
    assert chooser(thread=[], read_file=lambda name: "text").knows("edit", arguments) is isinstance(arguments.get("path"), str)
    assert not chooser().knows("web_search", {"query": "a.py"})


def test_the_reader_is_asked_once_a_turn_and_its_none_leaves_what_the_thread_tells():
    asked: list[str] = []
    of = chooser(read_file=lambda name: asked.append(name))
    assert [of.knows("edit", {"path": "a.py"}) for _ in range(3)] == [True] * 3
    assert asked == ["a.py"]


def test_a_brief_may_be_sent_of_a_file_tool_to_a_model_that_does_not_reason():
    assert [chooser().may_brief(tool, B) for tool in ("edit", "write", "web_search")] == [True, True, False]
    assert not chooser().may_brief("edit", A)
    assert chooser("brief").may_brief("edit", A)
    assert not chooser("full").may_brief("edit", B)


@pytest.mark.parametrize(
    ("handoff", "tool", "fixed", "expected"),
    [
        ("auto", "edit", '{"path": "a.py"}', "brief"),
        ("auto", "edit", '{"path": "b.py"}', "full"),
        ("auto", "edit", "", "full"),
        ("auto", "write", '{"path": "b.py"}', "full"),
        ("auto", "web_search", "", "full"),
        ("brief", "edit", '{"path": "b.py"}', "full"),
        ("brief", "write", '{"path": "b.py"}', "brief"),
        ("brief", "web_search", "", "brief"),
        ("full", "edit", '{"path": "a.py"}', "full"),
        ("draft", "edit", '{"path": "a.py"}', "draft"),
        ("brief", "edit", '["no object"]', "full"),
        ("brief", "edit", '{"path": "a.p', "full"),
    ],
)
def test_what_is_sent_by_what_the_rule_says_and_what_is_known(handoff: str, tool: str, fixed: str, expected: str):
    of = chooser(handoff)
    handed = of.handed(Turn("t", primary=A), job(of, tool, fixed), B)
    assert handed.kind == expected
    assert handed.tokens > 0
    assert bool(handed.messages) == (expected == "brief")


def test_a_file_that_is_new_gets_the_rich_brief():
    of = chooser("brief")
    sizes = [of.handed(Turn("t", primary=A), job(of, "write", f'{{"path": "{name}"}}'), B).size for name in ("a.py", "new.py")]
    assert sizes == ["lean", "rich"]


def test_the_least_that_a_candidate_can_be_sent_is_known_before_the_call_is():
    for handoff, of_edit, of_search in (("auto", 500, None), ("brief", 500, 500), ("full", None, None)):
        of = chooser(handoff)
        assert [of.least(job(of, tool, call_id=""), B) for tool in ("edit", "web_search")] == [of_edit, of_search]
    of = chooser()
    assert [of.least(job(of, "edit", fixed), B) for fixed in ('{"path": "a.py"}', '{"path": "b.py"}')] == [500, None]
