"""A small world of files with tools of many habits: what really stands in the files, and what the tools say of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lg_toolroute.files.known import KnownFiles, Step
from lg_toolroute.files.tools import FileTool

READ = FileTool("read", "path", start="start_line", count="limit")
EDIT = FileTool("edit", "path", old="old", new="new", every="all")
MULTI = FileTool("edit", "path", old="old", new="new", every="all", edits="edits")
WRITE = FileTool("write", "path", text="text")
INSERT = FileTool("edit", "path", new="text", insert="line")


def rows(text: str) -> list[str]:
    """The lines of a text as most tools count them: a final newline ends the last one."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _numbered(form: str) -> Callable[[str, int, int | None], str]:
    def show(text: str, start: int, limit: int | None) -> str:
        shown = rows(text)[start - 1 :][:limit]
        return "\n".join(form.format(number=number, line=line) for number, line in enumerate(shown, start))

    return show


def arrow(text: str, start: int, limit: int | None) -> str:
    """`     1→a`; a final newline is shown as one more line."""
    return "\n".join(f"{number:>6}→{line}" for number, line in enumerate(text.split("\n")[start - 1 :][:limit], start))


def plain(text: str, start: int, limit: int | None) -> str:
    """The text alone."""
    if start == 1 and limit is None:
        return text
    return "\n".join(rows(text)[start - 1 :][:limit])


def windowed(text: str, start: int, limit: int | None) -> str:
    """A line that says which part it is, and the lines."""
    lines = rows(text)
    shown = lines[start - 1 :][:limit]
    return "\n".join([f"@@ lines {start}-{start + len(shown) - 1} of {len(lines)} @@", *shown])


STYLES: dict[str, Callable[[str, int, int | None], str]] = {
    "arrow": arrow,
    "plain": plain,
    "windowed": windowed,
    "tab": _numbered("{number:>6}\t{line}"),
    "colon": _numbered("{number}: {line}"),
    "narrow colon": _numbered("{number}:{line}"),
    "bar": _numbered("{number}|{line}"),
    "zeros": _numbered("{number:05}| {line}"),
    "spaces": _numbered("{number:>4}  {line}"),
}


@dataclass
class World:
    """Files, and what a thread of calls would know of them.

    Attributes:
        style: How its read tool shows a file.
        files: What really stands in them.
        known: What the calls have told.
        told: The calls and their results, for the message of a failed test.
    """

    style: str
    files: dict[str, str] = field(default_factory=dict)
    known: KnownFiles = field(default_factory=KnownFiles, repr=False)
    told: list[Any] = field(default_factory=list)

    def step(self, name: str, tool: FileTool | None, result: str, *, failed: bool = False, **arguments: Any) -> None:
        """A call and its result."""
        self.told.append((name, arguments, result))
        self.known = self.known.after(Step(name, arguments, result, failed, tool))

    def read(self, path: str, start: int | None = None, limit: int | None = None) -> None:
        """A read, of the whole or of a range."""
        asked: dict[str, Any] = {"start_line": start, "limit": limit}
        result = STYLES[self.style](self.files[path], start or 1, limit)
        if result:
            self.step("read", READ, result, path=path, **{key: value for key, value in asked.items() if value is not None})

    def edit(self, path: str, old: str, new: str, *, every: bool = False) -> None:
        """An edit, which fails where an edit tool refuses it; occurrences that overlap count as several."""
        count = len(re.findall(f"(?={re.escape(old)})", self.files[path]))
        if not old or count == 0:
            self.step("edit", EDIT, "old text not found", failed=True, path=path, old=old, new=new, all=every)
        elif count > 1 and not every:
            self.step("edit", EDIT, f"Error: {count} matches", path=path, old=old, new=new, all=every)
        else:
            self.files[path] = self.files[path].replace(old, new)
            self.step("edit", EDIT, f"replaced in {path}", path=path, old=old, new=new, all=every)

    def edit_twice(self, path: str, first: tuple[str, str], second: tuple[str, str]) -> None:
        """Two replacements in one call; both or none."""
        text = self.files[path]
        edits = [{"old": old, "new": new} for old, new in (first, second)]
        for old, new in (first, second):
            if not old or len(re.findall(f"(?={re.escape(old)})", text)) != 1:
                self.step("multi", MULTI, "Error: not found", path=path, edits=edits)
                return
            text = text.replace(old, new)
        self.files[path] = text
        self.step("multi", MULTI, "done", path=path, edits=edits)

    def insert(self, path: str, line: int, text: str) -> None:
        """Lines put behind a line."""
        lines = self.files[path].split("\n")
        if line > len(rows(self.files[path])):
            self.step("insert", INSERT, "Error: no such line", path=path, line=line, text=text)
            return
        self.files[path] = "\n".join([*lines[:line], *text.split("\n"), *lines[line:]])
        self.step("insert", INSERT, "inserted", path=path, line=line, text=text)

    def write(self, path: str, text: str) -> None:
        """A whole file."""
        self.files[path] = text
        self.step("write", WRITE, "written", path=path, text=text)

    def search(self, path: str, word: str) -> None:
        """`grep -n`."""
        found = [f"{path}:{number}:{line}" for number, line in enumerate(rows(self.files[path]), 1) if word in line]
        self.step("grep", None, "\n".join(found) or "No matches", pattern=word, path=path)

    def replace_outside(self, path: str, text: str) -> None:
        """Something else changes a file, and a command says so."""
        self.files[path] = text
        self.step("bash", None, "", command=f"sed -i 's/a/b/' {path}")

    def check(self) -> None:
        """Raises `AssertionError` where something is claimed that is not so."""
        for path, real in self.files.items():
            known = self.known.of(path)
            if known is None:
                continue
            if known.whole:
                assert known.text is not None
                assert known.text == real if known.ending else known.text.rstrip("\n") == real.rstrip("\n"), (self.told, known, real)
            if known.changed:
                continue
            lines = real.split("\n")
            last = next((each for each in reversed(known.pieces) if each.start is not None), None)
            for each in known.pieces:
                held = each.text.split("\n")
                assert each.count == len(held)
                if each.start is None:
                    assert (each.text if known.ending else each.text.rstrip("\n")) in real, (self.told, each, real)
                    continue
                there = lines[each.start - 1 : each.start - 1 + each.count]
                if not known.ending and held[-1] == "" and each is last:
                    held, there = ("\n".join(part).rstrip("\n").split("\n") for part in (held, there))
                assert held == there, (self.told, each, real)
