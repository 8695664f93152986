"""A look at a primary's own calls over HTTP: in a real loop with files, and against servers as strict as each provider."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from lg_toolroute import LookRequest
from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.testing import Call, Say, ServerRequest
from tests.support.folder_agents import Folder
from tests.support.one_turn import SURFACES
from tests.support.sampling import cells
from tests.support.strict_providers import ARGS, PLAIN, ROWS, WAYS, World, conversation, is_instructed, record

CODER = "plain/gpt-4o-mini"
RUNS = list(product(SURFACES, WAYS))
WRONG = {"path": "wrong.py"}
OUTCOMES = {"mended": Say(calls=[Call("edit", ARGS)]), "stood": Say("I would rather talk.")}


def edit(old: str, new: str, path: str = "a.py") -> Call:
    return Call("edit", {"path": path, "old": old, "new": new})


def nearest(call: LookRequest) -> str | None:
    return "There is no wrong.py; the nearest is a.py." if call.arguments == WRONG else None


READ = Say("I read them.", [Call("read", {"path": "a.py"}), Call("read", {"path": "b.py"})])
ONE, TWO, THREE, FOUR = (f"total = count_all(words) + {number}" for number in "1234")
GOOD, WRONG_EDIT, MENDED = edit(ONE, TWO), edit(ONE, THREE), edit(TWO, THREE)
OTHER = "names = sorted(words)"
BOTH = [edit(TWO, FOUR), edit("names = sorted(word)", "", "b.py")], [edit(THREE, FOUR), edit(OTHER, "", "b.py")]
MISSED, AGAIN = edit("total = count(words)", ""), edit("total = count(all_words)", "")
DONE, NAMED = Say("Done."), Say("I mend it.", [edit("dropped", "dropped")])
SENT_BACK = (([WRONG_EDIT], [MENDED]), BOTH, ([MISSED], [AGAIN]))
ALONE = {PLAIN: [READ, Say(calls=[GOOD]), DONE, *(step for bad, new in SENT_BACK for step in (Say("I mend it.", bad), Say(calls=new), DONE))]}
ROUTED = {
    PLAIN: [READ, *[NAMED, DONE] * 3],
    CODER: [Say(calls=[each]) for each in (GOOD, WRONG_EDIT, MENDED, MISSED, AGAIN)],
}


@pytest.mark.parametrize(("writer", "scripts"), [(PLAIN, ALONE), (CODER, ROUTED)], ids=["no model", "routed"])
def test_a_good_edit_costs_no_request_and_one_that_does_not_fit_costs_one(writer: str, scripts: dict[str, list[Say]]):
    """The second miss of one edit lands, and the tool says so. Without a model for the rule, two edits of one message are mended together."""
    rule: dict[str, Any] = {"look": True} if writer == PLAIN else {"primary": writer, "handoff": "full", "look": True}
    edited = ["edited"] * (2 if writer == CODER else 4)
    for surface, how in cells(list(SURFACES), WAYS, one_in=4):
        folder = Folder({"a.py": f"import os\n{ONE}\n", "b.py": f"{OTHER}\n"})
        steps = {spec: iter(script) for spec, script in scripts.items()}
        with World(*scripts, answers={spec: lambda request, left=left: next(left) for spec, left in steps.items()}) as world:
            router = world.router({"model": PLAIN, "toolRouting": {"edit": rule}})
            messages = conversation(router, PLAIN, surface, how, *"1234"[: 4 if writer == PLAIN else 3], tools=folder.tools())
            told = [str(request.messages[-1]) for request in world.server.requests if "it has not run" in str(request.messages[-1])]
            assert [request.status for request in world.server.requests] == [200] * sum(map(len, scripts.values())), (surface, how)
        assert TWO in told[0], "the nearest text, as the file is after the edit before"
        assert THREE in told[1]
        assert writer == CODER or OTHER in told[1]
        assert all(next(left, None) is None for left in steps.values())
        results = [str(message.content) for message in messages if message.type == "tool" and message.name == "edit"]
        assert results == [*edited, "old text not found"]
        assert router.health.calls_of(writer, "edit").looks == f"looked {len(results)}, mended {len(results) - 1}, stood 0"


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


def test_a_choice_that_is_refused_in_a_stream_is_asked_for_otherwise_and_the_call_is_mended():
    spec = "mine/kimi-k2.5"
    for surface, how in cells(list(SURFACES), ["stream", "astream"], one_in=2):
        steps = iter([Say("I mend it.", [Call("edit", WRONG)]), Say("Done.")])
        with World(spec, answers={spec: lambda request, left=steps: OUTCOMES["mended"] if is_instructed(request) else next(left)}) as world:
            router = world.router({"model": spec, "toolRouting": {"edit": {"look": "nearest"}}}, looks={"nearest": nearest})
            messages = conversation(router, spec, surface, how, "Fix it.")
            assert [request.status for request in world.server.requests] == [200, 400, 200, 200], surface
        assert messages[1].tool_calls[0]["args"] == ARGS
