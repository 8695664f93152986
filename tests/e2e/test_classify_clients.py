"""The same table for every client: real clients of eight providers against a loopback server that misbehaves in one way."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import struct
import subprocess
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import pytest

from lg_toolroute.core.failures.classify import classify
from lg_toolroute.core.failures.failure import Failure

# google-genai's own: it derives from aiohttp's session, and leaves it to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    # langchain-core calls the `json` of a failed response for its trace, and aiohttp's is a coroutine.
    pytest.mark.filterwarnings("ignore:coroutine 'ClientResponse.json':RuntimeWarning"),
]

KEY = "sk-test-0123456789abcdefghij"
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
SILENCE_S = 0.4
"""Seconds that a client waits where silence is what is tested."""

PATIENCE_S = 30.0
"""Seconds that it waits elsewhere, so that a slow machine is no time-out."""


@dataclass(frozen=True)
class Fault:
    """How the server answers every request.

    Attributes:
        status: The status line; 0 for no answer at all.
        body: What is sent as the body, or as its beginning.
        headers: Beyond the length or the chunking.
        then: What follows: `end`, `reset` (RST), `close` (FIN in the middle), `hang` (silence).
        whole: The body has a length; else it is chunked.
    """

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    then: str = "end"
    whole: bool = True


class Misbehaving:
    """A server on a port of its own that answers by one fault."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.fault = Fault()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.serve, args=(connection, self.fault), daemon=True)
            self.threads.append(thread)
            thread.start()

    def serve(self, connection: socket.socket, fault: Fault) -> None:
        with connection:
            connection.settimeout(10)
            try:
                self.read_request(connection)
                if fault.status:
                    headers = "".join(f"{name}: {value}\r\n" for name, value in fault.headers.items())
                    length = f"Content-Length: {len(fault.body)}" if fault.whole else "Transfer-Encoding: chunked"
                    connection.sendall(f"HTTP/1.1 {fault.status} Told\r\n{headers}{length}\r\nConnection: close\r\n\r\n".encode())
                    if fault.body:
                        connection.sendall(fault.body if fault.whole else b"%x\r\n%s\r\n" % (len(fault.body), fault.body))
                if fault.then == "hang":
                    self.over.wait(10)
                elif fault.then == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif fault.then == "end" and fault.status and not fault.whole:
                    connection.sendall(b"0\r\n\r\n")
            except OSError:
                return  # the client hung up first, which is its right

    @staticmethod
    def read_request(connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536) or b"\r\n\r\n"
        head, _, rest = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        missing = int(lengths[0]) - len(rest) if lengths else 0
        while missing > 0:
            missing -= len(connection.recv(65536)) or missing

    def close(self) -> None:
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)


@pytest.fixture(scope="module")
def server() -> Iterator[Misbehaving]:
    misbehaving = Misbehaving()
    yield misbehaving
    misbehaving.close()


@pytest.fixture(autouse=True)
def _swept(request) -> Iterator[None]:
    """What Google's client leaves behind is collected here, where its warnings are expected."""
    yield
    if "google" in request.node.name:
        gc.collect()


def openai(url: str, timeout_s: float):
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="m", base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=timeout_s)


def responses(url: str, timeout_s: float):
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="m", base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=timeout_s, use_responses_api=True)


def deepseek(url: str, timeout_s: float):
    from langchain_deepseek import ChatDeepSeek

    return ChatDeepSeek(model="m", api_base=f"{url}/v1", api_key=KEY, max_retries=0, timeout=timeout_s)


def anthropic(url: str, timeout_s: float):
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model="m", base_url=url, api_key=KEY, max_retries=0, timeout=timeout_s)


def groq(url: str, timeout_s: float):
    from langchain_groq import ChatGroq

    return ChatGroq(model="m", base_url=url, api_key=KEY, max_retries=0, timeout=timeout_s)


def mistral(url: str, timeout_s: float):
    from langchain_mistralai import ChatMistralAI

    return ChatMistralAI(model="m", endpoint=f"{url}/v1", api_key=KEY, max_retries=0, timeout=max(1, round(timeout_s)))


def google(url: str, timeout_s: float):
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(model="m", base_url=url, api_key=KEY, max_retries=1, timeout=timeout_s)


def ollama(url: str, timeout_s: float):
    from langchain_ollama import ChatOllama

    return ChatOllama(model="m", base_url=url, client_kwargs={"timeout": timeout_s})


CLIENTS: dict[str, Callable] = {
    make.__name__: make for make in (openai, responses, deepseek, anthropic, groq, mistral, google, ollama)
}


def told(status: int, headers: dict[str, str] | None = None, **error: object) -> Fault:
    """An error as most providers tell it."""
    return Fault(status, json.dumps({"error": error}).encode(), {**JSON, **(headers or {})})


def event(text: str, then: str = "end") -> Fault:
    """A stream that begins with 200."""
    return Fault(200, text.encode(), dict(SSE), then, whole=False)


