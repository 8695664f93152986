"""The choice between the whole history and a brief: by what is known, by the window, and by the candidate's own prices."""

from __future__ import annotations

import math

import pytest

from lg_toolroute.core.rules.facts import Cost
from lg_toolroute.core.rules.handoff import Tokens, choose_handoff, history_usd, longest_history, smaller, tolerated_usd

PRIMARY = Cost(5, 25, 0.5)
DEAR, CHEAP = Cost(1, 5, 0.1), Cost(0.14, 0.28, 0.014)
MEDIAN = Tokens(history=32_600, brief=3_000)
"""The median history at a routed call, of which nothing is cached."""
WARM = Tokens(history=32_600, cached=30_600, brief=3_000)


def chosen(tokens: Tokens, cost: Cost | None, primary: Cost | None = PRIMARY, **more: object) -> str:
    return choose_handoff(tokens, knows=True, cost=cost, primary=primary, **more).kind  # type: ignore[arg-type]


def test_of_what_is_not_known_the_whole_history_tells():
    choice = choose_handoff(MEDIAN, knows=False, room=1_000, cost=DEAR, primary=PRIMARY)
    assert choice.kind == "full"
    assert "not known" in choice.why


def test_the_model_that_reasons_has_the_history_in_its_cache():
    choice = choose_handoff(MEDIAN, knows=True, reasons=True, cost=PRIMARY, primary=PRIMARY)
    assert (choice.kind, choice.why) == ("full", "it reasons in this turn, so its cache holds the history")


def test_a_history_that_does_not_fit_is_not_sent_not_even_to_the_model_that_reasons():
    choice = choose_handoff(MEDIAN, knows=True, reasons=True, room=32_000.0)
    assert (choice.kind, choice.why) == ("brief", "about 32,600 tokens of history do not fit its window")
    assert chosen(WARM, CHEAP, room=32_600) == "full"


def test_without_prices_what_is_known_is_told_in_a_brief():
    assert [chosen(MEDIAN, cost) for cost in (None, Cost(), Cost(output=5))] == ["brief"] * 3


@pytest.mark.parametrize(
    ("tokens", "cost", "expected"),
    [(MEDIAN, DEAR, "brief"), (WARM, DEAR, "brief"), (MEDIAN, CHEAP, "brief"), (WARM, CHEAP, "full"), (Tokens(2_900), DEAR, "full")],
)
def test_the_prices_that_were_measured_decide_as_the_measurement_says(tokens: Tokens, cost: Cost, expected: str):
    assert chosen(tokens, cost) == expected


def test_the_reason_gives_the_sums_in_the_users_own_prices():
    why = choose_handoff(WARM, knows=True, cost=DEAR, primary=PRIMARY).why
    assert why == "the history costs $0.0051 (32,600 tokens, 30,600 of them cached), a brief $0.0030 (3,000 tokens)"


def test_what_the_history_may_cost_more_is_a_share_of_what_the_cut_spares():
    assert tolerated_usd(PRIMARY) == pytest.approx(0.05 * 350 * 25 / 1e6)
    assert tolerated_usd(None) == tolerated_usd(Cost(5)) == 0.0
    assert chosen(WARM, CHEAP, primary=None) == "brief"


def test_a_cache_without_a_price_saves_nothing_and_holds_no_more_than_there_is():
    assert history_usd(Tokens(1_000_000, 900_000), Cost(2, 3)) == 2
    assert history_usd(Tokens(1_000_000, 9_000_000), Cost(2, 3, 1)) == 1


@pytest.mark.parametrize("cost", [DEAR, CHEAP])
@pytest.mark.parametrize("share", [0.0, 0.9])
def test_the_longest_history_that_is_sent_whole_is_where_the_choice_turns(cost: Cost, share: float):
    longest = longest_history(cost, PRIMARY, share)
    assert longest is not None
    for history, expected in ((longest * 0.99, "full"), (longest * 1.01, "brief")):
        assert chosen(Tokens(round(history), round(history * share)), cost) == expected
    assert longest_history(Cost(), PRIMARY, share) is None
    assert longest_history(Cost(0, 0, 0), PRIMARY, share) == math.inf


def test_a_smaller_brief_follows_a_larger_one():
    assert [list(smaller(size)) for size in ("lean", "mid", "rich")] == [["lean"], ["mid", "lean"], ["rich", "mid", "lean"]]
