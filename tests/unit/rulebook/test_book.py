"""The rule book: who writes a call, in which order, and why."""

import copy
import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from lg_toolroute.config import load_config
from lg_toolroute.core.rules.decision import Escalate, RuleOptions, Skip
from lg_toolroute.rulebook.book import compile_config

CONFIG = {
    "model": {"primary": "p/primary", "fallbacks": ["f/one", "f/two"]},
    "toolRouting": {
        "edit": "r/editor",
        "write": {"model": "r/writer", "fallbacks": ["r/second"]},
        "secret_*": {"model": "ollama/local", "fallbacks": []},
        "group:web": {"model": "r/web", "moments": ["result"]},
    },
    "agents": {
        "entries": {
            "plain": {"model": "x/other"},
            "own": {"model": {"toolRouting": {"edit": "x/editor", "write": None}}},
            "bare": {"model": {"fallbacks": []}},
        }
    },
}


def compiled(**more):
    return compile_config(load_config({**CONFIG, **more}))


def test_a_rule_gives_its_tool_to_its_model():
    decision = compiled().decide("edit")
    assert (decision.model, decision.rule, decision.path) == ("r/editor", "edit", "toolRouting.edit")
    assert decision.moments == ("call",)
    assert decision.reason == "the rule 'edit' is for 'edit': r/editor writes its call"


def test_the_path_is_that_of_the_document():
    long = {"agents": {"defaults": {"model": {"primary": "p/q", "toolRouting": {"edit": {"primary": "a/b"}}}}}}
    assert compile_config(load_config(long)).decide("edit").path == "agents.defaults.model.toolRouting.edit"
    listed = {"toolRouting": [{"tools": ["write", "edit"], "model": "a/b"}]}
    assert compile_config(load_config(listed)).decide("edit").path == "toolRouting[0]"


def test_the_chain_of_a_rule_is_its_own_then_the_agents_then_the_primary():
    book = compiled()
    assert book.decide("edit").chain == ("r/editor", "f/one", "f/two", "p/primary")
    assert book.decide("write").chain == ("r/writer", "r/second", "p/primary")


def test_no_fallbacks_on_a_rule_are_a_boundary():
    decision = compiled().decide("secret_note")
    assert decision.chain == ("ollama/local",)
    assert decision.options.boundary


def test_no_fallbacks_of_the_agent_are_no_boundary_of_its_rules():
    assert compiled().decide("edit", agent="bare").chain == ("r/editor", "p/primary")
    assert not compiled().decide("edit", agent="bare").options.boundary


def test_a_chain_holds_every_model_once():
    book = compile_config(load_config({"model": {"primary": "a/b", "fallbacks": ["c/d", "A/b", "c:d"]}, "toolRouting": {"edit": "c/d"}}))
    assert book.reasoning_chain() == ("a/b", "c/d")
    assert book.decide("edit").chain == ("c/d", "a/b")


def test_without_a_rule_the_primary_writes():
    decision = compiled().decide("read")
    assert (decision.model, decision.rule, decision.path, decision.moments) == ("p/primary", None, None, ())
    assert decision.chain == ("p/primary", "f/one", "f/two")


def test_without_a_tool_the_primary_reasons():
    decision = compiled().decide(None)
    assert (decision.tool, decision.model, decision.reason) == (None, "p/primary", "p/primary reasons")


def test_without_any_model_none_is_chosen_and_the_reason_says_so():
    book = compile_config(load_config({"toolRouting": {"edit": "a/b"}}))
    assert book.decide("read").model is None
    assert book.decide("read").reason == "the configuration names no primary"
    assert book.decide("edit").chain == ("a/b",)


def test_plain_text_replaces_the_primary_and_inherits_the_rest():
    book = compiled()
    assert book.reasoning_chain(agent="plain") == ("x/other", "f/one", "f/two")
    assert book.decide("edit", agent="plain").chain == ("r/editor", "f/one", "f/two", "x/other")


def test_rules_merge_tool_by_tool_and_null_removes():
    book = compiled()
    assert book.decide("edit", agent="own").model == "x/editor"
    assert book.decide("write", agent="own").rule is None
    assert book.decide("secret_x", agent="own").model == "ollama/local"
    assert tuple(rule.pattern for rule in book.rules("own")) == ("edit", "secret_*", "group:web")
    assert book.decide("edit", agent="own").path == "agents.entries.own.model.toolRouting.edit"


def test_an_agents_rule_goes_before_an_inherited_one_of_its_class():
    book = compile_config(load_config({"toolRouting": {"?dit": "a/b"}, "agents": {"entries": {"x": {"model": {"toolRouting": {"e?it": "c/d"}}}}}}))
    assert book.decide("edit").model == "a/b"
    assert book.decide("edit", agent="x").model == "c/d"


def test_an_agent_that_is_not_configured_has_the_defaults():
    book = compiled()
    assert book.decide("edit", agent="nobody").model == "r/editor"
    assert book.decide("edit", agent="nobody").agent == "nobody"


