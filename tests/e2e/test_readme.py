"""The README runs: each block that shows its output prints just that, and its picture is the graph."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import json5
import pytest

from lg_toolroute import load_config

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
