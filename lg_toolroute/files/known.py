"""`KnownFiles`: what the calls and results of a thread tell of its files; `KnownFile`: what they tell of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lg_toolroute.files.names import plain, same_as
from lg_toolroute.files.numbering import reading
from lg_toolroute.files.tools import FileTool, replacements

MOST_EVIDENCE = 4


@dataclass(frozen=True, slots=True)
class Step:
    """A tool call that has its result.

    Attributes:
        name: The tool's name.
        arguments: What it was called with.
        result: The text of its result.
        failed: Whether the result is marked as a failure.
        tool: What its arguments mean, if it is a file tool.
    """

    name: str
    arguments: Mapping[str, Any]
    result: str
    failed: bool = False
    tool: FileTool | None = None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What is known of one file.

    Attributes:
        name: Its name, as a call wrote it.
        whole: Every line is known.
        text: The whole text, if `whole`.
        evidence: Later results of a shell or a search that name it, newest last.
        pieces: The known lines, in order: the number of the first one, `None` where it is not known, and the text.
    """

    name: str
    whole: bool
    text: str | None
    evidence: tuple[str, ...] = ()
    pieces: tuple[tuple[int | None, str], ...] = ()

    def count(self, old: str) -> int:
        """How often a text occurs in what is known."""
        return sum(text.count(old) for _, text in self.pieces) if old else 0

    def shown(self, most_chars: int | None = None, around: str | None = None) -> str:
        """The known text as a writer sees it, gaps marked as gaps.

        Args:
            most_chars: At most so many characters; what is left out is marked. `None` shows everything.
            around: A text in whose neighbourhood lies what is shown, if not everything is.
        """
        parts = [text if start == 1 else f"[from line {start}]\n{text}" for start, text in self.pieces]
        shown = "\n[…]\n".join(parts)
        return shown if most_chars is None else shown[:most_chars]


@dataclass(frozen=True, slots=True)
class KnownFiles:
    """What is known of all files of a thread. It is folded over the thread with `after`; older values stay valid."""

    _files: Mapping[str, KnownFile] = field(default_factory=dict)
    _results: tuple[tuple[str, str], ...] = ()

    def of(self, name: str) -> KnownFile | None:
        """What is known of a file; `None` if nothing is."""
        key = same_as(plain(name), self._files, ())
        return None if key is None else self._files[key]

    def given(self, name: str, text: str) -> KnownFiles:
        """The same, with a text from outside as the truth about a file."""
        return self._with(KnownFile(name, True, text, (), ((1, text),)))

    def after(self, step: Step) -> KnownFiles:
        """What is known when a call has its result."""
        if step.tool is None:
            return replace(self, _files={key: self._named(file, step.result) for key, file in self._files.items()})
        tool = step.tool.called(step.arguments)
        name = tool.names(step.arguments) if tool else None
        if step.failed or tool is None or name is None:
            return self
        if tool.kind == "write":
            text = step.arguments.get(tool.text or "")
            return self.given(name, text) if isinstance(text, str) else self
        known = self.of(name)
        if tool.kind == "read":
            seen = reading(step.result)
            text = "\n".join(seen.lines)
            start = seen.start if seen.numbered else 1
            asked = any(step.arguments.get(each) is not None for each in (tool.count, tool.end) if each)
            if start == 1 and not asked and not seen.cut:
                return self.given(name, text)
            if known is not None and known.whole:
                return self
            pieces = (*(known.pieces if known else ()), (start, text))
            return self._with(KnownFile(name, False, None, known.evidence if known else (), pieces))
        if known is None:
            return self
        pieces = known.pieces
        for each in replacements(tool, step.arguments) or ():
            pieces = tuple((at, piece.replace(each.old, each.new)) for at, piece in pieces)
        return self._with(replace(known, pieces=pieces, text=pieces[0][1] if known.whole else None))

    def _with(self, file: KnownFile) -> KnownFiles:
        key = same_as(plain(file.name), self._files, ()) or plain(file.name)
        return replace(self, _files={**self._files, key: file})

    def _named(self, file: KnownFile, result: str) -> KnownFile:
        last = plain(file.name).rsplit("/", 1)[-1]
        return replace(file, evidence=(*file.evidence, result)[-MOST_EVIDENCE:]) if last in result else file
