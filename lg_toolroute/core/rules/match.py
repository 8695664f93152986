"""Tool names against patterns, from tables.

The most specific pattern wins: an exact name, then the longest literal prefix (`mcp__github__*`), then the glob with the most literal
characters, then a group or a tag, then `*`, which matches whatever nothing else matches. Inside one class the earlier pattern wins.
All of that is asked in the case as written first, and only then regardless of case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lg_toolroute.core.rules.glob import Glob, is_glob, parse_glob
from lg_toolroute.core.rules.groups import GROUP, TAG, members

_Globs: TypeAlias = "tuple[tuple[str, Glob, int], ...]"  # the text that a name must hold, the glob, the number of its pattern


def _globs(numbered: Iterable[tuple[Glob, int]]) -> _Globs:
    return tuple((glob.longest, glob, number) for glob, number in numbered)


def _first(globs: _Globs, name: str) -> int | None:
    # Nearly all globs fail the first test; a call for each of a thousand would cost more than the rest of a decision.
    for text, glob, number in globs:
        if text in name and glob.matches(name):
            return number
    return None


@dataclass(frozen=True, slots=True)
class _Tables:
    """Patterns by their class, each with its number; case counts."""

    exact: dict[str, int]
    prefixes: dict[str, int]
    lengths: tuple[int, ...]  # of the prefixes, the longest first
    globs: _Globs  # the most specific first
    grouped: dict[str, int]
    grouped_globs: _Globs  # the earlier first
    tags: dict[str, int]

    @classmethod
    def of(cls, patterns: Sequence[str], groups: Mapping[str, Sequence[str]]) -> _Tables:
        exact: dict[str, int] = {}
        prefixes: dict[str, int] = {}
        globs: list[tuple[Glob, int]] = []
        grouped: dict[str, int] = {}
        grouped_globs: list[tuple[Glob, int]] = []
        tags: dict[str, int] = {}
        for number, pattern in enumerate(patterns):
            # A tool may have any name, `a*b` and `group:x` included: a pattern that is its very name always matches.
            exact.setdefault(pattern, number)
            kind = kind_of(pattern)
            if kind == "prefix":
                prefixes.setdefault(pattern[:-1], number)
            elif kind == "glob":
                globs.append((parse_glob(pattern), number))
            elif kind == "tag":
                tags.setdefault(pattern[len(TAG) :], number)
            elif kind == "group":
                for member in members(pattern, groups):
                    if member.startswith(TAG):
                        tags.setdefault(member[len(TAG) :], number)
                    elif is_glob(member):
                        grouped_globs.append((parse_glob(member), number))
                    else:
                        grouped.setdefault(member, number)
        lengths = tuple(sorted({len(prefix) for prefix in prefixes}, reverse=True))
        globs.sort(key=lambda pair: -pair[0].literals)
        return cls(exact, prefixes, lengths, _globs(globs), grouped, _globs(grouped_globs), tags)

    def find(self, name: str, tags: Sequence[str]) -> int | None:
        found = self.exact.get(name)
        if found is not None:
            return found
        for length in self.lengths:
            if length <= len(name) and (found := self.prefixes.get(name[:length])) is not None:
                return found
        found = _first(self.globs, name)
        if found is not None:
            return found
        candidates = [self.grouped.get(name), _first(self.grouped_globs, name), *(self.tags.get(tag) for tag in tags)]
        return min((number for number in candidates if number is not None), default=None)


def kind_of(pattern: str) -> str:
    """The class of a pattern: `exact`, `prefix`, `glob`, `group`, `tag` or `all`."""
    lowered = pattern.lower()
    if lowered.startswith(GROUP):
        return "group"
    if lowered.startswith(TAG):
        return "tag"
    if not is_glob(pattern):
        return "exact"
    if not pattern.strip("*"):
        return "all"
    return "prefix" if pattern.endswith("*") and not is_glob(pattern[:-1]) else "glob"


@dataclass(frozen=True, slots=True)
class Table:
    """Patterns, ready to be asked which of them wins for a tool.

    Attributes:
        patterns: As written, the earlier first.
    """

    patterns: tuple[str, ...]
    _as_written: _Tables
    _any_case: _Tables
    _all: int | None

    @classmethod
    def of(cls, patterns: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Table:
        """Compiles names, prefixes, globs, groups and tags; `groups` are members by group name, as `all_groups` gives them.

        Raises:
            KeyError: A group is not known.
        """
        # `group:` and `tag:` themselves are read in any case, which the tables need not know.
        plain = [_lower_mark(pattern) for pattern in patterns]
        folded = [pattern.casefold() for pattern in plain]
        folded_groups = {name.casefold(): tuple(member.casefold() for member in group) for name, group in groups.items()}
        as_written = _Tables.of(plain, groups)
        # Patterns are mostly in lower case, and then one set of tables does for both.
        any_case = as_written if (plain, dict(groups)) == (folded, folded_groups) else _Tables.of(folded, folded_groups)
        catch_all = next((number for number, pattern in enumerate(plain) if kind_of(pattern) == "all"), None)
        return cls(tuple(patterns), as_written, any_case, catch_all)

    @property
    def tagged(self) -> bool:
        """Whether any pattern looks at tags."""
        return bool(self._any_case.tags)

    def find(self, name: str, tags: Sequence[str] = ()) -> int | None:
        """The number of the pattern that wins for a tool of that name and these tags, or `None`."""
        found = self._as_written.find(name, tags)
        if found is None:
            found = self._find_in_any_case(name, tags, unless_same=True)
        return self._all if found is None else found

    def holds(self, name: str, tags: Sequence[str] = ()) -> bool:
        """Whether any pattern matches a tool of that name and these tags, in any case."""
        return self._all is not None or self._find_in_any_case(name, tags) is not None

    def _find_in_any_case(self, name: str, tags: Sequence[str], *, unless_same: bool = False) -> int | None:
        folded, folded_tags = name.casefold(), [tag.casefold() for tag in tags]
        if unless_same and self._any_case is self._as_written and folded == name and folded_tags == list(tags):
            return None
        return self._any_case.find(folded, folded_tags)


def _lower_mark(pattern: str) -> str:
    for mark in (GROUP, TAG):
        if pattern[: len(mark)].lower() == mark:
            return mark + pattern[len(mark) :]
    return pattern
