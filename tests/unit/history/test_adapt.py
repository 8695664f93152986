"""What each stage of `adapt` does to a message, one fact a test."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, InvalidToolCall, RemoveMessage, SystemMessage, ToolMessage
from langchain_core.messages.tool import tool_call

from lg_toolroute.errors import ToolRouteError
from lg_toolroute.history import HistoryError, Note, Target, adapt, adapt_with_notes

OPENAI = Target(api="openai-chat", model="gpt-4o", first_party=True, images=True, files=True)
COMPATIBLE = Target(api="openai-chat", model="some-model", images=True, files=True)
RESPONSES = Target(api="openai-responses", model="gpt-5.4", first_party=True, images=True, tool_images=True, files=True)
CLAUDE = Target(api="anthropic", model="claude-sonnet-4-6", first_party=True, images=True, tool_images=True, files=True, cache_markers=True)
GEMINI = Target(api="google", model="gemini-3-pro-preview", first_party=True, images=True, tool_images=True, files=True, audio=True, video=True)
MISTRAL = Target(api="mistral", model="mistral-large-latest", first_party=True, images=True)
OLLAMA = Target(api="ollama", model="qwen3:8b", first_party=True, images=True, tool_images=True)
DEEPSEEK = Target(api="deepseek", model="deepseek-chat", first_party=True)
KIMI = Target(api="openai-chat", model="kimi-k2")
ALL = [OPENAI, COMPATIBLE, RESPONSES, CLAUDE, GEMINI, MISTRAL, OLLAMA, DEEPSEEK, Target()]

BY_CLAUDE = {"model_provider": "anthropic", "model_name": "claude-sonnet-4-6-20260101"}
HI = HumanMessage("Hi.")
GO = HumanMessage("Go on.")
THOUGHT = [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "text", "text": "Yes."}]
PICTURE = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}


def call(identity: Any = "call_1", text: Any = "", name: str = "edit", **more: Any) -> AIMessage:
    return AIMessage(text, tool_calls=[tool_call(name=name, args={"a": 1}, id=identity)], **more)


def result(identity: str = "call_1", content: Any = "ok") -> ToolMessage:
    return ToolMessage(content, tool_call_id=identity, name="edit")


def kinds(messages: list[BaseMessage]) -> list[str]:
    return [message.type for message in messages]


@pytest.mark.parametrize("target", [target for target in ALL if target.api != "mistral"], ids=lambda target: target.api)
def test_a_history_that_needs_nothing_is_returned_as_the_same_list(target: Target) -> None:
    """No copy, no note."""
    history = [SystemMessage("Be brief."), HI, call(text="Editing."), result(), AIMessage("Done."), GO]
    notes: list[Note] = []
    assert adapt(history, target, notes=notes) is history
    assert notes == []


def test_unchanged_messages_are_the_same_objects_in_a_new_list() -> None:
    """Only what had to change is copied."""
    history = [HI, call("a" * 41), result("a" * 41), GO]
    adapted = adapt(history, OPENAI)
    assert adapted is not history
    assert adapted[0] is history[0]
    assert adapted[3] is history[3]
    assert history[1].tool_calls[0]["id"] == "a" * 41  # type: ignore[attr-defined]


def test_a_long_id_is_shortened_on_call_and_result_alike() -> None:
    """Both get one id that depends on nothing but the stored one."""
    history = [HI, call("call_1|fc_" + "x" * 40), result("call_1|fc_" + "x" * 40)]
    first, second = adapt(history, OPENAI), adapt([*history, AIMessage("Done."), GO], CLAUDE)
    assert first[1].tool_calls[0]["id"] == first[2].tool_call_id == second[1].tool_calls[0]["id"]  # type: ignore[attr-defined]
    assert len(first[2].tool_call_id) <= 40  # type: ignore[attr-defined]


def test_mistral_gets_ids_of_nine_letters_and_words_apart_from_calls() -> None:
    """Its client sends the words or the calls of a message, so they travel as two."""
    adapted = adapt([HI, call(text="Editing."), result()], MISTRAL)
    assert kinds(adapted) == ["human", "ai", "ai", "tool"]
    assert adapted[1].content == "Editing."
    assert adapted[2].content == ""
    assert len(adapted[3].tool_call_id) == 9  # type: ignore[attr-defined]
    assert adapted[3].tool_call_id.isalnum()  # type: ignore[attr-defined]


def test_a_model_gets_its_own_ids_back_unchanged_and_others_get_legal_ones() -> None:
    """`functions.edit:0` is what Kimi was trained on, and its server may give it twice; for the others it is an illegal id."""
    own = call("functions.edit:0", response_metadata={"model_provider": "openai", "model_name": "kimi-k2"})
    history = [HI, own, result("functions.edit:0"), own, result("functions.edit:0")]
    assert adapt(history, KIMI) is history
    assert adapt(history, OPENAI)[2].tool_call_id.startswith("call_")  # type: ignore[attr-defined]


def test_results_without_ids_go_to_the_open_calls_before_them_by_name() -> None:
    """A result names its tool even where a server gave no ids; the others follow in order."""
    calls = [tool_call(name=name, args={}, id=None) for name in ("edit", "search")]
    history = [HI, AIMessage("", tool_calls=calls), ToolMessage("found", tool_call_id="", name="search"), ToolMessage("edited", tool_call_id="")]
    adapted = adapt(history, OPENAI)
    by_id = {message.tool_call_id: message.content for message in adapted if isinstance(message, ToolMessage)}
    assert [by_id[call["id"]] for call in adapted[1].tool_calls] == ["edited", "found"]  # type: ignore[attr-defined]


def test_ids_inside_blocks_and_signature_maps_follow_the_call() -> None:
    """A rewritten id is rewritten everywhere the client looks for it."""
    use = {"type": "tool_use", "id": "bad id", "name": "edit", "input": {}}
    claude = adapt([HI, call("bad id", [use], response_metadata=BY_CLAUDE), result("bad id")], CLAUDE)
    assert claude[1].content[0]["id"] == claude[2].tool_call_id  # type: ignore[attr-defined,index]
    signed = call(
        "bad id",
        additional_kwargs={"__gemini_function_call_thought_signatures__": {"bad id": "c2ln"}},
        response_metadata={"model_provider": "google_genai", "model_name": "gemini-3-pro-preview"},
    )
    gemini = adapt([HI, signed, result("bad id")], GEMINI)
    assert gemini[1].additional_kwargs["__gemini_function_call_thought_signatures__"] == {gemini[2].tool_call_id: "c2ln"}  # type: ignore[attr-defined]


def test_a_signature_does_not_stand_for_a_call_that_a_look_had_written_again() -> None:
    kept = {"__gemini_function_call_thought_signatures__": {"call_1": "c2ln"}}
    record = {"reasoner": "google/g", "calls": {"call_1": "google/g"}, "looked": {"call_1": "mended"}}
    marks = {"model_provider": "google_genai", "model_name": GEMINI.model}
    for toolroute, signatures in ((record, {}), ({**record, "looked": {}}, {"call_1": "c2ln"})):
        said = call(additional_kwargs=kept, response_metadata={**marks, "toolroute": toolroute})
        assert adapt([HI, said, result()], GEMINI)[1].additional_kwargs["__gemini_function_call_thought_signatures__"] == signatures


def test_own_thinking_stays_and_foreign_thinking_goes() -> None:
    """The same model under a dated name is the same; a sibling is not."""
    thought = call("toolu_1", THOUGHT, response_metadata=BY_CLAUDE)
    history = [HI, thought, result("toolu_1")]
    assert adapt(history, CLAUDE) is history
    sibling = Target(api="anthropic", model="claude-opus-4-8", first_party=True, cache_markers=True)
    for target in (sibling, OPENAI, RESPONSES, GEMINI, DEEPSEEK, Target()):
        assert adapt(history, target)[1].content == "Yes."


def test_a_spec_settles_who_wrote_when_names_differ() -> None:
    """A moving alias answers under another name; the record of routing knows the spec it was asked by."""
    metadata = {"model_provider": "anthropic", "model_name": "claude-x-7", "toolroute": {"reasoner": "anthropic/newest"}}
    history = [HI, AIMessage(THOUGHT, response_metadata=metadata), GO]
    alias = Target(api="anthropic", model="newest", spec="anthropic/newest", first_party=True)
    assert adapt(history, alias) == history
    assert adapt(history, CLAUDE)[1].content == "Yes."


@pytest.mark.parametrize("written", [{"model": "deepseek/d"}, {"model": "openai/gpt-5.4", "looked": {"call_1": "stood"}}], ids=["cut", "sent back"])
def test_an_answer_whose_call_was_written_in_another_one_keeps_its_words_only(written: dict[str, Any]) -> None:
    """OpenAI's items, ids and the answer's own id stand for something that the server never finished, or finished otherwise."""
    content = [{"type": "reasoning", "id": "rs_1", "summary": []}, {"type": "text", "text": "Editing.", "id": "msg_1", "annotations": []}]
    record = {"primary": "openai/gpt-5.4", **written}
    metadata = {"model_provider": "openai", "model_name": "gpt-5.4", "id": "resp_1", "toolroute": record}
    adapted = adapt([HI, call(text=content, response_metadata=metadata), result()], RESPONSES)
    assert adapted[1].content == "Editing."
    assert adapted[1].response_metadata == {}
    plain = call(text="Editing.", response_metadata={**metadata, "output_version": "v1"})
    assert not {"id", "output_version"} & adapt([HI, plain, result()], RESPONSES)[1].response_metadata.keys()


@pytest.mark.parametrize(
    ("record", "own"),
    [
        ({"model": "anthropic/claude-sonnet-4-6", "primary": "openai/gpt-4o", "reasoner": "anthropic/claude-sonnet-4-6"}, True),
        ({"reasoner": "x/a", "attempts": [{"model": "x/b", "tool": None}, {"model": "x/a", "tool": None}]}, True),
        ({"reasoner": "x/a", "attempts": [{"model": "x/a", "tool": None}, {"model": "x/b", "tool": "edit"}]}, True),
        ({"reasoner": "x/a", "attempts": [{"model": "x/a", "tool": None}, {"model": "x/b", "tool": None}]}, False),
    ],
    ids=["a fallback answered", "one failed before its first word", "another wrote the call", "another continued the text"],
)
def test_a_message_that_a_second_model_continued_counts_as_foreign_for_both(record: dict[str, Any], own: bool) -> None:
    """When a model fails in mid-sentence and another continues, the thoughts of both are left out for both."""
    history = [HI, AIMessage(THOUGHT, response_metadata={**BY_CLAUDE, "toolroute": record}), GO]
    assert (adapt(history, CLAUDE) == history) is own


def test_a_server_tool_call_without_its_result_is_left_out() -> None:
    """The API accepts a server-side tool's call and result only together."""
    content = [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, {"type": "text", "text": "Yes."}]
    adapted = adapt([HI, AIMessage(content, response_metadata=BY_CLAUDE), GO], CLAUDE)
    assert adapted[1].content == [{"type": "text", "text": "Yes."}]


