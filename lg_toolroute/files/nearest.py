"""Where in the known lines of a file a text was probably meant: the help for a model whose old text does not fit. Linear in the file."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lg_toolroute.files.pieces import Piece, Pieces

MOST_OLD_LINES = 400
MOST_PLACES = 32
"""A line that occurs more often than this says nothing of the place."""
MOST_FUZZY_LINES = 50_000
_LIKE = 0.5
_WORD = re.compile(r"\w{2,}")
_TYPOGRAPHY = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
    "\u2032": "'", "\u2033": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
    "\u00a0": " ", "\u202f": " ", "\u2007": " ",
    "\u200b": None, "\u200c": None, "\u200d": None, "\ufeff": None, "\u2060": None,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Near:
    """A place in a known part that is like a text.

    Attributes:
        piece: The known part.
        first: Its first line of the place, counted from 0.
        last: The line behind the place.
        alike: So many lines of the text that say something stand there.
        telling: So many lines of the text say something.
        differs: A line of the text that would stand inside the known part does not stand there.
        beyond: Lines of the text that say something, and would stand outside the known part.
    """

    piece: Piece
    first: int
    last: int
    alike: int = 0
    telling: int = 0
    differs: bool = True
    beyond: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What stands there."""
        return "\n".join(self.piece.text.split("\n")[self.first : self.last])

    @property
    def certain(self) -> bool:
        """The text was meant for this place, and is not what stands there, whatever stands where nothing is known."""
        return self.piece.start is not None and self.differs and self.alike >= 2 and self.alike * 2 >= self.telling


def plain_text(text: str) -> str:
    """A text with plain quotes, dashes and spaces, and compatibility characters written out: what a model writes for what it has read, and back."""
    return unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY))


def nearest(old: str, pieces: Pieces) -> Near | None:
    """The place that is most like a text: first by lines that stand in both, then by words; `None` if nothing is like it."""
    lines = old.strip("\n").split("\n")[:MOST_OLD_LINES]
    return _by_lines(lines, pieces) or _by_words(lines, pieces)


def _key(line: str) -> str:
    return " ".join(line.split())


def _telling(key: str) -> bool:
    return sum(map(str.isalnum, key)) > 2


def _by_lines(old: Sequence[str], pieces: Pieces) -> Near | None:
    keys = [_key(line) for line in old]
    wanted = {key for key in keys if _telling(key)}
    if not wanted:
        return None
    best: tuple[float, int, int] | None = None
    for number, part in enumerate(pieces):
        places: dict[str, list[int]] = defaultdict(list)
        for place, line in enumerate(part.text.split("\n")):
            if line and (key := _key(line)) in wanted and len(places[key]) <= MOST_PLACES:
                places[key].append(place)
        votes: Counter[int] = Counter()
        for at, key in enumerate(keys):
            found = places.get(key, ())
            if 0 < len(found) <= MOST_PLACES:
                for place in found:
                    votes[place - at] += 1000 // len(found)  # rare lines say more
        for offset, vote in votes.items():
            near = vote + sum(votes.get(offset + drift, 0) for drift in (-3, -2, -1, 1, 2, 3)) / 2
            if best is None or near > best[0]:
                best = (near, number, offset)
    if best is None:
        return None
    return _at(old, keys, pieces[best[1]], best[2], len(wanted))


def _at(old: Sequence[str], keys: Sequence[str], part: Piece, offset: int, telling: int) -> Near:
    """The place where the text would begin at a line of a part, `offset`, which may lie before it."""
    lines = part.text.split("\n")
    begin, end = max(offset, 0), min(offset + len(old), len(lines))
    there = {_key(line) for line in lines[max(begin - 3, 0) : end + 3]}
    alike = len({key for key in keys if _telling(key)} & there)
    differs = False
    for place in range(begin, end):
        mine, real = old[place - offset], lines[place]
        fits = mine == real or (place == offset and real.endswith(mine)) or (place == offset + len(old) - 1 and real.startswith(mine))
        differs = differs or not fits
    beyond = tuple(line for at, line in enumerate(old) if not begin <= at + offset < end and _telling(keys[at]))
    return Near(part, begin, max(end, begin + 1), alike, telling, differs, beyond)


def _by_words(old: Sequence[str], pieces: Pieces) -> Near | None:
    words = set(_WORD.findall(" ".join(old)))
    if not words:
        return None
    found: list[tuple[int, int, int]] = []
    for number, part in enumerate(pieces):
        shared = [len(words.intersection(_WORD.findall(line))) for line in part.text.split("\n", MOST_FUZZY_LINES)[:MOST_FUZZY_LINES]]
        total = sum(shared[: len(old)])
        sums = [(total, number, 0)]
        for place in range(1, len(shared) - len(old) + 1):
            total += shared[place + len(old) - 1] - shared[place - 1]
            sums.append((total, number, place))
        found += sorted(sums, key=lambda each: -each[0])[:4]
    mine = Counter(_WORD.findall(" ".join(old)))
    best: tuple[float, Near] | None = None
    for score, number, place in sorted(found, key=lambda each: -each[0])[:6]:
        near = Near(pieces[number], place, min(place + len(old), pieces[number].count))
        there = Counter(_WORD.findall(near.text)) if score else Counter[str]()
        ratio = 2 * (mine & there).total() / (mine.total() + there.total())
        if ratio >= _LIKE and (best is None or ratio > best[0]):
            best = (ratio, near)
    return best[1] if best else None
