"""A warning points at the application's line."""

from __future__ import annotations

import threading
import warnings

import pytest
from langchain.agents import create_agent

from lg_toolroute import ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.core.warned import warn
from lg_toolroute.testing import ScriptedModel


def edit(path: str, old: str, new: str) -> str:
    """Replace text in a file."""
    return f"{path}: {old} is now {new}"


@pytest.mark.parametrize("surface", ["graph", "middleware"])
def test_a_warning_stands_at_the_line_that_builds_the_agent(surface: str):
    model = ScriptedModel(["Done."], name="a/b")
    router = ToolRouter({"model": model.spec, "toolRouting": {"edit": {"model": "a/c", "cutAt": ["olt"]}}}, models={model.spec: model})
    build = {
        "graph": lambda: create_toolroute_agent(router, [edit]),
        "middleware": lambda: create_agent(model, [edit], middleware=[ToolRouteMiddleware(router)]),
    }
    with pytest.warns(UserWarning, match="no tool of the rule has an argument 'olt'; did you mean 'old'") as caught:
        build[surface]()
    assert [warning.filename for warning in caught] == [__file__]


def test_a_warning_that_no_line_of_the_application_leads_to_is_given_all_the_same():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=warn, args=("config.a: is odd",))
        thread.start()
        thread.join(timeout=10)
    assert [str(warning.message) for warning in caught] == ["config.a: is odd"]
