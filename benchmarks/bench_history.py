"""What adapting a history costs, and what it leaves of the providers' prompt caches.

Run it with `python -m benchmarks.bench_history`. Times are the best of several rounds of one process. Prefixes are measured on the
requests that the real clients send over loopback, in bytes of the messages as they arrived.
"""

from __future__ import annotations

import json
import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.tool import tool_call

from lg_toolroute.history import Target, adapt, target_of
from tests.support.provider_rules.providers import PROVIDERS, Answer, Provider
from tests.support.provider_rules.stories import Studio

MESSAGES = 100
TURNS = 8
LIMITS = {"fast_us": 250.0, "slow_us": 2_000.0}
"""What was promised, for 100 messages."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured for one case.

    Attributes:
        case: The history and its reader.
        microseconds: One call of `adapt`.
        limit: What was promised, in microseconds.
    """

    case: str
    microseconds: float
    limit: float

    @property
    def kept(self) -> bool:
        return self.microseconds <= self.limit


@dataclass(frozen=True, slots=True)
class Prefix:
    """How much of one request the next one to the same provider repeats.

    Attributes:
        primary: Who reasons.
        routed: Who writes the calls.
        primary_lost: The most bytes of one of the primary's requests that its next one did not begin with.
        routed_lost: The same for the routed model's history; what follows it, the words so far and the instruction, is transient.
        bytes_sent: The size of the primary's last request.
    """

    primary: str
    routed: str
    primary_lost: int
    routed_lost: int
    bytes_sent: int


def history(make: Callable[[int], AIMessage], length: int = MESSAGES) -> list[BaseMessage]:
    """Give a coding session: a question, three calls with results, an answer, again and again."""
    messages: list[BaseMessage] = [SystemMessage("You edit files.")]
    number = 0
    while len(messages) < length:
        messages.append(HumanMessage(f"Change file {number}."))
        for _ in range(3):
            number += 1
            call = make(number)
            messages += [call, ToolMessage("ok", tool_call_id=call.tool_calls[0]["id"], name="edit")]
        messages.append(AIMessage("Done."))
    del messages[length - 1 :]
    while not isinstance(messages[-1], (ToolMessage, HumanMessage)):
        messages.pop()
    return messages


def _openai(number: int) -> AIMessage:
    metadata = {"model_provider": "openai", "model_name": "gpt-4o-2024-08-06"}
    return AIMessage(
        "", tool_calls=[tool_call(name="edit", args={"path": "a.py"}, id=f"call_{number:024d}")],
        response_metadata=metadata, additional_kwargs={"refusal": None},
    )  # fmt: skip


def _claude(number: int) -> AIMessage:
    content: list[str | dict[str, Any]] = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "text", "text": "Editing."},
        {"type": "tool_use", "id": f"toolu_{number:024d}", "name": "edit", "input": {"path": "a.py"}},
    ]
    calls = [tool_call(name="edit", args={"path": "a.py"}, id=f"toolu_{number:024d}")]
    return AIMessage(content, tool_calls=calls, response_metadata={"model_provider": "anthropic", "model_name": "claude-sonnet-4-6"})


def _long_ids(number: int) -> AIMessage:
    content: list[str | dict[str, Any]] = [
        {"type": "reasoning", "id": f"rs_{number}", "summary": []},
        {"type": "text", "text": "Editing.", "id": f"msg_{number}", "annotations": []},
    ]
    calls = [tool_call(name="edit", args={"path": "a.py"}, id=f"call_{number:024d}|fc_{number:024d}")]
    return AIMessage(content, tool_calls=calls, response_metadata={"model_provider": "openai", "model_name": "gpt-5.4", "id": f"resp_{number}"})


def costs(rounds: int = 7) -> list[Cost]:
    """Time both paths: nothing to adapt, and everything to adapt."""
    openai = Target(api="openai-chat", model="gpt-4o", first_party=True, images=True, files=True)
    claude = Target(api="anthropic", model="claude-sonnet-4-6", first_party=True, images=True, tool_images=True, cache_markers=True)
    mistral = Target(api="mistral", model="mistral-large-latest", first_party=True, images=True)
    cases: list[tuple[str, list[BaseMessage], Target, bool]] = [
        ("OpenAI reads its own", history(_openai), openai, True),
        ("Claude reads OpenAI's", history(_openai), claude, True),
        ("Claude reads its own, thinking and all", history(_claude), claude, True),
        ("OpenAI reads Claude's", history(_claude), openai, False),
        ("Mistral reads OpenAI's: every id", history(_openai), mistral, False),
        ("OpenAI Chat reads Responses': every id, every block", history(_long_ids), openai, False),
        ("Mistral reads Responses': every id, every block, every message in two", history(_long_ids), mistral, False),
    ]
    measured = []
    for case, messages, target, fast in cases:
        if (adapt(messages, target) is messages) is not fast:
            raise RuntimeError(f"{case}: it was expected {'not ' if fast else ''}to be adapted")
        loops = 50 if fast else 10
        best = min(timeit.repeat(lambda messages=messages, target=target: adapt(messages, target), number=loops, repeat=rounds)) / loops  # type: ignore[misc]
        measured.append(Cost(case, best * 1e6, LIMITS["fast_us" if fast else "slow_us"]))
    return measured


