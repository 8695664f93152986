"""`check`, `explain`, `audit`, `health` and `schema`: what they print and how they end."""

from __future__ import annotations

import io
import json
import sys
import types
from pathlib import Path

import pytest
from langchain_core.tools import tool
from langgraph.store.sqlite import SqliteStore

from lg_toolroute.cli import main
from lg_toolroute.core.failures.call_counts import CallCounts
from lg_toolroute.core.failures.classify import classify
from lg_toolroute.health.store import StoreHealth

STORY = """{ agents: { defaults: { model: { primary: "kimi/kimi-for-coding", fallbacks: ["ollama/gpt-oss:20b"],
  toolRouting: { edit: { primary: "deepseek/deepseek-v4-pro" }, wriet: "deepseek/deepseek-v4-pro" } } } },
  tools: { byModel: { "ollama/gpt-oss:20b": { deny: ["group:web", "browser", "group:runtime"] } } }, channels: {} }"""


@pytest.fixture(autouse=True)
def _without_keys_or_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("LG_TOOLROUTE_CONFIG", "KIMI_API_KEY", "DEEPSEEK_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def story(tmp_path: Path) -> str:
    (tmp_path / "story.json5").write_text(STORY)
    return "story.json5"


def test_check_prints_warnings_and_ends_well(story: str, capsys: pytest.CaptureFixture[str]):
    assert main(["check", story]) == 0
    out = capsys.readouterr().out
    assert "story.json5: 2 rules, 3 models" in out
    assert "left alone  channels" in out
    assert "KIMI_API_KEY" in out


def test_check_compares_rules_with_tools_and_names_the_nearest(story: str, capsys: pytest.CaptureFixture[str]):
    assert main(["check", story, "--tools", "read,edit,write"]) == 1
    err = capsys.readouterr().err
    assert err.count("mistake") == 1
    assert "'wriet' matches none of the 3 bound tools; did you mean 'write'?" in err


def test_a_tool_choice_that_a_client_cannot_express_is_a_mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    written = "model: ollama/a\ntoolRouting: {edit: ollama/b}\nmodels: {providers: {ollama: {api: ollama, toolChoice: required}}}"
    monkeypatch.setattr(sys, "stdin", io.StringIO(written))
    assert main(["check", "-"]) == 1
    err = capsys.readouterr().err
    assert "models.providers.ollama.toolChoice: toolChoice 'required' is not possible for ollama/a" in err
    assert "write 'none' or 'auto'" in err


def test_names_that_only_code_gives_a_meaning_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "a.yaml"
    rules = "  edit: {model: ollama/b, form: blokcs, look: fits, handoff: {brief: mine}}\n  write: {model: ollama/b, form: v4a}"
    file.write_text(f"model: ollama/a\ntoolRouting:\n{rules}")
    assert main(["check", str(file)]) == 0
    out = capsys.readouterr().out
    assert "toolRouting.edit.form: 'blokcs' is not built in; did you mean 'blocks'?" in out
    assert "toolRouting.edit.look: 'fits' is not built in; hand it in: ToolRouter(…, looks={'fits': …})" in out
    assert "toolRouting.edit.handoff.brief: 'mine' is not built in; hand it in: ToolRouter(…, briefs={'mine': …})" in out
    assert "toolRouting.write" not in out


def test_a_form_for_a_model_of_no_chain_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "a.yaml"
    file.write_text("model: ollama/a\ntoolRouting:\n  edit: {model: ollama/qwen, form: {ollama/qwem: v4a, ollama/a: blocks}}")
    assert main(["check", str(file)]) == 0
    out = capsys.readouterr().out
    assert "toolRouting.edit.form: 'ollama/qwem' is in no chain, so its form is never used; did you mean 'ollama/qwen'?" in out
    assert "'ollama/a' is in no chain" not in out
    assert main(["explain", "edit", "--config", str(file)]) == 0
    out = capsys.readouterr().out
    assert "ollama/a is shown the tool as 'blocks'" in out
    assert "qwem" not in out


def test_strict_takes_warnings_for_mistakes(story: str, capsys: pytest.CaptureFixture[str]):
    assert main(["check", story, "--strict"]) == 1
    err = capsys.readouterr().err
    assert "2 mistakes" in err
    assert "the provider 'kimi' has no key; set the environment variable KIMI_API_KEY" in err


def test_all_mistakes_of_a_file_are_shown_at_once_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "bad.toml").write_text('[model]\nprimary = "nonsense"\nfalbacks = []\n[health]\nquota_s = -1\n')
    assert main(["check", "bad.toml"]) == 1
    err = capsys.readouterr().err
    assert "bad.toml: 3 mistakes" in err
    assert "Traceback" not in err
    assert "falbacks" in err


