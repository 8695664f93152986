"""The demo's three scripted models, the loopback server they answer behind, and the configuration that names them.

A scripted model is a function from a request to an answer that knows nothing but the request.

| model | copies the old text of an edit | calls tools that it was not given |
|---|---|---|
| primary | from memory, so it does not match the file | no |
| editor | exactly | no |
| local | from memory | `web_fetch` |
"""

from __future__ import annotations

import os
import re
from typing import Any, Self

from lg_toolroute.core.rules.spec import parse_spec
from lg_toolroute.demo.repairs import Copy, Repair, copy_exactly, copy_from_memory, edit_arguments, repair_named_in, repairs_for
from lg_toolroute.demo.transcript import Transcript
from lg_toolroute.testing import Call, Fault, FaultServer, Say, ServerRequest, faults

PRIMARY = "kimi/kimi-for-coding"
EDITOR = "deepseek/deepseek-v4-pro"
LOCAL = "ollama/gpt-oss:20b"

PROVIDERS = {PRIMARY: "kimi-for-coding", EDITOR: "deepseek-v4", LOCAL: "ollama"}
"""What the server refuses, and how it writes: the profile of each model's provider."""

CHUNK = 4
"""Characters a chunk: about a token."""


class DemoServer(FaultServer):
    """The three models, behind a server on this machine that refuses what their providers refuse.

    Args:
        pace: Tokens a second; `None` as fast as they can be sent.

    Attributes:
        out_of_credit: The primary answers 402.
    """

    def __init__(self, pace: float | None) -> None:
        strict = {parse_spec(spec).model: profile for spec, profile in PROVIDERS.items()}
        super().__init__(chunk_delay_s=0.0 if pace is None else 1 / pace, profile=strict)
        self.out_of_credit = False
        self.answer(parse_spec(PRIMARY).model, self._primary)
        self.answer(parse_spec(EDITOR).model, editor)
        self.answer(parse_spec(LOCAL).model, local)

    def start(self) -> Self:
        """Begin to listen, and keep requests to this machine away from a proxy."""
        for name in ("NO_PROXY", "no_proxy"):
            hosts = os.environ.get(name, "")
            if "127.0.0.1" not in hosts.split(","):
                os.environ[name] = f"{hosts},127.0.0.1".lstrip(",")
        return super().start()

    def _primary(self, request: ServerRequest) -> Say | Fault:
        return faults.payment_required() if self.out_of_credit else primary(request)


def demo_config(base_url: str) -> dict[str, Any]:
    """The demo's configuration: the primary reasons, the editor writes `edit` and `write`, a local model without web tools is the fallback.

    Args:
        base_url: Where all three answer.
    """
    # An explicit key, so that a real one from the environment is never sent to this server.
    provider = {"baseUrl": base_url, "apiKey": "loopback", "api": "openai-completions"}
    rules = {tool: {"primary": EDITOR, "handoff": "full"} for tool in ("edit", "write")}
    return {
        "agents": {"defaults": {"model": {"primary": PRIMARY, "fallbacks": [LOCAL], "toolRouting": rules}}},
        "tools": {"byModel": {LOCAL: {"deny": ["web_search", "web_fetch", "browser"]}}},
        "models": {"providers": dict.fromkeys(("kimi", "deepseek", "ollama"), provider)},
    }


def parse_pace(text: str) -> float:
    """Tokens a second.

    Raises:
        ValueError: The text is not a positive number.
    """
    if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) == 0:
        raise ValueError(f"{text!r} is not a number of tokens a second")
    return float(text)


def primary(request: ServerRequest) -> Say:
    """The model that reasons well and copies badly."""
    return _answer(Transcript.of(request), copy_from_memory)


def editor(request: ServerRequest) -> Say:
    """The model that copies well."""
    return _answer(Transcript.of(request), copy_exactly)


def local(request: ServerRequest) -> Say:
    """The small model that takes over; it calls `web_fetch` even if that is not bound."""
    return _answer(Transcript.of(request), copy_from_memory, invents_tools=True)


def _say(text: str, *calls: Call) -> Say:
    return Say(text, list(calls), chunks=CHUNK)


def _answer(transcript: Transcript, copy: Copy, *, invents_tools: bool = False) -> Say:
    if transcript.forced is not None:
        repair = repair_named_in(transcript.words) if transcript.forced == "edit" else None
        arguments = edit_arguments(repair, transcript, copy) if repair is not None else None
        return _say("I do not see what is to be edited.") if arguments is None else _say("", Call("edit", arguments))
    pages = transcript.pages
    link = re.search(r"https?://\S+[\w/]", transcript.task)
    runs = transcript.calls("run_tests")
    if not runs:
        return _say("Let me see what fails.", Call("run_tests"))
    if link is not None and not pages and ("web_fetch" in transcript.tools or invents_tools):
        return _say("The rules are on that page; I look them up.", Call("web_fetch", {"url": link[0]}))
    if runs[-1].text.startswith("GREEN"):
        return _say(_report(transcript, pages[-1] if pages else ""))
    return _mend(transcript, runs[-1].text, copy, no_page=bool(pages) and "not available" in pages[-1])


def _mend(transcript: Transcript, output: str, copy: Copy, *, no_page: bool) -> Say:
    repairs = repairs_for(output)
    if not repairs:
        return _say("The tests fail in a way I have no explanation for.")
    done = {call.path for call in transcript.calls("edit", after="run_tests") if call.replaced}
    left = [repair for repair in repairs if repair.path not in done]
    if not left:
        return _say("Now the tests again.", Call("run_tests"))
    if unread := [repair.path for repair in left if not transcript.calls("read", repair.path)]:
        excuse = "The page is not open to me, so I go by the code. " if no_page else ""
        return _say(f"{excuse}The traces lead to {' and '.join(unread)}.", *(Call("read", {"path": path}) for path in unread))
    return _edit(transcript, left[0], copy)


def _edit(transcript: Transcript, repair: Repair, copy: Copy) -> Say:
    if len(transcript.calls("edit", repair.path, after="read")) >= 2:
        return _say("The text does not match. I read the file again.", Call("read", {"path": repair.path}))
    arguments = edit_arguments(repair, transcript, copy)
    if arguments is None:
        return _say(f"I cannot find `{repair.function}` in {repair.path}.")
    again = f"The old text was not found. I write the edit of `{repair.function}` again."
    return _say(again if transcript.calls("edit", repair.path) else repair.why, Call("edit", arguments))


def _report(transcript: Transcript, page: str) -> str:
    rule = re.search(r"Overtime is counted (by the \w+)", page)
    if rule is not None:
        return f"The page says that overtime is counted {rule[1]}, in however many shifts. That is what `pay` does now."
    count = re.search(r"(\d+) run", transcript.calls("run_tests")[-1].text)
    files = dict.fromkeys(call.path for call in transcript.calls("edit") if call.replaced)
    return f"All {count[1] if count else ''} tests pass. I changed {' and '.join(files) or 'nothing'}."
