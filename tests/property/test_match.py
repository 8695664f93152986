"""Laws of matching."""

import fnmatch

from hypothesis import given, settings
from hypothesis import strategies as st

from lg_toolroute.core.rules.glob import parse_glob
from lg_toolroute.core.rules.groups import all_groups
from lg_toolroute.core.rules.match import Table, kind_of
from tests.support.sampling import examples

GROUPS = all_groups()
names = st.text("abcABC_-. []", max_size=6)
patterns = st.one_of(
    st.text("abcABC_*?[]!-", min_size=1, max_size=6),
    st.sampled_from(["group:fs", "group:web", "tag:a", "*", "edit", "ed*", "mcp__*", "*_search"]),
)
tools = st.one_of(names, st.sampled_from(["edit", "Edit", "web_search", "mcp__a__b"]), st.text(max_size=8))
ORDER = ("exact", "prefix", "glob", "grouped", "all")


def reference(listed, name, tags):
    """The rule of precedence, written out without tables."""

    def fits(pattern, tool, own, *, fold):
        if fold:
            pattern, tool, own = pattern.casefold(), tool.casefold(), [tag.casefold() for tag in own]
        if pattern == tool:
            return True
        kind = kind_of(pattern)
        if kind == "group":
            return tool in GROUPS[pattern[6:]]
        if kind == "tag":
            return pattern[4:] in own
        return kind != "exact" and fnmatch.fnmatchcase(tool, pattern)

    def rank(number, tool, *, fold):
        pattern = listed[number].casefold() if fold else listed[number]
        kind = kind_of(pattern)
        if pattern == (tool.casefold() if fold else tool):
            return (0, 0, number)
        literals = -parse_glob(pattern).literals
        return {"prefix": (1, literals, number), "glob": (2, literals, number)}.get(kind, (3, 0, number))

    for fold in (False, True):
        found = [n for n, p in enumerate(listed) if (kind_of(p) != "all" or p == name) and fits(p, name, tags, fold=fold)]
        if found:
            return min(found, key=lambda n, fold=fold: rank(n, name, fold=fold))
    return next((n for n, p in enumerate(listed) if kind_of(p) == "all"), None)


@settings(max_examples=examples(400), deadline=None)
@given(st.text("ab*?[]!-", max_size=8), st.text("ab-]!", max_size=8))
def test_globs_mean_what_fnmatch_means(pattern, name):
    assert parse_glob(pattern).matches(name) == fnmatch.fnmatchcase(name, pattern)


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(patterns, max_size=8), tools, st.lists(st.sampled_from(["a", "A", "b"]), max_size=2))
def test_tables_find_what_the_rule_of_precedence_finds(listed, name, tags):
    assert Table.of(listed, GROUPS).find(name, tags) == reference(listed, name, tags)


@settings(max_examples=200, deadline=None)
@given(st.lists(patterns, max_size=8), tools)
def test_a_table_holds_what_it_finds(listed, name):
    table = Table.of(listed, GROUPS)
    assert table.holds(name) == (table.find(name) is not None)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=3), unique=True, max_size=6), st.randoms(), st.text("abc", max_size=3))
def test_the_order_of_disjoint_patterns_changes_nothing(listed, dice, name):
    shuffled = list(listed)
    dice.shuffle(shuffled)
    first, second = Table.of(listed, GROUPS).find(name), Table.of(shuffled, GROUPS).find(name)
    assert (first is None and second is None) or listed[first] == shuffled[second]


@settings(max_examples=150, deadline=None)
@given(st.lists(patterns, max_size=6), st.text(max_size=30))
def test_any_name_is_answered(listed, name):
    Table.of(listed, GROUPS).find(name)
