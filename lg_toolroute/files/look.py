"""A look before an edit runs: is the old text in the file as it must be now, once?

It speaks only of what is known. Where parts of a file are not, an old text that is not found is faulted if the known lines at its place contradict
it, if it goes on into lines that were never shown, or if it holds a text that an earlier edit has replaced everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lg_toolroute.files.applying import apply
from lg_toolroute.files.known import KnownFile
from lg_toolroute.files.nearest import Near, nearest, plain_text
from lg_toolroute.files.pieces import Pieces
from lg_toolroute.files.tools import FileTool, Replacement, replacements

MOST_LINES = 40
MOST_CHARS = 3_000
MOST_PLACES = 5
_COPIED_NUMBER = re.compile(r"^[ 0]*\d+(?:→|\t| ?│ ?| ?\| ?| ?: ?|  )")


def look(tool: FileTool, arguments: Mapping[str, Any], known: KnownFile | None) -> str | None:
    """What is wrong with an edit, as far as the file is known.

    Args:
        tool: What the arguments mean.
        arguments: Of the finished call.
        known: What is known of the file that it names.

    Returns:
        One sentence, with the nearest real text where there is one, for the model that is to mend the call; `None` where the edit fits, or where the
        file is not known well enough to tell.
    """
    meant = tool.called(arguments)
    if meant is None or meant.kind != "edit" or meant.insert is not None or known is None:
        return None
    edits = replacements(meant, arguments) or ()
    pieces = known.pieces
    for number, edit in enumerate(edits):
        where = f"`{meant.old}`" if len(edits) == 1 else f"`{meant.edits}[{number}].{meant.old}`"
        if (fault := _fault(edit, where, known, pieces)) is not None:
            return fault
        pieces = apply(pieces, edit, whole=known.whole).pieces
    return None


def _fault(edit: Replacement, where: str, known: KnownFile, pieces: Pieces) -> str | None:
    if edit.old == edit.new:
        return f"{where} and the new text are the same; write what is to change, or leave the call out."
    if not edit.old:
        return f"{where} is empty, and {known.name} is not; copy the text that is to be replaced." if known.whole and known.text else None
    # Some tools make all edits in the text as it was: one that fits there fits too.
    counts = [_places(edit.old, each) for each in (pieces, known.pieces)]
    if all(counts):
        lines = min(counts, key=len)
        return _too_many(lines, where, known) if len(lines) > 1 and not edit.every else None
    if any(counts):
        return None
    near = nearest(edit.old, pieces)
    if known.complete or (near is not None and near.certain):
        return _missing(edit, where, known, near)
    return _replaced(edit, where, known, near) or (_beyond(where, known, near) if near is not None else None)


def _places(old: str, pieces: Pieces) -> list[int | None]:
    """The lines in which a text begins in the known parts; `None` for one whose number is not known."""
    found: list[int | None] = []
    for each in pieces:
        text = each.text
        if old not in text and "\r\n" in text and "\r" not in old:
            text = text.replace("\r\n", "\n")  # a tool that shows the carriage return may take a text without
        at = text.find(old)
        line, counted = each.start, 0
        while at >= 0 and len(found) < 100:
            line = None if line is None else line + text.count("\n", counted, at)
            found.append(line)
            counted, at = at, text.find(old, at + len(old))
    return found


def _too_many(lines: list[int | None], where: str, known: KnownFile) -> str:
    numbers = [str(line) for line in lines if line is not None][:MOST_PLACES]
    places = f" (lines {', '.join(numbers)}{', …' if len(lines) > len(numbers) else ''})" if numbers else ""
    return f"{where} occurs {len(lines)} times in {known.name}{places}; give more of the lines around the one that is meant."


def _missing(edit: Replacement, where: str, known: KnownFile, near: Near | None) -> str:
    """What to say of an old text that is not in the file."""
    opening = f"{where} is not in {known.name} as it is now"
    cause, real = _cause(edit, known)
    if real is not None:
        return f"{opening}: {cause}{_quoted(real)}"
    if near is None:
        return f"{opening}, nor is anything like it; copy the text from the file as it is shown."
    begin, end = near.first, near.last
    numbers = "" if near.piece.start is None else f", lines {near.piece.start + begin}–{near.piece.start + end - 1}"
    return f"{opening}; the nearest text{numbers}, is{_quoted(near.text)}"


def _quoted(text: str) -> str:
    lines = text.split("\n")
    shown = "\n".join(lines[:MOST_LINES])[:MOST_CHARS]
    return f":\n{shown}" + ("" if shown == text else "\n[…]")


def _cause(edit: Replacement, known: KnownFile) -> tuple[str, str | None]:
    """Why an old text does not fit, where that can be told, and the real text that was meant."""
    texts = [each.text for each in known.pieces]
    rows = edit.old.split("\n")
    if all(_COPIED_NUMBER.match(row) for row in rows if row.strip()):
        bare = "\n".join(_COPIED_NUMBER.sub("", row) for row in rows)
        if any(bare in text for text in texts):
            return "it carries the line numbers of the read; the text itself is", bare
    if edit.new and any(edit.new in text for text in texts) and edit.new.strip():
        return "the new text stands there already", edit.new
    stripped = edit.old.rstrip("\n")
    if stripped and any(text.endswith(stripped) for text in texts):
        return "the file ends without the newline behind it; the text is", stripped
    for unescaped in (edit.old.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"'),):
        if unescaped != edit.old and any(unescaped in text for text in texts):
            return "it is escaped once too often; the text is", unescaped
    for text in texts:
        if (real := _same_but(edit.old, text, plain_text)) is not None:
            return "quotes, dashes or spaces are other characters there; the text is", real
        if (real := _same_but(edit.old, text, _squeezed)) is not None:
            return f"white space differs ({_indents(real)}); the text is", real
    return "", None


def _same_but(old: str, text: str, form: Callable[[str], str]) -> str | None:
    """The lines of a text that are an old text once both are brought to a form, line by line; the old text may begin and end inside a line."""
    sought = [form(line) for line in old.strip("\n").split("\n")]
    if not any(sought):
        return None
    lines = text.split("\n")
    for place, line in enumerate(lines[: len(lines) - len(sought) + 1]):
        there = form(line)
        if len(sought) == 1 and sought[0] in there:
            return line
        if not there.endswith(sought[0]):
            continue
        rest = [form(each) for each in lines[place + 1 : place + len(sought)]]
        if rest[:-1] == sought[1:-1] and rest[-1].startswith(sought[-1]):
            return "\n".join(lines[place : place + len(sought)])
    return None


def _squeezed(line: str) -> str:
    return "".join(line.split())


def _indents(text: str) -> str:
    return "the file is indented with tabs" if "\t" in text else "mind the spaces"


def _beyond(where: str, known: KnownFile, near: Near) -> str | None:
    """Whether an old text goes on, from a place that is known, into lines that no result has shown."""
    shown = "\n".join([*(each.text for each in known.pieces), *known.evidence])
    unseen = [line for line in near.beyond if line.strip() not in shown]
    if near.alike < 2 or not unseen:
        return None
    line = unseen[0].strip()[:200]
    return f"{where} holds lines that were never shown of {known.name}, such as {line!r}; keep to what is known{_quoted(near.text)}"


def _replaced(edit: Replacement, where: str, known: KnownFile, near: Near | None) -> str | None:
    """Whether an old text holds what an earlier edit has replaced everywhere: then it cannot be in the parts that are not known either."""
    gone = next((each for each in known.gone if each in edit.old), None)
    if gone is None:
        return None
    if near is not None:
        return _missing(edit, where, known, near)
    return f"{where} is not in {known.name} any more: an earlier edit has replaced {gone[:200]!r}."
