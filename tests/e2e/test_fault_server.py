"""The real `ChatOpenAI` client against `FaultServer`, over real HTTP on the loopback interface."""

import asyncio
import gc
import json
import random
import socket
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest
from jsonschema import Draft202012Validator
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_openai import ChatOpenAI

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.testing import Call, Eof, FaultServer, Hang, Latch, Say, ScriptError, Turnstile, faults, random_faults, refusing_port
from tests.support.asking import WAYS, ask, gather

MODEL = "kimi-for-coding"
FIX = Say("Let me fix that.", [Call("edit", {"path": "a.py", "times": 2}, id="call_1")], chunks=4)


def edit(path: str, times: int) -> str:
    """Edit a file."""
    return path * times


def read(path: str) -> str:
    """Read a file."""
    return path


@pytest.mark.parametrize("how", WAYS)
async def test_scripted_answer_arrives(how):
    with FaultServer({MODEL: [FIX]}) as server:
        message = await ask(ChatOpenAI(**server.client(MODEL, stream_usage=True)).bind_tools([edit, read]), how)
        request = server.last
        request.wait()
    assert message.text == "Let me fix that."
    assert [(call["name"], call["args"], call["id"]) for call in message.tool_calls] == [("edit", {"path": "a.py", "times": 2}, "call_1")]
    assert message.response_metadata["finish_reason"] == "tool_calls"
    assert message.usage_metadata["input_tokens"] == 1
    assert (request.tools, request.tool_choice, request.stream, request.last_text) == (("edit", "read"), None, "stream" in how, "go")
    assert (request.finished, request.disconnected_at, request.chunks_sent) == (True, None, request.chunks_total)


@pytest.mark.matrix(one_in=2)
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", faults.CATALOGUE)
async def test_fault_is_what_the_catalogue_says(name, how):
    """Each fault of the catalogue, met by the real client in each of its four ways, has the failure class that the catalogue names."""
    fault = faults.CATALOGUE[name]()
    streamed = "stream" in how
    with FaultServer({"m": [fault]}) as server:
        model = ChatOpenAI(**server.client("m", timeout=0.4 if fault.needs_timeout else 20)).bind_tools([edit], tool_choice="edit")
        if fault.client_raises(streamed=streamed):
            with pytest.raises(Exception, match=r"\S") as caught:
                await ask(model, how)
            if name != "no_choices":  # the client's IndexError says nothing about its cause
                assert classify(caught.value).cls == fault.expected(streamed=streamed)
        else:
            assert_wrong_as_claimed(name, await ask(model, how))
        assert len(server.requests) == 1
        server.wait_idle()


@pytest.mark.matrix(one_in=2)
@pytest.mark.parametrize("how", ["invoke", "stream"])
@pytest.mark.parametrize("place", faults.PLACES)
@pytest.mark.parametrize("name", faults.MID_STREAM)
async def test_fault_strikes_at_any_place(name, place, how):
    """Before the headers, before the text, inside text, name and arguments, behind the last chunk: the class does not depend on it."""
    fault = faults.MID_STREAM[name](place, say=FIX)
    streamed = "stream" in how
    with FaultServer({"m": [fault]}) as server:
        model = ChatOpenAI(**server.client("m", timeout=0.4 if fault.needs_timeout else 20))
        if fault.client_raises(streamed=streamed):
            with pytest.raises(Exception, match=r"\S") as caught:
                await ask(model, how)
            assert classify(caught.value).cls == fault.expected(streamed=streamed)
        else:
            message = await ask(model, how)
            assert (message.response_metadata.get("finish_reason") is None) == (place != "end")
        server.wait_idle()
        assert server.last.chunks_sent <= server.last.chunks_total


def assert_wrong_as_claimed(name, message):
    raw = [call.get("args") for call in getattr(message, "tool_call_chunks", [])] or [call["args"] for call in message.invalid_tool_calls]
    finish = message.response_metadata.get("finish_reason")
    match name:
        case "none":
            assert message.tool_calls[0]["args"] == {"path": "sample", "times": 1}
            assert finish == "tool_calls"
        case "slow":
            assert message.text == "Slow and steady gets there in the end."
        case "eof":
            assert finish is None
        case "length" | "content_filter":
            assert finish == name
        case "empty_answer" | "no_choices":
            assert (message.text, message.tool_calls) == ("", [])
        case "truncated_arguments" | "broken_arguments":
            assert finish == "tool_calls"
            with pytest.raises(ValueError, match=r"line 1 column"):
                json.loads(raw[0])
        case "wrong_arguments":
            assert message.tool_calls[0]["args"] == {"no_such_argument": True}
        case "unknown_tool":
            assert message.tool_calls[0]["name"] == "no_such_tool"
        case "text_instead":
            assert message.text
            assert not message.tool_calls
        case _:
            raise AssertionError(f"{name} should have raised")


