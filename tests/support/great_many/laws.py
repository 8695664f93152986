"""Laws of a run, judged from what models were sent and said, what tools received, what a consumer saw, and what is in the thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage

from tests.support.great_many.configurations import CHAT, DURABLE, NAMES, Case
from tests.support.great_many.models import Answer
from tests.support.great_many.world import Played
from tests.support.one_turn import Numbers, told_of, told_of_error

REFUSED = "is not available to you"
Origins = dict[str, tuple[Answer, int]]
"""The answer in which a call was written, and its place there, by the call's mark."""


def check(case: Case, run: Played) -> None:
    """All laws of one run."""
    agent = run.script.context.get("agent")
    origins: Origins = {}
    for answer in run.answers:
        for place, call in enumerate(answer.message.calls):
            if (mark := (call.parsed or {}).get("mark") if isinstance(call.parsed, dict) else None) is not None:
                origins[mark] = (answer, place)
    check_requests(case, run, agent)
    check_ran(case, run, agent, origins)
    stored: Counter[str] = Counter()
    for message in run.new:
        if isinstance(message, AIMessage):
            check_whole(run, message, origins)
            check_record(message, origins)
            stored.update(call["args"]["mark"] for call in message.tool_calls if "mark" in call["args"])
    assert max(stored.values(), default=0) <= 1, f"a call landed twice: {stored}"
    check_results(case, run, agent)
    if run.script.streamed:
        # A fallback around the routing asks again after a message that was shown has failed: that one stays shown.
        check_streamed(run, again=case.outside is not None and case.outside[0] == "fallback")
    assert shown(run.messages[: len(run.before)]) == shown(run.before), "a message that stood in the thread was changed"


# -- who may write and run what ------------------------------------------------------------------------------------------------------------


def check_requests(case: Case, run: Played, agent: str | None) -> None:
    """No model is given a tool that it may not use, or told to write a call behind the boundary of another model."""
    for answer in run.answers:
        for tool in answer.tools:
            assert tool not in NAMES or not case.denies(answer.spec, tool, agent), f"{answer.spec} was given {tool}"
        for tool in answer.wanted:
            assert case.boundary(tool) in {None, answer.spec}, f"{answer.spec} was told to write {tool}, behind the boundary of {case.boundary(tool)}"


def check_ran(case: Case, run: Played, agent: str | None, origins: Origins) -> None:
    """What ran was written, once and to its end, by a model that may use the tool."""
    for name, writer, mark in run.ran:
        if not mark:  # it had no arguments, so that it does not say who wrote it
            specs = {answer.spec for answer in run.answers for call in answer.message.calls if call.name == name and call.args in {"", "{}"}}
            assert any(not case.may_not(spec, name, agent) for spec in specs), f"{name} ran, which none of {specs} may"
            continue
        assert mark in origins, f"{name} ran with arguments that no model wrote: {mark}"
        answer, place = origins[mark]
        assert not case.may_not(writer, name, agent), f"{writer} ran {name}"
        assert (answer.spec, answer.message.calls[place].name) == (writer, name)
        assert answer.message.sent[place] == answer.message.calls[place].args, f"a call ran that broke off: {mark}"
    runs = Counter(mark for _, _, mark in run.ran if mark)
    assert max(runs.values(), default=0) <= 1, f"a call ran twice: {runs}"


def check_results(case: Case, run: Played, agent: str | None) -> None:
    """Each call has one result: it ran, or it was refused because its writer may not use the tool, or the tool did not take its arguments."""
    ran = {mark for _, _, mark in run.ran}
    waiting: dict[str, Any] = {}
    for message in run.new:
        if isinstance(message, AIMessage):
            assert not waiting, f"calls without a result: {waiting}"
            waiting = {call["id"] or "": call for call in message.tool_calls}
        if not isinstance(message, ToolMessage):
            continue
        call = waiting.pop(message.tool_call_id, None)
        assert call is not None, f"the result of no call: {message}"
        args = call["args"]
        if "mark" not in args:
            continue
        barred, fits = case.may_not(args["writer"], call["name"], agent), isinstance(args["note"], str)
        if run.surface == CHAT:
            assert not barred, f"{call} was not withheld"
        assert (REFUSED in message.text) == barred, f"{call} was {'not ' * barred}refused"
        assert (args["mark"] in ran) == (fits and not barred), f"{call}: {message}"
    assert not waiting, f"calls without a result: {waiting}"
    if run.error is None and run.messages:
        tail = [message for message in run.messages[-1:] if isinstance(message, ToolMessage)]
        assert not any(REFUSED in message.text for message in tail), "a refused call ended the run"


# -- whole or not at all -------------------------------------------------------------------------------------------------------------------