def _sent(body: dict[str, Any], until: str = "") -> str:
    """Give the messages of a request as text, open at the end; with `until`, only those before the first that holds it."""
    messages = body.get("messages") or body.get("input") or body.get("contents") or []
    if until:
        messages = messages[: next(place for place, message in enumerate(messages) if until in json.dumps(message, ensure_ascii=False))]
    return json.dumps(messages, ensure_ascii=False)[:-1]


def _lost(before: str, now: str) -> int:
    """Give the bytes of `before` that `now` does not begin with."""
    shared = next((place for place, (one, other) in enumerate(zip(before, now, strict=False)) if one != other), min(len(before), len(now)))
    return len(before[shared:].encode())


def prefix(studio: Studio, primary: Provider, routed: Provider, turns: int = TURNS) -> Prefix:
    """Play a session A→B→A and compare each request with the one before it to the same provider."""
    clients = {provider.name: studio.client(provider) for provider in (primary, routed)}
    targets = {name: target_of(client) for name, client in clients.items()}
    messages: list[BaseMessage] = [SystemMessage("You edit files. " * 20), HumanMessage("Change every file.")]
    lost = {"primary": 0, "routed": 0}
    reasoned = handed = ""
    for turn in range(turns):
        sent = _sent(studio.send(primary, clients[primary.name], adapt(messages, targets[primary.name])))
        words = studio.answer(primary, Answer(text=f"File {turn}.", thinking=f"Hm {turn}."))
        studio.minted.forget(primary.model)
        partial = [*messages, AIMessage(words.text), HumanMessage("Now call `edit`, and nothing else.")]
        body = studio.send(routed, clients[routed.name], adapt(partial, targets[routed.name]))
        lost["primary"] = max(lost["primary"], _lost(reasoned, sent))
        lost["routed"] = max(lost["routed"], _lost(handed, _sent(body)))
        reasoned, handed = sent, _sent(body, until=words.text)
        call = studio.answer(routed, Answer(calls=(("edit", {"path": f"{turn}.py"}),)))
        one, two = f"x/{primary.model}", f"y/{routed.model}"
        record = {"tool": "edit", "model": two, "primary": one, "reasoner": one, "calls": {call.tool_calls[0]["id"]: two}}
        landed = words.model_copy(
            update={"tool_calls": call.tool_calls, "response_metadata": {**words.response_metadata, "toolroute": record}}
        )
        messages = [*messages, landed, ToolMessage(f"Edited {turn}.py.", tool_call_id=call.tool_calls[0]["id"], name="edit")]
    return Prefix(primary.name, routed.name, lost["primary"], lost["routed"], len(reasoned.encode()))


def prefixes(turns: int = TURNS) -> list[Prefix]:
    """Measure every ordered pair of providers."""
    studio = Studio()
    try:
        return [prefix(studio, primary, routed, turns) for primary in PROVIDERS for routed in PROVIDERS if primary is not routed]
    finally:
        studio.close()


def report(measured: list[Cost], pairs: list[Prefix]) -> str:
    """Write both tables."""
    lines = [f"| {MESSAGES} messages | µs | promised |", "|---|---|---|"]
    lines += [f"| {cost.case} | {cost.microseconds:.0f} | {cost.limit:.0f} |" for cost in measured]
    worst = max(pairs, key=lambda pair: max(pair.primary_lost, pair.routed_lost))
    lines += [
        "",
        f"{len(pairs)} pairs of primary and routed model, {TURNS} routed turns each, requests of up to "
        f"{max(pair.bytes_sent for pair in pairs)} bytes.",
        f"Bytes of a request that the next one to the same provider does not begin with: at most {max(worst.primary_lost, worst.routed_lost)}.",
        "",
        "| primary | lost of the primary's, in bytes | lost of the routed model's, in bytes |",
        "|---|---|---|",
    ]
    for provider in PROVIDERS:
        own = [pair for pair in pairs if pair.primary == provider.name]
        lines.append(f"| {provider.name} | {max(pair.primary_lost for pair in own)} | {max(pair.routed_lost for pair in own)} |")
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and say whether what was promised was kept."""
    measured, pairs = costs(), prefixes()
    print(report(measured, pairs))
    return 0 if all(cost.kept for cost in measured) and not any(pair.primary_lost or pair.routed_lost for pair in pairs) else 1


if __name__ == "__main__":
    sys.exit(main())