def test_an_unreadable_call_is_sent_only_if_it_was_answered() -> None:
    """Its answer tells the model what was wrong; without one nothing follows the call."""
    broken = InvalidToolCall(name="edit", args="{", id="call_1", error=None, type="invalid_tool_call")
    asked = AIMessage("Editing.", invalid_tool_calls=[broken])
    answered = adapt([HI, asked, result(content="not JSON")], OPENAI)
    assert answered[1].tool_calls[0]["args"] == {}  # type: ignore[attr-defined]
    assert kinds(adapt([HI, asked, GO], OPENAI)) == ["human", "ai", "human"]


def test_a_missing_result_is_made_up_as_missing_and_marked_as_error() -> None:
    """The line tells the model that there is no result."""
    adapted, notes = adapt_with_notes([HI, call(), GO], OPENAI)
    assert kinds(adapted) == ["human", "ai", "tool", "human"]
    assert "no result" in adapted[2].text
    assert adapted[2].status == "error"  # type: ignore[attr-defined]
    assert str(notes[0]) == "messages[1]: call without a result answered by a line that says so"


def test_a_late_result_moves_up_to_its_call() -> None:
    """What was said in between follows the result."""
    adapted = adapt([HI, call(), GO, result(), AIMessage("Done."), GO], CLAUDE)
    assert kinds(adapted) == ["human", "ai", "tool", "human", "ai", "human"]


