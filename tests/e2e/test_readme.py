"""The README runs: each block that shows its output prints just that, and its picture is the graph."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import json5
import pytest
from langchain_core.tools import StructuredTool

from lg_toolroute import ToolRouter, create_toolroute_agent, load_config
from lg_toolroute.testing import Call, FaultServer, Say, ServerRequest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```python\n((?:(?!```).)*)```\n\n```text\n((?:(?!```).)*)```", README, re.DOTALL)


@pytest.mark.parametrize("position", range(len(SHOWN)))
def test_a_block_prints_what_is_shown_below_it(position: int):
    code, shown = SHOWN[position]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    assert out.getvalue() == shown


def test_the_drawn_graph_is_the_agents():
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(SHOWN[0][0], "README.md", "exec"), names)
    drawn = names["agent"].get_graph().draw_mermaid()
    body = drawn[drawn.index("graph TD;") :].strip()
    assert body in README


def test_every_edge_of_the_turn_is_drawn():
    for edge in (
        "route --> policy",
        "policy --> model",
        "model -.-> tools",
        "model -.-> fallback",
        "model -.-> route",
        "fallback --> policy",
        "tools --> route",
    ):
        assert edge in README


def test_the_configuration_in_the_readme_loads():
    (text,) = re.findall(r"```json5\n(.*?)```", README, re.DOTALL)
    assert json5.loads(text)
    assert load_config(text).warnings == ()


PROVIDERS = {
    "kimi-for-coding": "kimi-for-coding",
    "deepseek-v4-pro": "deepseek-v4",
    "gpt-oss:20b": "ollama",
    "grok-code-fast-1": "xai",
    "gpt-5-mini": "openai",
}


def named(name: str) -> Any:
    """A tool of that name."""

    def tool(path: str) -> str:
        return f"{name} {path}"

    return StructuredTool.from_function(tool, name=name, description=f"Do {name}.")


TOOLS = [named(name) for name in ("edit", "write", "mcp__github__get_file", "memory_search")]


def primary(request: ServerRequest) -> Any:
    """Words and a call of `edit` to a person, a sentence to a tool."""
    return Say("Done.") if request.messages[-1]["role"] == "tool" else Say("I mend it.", [Call("edit", {"path": "not this"})], chunks=4)


@pytest.mark.parametrize("streamed", [False, True])
def test_the_configuration_in_the_readme_runs_where_its_providers_rules_hold(streamed: bool, monkeypatch: pytest.MonkeyPatch):
    """Three tasks in one thread: Kimi reasons, DeepSeek writes, and neither refuses a request: not the forced choice, not what must come back."""
    monkeypatch.setenv("KIMI_API_KEY", "key")
    (text,) = re.findall(r"```json5\n(.*?)```", README, re.DOTALL)
    document = json5.loads(text)
    with FaultServer(profile=PROVIDERS) as server:
        server.answer("kimi-for-coding", primary)
        for provider in ("kimi", "deepseek", "ollama", "xai", "openai"):
            document["models"]["providers"].setdefault(provider, {"apiKey": "key"})["baseUrl"] = server.base_url
        agent = create_toolroute_agent(ToolRouter(document), TOOLS)
        messages: list[Any] = []
        for number in range(3):
            asked = {"messages": [*messages, ("user", f"Task {number}.")]}
            messages = [*agent.stream(asked, stream_mode="values")][-1]["messages"] if streamed else agent.invoke(asked)["messages"]
        refused = [(request.model, request.refused_by) for request in server.requests if request.status != 200]
        assert [request.model for request in server.requests] == ["kimi-for-coding", "deepseek-v4-pro", "kimi-for-coding"] * 3, refused
    assert refused == []
    written = [message.response_metadata["toolroute"]["model"] for message in messages if getattr(message, "tool_calls", None)]
    assert written == ["deepseek/deepseek-v4-pro"] * 3
    assert [message.text for message in messages if message.type == "tool"] == ["edit sample"] * 3


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))])
def test_every_link_leads_somewhere(page: str):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_every_page_is_found_from_the_readme():
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in README, page.name


def test_the_versions_of_the_proven_clients_are_those_of_the_matrix():
    measured = (ROOT / "docs" / "histories.md").read_text(encoding="utf-8")
    named = re.findall(r"langchain-[a-z-]+ \d+\.\d+\.\d+", README)
    assert len(named) == 7
    assert [client for client in named if client not in measured] == []
