"""The folder an agent works in: `read`, `edit`, `write` and `run_tests`, as LangChain tools that cannot leave it."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from lg_toolroute.demo.screen import counted

MAX_LINES = 400
MAX_BYTES = 400_000
MAX_OUTPUT = 6_000
TEST_LIMIT_S = 120.0

UNITTEST = (sys.executable, "-m", "unittest")

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)

PathArg = Annotated[str, "A path inside the project, such as src/app.py"]


@dataclass(frozen=True, slots=True)
class TestRun:
    """One run of the test suite; as a string, what the `run_tests` tool answers.

    Attributes:
        green: The suite passed.
        summary: The counts: `13 run, 4 failed`.
        output: What the suite printed; only the last `MAX_OUTPUT` characters of a long output.
    """

    __test__ = False  # keeps pytest from collecting this class

    green: bool
    summary: str
    output: str

    def __str__(self) -> str:
        return f"{'GREEN' if self.green else 'RED'}: {self.summary}\n\n{self.output}"


class Folder:
    """A folder and what an agent may do in it. Each method raises `ToolException` with a text that tells the model what to do instead.

    Args:
        root: The folder.
        test_command: Runs its tests; by default `python -m unittest`.
    """

    def __init__(self, root: Path | str, test_command: Sequence[str] = UNITTEST) -> None:
        self._path = Path(root)
        self._test_command = tuple(test_command)

    @property
    def root(self) -> Path:
        """The folder, as an absolute path without links."""
        # Not resolved earlier: `langgraph dev` builds the agent in its event loop, where it allows no reading of links.
        return self._path.resolve()

    def tools(self) -> list[BaseTool]:
        """`read`, `edit`, `write` and `run_tests`."""

        def run_tests() -> str:
            """Run the project's tests."""
            return str(self.run_tests())

        return [as_tool(function) for function in (self.read, self.edit, self.write, run_tests)]

    def read(self, path: PathArg, first_line: Annotated[int, "Begin at this line"] = 1) -> str:
        """Read a file, with line numbers, or list a folder."""
        place = self._resolve(path)
        if place.is_dir():
            names = sorted(f"{each.name}/" if each.is_dir() else each.name for each in place.iterdir() if not each.name.startswith("."))
            return "\n".join(names) or "(empty)"
        first = max(first_line, 1)
        rest = _split(_text(place, path))[first - 1 :]
        numbered = [f"{number:>4}  {line}" for number, line in enumerate(rest[:MAX_LINES], first)]
        if len(rest) > MAX_LINES:
            numbered.append(f"… {len(rest) - MAX_LINES} more lines; read on with first_line={first + MAX_LINES}")
        return "\n".join(numbered) or "(empty)"

    def edit(
        self,
        path: PathArg,
        old_text: Annotated[str, "The exact text to replace, which occurs once in the file, without line numbers"],
        new_text: Annotated[str, "The text to put in its place"],
    ) -> str:
        """Replace a piece of a file."""
        place = self._resolve(path, write=True)
        text = _text(place, path)
        if not old_text:
            raise ToolException("old_text is empty; give the exact text to replace, or use write for a new file")
        if "\r\n" in text and "\r" not in old_text:
            # `read` shows lines without carriage returns; the file keeps them.
            old_text, new_text = old_text.replace("\n", "\r\n"), new_text.replace("\n", "\r\n")
        count = text.count(old_text)
        if count == 0:
            raise ToolException(f"old text not found in {path}")
        if count > 1:
            raise ToolException(f"old text occurs {count} times in {path}; give more of the lines around it")
        place.write_text(text.replace(old_text, new_text), encoding="utf-8", newline="")
        return f"replaced {_count_lines(old_text)} by {_count_lines(new_text)} in {path}"

    def write(self, path: PathArg, text: Annotated[str, "The whole file"]) -> str:
        """Write a whole file; an existing one is replaced."""
        place = self._resolve(path, write=True)
        if place.is_dir():
            raise ToolException(f"{path} is a folder; name a file")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="")
        return f"wrote {_count_lines(text)} to {path}"

    def mismatch(self, path: str, old_text: str) -> tuple[str, str] | None:
        """Why an edit failed: the line of the file that is most like the first line of `old_text` that the file lacks, and that line.

        Returns:
            The file's line and the model's; `None` if no line of the file is similar.
        """
        try:
            lines = _split(_text(self._resolve(path), path))
        except ToolException:
            return None
        wrong = next((line for line in _split(old_text) if line not in lines), None)
        similar = difflib.get_close_matches(wrong, lines, n=1, cutoff=0.5) if wrong is not None else []
        return (similar[0], wrong) if similar and wrong is not None else None

    def run_tests(self) -> TestRun:
        """Runs the test suite in a process whose environment holds no keys."""
        # No bytecode: Python would reuse it after an edit within the same second that keeps the file's size.
        environ = {name: value for name, value in os.environ.items() if not _SECRET.search(name)} | {"PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(  # noqa: S603  the command comes from the user, never from a model
                self._test_command,
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
        if len(output) > MAX_OUTPUT:
            output = f"…{output[-MAX_OUTPUT:]}"
        return TestRun(done.returncode == 0, _summary(output, done.returncode), output)

    def _resolve(self, path: str, *, write: bool = False) -> Path:
        root = self.root
        try:
            # Resolved, so that neither `..` nor a link leads out of the folder.
            place = (root / path).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise ToolException(f"{path!r} is not a path") from error
        if not place.is_relative_to(root):
            raise ToolException(f"{path!r} is outside of the project; use a path inside it, such as README.md")
        if write and ".git" in place.relative_to(root).parts:
            raise ToolException(f"{path!r} belongs to git and must not be written")
        return place


def as_tool(function: Callable[..., str]) -> BaseTool:
    """A tool whose `ToolException` becomes a tool message with status "error", so that the model reads it and the run goes on."""
    return StructuredTool.from_function(function, handle_tool_error=True)


def _text(place: Path, path: str) -> str:
    if not place.is_file():
        raise ToolException(f"there is no file {path}; read '.' lists the project")
    if place.stat().st_size > MAX_BYTES:
        raise ToolException(f"{path} is larger than {MAX_BYTES // 1000} kB, which is too much to read")
    try:
        return place.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolException(f"{path} is not a text file") from error
    except OSError as error:
        raise ToolException(f"{path} cannot be read: {error.strerror or error}") from error


def _split(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _count_lines(text: str) -> str:
    return counted(len(_split(text)), "line")


def _summary(output: str, code: int) -> str:
    ran = re.search(r"^Ran (\d+) tests?", output, re.MULTILINE)
    if ran is None:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        return lines[-1][:80] if lines else ("passed" if code == 0 else f"exit code {code}")
    failed = sum(int(count) for count in re.findall(r"(?:failures|errors)=(\d+)", output))
    return f"{ran[1]} run, {failed} failed" if failed or code else f"{ran[1]} run, all passed"
