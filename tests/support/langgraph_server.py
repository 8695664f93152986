"""Runs `langgraph dev` as a process of its own, and gives a client of the SDK for it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

ROOT = Path(__file__).parents[2]
START_S = 60.0
"""Seconds that the server may take until it answers."""

STOP_S = 10.0
"""Seconds that the server may take to end before it is killed."""

QUIET = {"LANGSMITH_TRACING": "false", "LANGGRAPH_NO_VERSION_CHECK": "true", "NO_PROXY": "127.0.0.1"}

# The server's threads and the SDK's sockets outlive a test by a moment.
IGNORE_LATE_SOCKETS = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@asynccontextmanager
async def langgraph_server(folder: Path, settings: Mapping[str, str] | None = None) -> AsyncIterator[tuple[LangGraphClient, Path]]:
    """A client of a server that runs in a folder, and the path of the server's log.

    Args:
        folder: Holds `langgraph.json`; the server writes its threads into it.
        settings: More environment variables for the server.
    """
    port = _free_port()
    log = folder / "log.txt"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LG_TOOLROUTE_")}
    environment = {**ours, **QUIET, "PYTHONPATH": str(ROOT), **(settings or {})}
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--host", "127.0.0.1", "--port", str(port), "--no-browser", "--no-reload"]
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    client = get_client(url=f"http://127.0.0.1:{port}", api_key=None)
    try:
        await _wait_until_it_answers(client, server, log)
        yield client, log
    finally:
        await client.aclose()
        _stop(server)


async def _wait_until_it_answers(client: LangGraphClient, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + START_S
    while server.poll() is None and asyncio.get_running_loop().time() < deadline:
        try:
            await client.assistants.search(limit=1)
        except httpx.HTTPError:  # it does not listen yet, or answers that it is not ready
            await asyncio.sleep(0.1)
        else:
            return
    pytest.fail(f"langgraph dev did not start:\n{log.read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is not None:
        return
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(STOP_S)
