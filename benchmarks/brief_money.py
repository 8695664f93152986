"""What a routed edit costs with the whole history and with our own briefs, in recorded coding sessions; and how long a brief takes to make.

The bill of a session is that of its primary: every request reads what the one before held from the cache, pays for what is new, and for its output. A
routed call spares the primary the long arguments, and pays its writer for what it is sent and for the arguments. Not counted are the primary's hidden
reasoning, the price of writing into a cache, and calls that stand behind a cut one in the same message and are named again.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from benchmarks.bench_sessions import LETTERS
from benchmarks.report import Table
from lg_toolroute.briefs.built_in import built_in
from lg_toolroute.briefs.known import KnownThreads
from lg_toolroute.briefs.request import BriefRequest, PlannedCall
from lg_toolroute.core.rules.facts import Cost
from lg_toolroute.core.rules.handoff import SIZES, Tokens, choose_handoff
from lg_toolroute.files.tools import FileTool, file_tool

SYSTEM_TOKENS = 20_000
"""What the primary's system prompt and tools take in every request. A writer is sent its own tools alone."""
PRIMARY = Cost(5, 25, 0.5)
WRITERS: Mapping[str, Cost] = {"1 / 5": Cost(1, 5, 0.1), "0.14 / 0.28": Cost(0.14, 0.28, 0.014), "3 / 15": Cost(3, 15, 0.3)}
"""Prices in dollars a million tokens of input and of output; a cache read costs a tenth of the input."""
DESIGNS = ("whole history, cold", "whole history, cached", *(f"{size} brief" for size in SIZES), "auto")

Event = dict[str, Any]


@dataclass(slots=True)
class Routed:
    """One routed call.

    Attributes:
        history: Tokens of the whole history.
        fresh: Those of them that are new since the last routed call of the session.
        briefs: Tokens of a brief, by size; empty where the file is not known, so that the history is sent.
        arguments: Tokens of all arguments, which the writer writes.
        short: Tokens of those that the primary writes all the same, as the file's name.
    """

    history: int
    fresh: int
    briefs: dict[str, int]
    arguments: int
    short: int


@dataclass(slots=True)
class Bill:
    """What the sessions cost unrouted, in dollars, and their routed calls."""

    usd: float = 0.0
    output: int = 0
    routed: list[Routed] = field(default_factory=list)


def tokens(text: str) -> int:
    """About how many tokens a text takes."""
    return len(text) // LETTERS


def follow(events: Sequence[Event], bill: Bill) -> None:
    """Adds one session: what it costs, and its calls of `Edit` and `Write`."""
    threads, tools = KnownThreads(), tools_of(events)
    thread: list[BaseMessage] = []
    held = cached = last_routed = 0
    for said in turns(events):
        if isinstance(said, BaseMessage):
            thread.append(said)
            held += tokens(str(said.content))
            continue
        if said is None:
            thread, held, cached, last_routed = [], 0, 0, 0
            continue
        words, calls = said
        output = tokens(words) + sum(tokens(json.dumps(call["args"])) for call in calls)
        bill.usd += usd(PRIMARY, SYSTEM_TOKENS + held, SYSTEM_TOKENS + cached if cached else 0, output)
        bill.output += output
        known = threads.of(thread, tools)
        for call in calls:
            tool = tools.get(call["name"])
            if tool is None or tool.kind == "read":
                continue
            name = tool.names(call["args"])
            planned = PlannedCall(call["name"], None, {tool.file: name}, None if name is None else known.of(name))
            whole = [] if planned.file is None and tool.kind == "edit" else SIZES
            briefs = {size: built_in(BriefRequest(thread, (planned,)), size, tools).tokens for size in whole}
            short = {key: value for key, value in call["args"].items() if key not in tool.long}
            bill.routed.append(Routed(held, held - last_routed, briefs, tokens(json.dumps(call["args"])), tokens(json.dumps(short))))
            last_routed = held
        thread.append(AIMessage(words, tool_calls=calls))
        held += output
        cached = held


def turns(events: Sequence[Event]) -> Iterator[BaseMessage | tuple[str, list[Any]] | None]:
    """A session as messages of the user and the tools, answers of the model as `(words, calls)`, and `None` where the history begins anew."""
    words: list[str] = []
    calls: list[Any] = []
    for event in events:
        if (words or calls) and ("user" in event or "result" in event):
            yield "\n".join(words), calls
            words, calls = [], []
        if event.get("compacted"):
            yield None
        if "user" in event:
            yield HumanMessage(str(event["user"]))
        elif "say" in event:
            words.append(str(event["say"]))
        elif "call" in event:
            calls.append({"name": event["name"], "args": event["args"], "id": event["call"], "type": "tool_call"})
        elif "result" in event:
            yield ToolMessage(str(event["text"]), tool_call_id=event["result"], name=event["name"], status="error" if event["error"] else "success")
    if words or calls:
        yield "\n".join(words), calls