# Fault, the class it must be, and the clients that tell it otherwise, each with the reason.
PLAIN: dict[str, tuple[Fault, str, dict[str, str]]] = {
    "429": (told(429, message="slow down", code="rate_limit_exceeded"), "rate_limit", {}),
    "429 quota": (told(429, message="You exceeded your current quota", code="insufficient_quota"), "quota", {}),
    "402": (told(402, message="Insufficient Balance"), "quota", {}),
    "400 credit": (told(400, type="invalid_request_error", message="Your credit balance is too low to access the API"), "quota", {}),
    "401": (told(401, message=f"Incorrect API key provided: {KEY}"), "auth", {}),
    "403": (told(403, message="not for you"), "auth", {}),
    "404": (told(404, message="The model `m` does not exist"), "model_not_found", {}),
    "400 tools": (Fault(400, b'{"error": "registry.ollama.ai/library/m does not support tools"}'), "no_tool_support", {}),
    "404 tools": (told(404, code=404, message="No endpoints found that support tool use"), "no_tool_support", {}),
    "400 context": (
        told(400, code="context_length_exceeded", type="invalid_request_error", message="maximum context length is 10 tokens"),
        "context_overflow",
        {},
    ),
    "400 prompt": (told(400, message="prompt is too long: 9 tokens > 8 maximum"), "context_overflow", {}),
    "413": (told(413, message="request_too_large"), "context_overflow", {}),
    "400": (told(400, message="messages.1: tool_use.id: String should match pattern"), "invalid_request", {}),
    "422": (told(422, message="temperature: too hot"), "invalid_request", {}),
    "400 filter": (told(400, code="content_filter", message="The response was filtered"), "content_policy", {}),
    "408": (told(408, message="took too long"), "timeout", {}),
    "500": (told(500, message="Internal server error"), "server_error", {}),
    "502 page": (Fault(502, b"<html><h1>Bad Gateway</h1></html>", {"content-type": "text/html"}), "server_error", {}),
    "503": (told(503, message="The engine is currently overloaded"), "overloaded", {}),
    "504": (told(504, message="upstream request timeout"), "timeout", {}),
    "529": (told(529, type="overloaded_error", message="Overloaded"), "overloaded", {}),
    "reset": (Fault(then="reset"), "connection", {}),
    "closed": (Fault(then="close"), "connection", {}),
}
SLOW: dict[str, tuple[Fault, str, dict[str, str]]] = {"silent": (Fault(then="hang"), "timeout", {})}
WHOLE: dict[str, tuple[Fault, str, dict[str, str]]] = {
    "half a body": (Fault(200, b'{"choices": [tru'), "server_error", {}),
    "not json": (Fault(200, b"hello"), "server_error", {"openai": "server_error"}),
}
STREAMED: dict[str, tuple[Fault, str, dict[str, str]]] = {
    "broken event": (event('data: {"choices": [tru\n\n'), "server_error", {"anthropic": "empty_response"}),
    "nothing": (event(": hello\n\n"), "empty_response", {"google": "server_error", "ollama": "server_error"}),
    "error event": (
        event('event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'),
        "overloaded",
        # Mistral's client skips an event that it does not know; Google's and Ollama's read lines of JSON, not events.
        {"mistral": "empty_response", "google": "server_error", "ollama": "server_error"},
    ),
    "reset midway": (event('data: {"choices": []}\n\n', "reset"), "connection", {}),
    "closed midway": (event('data: {"choices": []}\n\n', "close"), "connection", {}),
    "stalled": (event('data: {"choices": []}\n\n', "hang"), "timeout", {}),
}
LINES = {
    "google": 'data: {"candidates": []}\r\n\r\n',
    "ollama": '{"model": "m", "message": {"role": "assistant", "content": "a"}, "done": false}\n',
    "anthropic": 'event: ping\ndata: {"type": "ping"}\n\n',
}


def fails(model, how: str) -> Failure:
    """What the client raised, classified."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- which class it is, is what the test is about
        model.invoke("hi") if how == "invoke" else list(model.stream("hi"))
    return classify(caught.value)


async def afails(model, how: str) -> Failure:
    """What the client raised when it was awaited, classified."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- see `fails`
        _ = await model.ainvoke("hi") if how == "invoke" else [chunk async for chunk in model.astream("hi")]
    return classify(caught.value)


def client_of(name: str, server: Misbehaving):
    """A client of the server; it is impatient only with a server that goes silent."""
    return CLIENTS[name](f"http://127.0.0.1:{server.port}", SILENCE_S if server.fault.then == "hang" else PATIENCE_S)


def cases(*tables: dict[str, tuple[Fault, str, dict[str, str]]]) -> list:
    return [
        pytest.param(client, fault, others.get(client, cls), id=f"{client}-{name}")
        for table in tables
        for name, (fault, cls, others) in table.items()
        for client in CLIENTS
    ]


@pytest.mark.parametrize(("client", "fault", "cls"), cases(PLAIN, SLOW))
async def test_a_refusal_is_the_same_class_for_every_client(server, client, fault, cls):
    server.fault = fault
    model = client_of(client, server)
    found = {how: fails(model, how) for how in ("invoke", "stream")}
    found["ainvoke"] = await afails(model, "invoke")
    found["astream"] = await afails(model, "stream")
    assert {how: failure.cls for how, failure in found.items()} == dict.fromkeys(found, cls)
    assert {failure.status for failure in found.values()} == {fault.status or None}
    assert all(KEY not in failure.text for failure in found.values())


