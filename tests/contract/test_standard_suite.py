"""LangChain's own suites for chat models: unit tests, and integration tests with tool calling against a server on this machine.

Each suite runs twice: with a router that routes nothing, and with one that gives the suite's tools to a second model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from lg_toolroute import ToolRoutedChatModel, ToolRouter
from lg_toolroute.testing import FaultServer
from tests.support.standard_server import OTHER, PRIMARY, WRITER, server

pytestmark = [pytest.mark.filterwarnings("ignore:.*(v3|beta).*")]

ROUTES = {"magic_function*": WRITER, "get_weather": WRITER, "my_adder_tool": WRITER, "unicode_customer": WRITER, "Joke*": WRITER}

_running: FaultServer | None = None


@pytest.fixture(autouse=True, scope="module")
def running() -> Iterator[None]:
    global _running
    with server() as _running:
        yield


def routed_to(routes: dict[str, str]) -> ToolRouter:
    assert _running is not None
    config = {
        "model": {"primary": f"local/{PRIMARY}"},
        "toolRouting": {tool: {"primary": f"local/{model}"} for tool, model in routes.items()},
    }
    return ToolRouter(config, models={f"local/{name}": ChatOpenAI(**_running.client(name, stream_usage=True)) for name in (PRIMARY, WRITER, OTHER)})


class TestUnitWithoutRoutes(ChatModelUnitTests):
    routes: dict[str, str] = {}

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ToolRoutedChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"router": routed_to(self.routes)}


class TestUnitWithRoutes(TestUnitWithoutRoutes):
    routes = ROUTES


class TestIntegrationWithoutRoutes(ChatModelIntegrationTests):
    routes: dict[str, str] = {}

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ToolRoutedChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"router": routed_to(self.routes)}

    @property
    def has_tool_calling(self) -> bool:
        return True

    @property
    def has_tool_choice(self) -> bool:
        return True

    @property
    def has_structured_output(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return OTHER


class TestIntegrationWithRoutes(TestIntegrationWithoutRoutes):
    routes = ROUTES
