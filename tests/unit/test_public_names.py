"""The public names: which they are, where they live, and that each loads when it is first used."""

from __future__ import annotations

import inspect

import pytest

import lg_toolroute
import lg_toolroute.testing

NAMES = [
    "Brief",
    "BriefRequest",
    "ChainExhausted",
    "ConfigError",
    "Decision",
    "FormRefused",
    "FormTool",
    "LookRequest",
    "RoutingConfig",
    "ToolForm",
    "ToolRouteContext",
    "ToolRouteError",
    "ToolRouteMiddleware",
    "ToolRouteState",
    "ToolRoutedChatModel",
    "ToolRouter",
    "add_toolroute",
    "create_toolroute_agent",
    "load_config",
]


def test_these_are_the_public_names():
    assert sorted(lg_toolroute.__all__) == NAMES
    assert set(NAMES) <= set(dir(lg_toolroute))


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_there_documented_and_the_same_at_every_use(name: str):
    first = getattr(lg_toolroute, name)
    assert getattr(lg_toolroute, name) is first
    assert inspect.getdoc(first)
    assert first.__module__.startswith("lg_toolroute")


def test_another_name_is_an_attribute_error_as_anywhere():
    with pytest.raises(AttributeError, match="module 'lg_toolroute' has no attribute 'Router'"):
        _ = lg_toolroute.Router  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", lg_toolroute.testing.__all__)
def test_each_name_for_tests_is_there_and_documented(name: str):
    assert inspect.getdoc(getattr(lg_toolroute.testing, name))


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_parameters_that_others_rely_on():
    assert parameters(lg_toolroute.ToolRouter)[:4] == ["config", "models", "store", "clock"]
    assert parameters(lg_toolroute.load_config)[:2] == ["source", "format"]
    assert parameters(lg_toolroute.create_toolroute_agent)[:5] == ["router", "tools", "system_prompt", "checkpointer", "store"]
    assert parameters(lg_toolroute.add_toolroute)[:4] == ["builder", "router", "tools", "prefix"]
    assert {"agent"} <= set(parameters(lg_toolroute.ToolRouter.decide))
    assert parameters(lg_toolroute.ToolRouter.tools_for) == ["self", "model_spec", "tools", "agent"]
    assert parameters(lg_toolroute.ToolRouteMiddleware)[0] == "router"


def test_the_state_and_the_context_have_the_keys_that_graphs_are_written_against():
    assert set(lg_toolroute.ToolRouteState.__annotations__) >= {"toolroute"}
    assert list(lg_toolroute.ToolRouteContext.model_fields) == ["agent", "role", "model"]
