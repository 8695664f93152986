"""Tool calls in a model's text."""

from __future__ import annotations

import pytest

from lg_toolroute.clients.local.call_text import CallMarkup, message_of


def test_text_without_a_call_is_left_as_it_is():
    assert message_of("  Hello.\n").content == "  Hello.\n"


def test_words_around_calls_stay_and_each_call_has_an_id():
    message = message_of('Both: <tool_call>{"name": "a", "arguments": {}}</tool_call>\n<tool_call>{"name": "b", "parameters": {"x": 1}}</tool_call>')
    assert message.content == "Both:"
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("a", {}), ("b", {"x": 1})]
    assert len({call["id"] for call in message.tool_calls}) == 2


def test_arguments_may_be_written_as_text():
    (call,) = message_of('<tool_call>{"name": "a", "arguments": "{\\"x\\": 1}"}</tool_call>').tool_calls
    assert call["args"] == {"x": 1}


def test_a_parser_may_find_several_calls_in_one_piece():
    markup = CallMarkup("[", "]", lambda text: [{"name": name, "arguments": {}} for name in text.split(",")])
    assert [call["name"] for call in message_of("[a,b]", markup).tool_calls] == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    ['<tool_call>{"name": "a", "argu', "<tool_call>[]]</tool_call>", '<tool_call>{"arguments": {}}</tool_call>', "<tool_call>1</tool_call>"],
)
def test_what_cannot_be_parsed_is_an_invalid_call(text: str):
    message = message_of(text)
    assert not message.tool_calls
    assert [call["args"] for call in message.invalid_tool_calls] == [text.removeprefix("<tool_call>").removesuffix("</tool_call>")]
