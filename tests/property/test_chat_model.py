"""Laws of the routed chat model: however an answer is cut into chunks, everybody gets the same message."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.tools import tool

from lg_toolroute import ToolRoutedChatModel, ToolRouter
from lg_toolroute.testing import Call, Say, ScriptedModel

PRIMARY, EDITS, WRITES = "kimi/primary", "deepseek/edits", "xai/writes"
DROPPED = "the-dropped-call"


@tool
def edit(path: str) -> str:
    """Edit a file."""
    return "edited"


@tool
def write(path: str) -> str:
    """Write a file."""
    return "written"


@tool
def read(path: str) -> str:
    """Read a file."""
    return "read"


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
CALL = st.one_of(
    st.builds(lambda path: Call("read", {"path": path}), TEXT),
    st.sampled_from([Call("edit", {"path": DROPPED}), Call("write", {"path": DROPPED})]),
)


def model(say: Say, dialect: Any, *, drain: bool, seed: int) -> Any:
    mode = {"onIntercept": "drain"} if drain else {}
    config = {"model": {"primary": PRIMARY}, "toolRouting": {"edit": {"primary": EDITS, **mode}, "write": {"primary": WRITES, **mode}}}

    def writer(name: str) -> Any:
        # As many calls as were asked for: the request says how often.
        def answer(request: Any) -> Say:
            count = max(request.last_text.count(f" {name}"), 1) if "Write " in request.last_text else 1
            return Say("(not shown)", [Call(name, {"path": f"{name}-{number}"}) for number in range(count)], chunks=random.Random(seed + 1))

        return answer

    router = ToolRouter(
        config,
        models={
            PRIMARY: ScriptedModel(answer=lambda request: say, name=PRIMARY, dialect=dialect),
            EDITS: ScriptedModel(answer=writer("edit"), name=EDITS, dialect=dialect),
            WRITES: ScriptedModel(answer=writer("write"), name=WRITES, dialect=dialect),
        },
    )
    return ToolRoutedChatModel(router=router).bind_tools([edit, read, write])


def wanted(calls: list[Call], *, drain: bool) -> list[str]:
    routed = [position for position, call in enumerate(calls) if call.name != "read"]
    if not routed:
        return [call.name for call in calls]
    if drain:
        return [call.name for call in calls]
    return [call.name for call in calls[: routed[0] + 1]]


@settings(max_examples=60, deadline=None)
@given(
    text=TEXT,
    calls=st.lists(CALL, max_size=4),
    drain=st.booleans(),
    dialect=st.sampled_from(["openai", "anthropic"]),
    seed=st.integers(0, 2**16),
)
def test_however_it_is_cut_the_message_is_the_same(text: str, calls: list[Call], drain: bool, dialect: str, seed: int):
    if not text and not calls:
        text = "."
    say = Say(text, calls, chunks=random.Random(seed))
    bound = model(say, dialect, drain=drain, seed=seed)
    whole = bound.invoke("go")
    chunks = list(bound.stream("go"))
    streamed = chunks[0] + chunks[1:] if chunks[1:] else chunks[0]
    names = wanted(calls, drain=drain)
    assert [call["name"] for call in whole.tool_calls] == names
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [(call["name"], call["args"]) for call in streamed.tool_calls]
    assert whole.text == streamed.text == text
    assert whole.usage_metadata == streamed.usage_metadata
    assert {chunk.id for chunk in chunks} == {streamed.id}
    assert [chunk.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]
    assert DROPPED not in repr(chunks)
    assert DROPPED not in repr(whole)
