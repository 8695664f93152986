"""One session of an agent on a folder, shown while it runs and counted: who wrote what, why, and what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from lg_toolroute.demo.folder import Folder, TestRun
from lg_toolroute.demo.screen import Screen, call_text, short

EDITS = frozenset({"edit", "write"})


@dataclass(slots=True)
class Written:
    """What one model wrote.

    Attributes:
        tokens: Tokens of output.
        estimated: Some of them are estimated, because a stream that is cut reports no usage.
    """

    tokens: int = 0
    estimated: bool = False

    def __str__(self) -> str:
        return f"{'≈ ' if self.estimated else ''}{self.tokens:,}"


@dataclass(slots=True)
class Tally:
    """What a session came to.

    Attributes:
        turns: AI messages.
        edits: Calls that were to change a file.
        failed_edits: Those of them that did not.
        refused: Calls that the tool policy refused.
        written: Output by model.
        saved_tokens: Tokens that the primary did not write, because its stream was cut.
        seconds: How long it took.
        gave_up: It ended because it had no turns left.
        tests: How the tests ran after it.
    """

    turns: int = 0
    edits: int = 0
    failed_edits: int = 0
    refused: int = 0
    written: dict[str, Written] = field(default_factory=dict)
    saved_tokens: int = 0
    seconds: float = 0.0
    gave_up: bool = False
    tests: TestRun | None = None


class Session:
    """Runs an agent and shows it.

    Args:
        agent: The graph.
        folder: Where it works.
        screen: Where it is shown.
        primary: The model that reasons, unless it fails.
        max_turns: After so many AI messages it has to stop.
        on_turn: Called after each AI message, with its number.
        about: What is to be said of a model that takes over.
    """

    def __init__(
        self,
        agent: CompiledStateGraph[Any, Any, Any, Any],
        folder: Folder,
        screen: Screen,
        *,
        primary: str,
        max_turns: int,
        on_turn: Callable[[int], None] = lambda number: None,
        about: Callable[[str], str] = lambda model: "",
    ) -> None:
        self.agent = agent
        self.folder = folder
        self.screen = screen
        self.primary = primary
        self.max_turns = max_turns
        self.on_turn = on_turn
        self.about = about
        self.tally = Tally()
        screen.colour(primary)
        self.speaker = primary
        self._calls: dict[int, dict[str, str]] = {}
        self._tools_next = False
        self._answering: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def ask(self, task: str, thread: str = "demo") -> Tally:
        """One message of the user, and all that follows from it.

        Args:
            task: What the user wants.
            thread: The thread, for an agent with a checkpointer.

        Raises:
            ChainExhausted: No model is left.
        """
        started = time.monotonic()
        limit = self.tally.turns + self.max_turns
        self.screen.line("you", task, style="bold")
        # A turn is at most: route, policy, model, and once more for a handoff, and a fallback for each candidate; then the tools.
        config: RunnableConfig = {"configurable": {"thread_id": thread}, "recursion_limit": 25 * self.max_turns}
        stream: Any = self.agent.stream({"messages": [("user", task)]}, config, stream_mode=["messages", "custom"])
        try:
            for mode, item in stream:
                if mode == "custom":
                    self._event(item)
                else:
                    self._message(item[0])
                if self.tally.turns >= limit and self._tools_next and not self._answering:
                    self.tally.gave_up = True
                    break
        finally:
            self.screen.finish()
            stream.close()
        self.tally.tests = self.folder.run_tests()
        self.tally.seconds += time.monotonic() - started
        self._verdict()
        return self.tally

    # -- what the run tells -------------------------------------------------------------------------------------------------------------

    def _event(self, event: Mapping[str, Any]) -> None:
        if event.get("type") != "toolroute":
            return
        handler = {
            "ask": self._asked,
            "attempt": self._attempted,
            "handoff": self._handed_off,
            "landed": self._landed,
            "denied": self._denied,
        }.get(event["event"])
        if handler is not None:
            handler(event)

    def _asked(self, event: Mapping[str, Any]) -> None:
        if event["tool"] is None:
            if event["model"] != self.speaker:
                why = "; ".join(f"{short(skip['model'])} {skip['why']}" for skip in event["skipped"])
                back = event["model"] == self.primary
                self.screen.colour(event["model"])
                self.screen.line(event["model"], "is back" if back else f"takes over{f', since {why}' if why else ''}", style="bold")
                if note := self.about(event["model"]):
                    self.screen.line("", note, style="dim")
            self.speaker = event["model"]

    def _attempted(self, event: Mapping[str, Any]) -> None:
        usage = event["usage"]
        if usage is not None:
            written = self.tally.written.setdefault(event["model"], Written())
            written.tokens += usage.get("output_tokens", 0)
            written.estimated = written.estimated or event["usage_estimated"]
        if event["outcome"] == "failed":
            self.screen.line(event["model"], f"{self.screen.marks['bad']} {event['reason']}: {event['detail']}", style="red")

    def _handed_off(self, event: Mapping[str, Any]) -> None:
        cut = self.screen.marks["cut"]
        text = f"{cut} cut at the name {event['tool']!r}: rule {event['rule']!r} hands the call to {short(event['chain'][0])}"
        self.screen.line(event["from"], text, style="yellow")

    def _landed(self, event: Mapping[str, Any]) -> None:
        record = event["record"]
        self.tally.turns += 1
        self.tally.saved_tokens += record["saved_output_tokens"]
        answered = {attempt["model"]: attempt["usage"] for attempt in record["attempts"] if attempt["outcome"] == "answered"}
        for call in self._calls.values():
            writer = record["calls"].get(call["id"], record["reasoner"])
            args = _parsed(call["args"])
            self._answering[call["id"]] = (call["name"], args)
            usage = answered.get(writer) if call["name"] in EDITS else None
            count = f"  {usage['output_tokens']} tokens" if usage else ""
            self.screen.colour(writer)
            self.screen.line(writer, f"{self.screen.marks['call']} {call_text(call['name'], args)}{count}")
        self._tools_next = bool(self._calls)
        self._calls = {}
        self.on_turn(self.tally.turns)

    def _denied(self, event: Mapping[str, Any]) -> None:
        self.tally.refused += 1
        text = f"{self.screen.marks['bad']} {short(event['model'])} may not run {event['tool']!r}: {event['why']}"
        self.screen.line("policy", text, style="yellow")

    # -- what the models and the tools say ------------------------------------------------------------------------------------------------

    def _message(self, message: Any) -> None:
        if isinstance(message, AIMessageChunk):
            if message.text:
                self.screen.words(self.speaker, message.text)
            for piece in message.tool_call_chunks:
                call = self._calls.setdefault(piece["index"] or 0, {"id": "", "name": "", "args": ""})
                call["id"] = piece["id"] or call["id"]
                call["name"] += piece["name"] or ""
                call["args"] += piece["args"] or ""
        elif isinstance(message, ToolMessage):
            self._result(message)

    def _result(self, message: ToolMessage) -> None:
        name, args = self._answering.pop(message.tool_call_id, (message.name or "tool", {}))
        text = str(message.text)
        failed = message.status == "error"
        if name in EDITS:
            self.tally.edits += 1
            self.tally.failed_edits += failed
        head = text.splitlines()[0] if text else ""
        if name == "read" and not failed:
            head = f"{args.get('path', '')}, {len(text.splitlines())} lines"
        red = failed or head.startswith("RED")
        mark = self.screen.marks["bad" if red else "ok"]
        self.screen.line(name, f"{mark} {head}", style="red" if red else "green")
        wrong = self.folder.mismatch(str(args.get("path", "")), str(args.get("old_text", ""))) if name == "edit" and failed else None
        if wrong is not None:
            for label, line in zip(("the file:", "written: "), with_marks(*wrong), strict=True):
                self.screen.line("", f"{label} {line}", style="dim", crop=True)

    def _verdict(self) -> None:
        if self.tally.gave_up:
            self.screen.line("", f"stopped after {self.tally.turns} turns", style="bold red")


def with_marks(there: str, wrote: str) -> tuple[str, str]:
    """Two lines that differ, so that one sees it also where only the spaces in front do.

    Args:
        there: What stands in the file.
        wrote: What a model took it for.
    """
    if there.strip() != wrote.strip():
        return there.strip(), wrote.strip()
    return tuple(f"{'·' * (len(line) - len(line.lstrip()))}{line.lstrip()}" for line in (there, wrote))  # type: ignore[return-value]


def _parsed(arguments: str) -> Mapping[str, Any]:
    try:
        found = json.loads(arguments or "{}")
    except ValueError:
        return {"arguments": arguments}
    return found if isinstance(found, dict) else {"arguments": found}
