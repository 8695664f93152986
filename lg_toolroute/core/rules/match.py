"""Tool names against patterns, from tables.

The most specific pattern wins: an exact name, then the longest literal prefix (`mcp__github__*`), then the glob with the most literal
characters, then a group or a tag, then `*`, which matches whatever nothing else matches. Inside one class the earlier pattern wins.
All of that is asked in the case as written first, and only then regardless of case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lg_toolroute.core.rules.glob import Glob, is_glob, parse_glob
from lg_toolroute.core.rules.groups import GROUP, TAG, members

_GRAM = 3


@dataclass(frozen=True, slots=True)
class _Globs:
    """Globs by specificity, and for each a short piece of text that a name must hold to match it."""

    ranked: tuple[tuple[Glob, int], ...]  # (glob, its number), the most specific first
    by_gram: dict[str, tuple[int, ...]]  # places in `ranked`
    sizes: tuple[int, ...]
    always: tuple[int, ...]

    @classmethod
    def of(cls, numbered: Sequence[tuple[str, int]]) -> _Globs:
        parsed = sorted(((parse_glob(pattern), number) for pattern, number in numbered), key=lambda pair: (-pair[0].literals, pair[1]))
        grams = [sorted({gram for run in glob.runs for gram in _grams(run, min(_GRAM, len(run)))}) for glob, _ in parsed]
        common = Counter(gram for group in grams for gram in group)
        by_gram: dict[str, list[int]] = {}
        always: list[int] = []
        for place, group in enumerate(grams):
            # The rarest piece: a thousand patterns that begin alike are still told apart.
            rarest = min(group, key=lambda gram: (-len(gram), common[gram], gram), default=None)
            (always if rarest is None else by_gram.setdefault(rarest, [])).append(place)
        sizes = tuple(sorted({len(gram) for gram in by_gram}))
        return cls(tuple(parsed), {gram: tuple(places) for gram, places in by_gram.items()}, sizes, tuple(always))

    def find(self, name: str) -> int | None:
        if not self.ranked:
            return None
        places = list(self.always)
        for size in self.sizes:
            for gram in {name[start : start + size] for start in range(len(name) - size + 1)}:
                places.extend(self.by_gram.get(gram, ()))
        places.sort()
        for place in places:
            glob, number = self.ranked[place]
            if glob.matches(name):
                return number
        return None


def _grams(run: str, size: int) -> Iterable[str]:
    return (run[start : start + size] for start in range(len(run) - size + 1))


@dataclass(frozen=True, slots=True)
class _Cased:
    """The tables of one way of looking at case."""

    exact: dict[str, int]
    prefixes: dict[str, int]
    lengths: tuple[int, ...]  # of the prefixes, the longest first
    globs: _Globs
    grouped: dict[str, int]
    grouped_globs: _Globs
    tags: dict[str, int]

    @classmethod
    def of(cls, patterns: Sequence[str], groups: Mapping[str, Sequence[str]]) -> _Cased:
        exact: dict[str, int] = {}
        prefixes: dict[str, int] = {}
        globs: list[tuple[str, int]] = []
        grouped: dict[str, int] = {}
        grouped_globs: list[tuple[str, int]] = []
        tags: dict[str, int] = {}
        for number, pattern in enumerate(patterns):
            # A tool may be called anything, `a*b` and `group:x` included: its very name always matches.
            exact.setdefault(pattern, number)
            kind = kind_of(pattern)
            if kind == "prefix":
                prefixes.setdefault(pattern[:-1], number)
            elif kind == "glob":
                globs.append((pattern, number))
            elif kind == "tag":
                tags.setdefault(pattern[len(TAG) :], number)
            elif kind == "group":
                for member in members(pattern, groups):
                    if member.startswith(TAG):
                        tags.setdefault(member[len(TAG) :], number)
                    elif is_glob(member):
                        grouped_globs.append((member, number))
                    else:
                        grouped.setdefault(member, number)
        lengths = tuple(sorted({len(prefix) for prefix in prefixes}, reverse=True))
        by_order = _Globs.of(grouped_globs)
        return cls(exact, prefixes, lengths, _Globs.of(globs), grouped, by_order, tags)

    def find(self, name: str, tags: Sequence[str]) -> int | None:
        found = self.exact.get(name)
        if found is not None:
            return found
        size = len(name)
        for length in self.lengths:
            if length <= size:
                found = self.prefixes.get(name[:length])
                if found is not None:
                    return found
        found = self.globs.find(name)
        if found is not None:
            return found
        candidates = [self.grouped.get(name), self.grouped_globs.find(name), *(self.tags.get(tag) for tag in tags)]
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
    _cased: _Cased
    _folded: _Cased
    _all: int | None

    @classmethod
    def of(cls, patterns: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Table:
        """Compiles patterns.

        Args:
            patterns: Names, prefixes, globs, groups and tags, the earlier first.
            groups: Members by group name, as `groups.all_groups` gives them.

        Raises:
            KeyError: A group is not known.
        """
        folded_groups = {name.casefold(): [member.casefold() for member in group] for name, group in groups.items()}
        # `group:` and `tag:` themselves are read in any case, which the tables need not know.
        plain = [_lower_mark(pattern) for pattern in patterns]
        catch_all = next((number for number, pattern in enumerate(plain) if kind_of(pattern) == "all"), None)
        return cls(
            tuple(patterns),
            _Cased.of(plain, groups),
            _Cased.of([pattern.casefold() for pattern in plain], folded_groups),
            catch_all,
        )

    @property
    def tagged(self) -> bool:
        """Whether any pattern looks at tags."""
        return bool(self._folded.tags)

    def find(self, name: str, tags: Sequence[str] = ()) -> int | None:
        """The number of the pattern that wins, or `None`.

        Args:
            name: The tool's name.
            tags: The tool's own tags.
        """
        found = self._cased.find(name, tags)
        if found is None:
            found = self._folded.find(name.casefold(), tuple(tag.casefold() for tag in tags))
        return self._all if found is None else found

    def holds(self, name: str, tags: Sequence[str] = ()) -> bool:
        """Whether any pattern matches, in any case.

        Args:
            name: The tool's name.
            tags: The tool's own tags.
        """
        return self._all is not None or self._folded.find(name.casefold(), tuple(tag.casefold() for tag in tags)) is not None


def _lower_mark(pattern: str) -> str:
    for mark in (GROUP, TAG):
        if pattern[: len(mark)].lower() == mark:
            return mark + pattern[len(mark) :]
    return pattern