def test_rate_limit_says_when_to_come_back():
    with FaultServer({"m": [faults.rate_limit(retry_after=7), faults.rate_limit(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))]}) as server:
        model = ChatOpenAI(**server.client("m"))
        headers = []
        for _ in range(2):
            with pytest.raises(Exception, match="429") as caught:
                model.invoke("go")
            headers.append(caught.value.response.headers["retry-after"])
    assert headers == ["7", "Wed, 02 Jan 2030 03:04:05 GMT"]


async def test_refusing_port_refuses():
    with refusing_port() as base_url:
        model = ChatOpenAI(model="m", base_url=base_url, api_key="x", max_retries=0)
        for how in WAYS:
            with pytest.raises(Exception, match=r"[Cc]onnection") as caught:
                await ask(model, how)
            assert classify(caught.value).cls == "connection"


def test_client_that_closes_is_seen_at_its_chunk():
    """With a turnstile the count is exact: three events were let through, the client closed, no fourth went out."""
    gate = Turnstile()
    with FaultServer({MODEL: [FIX]}, turnstile=gate) as server:
        gate.let(3)
        stream = ChatOpenAI(**server.client(MODEL)).stream("go")
        texts = [next(stream).text for _ in range(3)]
        stream.close()
        server.last.wait()
        assert server.last.disconnected_at == server.last.chunks_sent == 3
        assert server.last.chunks_total > 10
    assert texts == ["", "Let ", "me f"]


async def test_async_client_that_closes_is_seen_at_its_chunk():
    gate = Turnstile()
    async with FaultServer({MODEL: [FIX]}, turnstile=gate) as server:
        gate.let(2)
        stream = ChatOpenAI(**server.client(MODEL))._astream([HumanMessage("go")])
        for _ in range(2):
            await anext(stream)
        await stream.aclose()
        await asyncio.to_thread(server.last.wait)
        assert server.last.disconnected_at == 2


def test_client_that_closes_is_seen_within_two_chunks():
    """Without a turnstile, with pauses between chunks: whoever closes at the tool's name has cost two chunks more, at most."""
    say = Say("Let me fix that.", [Call("edit", {"path": "x" * 400})], chunks=8)
    with FaultServer({MODEL: [say]}, chunk_delay_s=0.1) as server:
        stream = ChatOpenAI(**server.client(MODEL)).stream("go")
        seen = 0
        for chunk in stream:
            seen += 1
            if chunk.tool_call_chunks:
                break
        stream.close()
        server.last.wait()
        assert seen <= server.last.disconnected_at <= seen + 2
        assert server.last.chunks_total > 50


async def test_cancelled_request_is_seen_before_the_headers():
    with FaultServer({"m": [faults.hang()]}) as server:
        task = asyncio.create_task(ChatOpenAI(**server.client("m")).ainvoke("go"))
        while not server.requests:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.last.wait)
        assert (server.last.disconnected_at, server.last.status) == (0, None)


def test_hanging_answer_goes_on_when_its_latch_opens():
    latch = Latch()
    with FaultServer({"m": [Hang(latch, Say("abcd", chunks=1), after_chunks=3)]}) as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(lambda: gather(ChatOpenAI(**server.client("m")).stream("go")).text)
        latch.wait_reached()
        assert server.last.chunks_sent == 3
        latch.open()
        assert answer.result() == "abcd"


@pytest.mark.parametrize(
    ("at", "text", "name", "args"), [("text", "Let me f", "", ""), ("name", FIX.text, "ed", ""), ("args", FIX.text, "edit", '{"path": "a.py')]
)
def test_stream_breaks_inside_the_part_it_is_told_to(at, text, name, args):
    with FaultServer({"m": [faults.reset(at, say=FIX)]}) as server:
        chunks = []
        with pytest.raises(Exception, match="Connection"):
            chunks.extend(_noting(ChatOpenAI(**server.client("m")).stream("go"), chunks))
    assert "".join(chunk.text for chunk in chunks) == text
    pieces = [piece for chunk in chunks for piece in chunk.tool_call_chunks]
    assert "".join(piece["name"] or "" for piece in pieces) == name
    assert "".join(piece["args"] or "" for piece in pieces) == args


def _noting(stream, seen):
    for chunk in stream:
        seen.append(chunk)
    return []


