"""The folder in which the demo's agent works, and that no tool leaves it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from blockbuster import BlockingError, blockbuster_ctx
from langchain_core.tools import ToolException

from lg_toolroute.demo.folder import Folder
from lg_toolroute.demo.pages import web_fetch_tool


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.py").write_text("one\n  two  # kept\nthree\n")
    (tmp_path / "secret.txt").write_text("outside")
    return Folder(root)


def test_read_numbers_the_lines(folder: Folder):
    assert folder.read("a.py") == "   1  one\n   2    two  # kept\n   3  three"


def test_read_of_a_folder_lists_it_without_hidden_names(folder: Folder):
    (folder.root / ".git").mkdir()
    (folder.root / "src").mkdir()
    assert folder.read(".") == "a.py\nsrc/"


def test_a_long_file_is_read_in_pieces(folder: Folder):
    (folder.root / "long.txt").write_text("".join(f"{n}\n" for n in range(1, 1001)))
    assert folder.read("long.txt").endswith("… 600 more lines; read on with first_line=401")
    assert folder.read("long.txt", 991).splitlines()[-1] == "1000  1000"


def test_edit_replaces_an_exact_text(folder: Folder):
    folder.edit("a.py", "  two  # kept", "  zwei")
    assert (folder.root / "a.py").read_text() == "one\n  zwei\nthree\n"


@pytest.mark.parametrize("old", ["  two # kept", "two  # Kept", "   2    two"])
def test_edit_of_a_text_that_is_not_there_changes_nothing(folder: Folder, old: str):
    before = (folder.root / "a.py").read_bytes()
    with pytest.raises(ToolException, match=r"old text not found in a\.py"):
        folder.edit("a.py", old, "x")
    assert (folder.root / "a.py").read_bytes() == before


def test_edit_of_a_text_that_occurs_more_than_once_is_refused(folder: Folder):
    with pytest.raises(ToolException, match="occurs 3 times"):
        folder.edit("a.py", "\n", "x")


def test_edit_of_nothing_is_refused(folder: Folder):
    with pytest.raises(ToolException, match="old_text is empty"):
        folder.edit("a.py", "", "x")


def test_carriage_returns_are_hidden_from_the_model_and_kept_in_the_file(folder: Folder):
    (folder.root / "dos.txt").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    assert folder.read("dos.txt") == "   1  one\n   2  two\n   3  three"
    folder.edit("dos.txt", "one\ntwo", "1\n2")
    assert (folder.root / "dos.txt").read_bytes() == b"1\r\n2\r\nthree\r\n"


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "src/../../secret.txt", "..", "link.txt", "linked/secret.txt"])
def test_nothing_outside_is_read_or_written(folder: Folder, path: str):
    (folder.root / "link.txt").symlink_to(folder.root.parent / "secret.txt")
    (folder.root / "linked").symlink_to(folder.root.parent)
    for use in (lambda: folder.read(path), lambda: folder.write(path, "x"), lambda: folder.edit(path, "outside", "x")):
        with pytest.raises(ToolException, match="outside of the project"):
            use()
    assert (folder.root.parent / "secret.txt").read_text() == "outside"


def test_a_text_that_is_not_a_path_is_refused(folder: Folder):
    with pytest.raises(ToolException, match="is not a path"):
        folder.read("a\0b")


def test_an_absolute_path_inside_is_taken(folder: Folder):
    assert folder.read(str(folder.root / "a.py")).startswith("   1  one")


def test_files_of_git_are_not_written(folder: Folder):
    with pytest.raises(ToolException, match="belongs to git"):
        folder.write(".git/hooks/pre-commit", "rm -rf /")


def test_write_makes_folders(folder: Folder):
    assert folder.write("new/deep/b.py", "x = 1\n") == "wrote 1 line to new/deep/b.py"
    assert folder.read("new/deep/b.py") == "   1  x = 1"


def test_binary_large_and_missing_files_are_refused(folder: Folder):
    (folder.root / "bin").write_bytes(b"\xff\xfe\x00")
    (folder.root / "big").write_text("x" * 500_000)
    with pytest.raises(ToolException, match="not a text file"):
        folder.read("bin")
    with pytest.raises(ToolException, match="too much to read"):
        folder.read("big")
    with pytest.raises(ToolException, match="there is no file"):
        folder.read("nope.py")


def test_a_failed_edit_is_explained_by_the_first_line_that_differs(folder: Folder):
    assert folder.mismatch("a.py", "one\n  two # kept\n") == ("  two  # kept", "  two # kept")
    assert folder.mismatch("a.py", "nothing like it") is None
    assert folder.mismatch("../secret.txt", "x") is None


def test_the_process_of_the_tests_has_no_keys_in_its_environment(folder: Folder):
    (folder.root / "test_env.py").write_text(
        "import os, unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(os.environ.get('SOME_API_KEY', ''), '')\n"
    )
    os.environ["SOME_API_KEY"] = "sk-secret"
    try:
        run = folder.run_tests()
    finally:
        del os.environ["SOME_API_KEY"]
    assert run.green
    assert run.summary == "1 run, all passed"


def test_a_red_suite_is_counted_and_an_edit_in_the_same_second_is_noticed(folder: Folder, monkeypatch: pytest.MonkeyPatch):
    """Bytecode of the same second and size would hide the edit."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    (folder.root / "value.py").write_text("VALUE = 1\n")
    (folder.root / "test_value.py").write_text(
        "import unittest\nfrom value import VALUE\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(VALUE, 2)\n"
    )
    run = folder.run_tests()
    assert (run.green, run.summary) == (False, "1 run, 1 failed")
    assert str(folder.root) not in run.output
    at = (folder.root / "value.py").stat().st_mtime_ns
    folder.edit("value.py", "1", "2")
    os.utime(folder.root / "value.py", ns=(at, at))
    assert folder.run_tests().green


