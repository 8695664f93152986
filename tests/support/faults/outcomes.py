"""One row of the fault table: what a fault does to a run, wherever it strikes and however the run is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

from lg_toolroute.core.failures.failure import BAD_ANSWER, INCAPABLE, TRANSIENT
from lg_toolroute.testing import Fault, ServerRequest
from tests.support.faults.lanes import Lanes
from tests.support.faults.story import ASIDE, DROPPED, EDIT, PRIMARY, RAN, READ, SECOND, SPARE, TEXTS, WRITER, Answer, Run, failing, stage
from tests.support.faults.ways import STREAMED, WAYS, Seen, agent

REASONING, WRITING = "reasoning", "writing"
TIMEOUT_S = 1.0
"""How long a silent model is waited for where the fault is silence."""

CALLS = ([("read", READ)], [("edit", EDIT)], [])
SAME_MODEL_GOES_ON = {"wrong_arguments", "unknown_tool"}
"""While a model reasons these are calls that the tool node refuses, in words that the model can act on."""


@dataclass(frozen=True)
class Cell:
    """One way to meet a fault: while the primary reasons, or while a call is written; on a surface; invoked or streamed."""

    name: str
    fault: Fault
    role: str
    surface: str
    way: str

    @property
    def streamed(self) -> bool:
        """Whether the answer with the fault is streamed: a reasoning model always is, as long as a routed tool is bound."""
        return self.role == REASONING or self.way in STREAMED

    @property
    def refused_by_the_tool(self) -> bool:
        if self.role == WRITING:
            return False
        return self.name == "wrong_arguments" or (self.name == "unknown_tool" and self.surface != "chat model")

    @property
    def cls(self) -> str | None:
        """The failure class that is to be recorded."""
        if self.name == "reset_after_last_chunk" and self.streamed:
            return None  # the answer was complete
        if self.role == REASONING and (self.refused_by_the_tool or self.name in {"text_instead", "content_filter"}):
            return None  # an answer like another: no call was forced; a refusal is an answer too
        return self.fault.expected(streamed=self.streamed)

    def answers(self) -> dict[str, Answer]:
        if self.role == REASONING:
            return {PRIMARY: failing(self.fault, _nothing_done)}
        return {WRITER: failing(self.fault, lambda request: stage(request) == 1)}

    def __str__(self) -> str:
        return f"{self.name} while {self.role}, {self.surface}, {self.way}"


def _nothing_done(request: ServerRequest) -> bool:
    return not any(message.get("role") == "tool" for message in request.messages)


@dataclass
class Outcome:
    """What became of a cell.

    Attributes:
        wrong: What should be otherwise; empty if it ended right.
        attempts: The attempts of the turn with the fault, in words.
        health: The health of the model after its failure, in words.
    """

    cell: Cell
    wrong: list[str] = field(default_factory=list)
    attempts: str = ""
    health: str = ""


async def play(lanes: Lanes, cell: Cell) -> Outcome:
    """Run a cell and look at everything that can be seen of it."""
    out = Outcome(cell)
    async with lanes.lane(TIMEOUT_S if cell.fault.needs_timeout else 60.0) as lane:
        run = lane.begin(cell.answers())
        try:
            seen = await WAYS[cell.way](agent(run, cell.surface))
        except Exception as error:  # what it is, is the question
            _look_at_error(out, error)
        else:
            _look_at_run(out, run, seen)
        _look_at_health(out, run)
    return out


def _look_at_error(out: Outcome, error: Exception) -> None:
    if out.cell.cls != "content_policy":
        out.wrong.append(f"it ended with {type(error).__name__}: {error}")
    causes = getattr(error, "exceptions", None)
    if causes is not None:
        if [cause.reason for cause in causes] != ["content_policy"]:
            out.wrong.append(f"causes {causes}")
        if causes[0].__cause__ is None:
            out.wrong.append("the client's exception is lost")
    out.attempts = "the refusal is raised, no other model is asked"


def _look_at_run(out: Outcome, run: Run, seen: Seen) -> None:
    cell = out.cell
    said = [message for message in seen.messages if isinstance(message, AIMessage)]
    if cell.cls == "content_policy":
        out.wrong.append("a refusal was not raised")
    ends_at_once = cell.role == REASONING and cell.name in {"text_instead", "content_filter"}
    extra = 1 if cell.refused_by_the_tool else 0
    expected = [said[0].text] if ends_at_once else [*([said[0].text] * extra), *TEXTS]
    if [message.text for message in said] != expected:
        out.wrong.append(f"it said {[message.text for message in said]}")
    if not ends_at_once:
        calls = [[(call["name"], call["args"]) for call in message.tool_calls] for message in said[extra:]]
        if calls != list(CALLS):
            out.wrong.append(f"it called {calls}")
        if run.ran != RAN:
            out.wrong.append(f"tools ran: {run.ran}")
    if any(message.invalid_tool_calls for message in said):
        out.wrong.append("an invalid call was stored")
    ids = [message.id for message in said]
    if len(set(ids)) != len(ids) or None in ids:
        out.wrong.append(f"message ids {ids}")
    if DROPPED in repr(seen) or ASIDE in repr(seen):
        out.wrong.append("something was shown that is not part of the answer")
    if cell.way in STREAMED:
        out.wrong.extend(differences(seen.chunks, said))
    turn = 0 if cell.role == REASONING else 1
    if turn < len(said):
        _look_at_attempts(out, run, said[turn])


def differences(chunks: Sequence[AIMessageChunk], said: Sequence[AIMessage]) -> Iterable[str]:
    """Where what was streamed is not what is stored: one message a turn, its text and its calls once, none torn."""
    turns = [list(group) for _, group in groupby(chunks, key=lambda chunk: chunk.id)]
    if [turn[0].id for turn in turns] != [message.id for message in said]:
        yield f"streamed ids {[turn[0].id for turn in turns]}, stored {[message.id for message in said]}"
        return
    for turn, message in zip(turns, said, strict=True):
        whole = turn[0]
        for chunk in turn[1:]:
            whole = whole + chunk
        if whole.text != message.text:
            yield f"streamed {whole.text!r}, stored {message.text!r}"
        streamed = [(call["id"], call["name"], call["args"]) for call in whole.tool_calls]
        stored = [(call["id"], call["name"], call["args"]) for call in message.tool_calls]
        if streamed != stored or whole.invalid_tool_calls:
            yield f"streamed calls {streamed} {whole.invalid_tool_calls}, stored {stored}"


def _look_at_attempts(out: Outcome, run: Run, message: AIMessage) -> None:
    cell, cls = out.cell, out.cell.cls
    record: dict[str, Any] = message.response_metadata["toolroute"]
    attempts = [(run.role(a["model"]), a["outcome"], a["reason"]) for a in record["attempts"]]
    struck, following = (PRIMARY, SPARE) if cell.role == REASONING else (WRITER, SECOND)
    expected: list[tuple[str, str, str]] = [] if cell.role == REASONING else [(PRIMARY, "cut", "")]
    asked_again = cls in BAD_ANSWER or (cls == "parameter_refused" and cell.role == WRITING)  # there the refused choice is ours
    tries = 0 if cls is None else 2 if asked_again else 1
    expected.extend([(struck, "failed", str(cls))] * tries)
    expected.append((following if tries else struck, "answered", ""))
    if attempts != expected:
        out.wrong.append(f"attempts {attempts}, not {expected}")
    asked = len([request for request in run.asked(struck) if stage(request) == (0 if cell.role == REASONING else 1)])
    if not cell.refused_by_the_tool and asked != max(tries, 1):
        out.wrong.append(f"{struck} was asked {asked} times")
    out.attempts = {0: "it is the answer", 1: "next candidate", 2: "asked once more, then the next candidate"}[tries]
    if cell.refused_by_the_tool:
        out.attempts = "the tool refuses, the model goes on"


def _look_at_health(out: Outcome, run: Run) -> None:
    cls = out.cell.cls
    struck = run.names[PRIMARY if out.cell.role == REASONING else WRITER]
    notes = [(failed, circuit) for spec, failed, circuit in run.health.notes if spec == struck and failed is not None]
    if {failed for failed, _ in notes} != ({cls} if cls else set()):
        out.wrong.append(f"health was told {[failed for failed, _ in notes]}")
    others = [(spec, failed) for spec, failed, _ in run.health.notes if spec != struck and failed is not None]
    if others:
        out.wrong.append(f"health of others: {others}")
    if not notes or cls is None:
        out.health = "–"
        return
    circuit = notes[-1][1]
    expected = health_after(out.cell)
    out.health = in_words(circuit)
    if out.health != expected:
        out.wrong.append(f"health: {out.health}, not {expected}")


def health_after(cell: Cell) -> str:
    """What section *health* of `docs/failures.md` says of one failure of a model that was healthy."""
    cls = str(cell.cls)
    if cls == "rate_limit":
        return "left alone for 7 s" if cell.name == "rate_limit" else "left alone for 30 s"
    if cls in {"quota", "auth"}:
        return "left alone for 600 s"
    if cls in TRANSIENT:
        return "1 failure in a row"
    if cls in INCAPABLE:
        return "not asked for that for a while"
    if cls in BAD_ANSWER and cell.role == WRITING:
        return "counted for the pair"
    if cls == "parameter_refused" and cell.role == WRITING:
        return "the refusal is remembered"
    return "as before"


def in_words(circuit: dict[str, Any]) -> str:
    """A circuit as the table says it."""
    if circuit["state"] == "open":
        return f"left alone for {circuit['due_in_s']:g} s"
    if circuit["failures_in_a_row"]:
        return f"{circuit['failures_in_a_row']} failure in a row"
    if circuit["incapable"]:
        return "not asked for that for a while"
    if circuit["refused"]:
        return "the refusal is remembered"
    return "counted for the pair" if circuit["bad_answers"] else "as before"
