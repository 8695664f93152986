"""How a writer is made to call, against servers that refuse as the providers do: on every surface, in every way of consuming it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from lg_toolroute import ChainExhausted, ConfigError, ToolRouteMiddleware, ToolRouter
from lg_toolroute.core.failures.rungs import REMEMBERED_S
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel, ServerRequest, faults
from tests.support.one_turn import SURFACES, TOOLS
from tests.support.strict_providers import ARGS, DEEPSEEK, KIMI, PLAIN, ROWS, WAYS, World, answer, record, sent, turn, written_by


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("how", WAYS)
def test_the_configuration_of_the_readme_lands_the_routed_models_call_with_no_request_too_many(surface: str, how: str):
    with World(KIMI, DEEPSEEK) as world:
        router = world.router({"model": KIMI, "toolRouting": {"edit": {"primary": DEEPSEEK}}})
        for _ in range(2):
            before = len(world.server.requests)
            assert written_by(turn(router, KIMI, surface, how)) == DEEPSEEK
            assert [request.model for request in world.server.requests[before:]] == ["kimi-for-coding", "deepseek-v4-pro"]


@pytest.mark.matrix(one_in=7)
@pytest.mark.parametrize("spec", ROWS)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("how", WAYS)
def test_the_primary_as_the_last_writer_goes_by_the_same_ladder(spec: str, surface: str, how: str):
    down = "down/writer"
    with World(spec, down, answers={down: lambda request: faults.status(500, "down", "server_error")}) as world:
        router = world.router({"model": spec, "toolRouting": {"edit": {"primary": down}}})
        message = turn(router, spec, surface, how)
        assert written_by(message) == spec
        assert len(world.asked(spec)) == 2 + ROWS[spec].extra


@pytest.mark.parametrize("spec", [spec for spec, row in ROWS.items() if row.off is not None])
@pytest.mark.parametrize("surface", ["graph", "middleware", "chat model"])
def test_a_rule_that_switches_thinking_off_forces_the_call_where_the_provider_takes_that(spec: str, surface: str):
    with World(PLAIN, spec) as world:
        router = world.router({"model": PLAIN, "toolRouting": {"edit": {"primary": spec, "thinking": "off"}}})
        for _ in range(2):
            assert written_by(turn(router, PLAIN, surface)) == spec
        requests = world.asked(spec)
        assert [sent(request) for request in requests] == [ROWS[spec].off] * 2
        body = requests[0].body
        assert body.get("thinking", {}).get("type") == "disabled" or body.get("enable_thinking") is False or body.get("think") is False


@pytest.mark.parametrize("surface", ["graph", "middleware", "chat model"])
def test_a_switch_that_is_refused_is_left_out_once_and_then_for_good(surface: str):
    """Kimi K2.6 served by a provider that no longer lets it be told not to think."""
    spec = "moonshot/kimi-k2.6"
    with World(PLAIN, spec, profiles={spec: "kimi-k2.7-code"}) as world:
        router = world.router({"model": PLAIN, "toolRouting": {"edit": {"primary": spec, "thinking": "off"}}})
        first, second = turn(router, PLAIN, surface), turn(router, PLAIN, surface)
        assert written_by(first) == written_by(second) == spec
        assert [(request.body.get("thinking"), sent(request)) for request in world.asked(spec)] == [
            ({"type": "disabled"}, "name"),
            (None, "none"),
            (None, "none"),
        ]


def test_what_one_worker_has_learned_is_known_to_all_that_share_its_store():
    spec, store = "mine/deepseek-v4-flash", InMemoryStore()
    config = {"model": PLAIN, "toolRouting": {"edit": {"primary": spec}}}
    with World(PLAIN, spec) as world:
        assert written_by(turn(world.router(config, store=store), PLAIN)) == spec
        other = world.router(config, store=store)
        before = len(world.server.requests)
        assert written_by(turn(other, PLAIN, how="ainvoke")) == spec
        assert [sent(request) for request in world.asked(spec, before)] == ["none"]
        assert "learned from a refusal 0 min ago: Thinking mode does not support this tool_choice" in other.explain("edit")


def test_a_refusal_is_recorded_and_costs_no_health():
    spec = "mine/deepseek-v4-flash"
    with World(PLAIN, spec) as world:
        router = world.router({"model": PLAIN, "toolRouting": {"edit": {"primary": spec}}})
        attempts = record(turn(router, PLAIN))["attempts"]
        assert [(each["model"], each["outcome"], each["reason"]) for each in attempts] == [
            (PLAIN, "cut", ""),
            (spec, "failed", "parameter_refused"),
            (spec, "answered", ""),
        ]
        assert attempts[1]["detail"] == "Thinking mode does not support this tool_choice (asked with tool_choice 'name')"
        health = router.health.inspect()["models"][spec]
        assert (health["state"], health["failures_in_a_row"]) == ("closed", 0)


def test_a_provider_that_changes_its_mind_is_survived_both_ways():
    spec, now, strict = "mine/moody", [0.0], [False]

    def moody(request: ServerRequest) -> Any:
        refused = strict[0] and request.tool_choice is not None
        return faults.status(400, "Thinking mode does not support this tool_choice", "parameter_refused") if refused else answer(request)

    with World(PLAIN, spec, answers={spec: moody}) as world:
        router = world.router({"model": PLAIN, "toolRouting": {"edit": {"primary": spec}}}, clock=lambda: now[0])
        found: list[list[str]] = []
        for moment, refuses in ((0.0, False), (1.0, True), (2.0, True), (3.0, False), (REMEMBERED_S + 4.0, False)):
            now[0], strict[0] = moment, refuses
            before = len(world.server.requests)
            assert written_by(turn(router, PLAIN)) == spec
            found.append([sent(request) for request in world.asked(spec, before)])
        assert found == [["name"], ["name", "none"], ["none"], ["none"], ["name"]]


def test_a_model_that_refuses_every_rung_is_one_clear_error():
    spec = "mine/no"

    def refuse(request: ServerRequest) -> Any:
        return faults.status(400, "tool_choice: Input should be 'none', 'auto' or 'required'", "parameter_refused")

    with World(PLAIN, spec, answers={spec: refuse}) as world:
        router = world.router({"model": PLAIN, "toolRouting": {"edit": {"primary": spec, "fallbacks": []}}})
        with pytest.raises(ChainExhausted) as caught:
            turn(router, PLAIN)
    last = str(caught.value.exceptions[-1])
    assert "tried were tool_choice 'name', tool_choice 'required', no tool_choice" in last
    assert "or set models.providers.mine.toolChoice" in last


def test_a_parameter_of_the_rule_that_is_refused_is_named_with_its_place_and_the_next_model_writes():
    spec = "moonshot/kimi-k2.7-code"
    with World(PLAIN, spec) as world:
        router = world.router({"model": PLAIN, "toolRouting": {"edit": {"primary": spec, "params": {"temperature": 0.5}}}})
        message = turn(router, PLAIN)
        assert written_by(message) == PLAIN
        detail = record(message)["attempts"][1]["detail"]
    assert detail.startswith("invalid temperature: only 1 is allowed for this model; 'temperature' stands in the params of the rule 'edit'")
    assert detail.endswith("take it out of toolRouting.edit.params")


@pytest.mark.parametrize(("setting", "rungs"), [("required", ["required"]), ("none", ["none"]), ("name", ["name"]), ("auto", ["name"])])
def test_the_configuration_says_on_which_rung_a_model_starts(setting: str, rungs: list[str]):
    spec = "mine/gpt"
    with World(PLAIN, spec) as world:
        router = world.router({"model": PLAIN, "toolRouting": {"edit": {"primary": spec}}, "providers": {"mine": {"tool_choice": setting}}})
        assert written_by(turn(router, PLAIN)) == spec
        assert [sent(request) for request in world.asked(spec)] == rungs


def test_a_choice_that_the_client_cannot_express_is_one_error_before_the_first_call():
    spec = "local/qwen3:8b"
    with World(PLAIN, spec) as world:
        router = world.router({"model": PLAIN, "toolRouting": {"edit": {"primary": spec}}, "providers": {"local": {"toolChoice": "required"}}})
        with pytest.raises(ConfigError, match=r"models\.providers\.local\.toolChoice: toolChoice 'required' is not possible for local/qwen3:8b"):
            turn(router, PLAIN)
        assert not world.server.requests


@pytest.mark.parametrize("spec", [DEEPSEEK, "mine/deepseek-v4-flash", "lmstudio/qwen3-30b-a3b", PLAIN])
def test_a_tool_that_is_known_to_come_next_is_asked_of_the_reasoning_model_by_the_same_ladder(spec: str):
    def calls(request: ServerRequest) -> Any:
        return Say(calls=[Call("read", ARGS)])

    with World(spec, answers={spec: calls}) as world:
        router = world.router({"model": spec})
        message = turn(router, spec, expected_tool="read")
        assert [call["name"] for call in message.tool_calls] == ["read"]
        requests = world.asked(spec)
        assert len(requests) == 1 + ROWS[spec].extra
        assert sent(requests[-1]) == ROWS[spec].rung
        assert requests[-1].tools == (("read", "edit", "write") if ROWS[spec].rung == "name" else ("read",))


class OnlyAny(ScriptedModel):
    """A client that raises at a tool's name, as Bedrock's does."""

    def bind_tools(self, tools: Any, *, tool_choice: Any = None, **settings: Any) -> Any:
        if tool_choice not in (None, "any"):
            raise ValueError(f"tool_choice {tool_choice!r} is not supported")
        return super().bind_tools(tools, tool_choice=tool_choice, **settings)


def test_a_model_that_another_middleware_puts_in_goes_by_its_own_ladder():
    writer = ScriptedModel([Fail(ConnectionError("gone"))], name="b/writer")
    stand_in = OnlyAny([Say(calls=[Call("edit", ARGS)])], name="c/stand-in")
    primary = ScriptedModel([Say("Let me fix that.", [Call("edit", {"path": "dropped"})])], name="a/primary")
    router = ToolRouter({"model": "a/primary", "toolRouting": {"edit": "b/writer"}}, models={"b/writer": writer, "a/primary": primary})
    agent = create_agent(
        primary,
        list(TOOLS),
        middleware=[ToolRouteMiddleware(router), ModelFallbackMiddleware(stand_in)],
        checkpointer=InMemorySaver(),
        interrupt_before=["tools"],
    )
    message = agent.invoke({"messages": [HumanMessage("Fix it.")]}, {"configurable": {"thread_id": "1"}})["messages"][-1]
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("edit", ARGS)]
    assert [(request.tools, request.tool_choice) for request in stand_in.requests] == [(("edit",), "any")]
