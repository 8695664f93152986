"""Names for tool calls that every provider takes, the same in every request of a thread."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import count
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_LONGEST: Final = 40

any_id = re.compile(r"[A-Za-z0-9_-]{1,40}").fullmatch
"""The strictest common form: OpenAI's 40 characters of Anthropic's alphabet."""

short_id = re.compile(r"[A-Za-z0-9]{9}").fullmatch
"""Mistral's form."""

tool_name = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
"""A function name that every provider takes."""

_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")


class IdBook:
    """Gives each call of a history its id for one request, in order, so that later calls never rename earlier ones.

    Args:
        short: Ids of exactly 9 letters and digits.
    """

    __slots__ = ("_legal", "_seen", "_short", "_taken")

    def __init__(self, *, short: bool) -> None:
        self._short = short
        self._legal = short_id if short else any_id
        self._taken: set[str] = set()
        self._seen: dict[str, int] = {}

    def assign(self, stored: str, *, keep: bool = False) -> str:
        """Give the id to send for a call.

        Args:
            stored: The id in the history; may be empty, of any form, and used before.
            keep: The reader wrote this id itself and takes it back in its own form, of up to 40 characters.

        Returns:
            The stored id if it is legal and free, else one derived from it and from how often it was seen before.
        """
        nth = self._seen.get(stored, 0)
        self._seen[stored] = nth + 1
        if stored and stored not in self._taken and ((keep and len(stored) <= _LONGEST) or self._legal(stored)):
            self._taken.add(stored)
            return stored
        for attempt in count():
            derived = self._derive(f"{stored}\n{nth}\n{attempt}")
            if derived not in self._taken:
                self._taken.add(derived)
                return derived
        raise AssertionError("count() ended")  # pragma: no cover

    def _derive(self, seed: str) -> str:
        digest = sha256(seed.encode("utf-8", "surrogatepass"))
        if not self._short:
            return f"call_{digest.hexdigest()[:24]}"
        number = int.from_bytes(digest.digest()[:16], "big")
        letters = []
        for _ in range(9):
            number, place = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[place])
        return "".join(letters)


def legal_name(name: str) -> str:
    """Give a function name in the common alphabet, 1 to 64 characters; a legal one is returned as it is."""
    if tool_name(name):
        return name
    return _NOT_IN_NAME.sub("_", name)[:64] or "unnamed_tool"
