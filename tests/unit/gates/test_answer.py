"""Whether an answer can be used: finish reasons of every client, strict JSON, the tool's own schema."""

from __future__ import annotations

import socket
import threading

import pytest

from lg_toolroute.core.failures.spellings import words
from lg_toolroute.gates.answer import Finish, parse_arguments, schema_problem


def seen(*metadata: dict) -> Finish:
    finish = Finish()
    for piece in metadata:
        finish.update(piece)
    return finish


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"finish_reason": "tool_calls"}, "tool_calls"),
        ({"stop_reason": "end_turn"}, "end_turn"),
        ({"done_reason": "stop"}, "stop"),
        ({"stopReason": "tool_use"}, "tool_use"),
        ({"finish_reason": "FinishReason.STOP"}, "stop"),
        ({"finish_reason": "STOP"}, "stop"),
        ({"status": "completed"}, "stop"),
        ({"status": "failed"}, "error"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "max_output_tokens"),
        ({"status": "incomplete", "incomplete_details": None}, "incomplete"),
        ({"done": True}, "stop"),
    ],
)
def test_the_finish_reason_is_read_whatever_a_client_calls_it(metadata, reason):
    finish = seen(metadata)
    assert finish.reason == reason
    assert finish.by_length == (reason in {"max_output_tokens", "incomplete"})


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded"])
def test_an_answer_cut_off_by_its_limit_is_truncated_and_says_so(reason: str):
    finish = seen({"finish_reason": reason})
    assert finish.truncated
    assert finish.by_length
    assert "cut off by its length limit" in finish.detail()


@pytest.mark.parametrize("reason", ["content_filter", "refusal", "SAFETY", "RECITATION"])
def test_a_refusal_is_not_a_truncation(reason: str):
    finish = seen({"finish_reason": reason})
    assert finish.refused
    assert not finish.truncated


@pytest.mark.parametrize(
    "reason",
    sorted(
        words("""error MALFORMED_FUNCTION_CALL insufficient_system_resource abort aborted cancelled canceled user_cancel OTHER FinishReason.OTHER
        ERROR_LIMIT error-limit network_error timeout time_limit TOO_MANY_TOOL_CALLS UNEXPECTED_TOOL_CALL malformed_tool_use not_finished
        IMAGE_OTHER pause_turn""")
    ),
)
def test_an_answer_that_ended_in_an_error_is_not_whole(reason: str):
    finish = seen({"finish_reason": reason})
    assert finish.truncated
    assert not finish.by_length
    assert "ended with the finish reason" in finish.detail()


@pytest.mark.parametrize("reason", sorted(words("stop end_turn tool_calls tool-use STOP COMPLETE eos_token its_own another")))
def test_only_words_that_are_known_are_a_proper_end_and_only_those_of_interruptions_are_none(reason: str):
    finish = seen({"finish_reason": reason})
    assert finish.proper == (reason not in {"its_own", "another"})
    assert not finish.truncated


@pytest.mark.parametrize("reason", ["null", "None", "FINISH_REASON_UNSPECIFIED"])
def test_a_word_that_means_no_reason_is_none(reason: str):
    assert seen({"finish_reason": reason, "model_name": "m"}).reason is None
    assert seen({"finish_reason": "stop"}, {"finish_reason": reason}).reason == "stop"


def test_an_answer_of_a_known_client_without_a_finish_reason_is_truncated():
    finish = seen({"model_name": "kimi-for-coding"})
    assert finish.truncated
    assert finish.detail() == "the stream ended without a finish reason"


def test_an_answer_without_any_metadata_is_not_truncated():
    assert not seen().truncated
    assert not seen({"anything": 1}).truncated


def test_an_empty_reason_is_none():
    """Some servers send it with every chunk but the last."""
    assert seen({"finish_reason": "", "model_name": "m"}).truncated
    assert not seen({"finish_reason": ""}, {"finish_reason": "stop"}, {"finish_reason": ""}).truncated


def test_the_last_finish_reason_counts():
    assert seen({"finish_reason": "stop"}, {"finish_reason": "length"}).truncated


@pytest.mark.parametrize("text", ["", "  ", "{}", ' {"a": 1} ', '{"a": {"b": [1, null, true, "ü"]}}'])
def test_a_json_object_or_nothing_is_arguments(text: str):
    assert isinstance(parse_arguments(text), dict)


@pytest.mark.parametrize(
    "text", ['{"a": 1', '{"a": 1}}', "{'a': 1}", '{"a": 1,}', "null", "[]", '"a"', "1", '{"a": NaN}', '{"a": Infinity}', "{a: 1}", '{"a": "\n"}']
)
def test_anything_else_is_a_sentence_that_says_why_not(text: str):
    said = parse_arguments(text)
    assert isinstance(said, str)
    assert said.startswith("the arguments")


def test_arguments_nested_beyond_reason_are_refused_without_an_error():
    assert parse_arguments('{"a":' * 100_000) == "the arguments are nested too deeply"


SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "times": {"type": "integer", "minimum": 1},
        "mode": {"enum": ["a", "b"]},
        "deep": {"$ref": "#/$defs/d"},
    },
    "required": ["path", "times"],
    "additionalProperties": False,
    "$defs": {"d": {"type": "object", "properties": {"x": {"type": ["string", "null"]}}}},
}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": "p", "times": 2}, None),
        ({"path": "p"}, "the arguments: missing 'times'"),
        ({}, "the arguments: missing 'path', 'times'"),
        ({"path": 1, "times": 2}, "path: must be of type string"),
        ({"path": "p", "times": 0}, "times: must satisfy 'minimum': 1"),
        ({"path": "p", "times": 1, "mode": "c"}, "mode: must be one of ['a', 'b']"),
        ({"path": "p", "times": 1, "more": 1}, "the arguments: has properties that the tool does not take"),
        ({"path": "p", "times": 1, "deep": {"x": 1}}, "deep.x: must be of type string or null"),
    ],
)
def test_arguments_are_held_to_the_tools_own_schema(arguments, said):
    assert schema_problem(arguments, SCHEMA) == said


@pytest.mark.parametrize("schema", [None, {}])
def test_a_tool_without_a_schema_takes_anything(schema):
    assert schema_problem({"a": 1}, schema) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": {"a": {"$ref": "#/$defs/nowhere"}}},
        {"properties": {"a": {"minimum": 0, "exclusiveMinimum": "x"}}},
        {"required": True},
        {"patternProperties": {"(": {}}},
    ],
    ids=["type", "reference", "number", "draft 3", "pattern"],
)
def test_a_broken_schema_accepts_any_arguments(schema):
    assert schema_problem({"a": 1}, schema) is None


@pytest.mark.filterwarnings("ignore:Automatically retrieving remote references")
def test_a_reference_to_an_address_is_not_fetched():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json"
        closer = threading.Timer(5.0, listener.close)  # so that a fetch would end
        closer.start()
        try:
            assert schema_problem({"a": 1}, {"properties": {"a": {"$ref": address}}}) is None
            with pytest.raises(BlockingIOError):
                listener.accept()
        finally:
            closer.cancel()


def test_problems_do_not_repeat_what_the_model_wrote():
    """It may be long, or secret."""
    schema = {"properties": {"a": {"anyOf": [{"type": "integer"}, {"pattern": "^x"}]}, "b": {"pattern": "y" * 500}}}
    assert "sk-secret" not in str(schema_problem({"a": "sk-secret"}, schema))
    assert len(str(schema_problem({"b": "sk-secret"}, schema))) < 200
    assert "sk-secret" not in str(parse_arguments('{"key": "sk-secret'))
