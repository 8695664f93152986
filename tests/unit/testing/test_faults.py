"""The catalogue: complete, printable, deterministic."""

from typing import get_args

import pytest

from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.testing import Say, faults
from tests.support.fault_catalogue import catalogue_table

NOT_OF_A_SERVER = {"cancelled", "bug"}


def test_every_failure_class_has_a_fault():
    covered = {make().expected(streamed=streamed) for make in faults.CATALOGUE.values() for streamed in (True, False)}
    assert set(get_args(FailureClass)) - NOT_OF_A_SERVER == covered - {None}


def test_table_has_a_row_for_every_fault():
    lines = catalogue_table().splitlines()
    assert len(lines) == len(faults.CATALOGUE) + 2
    assert "| `rate_limit` | 429 with Retry-After | `rate_limit` |" in lines


def test_each_call_makes_the_same_fault():
    for name, make in faults.CATALOGUE.items():
        if name not in {"empty_answer", "unknown_tool", "text_instead", "broken_arguments", "wrong_arguments"}:  # these hold functions
            assert make() == make()


def test_place_is_said_once():
    assert faults.reset().at == "headers"
    assert faults.reset(after_chunks=3).at == 3
    assert faults.stall("args", say=Say("x")).at == "args"
    with pytest.raises(ValueError, match="both say where"):
        faults.reset("name", after_chunks=3)


def test_fault_can_strike_during_any_answer():
    assert faults.close("text").during(Say("hello")).say == Say("hello")
