"""A pytest plugin that puts `ToolRouteMiddleware` into every agent that a test suite builds, and notes each test's outcome.

It is loaded with `-p` into a run of LangChain's own tests, in a process of its own. Each test is run once in each mode: `off` leaves agents
alone, `nothing` adds a router without a rule, `everything` routes every tool to an equal model. The environment says what to do:

- `SUITE_MODES`: the modes, separated by commas. An agent that a module builds when it is imported is built in the first of them;
- `SUITE_ONE_IN`: run one test of so many in each file, and those whose outcome is expected to change; 1 runs them all;
- `SUITE_OUTCOMES`: the JSON file that gets `{mode: {test id: outcome}}`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import Any

import expected
import langchain.agents
import langchain.agents.factory
import pytest
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from pydantic import PrivateAttr

from lg_toolroute import ToolRouteMiddleware, ToolRouter

MODES = os.environ["SUITE_MODES"].split(",")
OUTCOMES: dict[str, dict[str, str]] = {mode: {} for mode in MODES}
"""Outcome by test id, by mode."""

LAST: dict[int, tuple[BaseChatModel, ChatResult]] = {}
"""What each agent's own model said last, by the model's id; the entry holds on to the model."""

_mode = MODES[0]
_create_agent = langchain.agents.factory.create_agent


class Equal(BaseChatModel):
    """A model equal to an agent's own: asked for a call, it writes the one that the other would have written."""

    _own: Any = PrivateAttr()

    @property
    def _llm_type(self) -> str:
        return "equal"

    def bind_tools(self, tools: Any, *, tool_choice: Any = None, **kwargs: Any) -> Any:
        return self.bind(tools=[getattr(tool, "name", tool) for tool in tools])

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        _, result = LAST[id(self._own)]
        return result.model_copy(deep=True)


def remembering(model: BaseChatModel) -> None:
    """Make a model note what it says; it stays the same object, and an instance of its class."""
    cls = type(model)
    if getattr(cls, "_remembers", False):
        return

    def _generate(self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        result: ChatResult = cls._generate(self, messages, stop, run_manager, **kwargs)
        LAST[id(self)] = (self, result.model_copy(deep=True))
        return result

    body = {"_generate": _generate, "_remembers": True, "__module__": cls.__module__, "__qualname__": cls.__qualname__}
    if cls._agenerate is not BaseChatModel._agenerate:

        async def _agenerate(self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            result: ChatResult = await cls._agenerate(self, messages, stop, run_manager, **kwargs)
            LAST[id(self)] = (self, result.model_copy(deep=True))
            return result

        body["_agenerate"] = _agenerate
    object.__setattr__(model, "__class__", type(cls.__name__, (cls,), body))


def middleware(model: Any, mode: str) -> ToolRouteMiddleware:
    if mode == "nothing" or not isinstance(model, BaseChatModel):
        return ToolRouteMiddleware(ToolRouter({}))
    remembering(model)
    equal = Equal()
    equal._own = model
    # All calls of a message are written by the equal model, and requests are sent as they were recorded.
    rules = {"*": {"primary": "equal/model", "onIntercept": "drain"}}
    return ToolRouteMiddleware(ToolRouter({"toolRouting": rules, "cutWhenNotStreaming": False}, models={"equal/model": equal}))


def create_agent(model: Any, *args: Any, **kwargs: Any) -> Any:
    if _mode != "off":
        if isinstance(model, str):
            model = init_chat_model(model)
        kwargs["middleware"] = [*kwargs.get("middleware", ()), middleware(model, _mode)]
    return _create_agent(model, *args, **kwargs)


langchain.agents.create_agent = create_agent  # type: ignore[assignment]
langchain.agents.factory.create_agent = create_agent  # type: ignore[assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    one_in = int(os.environ.get("SUITE_ONE_IN", "1"))
    seen: Counter[Path] = Counter()
    kept = []
    for item in items:
        if seen[item.path] % one_in == 0 or expected.name_of(item.nodeid) in expected.EVERYTHING:
            kept.append(item)
        seen[item.path] += 1
    items[:] = kept


def pytest_runtestloop(session: pytest.Session) -> bool:
    global _mode
    for _mode in MODES:
        for item, following in zip_longest(session.items, session.items[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        OUTCOMES[_mode][report.nodeid] = report.outcome


def pytest_sessionfinish() -> None:
    Path(os.environ["SUITE_OUTCOMES"]).write_text(json.dumps(OUTCOMES, indent=1))
