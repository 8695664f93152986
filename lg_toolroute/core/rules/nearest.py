"""Did you mean: the known word that is most like a given one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or `None`."""
    by_lower: dict[str, str] = {}
    for candidate in known:
        by_lower.setdefault(candidate.lower(), candidate)
    if word.lower() in by_lower:
        return by_lower[word.lower()]
    found = difflib.get_close_matches(word.lower()[:200], list(by_lower), n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The question for a message; `otherwise` if no known word is near."""
    meant = nearest(word, known)
    return f"did you mean {meant!r}?" if meant is not None else otherwise


def is_slip(word: str, meant: str) -> bool:
    """Whether a word is so like another one that it must be a slip of the pen, not a word of its own.

    In short words one letter may be wrong, missing or too many; in words of six letters and more nearly a third of them.
    """
    longest_gap = 1 if len(meant) < 6 else 2
    return abs(len(word) - len(meant)) <= longest_gap and difflib.SequenceMatcher(None, word, meant).ratio() >= 0.7
