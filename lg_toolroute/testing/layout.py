"""Where an answer is cut: one laid-out text, a set of positions in it, and the pieces between them.

Pure. The chat model and the server both cut with it, so that a place like "in the middle of the tool's name" means the same to both.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeVar

from lg_toolroute.testing.steps import Place, Say

Kind = Literal["thinking", "text", "name", "args"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one part of an answer.

    Attributes:
        kind: The part it belongs to.
        call: The position of its call; -1 outside calls.
        text: The stretch.
        opens: It is the first of its call.
        whole: The part as a whole.
    """

    kind: Kind
    call: int
    text: str
    opens: bool = False
    whole: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    kind: Kind
    call: int
    text: str
    start: int
    opens: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def _parts(say: Say) -> list[_Part]:
    laid_out: list[tuple[Kind, int, str]] = [("thinking", -1, say.thinking), ("text", -1, say.text)]
    for index, call in enumerate(say.calls):
        laid_out += [("name", index, call.name), ("args", index, call.json)]
    parts: list[_Part] = []
    position = 0
    seen: set[int] = set()
    for kind, index, text in laid_out:
        opens = index >= 0 and index not in seen
        seen.add(index)
        parts.append(_Part(kind, index, text, position, opens))
        position += len(text)
    return parts


def segments(say: Say, *, extra_cut: int | None = None) -> list[list[Piece]]:
    """The answer in chunks, each a list of pieces; none is empty.

    Args:
        say: The answer.
        extra_cut: One more position at which it is cut.
    """
    parts = _parts(say)
    length = parts[-1].end
    cuts = _cuts(say, parts) | ({extra_cut} if extra_cut is not None else set())
    inner = sorted(cut for cut in cuts if 0 < cut < length)
    found = [list(_within(parts, start, stop, last=stop == length)) for start, stop in pairwise([0, *inner, length])]
    return [pieces for pieces in found if pieces]


def _within(parts: Sequence[_Part], start: int, stop: int, *, last: bool) -> Iterator[Piece]:
    for part in parts:
        # An empty part that opens a call (a call without a name) must still appear, once.
        if part.opens and not part.text and (start <= part.start < stop or (last and part.start == stop)):
            yield Piece(part.kind, part.call, "", opens=True, whole=part.text)
        low, high = max(part.start, start), min(part.end, stop)
        if low < high:
            stretch = part.text[low - part.start : high - part.start]
            yield Piece(part.kind, part.call, stretch, opens=part.opens and low == part.start, whole=part.text)


def _cuts(say: Say, parts: Sequence[_Part]) -> set[int]:
    how = say.chunks
    length = parts[-1].end
    if how == "whole":
        return set()
    if isinstance(how, random.Random):
        return {how.randrange(1, length) for _ in range(how.randint(0, length))} if length > 1 else set()
    between = {part.start for part in parts}
    if isinstance(how, int):
        return between | {cut for part in parts if part.kind != "name" for cut in range(part.start, part.end, how)}
    if callable(how):
        return between | {cut for part in parts if part.kind != "name" for cut in _asked(how, part)}
    return between if isinstance(how, str) else set(how)


def _asked(cutter: Callable[[str], Sequence[str]], part: _Part) -> Iterator[int]:
    pieces = list(cutter(part.text)) if part.text else []
    if "".join(pieces) != part.text:
        raise ValueError(f"Say(chunks={cutter!r}) cut {part.text!r} into {pieces!r}, which do not add up to it")
    position = part.start
    for piece in pieces:
        position += len(piece)
        yield position


def cut_for(say: Say, place: Place) -> int | None:
    """The position in the laid-out text at which a named place is; `None` for places that need no cut.

    Args:
        say: The answer.
        place: The place.

    Raises:
        ValueError: The answer has no such part.
    """
    if isinstance(place, int) or place in ("start", "end"):
        return None
    part = next((part for part in _parts(say) if part.kind == place and part.text), None)
    if part is None:
        raise ValueError(f"at={place!r}: the answer {say!r} has no {place}; give it one or choose another place")
    return part.start + max(1, len(part.text) // 2)


AFTER = 1 << 62
"""The position of what comes behind the whole laid-out text."""


Event = TypeVar("Event")


def events_of(
    say: Say,
    place: Place | None,
    opening: Iterable[Event],
    write: Callable[[Sequence[Piece]], Iterable[Event]],
    closing: Callable[[], Iterable[Event]],
) -> tuple[list[Event], int]:
    """What a stream of an answer consists of, in order, and how many of it come before a place.

    Args:
        say: The answer.
        place: The place; `None` is the end.
        opening: What comes before the answer's first piece.
        write: Gives the events of one chunk of the answer.
        closing: Gives what comes behind its last piece; called when all else is written.
    """
    cut = None if place is None else cut_for(say, place)
    made = [(0, event) for event in opening]
    position = 0
    for pieces in segments(say, extra_cut=cut):
        position += sum(len(piece.text) for piece in pieces)
        made += [(position, event) for event in write(pieces)]
    made += [(AFTER, event) for event in closing()]
    return [event for _, event in made], before_place([at for at, _ in made], place, cut)


def before_place(positions: Sequence[int], place: Place | None, cut: int | None) -> int:
    """How many chunks come before a place.

    Args:
        positions: For each chunk, how much of the laid-out text is out when it is; `AFTER` for what closes an answer.
        place: The place; `None` is the end.
        cut: The position of a named place.
    """
    if place is None or place == "end":
        return len(positions)
    if place == "start":
        return 0
    if isinstance(place, int):
        return min(place, len(positions))
    return sum(position <= (cut or 0) for position in positions)


def shortened(say: Say, place: Place) -> Say:
    """The answer up to a place in it; a number of chunks cannot be counted in an answer that is not streamed, so it leaves all of it.

    Args:
        say: The answer.
        place: The place.
    """
    if place == "start":
        return replace(say, text="", calls=(), thinking="")
    cut = cut_for(say, place)
    if cut is None:
        return say
    left = {(part.kind, part.call): part.text[: max(0, cut - part.start)] for part in _parts(say) if part.start < cut}
    begun = [(index, call) for index, call in enumerate(say.calls) if ("name", index) in left]
    calls = [replace(call, name=left["name", index], args=left.get(("args", index), "")) for index, call in begun]
    return replace(say, text=left.get(("text", -1), ""), thinking=left.get(("thinking", -1), ""), calls=calls)
