"""Laws of adapting: whatever was stored, what is sent stays legal, nothing stored changes, and a prefix stays a prefix."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, InvalidToolCall, SystemMessage, ToolMessage
from langchain_core.messages.base import message_to_dict
from langchain_core.messages.tool import tool_call

from lg_toolroute.history import HistoryError, Note, Target, adapt
from lg_toolroute.history.api_rules import API_RULES, COMMON_IDS, ApiRules, IdRule
from lg_toolroute.history.ids import CallIds
from lg_toolroute.history.provenance import is_own, wrote_call
from tests.support.sampling import examples

MODELS = {
    "openai": "gpt-4o",
    "anthropic": "claude-sonnet-4-6",
    "google_genai": "gemini-3-pro-preview",
    "mistralai": "mistral-large",
    "groq": "llama",
    "ollama": "qwen3",
    "deepseek": "ds",
}
TARGETS = [
    Target(
        api=rules.api,
        model=next((model for maker, model in MODELS.items() if maker in rules.makers), ""),
        first_party=rules.api != "unknown",
        images=images,
        tool_images=images and rules.tool_images,
        files=images,
    )
    for rules in API_RULES.values()
    for images in (True, False)
]
IMITATORS = [Target(api="openai-chat", model="gpt-4o"), Target(api="openai-responses", model="gpt-4o", images=True, tool_images=True)]
"""Servers that speak OpenAI's APIs and are not OpenAI's."""
ID_RULES = sorted({rules.ids for rules in API_RULES.values()}, key=lambda rule: rule.pattern)
THINKING_CLAUDE = Target(api="anthropic", model="claude-sonnet-4-6", images=True, tool_images=True, thinking_leads=True)

ids = st.one_of(
    st.sampled_from(["call_1", "call_2", "c", "abcDEF123", "functions.edit:0", "call_|fc_" + "x" * 50, "toolu_01", "", "ümlaut"]),
    st.text(max_size=45),
)
texts = st.one_of(st.sampled_from(["", " \n", "Yes.", "Ünïcode ", "a" * 50]), st.text(max_size=8))
blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    st.builds(lambda text: {"type": "text", "text": text, "id": "msg_1", "annotations": [], "cache_control": {"type": "ephemeral"}}, texts),
    st.sampled_from([
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "thinking", "thinking": "Hm."},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "reasoning", "reasoning": "Hm.", "extras": {"signature": "sig"}},
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []},
        {"type": "tool_use", "id": "call_1", "name": "edit", "input": {}},
        {"type": "tool_call", "id": "call_1", "name": "edit", "args": {}},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "edit", "arguments": "{}"},
        {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "file", "file_id": "file-1"},
        {"type": "document", "source": {"type": "text", "data": "plain", "media_type": "text/plain"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "media", "mime_type": "video/mp4", "file_uri": "gs://b/v"},
        {"type": "non_standard", "value": {"type": "hologram"}},
        {"type": "hologram"},
        {"no": "type"},
        "just a string",
    ]),
)  # fmt: skip
contents = st.one_of(texts, st.lists(blocks, max_size=4))
calls = st.builds(
    lambda identity, name: tool_call(name=name, args={"a": 1}, id=identity),
    st.one_of(ids, st.none()),
    st.sampled_from(["edit", "search", "mcp.edit", ""]),
)
invalid_calls = st.builds(
    lambda identity, args: InvalidToolCall(name="edit", args=args, id=identity, error=None, type="invalid_tool_call"),
    st.one_of(ids, st.none()),
    st.sampled_from(["{", '{"a": 1}', "[]", None]),
)


@st.composite
def metadatas(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the metadata of a writer, or none, or a lie."""
    provider = draw(st.sampled_from([*MODELS, ""]))
    metadata: dict[str, Any] = {"model_provider": provider, "model_name": MODELS[provider]} if provider else {}
    if draw(st.booleans()):
        metadata["output_version"] = "v1"
    if draw(st.booleans()):
        metadata["id"] = "resp_1"
    if draw(st.booleans()):
        metadata["toolroute"] = {"model": "deepseek/ds", "primary": draw(st.sampled_from(["deepseek/ds", "anthropic/claude-sonnet-4-6"]))}
    return metadata


kwargs = st.sampled_from([
    {}, {"refusal": None}, {"reasoning_content": "Hm."}, {"tool_calls": [{"id": "x", "function": {"name": "edit", "arguments": "{}"}}]},
    {"function_call": {"name": "edit", "arguments": "{}"}}, {"__gemini_function_call_thought_signatures__": {"call_1": "c2ln"}},
])  # fmt: skip
assistants = st.builds(
    lambda content, tool_calls, invalid, metadata, extra, name: AIMessage(
        content, tool_calls=tool_calls, invalid_tool_calls=invalid, response_metadata=metadata, additional_kwargs=extra, name=name
    ),
    contents,
    st.lists(calls, max_size=3),
    st.lists(invalid_calls, max_size=1),
    metadatas(),
    kwargs,
    st.sampled_from([None, "agent", "my agent"]),
)
messages = st.one_of(
    st.builds(HumanMessage, contents),
    st.builds(SystemMessage, contents),
    assistants,
    st.builds(lambda content, identity, name: ToolMessage(content, tool_call_id=identity, name=name), contents, ids, st.sampled_from([None, "edit"])),
)
wild = st.lists(messages, min_size=1, max_size=10)
OPAQUE = Target(model="gpt-4o", addressed=True)
"""An agent's own model whose client is not known."""
targets = st.sampled_from([*TARGETS, *IMITATORS, THINKING_CLAUDE, OPAQUE])


def dumped(history: list[BaseMessage]) -> str:
    return json.dumps([message_to_dict(message) for message in history], sort_keys=True, default=str)


