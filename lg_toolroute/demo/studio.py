"""The demo's agent for LangGraph Studio and LangGraph Server: `langgraph dev` beside `langgraph.json`.

Nothing happens at import. The first run starts the demo's scripted models on this machine, without a key. Three environment variables change that:

| variable | meaning |
|---|---|
| `LG_TOOLROUTE_CONFIG` | a configuration of your own, with its own models |
| `LG_TOOLROUTE_PACE` | tokens a second of the scripted models; unset: 100, slow enough to watch |
| `LG_TOOLROUTE_FOLDER` | the folder in which the agent works and changes files; unset: each thread has a copy of the demo's project |
"""

from __future__ import annotations

import os
import tempfile
import threading
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from langgraph.config import get_config
from langgraph.graph.state import CompiledStateGraph

from lg_toolroute import ToolRouter, create_toolroute_agent, load_config
from lg_toolroute.demo.demo_models import DemoServer, demo_config
from lg_toolroute.demo.folder import Folder
from lg_toolroute.demo.folder_tools import folder_tools
from lg_toolroute.demo.project import PROMPT, copy_project
from lg_toolroute.errors import ConfigError, Problem


@cache
def agent() -> CompiledStateGraph[Any, Any, Any, Any]:
    """The agent, made once: a server asks for it at every run and whenever it reads a schema.

    Raises:
        ConfigError: `LG_TOOLROUTE_CONFIG` names a configuration that is wrong, or `LG_TOOLROUTE_PACE` is no number.
    """
    named = os.environ.get("LG_TOOLROUTE_CONFIG")
    # The server is a daemon: it ends with the process.
    router = ToolRouter(load_config(Path(named)) if named else demo_config(DemoServer(_pace()).start().base_url))
    folder = os.environ.get("LG_TOOLROUTE_FOLDER")
    where = Folder(folder) if folder else None
    folders = ThreadFolders()
    return create_toolroute_agent(router, folder_tools(lambda: where or folders.here()), system_prompt=PROMPT, name="toolroute")


def _pace() -> float:
    text = os.environ.get("LG_TOOLROUTE_PACE", "100")
    try:
        pace = float(text)
    except ValueError:
        pace = 0.0
    if not 0 < pace < float("inf"):
        problem = Problem("LG_TOOLROUTE_PACE", f"{text!r} is not a number of tokens a second", "write 100")
        raise ConfigError([problem], source="environment")
    return pace


class ThreadFolders:
    """A copy of the demo's project for each thread of the server, gone when the process ends."""

    def __init__(self) -> None:
        self._root: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def here(self) -> Folder:
        """The folder of the thread whose run is under way."""
        thread = str(get_config().get("configurable", {}).get("thread_id", ""))
        with self._lock:
            if self._root is None:
                self._root = tempfile.TemporaryDirectory(prefix="toolroute-")
            # A thread's id is a client's word: it is not to become a path.
            place = Path(self._root.name) / sha256(thread.encode()).hexdigest()[:16]
            return Folder(place) if place.is_dir() else copy_project(place)
