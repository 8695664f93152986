"""Other providers' real clients against `FaultServer`: the same scripts, in their own words."""

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.testing import Call, Eof, FaultServer, Say, Turnstile, faults
from tests.support.asking import WAYS, ask

FIX = Say("Let me fix that.", [Call("edit", {"path": "a.py"}, id="call_1"), Call("edit", {"path": "b.py"}, id="call_2")], chunks=5, usage=(11, 7))
def edit(path: str) -> str:
    """Edit a file."""
    return path


def anthropic(server, **settings):
    return ChatAnthropic(model="claude-test", base_url=server.url, api_key="x", max_retries=0, **settings)


def ollama(server, **settings):
    return ChatOllama(model="claude-test", base_url=server.url, **settings)


def responses(server, **settings):
    return ChatOpenAI(**server.client("claude-test", use_responses_api=True, **settings))


CLIENTS = [anthropic, ollama, responses]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_scripted_answer_arrives(client, how):
    with FaultServer({"claude-test": [FIX]}) as server:
        message = await ask(client(server).bind_tools([edit]), how)
        server.wait_idle()
        request = server.last
    assert message.text == "Let me fix that."
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("edit", {"path": "a.py"}), ("edit", {"path": "b.py"})]
    assert (message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]) == (11, 7)
    assert request.tools == ("edit",)
    assert request.last_text == "go"
    assert request.schema("edit")["required"] == ["path"]
    # Ollama's client always streams.
    assert request.stream is ("stream" in how or client is ollama)
    assert request.chunks_sent == request.chunks_total


@pytest.mark.parametrize("client", [anthropic, responses])
async def test_default_answer_honours_a_forced_tool(client):
    with FaultServer() as server:
        model = client(server)
        message = await ask(model.bind_tools([edit], tool_choice="edit"), "stream")
        assert server.last.forced_tool == "edit"
        assert (await ask(model, "invoke")).text == "This is claude-test speaking."
    assert message.tool_calls[0]["args"] == {"path": "sample"}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("how", ["invoke", "astream"])
async def test_refusals_have_their_class(client, how):
    with FaultServer() as server:
        for fault in (faults.rate_limit(), faults.unauthorized(), faults.server_error(500), faults.no_tool_support("plain")):
            server.script("claude-test", [fault])
            with pytest.raises(Exception, match=r"\S") as caught:
                await ask(client(server), how)
            assert classify(caught.value).cls == fault.expected_class


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", [faults.reset(after_chunks=2), faults.reset(), faults.close(after_chunks=2)], ids=lambda fault: fault.name)
async def test_broken_connections_have_their_class(client, fault):
    with FaultServer({"claude-test": [fault.during(FIX)]}) as server:
        with pytest.raises(Exception, match=r".") as caught:
            await ask(client(server), "stream")
        assert classify(caught.value).cls == "connection"


@pytest.mark.parametrize("client", CLIENTS)
async def test_error_inside_the_stream_is_raised(client):
    with FaultServer({"claude-test": [faults.error_event(after_chunks=2, say=FIX)]}) as server:
        with pytest.raises(Exception, match="Provider returned error") as caught:
            await ask(client(server), "stream")
        assert classify(caught.value).cls == "server_error"


@pytest.mark.parametrize("client", [anthropic, responses])
async def test_unreadable_event_is_raised(client):
    with FaultServer({"claude-test": [faults.malformed_event(after_chunks=2, say=FIX)]}) as server:
        with pytest.raises(Exception, match=r".") as caught:
            await ask(client(server), "stream")
        assert classify(caught.value).cls == "server_error"


@pytest.mark.parametrize("client", CLIENTS)
async def test_stream_that_just_ends_has_no_reason(client):
    with FaultServer({"claude-test": [Eof(FIX, at="text")]}) as server:
        message = await ask(client(server), "stream")
    assert message.text
    assert FIX.text.startswith(message.text)
    assert message.text != FIX.text
    assert not {"finish_reason", "stop_reason", "done_reason", "status"} & {key for key, value in message.response_metadata.items() if value}


@pytest.mark.parametrize(("client", "key", "value"), [(anthropic, "stop_reason", "max_tokens"), (ollama, "done_reason", "length")])
async def test_length_is_said_in_their_words(client, key, value):
    with FaultServer({"claude-test": [faults.length(say=Say("Half a sen"))]}) as server:
        assert (await ask(client(server), "stream")).response_metadata[key] == value


async def test_incomplete_response_says_why():
    with FaultServer({"claude-test": [faults.length(say=Say("Half a sen"))]}) as server:
        message = await ask(responses(server), "invoke")
    assert message.response_metadata["status"] == "incomplete"
    assert message.response_metadata["incomplete_details"]["reason"] == "max_output_tokens"


async def test_thinking_arrives():
    say = Say("Hi", thinking="Hm, let me see.", chunks=4)
    with FaultServer({"claude-test": [say] * 3}) as server:
        for how in ("stream", "invoke"):
            message = await ask(anthropic(server, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2048), how)
            assert message.content[0]["thinking"] == "Hm, let me see."
            assert message.content[0]["signature"]
        message = await ask(responses(server, reasoning={"summary": "auto"}), "stream")
        assert message.content_blocks[0]["type"] == "reasoning"


@pytest.mark.parametrize("client", [anthropic, responses, ollama])
def test_client_that_closes_is_seen_at_its_chunk(client):
    gate = Turnstile()
    with FaultServer({"claude-test": [Say("x" * 80, chunks=2)]}, turnstile=gate) as server:
        gate.let(5)
        stream = client(server)._stream([HumanMessage("go")])
        next(stream)
        stream.close()
        gc_until_closed(server)
        assert server.last.disconnected_at is not None
        assert server.last.chunks_sent <= 5


def gc_until_closed(server):
    """Some clients close a connection only when their generators are collected."""
    import gc

    gc.collect()
    server.last.wait()
