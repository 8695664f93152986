"""Which pattern wins for a tool."""

import pytest

from lg_toolroute.core.rules.groups import GROUPS, PROFILES, all_groups, members
from lg_toolroute.core.rules.match import Table, kind_of


def winner(patterns, tool, tags=(), groups=None):
    table = Table.of(patterns, all_groups(groups))
    number = table.find(tool, tags)
    return None if number is None else patterns[number]


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("edit", "exact"),
        ("mcp__github__*", "prefix"),
        ("*_search", "glob"),
        ("edit?", "glob"),
        ("mcp__*__x*", "glob"),
        ("[ab]c", "glob"),
        ("group:fs", "group"),
        ("Group:FS", "group"),
        ("tag:mcp", "tag"),
        ("*", "all"),
        ("**", "all"),
    ],
)
def test_every_pattern_has_a_class(pattern, kind):
    assert kind_of(pattern) == kind


def test_the_most_specific_pattern_wins_wherever_it_stands():
    patterns = ["*", "group:fs", "e*t", "ed*", "edit"]
    for left in range(5):
        assert winner(patterns[: 5 - left], "edit") == patterns[4 - left]
    assert winner(list(reversed(patterns)), "edit") == "edit"


def test_the_longest_literal_prefix_wins():
    assert winner(["mcp__*", "mcp__github__*", "mcp__g*"], "mcp__github__get") == "mcp__github__*"


def test_the_glob_with_the_most_literal_characters_wins():
    assert winner(["*_*", "mcp__*__get", "*__get"], "mcp__github__get") == "mcp__*__get"


def test_inside_one_class_the_earlier_pattern_wins():
    assert winner(["?dit", "e?it"], "edit") == "?dit"
    assert winner(["tag:b", "tag:a"], "x", ("a", "b")) == "tag:b"
    assert winner(["tag:a", "group:fs"], "edit", ("a",)) == "tag:a"
    assert winner(["group:fs", "tag:a"], "edit", ("a",)) == "group:fs"


def test_the_case_as_written_goes_before_any_case():
    assert winner(["Edit", "edit"], "edit") == "edit"
    assert winner(["Edit", "edit"], "EDIT") == "Edit"
    assert winner(["EDIT", "ed*"], "edit") == "ed*"
    assert winner(["group:FS"], "Edit") == "group:FS"
    assert winner(["tag:MCP"], "x", ("mcp",)) == "tag:MCP"


def test_the_star_matches_only_what_nothing_else_matches():
    assert winner(["*", "EDIT"], "edit") == "EDIT"
    assert winner(["*", "tag:a"], "x", ("a",)) == "tag:a"
    assert winner(["*"], "anything") == "*"


def test_nothing_wins_where_nothing_matches():
    assert winner(["edit", "mcp__*", "group:fs", "tag:a"], "browser") is None
    assert winner([], "edit") is None


def test_a_tools_very_name_always_matches():
    for name in ("a*b", "a[b]", "group:fs", "tag:x", "a?", "[", "ünïcode 🛠", " ", "x" * 10_000, "(a+)+$", "a.b\\d"):
        assert winner(["*", name], name) == name


def test_regular_expressions_are_only_text():
    assert winner([".*"], "edit") is None
    assert winner(["e.it"], "edit") is None


def test_a_long_name_against_a_hostile_pattern_ends():
    assert winner(["*a" * 40 + "b"], "a" * 10_000) is None
    assert winner(["*a" * 40 + "b"], "a" * 10_000 + "b") is not None


def test_a_pattern_of_a_group_and_a_tag_of_a_group_match():
    groups = {"mine": ("db_*", "tag:sql", "group:memory")}
    assert winner(["group:mine"], "db_query", groups=groups) == "group:mine"
    assert winner(["group:mine"], "x", ("sql",), groups=groups) == "group:mine"
    assert winner(["group:mine"], "memory_get", groups=groups) == "group:mine"


def test_of_two_groups_whose_patterns_match_the_earlier_wins():
    groups = {"wide": ("db_*",), "narrow": ("db_query_*",)}
    assert winner(["group:wide", "group:narrow"], "db_query_1", groups=groups) == "group:wide"
    assert winner(["group:narrow", "group:wide"], "db_query_1", groups=groups) == "group:narrow"


def test_an_own_group_takes_the_place_of_one_that_ships():
    assert winner(["group:fs"], "read_file", groups={"group:fs": ("read_file",)}) == "group:fs"
    assert winner(["group:fs"], "edit", groups={"fs": ("read_file",)}) is None


def test_a_group_that_contains_itself_names_the_way_round():
    with pytest.raises(ValueError, match="group:a > group:b > group:a"):
        members("a", {"a": ("group:b",), "b": ("group:a",)})


def test_groups_have_the_membership_that_bit_people():
    assert set(GROUPS["web"]) == {"web_search", "x_search", "web_fetch"}
    assert "browser" in GROUPS["ui"]
    assert set(GROUPS["fs"]) == {"read", "write", "edit", "apply_patch"}
    assert {"exec", "process", "code_execution"} <= set(GROUPS["runtime"])
    assert set(PROFILES) == {"minimal", "coding", "messaging", "full"}
    assert not {"edit", "exec"} & set(GROUPS["openclaw"])


def test_every_group_and_profile_can_be_expanded():
    groups = all_groups()
    for name in groups:
        assert members(name, groups)
    for entries in PROFILES.values():
        assert Table.of(entries, groups).patterns == entries
