"""Texts, files and dialects: what can be read, and what is refused before it means anything."""

import json

import pytest

from lg_toolroute.config import load_config
from lg_toolroute.config.reading import MAX_BYTES
from lg_toolroute.errors import ConfigError

DOCUMENT = {"model": {"primary": "a/b", "fallbacks": ["c/d"]}, "toolRouting": {"edit": {"primary": "e/f"}}}
TEXTS = {
    "json": json.dumps(DOCUMENT),
    "json5": "// rules\n{model: {primary: 'a/b', fallbacks: ['c/d'],}, toolRouting: {edit: {primary: 'e/f'}}}",
    "yaml": "model:\n  primary: a/b\n  fallbacks: [c/d]\ntoolRouting:\n  edit:\n    primary: e/f\n",
    "toml": 'model = {primary = "a/b", fallbacks = ["c/d"]}\n[toolRouting.edit]\nprimary = "e/f"\n',
}


def refusal(source, **named) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(source, **named)
    return str(caught.value)


@pytest.mark.parametrize("dialect", TEXTS)
def test_every_dialect_says_the_same(dialect):
    assert load_config(TEXTS[dialect], dialect) == load_config(DOCUMENT)


@pytest.mark.parametrize("dialect", TEXTS)
def test_a_text_without_a_format_is_recognised(dialect):
    assert load_config(TEXTS[dialect]) == load_config(DOCUMENT)


@pytest.mark.parametrize("dialect", TEXTS)
def test_a_file_is_read_by_its_ending(dialect, tmp_path):
    path = tmp_path / f"routes.{dialect}"
    path.write_text(TEXTS[dialect])
    assert load_config(path) == load_config(str(path)) == load_config(DOCUMENT)
    assert load_config(path).source == str(path)


def test_a_json_file_may_hold_comments_as_openclaw_writes_them(tmp_path):
    path = tmp_path / "openclaw.json"
    path.write_text(TEXTS["json5"])
    assert load_config(path) == load_config(DOCUMENT)


def test_a_byte_order_mark_is_no_mistake():
    assert load_config(b"\xef\xbb\xbf" + TEXTS["json"].encode()) == load_config(DOCUMENT)


def test_a_configuration_is_handed_back():
    config = load_config(DOCUMENT)
    assert load_config(config) is config


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n", "null\n"])
def test_an_empty_document_is_refused(text):
    assert "is empty" in refusal(text, format="yaml")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "7\n", "[1, 2]"])
def test_yaml_that_is_no_mapping_is_refused(text):
    assert "not a mapping" in refusal(text, format="yaml")


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("json", '{"model": "a/b", "model": "c/d"}'),
        ("json5", "{model: 'a/b', model: 'c/d'}"),
        ("yaml", "model: a/b\nmodel: c/d\n"),
        ("toml", 'model = "a/b"\nmodel = "c/d"\n'),
    ],
)
def test_a_key_given_twice_is_refused_in_every_dialect(dialect, text):
    message = refusal(text, format=dialect)
    assert "is given twice" in message or "Cannot overwrite" in message


def test_a_large_file_is_refused_before_it_is_parsed(tmp_path):
    path = tmp_path / "large.json"
    path.write_text("{" + " " * 10 * MAX_BYTES + "}")
    assert "is larger than 1024 KiB" in refusal(path)
    assert "is larger than 1024 KiB" in refusal("{" + " " * MAX_BYTES + "}")


def test_a_long_json5_text_is_refused_but_long_json_is_read():
    rules = {f"tool_{number}": {"primary": "e/f"} for number in range(8000)}
    text = json.dumps({"toolRouting": rules})
    assert len(load_config(text).agents.defaults.model.tool_routing) == 8000
    assert "only plain JSON may be" in refusal("// long\n" + text, format="json5")


@pytest.mark.parametrize(
    ("dialect", "text"), [("json", "[" * 50_000), ("json", '{"a":' * 50_000), ("yaml", "- " * 20_000), ("toml", "a = " + "[" * 20_000)]
)
def test_deep_nesting_is_refused(dialect, text):
    assert "nested too deeply" in refusal(text, format=dialect)


def test_nesting_that_a_parser_takes_is_refused_with_its_path():
    document = {}
    for _ in range(100):
        document = {"tools": document}
    assert "is nested more than 64 levels deep" in refusal(document)


def test_a_mapping_that_contains_itself_is_refused():
    document = {"model": "a/b"}
    document["agents"] = {"defaults": document}
    assert "agents.defaults: contains itself" in refusal(document)


def test_an_anchor_that_contains_itself_is_refused():
    assert "contains itself" in refusal("tools: &t\n  deny: [*t]\n", format="yaml")
    assert "contains itself" in refusal("tools: &t\n  web: *t\n", format="yaml")


def test_a_document_that_explodes_through_its_anchors_is_refused():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=False)]
    assert "holds more than 200000 values" in refusal("\n".join(lines), format="yaml")


def test_a_document_that_explodes_through_merge_keys_is_refused():
    lines = ["a: &a {" + ", ".join(f"k{number}: 1" for number in range(20)) + "}"]
    lines += [f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 15)}]}}" for before, name in zip("abcdefgh", "bcdefghi", strict=False)]
    assert "merging gives more than" in refusal("\n".join(lines), format="yaml")
    assert "mappings are merged" in refusal("a: &a {x: 1}\nb: {<<: [" + ", ".join(["*a"] * 30) + "]}", format="yaml")


def test_anchors_used_twice_are_no_mistake():
    config = load_config("toolRouting:\n  edit: &heavy {model: a/b}\n  write: *heavy\n")
    assert config.agents.defaults.model.tool_routing["write"].primary == "a/b"


def test_text_that_is_not_utf_8_is_refused():
    assert "is not UTF-8" in refusal(b"model: \xff\xfe")


def test_a_missing_file_a_folder_and_an_unreadable_dialect_are_refused(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "none.yaml")
    assert "there is no such file" in refusal("none.json5")
    assert "is a folder" in refusal(tmp_path)
    assert "the format 'ini' is not known" in refusal("a = 1", format="ini")
    assert "is no configuration" in refusal(7)


@pytest.mark.parametrize(("dialect", "text"), [("json", '{"model": }'), ("json5", "{model: }"), ("yaml", "model: [a"), ("toml", "model = ")])
def test_a_syntax_error_is_named_with_its_line_and_shows_no_text(dialect, text):
    secret = "sk-do-not-show"
    message = refusal(text.replace("model", secret) if dialect != "toml" else f"# {secret}\n{text}", format=dialect)
    assert f"is not {dialect.upper()}" in message
    assert "line" in message or "at end of document" in message
    assert secret not in message


def test_a_date_in_yaml_is_text_and_a_key_that_is_no_text_is_refused():
    assert load_config("model: a/b\nmeta:\n  at: 2026-11-21\n").ignored_sections == ("meta",)
    assert "the key 1 is not text" in refusal("1: a\n", format="yaml")
    assert "the key True is not text" in refusal("tools:\n  on: []\n", format="yaml")


def test_a_value_of_a_foreign_type_is_refused():
    assert "a value of type object cannot stand" in refusal({"model": object()})
