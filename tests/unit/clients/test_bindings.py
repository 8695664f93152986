"""Tools are bound once and their schemas read once."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.tools import InjectedToolArg, InjectedToolCallId, tool
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime
from pydantic import BaseModel

from lg_toolroute.clients.bindings import BindingCache, arguments_schema
from lg_toolroute.clients.fixed_arguments import without_arguments
from lg_toolroute.errors import ConfigError
from lg_toolroute.testing import ScriptedModel


@tool
def edit(path: str, times: int = 1) -> str:
    """Edit a file."""
    return path


@tool
def injected(
    path: str,
    state: Annotated[dict[str, Any], InjectedState],
    mood: Annotated[str, InjectedState("mood")],
    store: Annotated[Any, InjectedStore()],
    mark: Annotated[str, InjectedToolCallId],
    user: Annotated[str, InjectedToolArg],
    runtime: ToolRuntime,
) -> str:
    """Edit a file."""
    return path


def test_the_schema_of_a_tool_is_what_a_model_writes_and_not_what_a_graph_injects():
    schema = arguments_schema(injected)
    assert schema is not None
    assert (list(schema["properties"]), schema["required"]) == (["path"], ["path"])


class Edit(BaseModel):
    """Edit a file."""

    path: str


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "function", "function": {"name": "edit", "description": "d", "parameters": {"type": "object", "properties": {"path": {}}}}},
        {"name": "edit", "description": "d", "input_schema": {"type": "object", "properties": {"path": {}}}},
        {"name": "edit", "description": "d", "parameters": {"type": "object", "properties": {"path": {}}}},
        Edit,
    ],
    ids=["openai", "anthropic", "function", "class"],
)
def test_tools_of_any_dialect_have_a_schema(shape):
    schema = arguments_schema(shape)
    assert schema is not None
    assert list(schema["properties"]) == ["path"]


@pytest.mark.parametrize("shape", [{"type": "web_search"}, {"type": "web_search_20250305", "name": "web_search"}])
def test_a_tool_that_runs_at_the_provider_has_none(shape):
    assert arguments_schema(shape) is None


def test_a_schema_is_read_once():
    bindings = BindingCache()
    assert bindings.schema(edit) is bindings.schema(edit)


class CountsBindings(ScriptedModel):
    """Counts how often tools are bound to it."""

    def bind_tools(self, tools: Any, **settings: Any) -> Any:
        BOUND.append((len(tools), settings))
        return super().bind_tools(tools, **settings)


BOUND: list[Any] = []


def test_tools_are_bound_once_for_each_model_tool_set_and_choice():
    BOUND.clear()
    bindings, model = BindingCache(), CountsBindings()
    first = bindings.bound(model, [edit], "edit")
    assert bindings.bound(model, [edit], "edit") is first
    assert bindings.bound(model, [edit]) is not first
    bindings.bound(model, [edit, injected], "edit")
    bindings.bound(CountsBindings(), [edit], "edit")
    bindings.bound(model, [edit], "edit", strict=True)
    assert [(1, {"tool_choice": "edit"}), (1, {}), (2, {"tool_choice": "edit"}), (1, {"tool_choice": "edit"}), (1, BOUND[4][1])] == BOUND


class Simple(FakeListChatModel):
    """Its `bind_tools` has no `tool_choice`, and returns a copy that keeps the tools."""

    kept: int = 0

    def bind_tools(self, tools: Any) -> Any:  # type: ignore[override]
        return self.model_copy(update={"kept": len(tools)})


def test_a_model_that_keeps_its_tools_itself_is_asked_in_the_copy_that_has_them():
    bound, settings = BindingCache().bound(Simple(responses=["x"]), [edit], "edit")
    assert (bound.kept, settings) == (1, {})  # type: ignore[attr-defined]


class Broken(FakeListChatModel):
    def bind_tools(self, tools: Any, **settings: Any) -> Any:
        return "not a model"


def test_a_bind_tools_that_returns_something_else_is_named():
    with pytest.raises(ConfigError, match=r"Broken: its bind_tools returned a str; return self\.bind"):
        BindingCache().bound(Broken(responses=["x"]), [edit])


@pytest.mark.parametrize("parameters", [{"properties": None, "required": None}, {"properties": {"path": {"type": "string"}}, "required": None}])
@pytest.mark.parametrize("shape", ["parameters", "input_schema"])
def test_null_in_the_place_of_no_arguments_is_left_out(parameters: Any, shape: str):
    whole = {"type": "object", **parameters}
    said = {"name": "edit", shape: whole}
    shown: Any = said if shape == "input_schema" else {"type": "function", "function": said}
    schema = arguments_schema(shown)
    assert schema is not None
    assert None not in schema.values()
    without_arguments(shown, ["path"])
