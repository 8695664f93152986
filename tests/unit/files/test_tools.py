"""What the arguments of a file tool mean, by its name and theirs."""

from __future__ import annotations

from typing import Any

import pytest

from lg_toolroute.files.tools import FileTool, Replacement, file_tool, replacements

CLAUDE_EDIT = FileTool("edit", "file_path", "old_string", "new_string", "replace_all")


@pytest.mark.parametrize(
    ("name", "properties", "expected"),
    [
        ("Read", ("file_path", "offset", "limit"), FileTool("read", "file_path", start="offset", count="limit")),
        ("read_file", ("file_path", "offset", "limit"), FileTool("read", "file_path", start="offset", count="limit", first=0)),
        ("read", ("path", "first_line"), FileTool("read", "path", start="first_line")),
        ("mcp__files__read_text_file", ("path", "head", "tail"), FileTool("read", "path", count="head")),
        ("Edit", ("replace_all", "file_path", "old_string", "new_string"), CLAUDE_EDIT),
        ("edit_file", ("file_path", "old_string", "new_string", "replace_all"), CLAUDE_EDIT),
        ("edit", ("path", "oldText", "newText"), FileTool("edit", "path", "oldText", "newText")),
        ("Write", ("file_path", "content"), FileTool("write", "file_path", text="content")),
        ("create_file", ("path", "file_text"), FileTool("write", "path", text="file_text")),
        ("MultiEdit", ("file_path", "edits"), FileTool("edit", "file_path", "old_string", "new_string", "replace_all", "edits")),
        ("edit", ("path", "edits"), FileTool("edit", "path", "oldText", "newText", "replaceAll", "edits")),
    ],
)
def test_a_file_tool_is_told_by_its_name_and_arguments(name: str, properties: tuple[str, ...], expected: FileTool) -> None:
    assert file_tool(name, properties) == expected


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("send_message", ("path", "text")),
        ("Grep", ("pattern", "path")),
        ("read_image", ("path",)),
        ("open_url", ("path",)),
        ("write_page", ("path", "content")),
        ("list_dir", ("path",)),
        ("append_file", ("path", "content")),
        ("edit", ("path", "text")),
        ("translate", ("old", "new")),
        ("read", ()),
    ],
)
def test_another_tool_is_none(name: str, properties: tuple[str, ...]) -> None:
    assert file_tool(name, properties) is None


def test_the_configuration_comes_first() -> None:
    mine = FileTool("write", "page", text="body")
    assert file_tool("Edit", ("file_path", "old_string", "new_string"), {"Edit": mine}) is mine


def test_an_editor_tool_is_what_its_command_says() -> None:
    properties = ("command", "path", "file_text", "old_str", "new_str", "insert_line", "view_range")
    editor = file_tool("str_replace_based_edit_tool", properties)
    assert editor is not None
    kinds = {command: called.kind for command in ("view", "create", "str_replace", "insert") if (called := editor.called({"command": command}))}
    assert kinds == {"view": "read", "create": "write", "str_replace": "edit", "insert": "edit"}
    assert editor.called({"command": "undo_edit"}) is None
    assert editor.called({}) is None


def test_the_long_arguments_are_those_that_hold_text() -> None:
    assert CLAUDE_EDIT.long == ("old_string", "new_string")
    assert FileTool("write", "path", text="content").long == ("content",)
    assert FileTool("edit", "path", "old", "new", edits="edits").long == ("edits",)
    assert FileTool("read", "path", start="offset").long == ()


@pytest.mark.parametrize("spelling", [("old_string", "new_string"), ("oldText", "newText"), ("search", "replace")])
def test_the_items_of_a_list_of_edits_may_be_spelled_in_any_way(spelling: tuple[str, str]) -> None:
    tool = file_tool("edit", ("path", "edits"))
    assert tool is not None
    old, new = spelling
    assert replacements(tool, {"path": "a", "edits": [{old: "x", new: "y"}, {old: "z", new: ""}]}) == (Replacement("x", "y"), Replacement("z", ""))


@pytest.mark.parametrize("arguments", [{"old_string": 3, "new_string": "x"}, {"new_string": "x"}, {}, {"old_string": None, "new_string": ""}])
def test_arguments_that_hold_no_replacement_give_none(arguments: dict[str, Any]) -> None:
    assert replacements(CLAUDE_EDIT, arguments) is None


@pytest.mark.parametrize("edits", ["text", [3], [{"old_string": "x"}, {"new_string": "y"}], None])
def test_a_list_that_holds_something_else_gives_none(edits: Any) -> None:
    tool = file_tool("MultiEdit", ("file_path", "edits"))
    assert tool is not None
    assert replacements(tool, {"edits": edits}) is None


def test_a_file_must_be_named() -> None:
    assert CLAUDE_EDIT.names({"file_path": "a.py"}) == "a.py"
    assert CLAUDE_EDIT.names({"file_path": " "}) is None
    assert CLAUDE_EDIT.names({"file_path": 3}) is None
    assert CLAUDE_EDIT.names({}) is None
