"""Who wrote a message, what its writer gets back, and what any other model gets instead; one fact a test."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.tool import tool_call

from lg_toolroute.history import Target, adapt
from lg_toolroute.history.private_fields import details_of, whole_details
from lg_toolroute.history.provenance import is_own

SPEC = "tomorrow/model-1"
TOMORROW = Target(model="model-1", spec=SPEC, addressed=True, makers=frozenset({"tomorrow"}))
AS_WRITER = Target(model="model-1", spec=SPEC, makers=frozenset({"tomorrow"}))
ID = "tomorrow:call.1/with-an-id-of-a-form-that-no-other-provider-would-take"
SEALED: list[Any] = [{"type": "sealed_thought", "seal": "s"}, {"type": "text", "text": "Looking."}, {"type": "text", "text": " "}]
PRIVATE = {"seal": "s", "reasoning_content": "Hm."}
MARKS = {"model_provider": "tomorrow", "model_name": "model-1"}
HI = HumanMessage("Hi.")


def wrote(record: dict[str, Any] | None = None, identity: str = ID, **metadata: Any) -> AIMessage:
    routed = {} if record is None else {"toolroute": record}
    return AIMessage(
        SEALED,
        tool_calls=[tool_call(name="read", args={}, id=identity)],
        additional_kwargs=PRIVATE,
        response_metadata={**metadata, **routed},
    )


def by(speaker: str, calls: dict[str, str] | None = None) -> dict[str, Any]:
    return {"reasoner": speaker, "primary": speaker, "model": next(iter((calls or {}).values()), speaker), "calls": calls or {}, "attempts": []}


def answered(message: AIMessage) -> list[BaseMessage]:
    return [HI, message, ToolMessage("ok", tool_call_id=str(message.tool_calls[0]["id"]), name="read")]


@pytest.mark.parametrize("target", [TOMORROW, AS_WRITER], ids=["primary", "writer"])
@pytest.mark.parametrize(
    "message",
    [wrote(by(SPEC)), wrote(by(SPEC), **MARKS), wrote(by(SPEC), model_provider="anthropic"), wrote(**MARKS), wrote(model_name="model-1-2026-01-01")],
    ids=["record", "record and marks", "a class that wraps another's client", "marks", "no provider"],
)
def test_a_class_of_tomorrow_gets_its_own_message_back_as_the_same_object(message: AIMessage, target: Target) -> None:
    """Its blocks, its private fields, the form of its ids: nothing of it is known here, so nothing of it is touched."""
    history = answered(message)
    assert adapt(history, target) is history


@pytest.mark.parametrize(
    "message",
    [
        wrote(by("elsewhere/model-2"), **{**MARKS, "model_name": "model-2"}),
        wrote(model_provider="anthropic", model_name="model-1"),
        wrote(**{**MARKS, "model_name": "model-2"}),
        wrote({**by(SPEC), "attempts": [{"model": SPEC}, {"model": "elsewhere/model-2"}]}, **MARKS),
    ],
    ids=["another's record", "another client of that model", "a sibling", "continued by another"],
)
def test_it_gets_the_common_form_of_what_another_wrote(message: AIMessage) -> None:
    """In doubt a message is another's: words, calls and legal ids are left."""
    _, adapted, result = adapt(answered(message), TOMORROW)
    assert isinstance(adapted, AIMessage)
    assert isinstance(result, ToolMessage)
    assert (adapted.content, adapted.additional_kwargs) == ("Looking. ", {})
    assert adapted.tool_calls[0]["id"] == result.tool_call_id != ID


def test_a_message_without_any_mark_is_the_applications_own_and_goes_to_its_own_model_as_it_is() -> None:
    """An example that the application wrote for its model; a writer beside that model gets the common form."""
    history = answered(wrote())
    assert adapt(history, TOMORROW) is history
    assert adapt(history, AS_WRITER)[1].additional_kwargs == {}


def test_words_of_one_and_a_call_of_another_go_back_to_the_one_with_the_call_adapted() -> None:
    """The dropped call's block goes, the writer's call keeps no form of its own, thoughts and words stay as they were."""
    mixed = wrote(by(SPEC, {"other:1": "elsewhere/model-2"}), identity="other:1", **MARKS)
    mixed = mixed.model_copy(update={"content": [*SEALED, {"type": "tool_use", "id": "other:1", "name": "read", "input": {}}]})
    _, adapted, result = adapt(answered(mixed), TOMORROW)
    assert isinstance(adapted, AIMessage)
    assert isinstance(result, ToolMessage)
    assert (adapted.content, adapted.additional_kwargs) == (SEALED, PRIVATE)
    assert adapted.tool_calls[0]["id"] == result.tool_call_id != "other:1"


def test_what_the_application_wrote_goes_to_its_own_model_as_it_is() -> None:
    """Cache markers, images in any spelling and the order of messages are between the application and its client."""
    marked = [{"type": "text", "text": "Hi.", "cache_control": {"type": "ephemeral"}}, {"cachePoint": {"type": "default"}}]
    history: list[BaseMessage] = [SystemMessage(marked), HumanMessage(marked), HumanMessage("Go on."), SystemMessage("Be brief.")]
    assert adapt(history, TOMORROW) is history
    assert "cache" not in repr(adapt(history, AS_WRITER))


