"""When routing a call pays."""

import math

import pytest

from lg_toolroute.core.rules.facts import Cost
from lg_toolroute.rulebook.breakeven import Speeds, Traffic, break_even_s, break_even_usd, request_usd, saved_s


def test_at_usual_speeds_it_pays_above_some_170_tokens():
    assert break_even_s(Speeds()) == pytest.approx(168)


def test_nothing_is_saved_or_lost_at_the_break_even():
    speeds = Speeds(50, 120, 0.8, 0.05)
    assert saved_s(break_even_s(speeds), speeds) == pytest.approx(0)
    assert saved_s(400, speeds) > 0 > saved_s(10, speeds)


def test_a_model_that_is_no_faster_never_saves_time():
    assert break_even_s(Speeds(60, 60)) is None
    assert break_even_s(Speeds(60, 40)) is None


def test_money_is_saved_above_the_price_of_the_second_request():
    traffic = Traffic(input_tokens=8000, cached_share=0.5)
    routed = Cost(input=0.25, output=1.25, cache_read=0.05)
    assert request_usd(routed, traffic) == pytest.approx(8000 * 0.15 / 1e6)
    assert break_even_usd(Cost(3, 15, 0.3), routed, traffic) == pytest.approx(8000 * 0.15 / 13.75)


def test_at_equal_prices_money_is_never_saved_and_without_prices_it_is_unknown():
    price = Cost(3, 15)
    assert math.isinf(break_even_usd(price, price, Traffic()))
    assert break_even_usd(Cost(), price, Traffic()) is None
    assert break_even_usd(price, Cost(), Traffic()) is None
