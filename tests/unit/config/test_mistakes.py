"""Every mistake is named with its path as the author wrote it, its value and what to write instead, all of them at once."""

import pytest

from lg_toolroute.config import load_config
from lg_toolroute.errors import ConfigError


def problems(document) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load_config(document)
    return {problem.path: f"{problem.message}; {problem.hint}" for problem in caught.value.problems}


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_document():
    document = {
        "tools": {"deny": ["group:wbe"], "byModel": {"x/*": {"denny": []}}},
        "toolRoutng": {},
        "toolRouting": [{"tools": ["edit", "edit"], "model": "x/y", "onIntercept": "cot"}],
        "model": "claude-sonnet-4-5",
        "health": {"rateLimitS": -1},
    }
    assert list(problems(document)) == [
        "tools.deny[0]",
        "tools.byModel['x/*'].denny",
        "toolRoutng",
        "toolRouting[0].tools[1]",
        "toolRouting[0].onIntercept",
        "model",
        "health.rateLimitS",
    ]


def test_a_misspelt_key_is_answered_with_the_right_one():
    found = problems({"modle": "a/b", "tool_routng": {}, "helth": {}, "agents": {"defualts": {}, "entries": {"x": {"tols": {}}}}})
    assert "did you mean 'model'?" in found["modle"]
    assert "did you mean 'toolRouting'?" in found["tool_routng"]
    assert "did you mean 'health'?" in found["helth"]
    assert "did you mean 'defaults'?" in found["agents.defualts"]
    assert "did you mean 'tools'?" in found["agents.entries.x.tols"]


def test_an_unknown_key_inside_our_sections_is_refused_and_at_the_top_it_is_left_alone():
    assert list(problems({"timeouts": {"zzz": 1}})) == ["timeouts.zzz"]
    assert load_config({"zzz": 1}).ignored_sections == ("zzz",)


def test_the_path_has_the_spelling_of_its_author():
    assert list(problems({"tool_routing": {"edit": {"on_intercept": 1, "streamArgs": 2, "model": "a/b"}}})) == [
        "tool_routing.edit.on_intercept",
        "tool_routing.edit.streamArgs",
    ]


def test_a_key_in_both_spellings_is_refused():
    assert "is given twice, here and as toolRouting" in problems({"toolRouting": {}, "tool_routing": {}})["tool_routing"]
    found = problems({"tools": {"byModel": {}, "by_model": {}}})
    assert "is given twice, here and as tools.byModel" in found["tools.by_model"]


def test_a_key_given_at_the_top_and_at_home_is_refused():
    assert "is given twice" in problems({"model": "a/b", "agents": {"defaults": {"model": "a/b"}}})["agents.defaults.model"]
    found = problems({"toolRouting": {"edit": "a/b"}, "agents": {"defaults": {"model": {"toolRouting": {"edit": "a/b"}}}}})
    assert "is given twice" in found["agents.defaults.model.toolRouting"]


def test_two_rules_for_one_tool_are_refused():
    one = {"tools": ["edit"], "model": "a/b"}
    assert "two rules for 'edit', the first at toolRouting[0].tools[0]" in problems({"toolRouting": [one, one]})["toolRouting[1].tools[0]"]
    assert "is given twice" in problems({"toolRouting": {"edit": {"model": "a/b", "primary": "a/b"}}})["toolRouting.edit.primary"]


def test_a_rule_with_a_look_needs_no_model_and_says_nothing_about_one():
    written = {"edit": {"look": True}, "sql": {"look": "tables"}, "write": {"model": "c/d", "look": False}}
    rules = load_config({"model": "a/b", "toolRouting": written}).agents.defaults.model.tool_routing
    assert [rules[name].look for name in ("edit", "sql", "write")] == [True, "tables", None]
    found = problems({"toolRouting": {"edit": {"look": True, "fallbacks": [], "escalate": {"after": 2}}, "write": {"look": False}}})
    assert "has a look and no model, and this is about its model" in found["toolRouting.edit.fallbacks"]
    assert list(found) == ["toolRouting.edit.fallbacks", "toolRouting.edit.escalate", "toolRouting.write"]
    assert '"look": true' in found["toolRouting.write"]


def test_a_look_that_could_see_nothing_is_refused():
    found = problems({"toolRouting": {"edit": {"model": "a/b", "look": True, "streamArgs": "live"}, "exec": {"look": True}, "read": {"look": 3}}})
    assert "cannot be looked at before they are shown" in found["toolRouting.edit.look"]
    assert "'exec' is not known as a tool that edits files; say under tools.files" in found["toolRouting.exec.look"]
    assert "toolRouting.read.look" in found


