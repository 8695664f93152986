"""Histories imported from elsewhere, and settings that make an API stricter: repaired for the request, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_deepseek import ChatDeepSeek

from lg_toolroute.history import HistoryError, Target, adapt, adapt_with_notes, replay_reasoning, target_of
from tests.support.provider_rules.providers import BY_NAME, PROVIDERS, Answer, Provider
from tests.support.provider_rules.stories import PNG, Studio, with_results

HI = HumanMessage("Hi.")
GO = HumanMessage("Go on.")
CLAUDE = {"model_provider": "anthropic", "model_name": "claude-sonnet-4-6"}
SIGNED = "eyJtb2RlbCI6"  # how every signature of `signatures.sign` begins


def call(identity: str | None = "call_1", name: str = "edit", text: Any = "", **more: Any) -> AIMessage:
    return AIMessage(text, tool_calls=[tool_call(name=name, args={"path": "ä.py"}, id=identity)], **more)


def result(identity: str = "call_1", content: Any = "ok", name: str | None = "edit") -> ToolMessage:
    return ToolMessage(content, tool_call_id=identity, name=name)


def invalid(identity: str | None = "call_1") -> AIMessage:
    broken = InvalidToolCall(name="edit", args='{"path": ', id=identity, error="no JSON", type="invalid_tool_call")
    return AIMessage("Editing.", invalid_tool_calls=[broken])


IMPORTED: dict[str, list[BaseMessage]] = {
    "a call without a result": [HI, call(), GO],
    "a call without a result at the end": [HI, call(text="Editing.")],
    "the same id in two turns": [HI, call("c"), result("c", "one"), call("c"), result("c", "two")],
    "the same id twice in one message": [
        HI,
        AIMessage("", tool_calls=[tool_call(name="edit", args={}, id="c"), tool_call(name="search", args={}, id="c")]),
        result("c", "one"),
        result("c", "two", "search"),
    ],
    "ids with pipes, 60 characters long": [HI, call("call_|fc_" + "x" * 51), result("call_|fc_" + "x" * 51)],
    "empty ids": [HI, call(""), result(""), call(""), result("")],
    "no ids": [HI, call(None), result("")],
    "a tool message first": [result("lost"), HI],
    "a result without a call": [HI, AIMessage("Done."), result("lost"), GO],
    "a result twice": [HI, call(), result(), result(content="again")],
    "an unreadable call that was answered": [HI, invalid(), result()],
    "an unreadable call that was not": [HI, invalid(None), GO],
    "an unreadable call and nothing else": [HI, invalid().model_copy(update={"content": ""}), GO],
    "a late result": [HI, call(), GO, result(), AIMessage("Done."), GO],
    "two human messages": [HI, GO],
    "two assistant messages, the second with a call": [HI, AIMessage("One."), call(), result()],
    "an instruction after results": [HI, call(), result(), GO],
    "a system message in the middle": [SystemMessage("Be brief."), HI, AIMessage("Yes."), SystemMessage("Be polite."), GO],
    "a system message after a result": [HI, call(), result(), SystemMessage("Be polite.")],
    "an assistant message first": [AIMessage("Hello."), HI],
    "a call first": [call(), result()],
    "an assistant message last": [HI, AIMessage("Once upon a time ")],
    "only a system message": [SystemMessage("Begin.")],
    "an empty human message": [HumanMessage(""), AIMessage("?"), HumanMessage([])],
    "empty and blank assistant messages": [HI, AIMessage(""), AIMessage("  \n"), AIMessage([{"type": "text", "text": " "}]), GO],
    "blank text blocks": [
        HumanMessage([{"type": "text", "text": "  "}, {"type": "text", "text": "Hi."}]),
        call(text=[{"type": "text", "text": ""}]),
        result(),
    ],
    "names with spaces": [HumanMessage("Hi.", name="the user"), AIMessage("Yes.", name="planner <1>"), GO],
    "tool names with dots": [HI, call(name="server.edit:file"), result(name="server.edit:file")],
    "messages of other roles": [
        ChatMessage("Be brief.", role="developer"),
        ChatMessage("Hi.", role="user"),
        ChatMessage("Yes.", role="assistant"),
        GO,
    ],
    "a function message": [HI, FunctionMessage("ok", name="edit"), GO],
    "unknown blocks": [HumanMessage([{"type": "hologram", "data": 1}, {"text": "no type"}, "Hi."]), AIMessage([{"type": "hologram"}, "Yes."]), GO],
    "OpenAI's reasoning under Anthropic's name": [
        HI,
        call(text=[{"type": "reasoning", "id": "rs_1", "summary": []}, {"type": "text", "text": "Yes."}], response_metadata=CLAUDE),
        result(),
    ],
    "thinking without a signature": [HI, call(text=[{"type": "thinking", "thinking": "Hm."}], response_metadata=CLAUDE), result()],
    "a tool_use block without its call": [
        HI,
        AIMessage([{"type": "text", "text": "x"}, {"type": "tool_use", "id": "t", "name": "edit", "input": {}}], response_metadata=CLAUDE),
        GO,
    ],
    "raw calls without parsed ones": [
        HI,
        AIMessage("Yes.", additional_kwargs={"tool_calls": [{"id": "x", "function": {"name": "edit", "arguments": "{}"}, "type": "function"}]}),
        GO,
    ],
    "an old function call": [HI, AIMessage("Yes.", additional_kwargs={"function_call": {"name": "edit", "arguments": "{}"}}), GO],
    "standard blocks flagged on a plain text": [HI, AIMessage("Yes.", response_metadata={"output_version": "v1", **CLAUDE}), GO],
    "cache markers": [
        SystemMessage([{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]),
        HumanMessage([{"type": "text", "text": "Hi.", "cache_control": {"type": "ephemeral"}, "id": "lc_1"}, {"cachePoint": {"type": "default"}}]),
    ],
    "images in every spelling": [
        HumanMessage(
            [
                {"type": "image", "base64": PNG, "mime_type": "image/png"},
                {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                {"type": "image", "url": f"data:image/png;base64,{PNG}"},
                {"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
                {"type": "image", "file_id": "upload_1"},
            ]
        )
    ],
    "documents in every spelling": [
        HumanMessage(
            [
                {"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf"},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                {"type": "text-plain", "text": "plain", "mime_type": "text/plain"},
            ]
        )
    ],
    "an image in a result": [HI, call(), result(content=[{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}])],
    "a result of strings and blocks": [HI, call(), result(content=["one", {"type": "text", "text": "two", "id": "lc_1"}])],
    "a result in Anthropic's spelling": [HI, call(), result(content=[{"type": "tool_result", "tool_use_id": "call_1", "content": "ok"}])],
    "empty results": [HI, call(), result(content=""), call("call_2"), result("call_2", [])],
    "a chunk that was stored": [
        HI,
        AIMessageChunk("Yes.", tool_call_chunks=[tool_call_chunk(name="edit", args="{}", id="bad id", index=0)]),
        result("bad id"),
    ],
    "a result that is JSON": [HI, call(), result(content="[1, 2]")],
}  # fmt: skip


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    studio = Studio()
    yield studio
    studio.close()


@pytest.mark.parametrize("reader", PROVIDERS, ids=lambda provider: provider.name)
def test_imported_histories_are_legal_for_every_reader(reader: Provider, studio: Studio) -> None:
    """Whatever was imported, the request that leaves is one that the API takes; adapting it again changes nothing."""
    model = studio.client(reader)
    target = target_of(model)
    for name, history in IMPORTED.items():
        adapted = adapt(history, target)
        body = studio.send(reader, model, adapted)
        assert reader.check(body, studio.minted) == [], name
        assert adapt(adapted, target) == adapted, name


@pytest.mark.parametrize("reader", PROVIDERS, ids=lambda provider: provider.name)
def test_the_form_for_an_unknown_provider_is_legal_for_every_known_one(reader: Provider, studio: Studio) -> None:
    """The strictest common form passes every client and every API, ids of Mistral's aside, which its client makes."""
    for name, history in IMPORTED.items():
        adapted = adapt(history, Target())
        body = studio.send(reader, studio.client(reader), adapted)
        # Mistral's client sends the calls of a message, or its words: that is a loss, not a refusal.
        assert reader.check(body, studio.minted) == [], name