def adapted_or_none(history: list[BaseMessage], target: Target) -> list[BaseMessage] | None:
    try:
        return adapt(history, target)
    except HistoryError:
        return None


@settings(max_examples=examples(500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=wild, target=targets)
def test_wild_histories_are_adapted_without_touching_them_and_once_is_enough(history: list[BaseMessage], target: Target) -> None:
    """Nothing stored changes; the same input gives the same output; adapting twice is adapting once."""
    before, objects = dumped(history), list(history)
    adapted = adapted_or_none(history, target)
    assert dumped(history) == before
    assert all(a is b for a, b in zip(history, objects, strict=True))
    assert adapted_or_none(copy.deepcopy(history), target) == adapted
    if adapted is not None:
        assert adapt(adapted, target) == adapted


@settings(max_examples=examples(500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=wild, target=targets)
def test_calls_and_results_pair_up_whatever_was_stored(history: list[BaseMessage], target: Target) -> None:
    """Each call is answered right after its message, once, under a legal id that no other call has; its own ids a model gets back as they were."""
    adapted = adapted_or_none(history, target) or []
    own = {call["id"] for each in history if isinstance(each, AIMessage) for call in each.tool_calls if wrote_call(each, call["id"] or "", target)}
    # An unreadable call is the model's own, too.
    own |= {call["id"] for each in history if isinstance(each, AIMessage) and is_own(each, target) for call in each.invalid_tool_calls}
    legal = re.compile(target.rules.ids.pattern).fullmatch
    seen: set[str] = set()
    waiting: list[str] = []
    for message in adapted:
        if isinstance(message, ToolMessage):
            assert message.tool_call_id in waiting
            waiting.remove(message.tool_call_id)
            continue
        assert waiting == []
        if isinstance(message, AIMessage):
            waiting = [str(call["id"]) for call in message.tool_calls]
            others = [identity for identity in waiting if identity not in own]
            assert all(legal(identity) for identity in others)
            assert len(set(others)) == len(others)
            assert not seen & set(others)
            assert not message.invalid_tool_calls
            seen |= set(others)
    assert waiting == []


@settings(max_examples=examples(500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=wild, target=targets)
def test_an_adapted_history_needs_nothing_and_is_returned_as_the_same_list(history: list[BaseMessage], target: Target) -> None:
    """Nothing is copied that need not change: each message, then, is the same object, and so is the list."""
    adapted = adapted_or_none(history, target)
    if adapted is not None:
        notes: list[Note] = []
        assert adapt(adapted, target, notes=notes) is adapted
        assert notes == []


@st.composite
def turns(draw: st.DrawFn) -> list[list[BaseMessage]]:
    """Draw a session as steps after which a model is asked: a human message, or all the results of a message with calls."""
    steps: list[list[BaseMessage]] = []
    number = 0
    for _ in range(draw(st.integers(1, 5))):
        steps.append([draw(st.builds(HumanMessage, contents))])
        for _ in range(draw(st.integers(0, 3))):
            message = draw(assistants)
            made = [{**call, "id": call["id"] or f"call_{number + place}"} for place, call in enumerate(message.tool_calls)]
            number += len(made)
            message = message.model_copy(update={"tool_calls": made, "invalid_tool_calls": []})
            results = [ToolMessage(draw(contents), tool_call_id=call["id"], name="edit") for call in made]
            steps.append([message, *results] if results else [message, HumanMessage("Go on.")])
    return steps


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=turns(), target=st.sampled_from(TARGETS))
def test_what_was_sent_stays_the_beginning_of_what_is_sent_next(steps: list[list[BaseMessage]], target: Target) -> None:
    """Each request begins with the whole of the one before, so that a provider's prompt cache keeps hitting."""
    history: list[BaseMessage] = [SystemMessage("Be brief.")]
    sent: list[BaseMessage] = []
    for step in steps:
        history = [*history, *step]
        now = adapt(history, target)
        assert now[: len(sent)] == sent
        sent = now


@settings(max_examples=100, deadline=None)
@given(stored=st.lists(ids, max_size=12), more=ids, rule=st.sampled_from(ID_RULES))
def test_a_later_call_never_renames_an_earlier_one(stored: list[str], more: str, rule: IdRule) -> None:
    """Ids are legal, distinct, and settled by what came before them."""
    first, second = CallIds(rule), CallIds(rule)
    named = [first.assign(identity) for identity in stored]
    assert [second.assign(identity) for identity in [*stored, more]][: len(named)] == named
    assert len(set(named)) == len(named)
    assert all(re.fullmatch(rule.pattern, identity) for identity in named)


@pytest.mark.parametrize("rule", ID_RULES, ids=lambda rule: rule.pattern)
def test_a_literal_id_that_equals_a_derived_one_is_moved_aside(rule: IdRule) -> None:
    """A collision is resolved, always in the same way."""
    derived = CallIds(rule).assign("not legal!")
    call_ids = CallIds(rule)
    assert call_ids.assign("not legal!") == derived
    aside = call_ids.assign(derived)
    assert aside != derived
    again = CallIds(rule)
    assert [again.assign("not legal!"), again.assign(derived)] == [derived, aside]


@pytest.mark.parametrize("rules", API_RULES.values(), ids=lambda rules: rules.api)
def test_ids_that_every_api_takes_are_derived_where_an_api_has_no_rule_of_its_own(rules: ApiRules) -> None:
    """A derived id is one that the rule allows, and an API without a rule gets the strictest common form."""
    assert re.fullmatch(rules.ids.pattern, CallIds(rules.ids).assign("not legal!"))
    assert (rules.ids == COMMON_IDS) is (rules.api != "mistral")
