"""Agents of one configuration on several surfaces, the models and tools behind them, and runs through them."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.errors import AnswerRejected, ChainExhausted
from lg_toolroute.state import ToolRouteContext
from lg_toolroute.testing.expect import chosen_tool, names_tool, tool_name
from tests.support.foreign_middleware import foreign_middleware
from tests.support.great_many.configurations import CHAT, DURABLE, GRAPH, NAMES, SPECS, A, Case
from tests.support.great_many.models import Answer, Player, Refused, WholePlayer
from tests.support.random_messages import INTERRUPTIONS, Message, Sent, message_of, spelled

TEXTS = ("", "Let me see.", "Hm. ", 'Ünd {"so": ')
NOTES = ("", "ü}", '"{', "a\\b\n")
SIZES = (9, 30, 30, 90, 200, 200)
FAULTS = (
    (ConnectionError, "gone"),
    (TimeoutError, "slow"),
    (Refused, 429, "rate limit"),
    (Refused, 500, "internal error"),
    (Refused, 402, "credit balance is too low"),
    (Refused, 400, "bad request"),
)
EXPECTED_ERRORS = (ChainExhausted, AnswerRejected, ConnectionError, TimeoutError, Refused)


@dataclass(frozen=True)
class Script:
    """What one run is given; the same script gives the same answers on every surface.

    Attributes:
        seed: Of the models' answers.
        turns: After so many answers of reasoning models each says that it is done.
        context: The runtime context.
        expected: A tool that is known to come next.
        history: The thread before the question.
        streamed: A consumer listens to the models' tokens.
    """

    seed: int
    turns: int
    context: Mapping[str, Any]
    expected: str | None = None
    history: tuple[BaseMessage, ...] = ()
    streamed: bool = False


@dataclass
class Played:
    """What came of a run.

    Attributes:
        before: The thread when it began.
        messages: The thread afterwards.
        answers: What models were asked and said, in order.
        ran: The tool calls that ran: tool, writer, mark.
        seen: The chunks that a consumer saw, by message id.
        error: What it raised.
    """

    surface: str
    script: Script
    before: list[BaseMessage]
    messages: list[BaseMessage] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    ran: list[tuple[str, str, str]] = field(default_factory=list)
    seen: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    error: BaseException | None = None

    @property
    def new(self) -> list[BaseMessage]:
        """What the run added, the question first."""
        return self.messages[len(self.before) :]

    @property
    def turns(self) -> int:
        """How many messages landed; a run that raised had one more turn."""
        return sum(isinstance(each, AIMessage) for each in self.new) + (self.error is not None)


class World:
    """The agents of one case, built once.

    Args:
        case: The case.
        loop: Runs what is awaited.
    """

    def __init__(self, case: Case, loop: asyncio.Runner) -> None:
        self.case, self._loop = case, loop
        self._now = 0.0
        self._run = Played("", Script(0, 0, {}), [])
        self._dice: dict[Any, random.Random] = {}
        self._marks: dict[str, int] = {}
        self._reasoned = 0
        self.runs = 0
        self.models: dict[str, Any] = {spec: (WholePlayer if spec in case.whole else Player)(play=self._answer, name=spec) for spec in SPECS}
        self.tools: list[Any] = [*map(self._tool, NAMES)]
        self.agents = {surface: self._agent(surface) for surface in case.surfaces}

    # -- what it is made of --------------------------------------------------------------------------------------------------------------

    def _tool(self, name: str) -> BaseTool:
        def look(writer: str = "", mark: str = "", note: str = "") -> str:
            """Look around."""
            self._run.ran.append((name, writer, mark))
            return f"{name} {mark}"

        def act(writer: str, mark: str, note: str = "") -> str:
            """Do it."""
            return look(writer, mark)

        async def alook(writer: str = "", mark: str = "", note: str = "") -> str:
            """Look around."""
            return look(writer, mark)

        async def aact(writer: str, mark: str, note: str = "") -> str:
            """Do it."""
            return look(writer, mark)

        functions: Any = (look, alook) if name == "look" else (act, aact)
        return StructuredTool.from_function(*functions, name=name, return_direct=name in self.case.direct)

    def _agent(self, surface: str) -> Any:
        router = ToolRouter(self.case.config, models=self.models, clock=lambda: self._now)
        tools = [*self.tools, *self.case.extra_tools]
        kept: Any = {"checkpointer": InMemorySaver()} if self.case.keeps else {}
        if surface == GRAPH:
            return create_toolroute_agent(router, tools, **kept)
        if surface == CHAT:
            return create_agent(ToolRoutedChatModel(router=router), tools, context_schema=ToolRouteContext, **kept)
        middlewares: list[Any] = [ToolRouteMiddleware(router, durable=surface == DURABLE)]
        for place, other in ((0, self.case.outside), (2, self.case.inside)):
            if other is not None:
                way, spec, second = other
                middlewares.insert(place, foreign_middleware(way, self.models[spec], self.models[second], self.tools))
        return create_agent(self.models[A], tools, middleware=middlewares, context_schema=ToolRouteContext, **kept)

    # -- a run ---------------------------------------------------------------------------------------------------------------------------

    def play(self, surface: str, script: Script, *, is_async: bool, thread: str = "") -> Played:
        """One run from the question to its end.

        Args:
            surface: A surface of the case.
            script: What it is given.
            is_async: It is awaited.
            thread: The thread, where threads are kept.
        """
        agent = self.agents[surface]
        config: Any = {"recursion_limit": 200, "configurable": {"thread_id": thread}}
        before = agent.get_state(config).values.get("messages", []) if self.case.keeps else []
        self._run = run = Played(surface, script, [*before, *script.history])
        self._dice, self._marks, self._reasoned = {}, defaultdict(int), 0
        self._now += 1e6  # every model that failed may be probed again
        given: dict[str, Any] = {"messages": [*script.history, HumanMessage("Go.", id=f"q{script.seed}")]}
        if script.expected is not None:
            given["expected_tool"] = script.expected
        modes = ["values", "messages"] if script.streamed else ["values"]
        try:
            if is_async:
                self._loop.run(self._listen(agent.astream(given, config, context=dict(script.context), stream_mode=modes)))
            else:
                for event in agent.stream(given, config, context=dict(script.context), stream_mode=modes):
                    self._note(*event)
        except EXPECTED_ERRORS as caught:
            run.error = caught  # with all models down a run gives up; what ran until then counts all the same
        return run

    async def _listen(self, events: Any) -> None:
        async for event in events:
            self._note(*event)

    def _note(self, mode: str, event: Any) -> None:
        if mode == "values":
            self._run.messages = event["messages"]
        elif isinstance(event[0], (AIMessage, AIMessageChunk)):
            self._run.seen[event[0].id or ""].append(event[0])

    # -- what models say -----------------------------------------------------------------------------------------------------------------

    def _answer(self, spec: str, messages: Sequence[BaseMessage], settings: Mapping[str, Any]) -> Answer:
        tools = tuple(map(tool_name, settings.get("tools") or ()))
        wanted = _wanted(tools, chosen_tool(settings.get("tool_choice")), messages)
        dice = self._dice.get((spec, wanted))
        if dice is None:
            dice = self._dice[spec, wanted] = random.Random(self._run.script.seed * 1_000_003 + crc32(repr((spec, wanted)).encode()))
        message = self._written(dice, spec, wanted) if wanted else self._reason(dice, spec)
        answer = Answer(spec, tools, wanted, message)
        if dice.random() < 0.06 and (wanted or self._reasoned <= self._run.script.turns):
            kind, *about = dice.choice(FAULTS)
            answer.error, answer.breaks_at = kind(*about), dice.choice([0, dice.randrange(len(message.chunks))])
        self._run.answers.append(answer)
        return answer

    def _reason(self, dice: random.Random, spec: str) -> Message:
        self._reasoned += 1
        if self._reasoned > self._run.script.turns:
            return message_of(dice, "Done.", (), finish="proper")
        count = dice.choice([0, 1, 1, 1, 1, 2, 2, 3, 4])
        calls = [self._call(dice, spec, dice.choice(NAMES), (), wrong=0.04) for _ in range(count)]
        text = dice.choice(TEXTS) if calls or dice.random() < 0.2 else "I am done."
        finish = "proper" if dice.random() < 0.9 else dice.choice(["", *INTERRUPTIONS])
        return message_of(dice, text, calls, finish=finish, sizes=SIZES)

    def _written(self, dice: random.Random, spec: str, wanted: tuple[str, ...]) -> Message:
        names = [*wanted] * dice.choice([1, 1, 2, 4])
        if dice.random() < 0.1:
            names = dice.choice([[], [dice.choice(NAMES)], [*wanted, dice.choice(NAMES)]])
        calls = [self._call(dice, spec, name, wanted, wrong=0.06) for name in names]
        finish = "proper" if dice.random() < 0.92 else dice.choice(["", *INTERRUPTIONS])
        return message_of(dice, dice.choice(TEXTS), calls, finish=finish, sizes=SIZES)

    def _call(self, dice: random.Random, spec: str, name: str, wanted: tuple[str, ...], *, wrong: float) -> Sent:
        """A call: mostly a good one, whose arguments say who wrote it and which of all calls it is."""
        key = f"{spec} {wanted}"
        self._marks[key] += 1
        mark = f"{self._run.script.seed} {key} {self._marks[key]}"
        args: dict[str, Any] = {"writer": spec, "mark": mark, "note": dice.choice(NOTES)}
        written = json.dumps(args, ensure_ascii=dice.random() < 0.5)
        roll = dice.random()
        if roll < wrong:
            written = dice.choice([written[: dice.randrange(1, len(written))], json.dumps({**args, "note": 7}), "[1]", "{}"])
        elif roll < 2 * wrong or (name == "look" and roll < 0.3):
            written = ""
        return Sent(name, spelled(dice, name), written, dice.choice([None, "", "call_1", "call_1", "call_2", "x y", f"own_{self._marks[key]}"]))


def _wanted(tools: tuple[str, ...], choice: str | None, messages: Sequence[BaseMessage]) -> tuple[str, ...]:
    """The tools whose calls a request wants: the one that is forced, all where any will do, the only one where the last words name it."""
    if choice in NAMES:
        return (choice,)
    if choice == "any":
        return tuple(name for name in tools if name in NAMES)
    told = len(tools) == 1 and bool(messages) and messages[-1].type == "human" and names_tool(str(messages[-1].text), tools[0])
    return tools if told else ()
