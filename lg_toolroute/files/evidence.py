"""What tools tell of a file that are none of its own: a search that shows lines of it, a command that may have changed it, a result that names it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import pairwise
from typing import Any

from lg_toolroute.files.names import ends_with, plain

Lines = dict[str, list[tuple[int, str]]]
MOST_FOUND = 2_000
"""Rows of a search that are read."""
_LONG_ROW = 500

_SEARCHES = re.compile(r"(?:^|[_\W])(?:grep|rg|ripgrep|search)(?:$|[_\W])")
_ROW = re.compile(r"^([^:\n]{1,400}?):(\d+):(.*)$")
_CONTEXT = re.compile(r"-(\d+)-")
_BARE = re.compile(r"^(\d+)([:-])(.*)$")
_HEADED = re.compile(r"^ {2}(\d+)([:-]) (.*)$")
_COMMANDS = ("command", "cmd", "script", "shell_command")
_PARTS = re.compile(r"&&|\|\||[;|\n]")
_REDIRECTED = re.compile(r"(?<![0-9&<>-])>>?\s*([^\s&|;<>]+)")
_WRITING_CODE = re.compile(r"write_text\(|writelines\(|open\([^)\n]{0,500}['\"][wa]b?\+?['\"]|writeFile(?:Sync)?\(|File\.write")
_TREE_TASKS = frozenset({
    "make", "just", "mise", "task", "npm", "pnpm", "yarn", "bun", "cargo", "go", "poetry", "uv", "nox", "tox", "mix", "dotnet", "terraform", "rake",
})  # fmt: skip
_TASK = re.compile(r"^(?:.*[:_-])?(?:fmt|format|fix|prettier)(?:[:_-].*)?$")
_FORMATTERS = frozenset({"black", "isort", "rustfmt", "pre-commit", "lint-staged", "swiftformat"})
_ASKED_TO_WRITE = {
    "gofmt": "-w", "goimports": "-w", "gofumpt": "-w", "shfmt": "-w", "prettier": "-w", "sed": "-i", "perl": "-i", "autopep8": "-i", "yapf": "-i",
    "clang-format": "-i", "eslint": "--fix", "stylelint": "--fix", "golangci-lint": "--fix", "biome": "--w", "rubocop": "-a", "ktlint": "-F",
}  # fmt: skip
_MOVERS = frozenset({"mv", "cp", "rm", "tee", "patch", "truncate", "dd", "rsync", "ln", "install", "unzip"})
_GIT = frozenset({
    "checkout", "restore", "stash", "reset", "pull", "merge", "rebase", "cherry-pick", "revert", "apply", "am", "switch", "clean", "mv", "rm",
})  # fmt: skip
_CHANGING = frozenset({
    "patch", "edit", "insert", "replace", "delete", "remove", "move", "rename", "append", "diff", "undo", "write", "format", "create",
})  # fmt: skip
_PATCHED = re.compile(r"^(?:\*\*\* (?:Update|Add|Delete) File: |\*\*\* Move to: |\+\+\+ (?:b/)?|--- (?:a/)?)(\S.*)$", re.MULTILINE)
_WRAPPERS = frozenset({"sudo", "time", "env", "npx", "bunx", "xargs", "nice", "timeout", "command", "exec"})


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
    pattern = re.compile(rf"{re.escape(last)}(?![\w-])")
    for text in (result.text, result.asked):
        for found in pattern.finditer(text):
            token = plain(_path_before(text, found.start()) + last)
            if ends_with(name, token) or ends_with(token, name):
                return True
    return False


def _path_before(text: str, end: int) -> str:
    """The characters before a place that may belong to the same path. They are read backwards: a pattern would read encoded data again and again."""
    start, least = end, max(end - _LONG_ROW, 0)
    while start > least and (text[start - 1].isalnum() or text[start - 1] in "_./@+~-"):
        start -= 1
    return text[start:end]


@dataclass(frozen=True, slots=True)
class Changes:
    """The files that a command may have changed: all, or those that its words name."""

    everything: bool = False
    words: tuple[str, ...] = ()

    def reach(self, name: str) -> bool:
        """Whether a file is among them."""
        return self.everything or any(_covers(word, name) for word in self.words)


def _covers(word: str, name: str) -> bool:
    if word in (".", "./", "..", "./...", "*"):
        return True
    path = plain(word.strip("'\"").removesuffix("/..."))
    if not path:
        return False
    if any(mark in path for mark in "*?["):
        return fnmatch(name, path) or fnmatch(name, f"*/{path}") or fnmatch(name.rsplit("/", 1)[-1], path)
    return ends_with(name, path) or ends_with(path, name) or name.startswith(f"{path}/") or f"/{path}/" in name


def changed_by(tool: str, arguments: Mapping[str, Any]) -> Changes | None:
    """Which files a call may have changed; `None` if none.

    Of a tool that changes files in a way that is not known here, those that it names; of a command, those that its words tell: formatters, `sed -i`,
    `git checkout`, `> file`.
    """
    if _CHANGING.intersection(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r" \1", tool).lower())):
        texts = [each for each in arguments.values() if isinstance(each, str)]
        named = [each for each in texts if len(each) < _LONG_ROW and "\n" not in each]
        return Changes(words=(*named, *(name.rstrip() for text in texts for name in _PATCHED.findall(text))))
    text = next((arguments[key] for key in _COMMANDS if arguments.get(key)), "")
    command = " ".join(map(str, text)) if isinstance(text, (list, tuple)) else str(text)
    if not command:
        return None
    everything, words = False, [each for each in _REDIRECTED.findall(command) if not each.startswith("/dev/")]
    if _WRITING_CODE.search(command):
        words += re.findall(r"(?<![\w./-])[\w./-]+\.\w+", command)
    for part in _PARTS.split(command):
        tokens = part.split()
        while tokens and (tokens[0] in _WRAPPERS or re.match(r"^\w+=", tokens[0])):
            tokens = tokens[1:]
        found = _changed(tokens) if tokens else None
        if found is not None:
            everything = everything or found.everything
            words += found.words
    return Changes(everything, tuple(words)) if everything or words else None


def _changed(tokens: Sequence[str]) -> Changes | None:
    """Which files one simple command may have changed."""
    first, rest = tokens[0].rsplit("/", 1)[-1], list(tokens[1:])
    named = tuple(each for each in rest if not each.startswith("-"))
    if first == "git":
        return _changed_by_git(rest)
    if first in _MOVERS:
        return Changes(words=named)
    if (flag := _ASKED_TO_WRITE.get(first)) is not None:
        writes = any(each.startswith(flag) or (first == "perl" and re.match(r"^-\w*i", each)) or each in ("--write", "--in-place") for each in rest)
        return Changes(not named, named) if writes else None
    if first in _FORMATTERS or (first == "ruff" and ("format" in rest or "--fix" in rest)):
        return Changes(not named, named) if "--check" not in rest and "--diff" not in rest else None
    if first in _TREE_TASKS and any(_TASK.match(each) for each in rest) and "--check" not in rest:
        return Changes(everything=True)
    return None


def _changed_by_git(rest: Sequence[str]) -> Changes | None:
    words = [each for each in rest if not each.startswith("-")]
    if not words or words[0] not in _GIT:
        return None
    what, named = words[0], tuple(words[1:])
    if (what == "stash" and named[:1] in (("list",), ("show",))) or (what == "reset" and "--hard" not in rest):
        return None
    if (what in ("checkout", "switch") and {"-b", "-c", "-B", "-C"}.intersection(rest)) or (what == "restore" and "--staged" in rest):
        return None
    if "--" in rest:
        return Changes(words=tuple(rest[list(rest).index("--") + 1 :]))
    return Changes(words=named) if what in ("restore", "mv", "rm") else Changes(everything=True)


def found_lines(tool: str, arguments: Mapping[str, Any], result: str) -> Lines:
    """The lines that a search has shown with their numbers, by the file's name as it stands there.

    Only a search is believed: in what a compiler says, `a.py:3:` is not followed by the line.
    """
    if not _SEARCHES.search(tool.lower()) and not _is_search(arguments):
        return {}
    rows = [row for row in result.split("\n", MOST_FOUND)[:MOST_FOUND] if len(row) < _LONG_ROW and row.strip()]
    found: Lines = {}
    for name, number, text in (*_named_rows(rows), *_headed_rows(rows), *_bare_rows(rows, arguments)):
        found.setdefault(name, []).append((number, text))
    return {name: sorted(dict(lines).items()) for name, lines in found.items()}


def _is_search(arguments: Mapping[str, Any]) -> bool:
    """Whether a shell command is a search for lines, with their numbers, and nothing else."""
    text = next((str(arguments[key]) for key in _COMMANDS if arguments.get(key)), "")
    words = re.sub(r"^\s*cd \S+ && ", "", text).replace("git grep", "grep").split()
    if not words or words[0] not in ("grep", "rg") or not any(re.match(r"^-\w*n|^--line-number", word) for word in words):
        return False
    bare = re.sub(r"'[^']*'|\"[^\"]*\"|2>&1|2>/dev/null", "", text.split("&& ", 1)[-1])
    return not re.search(r"[;&`$]|\|(?!\s*(?:head|tail)\b)|\|[^|]*\|", bare)


def _named_rows(rows: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """`path:12:text`, and `path-12-text` of a path that has such a row."""
    names = {found[1] for row in rows if (found := _ROW.match(row)) is not None and not found[1].isdecimal()}
    for row in rows if names else ():
        if (found := _ROW.match(row)) is not None and found[1] in names:
            yield found[1], int(found[2]), found[3]
            continue
        for context in _CONTEXT.finditer(row):
            if row[: context.start()] in names:
                yield row[: context.start()], int(context[1]), row[context.end() :]
                break


def _headed_rows(rows: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """`path:`, and below it `  12: text`."""
    name = ""
    for row in rows:
        if (found := _HEADED.match(row)) is not None and name:
            yield name, int(found[1]), found[3]
        else:
            name = row[:-1] if row.endswith(":") and " " not in row else name if row.strip() == "--" else ""


def _bare_rows(rows: Sequence[str], arguments: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """`12:text` of a search in one file."""
    found = [_BARE.match(row) for row in rows if row != "--"]
    numbers = [int(each[1]) for each in found if each is not None]
    if not numbers or len(numbers) < len(found) or any(later <= number for number, later in pairwise(numbers)):
        return
    name = next((str(arguments[key]) for key in ("path", "file_path", "file") if arguments.get(key)), "")
    if not name:
        words = [str(arguments[key]) for key in _COMMANDS if arguments.get(key)]
        paths = [word for word in re.split(r"[\s|]+", words[0]) if re.match(r"^[\w./~-]+\.\w+$", word)] if words else []
        name = paths[0] if len(paths) == 1 else ""
    if name:
        yield from ((name, int(each[1]), each[3]) for each in found if each is not None)