def test_eof_step_ends_without_a_finish_reason():
    with FaultServer({"m": [Eof(FIX, at="args"), Eof(FIX, at="args")]}) as server:
        model = ChatOpenAI(**server.client("m"))
        streamed, whole = gather(model.stream("go")), model.invoke("go")
    for message in (streamed, whole):
        assert message.text == FIX.text
        assert message.response_metadata.get("finish_reason") is None
    assert whole.invalid_tool_calls[0]["name"] == "edit"


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    ("choice", "called"), [("edit", "edit"), ("read", "read"), ("any", "edit"), ("required", "edit"), ("auto", None), ("none", None), (None, None)]
)
async def test_default_answer_honours_tool_choice(how, choice, called):
    with FaultServer() as server:
        model = ChatOpenAI(**server.client("any-model")).bind_tools([edit, read], tool_choice=choice)
        message = await ask(model, how)
    if called is None:
        assert message.text == "This is any-model speaking."
        assert message.tool_calls == []
    else:
        (call,) = message.tool_calls
        schema = convert_to_openai_tool({"edit": edit, "read": read}[called])["function"]["parameters"]
        assert call["name"] == called
        Draft202012Validator(schema).validate(call["args"])


@pytest.mark.parametrize("asked", [True, False])
def test_usage_is_streamed_only_when_asked_for(asked):
    with FaultServer({"m": [Say("Hi", usage=(12, 3))]}) as server:
        message = gather(ChatOpenAI(**server.client("m", stream_usage=asked)).stream("go"))
    assert (message.usage_metadata and message.usage_metadata["total_tokens"]) == (15 if asked else None)


def test_history_and_body_are_recorded_and_the_key_is_masked():
    history = [
        HumanMessage("fix it"),
        AIMessage("ok", tool_calls=[{"name": "edit", "args": {"path": "a"}, "id": "c1"}]),
        ToolMessage("done", tool_call_id="c1"),
    ]
    with FaultServer(api_key="sk-secret") as server:
        ChatOpenAI(**server.client("m", temperature=0.5)).invoke(history)
        request = server.last
        with pytest.raises(Exception, match="401"):
            ChatOpenAI(**server.client("m", api_key="sk-wrong")).invoke("go")
    assert [message["role"] for message in request.messages] == ["user", "assistant", "tool"]
    assert request.body["temperature"] == 0.5
    assert request.headers["authorization"] == "***"
    assert "sk-secret" not in repr(request)


def test_functions_answer_and_long_runs_need_no_script():
    with FaultServer() as server:
        server.answer("m", lambda request: Say(request.last_text.upper()))
        model = ChatOpenAI(**server.client("m"))
        assert [model.invoke(text).text for text in ("a", "b", "c")] == ["A", "B", "C"]
        assert len(server.requests_for("m")) == 3


def test_loop_begins_again():
    with FaultServer() as server:
        server.script("m", ["a", faults.server_error(503)], loop=True)
        model = ChatOpenAI(**server.client("m", max_retries=1))
        assert [model.invoke("go").text for _ in range(2)] == ["a", "a"]


def run_and_refuse(server, said, *, good=0):
    """So many good answers, then one whose refusal says this."""
    with server:
        model = ChatOpenAI(**server.client("m"))
        for _ in range(good):
            model.invoke("go")
        with pytest.raises(Exception, match=said):
            model.invoke("go")


def test_too_many_requests_fail_the_block():
    with pytest.raises(ScriptError, match="m: asked for the 2nd time"):
        run_and_refuse(FaultServer({"m": ["one"]}), "asked for the 2nd time", good=1)


def test_steps_that_are_left_fail_the_block():
    with pytest.raises(ScriptError, match="1 of 1 steps were never asked for"), FaultServer({"m": ["one"]}):
        pass


def test_nothing_fails_the_block_when_it_is_not_strict():
    with FaultServer({"m": ["one"]}, strict=False):
        pass


def test_mistake_in_a_function_fails_the_block():
    def broken(request):
        raise ZeroDivisionError("oops")

    server = FaultServer()
    server.answer("m", broken)
    with pytest.raises(ScriptError, match="ZeroDivisionError"):
        run_and_refuse(server, "oops")


def test_step_that_a_server_cannot_play_fails_the_block():
    with pytest.raises(ScriptError, match="cannot play Fail"):
        run_and_refuse(FaultServer({"m": [ValueError("x")]}), "cannot play")


def test_requests_are_bounded():
    with pytest.raises(ScriptError, match="more than max_requests=2"):
        run_and_refuse(FaultServer(max_requests=2), "max_requests", good=2)


def test_many_threads_at_once():
    with FaultServer() as server, ThreadPoolExecutor(16) as pool:
        server.answer("m", lambda request: Say(request.last_text, chunks=1))
        model = ChatOpenAI(**server.client("m"))
        answers = list(pool.map(lambda number: gather(model.stream(str(number))).text, range(100)))
        assert answers == [str(number) for number in range(100)]
        assert [request.index for request in server.requests] == list(range(100))


