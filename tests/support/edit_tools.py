"""Edit tools as applications have them, written apart from the forms: what an application makes of a call, as a function on a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ToolFailedError(Exception):
    """What the tool would tell the model."""


def exact(text: str, call: Mapping[str, Any]) -> str:
    old, new = call["old_string"], call["new_string"]
    if not old or old not in text:
        raise ToolFailedError("old_string not found")
    if text.count(old) > 1 and not call.get("replace_all"):
        raise ToolFailedError("old_string is not unique")
    return text.replace(old, new)


def pairs(text: str, call: Mapping[str, Any]) -> str:
    for each in call["edits"]:
        text = exact(text, each)
    return text


def whole(text: str, call: Mapping[str, Any]) -> str:
    return str(call["content"])


def lines(text: str, call: Mapping[str, Any]) -> str:
    """Lines `start_line` to `end_line`, both included; the new text ends in a line feed, or is empty."""
    rows = text.split("\n")
    rows[call["start_line"] - 1 : call["end_line"]] = call["new_text"].split("\n")[:-1]
    return "\n".join(rows)


def apply_patch(text: str, call: Mapping[str, Any]) -> str:
    """The first place from the last hunk on counts, trailing white space is not compared, and a file always ends in a line feed."""
    body = call["patch"].split("\n")
    if (body[0], body[-1]) != ("*** Begin Patch", "*** End Patch") or not body[1].startswith("*** Update File: "):
        raise ToolFailedError("no patch")
    rows, at = text.split("\n")[:-1], 0
    for hunk in "\n".join(["", *body[2:-1]]).split("\n@@\n")[1:]:
        marked = [(row[0], row[1:]) for row in hunk.split("\n")]
        old, new = ([row for mark, row in marked if mark in kinds] for kinds in (" -", " +"))
        bare, wanted = [row.rstrip() for row in rows], [row.rstrip() for row in old]
        places = [place for place in range(at, len(rows)) if bare[place : place + len(old)] == wanted]
        if not places:
            raise ToolFailedError("context not found")
        rows[places[0] : places[0] + len(old)] = new
        at = places[0] + len(new)
    return "\n".join([*rows, ""])
