"""Who can reach what, and what is dangerous about it."""

import json

from lg_toolroute.config import load_config
from lg_toolroute.rulebook.audit import audit
from lg_toolroute.rulebook.book import compile_config

SMALL = "ollama/gpt-oss:20b"
TOOLS = [(name, ()) for name in ("read", "edit", "write", "exec", "web_search", "x_search", "browser")]


def audited(bound=TOOLS, agent=None, **config):
    return audit(compile_config(load_config(config)), bound, agent=agent)


def kinds(found):
    return {(finding.level, finding.kind) for finding in found.findings}


def test_every_model_is_listed_with_its_size_its_ways_and_its_tools():
    found = audited(
        model={"primary": "a/qwen3-235b-a22b", "fallbacks": [SMALL]},
        toolRouting={"edit": {"model": "b/mystery", "escalate": {"to": "c/mixtral-8x7b"}}},
        imageModel="d/vision",
        heartbeat={"model": "e/tiny-500m"},
        tools={"byModel": {SMALL: {"deny": ["exec"]}}},
    )
    by_model = {record.model: record for record in found.models}
    assert by_model["a/qwen3-235b-a22b"].size == "235B (22B active)"
    assert by_model["b/mystery"].size == "unknown"
    assert by_model["c/mixtral-8x7b"].reached == ("escalation of 'edit'",)
    assert by_model["d/vision"].reached == ("image", "pdf")
    assert by_model["e/tiny-500m"].size_b == 0.5
    assert by_model["e/tiny-500m"].reached == ("role 'heartbeat'",)
    assert by_model[SMALL].denied == (("exec", "tools.byModel['ollama/gpt-oss:20b'].deny"),)
    assert by_model[SMALL].flags == ("small", "web")
    assert by_model["a/qwen3-235b-a22b"].reached[0] == "primary"


def test_a_small_model_with_web_tools_is_critical_until_they_are_denied():
    model = {"primary": "a/big-480b", "fallbacks": [SMALL]}
    found = audited(model=model)
    (finding,) = found.critical
    assert finding.kind == "small_model"
    assert finding.remedy == f'write tools.byModel["{SMALL}"].deny = ["group:web", "browser", "group:runtime"]'
    assert audited(model=model, tools={"byModel": {SMALL: {"deny": ["group:web", "browser", "group:runtime"]}}}).critical == ()


def test_an_unknown_size_is_a_warning_and_the_configuration_may_tell_it():
    assert ("warning", "unknown_size") in kinds(audited(model="a/mystery"))
    told = {"providers": {"a": {"models": [{"id": "mystery", "sizeB": 900}]}}}
    assert kinds(audited(model="a/mystery", models=told)) == set()
    assert audited(model="a/mystery", models=told).models[0].size_from == "config"


def test_agents_that_may_do_the_same_share_a_finding():
    found = audited(model=SMALL, agents={"entries": {"x": {}, "y": {"tools": {"deny": ["exec"]}}}})
    assert [finding.message.split(" is small")[0] for finding in found.critical] == [
        f"{SMALL} (in the defaults, agent 'x')",
        f"{SMALL} (in agent 'y')",
    ]
    assert {record.agent for record in audited(agent="y", model=SMALL, agents={"entries": {"x": {}, "y": {}}}).models} == {"y"}


def test_the_holes_that_bit_people_are_named():
    big = "a/big-480b"
    web = [finding.message for finding in audited(model=big, tools={"deny": ["web_*", "web_search"]}).findings if finding.kind == "hole"]
    assert any("browser is not" in message for message in web)
    assert any("x_search is not" in message for message in web)
    group = [finding.message for finding in audited(model=big, tools={"deny": ["group:web"]}).findings]
    assert group == ["group:web is denied and browser is not: `browser` reads the web too and is not in group:web"]
    write = audited(model=big, tools={"deny": ["write"]}).findings
    assert [(finding.message.split(":")[0], finding.path) for finding in write] == [("write is denied and edit, exec is not", "tools.deny")]
    assert audited(model=big, tools={"deny": ["write", "edit", "exec"]}).findings == ()


def test_a_rule_whose_model_may_not_use_its_tool_is_dead():
    found = audited(model="a/big-480b", toolRouting={"edit": "b/big-480b"}, tools={"byModel": {"b/*": {"deny": ["edit", "write", "exec"]}}})
    (finding,) = [finding for finding in found.findings if finding.kind == "dead_rule"]
    assert finding.path == "toolRouting.edit"
    assert "gives 'edit' to b/big-480b, which may not use 'edit'" in finding.message


def test_a_rule_that_matches_nothing_is_only_judged_by_bound_tools():
    rules = {"web_serach": "b/big-480b"}
    assert "did you mean 'web_search'?" in [finding.remedy for finding in audited(model="a/big-480b", toolRouting=rules).findings]
    assumed = audited([], model="a/big-480b", toolRouting=rules)
    assert assumed.assumed_tools
    assert not [finding for finding in assumed.findings if finding.kind == "dead_rule"]


def test_a_tool_that_no_candidate_may_use_is_dead():
    found = audited([("edit", ())], model="a/big-480b", toolRouting={"edit": "b/big-480b"}, tools={"deny": ["edit"]})
    assert any(finding.message.startswith("no candidate is left for 'edit'") for finding in found.findings)
    assert ("note", "no_tools") in kinds(found)


def test_boundaries_and_rules_that_save_nothing_are_noted():
    found = audited(
        model="a/big-480b",
        toolRouting={"edit": {"model": "b/big-480b", "fallbacks": []}, "write": "a/big-480b", "read": "b/big-480b"},
    )
    notes = {finding.path: finding.kind for finding in found.findings if finding.level == "note"}
    assert notes == {"toolRouting.edit": "boundary", "toolRouting.write": "useless_rule", "toolRouting.read": "useless_rule"}


def test_the_worst_comes_first_and_all_of_it_is_json():
    found = audited(model={"primary": "a/mystery", "fallbacks": [SMALL]}, toolRouting={"edit": {"model": "b/x", "fallbacks": []}})
    levels = [finding.level for finding in found.findings]
    assert levels == sorted(levels, key=("critical", "warning", "note").index)
    data = json.loads(json.dumps(found.to_dict()))
    assert data["models"][0]["flags"] == ["unknown size", "web", "exec"]
    assert data["assumed_tools"] is False
