"""Whatever a provider's content looks like, all ways to listen see the same message."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from lg_toolroute import ToolRoutedChatModel, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Say, ScriptedModel, ScriptedWholeModel
from tests.support.file_tools import edit, read, write

pytestmark = pytest.mark.filterwarnings("ignore:.*(v3|beta|experimental).*")

PRIMARY, EDITS, WRITES = "kimi/primary", "deepseek/edits", "xai/writes"
DROPPED = {"path": "the-dropped-call", "text": "the-dropped-call"}
GOOD = {"path": "a.py", "text": "good"}
READ = Call("read", {"path": "r"})
KEPT_AND_CUT = ([READ, Call("edit", DROPPED)], False, ["read", "edit"])
ONLY_CUT = ([Call("edit", DROPPED)], False, ["edit"])
DRAINED = ([Call("edit", DROPPED), READ, Call("write", DROPPED)], True, ["edit", "read", "write"])


def router(say: Say, dialect: Any, *, drain: bool, writers: Any = ScriptedModel, primary: Any = ScriptedModel) -> ToolRouter:
    mode = {"onIntercept": "drain"} if drain else {}
    config = {"model": {"primary": PRIMARY}, "toolRouting": {"edit": {"primary": EDITS, **mode}, "write": {"primary": WRITES, **mode}}}

    def writer(spec: str, name: str) -> Any:
        return writers(answer=lambda request: Say("(not shown)", [Call(name, GOOD)], chunks=3), name=spec, dialect=dialect)

    return ToolRouter(
        config,
        models={
            PRIMARY: primary(answer=lambda request: say, name=PRIMARY, dialect=dialect),
            EDITS: writer(EDITS, "edit"),
            WRITES: writer(WRITES, "write"),
        },
    )


def added(chunks: list[Any]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


def kinds(message: AIMessage) -> list[str]:
    return [block["type"] for block in message.content_blocks]


def calls(message: AIMessage) -> list[tuple[str, Any]]:
    return [(call["name"], call["args"]) for call in message.tool_calls]


@pytest.mark.matrix(one_in=2)
@pytest.mark.parametrize("model_class", [ScriptedModel, ScriptedWholeModel])
@pytest.mark.parametrize("story", [KEPT_AND_CUT, ONLY_CUT, DRAINED], ids=["kept and cut", "only cut", "drained"])
@pytest.mark.parametrize("text", ["Some text here.", ""])
@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize("thinking", ["", "hmm hmm"])
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_invoke_stream_and_v3_give_the_same_message(dialect: str, thinking: str, version: str | None, text: str, story: Any, model_class: Any):
    said, drain, wanted = story
    say = Say(text, said, thinking=thinking, chunks=4)
    routed = router(say, dialect, drain=drain, writers=model_class, primary=model_class)
    model = ToolRoutedChatModel(router=routed, output_version=version).bind_tools([edit, read, write])
    whole = model.invoke("go")
    chunks = list(model.stream("go"))
    streamed = added(chunks)
    v3 = model.stream_events("go", version="v3").output
    assert [name for name, _ in calls(whole)] == wanted
    assert all(args == (READ.args if name == "read" else GOOD) for name, args in calls(whole))
    assert calls(whole) == calls(streamed) == calls(v3)
    assert whole.text == streamed.text == v3.text == text
    assert kinds(whole) == kinds(streamed) == kinds(v3)
    assert whole.usage_metadata == streamed.usage_metadata
    assert len({chunk.id for chunk in chunks}) == 1
    assert DROPPED["path"] not in repr([whole, chunks, v3])
    metadata = ("finish_reason", "stop_reason", "model_name", "model_provider")
    assert {key: whole.response_metadata.get(key) for key in metadata} == {key: streamed.response_metadata.get(key) for key in metadata}


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_the_asynchronous_ways_give_the_same_message(dialect: str):
    say = Say("Some text here.", DRAINED[0], chunks=4)
    model = ToolRoutedChatModel(router=router(say, dialect, drain=True)).bind_tools([edit, read, write])
    whole = await model.ainvoke("go")
    streamed = added([chunk async for chunk in model.astream("go")])
    v3 = await (await model.astream_events("go", version="v3")).output
    assert calls(whole) == calls(streamed) == calls(v3)
    assert kinds(whole) == kinds(streamed) == kinds(v3)


def test_blocks_of_an_anthropic_message_are_understood_in_a_graphs_v3_stream():
    say = Say("Some text here.", KEPT_AND_CUT[0], chunks=4)
    agent = create_toolroute_agent(router(say, "anthropic", drain=False), [edit, read, write], interrupt_before=["tools"])
    run = agent.stream_events({"messages": [("user", "go")]}, version="v3")
    parts = [message.output for message in run.messages]
    assert [kinds(part) for part in parts] == [["text", "tool_call"], ["tool_call"]]
    assert kinds(run.output["messages"][-1]) == ["text", "tool_call", "tool_call"]


@pytest.mark.parametrize("speaks", [None, "v1"])
@pytest.mark.parametrize("writes", [None, "v1"])
def test_content_is_written_in_the_primarys_way_whatever_the_writers_is(speaks: str | None, writes: str | None):
    primary = ScriptedModel(answer=lambda request: Say("Some text.", KEPT_AND_CUT[0], chunks=4), name=PRIMARY, output_version=speaks)
    writer = ScriptedModel(answer=lambda request: Say("", [Call("edit", GOOD)]), name=EDITS, output_version=writes)
    config = {"model": {"primary": PRIMARY}, "toolRouting": {"edit": {"primary": EDITS}}}
    model = ToolRoutedChatModel(router=ToolRouter(config, models={PRIMARY: primary, EDITS: writer})).bind_tools([edit, read])
    for message in (added(list(model.stream("go"))), model.invoke("go", stream=True), model.invoke("go")):
        assert isinstance(message.content, str if speaks is None else list)
        assert kinds(message) == ["text", "tool_call", "tool_call"]
        assert calls(message) == [("read", READ.args), ("edit", GOOD)]
