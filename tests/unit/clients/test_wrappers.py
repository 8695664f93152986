"""The runnables around a chat model are kept, and the chat models inside are found and replaced."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import ConfigurableField, RunnableLambda

from lg_toolroute.clients.models import ModelBook
from lg_toolroute.clients.wrappers import first_leaf, leaves, map_leaves
from lg_toolroute.config import load_config
from lg_toolroute.errors import ConfigError
from lg_toolroute.rulebook.book import compile_config
from lg_toolroute.testing import ScriptedModel


def wrapped(model: BaseChatModel) -> dict[str, Any]:
    field = ConfigurableField(id="which")
    return {
        "plain": model,
        "bind": model.bind(temperature=0),
        "config": model.with_config(tags=["t"]),
        "retry": model.with_retry(),
        "fallbacks": model.with_fallbacks([ScriptedModel(name="other/one")]),
        "fields": model.configurable_fields(temperature=field),
        "alternatives": model.configurable_alternatives(field, other=ScriptedModel(name="other/one")),
        "deep": model.bind(temperature=0).with_retry().with_fallbacks([ScriptedModel(name="other/one").with_retry()]),
    }


@pytest.mark.parametrize("how", list(wrapped(ScriptedModel())))
def test_the_chat_models_inside_anything_are_found_and_can_be_changed_in_place(how: str):
    model = ScriptedModel(["Hi."], name="mine/own")
    around = wrapped(model)[how]
    assert first_leaf(around) is model
    assert ModelBook(compile_config(load_config({"model": "mine/own"})), {"mine/own": around}).get("mine/own") is around
    changed = map_leaves(around, lambda leaf: ScriptedModel([f"I stand in for {leaf.spec}."]))  # type: ignore[attr-defined]
    assert changed.invoke("x").content == "I stand in for mine/own."
    if how != "plain":
        assert len(leaves(around)) == (2 if how in {"fallbacks", "deep"} else 1)


def test_what_a_config_chooses_is_what_is_changed():
    field = ConfigurableField(id="which")
    around = ScriptedModel(name="a/a").configurable_alternatives(field, other=ScriptedModel(name="b/b"))
    names: list[str] = []
    map_leaves(around, lambda leaf: names.append(leaf.spec) or leaf, {"configurable": {"which": "other"}})  # type: ignore[attr-defined, func-returns-value]
    assert names == ["b/b"]


def test_there_is_no_leaf_in_something_else():
    assert leaves(RunnableLambda(lambda x: x)) == []
    assert first_leaf("no") is None
    with pytest.raises(ConfigError, match="there is no chat model inside a RunnableLambda"):
        map_leaves(RunnableLambda(lambda x: x), lambda leaf: leaf)
