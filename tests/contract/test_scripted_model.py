"""`ScriptedModel` is a stand-in for real clients: what it claims of their chunks is compared with them here, over loopback HTTP."""

import warnings

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from lg_toolroute.gates.gate import gated
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.testing import Call, FaultServer, Say, ScriptedModel

CALLS = [Call("edit", {"path": "a.py"}, id="call_1"), Call("read", {"path": "b.py"}, id="call_2")]
SAYS = {
    "text": Say("Let me fix that.", chunks=6, usage=(3, 4)),
    "calls": Say(calls=CALLS, chunks=7, usage=(3, 4)),
    "both": Say("Let me fix that.", CALLS, chunks=6, usage=(3, 4)),
    "whole call": Say("Ok.", CALLS[:1], usage=(3, 4)),
}


def edit(path: str) -> str:
    """Edit a file."""
    return path


def read(path: str) -> str:
    """Read a file."""
    return path


def shown(chunks):
    """What the chunks hold, without chunks that hold nothing but metadata."""
    kept = ((said(chunk.content), chunk.tool_call_chunks) for chunk in chunks)
    return [(content, calls) for content, calls in kept if content or calls]


def said(content):
    """Content without what an SDK's model adds to a block as `None`; `name` and `id` are of a standard block."""
    if isinstance(content, str):
        return content
    return [{key: value for key, value in block.items() if value not in (None, {"toolset_name": None}) or key in ("name", "id")} for block in content]


def added(chunks):
    return sum(chunks[1:], start=chunks[0])


@pytest.mark.parametrize("name", SAYS)
@pytest.mark.parametrize("output_version", [None, "v1"])
def test_openai_dialect_streams_what_chat_openai_streams(name, output_version):
    say = SAYS[name]
    with FaultServer({"m": [say]}) as server:
        real = list(ChatOpenAI(**server.client("m", stream_usage=True, output_version=output_version)).bind_tools([edit, read]).stream("go"))
    ours = list(ScriptedModel([say], name="kimi/m", output_version=output_version).bind_tools([edit, read]).stream("go"))
    assert shown(ours) == shown(real)
    assert added(ours).usage_metadata["total_tokens"] == added(real).usage_metadata["total_tokens"] == 7
    for key in ("finish_reason", "model_name", "model_provider"):
        assert added(ours).response_metadata[key] == added(real).response_metadata[key]


@pytest.mark.parametrize("name", SAYS)
@pytest.mark.parametrize("output_version", [None, "v1"])
def test_anthropic_dialect_streams_what_chat_anthropic_streams(name, output_version):
    say = SAYS[name]
    with FaultServer({"m": [say]}) as server:
        client = ChatAnthropic(model="m", base_url=server.url, api_key="x", max_retries=0, output_version=output_version)
        real = list(client.bind_tools([edit, read]).stream("go"))
    ours = list(ScriptedModel([say], name="anthropic/m", dialect="anthropic", output_version=output_version).bind_tools([edit, read]).stream("go"))
    assert shown(ours) == shown(real)
    assert added(ours).usage_metadata["total_tokens"] == added(real).usage_metadata["total_tokens"] == 7
    for key in ("stop_reason", "model_name", "model_provider"):
        assert added(ours).response_metadata[key] == added(real).response_metadata[key]


@pytest.mark.parametrize("name", SAYS)
def test_whole_answers_are_those_of_the_clients(name):
    say = SAYS[name]
    with FaultServer({"m": [say, say]}) as server:
        openai = ChatOpenAI(**server.client("m")).bind_tools([edit, read]).invoke("go")
        anthropic = ChatAnthropic(model="m", base_url=server.url, api_key="x", max_retries=0).bind_tools([edit, read]).invoke("go")
    for real, dialect in ((openai, "openai"), (anthropic, "anthropic")):
        ours = ScriptedModel([say], name="x/m", dialect=dialect).bind_tools([edit, read]).invoke("go")
        assert (said(ours.content), ours.tool_calls, ours.text) == (said(real.content), real.tool_calls, real.text)


def test_bound_tools_and_choices_are_those_of_chat_openai():
    for choice in ("edit", "any", "auto", "none", None):
        real = ChatOpenAI(model="m", api_key="x").bind_tools([edit, read], tool_choice=choice).kwargs
        ours = ScriptedModel(["x"]).bind_tools([edit, read], tool_choice=choice).kwargs
        assert ours == {key: value for key, value in real.items() if key in ("tools", "tool_choice")}


def test_langchain_takes_a_second_id_for_a_second_call():
    """Why a call's id always comes whole: pieces of it would not be put together."""
    first = AIMessageChunk("", tool_call_chunks=[{"name": "edit", "args": "", "id": "ca", "index": 0, "type": "tool_call_chunk"}])
    second = AIMessageChunk("", tool_call_chunks=[{"name": None, "args": "{}", "id": "ll", "index": 0, "type": "tool_call_chunk"}])
    assert [call["id"] for call in (first + second).tool_calls] == ["ca", "ll"]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_standard_events_are_valid(dialect):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the protocol is in beta and says so
        events = list(ScriptedModel([SAYS["both"]], dialect=dialect).bind_tools([edit, read]).stream_events("go", version="v3"))
    assert_valid_event_stream(events)


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_gate_cuts_it_and_the_record_shows_where(dialect):
    """A gate puts a class of its own on a copy; script and records are still those of the model that the test holds."""
    model = ScriptedModel([Say("Wait.", [Call("edit", {"path": "a.py" * 50})], chunks=4)], dialect=dialect)
    copy = gated(model, ReasonGate("lc_run--1", model="scripted/model", gates={"edit": "cut"}, bound=["edit", "read"]), stream_always=True)
    assert isinstance(copy, ScriptedModel)
    message = copy.bind_tools([edit, read]).invoke("go")
    assert (message.text, message.tool_calls) == ("Wait.", [])
    assert model.requests is copy.requests
    # Two chunks of text, then the one with the name.
    assert (model.last.streamed, model.last.closed_at, model.last.finished) == (True, 3, False)
    model.assert_done()
