"""What a turn is about, read off a message list."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from lg_toolroute import ToolRouter
from lg_toolroute.runner.inputs import has_error_status, read_inputs, results_just_in, results_of_turn
from lg_toolroute.runner.overrides import Overrides

A, B, C = "a/a", "b/b", "c/c"
ROUTER = ToolRouter({"model": A, "toolRouting": {"edit": {"model": B, "fallbacks": [C], "escalate": {"after": 2}}}})


@tool(response_format="content")
def edit(path: str) -> str:
    """Edit a file."""
    return path


TAGGED = edit.model_copy(update={"name": "browse", "tags": ["mcp"]})


def call(name: str, mark: str, **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": mark, "type": "tool_call"}])


def result(mark: str, *, name: str | None = "edit", error: bool = False, content: Any = "r") -> ToolMessage:
    return ToolMessage(content, tool_call_id=mark, name=name, status="error" if error else "success")


def inputs(*messages: BaseMessage, **more: Any):
    return read_inputs(ROUTER, messages, [edit, TAGGED, {"type": "web_search"}], **more)


def test_tools_are_known_by_name_and_tag_whatever_they_are():
    assert inputs().tools == (("edit", ()), ("browse", ("mcp",)), ("web_search", ()))


def test_results_at_the_end_are_the_ones_that_this_turn_reads():
    history = [call("read", "0"), result("0", name="read"), AIMessage(""), call("edit", "1"), result("1"), result("2", name="write")]
    assert inputs(*history).results == ("edit", "write")
    assert inputs(*history, HumanMessage("more")).results == ()
    assert results_just_in([]) == ()


def test_a_result_without_a_name_has_the_name_of_its_call():
    assert results_just_in([call("edit", "1"), result("1", name=None)]) == ("edit",)
    assert results_just_in([result("1", name=None)]) == ()


def test_failures_count_from_the_users_last_word():
    before = [call("edit", "0", path="x"), result("0", error=True)]
    since = [HumanMessage("go"), call("edit", "1", path="a"), result("1", error=True)]
    assert [found.error for found in results_of_turn([*before, *since])] == [True]
    again = [call("edit", "2", path="b"), result("2", error=True)]
    assert inputs(*before, *since).steps == {}
    steps, why = inputs(*before, *since, *again).steps["edit"]
    assert steps == 1
    assert "failed 2 times in a row" in why


def test_what_counts_as_a_failure_is_the_callers_to_say():
    messages = [call("edit", "1", path="a"), result("1", content="NOT FOUND")]
    assert not has_error_status(messages[1])
    told = results_of_turn(messages, lambda message: "NOT FOUND" in str(message.content))
    assert [(each.tool, each.error) for each in told] == [("edit", True)]


def test_without_a_rule_that_escalates_nobody_looks_back():
    router = ToolRouter({"model": A, "toolRouting": {"edit": B}})

    def never(message: ToolMessage) -> bool:
        raise AssertionError("no rule escalates")

    assert read_inputs(router, [call("edit", "1"), result("1", error=True)], [edit], is_failure=never).steps == {}


@pytest.mark.parametrize(
    ("block", "image", "pdf"),
    [
        ({"type": "text", "text": "t"}, False, False),
        ({"type": "image_url", "image_url": {"url": "data:"}}, True, False),
        ({"type": "image", "base64": "x", "mime_type": "image/png"}, True, False),
        ({"type": "input_image"}, True, False),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png"}}, True, False),
        ({"type": "file", "mime_type": "application/pdf"}, False, True),
        ({"type": "file", "mime_type": "image/png"}, True, False),
        ({"type": "document", "source": {"media_type": "application/pdf"}}, False, True),
        ("plain", False, False),
    ],
)
def test_what_is_attached_to_the_newest_human_or_tool_message_is_seen(block, image, pdf):
    seen = inputs(HumanMessage([block]), AIMessage("hm"))
    assert (seen.images, seen.pdfs) == (image, pdf)
    later = inputs(HumanMessage([block]), call("edit", "1"), result("1"))
    assert (later.images, later.pdfs) == (False, False)
    as_result = inputs(HumanMessage("x"), call("edit", "1"), result("1", content=[block]))
    assert (as_result.images, as_result.pdfs) == (image, pdf)


def test_tokens_are_counted_once_and_only_when_asked():
    long = inputs(HumanMessage("word " * 1000))
    assert long.tokens() == long.tokens() > 500
    assert inputs().tokens() == 0


def test_what_the_caller_said_is_passed_on():
    of = inputs(overrides=Overrides("coder", "heartbeat", B), forced="edit", agent_model=C)
    assert (of.agent, of.role, of.override, of.forced, of.agent_model) == ("coder", "heartbeat", B, "edit", C)