def test_a_list_of_texts_stays_a_list_for_the_model_that_it_was_written_for() -> None:
    """Others behind a server that imitates OpenAI get one text; a marker stays where a proxy may know it."""
    blocks: list[Any] = [{"type": "text", "text": "One.", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "Two."}]
    history: list[BaseMessage] = [HumanMessage(blocks)]
    assert adapt(history, Target(api="openai-chat", addressed=True)) is history
    assert adapt(history, Target(api="openai-chat"))[0].content == "One.\n\nTwo."


def test_a_known_class_is_not_its_own_writer_after_the_client_of_a_spec_was_changed() -> None:
    """The record names the spec; the marks of another known client say that its blocks are of another form."""
    record = by("claude/newest")
    claude = Target(api="anthropic", model="newest", spec="claude/newest", first_party=True)
    assert is_own(AIMessage("Yes.", response_metadata={"model_provider": "anthropic", "toolroute": record}), claude)
    assert is_own(AIMessage("Yes.", response_metadata={"toolroute": record}), claude)
    assert not is_own(AIMessage("Yes.", response_metadata={"model_provider": "openai", "toolroute": record}), claude)


def test_a_subclass_of_openais_client_is_known_by_its_own_name_too() -> None:
    """`ChatMoonshot` writes `moonshot`, and its thoughts come back to it."""
    moonshot = Target(api="openai-chat", model="kimi-k2", makers=frozenset({"moonshot"}))
    history = answered(wrote(model_provider="moonshot", model_name="kimi-k2").model_copy(update={"content": "Looking."}))
    assert adapt(history, moonshot) is history
    assert adapt(history, Target(api="openai-chat", model="kimi-k2"))[1].additional_kwargs == {}


def test_an_id_that_two_models_gave_stays_with_the_one_that_reads() -> None:
    """The reader's own is sent as it is if it comes first; the other's is derived anew."""
    mine, others = wrote(**MARKS), wrote(model_provider="openai", model_name="gpt-4o")
    adapted = adapt([*answered(mine), *answered(others), *answered(mine)], TOMORROW)
    sent = [message.tool_calls[0]["id"] for message in adapted if isinstance(message, AIMessage)]
    assert sent[0] == sent[2] == ID
    assert sent[1] != ID


SIGNED = "__gemini_function_call_thought_signatures__"


def test_a_signature_goes_with_the_call_that_was_signed_and_not_with_one_that_took_its_id() -> None:
    """The middleware lets a writer's call keep the id of the call that was cut."""
    google = Target(api="google", model="gemini-3-pro-preview", spec="google/gemini-3-pro-preview", first_party=True)
    calls = [tool_call(name="read", args={}, id=identity) for identity in ("kept", "cut")]
    record = by(google.spec, {"kept": google.spec, "cut": "elsewhere/model-2"})
    metadata = {"model_provider": "google_genai", "model_name": google.model, "toolroute": record}
    message = AIMessage("Yes.", tool_calls=calls, additional_kwargs={SIGNED: {"kept": "a", "cut": "b"}}, response_metadata=metadata)
    history = [HI, message, *(ToolMessage("ok", tool_call_id=identity) for identity in ("kept", "cut"))]
    assert adapt(history, google)[1].additional_kwargs == {SIGNED: {"kept": "a"}}


def test_calls_of_others_carry_the_marks_that_an_api_wants_of_them() -> None:
    """Kimi refuses a call without `reasoning_content`, Gemini behind OpenRouter one without a signature; other models get neither mark."""
    history = answered(wrote(model_provider="openai", model_name="gpt-4o"))
    kimi = Target(api="openai-chat", model="kimi-k2", echo_reasoning=True)
    assert adapt(history, kimi)[1].additional_kwargs == {"reasoning_content": "(not recorded)"}
    gemini = adapt(history, Target(model="google/gemini-3-pro-preview", echo_details=True))
    (detail,) = gemini[1].additional_kwargs["reasoning_details"]
    assert (detail["data"], detail["id"]) == ("skip_thought_signature_validator", gemini[2].tool_call_id)  # type: ignore[attr-defined]
    assert adapt(history, Target(model="openai/gpt-5", echo_details=True))[1].additional_kwargs == {}


def test_pieces_of_streamed_details_become_the_entries_that_they_were() -> None:
    """A field that grows is joined, one that repeats is not, and two entries of one index are two if their types differ."""
    text = {"type": "reasoning.text", "format": "google-gemini-v1", "index": 0}
    sealed = {"type": "reasoning.encrypted", "data": "c2ln", "id": "call_1", "format": "google-gemini-v1", "index": 0}
    pieces = [{**text, "text": "I "}, {**text, "text": "think.", "signature": None}, {**text, "text": None, "signature": "s"}, sealed]
    assert whole_details(details_of(pieces, streamed=True)) == [{**text, "text": "I think.", "signature": "s"}, sealed]
    entries = [{**text, "text": "One."}, {**text, "text": "Two."}]
    assert whole_details(details_of(entries, streamed=False)) == entries