def test_a_role_has_its_own_chain_and_the_agents_rules():
    book = compiled(heartbeat={"model": "h/cheap"}, roles={"review": {"model": {"primary": "v/strong", "fallbacks": []}}})
    assert book.reasoning_chain(role="heartbeat") == ("h/cheap", "f/one", "f/two")
    assert book.reasoning_chain(role="review") == ("v/strong",)
    assert book.decide("edit", role="review").chain == ("r/editor", "v/strong")
    assert book.reasoning_chain(role="unknown") == book.reasoning_chain()
    assert book.roles() == ("heartbeat", "review")


def test_an_agents_role_goes_over_the_defaults_role():
    agents = {"defaults": {"heartbeat": {"model": "h/all"}}, "entries": {"x": {"heartbeat": {"model": "h/x"}, "model": "m/x"}}}
    book = compile_config(load_config({"agents": agents}))
    assert book.reasoning_chain(role="heartbeat", agent="x") == ("h/x",)
    assert book.reasoning_chain(role="heartbeat") == ("h/all",)
    assert book.reasoning_chain(agent="x") == ("m/x",)


def test_an_override_goes_first_and_the_primary_last():
    book = compiled()
    assert book.reasoning_chain(override="z:q") == ("z/q", "f/one", "f/two", "p/primary")
    assert book.reasoning_chain(override="f/one") == ("f/one", "f/two", "p/primary")
    assert book.reasoning_chain(override="z/q", agent="bare") == ("z/q",)
    with pytest.raises(ValueError, match="names no provider"):
        book.reasoning_chain(override="zq")


def test_pdfs_go_to_the_image_models_if_they_have_none():
    assert compiled().capability_chain("image") == ()
    images = compiled(imageModel={"primary": "i/one", "fallbacks": ["i/two"]})
    assert images.capability_chain("image") == images.capability_chain("pdf") == ("i/one", "i/two")
    both = compiled(imageModel="i/one", pdfModel="d/one")
    assert both.capability_chain("pdf") == ("d/one",)


def test_a_candidate_that_may_not_use_the_tool_is_skipped_and_says_why():
    book = compiled(tools={"byModel": {"r/*": {"deny": ["edit"]}}})
    decision = book.decide("edit")
    assert decision.model == "f/one"
    assert decision.skipped == (Skip("r/editor", "may not use 'edit' (tools.byModel['r/*'].deny)", kind="policy"),)
    assert decision.candidates == ("f/one", "f/two", "p/primary")
    assert "since r/editor may not use 'edit'" in decision.reason


def test_a_candidate_without_tools_is_skipped_for_tools_but_may_reason():
    models = {"providers": {"p": {"models": [{"id": "primary", "compat": {"supportsTools": False}}]}}}
    book = compiled(models=models)
    assert [skip.kind for skip in book.decide("read").skipped] == ["no_tools"]
    assert book.decide("read").model == "f/one"
    assert book.decide(None).model == "p/primary"


def test_a_tool_that_no_candidate_may_use_has_no_model():
    decision = compiled(tools={"deny": ["edit"]}).decide("edit")
    assert decision.model is None
    assert len(decision.skipped) == 4
    assert decision.reason.startswith("no candidate is left for 'edit'")


def test_the_options_of_a_rule_are_in_the_decision():
    rule = {
        "model": "a/b",
        "handoff": "draft",
        "streamArgs": "live",
        "escalate": {"after": 3, "to": "C:d"},
        "params": {"temperature": 0},
        "refusalFallsBack": True,
        "moments": ["call", "result", "call"],
    }
    decision = compile_config(load_config({"toolRouting": {"edit": rule}})).decide("edit")
    assert decision.moments == ("call", "result")
    assert decision.options == RuleOptions(
        on_intercept="drain", handoff="draft", stream_args="live", escalate=Escalate(3, "c/d"), params={"temperature": 0}, refusal_falls_back=True
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (None, ("auto", None)),
        ("auto", ("auto", None)),
        ("text", ("full", None)),
        ("full", ("full", None)),
        ("brief", ("brief", None)),
        ({"brief": "rich"}, ("brief", "rich")),
        ({"brief": 4_000}, ("brief", 4_000)),
        ({"mode": "brief", "brief": "mine"}, ("brief", "mine")),
    ],
)
def test_a_handoff_is_read_in_every_form(written: object, expected: tuple[str, object]):
    rule = {"model": "a/b"} if written is None else {"model": "a/b", "handoff": written}
    options = compile_config(load_config({"toolRouting": {"edit": rule}})).decide("edit").options
    assert (options.handoff, options.brief) == expected


def test_a_refusal_of_the_reasoning_model_may_fall_back():
    book = compile_config(load_config({"model": {"primary": "a/b", "refusalFallsBack": True}, "toolRouting": {"edit": "c/d"}}))
    assert book.decide(None).options.refusal_falls_back
    assert not book.decide("edit").options.refusal_falls_back


