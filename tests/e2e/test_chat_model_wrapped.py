"""What stands around an inner model keeps standing around it; what a caller's config says reaches it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.runnables import ConfigurableField
from langchain_core.tools import tool

from lg_toolroute import ToolRoutedChatModel, ToolRouter
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel

PRIMARY, WRITER = "kimi/primary", "deepseek/writer"
GOOD = {"path": "a.py"}


@tool
def edit(path: str) -> str:
    """Edit a file."""
    return "edited"


def says(text: str, name: str = PRIMARY) -> ScriptedModel:
    return ScriptedModel(answer=lambda request: Say(text, chunks=3), name=name)


def writes() -> ScriptedModel:
    return ScriptedModel(answer=lambda request: Say("", [Call("edit", GOOD)]), name=WRITER)


def routed(primary: Any, writer: Any = None) -> ToolRoutedChatModel:
    config = {"model": {"primary": PRIMARY}, "toolRouting": {"edit": {"primary": WRITER}}}
    return ToolRoutedChatModel(router=ToolRouter(config, models={PRIMARY: primary, WRITER: writer or writes()}))


def streamed(model: Any, config: Any = None) -> Any:
    chunks = list(model.stream("go", config))
    return chunks[0] + chunks[1:] if chunks[1:] else chunks[0]


@pytest.mark.parametrize("ask", [lambda model, config: model.invoke("go", config), streamed], ids=["invoke", "stream"])
def test_a_configurable_primary_reads_the_callers_config(ask: Any):
    primary = says("the default").configurable_alternatives(ConfigurableField(id="who"), default_key="one", other=says("the other"))
    model = routed(primary)
    assert ask(model, {}).text == "the default"
    assert ask(model, {"configurable": {"who": "other"}}).text == "the other"


async def test_a_configurable_primary_reads_the_callers_config_asynchronously():
    primary = says("the default").configurable_alternatives(ConfigurableField(id="who"), default_key="one", other=says("the other"))
    config = {"configurable": {"who": "other"}}
    assert (await routed(primary).ainvoke("go", config)).text == "the other"
    assert "".join([chunk.text async for chunk in routed(primary).astream("go", config)]) == "the other"


def test_fallbacks_and_retries_of_an_inner_model_stay_around_it():
    broken = ScriptedModel(answer=lambda request: Fail(ConnectionError("refused")), name=PRIMARY)
    primary = broken.with_retry(stop_after_attempt=2, wait_exponential_jitter=False).with_fallbacks([says("from its own fallback")])
    message = routed(primary).invoke("go")
    assert message.text == "from its own fallback"
    assert len(broken.requests) == 2
    assert len(message.response_metadata["toolroute"]["attempts"]) == 1


@pytest.mark.parametrize("ask", [lambda model: model.invoke("go"), streamed], ids=["invoke", "stream"])
def test_a_bound_writer_keeps_what_was_bound(ask: Any):
    writer = writes()
    primary = ScriptedModel(answer=lambda request: Say("", [Call("edit", {"path": "no"})]), name=PRIMARY)
    message = ask(routed(primary, writer.bind(seed=7).with_config(tags=["mine"])).bind_tools([edit]))
    assert message.tool_calls[0]["args"] == GOOD
    assert writer.last.kwargs["seed"] == 7
    assert writer.last.forced_tool == "edit"


async def test_two_writers_that_raise_a_bug_let_it_out_as_it_is():
    """A bug is nobody's failure: neither a fallback nor a group of exceptions hides it, plainly or awaited."""
    primary = ScriptedModel(answer=lambda request: Say("", [Call("edit", {"path": "no"}), Call("write", {"path": "no"})]), name=PRIMARY)
    bug = ZeroDivisionError("a bug")
    config = {
        "model": {"primary": PRIMARY},
        "toolRouting": {"edit": {"primary": WRITER, "onIntercept": "drain"}, "write": {"primary": "xai/second", "onIntercept": "drain"}},
    }
    second = ScriptedModel(answer=lambda request: Fail(bug), name="xai/second")
    model = ToolRoutedChatModel(router=ToolRouter(config, models={PRIMARY: primary, WRITER: writes(), "xai/second": second}))
    bound = model.bind_tools([edit, edit.model_copy(update={"name": "write"})])
    with pytest.raises(ZeroDivisionError):
        list(bound.stream("go"))
    with pytest.raises(ZeroDivisionError):
        [chunk async for chunk in bound.astream("go")]
    with pytest.raises(ZeroDivisionError):
        await bound.ainvoke("go")
