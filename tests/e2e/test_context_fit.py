"""A history that does not fit: only larger windows are asked, before the call and when the provider says so after it, and nothing is lost."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from lg_toolroute import ChainExhausted
from lg_toolroute.testing import faults
from tests.support.faults.lanes import Lanes
from tests.support.faults.story import PRIMARY, RAN, SECOND, SPARE, TEXTS, WRITER, Run, failing, named
from tests.support.faults.ways import SURFACES, WAYS, agent

LONG = "word " * 4000
"""About 5,000 tokens."""

OVERFLOWS = failing(faults.context_overflow(), lambda request: True)

ASK = {"messages": [HumanMessage(LONG)]}


def sized(lanes: Lanes, number: str, windows: dict[str, int]) -> Run:
    """An agent whose models have windows of so many tokens; the others' are unknown."""
    settings = {"baseUrl": lanes.server.base_url, "apiKey": "test-key", "api": "openai-completions"}
    providers = {}
    for role in (PRIMARY, SPARE, WRITER, SECOND):
        provider, _, model = named(role, number).partition("/")
        providers[provider] = {**settings, **({"models": [{"id": model, "contextWindow": windows[role]}]} if role in windows else {})}
    return Run(lanes.server, number, providers=providers)


def asked(run: Run) -> list[int]:
    return [len(run.asked(role)) for role in (PRIMARY, SPARE, WRITER, SECOND)]


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_model_whose_window_is_too_small_is_not_asked_and_the_whole_history_reaches_the_next(lanes: Lanes, surface: str):
    run = sized(lanes, f"small-{surface.replace(' ', '-')}", {PRIMARY: 2000, WRITER: 2000, SPARE: 100_000}).begin({})
    seen = await WAYS["ainvoke"](agent(run, surface), ASK)
    assert asked(run) == [0, 3, 0, 1]
    assert [message.text for message in seen.messages if isinstance(message, AIMessage)] == list(TEXTS)
    assert run.ran == RAN
    assert all(request.messages[0]["content"] == LONG for role in (SPARE, SECOND) for request in run.asked(role))
    assert seen.messages[0].content == LONG
    skipped = [message.response_metadata["toolroute"]["skipped"] for message in seen.messages if isinstance(message, AIMessage)]
    assert "its window of 2,000 tokens does not fit about 5," in skipped[0][0]["why"]
    assert run.health.inspect()["models"] == {}, "a small window is no illness"


@pytest.mark.parametrize("surface", SURFACES)
async def test_after_an_overflow_only_larger_windows_are_asked(lanes: Lanes, surface: str):
    """The primary's provider says that 8,000 were too few; the spare has fewer, so nobody is left, and it is said why."""
    run = sized(lanes, f"over-{surface.replace(' ', '-')}", {PRIMARY: 8000, SPARE: 7000}).begin({PRIMARY: OVERFLOWS})
    with pytest.raises(ChainExhausted) as caught:
        await WAYS["ainvoke"](agent(run, surface), ASK)
    assert asked(run) == [1, 0, 0, 0]
    assert caught.value.exceptions[0].reason == "context_overflow"
    assert "its window of 7,000 tokens is not larger than one that was too small" in str(caught.value.exceptions[1])


@pytest.mark.parametrize("surface", SURFACES)
async def test_after_an_overflow_a_larger_window_goes_on_with_everything(lanes: Lanes, surface: str):
    run = sized(lanes, f"large-{surface.replace(' ', '-')}", {PRIMARY: 8000, SPARE: 9000}).begin({PRIMARY: OVERFLOWS})
    seen = await WAYS["astream"](agent(run, surface), ASK)
    assert asked(run) == [3, 3, 1, 0]
    assert [message.text for message in seen.messages if isinstance(message, AIMessage)] == list(TEXTS)
    assert seen.messages[0].content == LONG
    assert run.health.inspect()["models"] == {}
