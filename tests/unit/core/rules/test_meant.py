"""Which tool a name plainly means, as models write it."""

from __future__ import annotations

import pytest

from lg_toolroute.core.rules.meant import is_whole, meant

TOOLS = ("edit", "edit_file", "read", "Bash", "mcp__git:log")


@pytest.mark.parametrize(
    ("written", "tool"),
    [
        ("edit", "edit"),
        ("Edit", "edit"),
        ("bash", "Bash"),
        (" edit ", "edit"),
        ("functions.edit", "edit"),
        ("functions.edit:0", "edit"),
        ("Functions.Edit:12", "edit"),
        ("functions/edit", "edit"),
        ("tools.edit", "edit"),
        ("tools/edit", "edit"),
        ("tool:edit", "edit"),
        ("default_api.edit", "edit"),
        ("default_api:edit_file", "edit_file"),
        ("functions.functions.edit", "edit"),
        ("edit<|channel|>commentary", "edit"),
        ("functions.edit<|channel|>commentary", "edit"),
        ("functions.mcp__git:log", "mcp__git:log"),
    ],
)
def test_a_name_in_another_case_or_dressed_up_is_the_tool_that_it_plainly_means(written: str, tool: str):
    assert meant(written, TOOLS) == tool


NONE_OF_THEM = ["", ":", "functions", "functions.", "edit.functions", "my.edit", "edit-file", "edits", "edit:x", "<|edit", "str_edit"]


@pytest.mark.parametrize("written", NONE_OF_THEM)
def test_a_name_that_means_no_tool_stays_what_it_is(written: str):
    assert meant(written, TOOLS) == written


def test_a_tool_of_that_very_name_goes_before_one_that_could_be_meant():
    assert meant("Edit", ("edit", "Edit")) == "Edit"
    assert meant("tools.edit", ("edit", "tools.edit")) == "tools.edit"


def test_a_name_that_could_mean_two_tools_means_neither():
    assert meant("EDIT", ("edit", "Edit")) == "EDIT"
    assert meant("functions.edit", ("edit", "tools.edit")) == "functions.edit"


def test_a_tool_whose_own_name_is_dressed_is_found_by_its_plain_one():
    assert meant("edit", ("tools.edit", "read")) == "tools.edit"


@pytest.mark.parametrize("written", ["read", "functions.read", "Read", "edit_file"])
def test_a_name_is_whole_when_no_other_one_can_come_of_it(written: str):
    assert is_whole(written, TOOLS)


@pytest.mark.parametrize("written", ["edit", "functions.edit", "Edit", "func", "tools.", ""])
def test_a_name_of_which_another_one_or_none_yet_can_come_is_not_whole(written: str):
    assert not is_whole(written, TOOLS)


def test_a_tool_that_is_called_like_a_wrapper_is_not_taken_for_it_too_early():
    assert not is_whole("functions", ("functions", "edit"))
    assert meant("functions", ("functions", "edit")) == "functions"