def test_images_become_a_line_for_a_model_that_reads_text() -> None:
    """It can say that it did not see something."""
    adapted = adapt([HumanMessage([{"type": "text", "text": "See:"}, PICTURE])], DEEPSEEK)
    assert adapted[0].content == "See:\n\n[image left out: this model reads text only]"


def test_an_image_of_a_tool_is_shown_after_the_results_where_results_are_text() -> None:
    """After all results of the message, not between them."""
    asked = AIMessage("", tool_calls=[tool_call(name="edit", args={}, id="a"), tool_call(name="edit", args={}, id="b")])
    adapted = adapt([HI, asked, result("a", [{"type": "text", "text": "Shot."}, PICTURE]), result("b"), AIMessage("Nice."), GO], OPENAI)
    assert kinds(adapted) == ["human", "ai", "tool", "tool", "human", "ai", "human"]
    assert adapted[2].content == "Shot.\n\n[image: shown below]"
    assert PICTURE in adapted[4].content
    assert adapt([HI, call(), result(content=[PICTURE])], CLAUDE)[2].content == [PICTURE]


def test_a_link_becomes_a_line_where_only_data_can_be_sent() -> None:
    """Ollama's client sends images as data; OpenAI's chat API takes documents as data."""
    image = HumanMessage([{"type": "image", "url": "https://example.com/a.png"}])
    document = HumanMessage([{"type": "file", "url": "https://example.com/a.pdf", "mime_type": "application/pdf"}])
    assert adapt([image], OPENAI) == [image]
    assert adapt([image], OLLAMA)[0].content == "[image left out: this model reads text only]"
    assert adapt([document], OPENAI)[0].content == [{"type": "text", "text": "[document left out: this model does not read documents]"}]
    assert adapt([document], CLAUDE)[0].content[0]["url"] == "https://example.com/a.pdf"  # type: ignore[index]


