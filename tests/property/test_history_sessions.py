"""Sessions of many models, read by every provider in any order: each request that leaves a real client is legal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.base import message_to_dict

from lg_toolroute.history import adapt, target_of
from tests.support.provider_rules.providers import PROVIDERS, Answer
from tests.support.provider_rules.stories import Studio

COPIES = 6
"""Messages recorded of each kind: one answer of a server stands in a history once."""

KINDS = ("kept", "routed", "cut", "failed", "lost", "doubled")
"""What happened to a call: it was run; another model wrote it; it stands beside the words of another model; it failed and was tried
again; it was interrupted before its result; its id was used before."""


class Recorder:
    """A studio that recorded, once, what each provider's client stores."""

    def __init__(self) -> None:
        self.studio = Studio()
        self.takes: dict[tuple[int, str, bool], list[AIMessage]] = {}
        shown = {"text": Answer(text="Yes.", thinking="Hm."), "call": Answer(text="So.", thinking="Hm.", calls=(("edit", {"path": "a.py"}),))}
        for place, provider in enumerate(PROVIDERS):
            for v1 in (False, True):
                for kind, answer in shown.items():
                    self.takes[place, kind, v1] = [self.studio.answer(provider, answer, **(provider.v1 if v1 else {})) for _ in range(COPIES)]


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.studio.close()


turn = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, len(PROVIDERS) - 1),  # the provider of the words
    st.integers(0, len(PROVIDERS) - 1),  # the provider of the call, in kinds that have another one
    st.booleans(),  # in standard blocks
    st.integers(0, len(PROVIDERS) - 1),  # the provider that reads afterwards
)


class Session:
    """A stored thread that grows; it notes where a model may be asked."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.history: list[BaseMessage] = [SystemMessage("You edit files.")]
        self.used: dict[tuple[int, str, bool], Iterator[int]] = {}

    def take(self, who: int, kind: str, v1: bool) -> AIMessage:
        place = next(self.used.setdefault((who, kind, v1), count()))
        return self.recorder.takes[who, kind, v1][place % COPIES]

    def play(self, kind: str, who: int, other: int, v1: bool) -> None:
        """Add one turn: the user's message, the answer, the result."""
        self.history.append(HumanMessage("Change a.py."))
        message = self.take(who, "call", v1)
        if kind == "routed":
            message = self.take(other, "call", v1)
        elif kind == "cut":
            words, call = self.take(who, "text", v1), self.take(other, "call", v1)
            record = {"tool": "edit", "model": f"x/{PROVIDERS[other].model}-{other}", "primary": f"x/{PROVIDERS[who].model}"}
            message = words.model_copy(
                update={"tool_calls": call.tool_calls, "response_metadata": {**words.response_metadata, "toolroute": record}}
            )
        elif kind == "doubled":
            message = message.model_copy(update={"tool_calls": [{**message.tool_calls[0], "id": "call_1"}]})
        self.history.append(message)
        if kind == "lost":
            self.history.append(HumanMessage("Are you there?"))
            return
        status: Any = "error" if kind == "failed" else "success"
        self.history.append(ToolMessage("ok", tool_call_id=message.tool_calls[0]["id"], name="edit", status=status))
        if kind == "failed":
            again = self.take(other, "call", False)
            self.history += [again, ToolMessage("ok", tool_call_id=again.tool_calls[0]["id"], name="edit")]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(plan=st.lists(turn, min_size=1, max_size=COPIES // 2))
def test_sessions_of_many_models_stay_legal_for_every_reader(recorder: Recorder, plan: list[tuple[str, int, int, bool, int]]) -> None:
    """After each turn some provider reads, and at the end all do; what is stored stays as it is, bit for bit."""
    studio = recorder.studio
    session = Session(recorder)
    for kind, who, other, v1, reads in plan:
        session.play(kind, who, other, v1)
        stored = json.dumps([message_to_dict(message) for message in session.history], default=str)
        for place in {reads} if len(session.history) < 12 else range(len(PROVIDERS)):
            reader = PROVIDERS[place]
            model = studio.client(reader)
            target = target_of(model)
            adapted = adapt(session.history, target)
            assert reader.check(studio.send(reader, model, adapted), studio.minted) == [], reader.name
            assert adapt(adapted, target) == adapted
        assert json.dumps([message_to_dict(message) for message in session.history], default=str) == stored
