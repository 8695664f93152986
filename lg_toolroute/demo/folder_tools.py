"""The tools of the demo's agent: LangChain tools over a `Folder`, and one that reads a page."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Annotated, Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from lg_toolroute.demo.folder import Folder

Where = Callable[[], Folder]
"""Gives the folder of the run that calls a tool."""

Path = Annotated[str, "A path inside the project, such as src/app.py"]


def folder_tools(where: Where) -> list[BaseTool]:
    """`read`, `edit`, `write` and `run_tests` on the folder that `where` gives at the time of the call."""

    def read(path: Path, first_line: Annotated[int, "Begin at this line"] = 1) -> str:
        """Read a file, with line numbers, or list a folder."""
        return where().read(path, first_line)

    def edit(
        path: Path,
        old_text: Annotated[str, "The exact text that stands there now, once in the file, without line numbers"],
        new_text: Annotated[str, "What is to stand there instead"],
    ) -> str:
        """Replace a piece of a file."""
        return where().edit(path, old_text, new_text)

    def write(path: Path, text: Annotated[str, "The whole file"]) -> str:
        """Write a whole file, over an old one if there is one."""
        return where().write(path, text)

    def run_tests() -> str:
        """Run the project's tests."""
        run = where().run_tests()
        return f"{'GREEN' if run.green else 'RED'}: {run.summary}\n\n{run.output}"

    return [_tool(each) for each in (read, edit, write, run_tests)]


def web_fetch_tool(base_url: str) -> BaseTool:
    """`web_fetch`, which reads pages below `base_url` and nothing else."""
    # No proxy: the pages are on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def web_fetch(url: Annotated[str, "The address of a page"]) -> str:
        """Read a page."""
        if not url.startswith(f"{base_url.rstrip('/')}/"):
            raise ToolException(f"only pages below {base_url} can be read")
        try:
            with opener.open(url, timeout=10) as answer:
                return str(answer.read(100_000).decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            raise ToolException(f"{url} answers {error.code} {error.reason}") from error
        except OSError as error:
            raise ToolException(f"{url} cannot be reached: {error}") from error

    return _tool(web_fetch)


def _tool(function: Callable[..., Any]) -> BaseTool:
    # Handled: a refusal becomes a result with status "error" that the model reads, and the run goes on.
    return StructuredTool.from_function(function, handle_tool_error=True)
