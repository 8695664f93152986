"""What routing does with each provider, against servers as strict as they are; each cell of the table in `docs/providers.md` is written by its test.

A test is one cell on one surface, consumed in one way; all of them have to measure the same. `make test` runs one for each cell, `--whole` all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any, TypeVar

import pytest

from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.testing import Call, Fault, Say, ServerRequest, faults
from lg_toolroute.testing.fault_server import dialect_of
from tests.support.claude.prompt_cache import blocks, plain
from tests.support.documented import check_row, check_table, rows_of
from tests.support.one_turn import SURFACES
from tests.support.strict_providers import (
    ARGS,
    DEEPSEEK,
    KIMI,
    PLAIN,
    ROWS,
    WAYS,
    World,
    answer,
    conversation,
    is_instructed,
    record,
    sent,
    turn,
    written_by,
)

PAGE, TABLE = "providers.md", "providers"
COLUMNS = ("served as", "forcing", "history", "cut", "writing", "cache")
RUNS = list(product(SURFACES, WAYS))
SILENCE_S = 10.0
READ, DROPPED = [Call("read", ARGS)], [Call("edit", {"path": "dropped" * 9})]
Test = TypeVar("Test", bound=Callable[..., None])


def of_each_model(test: Test) -> Test:
    """A test of one column: of each model, on every surface, in every way of consuming it."""
    axes = (pytest.mark.parametrize("run", RUNS, ids="-".join), pytest.mark.parametrize("spec", ROWS), pytest.mark.matrix(one_in=len(RUNS)))
    for mark in axes:
        test = mark(test)
    return test


def check_cell(spec: str, column: str, cell: str) -> None:
    """A cell of the table is what was measured."""
    row, place = rows_of(PAGE, TABLE)[f"`{spec}`"], COLUMNS.index(column)
    check_row(PAGE, TABLE, f"`{spec}`", [*row[:place], cell, *row[place + 1 :]])


def partner(spec: str) -> str:
    """A model of another provider, which thinks and wants its thoughts back."""
    return KIMI if ROWS[spec].profile == "deepseek-v4" else DEEPSEEK


def says(*steps: Say) -> Callable[[ServerRequest], Say]:
    """These steps, one a request; to the instruction, the call that it asks for."""
    left = iter(steps)
    return lambda request: answer(request) if is_instructed(request) else next(left)


def test_the_table_has_a_row_for_every_model():
    """Written by their own tests are the cells behind the first two."""
    known = rows_of(PAGE, TABLE)
    rows = {f"`{spec}`": [f"`{row.profile}`", *known.get(f"`{spec}`", [""] * len(COLUMNS))[1:]] for spec, row in ROWS.items()}
    lines = [f"| {' | '.join([first, *others])} |" for first, others in rows.items()]
    runs = len(ROWS) * (len(COLUMNS) - 1) * len(RUNS)
    head = [f"| model | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    check_table(PAGE, TABLE, "\n".join([*head, *lines, "", f"{runs:,} runs, each a test."]))


@of_each_model
def test_a_writer_is_asked_twice_at_most_the_first_time_and_once_afterwards(spec: str, run: tuple[str, str]):
    """The cell: the rung on which it lands, and the requests that this took, the first time and then."""
    other, asked = PLAIN if spec != PLAIN else KIMI, []
    with World(other, spec) as world:
        router = world.router({"model": other, "toolRouting": {"edit": {"primary": spec}}})
        for extra in (ROWS[spec].extra, 0):
            before = len(world.server.requests)
            assert written_by(turn(router, other, *run)) == spec
            asked.append(world.asked(spec, before))
            assert [sent(request) for request in asked[-1]] == ["name"] * extra + [ROWS[spec].rung]
            assert asked[-1][-1].tools == ("edit",)
    check_cell(spec, "forcing", f"`{sent(asked[-1][-1])}`: {len(asked[0])}, then {len(asked[1])}")


@of_each_model
def test_a_primary_and_a_writer_of_another_provider_read_what_the_other_one_wrote(spec: str, run: tuple[str, str]):
    """Both write words and calls into one thread, and think. The cell: how many requests of the two were refused."""
    writer = partner(spec)
    primary_says = says(Say("I read it.", READ), Say("I mend it.", DROPPED), Say("Once more.", DROPPED), Say("And this.", DROPPED))
    writer_says = says(Say("It is mended, but I look again.", READ), Say("That is all."), Say("Now it is all."))
    with World(spec, writer, answers={spec: primary_says, writer: writer_says}) as world:
        router = world.router({"model": spec, "toolRouting": {"edit": {"primary": writer, "moments": ["call", "result"]}}})
        messages = conversation(router, spec, *run, "Fix it.", "Go on.")
        assert [message.text for message in messages if message.type == "ai"][-1] == "Now it is all."
        requests = world.server.requests
        refused = [request.refused_by for request in requests if request.status != 200]
        assert not refused
        assert (len(world.asked(spec)), len(world.asked(writer))) == (4, 6)
    check_cell(spec, "history", f"{len(refused)} of {len(requests)} refused")


def silent_behind_the_name(request: ServerRequest) -> Fault:
    """A stream that goes silent right behind the event with the name of the tool: a client that waits for more waits for good."""
    dialect, say = dialect_of(request.path), Say("Let me fix that.", DROPPED, chunks=4)
    assert dialect is not None
    assert request.voice is not None
    events, _ = dialect.events(request.voice.spoken(say), ["call_1"], request)
    named = next(place for place, event in enumerate(events) if b'"edit"' in event)
    return faults.stall(after_chunks=named + 1, say=say)


@of_each_model
def test_the_stream_of_a_primary_is_closed_at_the_chunk_that_names_the_tool(spec: str, run: tuple[str, str]):
    """The cell: the chunk at which the client hung up, and how many the answer has."""
    writer = partner(spec)
    with World(spec, writer, answers={spec: silent_behind_the_name}) as world:
        limits = {"firstTokenS": SILENCE_S, "idleS": SILENCE_S}
        router = world.router({"model": spec, "toolRouting": {"edit": {"primary": writer}}, "timeouts": limits})
        message = turn(router, spec, *run)
        assert written_by(message) == writer
        assert [(each["model"], each["outcome"]) for each in record(message)["attempts"]] == [(spec, "cut"), (writer, "answered")]
        assert record(message)["attempts"][0]["latency_s"] < SILENCE_S, "the client waited until it gave up on the silence"
        (request,) = world.asked(spec)
        request.wait()
        assert request.disconnected_at is not None
        assert request.disconnected_at < request.chunks_total
    check_cell(spec, "cut", f"{request.disconnected_at} of {request.chunks_total}")


@of_each_model
def test_a_writers_call_lands_and_is_mended_when_it_answers_with_words(spec: str, run: tuple[str, str]):
    """The cell: how many calls landed, and how many of them were mended, each with one more request."""
    other, first = PLAIN if spec != PLAIN else KIMI, [True]

    def words_first(request: ServerRequest) -> Any:
        return Say("Here is the edit.") if first and first.pop() else answer(request)

    with World(other, spec, answers={spec: words_first}) as world:
        router = world.router({"model": other, "toolRouting": {"edit": {"primary": spec}}})
        for _ in range(2):
            message = turn(router, other, *run)
            assert written_by(message) == spec
            assert "Here is" not in message.text
        counts = router.health.calls_of(spec, "edit")
        assert counts == CallCounts(2, mended=1)
        assert len([request for request in world.asked(spec) if request.status == 200]) == 3
    check_cell(spec, "writing", f"{counts.calls - counts.failed} of {counts.calls}, {counts.mended} mended")


@of_each_model
def test_each_request_to_a_model_begins_with_what_was_stored_at_the_one_before(spec: str, run: tuple[str, str]):
    """The cell: of how many requests that is so, as primary and as writer; of a Claude that writes, how many breakpoints stand where that ends."""
    begins, marked = [], []
    for primary, writer in ((spec, partner(spec)), (partner(spec), spec)):
        steps = says(Say("I read it.", READ), Say("I mend it.", DROPPED), Say("", DROPPED), Say("Done."), Say("Again.", DROPPED), Say("Done."))
        with World(primary, writer, answers={primary: steps}) as world:
            router = world.router({"model": primary, "toolRouting": {"edit": {"primary": writer}}})
            conversation(router, primary, *run, "Fix it.", "Go on.")
            requests = [request for request in world.asked(spec) if request.status == 200]
        assert len(requests) == (6 if spec == primary else 3)
        begins += [parts(then)[: len(stored(first))] == stored(first) for first, then in pairwise(requests)]
        if spec == writer and ROWS[spec].profile.startswith("claude"):
            marked = [last_breakpoint(request) == len(stored(request)) - 1 for request in requests]
    assert all([*begins, *marked])
    check_cell(spec, "cache", f"{sum(begins)} of {len(begins)}" + (f", breakpoint {sum(marked)} of {len(marked)}" if marked else ""))


def stored(request: ServerRequest) -> list[str]:
    """The parts of a request without what is not stored: the instruction, and before it the words of the turn under way."""
    found = parts(request)
    if is_instructed(request):
        found.pop()
        if json.loads(found[-1])["role"] == "assistant":
            found.pop()
    return found


def parts(request: ServerRequest) -> list[str]:
    """A request in the order in which a prompt is made of it, as JSON without cache markers."""
    return [json.dumps(plain(part), ensure_ascii=False) for part in marked_parts(request)]


def marked_parts(request: ServerRequest) -> list[Any]:
    """Tools, system prompt, messages; Claude's messages block by block, because its client joins neighbours."""
    head = [request.body["tools"], blocks(request.body.get("system"))]
    if not request.path.endswith("/messages"):
        return [*head, *request.messages]
    return [*head, *({"role": message["role"], "block": block} for message in request.messages for block in blocks(message["content"]))]


def last_breakpoint(request: ServerRequest) -> int:
    """The last part of a request with a cache marker."""
    return max(place for place, part in enumerate(marked_parts(request)) if '"cache_control"' in json.dumps(part))
