"""Chat models as people write them for their own tests: they bind nothing, or a copy of themselves, and say little about how they stopped."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from tests.support.folder_agents import DEEPSEEK, KIMI, Folder, ai, ask, called

EDIT = {"path": "a.py", "old": "x = 1", "new": "x = 2"}


class Fake(BaseChatModel):
    """Answers with one message after the other, without any metadata."""

    answers: list[AIMessage]
    tools: list[Any] = []

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answers.pop(0).model_copy())])


class ReturnsItself(Fake):
    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


class ReturnsACopy(Fake):
    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        copy = self.model_copy(update={"tools": list(tools)})
        copy.answers = self.answers
        return copy

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        assert self.tools, "the copy that has the tools is the one to be asked"
        return super()._generate(messages, stop, run_manager, **kwargs)


def call(name: str, args: dict[str, Any], text: str = "") -> AIMessage:
    return AIMessage(text, tool_calls=[{"name": name, "args": args, "id": f"fake_{name}", "type": "tool_call"}])


@pytest.mark.parametrize("surface", ["graph", "middleware", "chat model"])
@pytest.mark.parametrize("kind", [ReturnsItself, ReturnsACopy])
@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
def test_a_fake_of_ones_own_is_routed_on_every_surface(kind: type[Fake], surface: str, streamed: bool):
    models = {
        KIMI: kind(answers=[call("edit", {"path": "dropped"}, "Now."), AIMessage("Done.")]),
        DEEPSEEK: kind(answers=[call("edit", EDIT)]),
    }
    router = ToolRouter({"model": KIMI, "toolRouting": {"edit": DEEPSEEK}}, models=models)
    folder = Folder()
    if surface == "graph":
        agent: Any = create_toolroute_agent(router, folder.tools())
    elif surface == "middleware":
        agent = create_agent(models[KIMI], folder.tools(), middleware=[ToolRouteMiddleware(router)])
    else:
        agent = create_agent(ToolRoutedChatModel(router=router), folder.tools())
    messages = list(agent.stream(ask(), stream_mode="values"))[-1]["messages"] if streamed else agent.invoke(ask())["messages"]
    assert called(ai(messages)[0]) == [("edit", EDIT)]
    assert folder.ran == [("edit", EDIT)]
    assert ai(messages)[-1].content == "Done."
