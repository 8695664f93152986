"""What the middleware assumes of LangChain's `create_agent`. When one of these fails, LangChain has changed, and the module named must follow."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Annotated, Any, NotRequired

import pytest
from langchain.agents import create_agent
from langchain.agents import middleware as shipped
from langchain.agents.middleware.types import AgentMiddleware, AgentState, ExtendedModelResponse, ModelRequest, ModelResponse, PrivateStateAttr
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputValidationError, ToolStrategy
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.types import Command
from pydantic import BaseModel

from lg_toolroute.surfaces.middleware.order import under_construction
from lg_toolroute.testing import Call, Say, ScriptedModel

ASK = {"messages": [("user", "hi")]}


class Report(BaseModel):
    """A report."""

    file: str


@tool
def edit(path: str) -> str:
    """Edit."""
    return path


class Twice(AgentMiddleware[Any, Any, Any]):
    """Calls its handler with whatever a test hands in."""

    def __init__(self, wrap: Any) -> None:
        super().__init__()
        self.wrap = wrap

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return self.wrap(request, handler)


def test_create_agent_reads_the_tools_of_each_middleware_and_has_these_arguments() -> None:
    """For `order.under_construction`."""
    found: list[Any] = []

    class Looking(AgentMiddleware[Any, Any, Any]):
        @property
        def tools(self) -> Any:  # type: ignore[override]
            found.append(under_construction())
            return ()

    looking, model = Looking(), ScriptedModel([])
    create_agent(model, [edit], middleware=[looking])
    assert found
    assert found[0].middleware == (looking,)
    assert found[0].model is model
    assert found[0].tools == (edit,)
    assert {"model", "tools", "middleware"} <= set(inspect.signature(create_agent).parameters)
    assert under_construction() is None


def test_hooks_are_looked_for_on_the_class() -> None:
    """For `ToolRouteMiddleware.__new__`, which gives an object a class with the hooks it needs."""

    class Plain(AgentMiddleware[Any, Any, Any]):
        pass

    plain = Plain()
    plain.after_model = lambda state, runtime: None  # type: ignore[method-assign]
    assert "Plain.after_model" not in create_agent(ScriptedModel([]), [], middleware=[plain]).get_graph().nodes


def test_wrapping_tool_calls_switches_off_the_check_of_unknown_tools() -> None:
    """Why a router without a policy must not wrap them."""

    @tool
    def unknown() -> str:
        """Nobody knows it."""
        return ""

    adds = Twice(lambda request, handler: handler(request.override(tools=[*request.tools, unknown])))
    with pytest.raises(ValueError, match="unknown"):
        create_agent(ScriptedModel([Say("x")]), [edit], middleware=[adds]).invoke(ASK)


def test_a_request_is_copied_by_replace_and_keeps_its_class() -> None:
    """For `segment.Segment`."""

    class Mine(ModelRequest[Any]):
        pass

    request = Mine(model=ScriptedModel([]), messages=[])
    assert type(request.override(messages=[AIMessage("x")])) is Mine
    assert {field.name for field in dataclasses.fields(ModelRequest)} == {
        "model", "messages", "system_message", "tool_choice", "tools", "response_format", "state", "runtime", "model_settings",
    }  # fmt: skip


def test_the_handler_may_be_called_more_than_once_and_sets_the_agents_name() -> None:
    names: list[Any] = []

    def wrap(request: Any, handler: Any) -> Any:
        names.extend(handler(request).result[0].name for _ in range(2))
        return handler(request)

    create_agent(ScriptedModel([Say("a"), Say("b"), Say("c")]), [], middleware=[Twice(wrap)], name="me").invoke(ASK)
    assert names == ["me", "me"]


def test_a_tool_strategy_forces_any_tool_whatever_the_request_says_unless_it_has_no_response_format() -> None:
    model = ScriptedModel([Say("", [Call("edit", {"path": "a"})]), Say("", [Call("Report", {"file": "a"})])])

    def wrap(request: Any, handler: Any) -> Any:
        handler(request.override(tool_choice="edit", response_format=None))
        return handler(request.override(tool_choice="edit"))

    create_agent(model, [edit], middleware=[Twice(wrap)], response_format=ToolStrategy(Report)).invoke(ASK)
    assert [(request.tools, request.tool_choice) for request in model.requests] == [(("edit",), "edit"), (("edit", "Report"), "any")]


def test_a_provider_strategy_parses_any_text_without_calls_and_its_error_carries_the_message() -> None:
    def wrap(request: Any, handler: Any) -> Any:
        with pytest.raises(StructuredOutputValidationError) as caught:
            handler(request)
        return caught.value.ai_message

    model = ScriptedModel([Say("Let me")])
    out = create_agent(model, [edit], middleware=[Twice(wrap)], response_format=ProviderStrategy(Report)).invoke(ASK)
    assert out["messages"][-1].text == "Let me"


def test_an_empty_result_with_a_command_writes_state_and_no_message() -> None:
    """For turns that are parked."""

    class State(AgentState[Any]):
        parked: NotRequired[Annotated[dict[str, Any], PrivateStateAttr]]

    class Parks(AgentMiddleware[State, Any, Any]):
        state_schema = State

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return ExtendedModelResponse(ModelResponse(result=[]), Command(update={"parked": {"a": 1}}))

    agent = create_agent(ScriptedModel([]), [], middleware=[Parks()])
    out = agent.invoke(ASK)
    assert len(out["messages"]) == 1
    assert "parked" not in out
    assert {"model": {"messages": [], "parked": {"a": 1}}} in list(agent.stream(ASK, stream_mode="updates"))


def test_a_jump_after_the_model_skips_the_hooks_of_middlewares_before_it() -> None:
    """Why a durable routing must be the last that acts after the model."""
    seen: list[str] = []

    class Jumps(AgentMiddleware[Any, Any, Any]):
        @shipped.hook_config(can_jump_to=["model"])
        def after_model(self, state: Any, runtime: Any) -> Any:
            seen.append("jumps")
            return {"jump_to": "model"} if len(state["messages"]) < 3 else None

    class Before(AgentMiddleware[Any, Any, Any]):
        def after_model(self, state: Any, runtime: Any) -> Any:
            seen.append("before")

    create_agent(ScriptedModel([Say("a"), Say("b")]), [], middleware=[Before(), Jumps()]).invoke(ASK)
    assert seen == ["jumps", "jumps", "before"]


def test_an_inner_commands_update_survives_of_the_last_handler_call_only() -> None:
    """`docs/middleware.md` says so."""

    class State(AgentState[Any]):
        note: NotRequired[str]

    class Notes(AgentMiddleware[State, Any, Any]):
        state_schema = State

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            response = handler(request)
            first = response.result[0].text == "a"
            return ExtendedModelResponse(response, Command(update={"note": "of the first"}) if first else None)

    def wrap(request: Any, handler: Any) -> Any:
        handler(request)
        return handler(request)

    out = create_agent(ScriptedModel([Say("a"), Say("b")]), [], middleware=[Twice(wrap), Notes()]).invoke(ASK)
    assert "note" not in out