@pytest.mark.parametrize("name", [name for name in IMPORTED if name not in ("an image in a result", "a result that is JSON")])
def test_each_repair_for_the_strictest_reader_is_noted(name: str) -> None:
    """A history that is changed comes with at least one note, whose index lies inside it."""
    history = IMPORTED[name]
    adapted, notes = adapt_with_notes(history, Target())
    blocks_only = all(type(a) is type(b) for a, b in zip(adapted, history, strict=False)) and len(adapted) == len(history)
    assert notes or adapted == history or blocks_only
    assert all(0 <= note.index <= len(history) for note in notes)


def test_a_history_of_nothing_but_a_lost_result_is_refused() -> None:
    """There is nothing to send; the error says which message and what is missing."""
    with pytest.raises(HistoryError, match=r"messages\[0\].*tool result left out.*human message") as caught:
        adapt([result("lost")], Target())
    assert caught.value.index == 0


def test_own_thoughts_come_back_to_the_model_that_had_them(studio: Studio) -> None:
    """Signatures and reasoning items are replayed to their maker, in both dialects."""
    for name, mark in (("openai responses", "rs_"), ("anthropic", SIGNED), ("google-genai", SIGNED), ("ollama", "Hm.")):
        writer = BY_NAME[name]
        for settings in ({}, writer.v1):
            thought = studio.answer(writer, Answer(text="Yes.", thinking="Hm.", calls=(("edit", {}),)), **settings)
            history = [HI, *with_results(thought)]
            body = studio.send(writer, studio.client(writer), adapt(history, target_of(studio.client(writer))))
            assert mark in json.dumps(body), (name, settings)
            assert writer.check(body, studio.minted) == []


