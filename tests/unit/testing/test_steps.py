"""The words of scripts: short forms, and mistakes that are told at once."""

import pytest
from langchain_core.messages import AIMessageChunk

from lg_toolroute.testing import Call, Chunks, Eof, Fail, Hang, Latch, Say
from lg_toolroute.testing.expect import chosen_tool, forced_tool, tool_name
from lg_toolroute.testing.steps import as_step


def test_short_forms_become_steps():
    error = ValueError("x")
    chunk = AIMessageChunk("a")
    assert as_step("hi") == Say("hi")
    assert as_step(error) == Fail(error)
    assert as_step(TimeoutError).raised().args == ()
    assert as_step(Call("edit")) == Say(calls=[Call("edit")])
    assert as_step([chunk]) == Chunks([chunk])
    assert as_step(17) == 17


def test_arguments_are_json_or_sent_as_they_are():
    assert Call("edit", {"path": "ä"}).json == '{"path": "ä"}'
    assert Call("edit", '{"path').json == '{"path'


def test_one_call_is_not_a_list_of_calls():
    with pytest.raises(TypeError, match=r"write calls=\[Call\("):
        Say("x", Call("edit"))


def test_place_without_an_answer_is_refused():
    with pytest.raises(ValueError, match=r"Fail\(at='name'\) needs the answer .* add say="):
        Fail(ValueError(), at="name")
    with pytest.raises(ValueError, match="after_chunks=2 both say where"):
        Eof(Say("x"), at="end", after_chunks=2)
    assert Fail(ValueError()).place == "start"
    assert Hang(Latch(), Say("x"), after_chunks=3).place == 3


@pytest.mark.parametrize(
    ("choice", "one_spelling"),
    [
        (None, None),
        (False, None),
        (True, "any"),
        ("required", "any"),
        ("any", "any"),
        ("none", "none"),
        ("edit", "edit"),
        ({"type": "function", "function": {"name": "edit"}}, "edit"),
        ({"type": "function", "name": "edit"}, "edit"),
        ({"type": "tool", "name": "edit"}, "edit"),
        ({"type": "any"}, "any"),
        ({"type": "auto"}, "auto"),
    ],
)
def test_tool_choices_of_all_providers_have_one_spelling(choice, one_spelling):
    assert chosen_tool(choice) == one_spelling
    assert forced_tool(one_spelling) == ("edit" if one_spelling == "edit" else None)


def test_tools_of_all_formats_have_a_name():
    formats = [{"type": "function", "function": {"name": "edit"}}, {"name": "edit", "input_schema": {}}, Call("edit")]
    assert [tool_name(tool) for tool in formats] == ["edit"] * 3
    assert tool_name({"type": "web_search"}) == "web_search"
    assert tool_name(tool_name) == "tool_name"
