"""A loopback server that speaks OpenAI's chat completions, follows a script for each model, and misbehaves on request.

```python
from langchain_openai import ChatOpenAI
from lg_toolroute.testing import Call, FaultServer, Say, faults

with FaultServer({"kimi-for-coding": [faults.rate_limit(retry_after=7), Say("Hello.", [Call("edit", {"path": "a.py"})])]}) as server:
    model = ChatOpenAI(**server.client("kimi-for-coding"))
    ...
assert server.requests[1].chunks_sent == server.requests[1].chunks_total
```

Real clients talk to it over real HTTP on 127.0.0.1, so what a test sees is what the client does: its retries, its errors, the moment at which
it closes a connection. One thread runs all connections; a hundred clients at once are fine.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from lg_toolroute.testing import completions
from lg_toolroute.testing.dialects import DIALECTS
from lg_toolroute.testing.exchange import Dialect, Pace, play
from lg_toolroute.testing.fault import Fault, fault_of
from lg_toolroute.testing.faults import none
from lg_toolroute.testing.latch import Turnstile
from lg_toolroute.testing.listener import Listener
from lg_toolroute.testing.providers import PROFILES, ProviderProfile
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.server_request import ServerRequest, received
from lg_toolroute.testing.tape import ScriptError, Tape
from lg_toolroute.testing.wire import BadRequest, Connection, Disconnected, HttpRequest

JSON = {"content-type": "application/json"}


class FaultServer:
    """An OpenAI-compatible server on 127.0.0.1, on a port of its own, in a thread of its own. Use it in a `with` block.

    Every model name is served. One with a script answers from it, and leaving the `with` block fails if steps are left or were missing. One
    without a script gives the default answer: the forced tool call with arguments that fit the tool's schema, otherwise a sentence.

    Args:
        scripts: Steps by model name. Steps are those of `ScriptedModel` (`Say`, `Eof`, `Hang`, functions, strings) and faults.
        chunk_delay_s: Seconds between two chunks of a stream. A client's going away is noticed at once, but the chunks of an answer without
            pauses are on their way before a client has read the first one.
        turnstile: Lets chunks through one by one, instead of pauses.
        max_requests: More requests than this are refused, so that a loop in a test ends.
        api_key: If given, other keys are refused with 401.
        keep_alive: Whether a connection serves more than one request. Off by default: clients keep such connections in pools that outlive a
            test, and Python then warns of unclosed sockets.
        strict: Whether leaving the `with` block fails when a script and what was asked do not match.
        profile: The provider that it is as strict as: a name of `PROFILES`, a profile of your own, or a mapping from the names of models to
            these, for a server that stands for several. What breaks a rule is refused in that provider's words, before a script is asked.

    Raises:
        ValueError: There is no profile of that name.

    Attributes:
        requests: Every request so far, in the order they came, without those that `forget` dropped.
    """

    def __init__(
        self,
        scripts: Mapping[str, Sequence[Any]] | None = None,
        *,
        chunk_delay_s: float = 0.0,
        turnstile: Turnstile | None = None,
        max_requests: int = 10_000,
        api_key: str | None = None,
        keep_alive: bool = False,
        strict: bool = True,
        profile: str | ProviderProfile | Mapping[str, str | ProviderProfile] | None = None,
    ) -> None:
        self.requests: list[ServerRequest] = []
        self._received = 0
        self.chunk_delay_s = chunk_delay_s
        self.turnstile = turnstile
        self.max_requests = max_requests
        self.strict = strict
        self._api_key = api_key
        self._profiles = {model: _profile(named) for model, named in profile.items()} if isinstance(profile, Mapping) else {}
        self._profile = None if profile is None or isinstance(profile, Mapping) else _profile(profile)
        self._minted = Minted()
        self._tapes: dict[str, Tape] = {}
        self._lock = threading.Lock()
        self._problems: list[BaseException] = []
        self._listener = Listener(self._serve, keep_alive=keep_alive)
        for model, steps in (scripts or {}).items():
            self.script(model, steps)

    # -- what it answers ---------------------------------------------------------------------------------------------------------------

    def script(self, model: str, steps: Sequence[Any], *, loop: bool = False) -> None:
        """Answer requests to this model with these steps, instead of what was set before. May be called while the server runs.

        Args:
            model: The name in the request.
            steps: One a request.
            loop: Begin again after the last one.
        """
        with self._lock:
            self._tapes[model] = Tape(model, steps, loop=loop)

    def answer(self, model: str, function: Callable[[ServerRequest], Any]) -> None:
        """Answer requests to this model with what a function returns: a step, a fault, or a short form. It must not block.

        Args:
            model: The name in the request.
            function: Asked once a request, in the server's thread.
        """
        with self._lock:
            self._tapes[model] = Tape(model, answer=function)

    # -- what a test asks --------------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`."""
        if not self._listener.port:
            raise RuntimeError("the server does not run; use it in a with block, or call start() first")
        return f"http://127.0.0.1:{self._listener.port}"

    @property
    def base_url(self) -> str:
        """What an OpenAI client wants as its base URL: `http://127.0.0.1:<port>/v1`."""
        return f"{self.url}/v1"

    def client(self, model: str, **settings: Any) -> dict[str, Any]:
        """Keyword arguments for `ChatOpenAI`: `ChatOpenAI(**server.client("kimi-for-coding"))`.

        Args:
            model: The model's name.
            **settings: More of them. `max_retries` is 0 unless it is among them, so that each fault is seen.
        """
        return {"model": model, "base_url": self.base_url, "api_key": self._api_key or "test-key", "max_retries": 0, **settings}

    @property
    def last(self) -> ServerRequest:
        """The latest request.

        Raises:
            ScriptError: There was none.
        """
        if not self.requests:
            raise ScriptError("the server was never asked")
        return self.requests[-1]

    def requests_for(self, model: str) -> list[ServerRequest]:
        """The requests to one model."""
        return [request for request in self.requests if request.model == model]

    def forget(self, model: str) -> None:
        """Drop the records of the requests to one model, so that a server which serves thousands of runs does not grow with them.

        Args:
            model: The name in the requests. Its script stays.
        """
        with self._lock:
            self.requests[:] = [request for request in self.requests if request.model != model]

    def wait_idle(self, limit_s: float = 30.0) -> None:
        """Block until every request so far is finished: a client is done with a connection before the server knows.

        Raises:
            TimeoutError: One was not after `limit_s` seconds.
        """
        for request in list(self.requests):
            request.wait(limit_s)

    def assert_done(self) -> None:
        """Everything that was scripted was asked for, and nothing went wrong inside the server.

        Raises:
            ScriptError: With the first problem, or the steps that are left.
        """
        if self._problems:
            first = self._problems[0]
            raise first if isinstance(first, ScriptError) else ScriptError(f"the server itself failed: {first!r}") from first
        with self._lock:
            tapes = list(self._tapes.values())
        for tape in tapes:
            tape.assert_done()

    # -- running -----------------------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Begin to listen.

        Raises:
            RuntimeError: It runs already, or could not be started.
        """
        self._listener.start()
        return self

    def stop(self) -> None:
        """End all connections and the thread. Nothing happens if it does not run."""
        self._listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        if error is None and self.strict:
            self.assert_done()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.stop)
        if error is None and self.strict:
            self.assert_done()

    # -- answering ---------------------------------------------------------------------------------------------------------------------

    async def _serve(self, connection: Connection) -> None:
        while True:
            connection.busy = False
            try:
                http = await connection.read_request()
            except BadRequest as error:
                await connection.send_whole(400, _error(400, str(error)), JSON)
                return
            if http is None:
                return
            connection.busy = True
            usable = await self._answer(connection, http)
            if not usable or not connection.keep_alive:
                return

    async def _answer(self, connection: Connection, http: HttpRequest) -> bool:
        with self._lock:
            request = received(self._received, http)
            self._received += 1
            self.requests.append(request)
        try:
            usable = await self._respond(connection, http, request)
            request.finished = True
            if request.items and request.chunks_sent == request.chunks_total:
                self._minted.answers.append((request.model, list(request.items)))
        except Disconnected:
            request.disconnected_at = request.chunks_sent
            raise
        except Exception as error:  # a mistake in a script's function or in the server: the client gets an answer, the test gets the error
            self._problems.append(error)
            await self._refuse(connection, request, 400, str(error), "script_error")
            return True
        else:
            return usable
        finally:
            request.done.set()

    async def _respond(self, connection: Connection, http: HttpRequest, request: ServerRequest) -> bool:
        if http.method == "GET" and http.path.rstrip("/") in {"/v1/models", "/models"}:
            request.status = 200
            await connection.send_whole(200, json.dumps(self._models()).encode(), JSON)
            return True
        dialect = dialect_of(http.path)
        if dialect is None or http.method != "POST":
            return await self._refuse(connection, request, 404, f"Unknown request URL: {http.method} {http.path}.")
        if self._api_key is not None and self._api_key not in _keys(http):
            return await self._refuse(connection, request, 401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
        if "" in request.body or not request.model:
            return await self._refuse(connection, request, 400, "The body must be a JSON object that names a model.")
        if self._received > self.max_requests:
            raise ScriptError(f"more than max_requests={self.max_requests} requests; the latest is to {request.model}: {request.describe()}")
        profile = self._profiles.get(request.model, self._profile)
        if profile is not None:
            if request.path.rstrip("/") not in profile.apis:
                return await self._refuse(connection, request, 404, f"Unknown request URL: {http.method} {http.path}.")
            if (refusal := profile.refusal(request, self._minted)) is not None:
                request.status, request.refused_by = refusal.status, refusal.rule
                await connection.send_whole(refusal.status, json.dumps(profile.body(refusal), ensure_ascii=False).encode(), JSON)
                return True
            request.voice = profile.voice(request)
        fault = self._fault(request)
        return await play(connection, request, fault, dialect, Pace(self.chunk_delay_s, self.turnstile), self._tape(request.model).new_ids)

    def _fault(self, request: ServerRequest) -> Fault:
        tape = self._tape(request.model)
        step = tape.take(request)
        fault = fault_of(step)
        if fault is None:
            raise tape.problem(f"{request.model}: a server cannot play {step!r}; write Say, Eof, Hang, a fault, a string or a function")
        return fault

    def _tape(self, model: str) -> Tape:
        with self._lock:
            if model not in self._tapes:
                self._tapes[model] = Tape(model, answer=_good_answer)
            return self._tapes[model]

    def _models(self) -> dict[str, Any]:
        with self._lock:
            names = sorted(self._tapes)
        data = [{"id": name, "object": "model", "created": completions.CREATED, "owned_by": "fault-server"} for name in names]
        return {"object": "list", "data": data}

    async def _refuse(
        self, connection: Connection, request: ServerRequest, status: int, message: str, kind: str = "invalid_request_error", code: str | None = None
    ) -> bool:
        request.status = status
        await connection.send_whole(status, _error(status, message, kind, code), JSON)
        return True


def dialect_of(path: str) -> Dialect | None:
    """How requests to a path are answered; `None` if it is not served."""
    return DIALECTS.get(path.rstrip("/"))


def _profile(named: str | ProviderProfile) -> ProviderProfile:
    if isinstance(named, ProviderProfile):
        return named
    if named not in PROFILES:
        raise ValueError(f"FaultServer(profile={named!r}): there is no such profile; there are {', '.join(PROFILES)}")
    return PROFILES[named]


def _good_answer(request: ServerRequest) -> Fault:
    return none()


def _keys(http: HttpRequest) -> set[str]:
    bearer = http.headers.get("authorization", "").removeprefix("Bearer ").strip()
    return {bearer, http.headers.get("x-api-key", ""), http.headers.get("api-key", "")}


def _error(status: int, message: str, kind: str = "invalid_request_error", code: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


@contextmanager
def refusing_port() -> Iterator[str]:
    """A base URL whose port refuses connections for as long as the block lasts: it is taken, but no server listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
