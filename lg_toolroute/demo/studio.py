"""The demo's agent for LangGraph Studio and LangGraph Server: run `langgraph dev` in the folder of `langgraph.json`.

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
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from langgraph.config import get_config
from langgraph.graph.state import CompiledStateGraph

from lg_toolroute import ToolRouter, create_toolroute_agent, load_config
from lg_toolroute.demo.demo_models import DemoServer, demo_config, parse_pace
from lg_toolroute.demo.folder import Folder
from lg_toolroute.demo.project import PROJECT, PROMPT, copy_project
from lg_toolroute.errors import ConfigError, Problem


@cache
def agent() -> CompiledStateGraph[Any, Any, Any, Any]:
    """The agent, made once: a server asks for it at every run and whenever it reads a schema.

    Raises:
        ConfigError: The configuration that `LG_TOOLROUTE_CONFIG` names is wrong, or `LG_TOOLROUTE_PACE` is not a number.
    """
    config, folder = os.environ.get("LG_TOOLROUTE_CONFIG"), os.environ.get("LG_TOOLROUTE_FOLDER")
    # The demo's server runs in a daemon thread, which ends with the process.
    router = ToolRouter(load_config(Path(config)) if config else demo_config(DemoServer(_pace()).start().base_url))
    tools = (Folder(folder) if folder else ThreadFolder()).tools()
    return create_toolroute_agent(router, tools, system_prompt=PROMPT, name="toolroute")


def _pace() -> float:
    try:
        return parse_pace(os.environ.get("LG_TOOLROUTE_PACE", "100"))
    except ValueError as error:
        raise ConfigError([Problem("LG_TOOLROUTE_PACE", str(error), "write 100")], source="environment") from error


class ThreadFolder(Folder):
    """The folder of the current thread: each thread of the server has a copy of the demo's project until the process ends."""

    def __init__(self) -> None:
        super().__init__(PROJECT)
        self._lock = threading.Lock()

    @cached_property
    def _copies(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="toolroute-")

    @property
    def root(self) -> Path:
        """The copy of the thread whose run calls a tool."""
        thread = str(get_config().get("configurable", {}).get("thread_id", ""))
        with self._lock:
            # Hashed: a client chooses the thread's id, which must not become a path.
            copy = Path(self._copies.name).resolve() / sha256(thread.encode()).hexdigest()[:16]
            if not copy.is_dir():
                copy_project(copy)
        return copy
