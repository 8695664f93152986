"""The routed chat model: what it takes, what it passes on, what it withholds."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.runnables import RunnableBinding
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel, Field

from lg_toolroute import ChainExhausted, ConfigError, ToolRouteContext, ToolRoutedChatModel, ToolRouter
from lg_toolroute.surfaces.chat.bound_tools import bound_tools
from lg_toolroute.testing import Call, Chunks, Fail, Say, ScriptedModel

PRIMARY, WRITER, SPARE = "kimi/primary", "deepseek/writer", "ollama/spare:20b"
GOOD = {"path": "a.py", "text": "good"}


@tool
def edit(path: str, text: str) -> str:
    """Edit a file."""
    return "edited"


@tool
def read(path: str) -> str:
    """Read a file."""
    return "read"


@tool(response_format="content")
def web_search(query: str) -> str:
    """Search the web."""
    return "found"


class Joke(BaseModel):
    """A joke to tell."""

    setup: str = Field(description="the question")
    punchline: str = Field(description="the answer")


def scripted(**scripts: Any) -> dict[str, ScriptedModel]:
    specs = {"primary": PRIMARY, "writer": WRITER, "spare": SPARE}
    return {spec: ScriptedModel(scripts.get(name, ()), name=spec) for name, spec in specs.items()}


def routed(models: dict[str, Any], *, rules: Any = None, fallbacks: Any = None, config: Any = None, **fields: Any) -> ToolRoutedChatModel:
    chain = {"primary": PRIMARY, **({} if fallbacks is None else {"fallbacks": fallbacks})}
    whole = {"model": chain, "toolRouting": {"edit": {"primary": WRITER}} if rules is None else rules, **(config or {})}
    return ToolRoutedChatModel(router=ToolRouter(whole, models=models), **fields)


# -- what it is given -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("router", [None, {"model": {"primary": PRIMARY}}, "config.toml"])
def test_a_router_is_wanted_and_nothing_else_will_do(router: Any):
    with pytest.raises(TypeError, match=r"takes a ToolRouter, not a \w+; write ToolRoutedChatModel\(router=ToolRouter\(config\)\)"):
        ToolRoutedChatModel(router=router)


def test_a_misspelt_field_is_refused():
    with pytest.raises(ConfigError, match="agnet: there is no such field; did you mean 'agent'"):
        routed(scripted(), agnet="coder")


def test_what_every_constructor_takes_is_taken():
    model = routed(scripted(primary=["Hi."]), api_key="k", max_retries=2, timeout=60, stop=[], temperature=0, max_tokens=100, streaming=True)
    assert model.invoke("hi").text == "Hi."


def test_its_repr_and_its_parameters_tell_no_secret():
    secret = "sk-very-secret"
    config = {"models": {"providers": {"kimi": {"apiKey": secret}}}}
    model = routed(scripted(), config=config)
    assert secret not in repr(model) + repr(model._identifying_params) + repr(model._serialized) + model.model_dump_json()
    assert model._identifying_params["model"] == PRIMARY


def test_traces_call_it_by_the_model_that_reasons():
    model = routed(scripted())
    params = model._get_ls_params()
    assert (params["ls_provider"], params["ls_model_name"]) == ("toolroute", PRIMARY)
    assert model._get_ls_params(model="another")["ls_model_name"] == "another"


def test_its_profile_is_the_primarys_with_what_the_configuration_says_on_top():
    primary = ScriptedModel([], name=PRIMARY, profile={"max_input_tokens": 1000, "structured_output": True})
    facts = {"models": {"providers": {"kimi": {"models": [{"id": "primary", "contextWindow": 500}]}}}}
    assert routed({PRIMARY: primary}, config=facts).profile == {"max_input_tokens": 500, "structured_output": True}


def test_a_primary_that_cannot_be_built_leaves_the_profile_empty_and_says_so_when_it_is_called(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = ToolRoutedChatModel(router=ToolRouter({"model": {"primary": "openai/gpt"}}))
    assert model.profile is None
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        model.invoke("hi")


# -- tools ------------------------------------------------------------------------------------------------------------------------------


def plain(path: str) -> str:
    """Read plainly.

    Args:
        path: Where.
    """
    return path


SERVER_SIDE = {"type": "web_search_20250305", "name": "web_search"}
ANTHROPIC_SHAPE = {"name": "odd", "description": "Odd.", "input_schema": {"type": "object", "properties": {"x": {"type": "string"}}}}
ODD_NAME = {
    "type": "function",
    "function": {"name": "mcp__git-hub__list.issues", "description": "", "parameters": {"type": "object", "properties": {}}},
}


def test_tools_in_every_form_are_bound_as_dicts_and_given_to_the_inner_model():
    models = scripted(primary=["Hi."])
    bound = routed(models).bind_tools([edit, plain, Joke, Joke.model_json_schema() | {"title": "Other"}, SERVER_SIDE, ANTHROPIC_SHAPE, ODD_NAME])
    assert isinstance(bound, RunnableBinding)
    assert all(isinstance(each, dict) for each in bound.kwargs["tools"])
    bound.invoke("hi")
    names = ("edit", "plain", "Joke", "Other", "web_search", "odd", "mcp__git-hub__list.issues")
    assert models[PRIMARY].last.tools == names


def test_an_inner_client_is_given_the_original_and_not_our_copy():
    """What only one provider knows (`extras` of a tool, a cache mark in a dict) would be lost in a conversion."""
    tool_, shape, function = bound_tools([edit, ANTHROPIC_SHAPE, plain])
    assert tool_.for_inner is edit
    assert shape.for_inner == ANTHROPIC_SHAPE
    assert function.for_inner is function
    assert function["function"]["name"] == "plain"


def test_a_tools_own_tags_are_read_by_its_rules():
    tagged = edit.model_copy(update={"tags": ["careful"]})
    models = scripted(primary=[Say("", [Call("edit", {"path": "no", "text": "no"})])], writer=[Say("", [Call("edit", GOOD)])])
    message = routed(models, rules={"tag:careful": {"primary": WRITER}}).bind_tools([tagged]).invoke("hi")
    assert message.tool_calls[0]["args"] == GOOD


@pytest.mark.parametrize("thing", ["edit", 7, None])
def test_what_is_no_tool_is_refused_with_its_place(thing: Any):
    with pytest.raises(ConfigError, match=rf"tools\[1\]: {thing!r} is not a tool"):
        routed(scripted()).bind_tools([edit, thing])


def test_a_forced_tool_that_is_not_bound_is_refused():
    with pytest.raises(ConfigError, match="tool_choice: 'wirte' is not among the bound tools"):
        routed(scripted()).bind_tools([edit], tool_choice="wirte")


def test_two_tools_of_one_name_are_refused_when_they_are_used():
    with pytest.raises(ConfigError, match="'edit' is bound 2 times"):
        routed(scripted()).bind_tools([edit, edit]).invoke("hi")


def test_a_model_without_bind_tools_is_refused_when_tools_are_bound():
    model = routed({PRIMARY: FakeListChatModel(responses=["hi"]), WRITER: ScriptedModel([], name=WRITER)})
    assert model.invoke("hi").text == "hi"
    with pytest.raises(ConfigError, match=r"models\['kimi/primary'\]: a FakeListChatModel cannot be given tools"):
        model.bind_tools([edit])


@pytest.mark.parametrize("choice", ["edit", {"type": "function", "function": {"name": "edit"}}, {"type": "tool", "name": "edit"}])
def test_a_forced_routed_tool_is_written_at_once(choice: Any):
    models = scripted(primary=[], writer=[Say("", [Call("edit", GOOD)])])
    message = routed(models).bind_tools([edit, read], tool_choice=choice).invoke("hi")
    assert message.tool_calls[0]["args"] == GOOD
    assert message.response_metadata["toolroute"]["source"] == "forced"
    assert models[PRIMARY].requests == []


@pytest.mark.parametrize("choice", ["any", "required", True])
def test_any_tool_is_the_only_tool(choice: Any):
    models = scripted(primary=[], writer=[Say("", [Call("edit", GOOD)])])
    assert routed(models).bind_tools([edit], tool_choice=choice).invoke("hi").tool_calls[0]["args"] == GOOD


def test_any_of_several_tools_is_the_primarys_to_choose():
    models = scripted(primary=[Say("", [Call("edit", {"path": "no", "text": "no"})])], writer=[Say("", [Call("edit", GOOD)])])
    message = routed(models).bind_tools([edit, read], tool_choice="any").invoke("hi")
    assert models[PRIMARY].last.tool_choice == "any"
    assert models[WRITER].last.forced_tool == "edit"
    assert message.tool_calls[0]["args"] == GOOD


def test_a_forced_tool_without_a_route_is_forced_on_the_primary():
    models = scripted(primary=[Say("", [Call("read", {"path": "x"})])])
    routed(models).bind_tools([edit, read], tool_choice="read").invoke("hi")
    assert models[PRIMARY].last.forced_tool == "read"


def test_no_tool_is_shown_when_none_may_be_called():
    models = scripted(primary=["Words only."])
    assert routed(models).bind_tools([edit, read], tool_choice="none").invoke("hi").text == "Words only."
    assert models[PRIMARY].last.tools == ()


# -- what it withholds -------------------------------------------------------------------------------------------------------------------

DENIED = {"tools": {"byModel": {PRIMARY: {"deny": ["web_search"]}}}}


def test_a_call_of_a_denied_tool_is_withheld_and_mended_once():
    models = scripted(primary=[Say("", [Call("web_search", {"query": "x"})]), "I cannot search."])
    message = routed(models, config=DENIED).bind_tools([web_search, read]).invoke("hi")
    assert message.tool_calls == []
    assert message.text == "I cannot search."
    assert "the tool 'web_search' is not available" in models[PRIMARY].last.last_text
    assert models[PRIMARY].last.tools == ("read",)


def test_a_model_that_had_spoken_is_told_why_it_goes_on():
    models = scripted(primary=[Say("Let me look. ", [Call("web_search", {"query": "x"})]), "I know it anyway."])
    model = routed(models, config=DENIED).bind_tools([web_search, read])
    chunks = list(model.stream("hi"))
    assert "".join(chunk.text for chunk in chunks) == "Let me look. I know it anyway."
    assert not any(chunk.tool_call_chunks for chunk in chunks)
    assert "the tool 'web_search' is not available" in models[PRIMARY].last.last_text


def test_a_call_of_a_tool_that_was_never_bound_goes_to_the_next_candidate_after_one_repair():
    invented = Say("", [Call("launch_rocket", {})])
    models = scripted(primary=[invented, invented], spare=["No rocket."])
    message = routed(models, fallbacks=[SPARE]).bind_tools([read]).invoke("hi")
    assert message.text == "No rocket."
    reasons = [(attempt["model"], attempt["reason"]) for attempt in message.response_metadata["toolroute"]["attempts"]]
    assert reasons == [(PRIMARY, "invalid_tool_call"), (PRIMARY, "invalid_tool_call"), (SPARE, "")]


def test_a_call_that_is_not_bound_is_dropped_where_a_routed_one_follows():
    both = Say("", [Call("launch_rocket", {}), Call("edit", {"path": "no", "text": "no"})])
    models = scripted(primary=[both], writer=[Say("", [Call("edit", GOOD)])])
    message = routed(models).bind_tools([edit, read]).invoke("hi")
    assert [call["name"] for call in message.tool_calls] == ["edit"]


def test_a_fallback_loses_the_tools_that_it_may_not_have():
    models = scripted(primary=[Fail(ConnectionError("refused"))], spare=["Hi."])
    config = {"tools": {"byModel": {"ollama/*": {"deny": ["web_*"]}}}}
    routed(models, fallbacks=[SPARE], config=config).bind_tools([web_search, read]).invoke("hi")
    assert models[SPARE].last.tools == ("read",)


def test_when_nobody_is_left_every_cause_is_named():
    refused = ConnectionError("refused")
    models = scripted(primary=[Fail(refused)], spare=[Fail(TimeoutError("slow"))])
    with pytest.raises(ChainExhausted) as caught:
        routed(models, fallbacks=[SPARE]).invoke("hi")
    assert caught.value.exceptions[0].__cause__ is refused
    assert len(caught.value.exceptions) == 2


def test_a_streams_consumer_learns_that_nobody_is_left():
    models = scripted(primary=[Fail(ConnectionError("refused"))])
    with pytest.raises(ChainExhausted):
        list(routed(models).stream("hi"))


# -- what it passes on --------------------------------------------------------------------------------------------------------------------


def turn_with_an_edit() -> dict[str, ScriptedModel]:
    return scripted(primary=[Say("Now. ", [Call("edit", {"path": "no", "text": "no"})])], writer=[Say("", [Call("edit", GOOD)])])


def test_settings_reach_every_inner_call_and_shapes_of_words_only_the_one_that_reasons():
    models = turn_with_an_edit()
    form = {"type": "json_object"}
    model = routed(models, temperature=0.5, max_tokens=99, stop=["END"])
    model.bind_tools([edit], response_format=form, strict=True).invoke("hi", max_tokens=7)
    reasoned, wrote = models[PRIMARY].last, models[WRITER].last
    assert (reasoned.kwargs["temperature"], wrote.kwargs["temperature"]) == (0.5, 0.5)
    assert (reasoned.kwargs["max_tokens"], wrote.kwargs["max_tokens"]) == (7, 7)
    assert (reasoned.kwargs["strict"], wrote.kwargs["strict"]) == (True, True)
    assert reasoned.kwargs["response_format"] == form
    assert "response_format" not in wrote.kwargs
    assert (reasoned.stop, wrote.stop) == (["END"], None)


def test_a_rules_own_settings_go_before_the_callers():
    models = turn_with_an_edit()
    rules = {"edit": {"primary": WRITER, "params": {"temperature": 0.0}}}
    routed(models, rules=rules, temperature=0.9).bind_tools([edit]).invoke("hi")
    assert models[PRIMARY].last.kwargs["temperature"] == 0.9
    assert models[WRITER].last.kwargs["temperature"] == 0.0


def test_the_callers_settings_go_before_the_configurations():
    models = turn_with_an_edit()
    config = {"agents": {"defaults": {"models": {PRIMARY: {"params": {"temperature": 0.1}}, WRITER: {"params": {"temperature": 0.2}}}}}}
    routed(models, config=config).bind_tools([edit]).invoke("hi", temperature=0.7)
    assert (models[PRIMARY].last.kwargs["temperature"], models[WRITER].last.kwargs["temperature"]) == (0.7, 0.7)


@pytest.mark.parametrize("name", [SPARE, "ollama:spare:20b"])
def test_a_call_can_name_the_model_that_reasons(name: str):
    models = scripted(primary=[], spare=["The spare."])
    assert routed(models).invoke("hi", model=name).text == "The spare."


def test_a_model_without_a_provider_is_one_of_the_primarys():
    models = scripted() | {"kimi/other": ScriptedModel(["The other."], name="kimi/other")}
    assert routed(models).invoke("hi", model="other").text == "The other."


def test_a_model_without_a_provider_is_one_of_the_primarys_of_the_runs_agent():
    models = {spec: ScriptedModel(["Hi."] if spec == "openai/mini" else [], name=spec) for spec in ("kimi/a", "openai/b", "openai/mini")}
    router = ToolRouter({"model": "kimi/a", "agents": {"entries": {"coder": {"model": "openai/b"}}}}, models=models)
    model = ToolRoutedChatModel(router=router, model="mini")
    graph: Any = StateGraph(MessagesState, context_schema=ToolRouteContext)
    graph.add_node("say", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_edge(START, "say")
    out = graph.compile().invoke({"messages": [("user", "hi")]}, context={"agent": "coder"})
    assert out["messages"][-1].text == "Hi."


def test_the_system_prompt_stays_where_it_is():
    models = scripted(primary=["Hi."])
    routed(models).invoke([("system", "Be brief."), ("user", "hi")])
    assert [message.type for message in models[PRIMARY].last.messages] == ["system", "human"]


def test_the_turn_that_reads_a_result_can_have_a_model_of_its_own():
    models = scripted(primary=[], writer=["It worked."])
    history = [
        HumanMessage("hi"),
        AIMessage("", tool_calls=[{"name": "edit", "args": GOOD, "id": "call_1", "type": "tool_call"}]),
        ToolMessage("edited", tool_call_id="call_1", name="edit"),
    ]
    rules = {"edit": {"primary": WRITER, "moments": ["result"]}}
    message = routed(models, rules=rules).bind_tools([edit]).invoke(history)
    assert message.text == "It worked."
    assert message.response_metadata["toolroute"]["moment"] == "result"


def test_a_draft_is_passed_on_and_never_shown():
    models = scripted(primary=[Say("", [Call("edit", {"path": "a.py", "text": "a draft"})])], writer=[Say("", [Call("edit", GOOD)])])
    rules = {"edit": {"primary": WRITER, "onIntercept": "drain", "handoff": "draft"}}
    chunks = list(routed(models, rules=rules).bind_tools([edit]).stream("hi"))
    assert "a draft" in models[WRITER].last.last_text
    assert "a draft" not in repr(chunks)


def test_a_cut_answer_of_the_responses_api_keeps_no_id_of_what_was_never_finished():
    """A reasoning item must be followed by what it belongs to, and that was cut off: the next request would be refused."""
    chunks = [
        AIMessageChunk(
            [{"type": "reasoning", "id": "rs_1", "summary": [], "index": 0}], response_metadata={"id": "resp_1", "model_provider": "openai"}
        ),
        AIMessageChunk([{"type": "text", "text": "Now.", "id": "msg_1", "index": 1}], response_metadata={"model_provider": "openai"}),
        AIMessageChunk([], tool_call_chunks=[tool_call_chunk(name="edit", args="{", id="call_1", index=2)]),
    ]
    models = scripted(primary=[Chunks(chunks)] * 2, writer=[Say("", [Call("edit", GOOD)])] * 2)
    model = routed(models).bind_tools([edit])
    for message in (model.invoke("hi"), model.invoke("hi", stream=True)):
        assert not re.search("rs_1|msg_1|resp_1", repr(message))
        assert message.text == "Now."
        assert message.tool_calls[0]["args"] == GOOD


# -- structure ----------------------------------------------------------------------------------------------------------------------------

TOLD = {"setup": "Why?", "punchline": "Because."}


@pytest.mark.parametrize("include_raw", [False, True])
def test_structured_output_by_a_call_can_be_routed_by_the_schemas_name(include_raw: bool):
    models = scripted(primary=[], writer=[Say("", [Call("Joke", TOLD)])])
    out: Any = routed(models, rules={"Joke": {"primary": WRITER}}).with_structured_output(Joke, include_raw=include_raw).invoke("hi")
    assert (out["parsed"] if include_raw else out) == Joke(**TOLD)


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_structured_output_by_the_clients_own_way(method: Any):
    text = '{"setup": "Why?", "punchline": "Because."}'
    models = scripted(primary=[text, text])
    model = routed(models)
    assert model.with_structured_output(Joke, method=method).invoke("hi") == Joke(**TOLD)
    assert model.with_structured_output(Joke.model_json_schema(), method=method).invoke("hi") == TOLD
    assert models[PRIMARY].last.kwargs["response_format"]["type"] == ("json_schema" if method == "json_schema" else "json_object")


def test_structured_output_that_cannot_be_read_is_given_raw():
    models = scripted(primary=["no json"])
    out: Any = routed(models).with_structured_output(Joke, method="json_mode", include_raw=True).invoke("hi")
    assert out["parsed"] is None
    assert out["parsing_error"] is not None


# -- copies, caches, streaming switched off ------------------------------------------------------------------------------------------------


def test_copies_share_the_router_and_pickles_have_one_of_their_own():
    config = {"model": {"primary": PRIMARY}, "toolRouting": {"edit": {"primary": WRITER}}}
    model = ToolRoutedChatModel(router=ToolRouter(config), agent="coder")
    assert model.model_copy(update={"agent": "b"}).router is model.router
    assert copy.deepcopy(model).router is model.router
    twin = pickle.loads(pickle.dumps(model))
    assert twin.router is not model.router
    assert twin.router.decide("edit") == model.router.decide("edit")
    assert twin._identifying_params == model._identifying_params
    bound = pickle.loads(pickle.dumps(model.bind_tools([edit])))
    assert bound.kwargs["tools"][0]["function"]["name"] == "edit"


def test_a_router_that_belongs_to_this_process_says_why_it_cannot_be_pickled():
    router = ToolRouter({"model": {"primary": PRIMARY}}, clock=lambda: 0.0)
    with pytest.raises(TypeError, match="a store or a clock of its own cannot be pickled"):
        pickle.dumps(ToolRoutedChatModel(router=router))


def test_a_remembered_turn_asks_nobody():
    models = turn_with_an_edit()
    model = routed(models, cache=InMemoryCache()).bind_tools([edit])
    first, second = model.invoke("hi"), model.invoke("hi")
    assert first.tool_calls == second.tool_calls
    assert len(models[PRIMARY].requests) == len(models[WRITER].requests) == 1


def test_other_rules_or_another_agent_have_other_memories():
    cache = InMemoryCache()
    models = scripted(primary=["One.", "Two.", "Three."])
    said = [
        routed(models, cache=cache).invoke("hi").text,
        routed(models, cache=cache, rules={}).invoke("hi").text,
        routed(models, cache=cache, agent="coder").invoke("hi").text,
        routed(models, cache=cache).invoke("hi").text,
    ]
    assert said == ["One.", "Two.", "Three.", "One."]


@pytest.mark.parametrize("setting", [{"disable_streaming": True}, {"disable_streaming": "tool_calling"}, {"streaming": False}])
def test_streaming_that_is_switched_off_gives_one_chunk(setting: dict[str, Any]):
    chunks = list(routed(turn_with_an_edit(), **setting).bind_tools([edit]).stream("hi"))
    assert len(chunks) == 1
    assert chunks[0].tool_calls[0]["args"] == GOOD


def test_a_consumer_that_leaves_closes_the_inner_stream():
    models = scripted(primary=[Say("A long answer that nobody reads to its end.", chunks=2)])
    stream = routed(models).stream("hi")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    request = models[PRIMARY].last
    assert request.closed_at is not None
    assert not request.finished


async def test_an_asynchronous_consumer_that_leaves_closes_the_inner_stream():
    models = scripted(primary=[Say("A long answer that nobody reads to its end.", chunks=2)])
    stream = routed(models).astream("hi")
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # a generator
    del stream
    for _ in range(50):
        await asyncio.sleep(0)  # LangChain leaves the closing of its model's generator to the loop
    request = models[PRIMARY].last
    assert request.closed_at is not None
    assert not request.finished
