"""Did you mean: the known word that is most like a given one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or `None`.

    Args:
        word: What was written.
        known: What could have been meant.
    """
    by_lower: dict[str, str] = {}
    for candidate in known:
        by_lower.setdefault(candidate.lower(), candidate)
    if word.lower() in by_lower:
        return by_lower[word.lower()]
    found = difflib.get_close_matches(word.lower()[:200], list(by_lower), n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The question for a message, or something else to say when there is nothing to ask.

    Args:
        word: What was written.
        known: What could have been meant.
        otherwise: What to say if nothing is near.
    """
    meant = nearest(word, known)
    return f"did you mean {meant!r}?" if meant is not None else otherwise
