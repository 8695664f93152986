"""`Seen`: what one file's own tools have shown of it: how a read, an edit, a found line change what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lg_toolroute.files.applying import apply
from lg_toolroute.files.numbering import Block, Reading, reading
from lg_toolroute.files.pieces import Piece, Pieces, lay, of_lines, piece
from lg_toolroute.files.tools import FileTool, Replacement, replacements

LIMITS = frozenset({50, 100, 150, 200, 250, 300, 400, 500, 750, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 10_000})
"""Lines at which tools stop without a word: a read of just so many may not have reached the end."""
MOST_BLOCKS = 100
"""Runs of lines of one search that are laid over what is known of a file."""
MOST_PIECES = 400
MOST_GONE = 32
MOST_OF_GONE = 2_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What a read tool is seen to do, in one thread.

    Attributes:
        files: Files that it has shown with numbers that might have been the text's own; two are enough.
        sure: It has shown numbers that can only be its own.
        plain: It has shown several lines without numbers.
        newline: It has shown a final newline.
        tight: `Reading.tight`, as soon as one result has told.
    """

    files: tuple[str, ...] = ()
    sure: bool = False
    plain: bool = False
    newline: bool = False
    tight: bool | None = None

    @property
    def numbers(self) -> bool:
        """It puts numbers before the lines."""
        return self.sure or (len(self.files) > 1 and not self.plain)

    def after(self, key: str, found: Reading) -> Shown:
        """What it is seen to do, with one more result."""
        if found.style is None:
            lines = sum(len(each.lines) for each in found.blocks)
            return replace(self, plain=self.plain or (lines > 2 and not found.cut), newline=self.newline or found.splits is True)
        files = self.files if key in self.files or not found.doubtful else (*self.files, key)[-2:]
        tight = True if True in (self.tight, found.tight) else self.tight if self.tight is not None else found.tight
        return replace(self, files=files, sure=self.sure or not found.doubtful, tight=tight)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one file.

    Attributes:
        name: As a call wrote it last.
        pieces: The known lines; those whose place is known stand first, in order.
        total: How many lines the file has, the empty one behind a final newline counted; `None` if that is not known.
        changed: Something else has changed the file since parts of it were shown.
        doubt: The tool whose numbers may be the text's own; empty if there is no doubt.
        ending: The end of the text is as the file's; otherwise a final newline is assumed.
        step: When the file's own tools told of it last.
        place: The line that was shown or changed last.
        gone: Texts that edits have replaced: each stood in the file once, or was replaced everywhere.
    """

    name: str
    pieces: Pieces = ()
    total: int | None = None
    changed: bool = False
    doubt: str = ""
    ending: bool = True
    step: int = 0
    place: int | None = None
    gone: tuple[str, ...] = ()

    @classmethod
    def whole(cls, name: str, text: str, step: int = 0) -> Seen:
        """A file of which everything is known."""
        held = piece(1, text)
        return cls(name, (held,), held.count, step=step, place=1)

    def outdated(self) -> Seen:
        """The same, of a file that something else has changed."""
        return replace(self, changed=True, gone=())

    @property
    def complete(self) -> bool:
        """Whether every line has been shown."""
        return len(self.pieces) == 1 and self.pieces[0].start == 1 and self.pieces[0].count == self.total

    @property
    def size(self) -> int:
        """The characters that are kept."""
        return sum(len(each.text) for each in self.pieces)

    def bounded(self, most: int) -> Seen:
        """The same, with no more characters than that: those around the place that was shown last."""
        if len(self.pieces) > MOST_PIECES:
            large = sorted(self.pieces, key=lambda each: -each.count)[: MOST_PIECES // 2]
            self = replace(self, pieces=tuple(each for each in self.pieces if each in large))
        if self.size <= most:
            return self
        place = self.place or 1
        ordered = sorted(self.pieces, key=lambda each: 0 if each.start and each.start <= place < each.stop else 1)
        first = ordered[0]
        if len(first.text) > most:
            lines = first.text.split("\n")
            middle = min(max(place - (first.start or place), 0), len(lines) - 1)
            share = max(most * len(lines) // len(first.text) // 2, 1)
            begin = max(middle - share, 0)
            kept = lines[begin : middle + share]
            while len(kept) > 1 and sum(map(len, kept)) + len(kept) > most:
                kept = kept[: len(kept) // 2]
            first = of_lines(None if first.start is None else first.start + begin, [line[:most] for line in kept])
        return replace(self, pieces=(first,))

    def read(self, tool: FileTool, arguments: Mapping[str, Any], result: str, name: str, habit: Shown, key: str) -> tuple[Seen, Shown]:
        """What is known behind a read, and what its tool is now seen to do."""
        found = reading(result, numbers=habit.numbers or not habit.plain, tight=habit.tight)
        first, last, count = _asked(tool, arguments)
        if found.style is None and (last is not None or count is not None):
            found = replace(found, splits=None)  # lines of a range may be joined without the last newline
        habit = habit.after(key, found)
        blocks = found.blocks
        if found.style is None and blocks and blocks[0].start is None:
            blocks = (Block(first, blocks[0].lines),)
        reached = not found.cut and bool(blocks) and (_reaches(blocks, found, last, count) if found.ends is None else found.ends)
        if not reached and found.style is None and len(blocks) == 1 and blocks[0].lines[-1:] == ("",):
            blocks = (Block(blocks[0].start, blocks[0].lines[:-1]),) if len(blocks[0].lines) > 1 else ()  # the end of the line before, perhaps
        seen = self
        ending = True
        if reached:
            blocks, ending = _ended(blocks, found, habit, asked=last is not None or count is not None)
        if reached and len(blocks) == 1 and blocks[0].start == 1:
            seen = replace(Seen.whole(self.name, "\n".join(blocks[0].lines), self.step), ending=ending)
        else:
            seen = self._laid(blocks, reached=reached, ending=ending)
        doubt = name if found.doubtful and not habit.numbers else ""
        return replace(seen, doubt=doubt), habit

    def _laid(self, blocks: Sequence[Block], *, reached: bool, ending: bool = True) -> Seen:
        """The same, with lines that were shown."""
        shown = "\n".join("\n".join(block.lines) for block in blocks) if self.gone else ""
        seen = replace(self, gone=tuple(each for each in self.gone if each not in shown))
        for block in blocks:
            if block.start is None:
                text = "\n".join(block.lines)
                if not any(text in each.text for each in seen.pieces):
                    seen = replace(seen, pieces=(*seen.pieces, of_lines(None, block.lines)), place=None)
                continue
            laid = lay(seen.pieces, of_lines(block.start, block.lines))
            total = None if seen.total is None else seen.total + laid.shift
            last = block.start + len(block.lines) - 1
            beyond = total is not None and last > total
            seen = replace(
                seen, pieces=laid.pieces, total=None if beyond else total, changed=seen.changed or laid.against or beyond, place=block.start
            )
            if reached and block is blocks[-1]:
                seen = replace(
                    seen, total=last, ending=ending, changed=seen.changed or (total is not None and total != last),
                    pieces=tuple(each for each in seen.pieces if each.start is None or each.start <= last),
                )  # fmt: skip
        return seen

    def found(self, lines: Sequence[tuple[int, str]]) -> Seen:
        """The same, with lines that a search has found, by their numbers in rising order."""
        blocks: list[tuple[int, list[str]]] = []
        for number, line in lines:
            if blocks and blocks[-1][0] + len(blocks[-1][1]) == number:
                blocks[-1][1].append(line)
            else:
                blocks.append((number, [line]))
        held = [(each, each.text.split("\n")) for each in self.pieces if each.start is not None]
        new = [Block(number, tuple(found)) for number, found in blocks if not any(_holds(each, rows, number, found) for each, rows in held)]
        return replace(self._laid(new[:MOST_BLOCKS], reached=False), place=self.place)

    def edited(self, tool: FileTool, arguments: Mapping[str, Any], result: str) -> Seen:
        """What is known behind an edit that was made."""
        shown = reading(result)
        blocks = shown.blocks if shown.style is not None and sum(len(each.lines) for each in shown.blocks) > 1 else ()
        place = blocks[0].start if blocks else None
        seen = self
        if tool.insert is not None and tool.old is None:
            seen = seen._inserted(arguments.get(tool.insert), arguments.get(tool.new or ""))
        else:
            edits = replacements(tool, arguments)
            if edits is None:
                return self.outdated()
            for each in edits:
                seen = seen._replaced(each, place)
        return seen._laid(blocks, reached=False)

    def _replaced(self, edit: Replacement, place: int | None) -> Seen:
        if not edit.old and not self.size:
            return replace(Seen.whole(self.name, edit.new, self.step))
        at = next((each for each in self.pieces if edit.old and edit.old in each.text), None)
        line = None if at is None or at.start is None else at.start + at.text.count("\n", 0, at.text.find(edit.old))
        done = apply(self.pieces, edit, whole=self.complete, place=place)
        total = None if self.total is None or done.grown is None else self.total + done.grown
        gone = tuple(each for each in self.gone if each not in edit.new) if done.fits else ()
        if edit.old not in edit.new:
            gone = (*gone, edit.old)[-MOST_GONE:] if len(edit.old) <= MOST_OF_GONE else gone
        return replace(self, pieces=done.pieces, total=total, changed=self.changed or not done.fits, place=line, gone=gone)

    def _inserted(self, behind: Any, text: Any) -> Seen:
        if not isinstance(behind, int) or not isinstance(text, str):
            return self.outdated()
        self = replace(self, gone=tuple(each for each in self.gone if each not in text))
        new = piece(behind + 1, text)
        pieces: list[Piece] = []
        for each in self.pieces:
            if each.start is None:
                continue  # the new lines may stand in the middle of it
            if each.stop <= behind + 1:
                pieces.append(each)
            elif each.start > behind:
                pieces.append(replace(each, start=each.start + new.count))
            else:
                lines = each.text.split("\n")
                cut = behind + 1 - each.start
                pieces += [of_lines(each.start, lines[:cut]), of_lines(new.stop, lines[cut:])]
        laid = lay(tuple(pieces), new)
        return replace(self, pieces=laid.pieces, total=None if self.total is None else self.total + new.count, place=behind + 1)

    def has_once(self, tool: FileTool, arguments: Mapping[str, Any]) -> bool:
        """Whether an edit that was not found should have been."""
        edits = replacements(tool, arguments)
        return self.complete and edits is not None and len(edits) == 1 and bool(edits[0].old) and self.pieces[0].text.count(edits[0].old) == 1


def _holds(each: Piece, rows: Sequence[str], number: int, found: Sequence[str]) -> bool:
    at = number - (each.start or 0)
    return at >= 0 and at + len(found) <= len(rows) and list(rows[at : at + len(found)]) == list(found)


def _asked(tool: FileTool, arguments: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    """The range that a read asked for: its first line, `None` if that is not certain; its last line and its number of lines, `None` if not given."""
    start, last, count = (arguments.get(each) if each else None for each in (tool.start, tool.end, tool.count))
    if isinstance(start, (list, tuple)) and len(start) == 2:
        start, last = start
        last = None if last == -1 else last
    first = _number(start)
    last, count = _number(last), _number(count)
    if first is None or first <= 0:
        return 1, last, count
    if "offset" in (tool.start or "").lower() and first != tool.first:
        return None, last, count  # some tools count lines from 0 here
    return first - tool.first + 1, last, count


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _reaches(blocks: Sequence[Block], found: Reading, last: int | None, count: int | None) -> bool:
    """Whether a read has shown the end of the file."""
    lines = blocks[-1].lines
    shown = sum(len(each.lines) for each in blocks)
    if count is not None:
        return shown < count
    if last is not None:
        return blocks[-1].start is not None and blocks[-1].start + len(lines) - 1 < last
    limits = frozenset({2000}) if found.style == "→" else LIMITS
    return shown not in limits and (shown - 1 not in limits or found.style is not None or lines[-1] != "")


def _ended(blocks: Sequence[Block], found: Reading, habit: Shown, *, asked: bool) -> tuple[tuple[Block, ...], bool]:
    """The blocks with the file's end as far as it is known, and whether it is known."""
    last = blocks[-1]
    if found.splits or (last.lines and last.lines[-1] == "" and found.splits is None):
        return tuple(blocks), found.splits is True
    if found.splits is None and habit.newline and not asked:
        return tuple(blocks), True
    return (*blocks[:-1], Block(last.start, (*last.lines, ""))), False
