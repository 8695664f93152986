"""A look at a primary's own calls, against servers as strict as its provider: the model is made to call as it can be, and reads the thread afterwards."""

from __future__ import annotations

from itertools import product

import pytest

from lg_toolroute import LookRequest
from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.testing import Call, Say, ServerRequest
from tests.support.one_turn import SURFACES
from tests.support.strict_providers import ARGS, ROWS, WAYS, World, conversation, is_instructed, record

RUNS = list(product(SURFACES, WAYS))
WRONG = {"path": "wrong.py"}
OUTCOMES = {"mended": Say(calls=[Call("edit", ARGS)]), "stood": Say("I would rather talk.")}


def nearest(call: LookRequest) -> str | None:
    return "There is no wrong.py; the nearest is a.py." if call.arguments == WRONG else None


@pytest.mark.parametrize("run", RUNS, ids="-".join)
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("spec", ROWS)
@pytest.mark.matrix(one_in=len(RUNS))
def test_the_call_is_mended_or_stands_and_the_thread_is_read_afterwards(spec: str, outcome: str, run: tuple[str, str]):
    first = [Say("I read it.", [Call("read", ARGS)]), Say("I mend it.", [Call("read", ARGS), Call("edit", WRONG), Call("read", ARGS)])]
    steps = iter([*first, Say("Done."), Say("", [Call("edit", WRONG)]), Say("That is all.")])

    def says(request: ServerRequest) -> Say:
        return OUTCOMES[outcome] if is_instructed(request) else next(steps)

    with World(spec, answers={spec: says}) as world:
        router = world.router({"model": spec, "toolRouting": {"edit": {"look": "nearest"}}}, looks={"nearest": nearest})
        messages = conversation(router, spec, *run, "Fix it.", "Go on.")
        refused = [request.refused_by for request in world.server.requests if request.status != 200]
        assert len(refused) == ROWS[spec].extra, refused
        mends = [request for request in world.server.requests if request.status == 200 and is_instructed(request)]
        assert len(mends) == 2
        assert all("the nearest is a.py" in str(request.messages[-1]) for request in mends)
    lands = WRONG if outcome == "stood" else ARGS
    spoken = [message for message in messages if message.type == "ai"]
    in_loop = "" if ROWS[spec].profile == "claude-5.5" else "I mend it."  # that one hides its words between two calls
    assert [message.text for message in spoken] == ["I read it.", in_loop, "Done.", "", "That is all."]
    assert [[(call["name"], call["args"]) for call in message.tool_calls] for message in spoken] == [
        [("read", ARGS)], [("read", ARGS), ("edit", lands), ("read", ARGS)], [], [("edit", lands)], [],
    ]  # fmt: skip
    assert [list(record(spoken[at])["looked"].values()) for at in (1, 3)] == [[outcome]] * 2
    assert router.health.calls_of(spec, "edit") == CallCounts(looked=2, **{f"look_{outcome}": 2})
