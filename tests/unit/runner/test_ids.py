"""What tells whether a thread is still the one that a turn answers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage, messages_from_dict, messages_to_dict

from lg_toolroute.runner.ids import NEWEST, base_of

CALLS: list[Any] = [{"name": name, "args": {"path": "a.py"}, "id": name, "type": "tool_call"} for name in ("read", "edit")]
BLOCKS: list[Any] = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
THREAD: list[BaseMessage] = [
    HumanMessage("Fix a.py", id="h"),
    AIMessage("Now.", id="a", tool_calls=CALLS),
    ToolMessage("content", id="t1", tool_call_id="read"),
    ToolMessage(BLOCKS, id="t2", tool_call_id="edit"),
]


def changed(place: int, **update: Any) -> list[BaseMessage]:
    thread = list(THREAD)
    thread[place] = thread[place].model_copy(update=update)
    return thread


@pytest.mark.parametrize(
    "other",
    [
        changed(0, content="Fix b.py"),
        changed(1, content="Then."),
        changed(1, tool_calls=[{**CALLS[0], "args": {"path": "b.py"}}, CALLS[1]]),
        changed(2, content="another result"),
        changed(2, status="error"),
        changed(3, content=[BLOCKS[0]]),
        changed(3, content="Look"),
        changed(3, tool_call_id="read"),
        changed(3, id="t3"),
        THREAD[:-1],
        [*THREAD, HumanMessage("more", id="m")],
        THREAD[1:],
        [],
    ],
)
def test_another_thread_has_another_base(other: list[BaseMessage]) -> None:
    assert base_of(other) != base_of(THREAD)


def test_a_question_is_known_behind_any_number_of_results() -> None:
    answers: list[BaseMessage] = [AIMessage("Hm.", id=str(place)) for place in range(2 * NEWEST)]
    assert base_of([THREAD[0], *answers]) != base_of([changed(0, content="Fix b.py")[0], *answers])


def test_two_texts_are_not_mixed_up_with_one() -> None:
    assert base_of([HumanMessage("ab"), HumanMessage("c")]) != base_of([HumanMessage("a"), HumanMessage("bc")])


def test_the_base_survives_json_and_another_process() -> None:
    written = json.dumps(messages_to_dict(THREAD))
    assert base_of(messages_from_dict(json.loads(written))) == base_of(THREAD)
    code = (
        "import json, sys; from langchain_core.messages import messages_from_dict; from lg_toolroute.runner.ids import base_of; "
        "print(base_of(messages_from_dict(json.load(sys.stdin))))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=written, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == base_of(THREAD)


def test_what_json_cannot_hold_is_no_error() -> None:
    odd = AIMessage([{"type": "text", "text": "\ud800", "seen": {1, 2}}], tool_calls=[{**CALLS[0], "args": {"when": object()}}])
    assert base_of([odd]) == base_of([odd.model_copy(deep=True)])
    assert base_of([HumanMessage("\ud800")])
