"""A web page on this machine, and `web_fetch`, the tool that reads it."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

from langchain_core.tools import BaseTool, ToolException

from lg_toolroute.demo.folder import as_tool


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: log lines would break into the session on the screen."""


@contextmanager
def serve_pages(folder: Path) -> Iterator[str]:
    """Serves a folder on 127.0.0.1; yields the address, without a slash at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder))) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="lg_toolroute-pages", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def web_fetch_tool(site: str) -> BaseTool:
    """`web_fetch`, which reads the pages of one site and refuses all others."""
    # No proxy: the pages are on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def web_fetch(url: Annotated[str, "The address of a page"]) -> str:
        """Read a page."""
        if not url.startswith(f"{site}/"):
            raise ToolException(f"only pages below {site} can be read")
        try:
            with opener.open(url, timeout=10) as response:
                return str(response.read(100_000).decode("utf-8", "replace"))
        except OSError as error:  # a refused connection, and also any status but 200
            raise ToolException(f"{url} cannot be read: {error}") from error

    return as_tool(web_fetch)
