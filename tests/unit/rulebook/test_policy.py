"""Which tools a model may see and run."""

import pytest

from lg_toolroute.config import load_config
from lg_toolroute.core.rules.groups import BUILT_IN_TOOLS
from lg_toolroute.rulebook.book import compile_config
from lg_toolroute.rulebook.policy import ModelPattern

TOOLS = tuple((name, ()) for name in ("read", "write", "edit", "apply_patch", "exec", "web_search", "web_fetch", "x_search", "browser", "message"))
SMALL = "ollama/gpt-oss:20b"
BIG = "anthropic/claude-sonnet-4-5"


def allowed(tools, spec=SMALL, agent=None, **more) -> set[str]:
    book = compile_config(load_config({"tools": tools, **more}))
    return set(book.allowed(spec, TOOLS, agent=agent))


EVERYTHING = {name for name, _ in TOOLS}


def test_unset_means_everything():
    assert allowed({}) == EVERYTHING


def test_an_empty_allow_means_nothing():
    assert allowed({"allow": []}) == set()


def test_deny_wins_over_allow_in_one_layer_and_across_layers():
    assert allowed({"allow": ["read", "exec"], "deny": ["exec"]}) == {"read"}
    assert allowed({"deny": ["exec"], "byModel": {SMALL: {"allow": ["exec", "read"]}}}) == {"read"}


def test_the_document_that_asked_for_it():
    tools = {"web": {"search": {"enabled": True}}, "byModel": {SMALL: {"deny": ["web_search", "web_fetch", "browser"]}}}
    assert allowed(tools, SMALL) == EVERYTHING - {"web_search", "web_fetch", "browser"}
    assert allowed(tools, BIG) == EVERYTHING


def test_every_entry_that_matches_applies():
    tools = {
        "byProvider": {"ollama": {"deny": ["group:web"]}, SMALL: {"deny": ["exec"]}},
        "byModel": {"*:20b": {"deny": ["browser"]}, "ollama/*": {"deny": ["edit"]}},
    }
    assert allowed(tools) == EVERYTHING - {"web_search", "web_fetch", "x_search", "exec", "browser", "edit"}
    assert allowed(tools, BIG) == EVERYTHING


@pytest.mark.parametrize(
    ("key", "spec", "means"),
    [
        ("ollama/gpt-oss:20b", SMALL, True),
        ("OLLAMA/GPT-OSS:20B", SMALL, True),
        ("ollama:gpt-oss:20b", SMALL, True),
        ("gpt-oss:20b", SMALL, True),
        ("ollama", SMALL, True),
        ("ollama/*", SMALL, True),
        ("*:20b", SMALL, True),
        ("gpt-oss*", SMALL, True),
        ("*", SMALL, True),
        ("ollama/gpt-oss:120b", SMALL, False),
        ("ollam", SMALL, False),
        ("openrouter/deepseek/*", "openrouter/deepseek/v4", True),
        ("deepseek/v4", "openrouter/deepseek/v4", True),
        ("deepseek", "openrouter/deepseek/v4", False),
    ],
)
def test_a_key_means_models(key, spec, means):
    assert ModelPattern.of(key).matches(spec) is means


def test_an_entry_matches_in_any_case_by_pattern_group_and_tag():
    assert allowed({"deny": ["EXEC", "Web_*", "group:FS"]}) == {"x_search", "browser", "message"}
    book = compile_config(load_config({"tools": {"deny": ["tag:mcp"]}}))
    assert book.allowed(BIG, [("a", ("MCP",)), ("b", ()), ("c", ("mcp", "x"))]) == ("b",)


def test_allowing_write_does_not_allow_apply_patch():
    assert allowed({"allow": ["write"]}) == {"write"}


def test_a_name_stands_for_nothing_else():
    book = compile_config(load_config({"tools": {"deny": ["exec"]}}))
    assert book.verdict("bash", BIG) is None
    grouped = compile_config(load_config({"tools": {"deny": ["group:runtime"]}}))
    assert grouped.verdict("bash", BIG) == "tools.deny"


def test_a_profile_is_the_base_and_also_allow_adds_to_it():
    coding = {"read", "write", "edit", "apply_patch", "exec", "web_search", "web_fetch", "x_search"}
    assert allowed({"profile": "coding"}) == coding
    assert allowed({"profile": "coding", "alsoAllow": ["browser"]}) == coding | {"browser"}
    assert allowed({"profile": "messaging"}) == {"message"}
    assert allowed({"profile": "full"}) == EVERYTHING
    assert allowed({"profile": "coding", "alsoAllow": ["browser"], "deny": ["browser"]}) == coding


