"""Models that fail at random, from a seed, and what must be true of every run all the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from lg_toolroute import ChainExhausted
from lg_toolroute.testing import Call, Fault, FaultServer, Say, ServerRequest, faults, random_faults
from lg_toolroute.testing.providers.histories import openai_chat
from tests.support.faults.outcomes import differences
from tests.support.faults.story import (
    ASIDE,
    DROPPED,
    EDIT,
    PRIMARY,
    RAN,
    READ,
    ROLES,
    SECOND,
    SPARE,
    TEXTS,
    WRITER,
    Answer,
    Run,
    is_told_to_call,
    named,
    plain,
)
from tests.support.faults.ways import STREAMED, WAYS, Seen, agent
from tests.support.provider_rules import deepseek
from tests.support.provider_rules.minted import Minted

ONE_STAYS, ANY_MAY_FAIL, BOUNDARY = "one candidate stays up", "any candidate may fail", "the calls stay inside a boundary"
KINDS = (ONE_STAYS, ANY_MAY_FAIL, BOUNDARY)
DENIED = "web_search"
CALLS = [[("read", READ)], [("edit", EDIT)], []]
AN_ANSWER = frozenset({"text_instead", "content_filter", "content_policy"})
"""What, while a model reasons, is no failure but its answer, or a refusal that is not passed on: the run ends with it, as it should."""

ADDS_A_CALL = frozenset({"truncated_arguments", "broken_arguments", "wrong_arguments"})
"""What makes a broken call of an answer that has none. Who is then asked to go on behind the last word has nothing to say."""


class FailingAgent:
    """An agent whose models fail at random.

    Args:
        server: Serves the models.
        kind: Which of them may fail.
        surface: How the agent is built.
        way: How it is run.
        seed: Where the chances come from.

    Attributes:
        turns: Messages of models so far, in all runs.
        given_up: Runs that ended with `ChainExhausted`.
        struck: Requests that met a fault.
    """

    def __init__(self, server: FaultServer, kind: str, surface: str, way: str, seed: int) -> None:
        self.kind, self.surface, self.way = kind, surface, way
        self.dice = random.Random(f"{seed} {kind} {surface} {way}")
        number = f"{kind} {surface} {way}".replace(" ", "-")
        fallbacks = [] if kind == BOUNDARY else [named(SECOND, number)]
        rule = {"primary": named(WRITER, number), "fallbacks": fallbacks, "refusalFallsBack": True, "handoff": "full"}
        denied = {"byModel": {named(role, number): {"deny": [DENIED]} for role in (SPARE, SECOND)}}
        self.run = Run(server, number, toolRouting={"edit": rule}, tools=denied)
        self.turns = self.given_up = self.struck = 0
        self._script: dict[str, list[Fault]] = {}
        self._up = {ONE_STAYS: {SPARE, SECOND}, ANY_MAY_FAIL: set(), BOUNDARY: {SPARE}}[kind]

    # -- one run ----------------------------------------------------------------------------------------------------------------------

    async def run_once(self) -> list[str]:
        """One run in which models fail, and what was wrong with it."""
        run, dice = self.run, self.dice
        books, now = run.router.health, run.clock.now
        run.begin({role: self._answers(role) for role in ROLES})
        run.router.health = books  # what was learned of the models stays, and time goes on
        run.clock.now = now + dice.choice((0.0, 1.0, 10.0, 100.0, 1000.0))
        if dice.random() < 0.5:
            books.reset(dice.choice([None, *run.names.values()]))  # as an operator would, when a model that was not found is there
        seen, error = Seen(), None
        try:
            seen = await WAYS[self.way](agent(run, self.surface), config={"recursion_limit": 200})
        except Exception as raised:  # what it is, is the question
            error = raised
        return [*self._requests(), *(self._failed(error) if error is not None else self._ended(seen))]

    def _answers(self, role: str) -> Answer:
        up = role in self._up
        script = random_faults(self.dice, 40, healthy=1.0 if up else 0.55)

        def answer(request: ServerRequest) -> Any:
            fault = script.pop() if script else faults.none()
            if not is_told_to_call(request) and fault.name in AN_ANSWER:
                fault = faults.none()
            say = plain(request)
            if not say.calls and fault.name in ADDS_A_CALL:
                fault = faults.none()
            if self.kind == ANY_MAY_FAIL and say.calls and say.calls[0].name == "edit":
                say = replace(say, calls=[Call("edit", EDIT)])  # with no model left to write it, a reasoning model's own call stands
            if role == SPARE and not is_told_to_call(request) and len(script) % 5 == 0 and not _refused(request):
                return Say(say.text, [Call(DENIED, {"query": "x"})], chunks=3)  # a tool that it does not see
            self.struck += fault.name not in {"none", "slow"}
            return fault.during(say)

        return answer

    # -- what must be true -----------------------------------------------------------------------------------------------------------

    def _requests(self) -> list[str]:
        """Of every request: legal for its provider, only tools that its model may have, and inside the boundary."""
        run, wrong = self.run, []
        for role in ROLES:
            for request in run.asked(role):
                rules = deepseek if role == WRITER else openai_chat
                wrong += [f"{role}: {what}" for what in rules.check(dict(request.body), Minted())]
                if DENIED in request.tools and role in (SPARE, SECOND):
                    wrong.append(f"{role} saw {DENIED!r}")
                if self.kind == BOUNDARY and is_told_to_call(request) and role != WRITER:
                    wrong.append(f"{role} was asked for a call that stays with {WRITER}")
                if DROPPED in repr(request.messages):
                    wrong.append(f"{role} read the dropped call")
        if any(name == DENIED for name, _ in run.ran):
            wrong.append(f"{DENIED!r} ran")
        return wrong

    def _failed(self, error: Exception) -> list[str]:
        if not isinstance(error, ChainExhausted):
            return [f"it ended with {type(error).__name__}: {error}"]
        self.given_up += 1
        ran = self.run.ran
        wrong = [] if ran == RAN[: len(ran)] else [f"tools ran {ran}"]
        up = error.tool is None if self.kind == BOUNDARY else True
        if self.kind == ONE_STAYS or (self.kind == BOUNDARY and up):
            wrong.append(f"it gave up although a model was up: {error}")
        chain = {PRIMARY, SPARE} if error.tool is None else {WRITER} if self.kind == BOUNDARY else {WRITER, SECOND, PRIMARY}
        named = {self.run.role(cause.model) for cause in error.exceptions}  # type: ignore[attr-defined]  # both kinds of causes name a model
        if named != chain:
            wrong.append(f"of {sorted(chain)} it accounts for {sorted(named)}")
        return wrong

    def _ended(self, seen: Seen) -> list[str]:
        said = [message for message in seen.messages if isinstance(message, AIMessage)]
        self.turns += len(said)
        wrong = list(differences(seen.chunks, said)) if self.way in STREAMED else []
        kept = [message for message in said if not _was_refused(message, seen.messages)]
        if [message.text for message in kept] != list(TEXTS):
            wrong.append(f"it said {[message.text for message in kept]}")
        if [[(call["name"], call["args"]) for call in message.tool_calls] for message in kept] != CALLS:
            wrong.append(f"it called {[message.tool_calls for message in kept]}")
        if self.run.ran != RAN:
            wrong.append(f"tools ran {self.run.ran}")
        if DROPPED in repr(seen) or ASIDE in repr(seen):
            wrong.append("something was shown that is not part of the answer")
        results = [message.tool_call_id for message in seen.messages if isinstance(message, ToolMessage)]
        if sorted(results) != sorted(str(call["id"]) for message in said for call in message.tool_calls):
            wrong.append("calls and results do not pair up")
        return wrong


def _refused(request: ServerRequest) -> bool:
    """The model was told already that the tool is not there."""
    return any(DENIED in str(message.get("content")) for message in request.messages)


def _was_refused(message: AIMessage, messages: Sequence[BaseMessage]) -> bool:
    """All calls of a message were refused, so that the model had to say it again."""
    answers = {each.tool_call_id: each.status for each in messages if isinstance(each, ToolMessage)}
    return bool(message.tool_calls) and all(answers.get(str(call["id"])) == "error" for call in message.tool_calls)
