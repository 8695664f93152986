"""`KnownFiles`: what the calls and results of a thread tell of its files; `KnownFile`: what they tell of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lg_toolroute.files.evidence import Result, changed_by, found_lines, names_file
from lg_toolroute.files.names import is_absolute, plain, root_of, same_as
from lg_toolroute.files.outcome import failed, is_stale, is_unchanged, not_found
from lg_toolroute.files.pieces import Piece
from lg_toolroute.files.seen import Seen, Shown
from lg_toolroute.files.showing import shown
from lg_toolroute.files.tools import FileTool

MOST_EVIDENCE = 4
"""Results that are kept as evidence of one file."""
MOST_RESULTS = 64
"""Results of other tools that are remembered, each with at most `MOST_OF_RESULT` characters."""
MOST_OF_RESULT = 20_000
MOST_FILES = 1000
MOST_OF_FILE = 4_000_000
"""Characters that are kept of one file; of a longer one, those around what was shown last."""
MOST_IN_ALL = 16_000_000
"""Characters that are kept of all files; the file that has waited longest is forgotten first."""


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
        name: Its name, as a call wrote it last.
        whole: Every line is known, and nothing says that something else has changed the file since.
        complete: Every line has been shown, though something else may have changed the file since.
        text: The whole text, if `whole`.
        evidence: Later results of a shell or a search that name it, newest last, at most four.
        pieces: The known lines. Those whose place is known stand first, in order.
        changed: Something else has changed the file since parts of it were shown: what `pieces` hold may be older.
        ending: Whether `text` ends in a newline as the file does. Tools that leave that open are taken to have left out a newline.
        place: The line that was shown or changed last; `None` if its place is not known.
        gone: Texts that edits have replaced, and that stand nowhere in the file any more.
    """

    name: str
    whole: bool
    text: str | None
    evidence: tuple[str, ...] = ()
    complete: bool = False
    pieces: tuple[Piece, ...] = ()
    changed: bool = False
    ending: bool = True
    place: int | None = None
    gone: tuple[str, ...] = ()

    @classmethod
    def holding(cls, name: str, text: str) -> KnownFile:
        """A file of which the whole text is given: what an application's own reader has read."""
        return _public(Seen.whole(name, text), ())

    def count(self, old: str) -> int:
        """How often a text occurs in what is known. Behind lines that are not the end of the file stands a newline."""
        if not old:
            return 0
        return sum((each.text if self.complete or each.start is None else f"{each.text}\n").count(old) for each in self.pieces)

    def shown(self, most_chars: int | None = None, around: str | None = None, *, numbered: bool = False) -> str:
        """The known text as a writer sees it, gaps marked as gaps.

        Args:
            most_chars: At most so many characters; what is left out is marked. `None` shows everything.
            around: A text in whose neighbourhood lies what is shown, if not everything is. Unset: what was shown or changed last.
            numbered: Each line stands behind its number and a tab.
        """
        known: dict[str, bool] = {"complete": self.complete, "changed": self.changed, "numbered": numbered}
        return shown(self.pieces, most_chars=most_chars, around=around, place=self.place, **known)


