"""Where in the answer a stream breaks: before its text, inside it, inside a tool's name, inside its arguments, behind the last chunk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import cycle, product

import pytest
from langchain_core.messages import AIMessage

from lg_toolroute import ChainExhausted
from lg_toolroute.core.failures.failure import BAD_ANSWER
from lg_toolroute.runner.requests import CONTINUE
from lg_toolroute.testing import Fault, ServerRequest, faults
from tests.support.faults.lanes import Lanes
from tests.support.faults.outcomes import CALLS, TIMEOUT_S, differences
from tests.support.faults.story import ASIDE, DROPPED, LOOK, PRIMARY, RAN, SPARE, TEXTS, WRITER, failing, plain, stage
from tests.support.faults.ways import STREAMED, SURFACES, WAYS, agent

# The HTTP client leaves the innermost generators of a broken stream to the garbage collector, which may find them at work in another thread.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator.*__aiter__:pytest.PytestUnraisableExceptionWarning")

PLACES = ("start", "text", "name", "args", "end")


def fresh(request: ServerRequest) -> bool:
    return stage(request) == 0


@pytest.mark.matrix(one_in=2)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", faults.MID_STREAM)
async def test_a_stream_that_breaks_anywhere_is_gone_on_with(lanes: Lanes, kind: str, place: str):
    """The words that were shown stay, and the next model goes on behind them; a call that broke off was never there."""
    fault = faults.MID_STREAM[kind](place)
    cells = zip(product((PRIMARY, WRITER), SURFACES), cycle(sorted(STREAMED)), strict=False)
    wrong = await asyncio.gather(*(_wrong(lanes, fault, place, *cell, way) for cell, way in cells))
    assert not any(wrong), "\n".join(filter(None, wrong))


async def _wrong(lanes: Lanes, fault: Fault, place: str, struck: str, surface: str, way: str) -> str:
    at = 0 if struck == PRIMARY else 1
    async with lanes.lane(TIMEOUT_S if fault.needs_timeout else 60.0) as lane:
        run = lane.begin({struck: failing(fault, lambda request: stage(request) == at)})
        seen = await WAYS[way](agent(run, surface))
    said = [message for message in seen.messages if isinstance(message, AIMessage)]
    wrong = list(differences(seen.chunks, said))
    if [message.text for message in said] != list(TEXTS):
        wrong.append(f"it said {[message.text for message in said]}")
    if [[(call["name"], call["args"]) for call in message.tool_calls] for message in said] != list(CALLS) or run.ran != RAN:
        wrong.append(f"tools ran: {run.ran}")
    if DROPPED in repr(seen) or ASIDE in repr(seen):
        wrong.append("something was shown that is not part of the answer")
    attempts = said[at].response_metadata["toolroute"]["attempts"]
    failed = [attempt["reason"] for attempt in attempts if attempt["outcome"] == "failed"]
    if failed != _expected(fault, place):
        wrong.append(f"attempts {failed}")
    if wrong:
        return f"{fault.name} {place} of {struck}, {surface}, {way}: {'; '.join(wrong)}"
    return ""


def _expected(fault: Fault, place: str) -> list[str]:
    if place == "end":
        return []  # the finish reason had come: the answer was whole, whatever became of the connection
    cls = str(fault.expected(streamed=True))
    return [cls, cls] if cls in BAD_ANSWER else [cls]


@pytest.mark.parametrize("place", ["text", "name", "args"])
async def test_the_next_model_is_told_the_words_that_stand_there_and_asked_for_the_rest(lanes: Lanes, place: str):
    async with lanes.lane() as lane:
        run = lane.begin({PRIMARY: failing(faults.reset(place), fresh)})
        await WAYS["astream"](agent(run, "graph"))
        told = run.asked(SPARE)[0].messages[-2:]
    assert [message["role"] for message in told] == ["assistant", "user"]
    assert LOOK.startswith(told[0]["content"])
    assert bool(told[0]["content"])
    assert "Go on exactly where it stops" in told[1]["content"]
    assert "tool_calls" not in told[0]


async def test_a_stream_that_broke_before_its_text_is_begun_anew_without_a_trace(lanes: Lanes):
    async with lanes.lane() as lane:
        run = lane.begin({PRIMARY: failing(faults.reset("start"), fresh)})
        await WAYS["astream"](agent(run, "graph"))
        first, second = run.asked(PRIMARY)[0], run.asked(SPARE)[0]
    assert second.messages == first.messages


@pytest.mark.parametrize("surface", SURFACES)
async def test_an_answer_that_could_not_be_believed_is_mended_by_the_same_model(lanes: Lanes, surface: str):
    """Once, and told what was wrong; then no other model is asked."""
    for fault in (faults.broken_arguments(), faults.length(), faults.eof("args"), faults.empty_answer()):
        async with lanes.lane() as lane:
            tries: list[int] = []

            def once(request: ServerRequest, tries: list[int] = tries) -> bool:
                tries.append(stage(request))
                return tries.count(1) == 1 and tries[-1] == 1

            run = lane.begin({WRITER: failing(fault, once)})
            seen = await WAYS["astream"](agent(run, surface))
            assert [len(run.asked(role)) for role in (WRITER, SPARE)] == [2, 0]
            assert "could not be used" in run.asked(WRITER)[1].last_text
        assert [message.text for message in seen.messages if isinstance(message, AIMessage)] == list(TEXTS)
        assert run.ran == RAN
        assert run.health.inspect()["models"][run.names[WRITER]]["bad_answers"]["edit"]["in_a_row"] == 0


@pytest.mark.parametrize("surface", SURFACES)
async def test_text_that_its_own_limit_cut_off_is_the_answer_when_no_model_adds_anything(lanes: Lanes, surface: str):
    """What was shown is not thrown away because the models that were to go on said nothing."""
    empty = faults.empty_answer()
    async with lanes.lane() as lane:
        run = lane.begin({PRIMARY: _cut_off_then(empty, 2), SPARE: failing(empty, lambda request: stage(request) == 2)})
        seen = await WAYS["astream"](agent(run, surface))
    assert [message.text for message in seen.messages if isinstance(message, AIMessage)] == list(TEXTS)


@pytest.mark.parametrize("surface", SURFACES)
async def test_text_whose_call_was_cut_off_is_no_answer(lanes: Lanes, surface: str):
    """It would end the run without the call, unnoticed."""
    empty = faults.empty_answer()
    async with lanes.lane() as lane:
        run = lane.begin({PRIMARY: _cut_off_then(empty, 0), SPARE: failing(empty, fresh)})
        with pytest.raises(ChainExhausted):
            await WAYS["astream"](agent(run, surface))


def _cut_off_then(fault: Fault, at: int) -> Callable[[ServerRequest], object]:
    """Cut off by the length limit at a stage; when asked to go on, `fault`."""

    def answer(request: ServerRequest) -> object:
        say = plain(request)
        if stage(request) != at:
            return say
        return fault if CONTINUE in request.last_text else faults.length(say)

    return answer
