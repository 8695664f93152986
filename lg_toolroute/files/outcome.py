"""Whether a file tool has done what it was asked, by the words of its result: many tools report a failure as plain text."""

from __future__ import annotations

import re

from lg_toolroute.files.tools import Kind

_FAILED = re.compile(
    r"^\W*(?:<?tool_use_error|error\b|errno|failed\b|failure\b|exception\b|traceback\b|string (?:to replace )?not found"
    r"|no (?:replacements?|changes?|match(?:es)?)\b|could ?n[o']t\b|could not\b|can ?not\b|can't\b|unable\b|invalid\b|(?:permission|access) denied"
    r"|(?:file|path)[^\n]{0,200} (?:not found|does ?n[o']t exist|does not exist)"
    r"|old[ _]?(?:string|str|text)\b[^\n]{0,80} (?:not|occurs|appears|is empty|multiple)|(?:found )?\d+ (?:matches|occurrences)"
    r"|multiple (?:matches|occurrences)|denied|rejected|the user (?:does ?n[o']t|rejected|declined|denied)|interrupted|cancell?ed|aborted"
    r"|\[no result|unknown command|no such file|enoent)",
    re.IGNORECASE,
)
_STALE = re.compile(
    r"modified since|changed since|has been (?:unexpectedly )?(?:modified|changed)|was (?:modified|changed) (?:on disk|externally|outside)"
    r"|out of date|stale",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(r"not found|no match|did not match|does not (?:match|contain|exist in|appear)|could not find|no replacement", re.IGNORECASE)
_UNCHANGED = re.compile(r"^\W*(?:<system-reminder>)?\W*file unchanged since", re.IGNORECASE)
_HEAD = 400


def failed(result: str, kind: Kind, *, marked: bool) -> bool:
    """Whether a call has failed.

    Args:
        result: The text of its result.
        kind: What its tool does. The result of a read is mostly a text, which may well begin with `error`: only short ones are taken for a report.
        marked: The result is marked as a failure.
    """
    if marked:
        return True
    if kind == "read" and result.count("\n", 0, 2000) > 2:
        return False
    return bool(_FAILED.match(result[:_HEAD]))


def is_stale(result: str) -> bool:
    """Whether a failure says that something else has changed the file."""
    return bool(_STALE.search(result[:_HEAD]))


def not_found(result: str) -> bool:
    """Whether a failure says that the old text is not in the file."""
    return bool(_NOT_FOUND.search(result[:_HEAD]))


def is_unchanged(result: str) -> bool:
    """Whether a read says, in place of the text, that it is what it was when it was read last."""
    return bool(_UNCHANGED.match(result[:_HEAD]))
