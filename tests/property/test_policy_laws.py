"""Laws of who may write and run what: a call is held to the policy of the model that wrote it, and a boundary's call is written by its model alone.

Every model writes its own spec into its calls, and every tool notes the spec it was run with: so what ran is known without any record.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.config import load_config
from lg_toolroute.errors import AnswerRejected, ChainExhausted
from lg_toolroute.rulebook.book import RuleBook, compile_config
from lg_toolroute.state import ToolRouteContext
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel
from tests.support.foreign_middleware import WAYS_TO_PUT_IN, foreign_middleware
from tests.support.sampling import examples

A, B, C, D = SPECS = ("kimi/a", "deepseek/b", "qwen/c", "xai/d")
ALIASES = {"ace": A, "bee": B, "sea": C, "Dee": D}
NAMES = ("read", "edit", "exec")
SURFACES = ("graph", "middleware", "durable middleware", "chat model")
WAYS = [(is_async, streamed) for is_async in (False, True) for streamed in (False, True)]
REFUSED = "is not available to you"


@dataclass
class World:
    """The models and tools of one run, and what came of them.

    Attributes:
        wishes: The tools that the models call, in order.
        failures: Whether the next request fails.
        direct: The tools that answer for the agent.
        ran: What was run: the tool, and the model that wrote the call.
        asked: The requests: the model, and the tool that it was told to call.
    """

    wishes: list[list[str]]
    failures: list[bool]
    direct: Sequence[str] = ()
    ran: list[tuple[str, str]] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.models = {spec: ScriptedModel(answer=lambda request, spec=spec: self._answer(spec, request), name=spec) for spec in SPECS}
        self.tools = [self._tool(name) for name in NAMES]

    def _tool(self, name: str) -> BaseTool:
        def run(writer: str) -> str:
            """Run the tool."""
            self.ran.append((name, writer))
            return "done"

        return StructuredTool.from_function(run, name=name, return_direct=name in self.direct)

    def _answer(self, spec: str, request: Any) -> Any:
        self.asked.append((spec, request.tool_choice))
        if self.failures and self.failures.pop(0):
            return Fail(ConnectionError("gone"))
        if request.tool_choice in NAMES:
            return Say(calls=[Call(request.tool_choice, {"writer": spec})] * 2)
        if request.tool_choice == "any":
            return Say(calls=[Call(name, {"writer": spec}) for name in request.tools] * 2)
        return Say("On it.", [Call(name, {"writer": spec}) for name in self.wishes.pop(0)]) if self.wishes else Say("Done.")


@dataclass(frozen=True)
class Case:
    """A configuration, what happens under it, and which middlewares of others stand around the routing."""

    config: Mapping[str, Any]
    wishes: list[list[str]]
    failures: list[bool]
    direct: Sequence[str]
    context: Mapping[str, Any]
    outside: tuple[str, str, str] | None = None
    inside: tuple[str, str, str] | None = None

    def oracle(self) -> RuleBook:
        """The rules, with every alias written as the spec it stands for."""
        return compile_config(load_config(_spelled_out(self.config)))


def _spelled_out(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {ALIASES.get(key, key): _spelled_out(each) for key, each in value.items() if key != "alias"}
    if isinstance(value, (list, tuple)):
        return [_spelled_out(each) for each in value]
    return ALIASES.get(value, value) if isinstance(value, str) else value


named = st.sampled_from([*SPECS, *ALIASES])
keys = st.sampled_from([*SPECS, *ALIASES, "*", "kimi/*", "*/b", "qwen", "xai"])
some = st.lists(st.sampled_from(NAMES), max_size=2, unique=True)
layer = st.fixed_dictionaries({}, optional={"deny": some, "allow": st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)})
policies = st.fixed_dictionaries(
    {}, optional={"deny": some, "byModel": st.dictionaries(keys, layer, max_size=3), "byProvider": st.dictionaries(keys, layer, max_size=2)}
)
rules = st.dictionaries(
    st.sampled_from(NAMES),
    st.fixed_dictionaries(
        {"primary": named, "onIntercept": st.sampled_from(["cut", "drain"])}, optional={"fallbacks": st.just([]) | st.lists(named, max_size=2)}
    ),
    max_size=2,
)
foreign = st.none() | st.tuples(st.sampled_from(WAYS_TO_PUT_IN), st.sampled_from(SPECS), st.sampled_from(SPECS))


def _without_tools(spec: str) -> dict[str, Any]:
    provider, _, model = spec.partition("/")
    return {"baseUrl": "http://127.0.0.1:9/v1", "models": [{"id": model, "compat": {"supportsTools": False}}]} if provider else {}


@st.composite
def cases(draw: Any, *, surface_has_middlewares: bool = True, boundaries: bool = False) -> Case:
    config: dict[str, Any] = {"agents": {"defaults": {"models": {spec: {"alias": alias} for alias, spec in ALIASES.items()}}, "entries": {}}}
    if draw(st.booleans()) or not surface_has_middlewares:
        config["model"] = {"primary": draw(named) if not surface_has_middlewares else A, "fallbacks": draw(st.lists(named, max_size=2))}
    config["toolRouting"] = draw(rules)
    if boundaries:
        config["toolRouting"] = {"edit": {"primary": draw(named), "fallbacks": []}, **config["toolRouting"]}
        config["toolRouting"]["edit"]["fallbacks"] = []
    config["tools"] = draw(policies)
    if draw(st.booleans()):
        config["agents"]["entries"]["coder"] = {"tools": draw(policies)}
    toolless = draw(st.lists(st.sampled_from(SPECS), max_size=1))
    config["models"] = {"providers": {spec.partition("/")[0]: _without_tools(spec) for spec in toolless}}
    return Case(
        config,
        draw(st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2), min_size=1, max_size=4)),
        draw(st.lists(st.booleans(), max_size=5)),
        draw(some),
        draw(st.sampled_from([{}, {}, {"agent": "coder"}, {"model": "bee"}, {"model": C}])),
        draw(foreign) if surface_has_middlewares else None,
        draw(foreign) if surface_has_middlewares else None,
    )


def build(case: Case, surface: str, world: World) -> Any:
    router = ToolRouter(case.config, models=world.models)
    if surface == "graph":
        return create_toolroute_agent(router, world.tools)
    if surface == "chat model":
        return create_agent(ToolRoutedChatModel(router=router), world.tools, context_schema=ToolRouteContext)
    middlewares: list[Any] = [ToolRouteMiddleware(router, durable=surface.startswith("durable"))]
    for place, other in ((0, case.outside), (2, case.inside)):
        if other is not None:
            way, spec, second = other
            middlewares.insert(place, foreign_middleware(way, world.models[spec], world.models[second], world.tools))
    return create_agent(world.models[A], world.tools, middleware=middlewares, context_schema=ToolRouteContext)


def run(case: Case, surface: str, *, is_async: bool, streamed: bool) -> tuple[World, list[Any], list[Any], BaseException | None]:
    """What came of a run: its world, its messages, the calls that a consumer of its stream saw, its error."""
    world = World([list(wish) for wish in case.wishes], list(case.failures), case.direct)
    seen: list[Any] = []
    messages: list[Any] = []
    error: BaseException | None = None

    def note(mode: str, part: Any) -> None:
        if mode == "values":
            messages[:] = part["messages"]
        else:
            seen.extend(getattr(part[0], "tool_call_chunks", ()))

    async def listen(agent: Any) -> None:
        async for mode, part in agent.astream(*given, context=dict(case.context), stream_mode=modes):
            note(mode, part)

    given = ({"messages": [("user", "Go.")]}, {"recursion_limit": 60})
    modes = ["values", "messages"] if streamed else ["values"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agent = build(case, surface, world)
        try:
            if is_async:
                asyncio.run(listen(agent))
            else:
                for mode, part in agent.stream(*given, context=dict(case.context), stream_mode=modes):
                    note(mode, part)
        except (ChainExhausted, ConnectionError, AnswerRejected) as caught:
            error = caught  # with all models down a run gives up; what ran until then counts all the same
    return world, messages, seen, error


def check_policy(case: Case, surface: str, world: World, messages: Sequence[Any], error: BaseException | None) -> None:
    oracle = case.oracle()
    agent = case.context.get("agent")
    for name, writer in world.ran:
        assert oracle.verdict(name, writer, agent=agent) is None, f"{writer} ran {name}"
    for message in messages:
        if isinstance(message, AIMessage):
            record = message.response_metadata.get("toolroute")
            for call in message.tool_calls:
                assert record is None or record["calls"][call["id"]] == call["args"]["writer"], "the record names another writer"
                if surface == "chat model":
                    assert oracle.verdict(call["name"], call["args"]["writer"], agent=agent) is None, "a denied call was not withheld"
    if error is None:
        tail = []
        for message in reversed(messages):
            if not isinstance(message, ToolMessage):
                break
            tail.append(message.text)
        assert not any(REFUSED in text for text in tail), "a refused call ended the run"


def check_boundaries(case: Case, world: World) -> None:
    oracle = case.oracle()
    for rule in oracle.rules(case.context.get("agent")):
        if rule.options.boundary:
            for name, writer in world.ran:
                assert name != rule.pattern or writer in rule.chain, f"{writer} wrote {name}, behind the boundary of {rule.chain}"
            for spec, forced in world.asked:
                assert forced != rule.pattern or spec in rule.chain, f"{spec} was asked for {forced}, behind the boundary of {rule.chain}"


@pytest.mark.parametrize("surface", SURFACES)
@settings(max_examples=examples(75), deadline=None)
@given(data=st.data(), way=st.sampled_from(WAYS))
def test_no_tool_runs_that_the_policy_of_its_writer_denies(surface: str, data: Any, way: tuple[bool, bool]):
    case = data.draw(cases(surface_has_middlewares="middleware" in surface))
    world, messages, _, error = run(case, surface, is_async=way[0], streamed=way[1])
    check_policy(case, surface, world, messages, error)
    check_boundaries(case, world)


@pytest.mark.parametrize("surface", SURFACES)
@settings(max_examples=examples(75), deadline=None)
@given(data=st.data(), way=st.sampled_from(WAYS))
def test_behind_a_boundary_no_other_model_is_asked_for_a_call_or_writes_it(surface: str, data: Any, way: tuple[bool, bool]):
    case = data.draw(cases(surface_has_middlewares="middleware" in surface, boundaries=True))
    world, messages, seen, error = run(case, surface, is_async=way[0], streamed=way[1])
    check_boundaries(case, world)
    check_policy(case, surface, world, messages, error)
    oracle, agent = case.oracle(), case.context.get("agent")
    # A model that is not even offered the tool is not stopped at it; its call is shown, and refused where tools run.
    others = [spec for spec in SPECS if spec not in oracle.decide("edit").chain and oracle.verdict("edit", spec, agent=agent) is None]
    shown = "".join(chunk["args"] or "" for chunk in seen if chunk["name"] == "edit")
    assert not any(spec in shown for spec in others), f"a call of another model was shown: {shown}"