def test_another_test_command_is_judged_by_its_exit_code(folder: Folder):
    run = Folder(folder.root, (sys.executable, "-c", "print('all good'); raise SystemExit(0)")).run_tests()
    assert (run.green, run.summary) == (True, "all good")
    with pytest.raises(ToolException, match="cannot be started"):
        Folder(folder.root, ("no-such-program-anywhere",)).run_tests()


def test_a_refused_call_becomes_a_tool_message_with_status_error(folder: Folder):
    tools = {tool.name: tool for tool in folder.tools()}
    call = {"type": "tool_call", "id": "c1", "name": "edit", "args": {"path": "a.py", "old_text": "nope", "new_text": "x"}}
    result = tools["edit"].invoke(call)
    assert (result.status, result.content) == ("error", "old text not found in a.py")


def test_only_pages_of_the_site_are_fetched():
    tool = web_fetch_tool("http://127.0.0.1:1")
    for url in ("http://127.0.0.1:10/x", "file:///etc/passwd", "http://127.0.0.1:1@example.com/"):
        result = tool.invoke({"type": "tool_call", "id": "c1", "name": "web_fetch", "args": {"url": url}})
        assert (result.status, result.content) == ("error", "only pages below http://127.0.0.1:1 can be read")


def test_tools_describe_themselves_and_their_arguments(folder: Folder):
    described = {tool.name: (tool.description, {name: field["description"] for name, field in tool.args.items()}) for tool in folder.tools()}
    assert set(described) == {"read", "edit", "write", "run_tests"}
    assert described["read"] == (
        "Read a file, with line numbers, or list a folder.",
        {"path": "A path inside the project, such as src/app.py", "first_line": "Begin at this line"},
    )


async def test_the_tools_are_made_without_blocking_an_event_loop(tmp_path: Path):
    """`langgraph dev` builds the agent in its event loop and refuses blocking calls there, the reading of links among them."""
    (tmp_path / "link").symlink_to(tmp_path)
    with blockbuster_ctx():
        folder = Folder(tmp_path / "link")
        assert len(folder.tools()) == 4
        with pytest.raises(BlockingError):
            folder.read(".")
