"""A folder that an agent works in: read, edit, write and run its tests, and nothing outside of it."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from langchain_core.tools import ToolException

MOST_LINES = 400
MOST_BYTES = 400_000
MOST_OUTPUT = 6_000
TEST_LIMIT_S = 120.0

UNITTEST = (sys.executable, "-m", "unittest")

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TestRun:
    """One run of the test suite.

    Attributes:
        green: The suite passed.
        summary: How it went, in a few words: `13 run, 4 failed`.
        output: What it printed, shortened from the front.
    """

    __test__ = False  # its name is not that of a test case

    green: bool
    summary: str
    output: str


class Folder:
    """A folder, and what a tool may do in it. Every method raises `ToolException` with words that a model can act on.

    Args:
        root: The folder.
        test_command: Runs its tests; by default `python -m unittest`.
    """

    def __init__(self, root: Path | str, test_command: Sequence[str] = UNITTEST) -> None:
        self.root = Path(root).resolve()
        self.test_command = tuple(test_command)

    def read(self, path: str, first_line: int = 1) -> str:
        """The lines of a file, each with its number, or the names in a folder."""
        place = self._place(path)
        if place.is_dir():
            names = sorted(f"{each.name}/" if each.is_dir() else each.name for each in place.iterdir() if not each.name.startswith("."))
            return "\n".join(names) or "(empty)"
        lines = _split(self._text(place, path))
        begin = max(first_line, 1)
        shown = lines[begin - 1 : begin - 1 + MOST_LINES]
        rest = len(lines) - (begin - 1) - len(shown)
        numbered = [f"{number:>4}  {line}" for number, line in enumerate(shown, begin)]
        if rest > 0:
            numbered.append(f"… {rest} more lines; read on with first_line={begin + len(shown)}")
        return "\n".join(numbered) or "(empty)"

    def edit(self, path: str, old_text: str, new_text: str) -> str:
        """Replace a text that stands in a file exactly once."""
        place = self._place(path, write=True)
        text = self._text(place, path)
        if not old_text:
            raise ToolException("old_text is empty; give the exact text to replace, or use write for a new file")
        if "\r\n" in text and "\r" not in old_text:
            # What `read` shows has no carriage returns; the file keeps its own.
            old_text, new_text = old_text.replace("\n", "\r\n"), new_text.replace("\n", "\r\n")
        count = text.count(old_text)
        if count == 0:
            raise ToolException(f"old text not found in {path}")
        if count > 1:
            raise ToolException(f"old text stands {count} times in {path}; give more of the lines around it")
        place.write_text(text.replace(old_text, new_text), encoding="utf-8", newline="")
        return f"replaced {_lines(old_text)} by {_lines(new_text)} in {path}"

    def mismatch(self, path: str, old_text: str) -> tuple[str, str] | None:
        """For people: the first line of an old text that was not found, and what stands in the file instead.

        Returns:
            The file's line and the written one; `None` if there is nothing to compare.
        """
        try:
            there = _split(self._text(self._place(path), path))
        except ToolException:
            return None
        known = set(there)
        wrong = next((line for line in _split(old_text) if line not in known), None)
        near = difflib.get_close_matches(wrong, there, n=1, cutoff=0.5) if wrong is not None else []
        return (near[0], wrong) if near and wrong is not None else None

    def write(self, path: str, text: str) -> str:
        """Write a whole file."""
        place = self._place(path, write=True)
        if place.is_dir():
            raise ToolException(f"{path} is a folder; name a file")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="")
        return f"wrote {_lines(text)} to {path}"

    def run_tests(self) -> TestRun:
        """Run the test suite, in a process of its own that knows no keys."""
        # Without bytecode: an edit within the same second and of the same length would go unnoticed.
        environ = {name: value for name, value in os.environ.items() if not _SECRET.search(name)} | {"PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(  # noqa: S603  the command is the user's own, never a model's
                self.test_command,
                cwd=self.root,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=TEST_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return TestRun(False, f"no end within {TEST_LIMIT_S:g} s", f"The tests did not end within {TEST_LIMIT_S:g} s.")
        except OSError as error:
            raise ToolException(f"the tests cannot be started: {error.strerror or error}") from error
        output = done.stdout.decode("utf-8", "replace").replace(f"{self.root}{os.sep}", "")
        if len(output) > MOST_OUTPUT:
            output = f"…{output[-MOST_OUTPUT:]}"
        return TestRun(done.returncode == 0, _summary(output, done.returncode), output)

    def _place(self, path: str, *, write: bool = False) -> Path:
        try:
            # Resolved, so that neither `..` nor a link leads out of the folder.
            place = (self.root / path).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise ToolException(f"{path!r} is not a path") from error
        if not place.is_relative_to(self.root):
            raise ToolException(f"{path!r} is outside of the project; use a path inside of it, such as README.md")
        if write and ".git" in place.relative_to(self.root).parts:
            raise ToolException(f"{path!r} belongs to git and is not to be written")
        return place

    def _text(self, place: Path, path: str) -> str:
        if not place.is_file():
            raise ToolException(f"there is no file {path}; read '.' lists the project")
        if place.stat().st_size > MOST_BYTES:
            raise ToolException(f"{path} is larger than {MOST_BYTES // 1000} kB, which is too much to read")
        try:
            return place.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise ToolException(f"{path} is not a text file") from error
        except OSError as error:
            raise ToolException(f"{path} cannot be read: {error.strerror or error}") from error


def _split(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _lines(text: str) -> str:
    count = len(_split(text))
    return f"{count} line{'' if count == 1 else 's'}"


def _summary(output: str, code: int) -> str:
    ran = re.search(r"^Ran (\d+) tests?", output, re.MULTILINE)
    if ran is None:
        last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
        return last[:80] or ("passed" if code == 0 else f"exit code {code}")
    failed = sum(int(count) for count in re.findall(r"(?:failures|errors)=(\d+)", output))
    return f"{ran[1]} run, {failed} failed" if failed or code else f"{ran[1]} run, all passed"