def check_whole(run: Played, message: AIMessage, origins: Origins) -> None:
    """Every call of a message was written to its end, in an answer that is complete or was stopped for a call that another model wrote."""
    assert not message.invalid_tool_calls or not message.tool_calls
    ids = [call["id"] for call in message.tool_calls]
    assert all(ids), "a call without an id"
    assert len(set(ids)) == len(ids), "two calls with one id"
    found = [origins.get(call["args"].get("mark", "")) for call in message.tool_calls]
    empty = [_sources(run, call) if origin is None else [] for call, origin in zip(message.tool_calls, found, strict=True)]
    handed_off = any(answer.wanted for answer in [*(origin[0] for origin in found if origin is not None), *chain.from_iterable(empty)])
    places: dict[int, list[int]] = {}
    for call, origin, sources in zip(message.tool_calls, found, empty, strict=True):
        if origin is None:
            assert call["args"] == {}, f"arguments that no model wrote: {call}"
            assert any(_may_land(answer, handed_off) for answer in sources), f"a call without arguments that no model finished: {call}"
            continue
        answer, place = origin
        assert answer.message.calls[place].name == call["name"]
        assert answer.message.is_sent(place, call["args"]), f"not what was written: {call}"
        assert _may_land(answer, handed_off), f"a call of a message that broke off ({answer.message.finish!r}): {call}"
        if not answer.wanted:
            places.setdefault(id(answer), []).append(place)
        if not handed_off and answer.is_good and run.surface != CHAT:
            assert len(message.tool_calls) == len(answer.message.calls), "a whole call is missing"
    assert all(each == sorted(each) for each in places.values()), "calls in another order"


def _sources(run: Played, call: Any) -> list[Answer]:
    """The answers in which a call without arguments may have been written: it does not say who wrote it."""
    return [answer for answer in run.answers for place in range(len(answer.message.calls)) if _is_empty(answer, place, call)]


def _is_empty(answer: Answer, place: int, call: Any) -> bool:
    """Whether this is such a call without arguments, and the stream said so."""
    said = answer.message
    written = said.calls[place]
    if written.name != call["name"] or said.sent[place] != written.args:
        return False
    return written.args == "{}" or (written.args == "" and (said.proper or (call["name"] == "look" and said.moved_on(place))))


def _may_land(answer: Answer, handed_off: bool) -> bool:
    if answer.wanted or answer.is_good:
        return answer.is_good
    return handed_off or answer.message.finish == "content_filter"


# -- what is told is what happened ---------------------------------------------------------------------------------------------------------


def check_record(message: AIMessage, origins: Origins) -> None:
    """The record names the model that wrote each call."""
    record = message.response_metadata.get("toolroute")
    for call in message.tool_calls:
        if record is not None and "writer" in call["args"]:
            assert record["calls"][call["id"]] == call["args"]["writer"] == origins[call["args"]["mark"]][0].spec, "the record names another writer"


def check_streamed(run: Played, *, again: bool) -> None:
    """A consumer of the stream has seen what is in the thread."""
    stored = {message.id: message for message in run.new if isinstance(message, AIMessage)}
    for mark, message in stored.items():
        assert mark in run.seen, f"a message was never shown: {message}"
    for mark, parts in run.seen.items():
        if mark in stored:
            chunks = [each for each in parts if type(each) is not AIMessage] or parts
            whole = chunks[0] + chunks[1:] if len(chunks) > 1 else chunks[0]
            anew = again and run.surface == DURABLE  # the writing was asked for once more, under the same message
            assert anew or said(whole) == said(stored[mark]), "another message was streamed than stored"
        else:
            assert again or run.error is not None, "a message was streamed that is not in the thread"


def said(message: Any) -> Any:
    return message.text, [(call["id"], call["name"], call["args"]) for call in message.tool_calls]


def shown(messages: Iterable[Any]) -> list[Any]:
    return [(each.type, each.id, each.text) for each in messages]


def without_counts(attempt: dict[str, Any]) -> dict[str, Any]:
    """An attempt's record without what is counted in tokens."""
    handoff = {name: value for name, value in (attempt.get("handoff") or {}).items() if not name.endswith("tokens")}
    return {**attempt, "usage": None, "handoff": handoff}


def story(run: Played) -> Any:
    """What came of a run, in a form that can be compared with that of another surface.

    Ids are numbered in each message: some surfaces keep a model's own, which may be the same in every message. Usage and the
    length of what a writer is sent are estimated here, ids included, and are left out.
    """
    number = Numbers()
    told: list[Any] = []
    for message in run.new:
        if isinstance(message, AIMessage):
            number = Numbers()
            text, calls, record, _, finish = told_of(message, number)
            record["attempts"] = [without_counts(attempt) for attempt in record["attempts"]]
            told.append((text, calls, record, finish))
        else:
            told.append((message.type, message.text, getattr(message, "status", None), number.deep(getattr(message, "tool_call_id", None))))
    return told, None if run.error is None else told_of_error(run.error)
