"""One law for all surfaces: the same script gives the same message, record, events, requests and errors, plainly and awaited, streamed and not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.testing import Call, Fail, Say
from tests.support.one_turn import SURFACES, WAYS, A, B, C, Situation, Story, play
from tests.support.sampling import examples

calls = st.lists(
    st.sampled_from([Call("read", {"path": "c"}), Call("edit", {"path": "dropped"}), Call("write", {"path": "b", "text": "t"})]), max_size=3
)
words = st.builds(Say, st.sampled_from(["", "Let me see.", "Hm."]), calls, chunks=st.sampled_from(["parts", "whole", 2]))
spoken = words.filter(lambda say: bool(say.text or say.calls))
broken = st.sampled_from(
    [
        Fail(ConnectionError("gone")),
        Fail(TimeoutError("slow")),
        Fail(ConnectionError("reset"), Say("The bug is", chunks=3), after_chunks=2),
        Say(""),
        Say("cut off", finish_reason="length"),
        Say("no", finish_reason="content_filter"),
        Say(calls=[Call("edit", '{"path"')]),
    ]
)
wrote = st.just(Say(calls=[Call("edit", {"path": "right"}), Call("write", {"path": "right", "text": "t"})] * 3))
LAST = [Say("Done.", [Call("edit", {"path": "right"}), Call("write", {"path": "right", "text": "t"})])] * 8
wrong = st.sampled_from(
    [Say("no call"), Say(calls=[Call("edit", {"path": 1})]), Say(calls=[Call("read", {"path": "c"})]), Fail(ConnectionError("gone"))]
)


def rule(fallbacks: list[str] | None, mode: str, handoff: str) -> dict[str, Any]:
    written: dict[str, Any] = {"primary": B, "onIntercept": "drain" if handoff == "draft" else mode, "handoff": handoff}
    return written if fallbacks is None else {**written, "fallbacks": fallbacks}


rules = st.dictionaries(
    st.sampled_from(["edit", "write"]),
    st.builds(rule, st.none() | st.sampled_from([[], [C]]), st.sampled_from(["cut", "drain"]), st.sampled_from(["full", "brief", "auto", "draft"])),
    min_size=1,
    max_size=2,
)
# A model that reasons is denied nothing here: the chat model, which runs no tools, withholds such a call, where the others refuse it at execution.
denied = st.sampled_from([{}, {B: {"deny": ["edit"]}}, {B: {"deny": ["write"]}}])


@st.composite
def situations(draw: Any) -> Situation:
    routing = draw(rules)
    if any(rule["onIntercept"] == "drain" for rule in routing.values()):
        # One request writes all calls: of two that go out at once, either may get the next step of the model's script.
        routing = dict.fromkeys(routing, next(iter(routing.values())))
    config = {
        "model": {"primary": A, "fallbacks": draw(st.sampled_from([[], [C]]))},
        "toolRouting": routing,
        "tools": {"byModel": draw(denied)},
    }
    scripts = {
        A: [*draw(st.lists(spoken | broken, min_size=1, max_size=2)), *LAST],
        B: [*draw(st.lists(wrote | wrong, max_size=3)), *LAST],
        C: [*draw(st.lists(spoken | wrote | broken, max_size=3)), *LAST],
    }
    return Situation(config, scripts, draw(st.sampled_from([{}, {"role": "heartbeat"}, {"model": C}, {"agent": "coder"}])))


def stories(situation: Situation) -> dict[str, Story]:
    return {
        f"{surface}, {'awaited' if is_async else 'plain'}, {'streamed' if streamed else 'whole'}": play(
            situation, surface, is_async=is_async, streamed=streamed
        )
        for surface in SURFACES
        for is_async, streamed in WAYS
    }


@pytest.mark.filterwarnings("ignore:role|agent:UserWarning")
@settings(max_examples=examples(36), deadline=None)
@given(situation=situations())
def test_every_surface_tells_the_same_story_in_every_way(situation: Situation):
    found = stories(situation)
    first = next(iter(found.values()))
    for way, story in found.items():
        assert story == first, way


@pytest.mark.parametrize("model", ["gpt-5", "", "/", "kimi/", 7, ["kimi/a"]])
def test_a_model_that_the_context_cannot_mean_is_one_error_on_every_surface(model: Any):
    situation = Situation({"model": A, "toolRouting": {"edit": B}}, {A: [Say("Hello.")]}, {"model": model})
    first, *others = [story.error for story in stories(situation).values()]
    assert all(error == first for error in others)
    if model == "":
        assert first is None
    else:
        assert first[0] == ("ConfigError" if isinstance(model, str) else "ValidationError")
