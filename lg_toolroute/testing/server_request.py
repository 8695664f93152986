"""What a `FaultServer` remembers of a request: what was asked, what was sent, and when the client went away."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lg_toolroute.testing.expect import chosen_tool, forced_tool, names_tool, tool_name
from lg_toolroute.testing.voice import Voice
from lg_toolroute.testing.wire import HttpRequest

SECRET_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization"})


@dataclass
class ServerRequest:
    """One request to the server, and what became of it.

    Attributes:
        index: Its number, from 0, over all models.
        method: `GET`, `POST`.
        path: `/v1/chat/completions`.
        headers: Names in lower case; keys and cookies are masked.
        body: The JSON body; empty if there was none.
        step: The step or the fault that answered it.
        status: The status of the response; `None` before the headers went out.
        chunks_total: Events that the whole answer has, without `[DONE]`; 1 for an answer that is not streamed.
        chunks_sent: Events that went out.
        disconnected_at: How many events had gone out when the client was seen to leave before the end; `None` if it stayed.
        finished: The answer went out as planned, whatever the plan was.
        refused_by: The name of the provider's rule that it broke; `None` if it broke none, or the server has no profile.
        voice: How the provider writes its answer; `None` if the server has no profile.
        items: The ids of the answer's items, where its format has some.
        done: Set when the server has finished with the request.
    """

    index: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    step: Any = None
    status: int | None = None
    chunks_total: int = 0
    chunks_sent: int = 0
    disconnected_at: int | None = None
    finished: bool = False
    refused_by: str | None = None
    voice: Voice | None = field(default=None, repr=False)
    items: Sequence[str] = field(default=(), repr=False)
    done: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def model(self) -> str:
        """The name of the model that was asked for."""
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The messages, as they came over the wire."""
        found = self.body.get("messages", self.body.get("input"))
        return found if isinstance(found, list) else []

    @property
    def stream(self) -> bool:
        """Whether a stream was asked for; Ollama streams unless told not to."""
        return bool(self.body.get("stream", self.path.rstrip("/") == "/api/chat"))

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the bound tools, in order."""
        return tuple(tool_name(tool) for tool in self.body.get("tools") or ())

    @property
    def tool_choice(self) -> str | None:
        """A tool's name, `"any"`, `"none"`, `"auto"`, or `None` when nothing was said."""
        return chosen_tool(self.body.get("tool_choice"))

    @property
    def forced_tool(self) -> str | None:
        """The tool that `tool_choice` names."""
        return forced_tool(self.tool_choice)

    @property
    def ends_with_instruction(self) -> bool:
        """Whether the last word is somebody's who wants something done, and not a tool's result or the model's own."""
        if not self.messages or self.messages[-1].get("type", "message") != "message":
            return False
        content = self.messages[-1].get("content")
        last = content[-1] if isinstance(content, list) and content else {}
        return self.messages[-1].get("role") in {"user", "system", "developer"} and last.get("type") != "tool_result"

    @property
    def expected_call(self) -> str | None:
        """The tool that a model would call: the one that is forced, the first one if any will do.

        So does one that is told to, with only that tool bound: where the last message names it; a provider's model (`voice`) whatever it says. Such
        a model may not look at the choice.
        """
        obeyed = self.tool_choice if self.voice is None or self.voice.obeys else None
        if obeyed == "any" and self.tools:
            return self.tools[0]
        told = len(self.tools) == 1 and obeyed in {None, "auto"} and self.ends_with_instruction
        return self.tools[0] if told and (self.voice is not None or names_tool(self.last_text, self.tools[0])) else forced_tool(obeyed)

    @property
    def include_usage(self) -> bool:
        """Whether a stream is to end with what it used."""
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    @property
    def last_text(self) -> str:
        """The text of the last message."""
        return text_of(self.messages[-1].get("content")) if self.messages and isinstance(self.messages[-1], Mapping) else ""

    @property
    def prompt_characters(self) -> int:
        """The length of all texts in the messages."""
        return sum(len(text_of(message.get("content"))) for message in self.messages if isinstance(message, Mapping))

    def schema(self, tool: str) -> Mapping[str, Any]:
        """The JSON Schema of a bound tool's arguments; empty if it is not bound."""
        for bound in self.body.get("tools") or ():
            if tool_name(bound) == tool and isinstance(bound, Mapping):
                found = (bound.get("function") or {}).get("parameters") or bound.get("parameters") or bound.get("input_schema")
                return found if isinstance(found, Mapping) else {}
        return {}

    def wait(self, limit_s: float = 30.0) -> None:
        """Block until the server has finished with this request.

        Raises:
            TimeoutError: It had not after `limit_s` seconds.
        """
        if not self.done.wait(limit_s):
            raise TimeoutError(f"request {self.index} to {self.model} was not finished after {limit_s:g} s; {self.chunks_sent} chunks were sent")

    def describe(self) -> str:
        """What was asked, in one line."""
        text = self.last_text if len(self.last_text) <= 80 else self.last_text[:77] + "…"
        return f"tools {list(self.tools)}, tool_choice {self.tool_choice!r}, {len(self.messages)} messages, the last: {text!r}"


def received(index: int, http: HttpRequest) -> ServerRequest:
    """The record of a request that just came in. A body that is no JSON object is kept as text under `""`."""
    headers = {name: "***" if name in SECRET_HEADERS else value for name, value in http.headers.items()}
    body: Any = {}
    if http.body:
        try:
            body = json.loads(http.body)
        except ValueError:
            body = http.body.decode("utf-8", "replace")
    return ServerRequest(index, http.method, http.path, headers, body if isinstance(body, dict) else {"": body})


def text_of(content: Any) -> str:
    """The text in a message's content, whatever its shape."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(text_of(block.get("text", block.get("content", ""))) if isinstance(block, Mapping) else str(block) for block in content)
    return ""
