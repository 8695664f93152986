"""A model that stays dead, and a chain in which no model is left."""

from __future__ import annotations

import re

import pytest
from langchain_core.messages import AIMessage

from lg_toolroute import ChainExhausted
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.errors import AttemptFailed, CandidateSkipped
from lg_toolroute.testing import faults
from tests.support.documented import check_table
from tests.support.faults.lanes import Lanes
from tests.support.faults.story import LOOK, PRIMARY, RAN, SECOND, SPARE, WRITER, failing, reasons
from tests.support.faults.ways import SURFACES, WAYS, agent

TURNS = 100
STEP_S = 10.0
"""Seconds between two turns."""


def always(request: object) -> bool:
    return True


async def _requests_of_a_dead_primary(lanes: Lanes, surface: str, name: str) -> int:
    """How often a primary is asked that fails always, in a hundred turns of a thousand seconds."""
    asked = turns = 0
    async with lanes.lane() as lane:
        run = lane.begin({PRIMARY: failing(faults.CATALOGUE[name](), always)})
        # Each turn finds the job begun anew, so it is one turn, and no tool runs in it.
        lane.server.answer(run.names[SPARE].partition("/")[2], lambda request: LOOK)
        while turns < TURNS:
            seen = await WAYS["ainvoke"](agent(run, surface))
            turns += sum(isinstance(message, AIMessage) for message in seen.messages)
            run.clock.now += STEP_S
        asked = len(run.asked(PRIMARY))
        assert turns == TURNS == len(run.asked(SPARE))
    return asked


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_dead_primary_costs_one_failed_call_a_window_and_not_one_a_turn(lanes: Lanes, surface: str):
    """Of 1,000 s: 500 opens after two, then come windows of 30, 60, 120, 240, 300 s; 429 opens at once; 402 is asked at 0 and at 600 s."""
    kinds = ("server_error_500", "payment_required", "rate_limit_no_hint")
    counts = {name: await _requests_of_a_dead_primary(lanes, surface, name) for name in kinds}
    assert counts == {"server_error_500": 2 + 5, "payment_required": 2, "rate_limit_no_hint": 6}
    words = {"server_error_500": "500 each time", "payment_required": "402 each time", "rate_limit_no_hint": "429 without `Retry-After` each time"}
    rows = [f"| {words[name]} | {count} |" for name, count in counts.items()]
    head = f"| in {TURNS} turns, one every {STEP_S:g} s, the primary says | requests it got |"
    check_table("failures.md", "dead", "\n".join([head, "|---|---|", *rows]))


@pytest.mark.parametrize("surface", SURFACES)
async def test_the_primary_is_back_with_the_first_turn_after_its_recovery(lanes: Lanes, surface: str):
    async with lanes.lane() as lane:
        run = lane.begin({PRIMARY: failing(faults.payment_required(), always)})
        await WAYS["ainvoke"](agent(run, surface))
        assert len(run.asked(PRIMARY)) == 1
        books = run.health
        run.begin({}).router.health = books
        run.clock.now += 601.0
        seen = await WAYS["ainvoke"](agent(run, surface))
        assert [message.response_metadata["toolroute"]["reasoner"] for message in seen.messages if isinstance(message, AIMessage)] == [
            run.names[PRIMARY]
        ] * 3
        assert not run.asked(SPARE)


@pytest.mark.parametrize("surface", SURFACES)
async def test_one_error_says_who_failed_and_why_and_when_the_first_is_due_back(lanes: Lanes, surface: str):
    """The causes are the clients' own exceptions; the sentence reads well."""
    async with lanes.lane() as lane:
        out = {PRIMARY: failing(faults.payment_required(), always), SPARE: failing(faults.rate_limit(retry_after=40), always)}
        run = lane.begin(out)
        with pytest.raises(ChainExhausted) as caught:
            await WAYS["ainvoke"](agent(run, surface))
        error = caught.value
        assert [type(cause) for cause in error.exceptions] == [AttemptFailed, AttemptFailed]
        assert [cause.reason for cause in error.exceptions] == ["quota", "rate_limit"]
        assert [cause.__cause__.response.status_code for cause in error.exceptions] == [402, 429]
        assert error.due_in_s == 40.0
        assert str(error).startswith("no model is left to answer: 2 failed, 0 skipped; the first one is due back in 40 s\n")
        text = re.sub(r"/\d+", "/", str(error)).replace("/-", "/")
        check_table("failures.md", "exhausted", f"```text\n{text}\n```")


@pytest.mark.parametrize("surface", SURFACES)
async def test_what_was_skipped_is_said_beside_what_failed(lanes: Lanes, surface: str):
    async with lanes.lane() as lane:
        down = failing(faults.server_error(503), always)
        run = lane.begin(dict.fromkeys((PRIMARY, SECOND), down))
        run.health.report(run.names[WRITER], Failure("model_not_found", "there is no such model", status=404))
        lane.server.answer(run.names[PRIMARY].partition("/")[2], _reasons_but_does_not_write())
        with pytest.raises(ChainExhausted) as caught:
            await WAYS["ainvoke"](agent(run, surface))
    error = caught.value
    assert error.tool == "edit"
    skipped = [cause for cause in error.exceptions if isinstance(cause, CandidateSkipped)]
    assert [(run.role(cause.model), cause.why) for cause in skipped] == [(WRITER, "its provider does not know it")]
    assert [run.role(cause.model) for cause in error.exceptions if isinstance(cause, AttemptFailed)] == [SECOND, PRIMARY]
    assert run.ran == RAN[:1]
    assert "write the call of 'edit'" in str(error)


def _reasons_but_does_not_write():
    return lambda request: faults.server_error(503) if request.forced_tool == "edit" else reasons(request)


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_chain_of_unknown_models_says_so_and_does_not_ask_them_again(lanes: Lanes, surface: str):
    async with lanes.lane() as lane:
        run = lane.begin({role: failing(faults.model_not_found(), always) for role in (PRIMARY, SPARE)})
        for _ in range(3):
            with pytest.raises(ChainExhausted) as caught:
                await WAYS["ainvoke"](agent(run, surface))
        assert [len(run.asked(role)) for role in (PRIMARY, SPARE)] == [1, 1]
        assert caught.value.due_in_s is None
        assert [str(cause).partition(": ")[2] for cause in caught.value.exceptions] == ["skipped: its provider does not know it"] * 2
