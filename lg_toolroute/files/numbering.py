"""What the result of a read shows: its lines, their numbers, and whether something was left out.

Tools number lines in their own ways: `     1→a`, `     1<tab>a` (`cat -n`), `1: a`, `1|a`, `00001| a`, `   1  a`. Others show the text alone, with or
without a line above it that says which part it is. Numbers of the text are told from those of the tool where that can be told: `Reading.doubtful`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_NUMBER = re.compile(r"^([ 0]*)L?(\d+)(→|\t| ?│ ?| ?\|| ?:|  )")
_CONTINUED = re.compile(r"^ *(\d+)\.\d+(\t|  )")
# deepagents: `@@ lines 11-20 of 300 | next offset 20 @@`, and every line below it is the file's.
_WINDOW = re.compile(r"^@@ lines (\d+)-(\d+)(?: of (\d+))?([^@]*)@@$", re.MULTILINE)
_REMINDER = re.compile(r"\s*<system-reminder>(?:(?!<system-reminder>).)*</system-reminder>\s*\Z", re.DOTALL)
_HEADING = re.compile(r"^(?:<[^<>]+>|\[.*\]|.*:)?$")
_LEFT_OUT = re.compile(
    r"^\W*(?:…|\.\.\.|$)|truncated|more lines?\b|more characters|lines? (?:remaining|left)|omitted|clipped|not shown|too (?:long|large)|cut off"
    r"|use (?:the )?[`'\"]?(?:offset|start_line)|read on with|total_lines",
    re.IGNORECASE,
)
_END = re.compile(r"^\W*end of file\b|^</\w+>$|^\W*eof\W*$", re.IGNORECASE)
_MARK = re.compile(r"^\s*(?:\[(?:…|\.\.\.)\]|…|\.\.\. ?\[?\d+ (?:lines?|characters).*)\s*$|\[(?:…|\.\.\. ?truncated|truncated)\]\s*$", re.IGNORECASE)
_EMPTY = re.compile(
    r"^\W*(?:<system-reminder>\s*)?(?:system reminder: |warning: )?(?:the )?file exists but (?:has empty contents|the contents are empty)"
    r"|^\(empty(?: file)?\)$",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"^\[[^\n]*(?:cleared|removed|trimmed|omitted|truncated|compacted|pruned|no result)[^\n]*\]$|^tool result too large", re.IGNORECASE
)
_CUT_LINE = re.compile(r"(?:\[truncated\]|…|\.\.\.)$")
_LONG_LINE = 500
SURE = ("→", "│", " │", "│ ", " │ ")
"""Marks behind a number that no text has of itself."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stand one behind the other. `start` is the number of the first, counted from 1; `None` if that is not known."""

    start: int | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the result of a read shows.

    Attributes:
        blocks: The lines that are shown.
        style: What stands between a number and its line; `None` for a result without numbers.
        doubtful: The numbers may belong to the text: only other results of the same tool can tell.
        cut: The tool says that it left something out, or put words of its own behind the lines.
        ends: The tool says that the last line is the file's last one, or that it is not; `None` if it does not say.
        splits: A final newline is shown as one more, empty line. `None`: not known.
        tight: No space stands behind the `:` or `|` of a number; `None` where there is no such mark, or the lines do not tell.
    """

    blocks: tuple[Block, ...]
    style: str | None = None
    doubtful: bool = False
    cut: bool = False
    ends: bool | None = None
    splits: bool | None = None
    tight: bool | None = None


NOTHING = Reading((), cut=True)


def reading(text: str, *, numbers: bool = True, tight: bool | None = None) -> Reading:
    """What a read has shown.

    Args:
        text: The result.
        numbers: There may be numbers of the tool before the lines.
        tight: The tool is known to put no space (or one) behind `:` or `|`. `None`: that is to be told from the lines.

    Returns:
        The lines; none if it shows no text: a note in its place, or binary data.
    """
    if _EMPTY.match(text):
        return Reading((Block(1, ("",)),), ends=True, splits=True)
    if not text or "\0" in text or _GONE.match(text) or text.count("\ufffd") > len(text) // 50 + 1:
        return NOTHING
    body = text
    while "</system-reminder>" in body[-20:].rstrip()[-18:] and (found := _REMINDER.search(body)) is not None:
        body = body[: found.start()]
    window = _WINDOW.search(body[:2000])
    if window is not None:
        return _window(window, body)
    rows = body.split("\n")
    heading = next((place for place, row in enumerate(rows[:4]) if _NUMBER.match(row)), None)
    if numbers and heading is not None and all(map(_HEADING.match, rows[:heading])):
        numbered = _numbered(rows[heading:], tight, headed=heading > 0)
        if numbered is not None:
            return numbered
    return _plain(rows, cut=body != text)


def _window(found: re.Match[str], body: str) -> Reading:
    first, last = int(found[1]), int(found[2])
    rows = body[found.end() + 1 :].split("\n")
    if "mid-line" in found[4]:
        return NOTHING
    rows = rows[: last - first + 1] + [""] * (last - first + 1 - len(rows))
    return Reading((Block(first, tuple(rows)),), ends=None if found[3] is None else int(found[3]) == last, splits=False)


def _plain(rows: list[str], *, cut: bool) -> Reading:
    """A result without numbers."""
    kept = next((place for place, row in enumerate(rows) if _MARK.search(row)), len(rows))
    tail = [row for row in rows[-3:] if row.strip()]
    cut = cut or kept < len(rows) or any(len(row) < 300 and row.lstrip()[:1] in "[(<….-" and _LEFT_OUT.search(row) for row in tail)
    if kept == len(rows) and cut:
        kept = max(len(rows) - 3, 0)
    ended = rows[-1] == "" and not cut
    return Reading((Block(None, tuple(rows[:kept])),) if kept else (), cut=cut, splits=True if ended else None)


def _numbered(rows: list[str], tight: bool | None, *, headed: bool) -> Reading | None:
    """A result with numbers; `None` if it has none after all."""
    first = _NUMBER.match(rows[0])
    if first is None:
        return None
    style = _style(rows, first[3], tight)
    if style is None:
        return NOTHING
    blocks: list[Block] = []
    notes: list[str] = []
    usual = _in_sequence(rows, int(first[2]), style)
    if usual is not None:
        _close(blocks, int(first[2]), usual)
    else:
        _row_by_row(rows, first, style, blocks, notes)
    shown = sum(len(block.lines) for block in blocks)
    spoken = [note for note in notes if note.strip()]
    if len(spoken) > max(3, shown // 20) or (shown == 1 and len(rows) > 1 and spoken):
        return None
    begun = int(first[2])
    if blocks and blocks[0].start == 0:
        blocks = [Block((block.start or 0) + 1, block.lines) for block in blocks]
    certain = headed or style in SURE or bool(first[1]) or (begun > 1 and shown > 1)
    ends = True if any(map(_END.match, spoken)) else None
    cut = any(not _END.match(note) for note in spoken)
    told = None
    if style.rstrip(" ")[-1:] in ("|", ":") and any(line[:1] not in ("", " ") for block in blocks for line in block.lines):
        told = True if style[-1] != " " else False if begun == 1 else None  # a file does not begin with an indented line
    splits = True if style == "→" else None
    return Reading(tuple(blocks), style, doubtful=not certain, cut=cut, ends=ends, splits=splits, tight=told)


def _in_sequence(rows: list[str], begun: int, style: str) -> list[str] | None:
    """The lines, if every row has the next number, as nearly all results have it; `None` if they have to be read row by row."""
    found = _rows_of(style).findall("\n".join(rows))
    if len(found) != len(rows) or [int(number) for number, _ in found] != list(range(begun, begun + len(rows))):
        return None
    return [line for _, line in found]


@lru_cache(maxsize=32)
def _rows_of(style: str) -> re.Pattern[str]:
    return re.compile(rf"^[ 0]*L?(\d+){re.escape(style)}(.*)$", re.MULTILINE)


def _row_by_row(rows: list[str], first: re.Match[str], style: str, blocks: list[Block], notes: list[str]) -> None:
    """Adds to `blocks` what has numbers, and to `notes` what has none."""
    width, zeros = len(first[1]) + len(first[2]), first[1].endswith("0") or (first[2].startswith("0") and len(first[2]) > 1)
    mark = "L" if rows[0].lstrip().startswith("L") else ""
    fill = f"0{width}" if zeros else f">{width}"
    number, begun = int(first[2]), int(first[2])
    lines: list[str] = []
    bare = style.rstrip(" ")
    for row in rows:
        prefix = f"{mark}{number:{fill}}{style}"
        if row.startswith(prefix):
            lines.append(row[len(prefix) :])
        elif row == prefix[: len(prefix) - len(style)] + bare and bare:  # an editor may have stripped the line's end
            lines.append("")
        elif lines and (more := _CONTINUED.match(row)) is not None and int(more[1]) == number - 1:
            lines[-1] += row[more.end() :]
            continue
        elif (jump := _NUMBER.match(row)) is not None and jump[3].startswith(bare or style) and int(jump[2]) > number:
            _close(blocks, begun, lines)
            number = begun = int(jump[2])
            lines = [row[jump.end(2) + len(style) :]]
        else:
            notes.append(row)
            continue
        number += 1
    _close(blocks, begun, lines)


def _close(blocks: list[Block], start: int, lines: list[str]) -> None:
    """Ends a block; a line that the tool has cut is not known, and parts it."""
    begin = 0
    for place, line in enumerate(lines) if max(map(len, lines), default=0) >= _LONG_LINE else ():
        if len(line) >= _LONG_LINE and _CUT_LINE.search(line):
            if place > begin:
                blocks.append(Block(start + begin, tuple(lines[begin:place])))
            begin = place + 1
    if begin < len(lines):
        blocks.append(Block(start + begin, tuple(lines[begin:])))


def _style(rows: list[str], mark: str, tight: bool | None) -> str | None:
    """What stands between number and line: a space behind `:` or `|` may be the tool's or the line's. `None` if that cannot be told."""
    if mark[-1] not in " :|│" or mark == "  ":
        return mark
    mark = mark.rstrip(" ")
    rests = [rest for row in rows[:400] if (rest := row.partition(mark)[2])]
    if not rests or tight or any(not rest.startswith(" ") for rest in rests):
        return mark
    if tight is False:
        return f"{mark} "
    # All lines begin with a space. Text is indented by an even number of them, so with an odd one it is the tool's.
    indent = min(len(rest) - len(rest.lstrip(" ")) for rest in rests)
    return None if len(rests) < 2 else f"{mark} " if indent % 2 else mark