def test_anthropics_own_spelling_of_an_image_is_rewritten_for_other_apis() -> None:
    """Claude gets its block back as it was, with its cache marker."""
    block = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}, "cache_control": {"type": "ephemeral"}}
    history = [HumanMessage([block])]
    assert adapt(history, CLAUDE) is history
    assert adapt(history, OPENAI)[0].content == [{"type": "image", "url": "https://example.com/a.png"}]


def test_an_uploaded_file_goes_only_to_the_store_it_lies_in() -> None:
    """An id means nothing to another provider."""
    upload = HumanMessage([{"type": "file", "file_id": "file-abc", "filename": "a.pdf"}])
    assert adapt([upload], OPENAI)[0].content[0]["file_id"] == "file-abc"  # type: ignore[index]
    assert "left out" in adapt([upload], CLAUDE)[0].text


def test_cache_markers_go_only_to_the_api_that_knows_them() -> None:
    """Other APIs answer an unknown key with a 400."""
    marked = SystemMessage([{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}])
    assert adapt([marked, HI], CLAUDE)[0] is marked
    assert adapt([marked, HI], OPENAI)[0].content == [{"type": "text", "text": "Be brief."}]
    assert adapt([marked, HI], DEEPSEEK)[0].content == "Be brief."


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (OPENAI, ["human", "ai", "tool", "human"]),
        (CLAUDE, ["human", "ai", "tool", "human"]),
        (MISTRAL, ["human", "ai", "tool", "ai", "human"]),
    ],
    ids=lambda value: getattr(value, "api", ""),
)
def test_an_instruction_after_results_is_bridged_where_it_is_refused(target: Target, expected: list[str]) -> None:
    """Mistral refuses a user's message after a tool's."""
    assert kinds(adapt([HI, call(), result(), GO], target)) == expected


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.api)
def test_the_form_of_a_handoff_is_kept_for_every_target(target: Target) -> None:
    """The words so far in the assistant's role, then the instruction: nothing comes in between."""
    adapted = adapt([SystemMessage("Be brief."), HI, AIMessage("Let me fix that."), HumanMessage("Call `edit`.")], target)
    assert kinds(adapted) == ["system", "human", "ai", "human"]


def test_a_human_message_follows_an_assistant_message_at_the_end_where_the_api_wants_it() -> None:
    """OpenAI continues it; the others refuse it, except Mistral when told so in its own way."""
    history = [HI, AIMessage("Once upon")]
    assert adapt(history, OPENAI) is history
    for target in (CLAUDE, GEMINI, MISTRAL, Target()):
        assert kinds(adapt(history, target)) == ["human", "ai", "human"]
    prefix = [HI, AIMessage("Once upon", additional_kwargs={"prefix": True})]
    assert adapt(prefix, MISTRAL) == prefix


def test_gemini_gets_no_call_right_after_words() -> None:
    """A function call must follow a user's turn or a result."""
    assert kinds(adapt([HI, AIMessage("So."), call(), result()], GEMINI)) == ["human", "ai", "human", "ai", "tool"]


def test_a_system_message_in_the_middle_is_carried_by_the_user_where_it_may_not_stand() -> None:
    """OpenAI takes it where it is; a server that imitates OpenAI often does not."""
    history = [HI, AIMessage("Yes."), SystemMessage("Be polite."), GO]
    assert adapt(history, OPENAI) is history
    for target in (COMPATIBLE, CLAUDE, GEMINI, MISTRAL):
        assert adapt(history, target)[2].type == "human"
        assert "Be polite." in adapt(history, target)[2].text


def test_a_blank_assistant_message_is_left_out_and_a_blank_human_one_kept_as_such() -> None:
    """The one says nothing; without the other two answers would meet."""
    adapted = adapt([HumanMessage(" "), AIMessage("?"), HumanMessage("Hi."), AIMessage(""), GO], CLAUDE)
    assert [message.text for message in adapted] == ["(empty message)", "?", "Hi.", "Go on."]


def test_a_remove_message_is_not_sent() -> None:
    """It is an instruction to a reducer."""
    assert adapt([HI, RemoveMessage(id="x")], OPENAI) == [HI]


@pytest.mark.parametrize(
    ("history", "index", "words"),
    [
        ([], 0, "empty"),
        ([HI, {"role": "user", "content": "x"}], 1, "convert_to_messages"),
        ([AIMessage(""), result("lost")], 0, "human message"),
    ],
)
def test_what_cannot_be_repaired_is_refused_with_its_place(history: list[Any], index: int, words: str) -> None:
    """The error names the message and what to do."""
    with pytest.raises(HistoryError, match=words) as caught:
        adapt(history, CLAUDE)
    assert caught.value.index == index
    assert isinstance(caught.value, ToolRouteError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
