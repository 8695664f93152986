"""Laws of configurations."""

import copy
import json
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.config import load_config
from lg_toolroute.errors import ConfigError
from lg_toolroute.rulebook.book import compile_config
from tests.support.sampling import examples

specs = st.sampled_from(["a/b", "C:d", "openrouter/x/y:free", "ollama/gpt-oss:20b"])
words = st.sampled_from(["edit", "write", "web_search", "mcp__a__b", "ed*", "*", "group:fs", "tag:x", "?x", "odd name", "a.b"])
rules = st.one_of(
    specs,
    st.fixed_dictionaries(
        {"primary": specs},
        optional={
            "fallbacks": st.lists(specs, max_size=2),
            "moments": st.sampled_from([["call"], ["result"], ["call", "result"]]),
            "onIntercept": st.just("drain"),
            "handoff": st.sampled_from(["auto", "full", "text", "brief", "draft", {"brief": "mid"}, {"brief": 4_000}]),
            "streamArgs": st.sampled_from(["checked", "live"]),
            "escalate": st.fixed_dictionaries({"after": st.integers(1, 5)}, optional={"to": specs}),
            "params": st.dictionaries(st.sampled_from(["temperature", "topP"]), st.integers(0, 1)),
            "refusalFallsBack": st.booleans(),
        },
    ),
)
models = st.one_of(
    specs,
    st.fixed_dictionaries(
        {}, optional={"primary": specs, "fallbacks": st.lists(specs, max_size=2), "toolRouting": st.dictionaries(words, rules, max_size=3)}
    ),
)
entries = st.lists(words, max_size=2)
policies = st.fixed_dictionaries({}, optional={"allow": entries, "deny": entries, "byModel": st.dictionaries(specs, st.just({}), max_size=2)})
agents = st.fixed_dictionaries({}, optional={"model": models, "imageModel": models.filter(lambda m: isinstance(m, str)), "tools": policies})
documents = st.fixed_dictionaries(
    {},
    optional={
        "agents": st.fixed_dictionaries({}, optional={"defaults": agents, "entries": st.dictionaries(st.sampled_from("xy"), agents, max_size=2)}),
        "tools": policies,
        "health": st.fixed_dictionaries({}, optional={"rateLimitS": st.integers(1, 99), "transientAfter": st.integers(1, 9)}),
        "timeouts": st.fixed_dictionaries({}, optional={"idleS": st.none() | st.integers(1, 9)}),
        "models": st.just({"providers": {"a": {"baseUrl": "http://127.0.0.1:1", "apiKey": "${A_KEY}"}}}),
        "cutWhenNotStreaming": st.booleans(),
        "gateway": st.just({"port": 1}),
    },
)
OURS = {
    *("toolRouting", "imageModel", "byModel", "onIntercept", "streamArgs", "refusalFallsBack"),
    *("rateLimitS", "transientAfter", "idleS", "baseUrl", "apiKey", "cutWhenNotStreaming"),
}


def respelt(value):
    """The document in snake_case, author's own names left alone."""
    if isinstance(value, dict):
        return {re.sub(r"([A-Z])", r"_\1", key).lower() if key in OURS else key: respelt(item) for key, item in value.items()}
    return [respelt(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=150, deadline=None)
@given(documents)
def test_what_is_written_out_is_read_back_as_the_same(document):
    config = load_config(document)
    assert load_config(config.to_dict()) == config
    assert load_config(json.dumps(config.to_dict())) == config


@settings(max_examples=100, deadline=None)
@given(documents)
def test_both_spellings_and_all_dialects_say_the_same(document):
    config = load_config(document)
    assert load_config(respelt(document)) == config
    assert load_config(yaml.safe_dump(document), "yaml") == config
    assert load_config(json.dumps(document), "json5") == config


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(words, specs, max_size=6), st.randoms(), st.sampled_from(["edit", "write", "web_search", "mcp__a__b", "xx", "odd name"]))
def test_the_order_of_rules_of_different_classes_changes_nothing(routes, dice, tool):
    # Of these patterns only a group and a tag share a class, and they share no tool.
    shuffled = list(routes)
    dice.shuffle(shuffled)
    one = compile_config(load_config({"model": "p/p", "toolRouting": routes})).decide(tool)
    other = compile_config(load_config({"model": "p/p", "toolRouting": {name: routes[name] for name in shuffled}})).decide(tool)
    assert one == other


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(words, specs, min_size=1, max_size=5))
def test_the_map_form_and_the_list_form_say_the_same(routes):
    listed = [{"tools": [pattern], "model": spec} for pattern, spec in routes.items()]
    assert load_config({"toolRouting": routes}) == load_config({"toolRouting": listed})


def problems(*source):
    try:
        load_config(*source)
    except ConfigError as error:
        return error.problems or pytest.fail("a refusal without a reason")
    return ()


def places(value, path=""):
    """Every path of a document, as messages write it."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            plain = re.fullmatch(r"[^\W\d][\w-]*", key)
            step = (f".{key}" if path else key) if plain else f"[{key!r}]"
            yield from places(item, path + step)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, f"{path}[{number}]")


values = [5, "junk", None, [], {}, ["junk", 7], {"zzz": 1}, True, -1.5, "group:none", [{}], {"edit": {"model": "x"}}]
junk = st.sampled_from(values).map(copy.deepcopy)


@st.composite
def spoilt(draw):
    """A document in which some values have been replaced and some keys misspelt."""
    document = json.loads(json.dumps(draw(documents)))
    for _ in range(draw(st.integers(1, 4))):
        node, key = document, None
        while isinstance(node, (dict, list)) and node and (key is None or draw(st.booleans()) or key is None):
            steps = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = draw(st.sampled_from(steps))
            holder, node = node, node[key]
        if key is None:
            document["toolRoutng"] = draw(junk)
        elif isinstance(holder, dict) and draw(st.booleans()):
            holder[f"{key}x"] = holder.pop(key)
        else:
            holder[key] = draw(junk)
    return document


@settings(max_examples=examples(300), deadline=None)
@given(spoilt())
def test_every_mistake_has_a_path_that_exists(document):
    known = set(places(document))
    found = problems(document)
    for problem in found:
        assert problem.path in known, str(problem)
        assert problem.message
    assert len(set(found)) == len(found)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["json", "json5", "yaml", "toml"]))
def test_no_text_ends_in_anything_but_a_configuration_or_a_config_error(text, dialect):
    for problem in problems(text, dialect):
        assert problem.message
