"""One agent at work in one folder, shown while it runs and counted: which model wrote what, why, and whether it helped."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from lg_toolroute.demo.folder import Folder, TestRun
from lg_toolroute.demo.screen import Screen, call_text, counted, short

EDITS = frozenset({"edit", "write"})
NOT_RUN = TestRun(green=False, summary="not run", output="")
_SAME = 12
"""Characters that are shown of a beginning that two lines share."""


@dataclass(slots=True)
class Tally:
    """What a session took and what it achieved.

    Attributes:
        turns: AI messages.
        edits: Calls of `edit` and `write`.
        failed_edits: Those of them that changed nothing.
        read: Tokens of input by model.
        written: Tokens of output by model.
        briefs: About how many tokens each brief held that a writer was sent, and how many the whole history would have held.
        estimated: The models whose tokens are partly estimated, because a stream that is cut reports no usage.
        saved_tokens: Tokens that the primary did not write, because its stream was cut.
        seconds: How long it took.
        gave_up: It was stopped after its last turn.
        tests: The test run after it.
    """

    turns: int = 0
    edits: int = 0
    failed_edits: int = 0
    read: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    briefs: list[tuple[int, int]] = field(default_factory=list)
    estimated: set[str] = field(default_factory=set)
    saved_tokens: int = 0
    seconds: float = 0.0
    gave_up: bool = False
    tests: TestRun = NOT_RUN


@dataclass(slots=True)
class Session:
    """Runs an agent and shows it on the screen.

    Attributes:
        agent: The graph.
        folder: Where it works.
        screen: Where it is shown.
        primary: The model that reasons unless it fails.
        max_turns: AI messages for one message of the user; then the agent is stopped.
        on_turn: Called after each AI message, with its number.
        describe: A line about a model that takes over.
        reasoner: The model that reasons now.
        tally: Counts all messages of the user together.
    """

    agent: CompiledStateGraph[Any, Any, Any, Any]
    folder: Folder
    screen: Screen
    primary: str
    max_turns: int
    on_turn: Callable[[int], None] = lambda number: None
    describe: Callable[[str], str] = lambda model: ""
    reasoner: str = field(init=False)
    tally: Tally = field(default_factory=Tally, init=False)
    _chunks: list[AIMessageChunk] = field(default_factory=list, init=False)
    _unanswered: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.reasoner = self.primary
        self.screen.colour(self.primary)

    def ask(self, task: str) -> Tally:
        """Sends one message of the user and shows all that follows from it.

        Raises:
            ChainExhausted: No model is left.
        """
        started = time.monotonic()
        limit = self.tally.turns + self.max_turns
        self.screen.line("you", task, style="bold")
        # A turn takes at most the steps route, policy and model, these again for a handoff, a fallback for each candidate, and the tools.
        config: RunnableConfig = {"configurable": {"thread_id": "demo"}, "recursion_limit": 25 * self.max_turns}
        stream: Any = self.agent.stream({"messages": [("user", task)]}, config, stream_mode=["messages", "custom"])
        try:
            for mode, item in stream:
                if mode == "custom":
                    self._show_event(item)
                elif isinstance(item[0], AIMessageChunk):
                    self._chunks.append(item[0])
                    if item[0].text:
                        self.screen.words(self.reasoner, item[0].text)
                elif isinstance(item[0], ToolMessage):
                    self._show_result(item[0])
                    if self.tally.turns >= limit and not self._unanswered:
                        self.tally.gave_up = True
                        break
        finally:
            self.screen.end_line()
            stream.close()
        self.tally.tests = self.folder.run_tests()
        self.tally.seconds += time.monotonic() - started
        if self.tally.gave_up:
            self.screen.line("", f"stopped after {counted(self.tally.turns, 'turn')}", style="bold red")
        return self.tally

    def _show_event(self, event: Any) -> None:
        bad, cut = self.screen.marks["bad"], self.screen.marks["cut"]
        match event:
            case {"type": "toolroute", "event": "ask", "tool": None, "model": model, "skipped": skipped}:
                self._show_reasoner(model, skipped)
            case {"type": "toolroute", "event": "attempt"}:
                if event["usage"] is not None:
                    self.tally.read[event["model"]] += event["usage"].get("input_tokens", 0)
                    self.tally.written[event["model"]] += event["usage"].get("output_tokens", 0)
                    if event["usage_estimated"]:
                        self.tally.estimated.add(event["model"])
                if event["outcome"] == "answered" and (handoff := event.get("handoff", {})).get("kind") == "brief":
                    self.tally.briefs.append((handoff["tokens"], handoff["history_tokens"]))
                if event["outcome"] == "failed":
                    self.screen.line(event["model"], f"{bad} {event['reason']}: {event['detail']}", style="red")
            case {"type": "toolroute", "event": "handoff", "from": model, "tool": tool, "rule": rule, "chain": chain, "fixed": fixed}:
                place = f"in the call of {tool!r}, behind its {' and '.join(fixed)}" if fixed else f"at the name {tool!r}"
                self.screen.line(model, f"{cut} cut {place}: rule {rule!r} hands the call to {short(chain[0])}", style="yellow")
            case {"type": "toolroute", "event": "denied", "model": model, "tool": tool, "why": why}:
                self.screen.line("policy", f"{bad} {short(model)} may not run {tool!r}: {why}", style="yellow")
            case {"type": "toolroute", "event": "landed", "record": record}:
                self._show_calls(record)

    def _show_reasoner(self, model: str, skipped: Sequence[Mapping[str, Any]]) -> None:
        if model == self.reasoner:
            return
        self.reasoner = model
        self.screen.colour(model)
        why = "; ".join(f"{short(skip['model'])} {skip['why']}" for skip in skipped)
        takes_over = f"takes over, because {why}" if why else "takes over"
        self.screen.line(model, "is back" if model == self.primary else takes_over, style="bold")
        if line := self.describe(model):
            self.screen.line("", line, style="dim")

    def _show_calls(self, record: Mapping[str, Any]) -> None:
        self.tally.turns += 1
        self.tally.saved_tokens += record["saved_output_tokens"]
        usages = {attempt["model"]: attempt["usage"] for attempt in record["attempts"] if attempt["outcome"] == "answered"}
        message = self._chunks[0] + self._chunks[1:] if self._chunks else AIMessageChunk(content="")
        self._chunks = []
        for call in (*message.tool_calls, *message.invalid_tool_calls):
            name, args = call["name"] or "", call["args"] if isinstance(call["args"], dict) else {"arguments": call["args"]}
            self._unanswered[call["id"] or ""] = (name, args)
            writer = record["calls"].get(call["id"], record["reasoner"])
            usage = usages.get(writer) if name in EDITS else None
            self.screen.colour(writer)
            tokens = f"  {usage['output_tokens']} tokens" if usage else ""
            self.screen.line(writer, f"{self.screen.marks['call']} {call_text(name, args)}{tokens}")
        self.on_turn(self.tally.turns)

    def _show_result(self, message: ToolMessage) -> None:
        name, args = self._unanswered.pop(message.tool_call_id, (message.name or "tool", {}))
        failed = message.status == "error"
        if name in EDITS:
            self.tally.edits += 1
            self.tally.failed_edits += failed
        lines = message.text.splitlines() or [""]
        shown = f"{args.get('path', '')}, {len(lines)} lines" if name == "read" and not failed else lines[0]
        bad = failed or shown.startswith("RED")
        self.screen.line(name, f"{self.screen.marks['bad' if bad else 'ok']} {shown}", style="red" if bad else "green")
        wrong = self.folder.mismatch(str(args.get("path", "")), str(args.get("old_text", ""))) if name == "edit" and failed else None
        if wrong is not None:
            for label, line in zip(("the file:", "written: "), comparable(*wrong), strict=True):
                self.screen.line("", f"{label} {line}", style="dim", crop=True)


def comparable(*lines: str) -> list[str]:
    """The lines without indentation and most of a beginning that they share; if they differ in indentation alone, with a dot for each space of it."""
    bare = [line.strip() for line in lines]
    if len(set(bare)) > 1:
        same = next((place for place, (one, *others) in enumerate(zip(*bare, strict=False)) if {one} != {*others}), 0)
        return [f"…{line[same - _SAME :]}" for line in bare] if same > 2 * _SAME else bare
    return [f"{'·' * (len(line) - len(line.lstrip()))}{line.lstrip()}" for line in lines]