async def test_many_tasks_at_once():
    async with FaultServer(chunk_delay_s=0.001) as server:
        model = ChatOpenAI(**server.client("m"))
        answers = await asyncio.gather(*(model.ainvoke(str(number)) for number in range(50)))
    assert {answer.text for answer in answers} == {"This is m speaking."}


def test_one_connection_serves_many_requests():
    with FaultServer(keep_alive=True) as server, httpx.Client(base_url=server.base_url) as client:
        ports = set()
        for _ in range(5):
            with client.stream("POST", "/chat/completions", json={"model": "m", "messages": [], "stream": True}) as response:
                ports.add(response.extensions["network_stream"].get_extra_info("client_addr"))
                assert response.read().endswith(b"data: [DONE]\n\n")
        assert len(ports) == 1
        assert client.get("/models").json()["data"][0]["id"] == "m"


def test_chunked_request_body_is_read():
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    with FaultServer() as server:
        response = httpx.post(f"{server.base_url}/chat/completions", content=iter([body[:10], body[10:]]), headers={"connection": "close"})
        assert response.json()["choices"][0]["message"]["content"] == "This is m speaking."
        assert server.last.last_text == "hi"


@pytest.mark.parametrize("content", [b"not json", b"[]", b"{}", b""])
def test_body_that_is_no_request_is_refused(content):
    with FaultServer() as server:
        response = httpx.post(f"{server.base_url}/chat/completions", content=content)
    assert response.status_code == 400
    assert "JSON object" in response.json()["error"]["message"]


def test_unknown_path_and_what_is_no_http_are_refused():
    with FaultServer() as server:
        assert httpx.get(f"{server.url}/nothing").status_code == 404
        assert httpx.get(f"{server.base_url}/chat/completions").status_code == 404
        post = b"POST / HTTP/1.1\r\n"
        for garbage in (b"hello\r\n\r\n", post + b"content-length: minus\r\n\r\n", post + b"transfer-encoding: chunked\r\n\r\nzz\r\n"):
            with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as raw:
                raw.sendall(garbage)
                assert raw.recv(100).startswith(b"HTTP/1.1 400")


def test_stopping_ends_what_hangs_and_leaves_nothing_behind():
    before = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        server = FaultServer({"m": [faults.hang()]}).start()
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(lambda: httpx.post(f"{server.base_url}/chat/completions", json={"model": "m"}, timeout=30))
            while not server.requests:
                threading.Event().wait(0.005)
            server.stop()
            with pytest.raises(httpx.TransportError):
                hanging.result()
        server.stop()
        gc.collect()
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="does not run"):
        _ = server.url


def test_starting_twice_is_refused():
    with FaultServer() as server, pytest.raises(RuntimeError, match="runs already"):
        server.start()


def test_random_faults_are_the_same_from_the_same_seed():
    first, second = (random_faults(random.Random(7), 200) for _ in range(2))
    assert [fault.name for fault in first] == [fault.name for fault in second]
    names = {fault.name for fault in first}
    assert len(names) > 10
    assert not {"hang", "stall"} & names
    assert 60 < sum(fault.name == "none" for fault in first) < 140
    assert {fault.name for fault in random_faults(random.Random(1), 50, healthy=0, kinds=["reset_in_stream", "eof"])} == {"reset", "eof"}
    with pytest.raises(ValueError, match="'nonsense'"):
        random_faults(random.Random(1), 1, kinds=["nonsense"])


def test_random_faults_never_hurt_the_server():
    with FaultServer({"m": random_faults(random.Random(3), 60, healthy=0.3)}) as server:
        model = ChatOpenAI(**server.client("m")).bind_tools([edit], tool_choice="edit")
        outcomes = []
        for number in range(60):
            try:
                outcomes.append(bool((gather(model.stream("go")) if number % 2 else model.invoke("go")).tool_calls))
            except Exception as error:  # every kind is wanted
                outcomes.append(type(error).__name__)
        assert len(server.requests) == 60
    assert True in outcomes
    assert len(set(outcomes)) > 5


def read_all(server):
    """What a bare socket gets for a request, until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as raw:
        body = json.dumps({"model": "m", "stream": True, "messages": []}).encode()
        raw.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        return b"".join(iter(lambda: raw.recv(4096), b""))


def test_reset_is_a_reset_and_a_close_is_not():
    with FaultServer({"m": [faults.close(), faults.close("headers"), faults.reset(), faults.reset(after_chunks=2)]}) as server:
        assert read_all(server).count(b"data: ") == 2
        assert read_all(server) == b""
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                read_all(server)
