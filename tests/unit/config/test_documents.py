"""Whole documents: the three that were written before this package, OpenClaw's own, and what becomes of their parts."""

import json
from pathlib import Path

import json5
import jsonschema
import pytest

from lg_toolroute.config import RoutingConfig, load_config
from lg_toolroute.errors import ConfigError

MAP_FORM = """{ "agents": { "defaults": { "model": {
      "primary": "kimi/kimi-for-coding",
      "fallbacks": ["deepseek/deepseek-v4-flash"],
      "toolRouting": {                                  // map form
        "edit":  { "primary": "deepseek/deepseek-v4-pro" },
        "write": { "primary": "deepseek/deepseek-v4-pro" },
        "exec":  { "primary": "deepseek/deepseek-v4-pro" } } } } } }"""
LIST_FORM = """{ "toolRouting": [                                      // list form; top level is short for agents.defaults.model
    { "tools": ["edit", "write"], "model": "deepseek/deepseek-v4-pro" },
    { "tools": ["exec", "process"], "model": "deepseek/deepseek-v4-pro" } ] }"""
POLICY = """{ "agents": { "defaults": { "model": { "primary": "anthropic/claude-sonnet-4-5", "fallbacks": ["ollama/gpt-oss:20b"] } } },
  "tools": { "web": { "search": { "enabled": true } },
             "byModel": { "ollama/gpt-oss:20b": { "deny": ["web_search", "web_fetch", "browser"] } } } }"""
OPENCLAW = """{
  meta: { lastTouchedVersion: "2026.9.6" },
  gateway: { port: 18789, auth: { mode: "token", token: "${GATEWAY_TOKEN}" } },
  channels: { telegram: { enabled: true } },
  agents: {
    ownership: "explicit",
    defaults: {
      workspace: "~/.openclaw/workspace",
      models: { "anthropic/claude-opus-4-6": { alias: "opus", params: { temperature: 0.2 } }, "openai/*": {} },
      model: { primary: "opus", fallbacks: ["openai/gpt-5.4"] },
      imageModel: { primary: "openrouter/qwen/qwen-2.5-vl-72b-instruct:free", timeoutMs: 1000 },
      heartbeat: { every: "30m", model: "openai/gpt-5.4-mini" },
      compaction: { mode: "safeguard" },
    },
    list: [
      { id: "main", default: true, name: "Main", identity: { name: "Sam" } },
      { id: "support", model: "openai/gpt-5.4", tools: { profile: "messaging", elevated: { enabled: false } } },
    ],
  },
  tools: {
    profile: "coding",
    alsoAllow: ["browser"],
    web: { search: { enabled: false, provider: "brave", maxResults: 5 }, fetch: { maxChars: 2000 } },
    loopDetection: { enabled: true },
    toolsBySender: { "*": { deny: ["exec"] } },
    byProvider: { ollama: { deny: ["group:web"] } },
  },
  models: {
    mode: "merge",
    providers: {
      kimi: { baseUrl: "https://api.kimi.com/coding/v1", apiKey: { source: "env", provider: "default", id: "KIMI_KEY" }, api: "openai-completions",
              models: [{ id: "kimi-for-coding", name: "Kimi", reasoning: true, input: ["text"], contextWindow: 262144, maxTokens: 32768,
                         cost: { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 0 }, compat: { supportsStore: false, supportsTools: true } }] },
    },
  },
}"""
ALL = {"map form": MAP_FORM, "list form": LIST_FORM, "policy": POLICY, "openclaw": OPENCLAW}


@pytest.mark.parametrize("name", ALL)
def test_the_document_loads_as_it_was_written(name):
    assert load_config(ALL[name]).to_dict()


@pytest.mark.parametrize("name", ALL)
def test_the_document_satisfies_the_schema_for_editors(name):
    jsonschema.validate(json5.loads(ALL[name]), RoutingConfig.json_schema())


@pytest.mark.parametrize("name", ALL)
def test_what_is_written_out_is_read_back_as_the_same(name):
    config = load_config(ALL[name])
    assert load_config(config.to_dict()) == config


def test_the_map_form_and_the_list_form_say_the_same():
    rules = load_config(MAP_FORM).agents.defaults.model.tool_routing
    listed = load_config(LIST_FORM).agents.defaults.model.tool_routing
    assert {name: listed[name] for name in ("edit", "write", "exec")} == rules
    assert list(listed) == ["edit", "write", "exec", "process"]


def test_sections_of_openclaw_are_left_alone_and_listed():
    config = load_config(OPENCLAW)
    assert {"meta", "gateway", "channels", "agents.ownership", "agents.defaults.workspace", "tools.loopDetection"} <= set(config.ignored_sections)
    assert "agents.list[1].tools.elevated" in config.ignored_sections
    assert "models.providers.kimi.models[0].cost.cacheWrite" in config.ignored_sections
    assert not any(path.startswith("tools.byProvider") for path in config.ignored_sections)


