"""Every exception says where, what and what to write instead, carries its data, and survives a trip to another process."""

from __future__ import annotations

import copy
import pickle

import pytest

from lg_toolroute.errors import (
    AnswerRejected,
    AttemptFailed,
    CandidateSkipped,
    ChainExhausted,
    ConfigError,
    Problem,
    ToolRouteError,
)

ERRORS = [
    ConfigError([Problem("rules[2].tools", "'web_serach' matches nothing", "did you mean 'web_search'?")], source="a.toml"),
    AnswerRejected("a/b", "truncated", "cut off"),
    AttemptFailed("a/b", "rate_limit", "slow down"),
    CandidateSkipped("a/b", "cooling down for 12 s", 12.0),
    ChainExhausted("no model is left", [AttemptFailed("a/b", "auth", "no key"), CandidateSkipped("c/d", "may not", 3.0)], tool="edit", due_in_s=3.0),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("trip", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "deepcopy", "pickle"])
def test_an_error_survives_a_trip_with_its_data(error, trip):
    back = trip(error)
    assert type(back) is type(error)
    assert str(back) == str(error)
    names = [name for name in vars(error) if not name.startswith("__") and name != "exceptions"]
    for name in names:
        assert getattr(back, name) == getattr(error, name)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whoever_catches_the_root_catches_them_all(error):
    assert isinstance(error, ToolRouteError)


def test_a_configuration_error_lists_all_mistakes_and_is_a_value_error():
    error = ConfigError([Problem("a", "is wrong", "write b"), Problem("", "nowhere")], source="a.toml")
    assert str(error) == "a.toml: 2 mistakes\n  a: is wrong; write b\n  nowhere"
    assert isinstance(error, ValueError)
    assert str(ConfigError([Problem("a", "is wrong")])).startswith("configuration: 1 mistake\n")


def test_an_exhausted_chain_is_a_group_of_its_causes():
    error = ERRORS[-1]
    assert isinstance(error, ChainExhausted)
    assert isinstance(error, ExceptionGroup)
    with pytest.raises(ExceptionGroup) as caught:
        raise error
    failed, rest = caught.value.split(AttemptFailed)
    assert isinstance(failed, ChainExhausted)
    assert isinstance(rest, ChainExhausted)
    assert (failed.tool, rest.due_in_s) == ("edit", 3.0)
    assert str(error) == "no model is left\n  AttemptFailed: a/b: auth: no key\n  CandidateSkipped: c/d: skipped: may not"


def test_what_a_model_wrote_of_several_lines_takes_one_in_the_summary():
    error = ChainExhausted("no model is left", [AttemptFailed("a/b", "auth", "one\ntwo"), ValueError()])
    assert str(error).splitlines() == ["no model is left", "  AttemptFailed: a/b: auth: one", "  ValueError: "]
