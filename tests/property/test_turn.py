"""Laws of a turn: both drivers agree, and a turn that is resumed at any point ends as one that was never interrupted."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.checkpoint.memory import InMemorySaver

from lg_toolroute.config import load_config
from lg_toolroute.core.failures.circuit import Circuit
from lg_toolroute.core.failures.failure import Failure
from lg_toolroute.core.turn.changes import record
from lg_toolroute.core.turn.flow import Ask, Claim, Flow, LookUp, Report, Step, begin, walk
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.core.turn.selection import Survey
from lg_toolroute.core.turn.turn import Answer, Attempt, Intercepted, Job, Turn
from lg_toolroute.errors import ChainExhausted
from lg_toolroute.rulebook.book import compile_config
from lg_toolroute.runner.drivers import adrive, drive
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel
from tests.support.folder_agents import DEEPSEEK, KIMI, LOCAL, Folder, routed
from tests.support.folder_agents import ask as question
from tests.support.sampling import examples

A, B, C, D = "a/a", "b/b", "c/c", "d/d"
TOOLS = (("edit", ()), ("read", ()), ("write", ()), ("exec", ()))
CLASSES = ["connection", "rate_limit", "context_overflow", "invalid_tool_call", "empty_response", "truncated", "content_policy", "auth"]


def rule(primary: str, fallbacks: list[str] | None, mode: str, live: bool) -> dict[str, Any]:
    more = {} if fallbacks is None else {"fallbacks": fallbacks}
    return {"primary": primary, "onIntercept": mode, "streamArgs": "live" if live else "checked", **more}


specs = st.sampled_from([A, B, C, D])
rules = st.dictionaries(
    st.sampled_from(["edit", "write", "exec"]),
    st.builds(rule, specs, st.none() | st.lists(specs, max_size=3, unique=True), st.sampled_from(["cut", "drain"]), st.booleans()),
    max_size=3,
)
denied = st.lists(st.sampled_from(["edit", "read", "exec"]), max_size=2)
configs = st.fixed_dictionaries(
    {
        "model": st.fixed_dictionaries({"primary": specs, "fallbacks": st.lists(specs, max_size=3, unique=True)}),
        "toolRouting": rules,
        "tools": st.fixed_dictionaries({"byModel": st.dictionaries(specs, st.fixed_dictionaries({"deny": denied}), max_size=2)}),
    }
)
answers = st.lists(
    st.fixed_dictionaries(
        {
            "fails": st.sampled_from([None, None, None, *CLASSES]),
            "shown": st.booleans(),
            "names": st.lists(st.sampled_from(["edit", "read", "write", "exec"]), max_size=3),
            "spent": st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
)


@dataclass
class World:
    """Answers every step, the same way whenever it is asked the same: by model, tools and number of tries."""

    plan: list[dict[str, Any]]
    inputs: TurnInputs
    down: frozenset[str] = frozenset()
    probing: frozenset[str] = frozenset()
    reports: list[tuple[str, str | None]] = field(default_factory=list)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def look(self, step: Step) -> Any:
        match step:
            case LookUp():
                circuits = {spec: Circuit(opened=1, since=0.0, until=100.0, cls="rate_limit") for spec in self.down}
                return Survey({**circuits, **{spec: Circuit(opened=1, since=0.0, until=5.0, cls="rate_limit") for spec in self.probing}}, 10.0)
            case Claim(spec):
                return bool(crc32(spec.encode()) % 2)
            case Report(spec, failed, _tool):
                self.reports.append((spec, None if failed is None else failed.cls))
                return None

    async def alook(self, step: Step) -> Any:
        await asyncio.sleep(0)
        return self.look(step)

    def ask(self, step: Ask) -> Generator[None, None, list[Answer]]:
        yield  # what a consumer is shown does not matter here
        return [self.answer(step.turn, job) for job in step.jobs]

    async def aask(self, step: Ask, answers: list[Answer]) -> AsyncGenerator[None, None]:
        yield
        await asyncio.sleep(0)
        answers.extend(self.answer(step.turn, job) for job in step.jobs)

    def drive(self, flow: Flow) -> Turn:
        ended: list[Turn] = []
        for _ in drive(into(ended, flow), self.look, self.ask):
            continue
        return ended[0]

    async def adrive(self, flow: Flow) -> Turn:
        ended: list[Turn] = []
        async for _ in adrive(into(ended, flow), self.alook, self.aask):
            continue
        return ended[0]

    def answer(self, turn: Turn, job: Job) -> Answer:
        spec = job.candidate or ""
        self.asked.append((spec, job.tools))
        tries = sum(attempt.model == spec and attempt.tool == job.tool for attempt in turn.attempts)
        plan = self.plan[crc32(f"{spec} {job.tools} {tries}".encode()) % len(self.plan)]
        shown = plan["shown"] and not job.tools
        if plan["fails"]:
            found = Failure(plan["fails"], "it failed")
            attempt = Attempt(spec, "failed", plan["fails"], job.tool, detail="it failed")
            spent = plan["spent"] and job.decision is not None and job.decision.options.stream_args == "live"
            acceptable = shown and plan["fails"] == "truncated"
            return Answer(attempt, found, shown=shown, spent=spent, acceptable=acceptable)
        if job.calls:
            return Answer(Attempt(spec, "answered", tool=job.tool), call_ids=tuple(call.call_id for call in job.calls))
        return self.words(turn, spec, plan["names"])

    def words(self, turn: Turn, spec: str, names: list[str]) -> Answer:
        """The primary names tools; what its gate does with them follows from the gates alone."""
        gates, kept, cut = dict(turn.gates), [], []
        for slot, name in enumerate(names):
            mode = gates.get(name)
            if mode is None:
                kept.append(f"own_{slot}")
                continue
            cut.append(Intercepted(slot, name, f"ours_{slot}"))
            if mode == "cut" and "drain" not in [gates[call.tool] for call in cut]:
                break
        halted = bool(cut) and gates[cut[0].tool] == "cut"
        attempt = Attempt(spec, "cut" if halted else "answered")
        return Answer(attempt, shown=True, call_ids=tuple(kept), routed=tuple(cut))


def worlds(
    config: dict[str, Any], plan: list[dict[str, Any]], forced: str | None, down: frozenset[str], probing: frozenset[str]
) -> tuple[TurnInputs, World]:
    book = compile_config(load_config(config))
    inputs = TurnInputs(book, TOOLS, book.facts, forced=forced)
    return inputs, World(plan, inputs, down, probing - down)


def outcome(run: Any) -> Any:
    """The result of a turn, or what it raised, in a form that can be compared."""
    try:
        return run()
    except ChainExhausted as error:
        return str(error), error.tool, error.due_in_s


def new_ids() -> Any:
    numbers = itertools.count()
    return lambda: f"new_{next(numbers)}"


def into(ended: list[Turn], flow: Flow) -> Generator[Step, Any, None]:
    """The flow; its result is added to the list."""
    ended.append((yield from flow))


def through_json(turn: Turn, inputs: TurnInputs) -> Turn:
    found = Turn.from_dict(json.loads(json.dumps(turn.to_dict())), inputs.decision)
    assert found is not None
    return found


def phase_by_phase(turn: Turn, inputs: TurnInputs, world: World) -> Turn:
    """As the graph goes: one phase a node, and a checkpoint written and read between any two."""
    turn = through_json(turn, inputs)
    while turn.phase != "done":
        turn = through_json(world.drive(walk(turn, inputs, {turn.phase})), inputs)
    return turn


subsets = st.frozensets(specs, max_size=3)
forced_tools = st.none() | st.sampled_from(["edit", "read", "exec"])
situations = {"config": configs, "plan": answers, "forced": forced_tools, "down": subsets, "probing": subsets}


def check_drivers(inputs: TurnInputs, plain: World, *, is_async: bool = True) -> None:
    """A turn that is awaited, and one that is resumed at every phase, end as the plain one: with the same requests and reports."""
    awaited, resumed = World(plain.plan, inputs, plain.down, plain.probing), World(plain.plan, inputs, plain.down, plain.probing)

    def begun() -> Turn:
        return begin("turn", "base", inputs, new_ids())

    whole = outcome(lambda: plain.drive(walk(begun(), inputs)))
    if is_async:
        assert outcome(lambda: asyncio.run(awaited.adrive(walk(begun(), inputs)))) == whole
        assert (plain.asked, plain.reports) == (awaited.asked, awaited.reports)
    assert outcome(lambda: phase_by_phase(begun(), inputs, resumed)) == whole
    assert (plain.asked, plain.reports) == (resumed.asked, resumed.reports)
    if isinstance(whole, Turn):
        assert json.loads(json.dumps(record(whole))) == record(whole)


def check_chain(inputs: TurnInputs, world: World) -> None:
    """Whatever fails: no model is asked for a tool it may not use, a boundary is never left, and no model is asked more than twice for one thing."""
    turn = outcome(lambda: world.drive(walk(begin("turn", None, inputs, new_ids()), inputs)))
    reasoning = inputs.rules.reasoning_chain()
    for spec, tools in world.asked:
        assert world.asked.count((spec, tools)) <= 2
        if not tools:
            assert spec in reasoning
        for tool in tools:
            decision = inputs.rules.decide(tool)
            assert spec in decision.chain
            assert inputs.rules.verdict(tool, spec) is None
            if decision.options.boundary:
                assert decision.chain == (spec,)
    if isinstance(turn, Turn):
        written = [call_id for call_id, _ in turn.writers]
        assert len(set(written)) == len(written)
        wanted = [call.call_id for job in turn.jobs for call in job.calls]
        assert set(wanted) <= set(written)
        assert not turn.pending
        assert all(job.settled for job in turn.jobs)


@settings(max_examples=examples(300), deadline=None)
@given(**situations)
def test_the_two_drivers_and_a_turn_resumed_at_every_phase_agree(config, plan, forced, down, probing):
    check_drivers(*worlds(config, plan, forced, down, probing))


@settings(max_examples=examples(300), deadline=None)
@given(**situations)
def test_a_turn_ends_and_keeps_to_policy_boundary_and_chain(config, plan, forced, down, probing):
    check_chain(*worlds(config, plan, forced, down, probing))


SEED = int(os.environ.get("LG_TOOLROUTE_TURNS_SEED", "20261121"))
TURNS_A_CONFIG = 100


def dealt(dice: random.Random) -> Iterator[tuple[TurnInputs, World]]:
    """The turns of one random configuration: what Hypothesis draws above, from plain dice, which are a hundred times as fast."""
    some = [A, B, C, D]

    def sample(values: Sequence[Any], most: int) -> list[Any]:
        return dice.sample(values, dice.randint(0, most))

    routing = {
        tool: rule(dice.choice(some), dice.choice([None, sample(some, 3)]), dice.choice(["cut", "drain"]), dice.random() < 0.5)
        for tool in sample(["edit", "write", "exec"], 3)
    }
    policy = {"byModel": {spec: {"deny": sample(["edit", "read", "exec"], 2)} for spec in sample(some, 2)}}
    config = {"model": {"primary": dice.choice(some), "fallbacks": sample(some, 3)}, "toolRouting": routing, "tools": policy}
    book = compile_config(load_config(config))
    for _ in range(TURNS_A_CONFIG):
        plan = [
            {
                "fails": dice.choice([None, None, None, *CLASSES]),
                "shown": dice.random() < 0.5,
                "names": dice.choices(["edit", "read", "write", "exec"], k=dice.randint(0, 3)),
                "spent": dice.random() < 0.5,
            }
            for _ in range(dice.randint(1, 8))
        ]
        inputs = TurnInputs(book, TOOLS, book.facts, forced=dice.choice([None, "edit", "read", "exec"]))
        down, probing = frozenset(sample(some, 3)), frozenset(sample(some, 3))
        yield inputs, World(plan, inputs, down, probing - down)


def test_both_laws_hold_for_a_great_many_turns():
    """`LG_TOOLROUTE_TIMES=n` makes them n times as many, `LG_TOOLROUTE_TURNS_SEED` takes another seed."""
    dice, turns = random.Random(SEED), 0
    while turns < examples(9_000):
        for inputs, world in dealt(dice):
            turns += 1
            again = World(world.plan, inputs, world.down, world.probing)
            try:
                check_chain(inputs, world)
                if turns % 10 == 0:  # it runs the turn three times
                    check_drivers(inputs, again, is_async=turns % 50 == 0)
            except AssertionError as error:
                raise AssertionError(f"seed {SEED}, turn {turns}: {world.plan}, down {world.down}, probing {world.probing}") from error
    print(f"seed {SEED}: {turns} turns")


# -- the same law for whole graphs, with models that stream -----------------------------------------------------------------------------

EDIT = {"path": "a.py", "old": "x", "new": "x"}  # it changes nothing: the calls of one message run side by side, in any order
NAMED = [Call("read", {"path": "c.py"}), Call("edit", {"path": "a.py", "old": "dropped"}), Call("write", {"path": "b", "text": "t"})]
calls = st.lists(st.sampled_from(NAMED), max_size=3)
words = st.builds(Say, st.sampled_from(["", "Let me see.", "Hm."]), calls, chunks=st.sampled_from(["parts", "whole", 2]))
wrong = st.sampled_from([Say("no"), Say(calls=[Call("edit", {"path": 1})]), Say(calls=[Call("edit", '{"path"')]), Fail(ConnectionError("gone"))])
RIGHT = Say(calls=[Call("edit", EDIT), Call("write", {"path": "b", "text": "t"})] * 3)


def models(reasons: list[Any], writes: list[Any]) -> dict[str, ScriptedModel]:
    last = Say("Done.")
    return {
        KIMI: ScriptedModel([*reasons, *[last] * 3], name=KIMI),
        DEEPSEEK: ScriptedModel([*writes, *[RIGHT] * 12], name=DEEPSEEK),
        LOCAL: ScriptedModel([RIGHT] * 12, name=LOCAL),
    }


def story(messages: list[BaseMessage]) -> list[Any]:
    """Messages without what differs from run to run: the ids that are made, which are numbered instead."""
    found: dict[str, int] = {}

    def number(mark: Any) -> Any:
        return found.setdefault(mark, len(found))

    told: list[Any] = []
    for message in messages:
        if isinstance(message, AIMessage):
            noted = dict(message.response_metadata["toolroute"])
            noted["calls"] = {number(mark): model for mark, model in noted["calls"].items()}
            asked = [(number(call["id"]), call["name"], call["args"]) for call in message.tool_calls]
            told.append((message.content, asked, noted, message.usage_metadata))
        else:
            told.append((message.type, message.content, getattr(message, "status", None)))
    return told


def stories(is_async: str, reasons: list[Any], writes: list[Any], modes: dict[str, str]) -> Any:
    rules = {tool: {"primary": DEEPSEEK, "fallbacks": [LOCAL], "onIntercept": mode} for tool, mode in modes.items()}
    scripted, folder = models(reasons, writes), Folder({"a.py": "x", "c.py": "c"})
    settings = {"checkpointer": InMemorySaver(), "interrupt_before": "*"} if is_async == "resumed" else {}
    agent = routed(scripted, rules=rules, folder=folder, clock=lambda: 0.0, **settings)
    thread = {"configurable": {"thread_id": "1"}, "recursion_limit": 200}
    if is_async == "async":
        messages = asyncio.run(agent.ainvoke(question(), thread))["messages"]
    elif is_async == "resumed":
        agent.invoke(question(), thread)
        while agent.get_state(thread).next:
            agent.invoke(None, thread)
        messages = agent.get_state(thread).values["messages"]
    else:
        messages = agent.invoke(question(), thread)["messages"]
    requests = {spec: [(request.tools, request.tool_choice) for request in model.requests] for spec, model in scripted.items()}
    return story(messages), requests, sorted(map(repr, folder.ran))


@settings(max_examples=25, deadline=None)
@given(
    reasons=st.lists(words.filter(lambda say: bool(say.text or say.calls)), min_size=1, max_size=3),
    writes=st.lists(wrong | st.just(RIGHT), max_size=3),
    modes=st.fixed_dictionaries({"edit": st.sampled_from(["cut", "drain"])}, optional={"write": st.sampled_from(["cut", "drain"])}),
)
def test_a_graph_does_the_same_plainly_awaited_and_interrupted_before_every_node(reasons, writes, modes):
    plain = stories("sync", reasons, writes, modes)
    assert stories("async", reasons, writes, modes) == plain
    assert stories("resumed", reasons, writes, modes) == plain
