"""Laws of tool policies."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.config import load_config
from lg_toolroute.rulebook.book import compile_config

TOOLS = (*((name, ()) for name in ("read", "edit", "write", "exec", "web_search", "browser", "mcp__a__b")), ("tagged", ("mcp",)))
SPECS = ("ollama/gpt-oss:20b", "openai/gpt-5", "openrouter/deepseek/v4")
entries = st.lists(
    st.sampled_from(["read", "EDIT", "exec", "web_*", "group:fs", "group:web", "group:plugins", "mcp__*", "tag:mcp", "*", "browser"]), max_size=3
)
keys = st.sampled_from(["ollama", "ollama/*", "*:20b", "gpt-oss:20b", "openai/gpt-5", "openrouter/*", "*", "deepseek/v4", "openai"])
layer = st.fixed_dictionaries({}, optional={"allow": entries, "deny": entries})
entry = st.fixed_dictionaries({}, optional={"allow": entries, "deny": entries, "profile": st.sampled_from(["minimal", "coding", "full"])})
policies = st.builds(
    lambda base, provider, model: {**base, "byProvider": provider, "byModel": model},
    layer,
    st.dictionaries(keys, entry, max_size=2),
    st.dictionaries(keys, entry, max_size=2),
)


def allowed(tools, spec, agent_tools=None) -> set[str]:
    entries = {"x": {"tools": agent_tools}} if agent_tools is not None else {}
    book = compile_config(load_config({"tools": tools, "agents": {"entries": entries}}))
    return set(book.allowed(spec, TOOLS, agent="x"))


@settings(max_examples=120, deadline=None)
@given(policies, policies, st.sampled_from(SPECS))
def test_an_agents_layer_never_adds_a_tool(tools, agent_tools, spec):
    assert allowed(tools, spec, agent_tools) <= allowed(tools, spec)


@settings(max_examples=120, deadline=None)
@given(policies, keys, entry, st.sampled_from(["byProvider", "byModel"]), st.sampled_from(SPECS))
def test_a_further_entry_never_adds_a_tool(tools, key, more, kind, spec):
    without = {**tools, kind: {name: policy for name, policy in tools[kind].items() if name != key}}
    assert allowed({**without, kind: {**without[kind], key: more}}, spec) <= allowed(without, spec)


@settings(max_examples=120, deadline=None)
@given(policies, st.sampled_from([name for name, _ in TOOLS]), st.sampled_from(SPECS))
def test_deny_always_wins(tools, tool, spec):
    assert tool not in allowed({**tools, "deny": [*tools.get("deny", ()), tool]}, spec)
    assert tool not in allowed(tools, spec, {"deny": [tool]})


@settings(max_examples=120, deadline=None)
@given(policies, st.sampled_from(SPECS))
def test_every_refusal_names_a_layer_and_every_permission_none(tools, spec):
    book = compile_config(load_config({"tools": tools}))
    names = set(book.allowed(spec, TOOLS))
    for name, tags in TOOLS:
        verdict = book.verdict(name, spec, tags=tags)
        assert (verdict is None) == (name in names)
        assert verdict is None or verdict.startswith("tools.")


@settings(max_examples=80, deadline=None)
@given(policies, st.sampled_from(SPECS))
def test_case_changes_no_permission(tools, spec):
    book = compile_config(load_config({"tools": tools}))
    for name, tags in TOOLS:
        assert (book.verdict(name, spec, tags=tags) is None) == (book.verdict(name.upper(), spec, tags=tags) is None)


@settings(max_examples=80, deadline=None)
@given(policies)
def test_a_decision_never_chooses_a_model_that_may_not_use_the_tool(tools):
    book = compile_config(load_config({"model": SPECS[0], "fallbacks": list(SPECS[1:]), "tools": tools, "toolRouting": {"e*": SPECS[2]}}))
    for name, tags in TOOLS:
        decision = book.decide(name, tags=tags)
        for spec in decision.candidates:
            assert book.verdict(name, spec, tags=tags) is None
        assert set(decision.candidates) | {skip.model for skip in decision.skipped} == set(decision.chain)
        assert decision.model == next(iter(decision.candidates), None)