def test_a_file_that_is_not_there_is_one_clear_sentence(capsys: pytest.CaptureFixture[str]):
    assert main(["check", "nope.toml"]) == 1
    assert capsys.readouterr().err.splitlines()[1].strip().startswith("there is no such file")


def test_check_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "stdin", io.StringIO(STORY))
    assert main(["check", "-"]) == 0
    assert "2 rules" in capsys.readouterr().out


def test_tools_are_imported_with_their_tags(story: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    @tool
    def write_note(text: str) -> str:
        """Write a note."""
        return text

    write_note.tags = ["mcp"]
    module = types.ModuleType("some_tools")
    module.TOOLS = [write_note]  # type: ignore[attr-defined]
    module.make = lambda: [write_note]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "some_tools", module)
    Path("tagged.json").write_text('{"model": "a/b", "toolRouting": {"tag:mcp": "c/d"}}')
    for given in ("some_tools:TOOLS", "some_tools:make"):
        assert main(["check", "tagged.json", "--tools", given]) == 0
    assert main(["check", "tagged.json", "--tools", "write_note"]) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("no_such_module:TOOLS", "ModuleNotFoundError"),
        ("json:nothing", "AttributeError"),
        ("json:__name__", "not a list of tools"),
    ],
)
def test_tools_that_cannot_be_imported_are_a_clear_error(story: str, given: str, says: str, capsys: pytest.CaptureFixture[str]):
    assert main(["check", story, "--tools", given]) == 1
    assert says in capsys.readouterr().err