def test_a_decision_is_plain_data_for_json():
    for tool in ("edit", "secret_x", "read", None):
        decision = compiled().decide(tool, source="forced")
        assert json.loads(json.dumps(decision.to_dict()))["source"] == "forced"


def test_params_merge_key_by_key():
    book = compile_config(
        load_config(
            {
                "params": {"a": 1, "b": 1, "c": 1, "gone": 1},
                "models": {"providers": {"P": {"params": {"b": 2}, "models": [{"id": "m", "params": {"c": 3}}]}}},
                "agents": {
                    "defaults": {"models": {"p/*": {"params": {"d": 4}}, "p/m": {"params": {"d": 5, "gone": None}}}},
                    "entries": {"x": {"models": {"p/m": {"params": {"e": 6}}}, "params": {"a": 7}}},
                },
            }
        )
    )
    assert dict(book.params("p/m")) == {"a": 1, "b": 2, "c": 3, "d": 5}
    assert dict(book.params("p/m", agent="x", rule_params={"d": 8})) == {"a": 7, "b": 2, "c": 3, "d": 8, "e": 6}
    assert dict(book.params("p/other")) == {"a": 1, "b": 2, "c": 1, "gone": 1, "d": 4}


def test_facts_come_from_the_configuration_only():
    entry = {"id": "m:1", "contextWindow": 1000, "contextTokens": 800, "input": ["text", "image"], "cost": {"input": 1, "output": 2}, "sizeB": 7}
    book = compile_config(load_config({"models": {"providers": {"Q": {"maxTokens": 99, "models": [entry]}}}}))
    facts = book.facts("q/m:1")
    assert (facts.context_window, facts.max_output, facts.inputs, facts.supports_tools) == (800, 99, frozenset({"text", "image"}), None)
    assert (facts.cost.output, facts.size.total_b) == (2, 7)
    assert book.facts("q/other").max_output == 99
    assert book.facts("z/z").context_window is None


def test_every_model_that_a_chain_can_reach_is_listed():
    book = compiled(
        imageModel="i/m",
        heartbeat={"model": "h/m"},
        toolRouting={"edit": {"model": "r/e", "escalate": {"to": "e/e"}}},
        agents={"entries": {"a": {"model": {"toolRouting": {"x": "own/x"}}}}},
    )
    assert set(book.specs()) == {"p/primary", "f/one", "f/two", "r/e", "e/e", "i/m", "h/m", "own/x"}


def test_a_rule_that_matches_no_bound_tool_is_named_with_the_nearest():
    rules = [{"tools": ["web_serach", "edit"], "model": "a/b"}, {"tools": ["tag:x", "group:plugins"], "model": "a/b"}]
    book = compile_config(load_config({"toolRouting": rules}))
    (problem,) = book.unmatched(["web_search", "Edit"])
    assert (problem.path, problem.hint) == ("toolRouting[0]", "did you mean 'web_search'?")
    assert problem.message == "'web_serach' matches none of the 2 bound tools"
    tagged = book.unmatched([("web_search", ()), ("edit", ("y",))])
    assert [problem.message.split("'")[1] for problem in tagged] == ["web_serach", "tag:x", "group:plugins"]
    assert len(book.unmatched([])) == 4
    assert book.unmatched([("web_serach", ()), ("edit", ("x",)), ("mcp__a", ())]) == ()


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda book: pickle.loads(pickle.dumps(book))])
def test_a_rule_book_can_be_copied_and_pickled(twin):
    book = compiled(tools={"byModel": {"r/*": {"deny": ["edit"]}}})
    book.decide("edit")
    other = twin(book)
    assert other.config == book.config
    for tool in ("edit", "secret_x", "web_search", "read"):
        for agent in (None, "own", "plain"):
            assert other.decide(tool, agent=agent) == book.decide(tool, agent=agent)


def test_a_decision_that_was_asked_is_remembered_and_memory_has_an_end():
    book = compiled()
    assert book.decide("edit") is book.decide("edit", tags=[])
    for number in range(20_000):
        book.decide(f"invented_{number}")
    assert len(book._decisions) <= 8192
    assert book.decide("edit").model == "r/editor"


def test_threads_agree():
    book, alone = compiled(), compiled()
    asked = [(f"tool_{number % 50}", ("own", None, "plain")[number % 3]) for number in range(600)] + [("edit", "own")] * 50
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda pair: book.decide(pair[0], agent=pair[1]), asked))
    assert answers == [alone.decide(tool, agent=agent) for tool, agent in asked]


@pytest.mark.parametrize("tool", ["", " ", "ünïcode 🛠", "a.b/c", "x" * 10_000, "(a+)+$", "group:fs", "tag:x", "*", "[", "\x00", "a\nb"])
def test_odd_tool_names_are_decided(tool):
    assert compiled().decide(tool).chain
    pattern = tool if tool.strip() and not tool.startswith(("group:", "tag:")) else f"odd{tool}"
    assert compiled(toolRouting={pattern: "a/b"}).decide(pattern).model == "a/b"
