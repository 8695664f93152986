"""A file is rebuilt from what the calls of a thread told of it; what is not known is not claimed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lg_toolroute.files import known as known_module
from lg_toolroute.files.evidence import Result, changed_by, names_file
from lg_toolroute.files.known import KnownFile, KnownFiles, Step
from lg_toolroute.files.tools import FileTool
from tests.support.file_world import World
from tests.support.sampling import examples

READ = FileTool("read", "file_path", start="offset", count="limit")
EDIT = FileTool("edit", "file_path", old="old_string", new="new_string", every="replace_all")
WRITE = FileTool("write", "file_path", text="content")
TEXT = "import os\n\ndef f():\n    return 1\n\ndef g():\n    return 2\n"


def numbered(text: str, start: int = 1, count: int | None = None) -> str:
    return "\n".join(f"{number:>6}→{line}" for number, line in enumerate(text.split("\n")[start - 1 :][:count], start))


def read(known: KnownFiles, text: str, name: str = "/repo/src/a.py", **asked: Any) -> KnownFiles:
    shown = numbered(text, asked.get("offset", 1), asked.get("limit"))
    return known.after(Step("Read", {"file_path": name, **asked}, shown, tool=READ))


def edit(known: KnownFiles, old: str, new: str, result: str = "updated", *, failed: bool = False, **more: Any) -> KnownFiles:
    return known.after(Step("Edit", {"file_path": "/repo/src/a.py", "old_string": old, "new_string": new, **more}, result, failed, EDIT))


def shell(known: KnownFiles, command: str, result: str = "") -> KnownFiles:
    return known.after(Step("Bash", {"command": command}, result))


def file(known: KnownFiles, name: str = "/repo/src/a.py") -> KnownFile:
    found = known.of(name)
    assert found is not None
    return found


def test_nothing_is_known_of_a_file_that_was_not_shown() -> None:
    assert KnownFiles().of("/repo/src/a.py") is None


def test_a_read_file_is_known_whole() -> None:
    found = file(read(KnownFiles(), TEXT))
    assert (found.whole, found.text, found.ending) == (True, TEXT, True)
    assert found.shown() == TEXT


def test_ranges_that_meet_make_the_file_whole() -> None:
    known = read(KnownFiles(), TEXT, offset=1, limit=4)
    assert not file(known).whole
    known = read(known, TEXT, offset=4, limit=20)
    assert file(known).text == TEXT


def test_a_gap_is_shown_as_a_gap() -> None:
    known = read(read(KnownFiles(), TEXT, offset=1, limit=2), TEXT, offset=6, limit=1)
    assert file(known).shown() == "import os\n\n[lines 3–5 are not known]\ndef g():\n[what follows is not known]"


def test_edits_are_applied_and_failed_ones_are_not() -> None:
    known = edit(read(KnownFiles(), TEXT), "return 1", "return 10")
    assert file(known).text == TEXT.replace("return 1", "return 10")
    assert file(edit(known, "return 7", "return 20", "String to replace not found in file.", failed=True)).text == file(known).text
    assert file(edit(known, "return 2", "return 20", "<tool_use_error>File has not been read yet.</tool_use_error>")).text == file(known).text


def test_an_edit_moves_what_stands_behind_it() -> None:
    known = edit(read(read(KnownFiles(), TEXT, offset=1, limit=2), TEXT, offset=6, limit=1), "import os\n", "import os\nimport re\n")
    assert [(each.start, each.text) for each in file(known).pieces] == [(1, "import os\nimport re\n"), (7, "def g():")]


def test_all_occurrences_are_replaced_where_that_was_asked() -> None:
    known = edit(read(KnownFiles(), TEXT), "return", "yield", replace_all=True)
    assert file(known).text == TEXT.replace("return", "yield")


def test_a_written_file_is_known_whole() -> None:
    known = read(KnownFiles(), TEXT).after(Step("Write", {"file_path": "/repo/src/a.py", "content": "x = 1"}, "written", tool=WRITE))
    assert (file(known).text, file(known).whole) == ("x = 1", True)


def test_a_text_from_outside_is_the_truth() -> None:
    assert file(read(KnownFiles(), TEXT).given("/repo/src/a.py", "y = 2\n")).text == "y = 2\n"
    assert KnownFile.holding("a.py", "y = 2\n").text == "y = 2\n"


def test_older_values_stay_valid() -> None:
    before = read(KnownFiles(), TEXT)
    edit(before, "return 1", "return 10")
    assert file(before).text == TEXT


def test_a_file_that_was_changed_outside_is_not_known_whole_until_it_is_read_again() -> None:
    known = edit(read(KnownFiles(), TEXT), "return 1", "x", "File has been modified since read, either by the user or by a linter.", failed=True)
    found = file(known)
    assert (found.whole, found.changed, found.complete, found.count("return 1")) == (False, True, True, 1)
    assert found.shown().startswith("[something else may have changed this file")
    assert file(read(known, "new\n")).text == "new\n"


@pytest.mark.parametrize(
    "command",
    [
        "gofmt -w /repo/src/a.py",
        "sed -i 's/a/b/' src/a.py",
        "cd /repo && black src/",
        "git checkout -- src/a.py",
        "git stash",
        "echo x >> src/a.py",
        "cat b.py > /repo/src/a.py",
        "make fmt",
        "npm run lint:fix 2>&1 | tail -3",
        "ruff check --fix .",
        "python - <<'E'\nopen('src/a.py', 'w').write('')\nE",
        "rm -rf /repo/src",
        "npx prettier --write 'src/*.py'",
    ],
)
def test_a_command_that_may_change_a_file_makes_it_uncertain(command: str) -> None:
    assert file(shell(read(KnownFiles(), TEXT), command)).changed


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("apply_patch", {"input": "*** Begin Patch\n*** Update File: src/a.py\n@@\n-x\n+y\n*** End Patch"}),
        ("apply_diff", {"diff": "--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-x\n+y"}),
        ("delete", {"file_path": "/repo/src/a.py"}),
        ("insert_content", {"path": "src/a.py", "line": 3, "content": "x\ny"}),
        ("moveFile", {"source": "/repo/src/a.py", "target": "/repo/src/b.py"}),
    ],
)
def test_a_tool_that_changes_files_in_its_own_way_makes_those_that_it_names_uncertain(tool: str, arguments: dict[str, Any]) -> None:
    known = read(read(KnownFiles(), TEXT), TEXT, name="/repo/other.py").after(Step(tool, arguments, "done"))
    assert file(known).changed
    assert file(known, "/repo/other.py").whole


@pytest.mark.parametrize(
    "command",
    [
        "cat src/a.py",
        "gofmt -l src/a.py",
        "sed -n 1,3p src/a.py",
        "git status",
        "git checkout -b new",
        "git stash list",
        "go test ./... 2>&1",
        "sed -i s/a/b/ b.py",
        "black --check .",
        "grep -n x src/a.py > /dev/null",
        "git restore --staged src/a.py",
        "make test",
        "ls > /tmp/list",
    ],
)
def test_a_command_that_changes_nothing_of_it_leaves_it_whole(command: str) -> None:
    assert file(shell(read(KnownFiles(), TEXT), command, "ok")).whole


def test_an_edit_that_succeeds_where_its_old_text_is_not_shows_that_the_file_has_changed() -> None:
    found = file(edit(read(KnownFiles(), TEXT), "return 7", "return 8"))
    assert (found.whole, found.changed, found.count("return 8")) == (False, True, 1)


def test_a_read_that_contradicts_what_was_known_moves_what_stands_behind() -> None:
    changed = "import os\nimport re\n" + TEXT[10:]
    known = read(read(KnownFiles(), TEXT), changed, offset=1, limit=5)
    found = file(known)
    assert (found.whole, found.changed) == (False, True)
    assert [(each.start, each.text) for each in found.pieces] == [(1, changed)]


def test_a_snippet_in_the_result_of_an_edit_tells_where_it_was_made() -> None:
    known = read(KnownFiles(), TEXT, offset=6, limit=3)
    known = edit(known, "import os", "import os\nimport re", "The file was updated:\n" + numbered(TEXT.replace("os\n", "os\nimport re\n"), 1, 3))
    assert [(each.start, each.text) for each in file(known).pieces] == [(1, "import os\nimport re\n"), (7, "def g():\n    return 2\n")]


def test_an_edit_where_nothing_is_known_leaves_its_own_text_and_no_false_numbers() -> None:
    known = read(read(KnownFiles(), TEXT, offset=3, limit=1), TEXT, offset=6, limit=1)
    found = file(edit(known, "    return 1", "    x = 1\n    return x"))
    assert [(each.start, each.text) for each in found.pieces] == [(None, "def f():"), (None, "def g():"), (None, "    x = 1\n    return x")]


def test_numbers_that_a_search_shows_are_known_lines() -> None:
    known = read(KnownFiles(), TEXT, offset=1, limit=2)
    known = known.after(Step("Grep", {"pattern": "def g", "-A": 1}, "src/a.py:6:def g():\nsrc/a.py-7-    return 2\nb.py:1:def g"))
    assert [(each.start, each.text) for each in file(known).pieces] == [(1, "import os\n"), (6, "def g():\n    return 2")]


def test_a_search_that_finds_other_lines_shows_that_the_file_has_changed() -> None:
    known = shell(read(KnownFiles(), TEXT), "grep -n 'def ' src/a.py", "4:def f():\n7:def g():")
    assert file(known).changed


def test_what_a_compiler_says_of_a_line_is_not_the_line() -> None:
    known = shell(read(KnownFiles(), TEXT), "go vet ./...", "src/a.py:6:undefined: g")
    assert file(known).whole
    assert file(known).evidence == ("src/a.py:6:undefined: g",)


def test_later_results_that_name_the_file_are_evidence_the_newest_last() -> None:
    known = read(shell(KnownFiles(), "cat src/a.py", "before src/a.py"), TEXT)
    for number in range(6):
        known = shell(known, "run", f"{number}: error in src/a.py")
    known = shell(known, "run", "error in lib/src/ba.py and other/a.py")
    assert file(known).evidence == tuple(f"{number}: error in src/a.py" for number in (2, 3, 4, 5))


def test_names_of_one_file_are_one_file() -> None:
    known = read(KnownFiles(), TEXT)
    for name in ("src/a.py", "/repo/./src/a.py", "/repo/lib/../src/a.py"):
        assert file(known, name).text == TEXT
    known = edit(known, "return 1", "return 3", file_path="src/a.py")
    assert "return 3" in (file(known).text or "")


def test_names_that_may_be_two_files_are_two() -> None:
    known = read(KnownFiles(), TEXT)
    assert known.of("a.py") is None
    assert known.of("/other/src/a.py") is None
    known = read(known, "x = 1\n", name="/repo/lib/src/a.py")
    assert known.of("src/a.py") is None


def test_a_name_at_the_top_is_known_once_the_folder_is() -> None:
    known = read(read(KnownFiles(), TEXT), TEXT, name="src/a.py")
    known = read(known, "readme\n", name="/repo/README.md")
    assert file(known, "README.md").text == "readme\n"


def test_a_read_of_as_many_lines_as_a_tool_shows_at_most_may_have_missed_the_end() -> None:
    text = "\n".join("x" for _ in range(100)) + "\n"
    known = World("tab", {"a": text})
    known.read("a")
    found = known.known.of("a")
    assert found is not None
    assert (found.whole, found.pieces[0].count) == (False, 100)


def test_a_final_newline_that_a_tool_does_not_show_is_assumed() -> None:
    for text in ("a\nb", "a\nb\n"):
        world = World("tab", {"a": text})
        world.read("a")
        found = world.known.of("a")
        assert found is not None
        assert (found.text, found.ending) == ("a\nb\n", False)


def test_numbers_of_the_text_are_not_taken_off_when_the_tool_has_shown_text_without() -> None:
    world = World("plain", {"list": "1: one\n2: two", "a.py": TEXT})
    world.read("list")
    assert not (found := world.known.of("list")) or not found.whole
    world.read("a.py")
    assert world.known.of("list") is None
    world.read("list")
    found = world.known.of("list")
    assert found is not None
    assert found.count("1: one\n2: two") == 1


def test_numbers_without_padding_are_the_tool_s_when_it_shows_two_files_so() -> None:
    world = World("colon", {"a.py": TEXT, "b.py": TEXT})
    world.read("a.py")
    assert not (found := world.known.of("a.py")) or not found.whole
    world.read("b.py")
    found = world.known.of("a.py")
    assert found is not None
    assert found.text == TEXT


def test_a_carriage_return_that_is_shown_is_kept_and_an_edit_without_it_fits() -> None:
    world = World("plain", {"a": "x\r\ny\r\nz\r\n"})
    world.read("a")
    known = world.known.after(Step("edit", {"path": "a", "old": "x\ny", "new": "x\nw"}, "done", tool=FileTool("edit", "path", "old", "new")))
    found = known.of("a")
    assert found is not None
    assert found.text == "x\r\nw\r\nz\r\n"


def test_binary_data_is_not_known() -> None:
    assert KnownFiles().after(Step("Read", {"file_path": "a.png"}, "\x89PNG\0\0", tool=READ)).of("a.png") is None


def test_a_result_that_was_cleared_is_not_known() -> None:
    assert KnownFiles().after(Step("Read", {"file_path": "a.py"}, "[Old tool result content cleared]", tool=READ)).of("a.py") is None


def test_a_call_that_is_expected_to_succeed_is_known_without_a_result() -> None:
    known = read(KnownFiles(), TEXT)
    expected = known.expecting(EDIT, {"file_path": "/repo/src/a.py", "old_string": "return 1", "new_string": "return 3"})
    assert "return 3" in (file(expected).text or "")
    assert known.expecting(READ, {"file_path": "/repo/src/a.py"}) is known


def test_an_editor_inserts_lines() -> None:
    editor = FileTool("edit", "path", "old_str", "new_str", text="file_text", start="view_range", insert="insert_line", command="command")
    known = KnownFiles().after(Step("editor", {"command": "create", "path": "a", "file_text": "x\nz\n"}, "File created", tool=editor))
    known = known.after(Step("editor", {"command": "insert", "path": "a", "insert_line": 1, "new_str": "y"}, "Text inserted", tool=editor))
    assert file(known, "a").text == "x\ny\nz\n"
    arguments = {"command": "str_replace", "path": "a", "old_str": "y", "new_str": "w"}
    known = known.after(Step("editor", arguments, "String not found in file: y", tool=editor))
    assert file(known, "a").changed


def test_memory_is_bounded_and_the_newest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_module, "MOST_OF_FILE", 10_000)
    monkeypatch.setattr(known_module, "MOST_IN_ALL", 30_000)
    known = KnownFiles()
    text = "\n".join(f"line {number}" for number in range(5_000)) + "\n"
    for number in range(8):
        known = known.given(f"/repo/f{number}.py", text[:9_000])
    assert [number for number in range(8) if known.of(f"/repo/f{number}.py")] == [5, 6, 7]
    found = file(read(KnownFiles(), text, offset=2_000, limit=1_500))
    assert sum(len(each.text) for each in found.pieces) <= 10_000
    assert found.count("line 2000") == 1


LINES = examples(600_000)
"""A third of them in `make test`; `--whole` or `LG_TOOLROUTE_TIMES` takes more, and more memory."""


def test_a_long_file_and_a_thousand_others_stay_within_bounds() -> None:
    text = "\n".join(f"value {number}" for number in range(LINES)) + "\n"
    known = read(KnownFiles(), text, "/big", offset=1, limit=LINES)
    known = edit(known, "value 77777", "value 0", file_path="/big")
    for number in range(1_200):
        known = known.given(f"/repo/{number}.py", "x = 1\n" * 100)
    assert known.of("/repo/1199.py") is not None
    assert known.of("/repo/100.py") is None
    assert known.of("/big") is None


def test_a_file_that_is_too_long_is_kept_around_what_was_shown_last() -> None:
    text = "\n".join(f"value {number}".ljust(24) for number in range(LINES))
    found = file(KnownFiles().given("/big", text), "/big")
    assert not found.whole
    assert sum(len(each.text) for each in found.pieces) <= known_module.MOST_OF_FILE
    assert found.count("value 7" + " " * 17 + "\n") == 1
    assert found.shown(2_000).endswith("[what follows is left out]")


@pytest.mark.parametrize("code", ["open(", "open('", "write_text(f"])
def test_long_code_is_read_in_time_that_grows_with_it(code: str) -> None:
    def spent(times: int) -> float:
        begun = time.process_time()
        changed_by("bash", {"command": code * times})
        changed_by("apply_patch", {"patch": "+++ a" + " " * times * 5 + "b"})
        assert not names_file(Result(1, "", "ab/+" * times + " x/a.pyz"), "a.py")
        return time.process_time() - begun

    few, many = (min(spent(times) for _ in range(3)) for times in (1_000, 8_000))
    assert many < 30 * few, "8 times the text takes 8 times as long, and 64 times where the time grows with its square"
    assert names_file(Result(1, "", "ab/+" * 8_000 + " x/a.py"), "x/a.py")
