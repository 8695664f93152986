"""Which arguments are long by a tool's schema, and where a rule cuts."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.tools import BaseTool, tool

from lg_toolroute import ConfigError, ToolRouter
from lg_toolroute.clients.fixed_arguments import without_arguments
from lg_toolroute.config import load_config
from lg_toolroute.runner.cut_at import cut_in, long_arguments
from lg_toolroute.runner.inputs import read_inputs
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.testing import ScriptedModel

PRIMARY, WRITER = "a/primary", "b/writer"


@tool
def send(to: str, subject: str, body: str, tags: list[str], urgent: bool = False) -> str:
    """Send a letter."""
    return body


@tool
def ping(host: str) -> str:
    """Ping a host."""
    return host


def cuts(rule: dict[str, Any], *, of: BaseTool = send) -> Any:
    config = {"model": PRIMARY, "toolRouting": {of.name: {"model": WRITER, **rule}}}
    router = ToolRouter(config, models={PRIMARY: ScriptedModel(name=PRIMARY), WRITER: ScriptedModel(name=WRITER)})
    builder = RequestBuilder(router, read_inputs(router, [], [of]), [], [of])
    return cut_in(builder, [(of.name, of)])(of.name)


@pytest.mark.parametrize(
    ("name", "schema", "is_long"),
    [
        ("body", {"type": "string"}, True),
        ("fileContents", {"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
        ("new_text", {"type": ["string", "null"]}, True),
        ("payload", {"type": "string", "description": "The full text of the letter."}, True),
        ("path", {"type": "string", "description": "The path to the file."}, False),
        ("code", {"type": "string", "enum": ["a", "b"]}, False),
        ("code", {"type": "string", "maxLength": 6}, False),
        ("message", {"type": "string", "maxLength": 4000}, True),
        ("text", {"type": "integer"}, False),
        ("source", {"type": "string", "format": "uri"}, False),
        ("content", True, False),
    ],
)
def test_a_schema_tells_which_strings_are_long(name: str, schema: Any, is_long: bool):
    assert long_arguments({"properties": {name: schema}}) == (frozenset({name}) if is_long else frozenset())


def test_a_rule_names_the_long_arguments_or_leaves_them_to_the_schema():
    assert cuts({}) is None
    assert cuts({"cutAt": "name"}) is None
    assert cuts({"cutAt": "argument"}).long == {"body"}
    assert cuts({"cutAt": ["subject", "tags", "missing"]}).long == {"subject", "tags"}
    assert cuts({"cutAt": "argument"}, of=ping) is None


def test_a_call_to_which_nothing_long_is_missing_stands_but_behind_a_boundary():
    whole = {"host": "h"}
    assert cuts({"cutAt": ["host"]}, of=ping).kept({}, False) == []
    assert cuts({"cutAt": ["missing", "host"]}, of=ping).kept(whole, True) is None
    assert cuts({"cutAt": ["host"], "fallbacks": []}, of=ping).kept(whole, True) == ["host"]


def test_an_argument_that_the_tool_would_refuse_is_left_to_the_writer():
    given = {"to": "me", "tags": "not a list", "urgent": "yes"}
    assert cuts({"cutAt": "argument"}).kept(given, False) == ["to"]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"cutAt": "argument", "onIntercept": "drain"}, "cutAt: 'drain' reads the primary's whole message"),
        ({"cutAt": ["body"], "handoff": "draft"}, "cutAt: a draft holds all arguments"),
        ({"cutAt": "argument", "streamArgs": "live"}, "cutAt: arguments that two models write"),
        ({"cutAt": "body"}, "cutAt: 'body' is no place in a call; write name, argument, or a list"),
        ({"cutAt": []}, "cutAt: [] is no place in a call"),
    ],
)
def test_a_contradiction_is_a_mistake_of_the_configuration(rule: dict[str, Any], told: str):
    with pytest.raises(ConfigError, match="1 mistake") as raised:
        load_config({"model": PRIMARY, "toolRouting": {"send": {"model": WRITER, **rule}}})
    assert told in str(raised.value)


def test_a_name_that_no_tool_of_the_rule_has_is_warned_of():
    router = ToolRouter({"model": PRIMARY, "toolRouting": {"send": {"model": WRITER, "cutAt": ["bdoy", "subject"]}}})
    with pytest.warns(UserWarning, match=r"send\.cutAt: no tool of the rule has an argument 'bdoy'; did you mean 'body'\?"):
        router.check_tools([send])


@pytest.mark.parametrize(
    ("where", "told"), [("name", "at the tool's name"), ("argument", "where the first long argument begins"), (["body"], "where body begins")]
)
def test_explain_says_where_the_stream_is_closed(where: Any, told: str):
    rules = {"send": {"model": WRITER, "cutAt": where}}
    assert f"cut: the primary's stream is closed {told}" in ToolRouter({"model": PRIMARY, "toolRouting": rules}).explain("send")


def test_a_schema_that_speaks_of_several_arguments_at_once_stays_as_it_is():
    schema = {"type": "object", "properties": {"to": {"type": "string"}, "body": {"type": "string"}}, "required": ["to"]}
    bound = {"name": "send", "description": "Send.", "input_schema": schema, "cache_control": {"type": "ephemeral"}}
    fewer = without_arguments(bound, {"to"})
    assert fewer == {**bound, "input_schema": {"type": "object", "properties": {"body": {"type": "string"}}, "required": []}}
    either = {**bound, "input_schema": {**schema, "anyOf": [{"required": ["to"]}, {"required": ["body"]}]}}
    assert without_arguments(either, {"to"}) is either
    assert without_arguments(bound, {"other"}) is bound
    assert without_arguments(send, {"to", "tags"}).args.keys() == {"subject", "body", "urgent"}