def test_explain_shows_the_chain_and_what_it_costs(story: str, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", "edit", "--config", story]) == 0
    out = capsys.readouterr().out
    assert out.startswith("edit → deepseek/deepseek-v4-pro\n")
    assert "saved above about 170 tokens of arguments" in out


def test_a_tool_that_no_model_may_use_is_a_problem(tmp_path: Path):
    (tmp_path / "c.json").write_text('{"model": "a/b", "tools": {"deny": ["exec"]}}')
    assert main(["explain", "exec", "--config", "c.json"]) == 1


@pytest.mark.parametrize("where", ["here", "environment"])
def test_a_configuration_is_found_here_or_by_a_variable(
    story: str, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    if where == "here":
        Path(story).rename("toolroute.json5")
    else:
        monkeypatch.setenv("LG_TOOLROUTE_CONFIG", story)
    assert main(["explain", "edit"]) == 0


def test_without_any_configuration_the_command_says_how_to_name_one(capsys: pytest.CaptureFixture[str]):
    assert main(["explain", "edit"]) == 1
    err = capsys.readouterr().err
    assert "--config FILE" in err
    assert "toolroute.toml" in err


def test_audit_lists_models_and_ends_badly_when_a_small_one_reaches_the_web(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "c.json").write_text('{"model": {"primary": "anthropic/claude-sonnet-4-5", "fallbacks": ["ollama/gpt-oss:20b"]}}')
    assert main(["audit", "--config", "c.json", "--tools", "read,web_fetch"]) == 1
    out = capsys.readouterr().out
    assert "ollama/gpt-oss:20b" in out
    assert "20B" in out
    assert "critical" in out


def test_audit_of_a_careful_configuration_ends_well(story: str, capsys: pytest.CaptureFixture[str]):
    assert main(["audit", "--config", story, "--tools", "read,edit,web_fetch"]) == 0
    assert "all but web_fetch" in capsys.readouterr().out


def test_audit_as_json_is_the_whole_audit(story: str, capsys: pytest.CaptureFixture[str]):
    assert main(["audit", "--config", story, "--tools", "read,edit", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"models", "findings", "tools", "assumed_tools"}
    assert {model["model"] for model in found["models"]} == {"kimi/kimi-for-coding", "deepseek/deepseek-v4-pro", "ollama/gpt-oss:20b"}


def test_schema_is_a_json_schema(capsys: pytest.CaptureFixture[str]):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")


# -- health -------------------------------------------------------------------------------------------------------------------------------


class OutOfCredit(Exception):
    status_code = 402


@pytest.fixture
def shared(tmp_path: Path) -> str:
    path = str(tmp_path / "health.sqlite")
    with SqliteStore.from_conn_string(path) as store:
        store.setup()
        book = StoreHealth(store)
        book.report("kimi/kimi-for-coding", classify(OutOfCredit("Insufficient credits")))
        book.report("ollama/gpt-oss:20b", classify(OutOfCredit("Insufficient credits")))
    return path


def test_health_shows_what_the_workers_recorded(shared: str, capsys: pytest.CaptureFixture[str]):
    assert main(["health", "--store", shared]) == 1
    out = capsys.readouterr().out
    assert "kimi/kimi-for-coding" in out
    assert "quota" in out
    assert "open" in out


def test_health_of_one_model_is_reset_for_all_workers(shared: str, capsys: pytest.CaptureFixture[str]):
    assert main(["health", "--store", shared, "--reset", "kimi:kimi-for-coding", "--json"]) == 1
    assert list(json.loads(capsys.readouterr().out)["models"]) == ["ollama/gpt-oss:20b"]


def test_how_calls_went_is_shown_from_the_store(shared: str, story: str, capsys: pytest.CaptureFixture[str]):
    spec = "deepseek/deepseek-v4-pro"
    with SqliteStore.from_conn_string(shared) as store:
        book = StoreHealth(store)
        book.add_calls(spec, "edit", CallCounts(41, mended=6, failed=1))
        book.inspect()
    line = f"{spec} edit: 41 calls, 6 mended, 1 failed"
    assert main(["explain", "edit", "--config", story, "--store", shared]) == 0
    assert f"  written     {line}\n" in capsys.readouterr().out
    assert main(["explain", "edit", "--config", story]) == 0
    assert "written " not in capsys.readouterr().out
    main(["health", "--store", shared])
    assert line in capsys.readouterr().out
    assert main(["explain", "edit", "--config", story, "--store", "nope.sqlite"]) == 1
    assert "there is no file 'nope.sqlite'" in capsys.readouterr().err


def test_health_is_reset_as_a_whole(shared: str, capsys: pytest.CaptureFixture[str]):
    assert main(["health", "--store", shared, "--reset"]) == 0
    assert "all models are healthy" in capsys.readouterr().out


def test_health_never_makes_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """An empty one, made by a misspelt name, would say that all is well."""
    assert main(["health", "--store", "nope.sqlite"]) == 1
    assert not (tmp_path / "nope.sqlite").exists()
    (tmp_path / "text.sqlite").write_text("no database")
    assert main(["health", "--store", "text.sqlite"]) == 1
    assert "holds no LangGraph store" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["frob"],
        ["check"],
        ["health"],
        ["demo", "--folder", "."],
        ["demo", "--task", "x"],
        ["demo", "--config", "c.json", "--kill-primary"],
        ["demo", "--config", "c.json", "--folder", "nowhere"],
        ["demo", "--pace", "0"],
        ["demo", "--pace", "fast"],
        ["demo", "--pace", "3", "--fast"],
        ["demo", "--max-turns", "0"],
        ["demo", "--config", "c.json", "--tests", "pytest 'x"],
    ],
)
def test_a_wrong_command_line_ends_with_two(argv: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: lg-toolroute" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("lg-toolroute 0.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["demo", "--pace", "fast"], "'fast' is not a number of tokens a second; write 500, or --fast"),
        (["demo", "--max-turns", "many"], "'many' is not a number of turns; write 1 or more"),
        (["demo", "--task", "x"], "usage: lg-toolroute demo"),
        (["demo", "--tests", "pytest 'x"], "\"pytest 'x\" is not a command: No closing quotation"),
        (["explain", " "], "a tool's name is empty; write for instance edit"),
    ],
)
def test_a_wrong_argument_is_refused_in_words(words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_an_audit_into_a_file_keeps_each_remedy_on_one_line(story: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("COLUMNS", "40")
    main(["audit", "--config", story, "--tools", "edit,exec"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.endswith('tools.byModel["deepseek/deepseek-v4-pro"].deny = ["group:web", "browser", "group:runtime"]') for line in lines)
