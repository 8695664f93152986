"""Settings are read-only and merge key by key."""

import copy
import pickle

import pytest

from lg_toolroute.core.rules.params import NO_PARAMS, Params, merge


def test_the_later_layer_wins_and_null_removes():
    assert merge({"a": 1, "b": 1}, None, {"b": 2, "a": None}) == {"b": 2}
    assert merge() is NO_PARAMS


def test_they_cannot_be_changed():
    source = {"a": 1}
    params = Params(source)
    source["a"] = 2
    assert params["a"] == 1
    with pytest.raises(TypeError):
        params["a"] = 3  # type: ignore[index]


def test_they_can_be_pickled_copied_compared_and_hashed():
    params = Params({"a": [1]})
    assert pickle.loads(pickle.dumps(params)) == copy.deepcopy(params) == params == {"a": [1]}
    assert hash(params) == hash(Params({"a": [2]}))
    assert repr(params) == "Params({'a': [1]})"
