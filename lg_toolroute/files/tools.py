"""What the arguments of a file tool mean: which one names the file, which hold the old text, the new text, the whole text or a range of lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["read", "edit", "write"]


@dataclass(frozen=True, slots=True)
class FileTool:
    """A file tool, by the names of its arguments.

    Attributes:
        kind: What a call does to the file.
        file: The argument that names the file.
        old: The text that is replaced.
        new: The text in its place, or the text that is inserted.
        every: Whether all occurrences are replaced. Without it, an old text that occurs twice is refused.
        edits: A list of replacements, each with `old` and `new` under the names given by `old` and `new`.
        text: The whole text that is written.
        start: The first line that is read, or `[first, last]`.
        count: How many lines are read.
        end: The last line that is read.
        first: The number that `start` has for the first line: 1, or 0 in some tools.
        insert: The line behind which `new` is inserted, where there is no old text; 0 is the beginning of the file.
        command: The argument of an editor tool that says what it does: `view`, `create`, `str_replace`, `insert`. See `called`.
    """

    kind: Kind
    file: str
    old: str | None = None
    new: str | None = None
    every: str | None = None
    edits: str | None = None
    text: str | None = None
    start: str | None = None
    count: str | None = None
    end: str | None = None
    first: int = 1
    insert: str | None = None
    command: str | None = None

    @property
    def long(self) -> tuple[str, ...]:
        """The arguments that hold text of any length."""
        held = (self.edits, self.text) if self.edits else (self.old, self.new, self.text)
        return tuple(name for name in held if name is not None)

    def called(self, arguments: Mapping[str, Any]) -> FileTool | None:
        """What this tool is in one call: itself, or, for an editor tool, what its command makes of it; `None` for a command that is not known."""
        if self.command is None:
            return self
        match _COMMANDS.get(str(arguments.get(self.command, "")).lower()):
            case "read":
                return replace(self, kind="read", command=None)
            case "write":
                return replace(self, kind="write", command=None)
            case "edit":
                return replace(self, kind="edit", command=None, insert=None)
            case "insert":
                return replace(self, kind="edit", command=None, old=None)
            case _:
                return None

    def names(self, arguments: Mapping[str, Any]) -> str | None:
        """The file that a call names."""
        name = arguments.get(self.file)
        return name if isinstance(name, str) and name.strip() else None


_COMMANDS = {
    "view": "read", "read": "read", "open": "read", "create": "write", "write": "write", "str_replace": "edit", "replace": "edit", "insert": "insert",
}  # fmt: skip

# Spellings of the arguments, letters only: `file_path`, `filePath` and `FilePath` are one. The first that a tool has is taken.
_FILE = ("filepath", "path", "filename", "file", "targetfile", "absolutepath", "notebookpath", "uri")
_OLD = ("oldstring", "oldstr", "oldtext", "old", "targetcontent", "oldcontent", "searchtext", "search", "find")
_NEW = ("newstring", "newstr", "newtext", "new", "replacementcontent", "newcontent", "replacetext", "replacement", "replace")
_EVERY = ("replaceall", "allowmultiple", "all", "every")
_EDITS = ("edits", "replacements", "replacementchunks", "changes")
_TEXT = ("content", "contents", "filetext", "text", "codecontent", "filecontent", "data")
_START = ("offset", "startline", "lineoffset", "firstline", "viewrange", "linerange", "fromline", "start")
_COUNT = ("limit", "nlines", "numlines", "maxlines", "linecount", "head")
_END = ("endline", "lastline", "toline", "end")

_READS = frozenset({"read", "view", "open", "cat", "show", "load"})
_WRITES = frozenset({"write", "create", "save", "overwrite", "put"})
_OTHER_THINGS = frozenset({"image", "images", "url", "web", "page", "dir", "directory", "folder", "list", "pdf", "video", "audio", "multiple"})


def file_tool(name: str, properties: Collection[str], named: Mapping[str, FileTool] | None = None) -> FileTool | None:
    """What a tool's arguments mean, by its name and theirs.

    Args:
        name: The tool's name, with or without the prefix of an MCP server (`mcp__files__read_file`).
        properties: The names of its arguments.
        named: Tools that the configuration describes (`tools.files`); they are taken as they are described.

    Returns:
        The description, or `None` if this is no file tool, or none that can be told.
    """
    if named and (given := named.get(name)) is not None:
        return given
    spelled = {_letters(each): each for each in properties}

    def argument(names: tuple[str, ...]) -> str | None:
        return next((spelled[each] for each in names if each in spelled), None)

    file = argument(_FILE)
    if file is None:
        return None
    words = frozenset(re.findall(r"[a-z]+|[A-Z][a-z]*", name.rsplit("__", 1)[-1]))
    words = frozenset(word.lower() for word in words)
    old, new, every, edits, text = map(argument, (_OLD, _NEW, _EVERY, _EDITS, _TEXT))
    start, count, end = map(argument, (_START, _COUNT, _END))
    if (command := spelled.get("command")) is not None and old and new:
        insert = spelled.get("insertline")
        return FileTool("edit", file, old, new, every, text=text, start=start, count=count, end=end, insert=insert, command=command)
    if edits and not text:
        # Which names the items have, the names of the arguments do not say: `replacements` reads all spellings.
        inner = ("old_string", "new_string", "replace_all") if _letters(file) == "filepath" else ("oldText", "newText", "replaceAll")
        return FileTool("edit", file, old or inner[0], new or inner[1], every or inner[2], edits)
    if old and new:
        return FileTool("edit", file, old, new, every)
    if text and words & _WRITES and not words & _OTHER_THINGS and "append" not in words:
        return FileTool("write", file, text=text)
    if words & _READS and not words & _OTHER_THINGS and not (old or new or text):
        zero = name.rsplit("__", 1)[-1] == "read_file" and start is not None and _letters(start) == "offset"
        return FileTool("read", file, start=start, count=count, end=end, first=0 if zero else 1)
    return None


@dataclass(frozen=True, slots=True)
class Replacement:
    """One replacement that a call asks for; `every` for all occurrences of `old`."""

    old: str
    new: str
    every: bool = False


def replacements(tool: FileTool, arguments: Mapping[str, Any]) -> tuple[Replacement, ...] | None:
    """The replacements of a call of an edit tool, in the order in which they are made.

    Returns:
        One, or those of a list; `None` where the arguments do not hold them, which a schema check would have said.
    """
    if tool.edits is not None and tool.edits in arguments:
        items = arguments[tool.edits]
        if not isinstance(items, (list, tuple)) or not all(isinstance(item, Mapping) for item in items):
            return None
        found = [_one(item, tool) for item in items]
    else:
        found = [_one(arguments, tool)]
    return tuple(each for each in found if each is not None) if all(found) else None


def _one(arguments: Mapping[str, Any], tool: FileTool) -> Replacement | None:
    spelled = {_letters(name): name for name in arguments}

    def value(own: str | None, names: tuple[str, ...]) -> Any:
        if own is not None and own in arguments:
            return arguments[own]
        return next((arguments[spelled[each]] for each in names if each in spelled), None) if tool.edits is not None else None

    old, new = value(tool.old, _OLD), value(tool.new, _NEW)
    if not isinstance(old, str) or not isinstance(new or "", str):
        return None
    return Replacement(old, new or "", value(tool.every, _EVERY) is True)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())