@dataclass(frozen=True, slots=True)
class KnownFiles:
    """What is known of all files of a thread: it is folded over the calls of the thread with `after`, and older values stay valid.

    Its size is bounded, whatever the thread holds: see `MOST_FILES`, `MOST_OF_FILE`, `MOST_IN_ALL`, `MOST_RESULTS`.
    """

    _files: Mapping[str, Seen] = field(default_factory=dict)
    _roots: tuple[str, ...] = ()
    _habits: Mapping[str, Shown] = field(default_factory=dict)
    _results: tuple[Result, ...] = ()
    _steps: int = 0
    _size: int = 0

    @property
    def some(self) -> bool:
        """Whether anything is known of any file."""
        return bool(self._files)

    def of(self, name: str) -> KnownFile | None:
        """What is known of a file; `None` if nothing is."""
        key = same_as(plain(name), self._files, self._roots)
        if key is None:
            return None
        seen = self._files[key]
        habit = self._habits.get(seen.doubt, Shown())
        if seen.doubt and habit.plain and not habit.numbers:
            return None  # the numbers were the text's own
        doubtful = bool(seen.doubt) and not habit.numbers
        later = [each.text for each in reversed(self._results) if each.step > seen.step and names_file(each, key)]
        return _public(replace(seen, changed=seen.changed or doubtful), tuple(reversed(later[:MOST_EVIDENCE])))

    def given(self, name: str, text: str) -> KnownFiles:
        """The same, with a text from outside as the truth about a file."""
        return self._with(plain(name), Seen.whole(name, text))

    def expecting(self, tool: FileTool, arguments: Mapping[str, Any]) -> KnownFiles:
        """What is known if a call succeeds that has no result yet: for the next call of the same message, which runs behind it."""
        return self if tool.kind == "read" else self.after(Step("", arguments, "", tool=tool))

    def after(self, step: Step) -> KnownFiles:
        """What is known when a call has its result. Calls that ran at once are given in their order."""
        known = replace(self, _steps=self._steps + 1)
        tool = step.tool.called(step.arguments) if step.tool else None
        name = tool.names(step.arguments) if tool else None
        if tool is None or name is None:
            return known._beside(step) if step.tool is None else known
        key, known = known._key(name)
        seen = known._files.get(key)
        if tool.kind == "read" and is_unchanged(step.result):
            return known
        if failed(step.result, tool.kind, marked=step.failed):
            return known._with(key, seen.outdated()) if seen is not None and _contradicts(step, tool, seen) else known
        seen = replace(seen or Seen(name), name=name, step=known._steps)
        match tool.kind:
            case "write":
                text = step.arguments.get(tool.text or "")
                return known._with(key, Seen.whole(name, text, known._steps)) if isinstance(text, str) else known
            case "edit":
                return known._with(key, seen.edited(tool, step.arguments, step.result))
            case "read":
                habit = known._habits.get(step.name, Shown())
                read, habit = seen.read(tool, step.arguments, step.result, step.name, habit, key)
                known = replace(known, _habits={**known._habits, step.name: habit})
                return known._with(key, read) if read.pieces else known

    def _key(self, name: str) -> tuple[str, KnownFiles]:
        """Under which name a file is kept. A relative name that is the end of an absolute one tells which folder it is relative to."""
        own = plain(name)
        key = same_as(own, self._files, self._roots)
        if key is None:
            return own, self
        root = root_of(key, own) if is_absolute(key) else root_of(own, key)
        if root is None or root in self._roots:
            return key, self
        return key, replace(self, _roots=(*self._roots, root)[-8:])

    def _beside(self, step: Step) -> KnownFiles:
        """What a tool tells that is none of the file tools: lines that a search has found, files that a command has changed, evidence."""
        known = self
        changes = changed_by(step.name, step.arguments)
        if changes is not None:
            files = {key: seen.outdated() if changes.reach(key) else seen for key, seen in self._files.items()}
            known = replace(known, _files=files)
        for name, lines in found_lines(step.name, step.arguments, step.result).items():
            key = same_as(plain(name), known._files, known._roots)
            if key is not None:
                known = known._with(key, known._files[key].found(lines))
        if not step.result:
            return known
        text = step.result if len(step.result) <= MOST_OF_RESULT else f"{step.result[:MOST_OF_RESULT]}\n[…]"
        asked = " ".join(str(each) for each in step.arguments.values() if isinstance(each, str))[:MOST_OF_RESULT]
        return replace(known, _results=(*known._results, Result(known._steps, asked, text))[-MOST_RESULTS:])

    def _with(self, key: str, seen: Seen) -> KnownFiles:
        files = dict(self._files)
        before = files.pop(key, None)
        kept = files[key] = seen.bounded(MOST_OF_FILE)  # behind all others: the first has waited longest
        size = self._size + kept.size - (before.size if before is not None else 0)
        while len(files) > MOST_FILES or (size > MOST_IN_ALL and len(files) > 1):
            size -= files.pop(next(iter(files))).size
        return replace(self, _files=files, _size=size)


def _contradicts(step: Step, tool: FileTool, seen: Seen) -> bool:
    """Whether a failure says that a file is not what is known of it."""
    return is_stale(step.result) or (tool.kind == "edit" and not_found(step.result) and seen.has_once(tool, step.arguments))


def _public(seen: Seen, evidence: tuple[str, ...]) -> KnownFile:
    whole = seen.complete and not seen.changed
    text = seen.pieces[0].text if whole else None
    return KnownFile(seen.name, whole, text, evidence, seen.complete, seen.pieces, seen.changed, ending=seen.ending, place=seen.place, gone=seen.gone)
