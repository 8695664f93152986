"""Which of LangChain's own tests have another outcome once every tool is routed to an equal model, and why."""

from __future__ import annotations

FOLDER = "tests/unit_tests/agents"
"""Where the tests are in LangChain's source distribution."""


def name_of(test_id: str) -> str:
    """A test's id as it is listed here: within the folder, without its parameters."""
    return test_id.removeprefix(f"{FOLDER}/").partition("[")[0]


ASKED_AGAIN = "counts model calls: an answer whose call cannot be parsed is asked for again, where `create_agent` answers it with an error message"
CHECKED = "counts model calls: a call whose arguments do not fit the tool's schema is asked for again and never reaches the tool"
OWN_ID = "a call without an id gets one"
WHOLE = "compares whole messages, and the record of the turn is on them"
STREAMED = "counts the streams of a v3 run: each model call has one, also of a model that does not stream, so a routed turn has two"
REASONING = "compares requests: the reasoning item of a call that was written anew is not sent back, because the API refuses it without that call"

EVERYTHING: dict[str, str] = {
    "middleware/core/test_framework.py::test_create_agent_invoke": WHOLE,
    "middleware/core/test_internal_call_transformer.py::test_internal_whole_message_excluded_from_raw_event_log": STREAMED,
    "middleware/core/test_tools.py::test_middleware_can_modify_tools": CHECKED,
    "middleware/implementations/test_human_in_the_loop.py::test_per_call_needs_a_tool_call_id": OWN_ID,
    "middleware/implementations/test_human_in_the_loop.py::test_per_call_same_tool_twice_routes_each_answer_to_its_own_call": OWN_ID,
    "middleware/implementations/test_model_call_limit.py::test_run_limit_with_create_agent": CHECKED,
    "middleware/implementations/test_tool_emulator.py::TestLLMToolEmulatorStreamingEndToEnd"
    "::test_emulated_tool_call_excluded_from_messages_projection": STREAMED,
    "test_create_agent_tool_validation.py::test_create_agent_error": CHECKED,
    "test_create_agent_tool_validation.py::test_create_agent_error_async": CHECKED,
    "test_create_agent_tool_validation.py::test_tool_invocation_error_excludes_injected_state": CHECKED,
    "test_create_agent_tool_validation.py::test_tool_invocation_error_excludes_injected_state_async": CHECKED,
    "test_invalid_tool_calls.py::test_create_agent_answers_historical_invalid_tool_calls": ASKED_AGAIN,
    "test_invalid_tool_calls.py::test_create_agent_answers_invalid_tool_calls_async": ASKED_AGAIN,
    "test_invalid_tool_calls.py::test_create_agent_answers_invalid_tool_calls_on_next_turn": ASKED_AGAIN,
    "test_invalid_tool_calls.py::test_create_agent_does_not_duplicate_historical_tool_messages": ASKED_AGAIN,
    "test_invalid_tool_calls.py::test_create_agent_does_not_patch_model_output": ASKED_AGAIN,
    "test_invalid_tool_calls.py::test_create_agent_patches_only_invalid_tool_calls_with_ids": ASKED_AGAIN,
    "test_invalid_tool_calls.py::test_invalid_structured_tool_call_does_not_end_agent": ASKED_AGAIN,
    "test_response_format_integration.py::test_inference_to_native_output": REASONING,
    "test_response_format_integration.py::test_inference_to_tool_output": REASONING,
    "test_response_format_integration.py::test_strict_mode": REASONING,
}
"""Test, without its parameters, to reason."""