def test_another_claude_gets_no_thinking_of_this_one(studio: Studio) -> None:
    """Signatures are bound to the model, so a sibling gets the words and the call only."""
    claude = BY_NAME["anthropic"]
    thought = studio.answer(claude, Answer(text="Yes.", thinking="Hm.", calls=(("edit", {}),)))
    sibling = claude.build(studio.loopback.base)
    sibling.model = "claude-opus-4-8"
    body = studio.send(claude, sibling, adapt([HI, *with_results(thought)], target_of(sibling)))
    assert "thinking" not in json.dumps(body["messages"])
    assert claude.check(body, studio.minted) == []


@pytest.mark.parametrize("writer", PROVIDERS, ids=lambda provider: provider.name)
def test_claude_with_a_thinking_budget_reads_the_loop_of_any_writer(writer: Provider, studio: Studio) -> None:
    """Its running turn must open with its own thinking, so calls of others are told in the user's role."""
    claude = BY_NAME["anthropic"]
    model = studio.client(claude, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=4096)
    target = target_of(model)
    assert target.thinking_leads
    for feature in ("thinking", "one call", "parallel calls", "cut call", "server tool", "v1 blocks"):
        for history in studio.stories(writer, feature):
            adapted = adapt(history, target)
            body = studio.send(claude, model, adapted)
            assert claude.check(body, studio.minted) == [], feature
            assert adapt(adapted, target) == adapted


class EchoingDeepSeek(ChatDeepSeek):
    """A client that finishes its payload with `replay_reasoning`."""

    def _get_request_payload(self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        return replay_reasoning(payload, self._convert_input(input_).to_messages(), target_of(self))


@pytest.mark.parametrize("writer", PROVIDERS, ids=lambda provider: provider.name)
def test_a_thinking_deepseek_gets_reasoning_content_back_from_any_writer(writer: Provider, studio: Studio) -> None:
    """Its own reasoning word for word; a line that there is none for calls of others."""
    deepseek = BY_NAME["deepseek"]
    model = EchoingDeepSeek(model="deepseek-v4-pro", api_key="loopback", base_url=f"{studio.loopback.base}/v1", max_retries=0)
    for feature in ("thinking", "one call", "cut call", "v1 blocks"):
        for history in studio.stories(writer, feature):
            body = studio.send(deepseek, model, adapt(history, target_of(model)))
            assert deepseek.check(body, studio.minted) == []
    own = AIMessage(
        "",
        tool_calls=[tool_call(name="edit", args={}, id="c")],
        additional_kwargs={"reasoning_content": "My thought."},
        response_metadata={"model_provider": "deepseek", "model_name": "deepseek-v4-pro"},
    )
    body = studio.send(deepseek, model, adapt([HI, own, result("c")], target_of(model)))
    assert body["messages"][1]["reasoning_content"] == "My thought."


def test_a_cut_answer_is_not_continued_by_its_id(studio: Studio) -> None:
    """`use_previous_response_id` goes back to the last answer that the server has as it is stored here."""
    openai = BY_NAME["openai responses"]
    model = studio.client(openai, use_previous_response_id=True)
    whole = studio.answer(openai, Answer(text="First."))
    cut = studio.answer(openai, Answer(text="Second."))
    record = {"model": "deepseek/deepseek-chat", "primary": "openai/gpt-5.4"}
    update = {"tool_calls": call().tool_calls, "response_metadata": {**cut.response_metadata, "toolroute": record}}
    history = [HI, whole, GO, cut.model_copy(update=update), result()]
    body = studio.send(openai, model, adapt(history, target_of(model)))
    assert body["previous_response_id"] == whole.response_metadata["id"]
    foreign = call(text="Other.", response_metadata={"id": "resp_foreign", "model_provider": "openai", "model_name": "gpt-4o"})
    body = studio.send(openai, model, adapt([HI, whole, GO, foreign, result()], target_of(model)))
    assert body["previous_response_id"] == whole.response_metadata["id"]


def test_a_claude_that_takes_system_messages_in_place_gets_them_there(studio: Studio) -> None:
    """After a human or tool message and before an answer they stay; elsewhere the user's role carries them."""
    claude = BY_NAME["anthropic"]
    model = claude.build(studio.loopback.base)
    target = target_of(model, {"mid_conversation_system_messages": True})
    stays = [HI, SystemMessage("Be polite."), AIMessage("Yes."), GO]
    assert adapt(stays, target) == stays
    moved = adapt([HI, AIMessage("Yes."), SystemMessage("Be polite."), GO], target)
    assert [message.type for message in moved] == ["human", "ai", "human", "human"]
    assert "Be polite." in moved[2].text