@pytest.mark.parametrize(
    ("section", "around"),
    [
        ("root", lambda keys: keys),
        ("agent", lambda keys: {"agents": {"defaults": keys}}),
        ("web_tool", lambda keys: {"tools": {"web": {"search": keys}}}),
        ("compat", lambda keys: {"models": {"providers": {"p": {"models": [{"id": "m", "compat": keys}]}}}}),
    ],
)
def test_no_key_of_openclaw_is_taken_for_a_misspelt_one_of_ours(section, around):
    names = json.loads(Path(__file__).with_name("openclaw_names.json").read_text())[section]
    assert len(load_config(around(dict.fromkeys(names, 1))).ignored_sections) == len(names)


def test_a_restriction_of_openclaw_that_is_not_enforced_is_a_warning():
    assert any(warning.startswith("tools.toolsBySender: takes no tools away here") for warning in load_config(OPENCLAW).warnings)


def test_an_alias_stands_for_its_model():
    assert load_config(OPENCLAW).agents.defaults.model.primary == "anthropic/claude-opus-4-6"


def test_the_older_list_of_agents_becomes_entries():
    assert list(load_config(OPENCLAW).agents.entries) == ["main", "support"]


@pytest.mark.parametrize("short", [{"model": "a/b"}, {"primary": "a/b"}, {"model": {"primary": "a/b"}}, {"model": "a:b"}])
def test_short_keys_at_the_top_mean_the_defaults(short):
    assert load_config(short) == load_config({"agents": {"defaults": {"model": {"primary": "a/b"}}}})


def test_short_keys_join_what_the_defaults_say():
    config = load_config({"toolRouting": {"edit": "c/d"}, "agents": {"defaults": {"model": "a/b"}}, "fallbacks": [], "params": {"top_p": 1}})
    assert config.agents.defaults.model.primary == "a/b"
    assert config.agents.defaults.model.fallbacks == ()
    assert config.agents.defaults.params == {"top_p": 1}
    assert list(config.agents.defaults.model.tool_routing) == ["edit"]


def test_no_fallbacks_differ_from_unset_fallbacks():
    assert load_config({"model": {"primary": "a/b", "fallbacks": []}}).agents.defaults.model.fallbacks == ()
    assert load_config({"model": "a/b"}).agents.defaults.model.fallbacks is None


def test_one_word_may_stand_for_a_list_of_one():
    config = load_config({"model": "a/b", "fallbacks": "c/d", "toolRouting": [{"tools": "edit", "model": "e/f", "moments": "result"}]})
    assert config.agents.defaults.model.fallbacks == ("c/d",)
    assert config.agents.defaults.model.tool_routing["edit"].moments == ("result",)


def test_a_rule_may_name_its_model_in_every_way():
    ways = [{"edit": "c/d"}, {"edit": {"primary": "c/d"}}, {"edit": {"model": "c/d"}}, {"edit": {"model": {"primary": "c/d"}}}]
    first, *others = (load_config({"toolRouting": way}) for way in [*ways, [{"tools": ["edit"], "primary": "c/d"}]])
    assert all(other == first for other in others)


def test_a_null_in_a_list_removes_like_a_null_in_a_mapping():
    defaults = {"toolRouting": {"edit": "a/b"}}
    listed = load_config({**defaults, "agents": {"entries": {"x": {"model": {"toolRouting": [{"tools": ["edit"], "model": None}]}}}}})
    mapped = load_config({**defaults, "agents": {"entries": {"x": {"model": {"toolRouting": {"edit": None}}}}}})
    assert listed == mapped
    assert mapped.agents.entries["x"].model.tool_routing == {"edit": None}


def test_the_handoff_names_the_tool():
    assert "`edit`" in load_config({}).handoff.text("edit")
    assert load_config({"handoff": {"instruction": "Call {tool} {now}."}}).handoff.text("{x}") == "Call {x} {now}."


def test_the_numbers_of_health_are_those_that_were_measured():
    health = load_config({}).health
    assert (health.rate_limit_s, health.rate_limit_max_s, health.quota_s, health.quota_max_s) == (30, 300, 600, 3600)
    assert (health.transient_after, health.transient_s, health.transient_max_s, health.auth_s, health.probe_timeout_s) == (2, 30, 300, 600, 60)


def test_a_time_limit_may_be_switched_off():
    assert load_config({"timeouts": {"idleS": None}}).timeouts.idle_s is None


def test_the_schema_for_editors_refuses_what_loading_refuses():
    schema = RoutingConfig.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for document in ({"health": {"rateLimit": 1}}, {"toolRouting": {"edit": {"onIntercept": "cot"}}}, {"tools": {"deny": "a", "dany": []}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)
        with pytest.raises(ConfigError):
            load_config(document)


def test_every_key_of_the_schema_for_editors_is_described():
    schema = RoutingConfig.json_schema()
    for name, definition in schema["$defs"].items():
        shape = definition["anyOf"][1] if "anyOf" in definition else definition
        for key, value in shape.get("properties", {}).items():
            assert value.get("description") or key == "id", f"{name}.{key} has no description"


def test_a_configuration_survives_pickling_and_copying():
    import copy
    import pickle

    config = load_config(OPENCLAW)
    for twin in (pickle.loads(pickle.dumps(config)), copy.deepcopy(config)):
        assert twin == config
        assert twin.warnings == config.warnings
        assert twin.places.of("agents", "entries", "support", "model") == "agents.list[1].model"
