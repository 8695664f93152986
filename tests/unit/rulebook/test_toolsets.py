"""What is remembered of a set of tools is what the rule book says of each of them."""

from __future__ import annotations

import pickle
from typing import Any

from lg_toolroute import load_config
from lg_toolroute.rulebook.book import compile_config
from lg_toolroute.rulebook.toolsets import _MOST

TOOLS = (("read", ()), ("edit", ()), ("write", ("mcp",)), ("web_search", ()), ("exec", ()))
CONFIG: dict[str, Any] = {
    "model": {"primary": "a/big"},
    "toolRouting": [
        {"tools": ["edit"], "model": "b/writer", "escalate": {"after": 3, "to": "c/best"}},
        {"tools": ["tag:mcp"], "model": "b/writer"},
        {"tools": ["exec"], "model": "b/writer", "moments": ["result"]},
    ],
    "tools": {"byModel": {"b/writer": {"deny": ["web_*"]}}},
    "agents": {"entries": {"reader": {"tools": {"allow": ["read"]}, "model": {"toolRouting": {"edit": None, "read": "b/writer"}}}}},
}


def test_what_a_model_may_use_is_what_the_policy_allows():
    book = compile_config(load_config(CONFIG))
    for _ in range(2):
        for agent in (None, "reader"):
            for spec in ("a/big", "b/writer", "B:writer"):
                assert book.toolsets.allowed(spec, TOOLS, agent=agent) == book.allowed(spec, TOOLS, agent=agent)


def test_routed_are_the_tools_whose_call_a_rule_gives_away():
    book = compile_config(load_config(CONFIG))
    for _ in range(2):
        assert book.toolsets.routed(TOOLS) == ("edit", "write")
        assert book.toolsets.routed(TOOLS, agent="reader") == ("read", "write")


def test_escalating_are_the_tools_whose_rule_says_after_how_many_failures():
    book = compile_config(load_config(CONFIG))
    for _ in range(2):
        assert book.toolsets.escalating(TOOLS) == (("edit", 3),)
        assert book.toolsets.escalating(TOOLS[:1]) == ()


def test_what_is_remembered_has_an_end():
    book = compile_config(load_config(CONFIG))
    for number in range(_MOST * 2):
        assert book.toolsets.routed(((f"tool_{number}", ()), ("edit", ()))) == ("edit",)
    assert len(book.toolsets._known) <= _MOST


def test_a_pickled_book_answers_the_same():
    book = compile_config(load_config(CONFIG))
    again = pickle.loads(pickle.dumps(book))
    assert again.toolsets.routed(TOOLS) == book.toolsets.routed(TOOLS)
