"""Ids of tool calls and names of tools and authors in a form that the reader's API takes, the same in every request of a thread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from itertools import count
from typing import Final

from lg_toolroute.history.api_rules import IdRule

_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class CallIds:
    """Gives each call of a history its id for one request, in order, so that later calls never rename earlier ones."""

    __slots__ = ("_derived", "_legal", "_rule", "_taken")

    def __init__(self, rule: IdRule) -> None:
        self._rule = rule
        self._legal = re.compile(rule.pattern).fullmatch
        self._taken: dict[str, Callable[[], bool]] = {}
        self._derived: Counter[str] = Counter()

    def copy(self) -> CallIds:
        """The same ids, to go on from."""
        other = CallIds(self._rule)
        other._taken, other._derived = self._taken.copy(), self._derived.copy()
        return other

    def assign(self, stored: str, *, own: Callable[[], bool] = bool) -> str:
        """Give the id to send for a call.

        Args:
            stored: The id in the history; may be empty, of any form, and used before.
            own: Says whether the reader wrote this id: it gets it back as it is, of whatever form, and as often as it gave it. Asked only
                if that matters.

        Returns:
            The stored id if it is legal and not yet used, or the reader's own; else one derived from it and from how often that was done before.
        """
        given, taken = stored, self._taken.get(stored)
        fits = bool(stored) and taken is None and self._legal(stored) is not None
        if not fits and not (stored and own() and (taken is None or taken())):
            derived = (self._derive(f"{stored}\n{self._derived[stored]}\n{attempt}") for attempt in count())
            given = next(identity for identity in derived if identity not in self._taken)
            self._derived[stored] += 1
        self._taken[given] = own
        return given

    def _derive(self, seed: str) -> str:
        number = int.from_bytes(sha256(seed.encode("utf-8", "surrogatepass")).digest()[:16], "big")
        letters = []
        for _ in range(self._rule.letters):
            number, place = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[place])
        return self._rule.prefix + "".join(letters)


@lru_cache(maxsize=4096)
def tool_name(name: str) -> str:
    """Give a function name that every provider takes: 1 to 64 letters, digits, `_` and `-`; a legal one is returned as it is."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "unnamed_tool"


@lru_cache(maxsize=4096)
def author_name(name: str) -> str:
    """Give the name of a message's author in OpenAI's pattern; a legal one is returned as it is."""
    return re.sub(r"[\s<|\\/>]+", "_", name)[:64]
