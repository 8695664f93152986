"""Globs over tool names: `*`, `?`, `[..]`, with the meaning that `fnmatch` gives them, case included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

# Everything but literal text. The possessive `+` keeps an unclosed `[` literal, as `fnmatch` does.
_WILDCARD = re.compile(r"\*|\?|\[!?+\]?+[^\]]*+\]")


@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob. Its regular expression is compiled when a name first gets as far as that.

    Attributes:
        pattern: As written.
        literals: How many of its characters stand for themselves.
        longest: Its longest stretch of characters that stand for themselves; a name without it cannot match.
    """

    pattern: str
    literals: int
    longest: str

    def matches(self, name: str) -> bool:
        """Whether the whole name fits."""
        return self.longest in name and _compiled(self.pattern).match(name) is not None


def is_glob(pattern: str) -> bool:
    """Whether a pattern holds a character that does not stand for itself."""
    return any(mark in pattern for mark in "*?[")


def parse_glob(pattern: str) -> Glob:
    """Takes a pattern apart. A `[` that is never closed stands for itself."""
    texts = _WILDCARD.split(pattern)
    return Glob(pattern, sum(map(len, texts)), max(texts, key=len))