def tools_of(events: Sequence[Event]) -> dict[str, FileTool]:
    """The file tools of a session."""
    named = {event["name"]: tuple(event["args"]) for event in events if "call" in event}
    return {name: tool for name, arguments in named.items() if (tool := file_tool(name, arguments)) is not None}


def usd(cost: Cost, held: int, cached: int, output: int) -> float:
    """What a request costs, in dollars, with so many of its tokens in the cache."""
    return (cached * (cost.cache_read or 0) + (held - cached) * (cost.input or 0) + output * (cost.output or 0)) / 1_000_000


def net(call: Routed, design: str, writer: Cost) -> tuple[float, int]:
    """What routing one call saves in dollars, and how many tokens the primary is spared."""
    sent, cached = call.history, 0
    size = design.removesuffix(" brief")
    if design == "whole history, cached":
        cached = call.history - call.fresh
    elif size in call.briefs:
        sent = call.briefs[size]
    elif design == "auto" and call.briefs:
        choice = choose_handoff(Tokens(call.history, 0, call.briefs["lean"]), knows=True, cost=writer, primary=PRIMARY)
        sent = call.briefs["lean"] if choice.kind == "brief" else call.history
    wrote = call.short if size in call.briefs or (design == "auto" and call.briefs) else 0
    spared = call.arguments - wrote
    return spared * (PRIMARY.output or 0) / 1_000_000 - usd(writer, sent, cached, call.arguments), spared


def money(bill: Bill) -> tuple[Table, dict[str, float]]:
    """The bill of all sessions with routing, net of the one without, in percent: by design and the writer's prices."""
    figures: dict[str, float] = {}
    rows: list[tuple[Any, ...]] = []
    for design in DESIGNS:
        shares, spared = [], 0
        for name, writer in WRITERS.items():
            found = [net(call, design, writer) for call in bill.routed]
            shares.append(sum(saved for saved, _ in found) / bill.usd)
            spared = sum(tokens for _, tokens in found)
            figures[f"money: {design}, {name}"] = shares[-1]
        rows.append((design, *(f"{share:+.1%}" for share in shares), f"{spared / bill.output:.0%}"))
    sizes = [statistics.median(call.briefs[size] for call in bill.routed if call.briefs) for size in SIZES]
    rows.append(("tokens of a brief, median (lean, mid, rich)", *(f"{size:,.0f}" for size in sizes), ""))
    title = f"{len(bill.routed)} routed calls, a bill of ${bill.usd:,.0f} with a primary at 5 / 0.5 / 25: what is saved of it, by the writer's prices"
    return Table(title, ("what the writer is sent", *WRITERS, "primary's output spared"), rows), figures


def seconds_of_a_brief(messages: int = 400) -> float:
    """The median processor time, in seconds, to make a brief when a thread of so many messages has grown by a call and its result."""
    arguments_of = {"Read": ("file_path",), "Edit": ("file_path", "old_string", "new_string")}
    tools = {name: tool for name, names in arguments_of.items() if (tool := file_tool(name, names)) is not None}
    threads = KnownThreads()
    thread: list[BaseMessage] = [HumanMessage("Rename what is old.")]
    text = "\n".join(f"old_{number} = {number}" for number in range(200))
    took = []
    for number in range(200):
        if number < 20:
            name, arguments, result = "Read", {"file_path": f"m{number}.py"}, text
        else:
            arguments = {"file_path": f"m{number % 20}.py", "old_string": f"old_{number} =", "new_string": f"new_{number} ="}
            name, result = "Edit", "The file has been updated."
        call = {"name": name, "args": arguments, "id": f"c{number}"}
        thread += [AIMessage("On to the next.", tool_calls=[call]), ToolMessage(result, tool_call_id=f"c{number}", name=name)]
        if len(thread) < messages * 9 // 10:
            threads.of(thread, tools)
            continue
        start = time.thread_time()
        known = threads.of(thread, tools)
        planned = PlannedCall("Edit", None, arguments, known.of(arguments["file_path"]))
        built_in(BriefRequest(thread, (planned,)), "mid", tools)
        took.append(time.thread_time() - start)
    return statistics.median(took)
