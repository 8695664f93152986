"""What the gate costs a chunk: alone, and beside what a real client takes for one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import RunnableBinding
from langchain_openai import ChatOpenAI

from benchmarks.agents import PRIMARY, ROUTED, tools
from benchmarks.report import Report, Table
from benchmarks.rounds import Timing, interleaved
from lg_toolroute.clients.bindings import arguments_schema
from lg_toolroute.gates.gate import Gate, gated
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.testing import Call, FaultServer, Say

CHUNKS, ROUNDS = 400, 15
TEXT = "word "
ARGUMENTS = {"path": "src/app.py", "line": 7, "text": "x" * 4 * CHUNKS}


def text_chunks(count: int) -> list[ChatGenerationChunk]:
    """An answer in words."""
    return [ChatGenerationChunk(message=AIMessageChunk(content=TEXT)) for _ in range(count)]


def call_chunks(count: int) -> list[ChatGenerationChunk]:
    """A call of `edit`, whose arguments come in pieces of four characters."""
    written = json.dumps(ARGUMENTS)
    pieces = [written[at : at + 4] for at in range(0, len(written), 4)][: count - 2]
    pieces[-1] += written[4 * len(pieces) :]
    first = AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name="edit", args="", id="call_1", index=0)])
    rest = [AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=None, args=piece, id=None, index=0)]) for piece in pieces]
    last = ChatGenerationChunk(message=AIMessageChunk(content=""), generation_info={"finish_reason": "tool_calls"})
    return [*(ChatGenerationChunk(message=message) for message in (first, *rest)), last]


def reasoning(names: Sequence[str] = ("read",)) -> ReasonGate:
    """The gate of a reasoning model that is stopped at tools of these names."""
    return ReasonGate("lc_run--1", model=PRIMARY, gates=dict.fromkeys(names, "cut"), bound=["read", "edit"])


def writing() -> WriteGate:
    """The gate of a model that writes a call of `edit`."""
    schema = arguments_schema(tools(2)[1])
    return WriteGate(
        "lc_run--1",
        model=ROUTED,
        tools=("edit",),
        call_ids=("call_1",),
        slots=(0,),
        schemas={"edit": schema},
        exact=False,
        new_id=lambda: "call_2",
    )


def alone(count: int, rounds: int) -> dict[str, Timing]:
    """Times a pass through the gate, a chunk.

    Args:
        count: Chunks in one answer.
        rounds: How often each is run.
    """

    def passing(gate: Callable[[], Gate], chunks: Callable[[int], list[ChatGenerationChunk]]) -> Callable[[], None]:
        made = chunks(count)

        def work() -> None:
            post = gate()
            for chunk in made:
                for _ in post.feed(chunk):
                    continue
            for _ in post.end():
                continue

        return work

    cases = {
        "words": passing(reasoning, text_chunks),
        "a call that stands": passing(reasoning, call_chunks),
        "a call that is written and checked": passing(writing, call_chunks),
    }
    return interleaved(cases, rounds=rounds, units=count)


def beside_a_client(count: int, rounds: int) -> dict[str, Timing]:
    """Times ChatOpenAI over loopback HTTP, without a gate and behind one, a chunk.

    Args:
        count: Chunks in one answer, about.
        rounds: How often each is run.
    """
    answers = {"words": Say(TEXT * count, chunks=len(TEXT)), "call": Say(calls=[Call("edit", {**ARGUMENTS, "text": "x" * 4 * count})], chunks=4)}
    question = [HumanMessage("Go on.")]
    with FaultServer(keep_alive=True) as server:
        for name, say in answers.items():
            server.script(name, [say], loop=True)

        def streaming(name: str, *, behind: bool) -> Callable[[], None]:
            model = ChatOpenAI(**server.client(name))
            bound = model.bind_tools(tools(2)).kwargs  # type: ignore[attr-defined]  # a binding

            def work() -> None:
                chat = gated(model, reasoning()) if behind else model
                for _ in RunnableBinding(bound=chat, kwargs=bound).stream(question):
                    continue

            return work

        cases = {
            f"{name}, {'gated' if behind else 'plain'}": streaming(name, behind=behind) for name in answers for behind in (False, True)
        }
        return interleaved(cases, rounds=rounds, units=count)


def run(quick: bool) -> Report:
    """Times the gate alone and beside a client.

    Args:
        quick: Few chunks, once.
    """
    count, rounds = (20, 1) if quick else (CHUNKS, ROUNDS)
    bare = alone(count, rounds)
    client = beside_a_client(count, max(1, rounds // 2))
    rows = []
    figures = {}
    for name in ("words", "call"):
        plain, behind = client[f"{name}, plain"], client[f"{name}, gated"]
        rows.append((name, plain.best_s * 1e6, behind.best_s * 1e6, behind.ratio / plain.ratio))
        figures[f"gated ÷ plain, {name}"] = behind.ratio / plain.ratio
    figures.update({f"{name}, share of a client's chunk": one.best_s / client["words, plain"].best_s for name, one in bare.items()})
    return Report(
        "gate",
        "what does the gate cost a chunk?",
        [
            Table(f"The gate alone, {count} chunks an answer", ("", "µs a chunk"), tuple((name, one.best_s * 1e6) for name, one in bare.items())),
            Table("ChatOpenAI over loopback HTTP, the server's work included", ("", "plain, µs a chunk", "gated, µs a chunk", "ratio"), tuple(rows)),
        ],
        figures,
        notes=["Words go through at once; a call is held until it is whole, and then shown as one chunk, which spares LangChain the pieces."],
    )