@pytest.mark.parametrize(("client", "fault", "cls"), cases(WHOLE))
async def test_an_answer_that_cannot_be_read_is_a_server_error(server, client, fault, cls):
    server.fault = fault
    model = client_of(client, server)
    assert fails(model, "invoke").cls == cls
    assert (await afails(model, "invoke")).cls == cls


@pytest.mark.parametrize(("client", "fault", "cls"), cases(STREAMED))
async def test_a_stream_that_dies_is_classified_after_it_began(server, client, fault, cls):
    if fault.then != "end" and client in LINES:
        fault = event(LINES[client], fault.then)
    server.fault = fault
    model = client_of(client, server)
    assert fails(model, "stream").cls == cls
    assert (await afails(model, "stream")).cls == cls


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_server_that_is_not_there_is_a_connection_failure(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    model = CLIENTS[client](f"http://127.0.0.1:{port}", PATIENCE_S)
    assert fails(model, "invoke").cls == "connection"
    assert (await afails(model, "stream")).cls == "connection"


# Ollama's client keeps no headers.
@pytest.mark.parametrize("client", [name for name in CLIENTS if name != "ollama"])
@pytest.mark.parametrize("header", ["seconds", "date", "milliseconds"])
def test_retry_after_reaches_us_through_every_client(server, client, header):
    now = 1_795_000_000.0
    given = {
        "seconds": {"retry-after": "17"},
        "date": {"retry-after": formatdate(now + 17, usegmt=True), "date": formatdate(now, usegmt=True)},
        "milliseconds": {"retry-after-ms": "17000"},
    }[header]
    server.fault = told(429, given, message="slow down")
    assert fails(client_of(client, server), "stream").retry_after_s == 17.0


def test_a_wait_in_the_message_reaches_us_through_a_client_that_keeps_no_headers(server):
    server.fault = told(429, message="Rate limit reached. Please try again in 7.5s.")
    assert fails(ollama(f"http://127.0.0.1:{server.port}", PATIENCE_S), "invoke").retry_after_s == 7.5


def test_a_missing_key_is_auth_and_not_a_bug(monkeypatch):
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_AUTH_TOKEN")):
            monkeypatch.delenv(name)
    from langchain_openai import ChatOpenAI

    with pytest.raises(Exception) as caught:  # noqa: PT011 -- which class it is, is what the test is about
        ChatOpenAI(model="m", base_url="http://127.0.0.1:9").invoke("hi")
    assert classify(caught.value).cls == "auth"


async def test_a_cancelled_call_is_cancelled(server):
    server.fault = Fault(then="hang")
    task = asyncio.ensure_future(openai(f"http://127.0.0.1:{server.port}", PATIENCE_S).ainvoke("hi"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert classify(caught.value).cls == "cancelled"


def test_a_history_that_a_client_refuses_to_send_is_an_invalid_request(server):
    from langchain_core.messages import AIMessage, HumanMessage

    history = [HumanMessage("hi"), AIMessage([{"type": "thinking", "thinking": "hm"}]), HumanMessage("go on")]
    with pytest.raises(ValueError, match="content type") as caught:
        ollama(f"http://127.0.0.1:{server.port}", PATIENCE_S).invoke(history)
    assert classify(caught.value).cls == "invalid_request"


OPENAI2 = textwrap.dedent(
    """
    import json, sys, warnings
    warnings.simplefilter("ignore")
    import openai
    from langchain_openai import ChatOpenAI
    from lg_toolroute.core.failures.classify import classify
    assert openai.__version__.startswith("2."), openai.__version__
    model = ChatOpenAI(model="m", base_url=sys.argv[1] + "/v1", api_key="sk-test-0123456789abcdefghij", max_retries=0, timeout=0.4)
    found = []
    for how in ("invoke", "stream"):
        try:
            model.invoke("hi") if how == "invoke" else list(model.stream("hi"))
        except Exception as error:
            failure = classify(error)
            found.append([how, failure.cls, failure.status])
        else:
            found.append([how, None, None])
    print(json.dumps(found))
    """
)


@pytest.mark.skipif("LG_TOOLROUTE_OPENAI2" not in os.environ, reason="LG_TOOLROUTE_OPENAI2 names no Python with openai 2.x")
@pytest.mark.parametrize(
    ("name", "how"),
    [*((name, "both") for name in (*PLAIN, *SLOW)), *((name, "invoke") for name in WHOLE), *((name, "stream") for name in STREAMED)],
)
def test_openai_2_fails_in_the_same_classes(server, name, how):
    fault, cls, others = {**PLAIN, **SLOW, **WHOLE, **STREAMED}[name]
    server.fault = fault
    run = subprocess.run(
        [os.environ["LG_TOOLROUTE_OPENAI2"], "-c", OPENAI2, f"http://127.0.0.1:{server.port}"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    for which, found, status in json.loads(run.stdout.splitlines()[-1]):
        if how in ("both", which):
            assert found == others.get("openai", cls), (which, status)