def test_a_rule_without_a_model_and_a_rule_without_tools_are_refused():
    found = problems({"toolRouting": [{"tools": ["edit"]}, {"model": "a/b"}, {"tools": [], "model": "a/b"}, "edit", {"tools": [1], "model": "a/b"}]})
    assert "names no model" in found["toolRouting[0]"]
    assert "names no tools" in found["toolRouting[1]"]
    assert "names no tools" in found["toolRouting[2].tools"]
    assert "is no rule" in found["toolRouting[3]"]
    assert "is no tool pattern" in found["toolRouting[4].tools[0]"]
    assert "names no model" in problems({"toolRouting": {"edit": {}}})["toolRouting.edit"]


def test_tools_in_the_map_form_are_refused():
    assert "no place in the map form" in problems({"toolRouting": {"edit": {"tools": ["write"], "model": "a/b"}}})["toolRouting.edit.tools"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("gpt-5", "openai/gpt-5"),
        ("deepseek-v4-pro", "deepseek/deepseek-v4-pro"),
        ("qwen3", "ollama/qwen3"),
    ],
)
def test_a_model_without_a_provider_is_answered_with_an_example(text, hint):
    found = problems({"model": {"primary": text, "fallbacks": [text]}, "toolRouting": {"edit": {"model": "a/b", "escalate": {"to": text}}}})
    assert all(f"for instance {hint!r}" in message for message in found.values())
    assert list(found) == ["model.primary", "model.fallbacks[0]", "toolRouting.edit.escalate.to"]


@pytest.mark.parametrize("text", ["", "/x", "x/", "a/b c", "a/b\nc"])
def test_a_spec_with_an_empty_half_or_a_space_is_refused(text):
    assert list(problems({"model": {"primary": text}})) == ["model.primary"]


def test_a_colon_instead_of_a_slash_that_makes_no_known_provider_is_a_warning():
    assert "did you mean 'ollama/gpt-oss:20b'?" in load_config({"model": "gpt-oss:20b"}).warnings[0]
    assert "did you mean 'anthropic'?" in load_config({"model": "antropic/claude"}).warnings[0]
    assert load_config({"model": "openai:gpt-5", "fallbacks": ["mine/x"], "models": {"providers": {"mine": {"baseUrl": "http://x"}}}}).warnings == ()


def test_a_model_that_its_provider_does_not_list_is_a_warning_with_the_nearest():
    providers = {"providers": {"deepseek": {"models": [{"id": "deepseek-v4-pro"}]}}}
    (warning,) = load_config({"model": "deepseek/deepseek-v4-prp", "models": providers}).warnings
    assert warning == "the model 'deepseek/deepseek-v4-prp' is not among the models of 'deepseek'; did you mean 'deepseek/deepseek-v4-pro'?"
    assert load_config({"model": "deepseek/other", "fallbacks": ["deepseek/deepseek-v4-pro"], "models": providers}).warnings == ()


def test_an_unknown_group_is_answered_with_the_nearest():
    found = problems({"toolRouting": {"group:webb": "a/b"}, "tools": {"allow": ["group:filesystem"]}})
    assert "did you mean 'group:web'?" in found["toolRouting['group:webb']"]
    assert "group:fs" in found["tools.allow[0]"]


def test_a_group_that_contains_itself_is_refused():
    found = problems({"tools": {"groups": {"a": ["group:b"], "b": ["group:c"], "c": ["group:b"]}}})
    assert any("contains itself: group:b > group:c > group:b" in message for message in found.values())


def test_groups_belong_to_the_whole_document():
    assert "the same for all agents" in problems({"agents": {"entries": {"x": {"tools": {"groups": {"a": ["b"]}}}}}})["agents.entries.x.tools.groups"]


def test_a_draft_needs_the_whole_message():
    rule = {"model": "a/b", "handoff": "draft", "onIntercept": "cut"}
    assert "a draft needs" in problems({"toolRouting": {"edit": rule}})["toolRouting.edit.onIntercept"]


def test_a_handoff_that_is_none_is_refused_with_what_to_write():
    wrong = {"a": "breif", "b": {"brief": 12}, "c": {"brief": True}, "d": {"mode": "full", "brief": "lean"}, "e": {"size": "lean"}, "f": 3}
    found = problems({"toolRouting": {name: {"model": "a/b", "handoff": handoff} for name, handoff in wrong.items()}})
    assert "did you mean 'brief'?" in found["toolRouting.a.handoff"]
    assert "12 is no size of a brief; write lean, mid, rich, or 500 tokens or more" in found["toolRouting.b.handoff.brief"]
    assert "True is no size of a brief" in found["toolRouting.c.handoff.brief"]
    assert "a handoff that is 'full' has no size" in found["toolRouting.d.handoff.brief"]
    assert "toolRouting.e.handoff.size" in found
    assert found["toolRouting.f.handoff"].startswith("3 should be a mapping; write auto, full, brief or draft, or ")


