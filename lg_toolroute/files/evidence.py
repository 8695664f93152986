"""What tools tell of a file that are none of its own: a search that shows lines of it, a command that may have changed it, a result that names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lg_toolroute.files.names import ends_with, plain


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a call of another tool: when it came, what was asked, what came."""

    step: int
    asked: str
    text: str


def names_file(result: Result, name: str) -> bool:
    """Whether a result, or what was asked, names a file: its last part, and nothing that contradicts the parts before."""
    last = name.rsplit("/", 1)[-1]
    if last not in result.text and last not in result.asked:
        return False
    pattern = re.compile(rf"(?<![\w.-])[\w./@+~-]*{re.escape(last)}(?![\w-])")
    for text in (result.text, result.asked):
        for found in pattern.findall(text):
            token = plain(found)
            if ends_with(name, token) or ends_with(token, name):
                return True
    return False


def changed_by(arguments: Mapping[str, Any]) -> Callable[[str], bool] | None:
    """Which files a shell command may have changed; `None` if none."""
    return None


def found_lines(tool: str, arguments: Mapping[str, Any], result: str) -> dict[str, list[tuple[int, str]]]:
    """The lines of files that a search has shown, by the file's name."""
    return {}
