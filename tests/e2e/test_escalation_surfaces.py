"""A call that failed twice is written one step up its chain, on the surfaces beside the graph, over real clients."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import ToolException, tool

from lg_toolroute import ToolRoutedChatModel, ToolRouteMiddleware, ToolRouter
from lg_toolroute.testing import Call, Say, ScriptedModel

PRIMARY, WRITER, STRONG = "kimi/primary", "deepseek/writer", "xai/strong"
CONFIG = {"model": {"primary": PRIMARY}, "toolRouting": {"edit": {"primary": WRITER, "fallbacks": [STRONG], "escalate": {"after": 2}}}}


@tool
def edit(path: str, text: str) -> str:
    """Edit a file."""
    if text != "right":
        raise ToolException("old text not found")
    return "edited"


edit.handle_tool_error = True


def _agent(surface: str, models: dict[str, ScriptedModel]) -> Any:
    router = ToolRouter(CONFIG, models=models)
    if surface == "middleware":
        return create_agent(models[PRIMARY], [edit], middleware=[ToolRouteMiddleware(router)])
    return create_agent(ToolRoutedChatModel(router=router), [edit])


@pytest.mark.parametrize("surface", ["middleware", "chat model"])
def test_the_third_try_goes_up_the_chain_and_a_success_comes_back(surface: str):
    """Two failures of the writer, then the stronger model writes the call; after its success the writer is first again."""
    wish = Say("Let me edit.", [Call("edit", {"path": "?", "text": "?"})])
    models = {
        PRIMARY: ScriptedModel([wish, wish, wish, wish, Say("Done.")], name=PRIMARY),
        WRITER: ScriptedModel([Say("", [Call("edit", {"path": "a.py", "text": text})]) for text in ("wrong", "also wrong", "right")], name=WRITER),
        STRONG: ScriptedModel([Say("", [Call("edit", {"path": "a.py", "text": "right"})])], name=STRONG),
    }
    out = _agent(surface, models).invoke({"messages": [("user", "Fix it.")]})
    records = [message.response_metadata["toolroute"] for message in out["messages"] if isinstance(message, AIMessage)]
    assert [record["model"] for record in records] == [WRITER, WRITER, STRONG, WRITER, PRIMARY]
    assert "2" in records[2]["reason"]
    for model in models.values():
        model.assert_done()