def test_a_profile_lets_the_tools_of_servers_through():
    book = compile_config(load_config({"tools": {"profile": "coding"}}))
    assert book.allowed(BIG, [("mcp__github__get", ()), ("x", ("mcp",)), ("y", ())]) == ("mcp__github__get", "x")


def test_an_agents_profile_takes_the_place_of_the_global_one():
    agents = {"entries": {"support": {"tools": {"profile": "messaging"}}, "extra": {"tools": {"alsoAllow": ["browser"]}}}}
    assert allowed({"profile": "coding"}, agent="support", agents=agents) == {"message"}
    assert "browser" in allowed({"profile": "coding"}, agent="extra", agents=agents)
    assert "browser" not in allowed({"profile": "coding"}, agents=agents)


def test_an_agents_own_lists_can_only_remove():
    agents = {"entries": {"a": {"tools": {"allow": ["exec", "read"], "byModel": {"*:20b": {"deny": ["read"]}}}}}}
    assert allowed({"deny": ["exec"]}, BIG, agent="a", agents=agents) == {"read"}
    assert allowed({"deny": ["exec"]}, SMALL, agent="a", agents=agents) == set()
    assert allowed({"deny": ["exec"]}, SMALL, agent="unknown", agents=agents) == EVERYTHING - {"exec"}


def test_a_policy_of_the_defaults_applies_to_every_agent():
    agents = {"defaults": {"tools": {"deny": ["read"]}}, "entries": {"a": {"tools": {"deny": ["edit"]}}}}
    assert allowed({}, agent="a", agents=agents) == EVERYTHING - {"read", "edit"}
    assert allowed({}, agents=agents) == EVERYTHING - {"read"}


def test_an_entrys_profile_only_narrows():
    assert allowed({"profile": "coding", "byProvider": {"ollama": {"profile": "full"}}}) == allowed({"profile": "coding"})
    assert allowed({"profile": "full", "byProvider": {"ollama": {"profile": "minimal"}}}) == set()
    assert allowed({"profile": "full", "byProvider": {"ollama": {"profile": "minimal", "alsoAllow": ["read"]}}}) == {"read"}


def test_a_tool_that_is_switched_off_is_gone_for_every_model():
    tools = {"web": {"search": {"enabled": False}, "fetch": {"enabled": False}, "xSearch": {"enabled": False}}}
    assert allowed(tools, BIG) == EVERYTHING - {"web_search", "web_fetch", "x_search"}
    assert allowed({}, BIG, browser={"enabled": False}) == EVERYTHING - {"browser"}
    book = compile_config(load_config({"tools": tools, "browser": {"enabled": False}}))
    assert book.verdict("web_search", BIG) == "tools.web.search.enabled"
    assert book.verdict("browser", BIG) == "browser.enabled"


def test_a_refusal_names_the_layer_in_the_spelling_of_its_author():
    book = compile_config(
        load_config(
            {
                "tools": {"allow": ["group:fs", "exec"], "by_model": {"ollama/*": {"deny": ["exec"]}}, "profile": "coding"},
                "agents": {"list": [{"id": "a", "tools": {"deny": ["edit"]}}]},
            }
        )
    )
    assert book.verdict("exec", SMALL) == "tools.by_model['ollama/*'].deny"
    assert book.verdict("exec", BIG) is None
    assert book.verdict("web_search", BIG) == "tools.allow"
    assert book.verdict("message", BIG) == "tools.profile"
    assert book.verdict("edit", BIG, agent="a") == "agents.list[0].tools.deny"


def test_a_model_without_tools_gets_none():
    config = {"models": {"providers": {"ollama": {"models": [{"id": "gpt-oss:20b", "compat": {"supportsTools": False}}]}}}}
    book = compile_config(load_config(config))
    assert book.allowed(SMALL, TOOLS) == ()
    assert book.verdict("read", SMALL) == "models.providers.ollama.models[0].compat.supportsTools"
    assert book.allowed(BIG, TOOLS) == tuple(name for name, _ in TOOLS)


def test_the_order_of_the_tools_is_kept():
    book = compile_config(load_config({"tools": {"deny": ["exec"]}}))
    assert book.allowed(BIG, TOOLS[::-1]) == tuple(name for name, _ in TOOLS[::-1] if name != "exec")


def test_the_full_profile_holds_every_tool_that_ships():
    book = compile_config(load_config({"tools": {"profile": "full"}}))
    assert book.allowed(BIG, [(name, ()) for name in BUILT_IN_TOOLS]) == BUILT_IN_TOOLS