@pytest.mark.parametrize(
    ("rule", "key", "expected"),
    [
        ({"handoff": False}, "handoff", 'False should be a mapping; write auto, full, brief or draft, or {"brief": 4000} for a brief of so many'),
        ({"handoff": "lean"}, "handoff", """'lean' is the size of a brief; write {"brief": "lean"}"""),
        ({"handoff": "4000"}, "handoff", """'4000' is the size of a brief; write {"brief": 4000}"""),
        ({"handoff": {"brief": "4000"}}, "handoff.brief", "'4000' is a text; write 4000 without quotes"),
        ({"handoff": {"brief": 2.5}}, "handoff.brief", "2.5 is no size of a brief; write lean, mid, rich, or 500 tokens or more"),
        ({"look": "true"}, "look", "'true' is no look; write true without quotes, or the name of a function in ToolRouter(…, looks=)"),
        ({"look": ["fits"]}, "look", "a list is no look; write true without quotes, or the name of a function in ToolRouter(…, looks=)"),
        ({"form": False}, "form", "False is no form; write exact, blocks, v4a, unified, lines or whole, or {"),
        ({"form": {"b": "v4a"}}, "form", "'b' names no provider"),
        ({"cutAt": "body"}, "cutAt", 'for instance ["body"]'),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_answered_once_with_what_to_write(rule, key, expected):
    with pytest.raises(ConfigError) as caught:
        load_config({"model": "a/p", "toolRouting": {"edit": {"model": "a/b", **rule}}})
    (problem,) = caught.value.problems
    assert problem.path == f"toolRouting.edit.{key}"
    assert expected in str(problem)


def test_a_description_of_a_file_tool_is_answered_once_with_what_to_write():
    def said(described) -> str:
        with pytest.raises(ConfigError) as caught:
            load_config({"model": "a/p", "tools": {"files": {"page": described}}})
        (problem,) = caught.value.problems
        return str(problem)

    assert said("edit").startswith("tools.files.page: 'edit' should be a mapping; its keys are kind, file")
    assert "'old' and 'new' are both 'was'; name the argument" in said({"kind": "edit", "file": "page", "old": "was", "new": "was"})
    assert said({"kind": "read", "file": "page", "first": "1"}).endswith("first: '1' is not one of 0, 1; write 1 without quotes")


@pytest.mark.parametrize("early", [{"cutAt": "name"}, {"streamArgs": "live"}])
def test_a_brief_of_a_file_that_a_cut_at_the_name_does_not_tell_is_a_warning(early):
    def warnings(handoff) -> tuple[str, ...]:
        return load_config({"model": "a/p", "toolRouting": {"edit": {"model": "a/b", "handoff": handoff, **early}}}).warnings

    ((key, value),) = early.items()
    for handoff in ("brief", {"brief": "lean"}, {"brief": 4000}):
        (said,) = warnings(handoff)
        assert said.startswith("toolRouting.edit.handoff: an edit that is cut at its name does not tell which file")
        assert said.endswith(f'leave "{key}": "{value}" out')
    assert not warnings("full")
    assert not warnings({"brief": "own"})


def test_allow_and_also_allow_in_one_policy_are_refused():
    assert "allow and alsoAllow" in problems({"tools": {"allow": ["a"], "alsoAllow": ["b"]}})["tools.alsoAllow"]


def test_agents_need_an_id_of_their_own():
    found = problems({"agents": {"list": [{"id": "a"}, {"id": "a"}, {}, {"id": ""}], "entries": {"a": {}}}})
    assert "is defined twice" in found["agents.list[0].id"]
    assert "has no id" in found["agents.list[2]"]
    assert "has no id" in found["agents.list[3].id"]


def test_an_alias_belongs_to_one_model():
    models = {"a/b": {"alias": "x"}, "c/d": {"alias": "x"}}
    assert "already the alias of 'a/b'" in problems({"agents": {"defaults": {"models": models}}})["agents.defaults.models['c/d'].alias"]


def test_providers_and_their_models_are_described_once():
    found = problems({"models": {"providers": {"Kimi": {}, "kimi": {"models": [{"id": "a"}, {"id": "a"}, {}]}, "a/b": {}}}})
    assert "is defined twice" in found["models.providers.kimi"]
    assert "is described twice" in found["models.providers.kimi.models[1].id"]
    assert "has no 'id'" in found["models.providers.kimi.models[2]"]
    assert "cannot be a provider's id" in found["models.providers['a/b']"]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"agents": []}, "agents"),
        ({"agents": {"list": {}}}, "agents.list"),
        ({"agents": {"defaults": {"model": 5}}}, "agents.defaults.model"),
        ({"toolRouting": 5}, "toolRouting"),
        ({"toolRouting": {"edit": 5}}, "toolRouting.edit"),
        ({"tools": "none"}, "tools"),
        ({"tools": {"deny": [1]}}, "tools.deny[0]"),
        ({"health": {"transientAfter": 0}}, "health.transientAfter"),
        ({"timeouts": {"totalS": float("inf")}}, "timeouts.totalS"),
        ({"cutWhenNotStreaming": "perhaps"}, "cutWhenNotStreaming"),
        ({"toolRouting": {"edit": {"model": "a/b", "moments": []}}}, "toolRouting.edit.moments"),
        ({"toolRouting": {"": "a/b"}}, "toolRouting['']"),
        ({"toolRouting": {"tag:": "a/b"}}, "toolRouting['tag:']"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(document, path):
    assert path in problems(document)


def test_what_may_surprise_is_a_warning():
    config = load_config(
        {
            "tools": {"allow": [], "deny": ["web_serach", "web"], "byModel": {"a/*": {"alsoAllow": ["x"]}}},
            "toolRouting": {"edit": "openai/b"},
            "agents": {"entries": {"x": {"model": {"toolRouting": {"edti": None}}}}},
            "models": {"providers": {"a": {"apiKey": "plain"}}},
        }
    )
    text = "\n".join(config.warnings)
    assert "tools.allow: an empty list allows no tools" in text
    assert "did you mean 'web_search'?" in text
    assert "did you mean 'group:web'?" in text
    assert "tools.byModel['a/*'].alsoAllow: alsoAllow adds to a profile and there is none" in text
    assert "there is no inherited rule for 'edti' to remove; did you mean 'edit'?" in text
    assert 'models.providers.a.apiKey: the key itself stands in the configuration; write "${NAME}"' in text


def test_odd_tool_names_are_tool_names():
    names = ["read file", "a.b/c", "ünïcode 🛠", "x" * 10_000, "a[b", "(?:x)+", "tag", "group"]
    rules = load_config({"toolRouting": dict.fromkeys(names, "openai/b")}).agents.defaults.model.tool_routing
    assert list(rules) == names


def test_a_mapping_that_is_missing_is_said_with_what_to_write():
    found = problems({"roles": {"night": "a/b"}, "models": {"providers": {"kimi": "sk-secret"}}, "health": 3})
    assert found["roles.night"] == """'a/b' should be a mapping; write {"model": "a/b"}"""
    assert found["models.providers.kimi"].startswith("it should be a mapping; its keys are baseUrl, apiKey")
    assert found["health"].startswith("3 should be a mapping; its keys are rateLimitS, ")


def test_a_prediction_is_refused_because_this_version_has_none():
    found = problems({"model": "a/b", "prediction": {"mode": "off"}, "toolRouting": {"edit": {"primary": "a/c", "predict": "speculate"}}})
    assert list(found) == ["prediction", "toolRouting.edit.predict"]
    assert all("this version does not predict tools" in message for message in found.values())


def test_a_blank_around_a_pattern_is_a_warning():
    (said,) = load_config({"model": "a/b", "toolRouting": {"edit ": "a/b"}}).warnings
    assert said == "toolRouting['edit ']: 'edit ' begins or ends with a blank, as hardly a tool's name does; did you mean 'edit'?"


FILE_TOOL_MISTAKES = {
    "a": ({"kind": "edt", "file": "page"}, "tools.files.a.kind", "did you mean 'edit'?"),
    "b": ({"kind": "edit", "file": "page"}, "tools.files.b", "an edit needs 'old' and 'new'"),
    "c": ({"kind": "write", "file": "page"}, "tools.files.c", "a write needs 'text'"),
    "d": ({"kind": "read", "file": "page", "old": "x"}, "tools.files.d", "'old' says nothing of a tool that can read"),
    "e": ({"kind": "read", "flie": "page"}, "tools.files.e.flie", "did you mean 'file'?"),
    "f": ({"kind": "read", "file": "page", "first": 2}, "tools.files.f.first", "2 is not one of 0, 1"),
}


@pytest.mark.parametrize("name", FILE_TOOL_MISTAKES)
def test_a_file_tool_is_described_as_its_kind_needs(name: str):
    described, path, words = FILE_TOOL_MISTAKES[name]
    assert words in problems({"tools": {"files": {name: described}}})[path]


def test_file_tools_belong_to_the_whole_document():
    document = {"agents": {"entries": {"x": {"tools": {"files": {"a": {"kind": "read", "file": "page"}}}}}}}
    assert "the same for all agents" in problems(document)["agents.entries.x.tools.files"]
