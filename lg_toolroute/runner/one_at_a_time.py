"""Edits of one file that stand in one message, run one after the other.

LangGraph runs the calls of a message at the same time. Of two edits that read a file, change it and write it back, the second then overwrites the
first, and no error is seen (deepagents#6297). A patch whose hunks are far apart lands as several calls, so where a rule has a form these take turns.
A tool whose files are part of the state reads what was there before all of them: no turn helps it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from weakref import WeakValueDictionary

from langchain_core.messages import AIMessage
from langgraph.prebuilt.tool_node import ToolCallRequest

from lg_toolroute.router import ToolRouter


class EditTurns:
    """Gives each call its turn.

    Args:
        router: Knows whether rules have forms, and what the arguments of tools mean.
    """

    def __init__(self, router: ToolRouter) -> None:
        self._router = router
        self._locks: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        self._guard = threading.Lock()

    @contextmanager
    def turn(self, request: ToolCallRequest) -> Iterator[None]:
        """Waits for the calls of the same message that change the same file."""
        key = self._shared(request)
        if key is None:
            yield
            return
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield

    @asynccontextmanager
    async def aturn(self, request: ToolCallRequest) -> AsyncIterator[None]:
        """Waits for the calls of the same message that change the same file, awaited."""
        key = self._shared(request)
        if key is None:
            yield
            return
        with self._guard:
            lock = self._locks.setdefault((key, id(asyncio.get_running_loop())), asyncio.Lock())
        async with lock:
            yield

    def _shared(self, request: ToolCallRequest) -> Hashable | None:
        """What a call shares with others of its message that must not run at the same time; `None` if there are none."""
        if not self._router.forms.used:
            return None
        call, state = request.tool_call, request.state
        messages = state.get("messages", []) if isinstance(state, dict) else getattr(state, "messages", [])
        message = next((each for each in reversed(messages) if isinstance(each, AIMessage)), None)
        others = [each for each in message.tool_calls if each["name"] == call["name"]] if message is not None else []
        if message is None or len(others) < 2 or call["id"] not in [each["id"] for each in others]:
            return None
        meant = None if request.tool is None else self._router.file_tool(call["name"], request.tool)
        if meant is not None and meant.kind == "read":
            return None
        return message.id, call["name"], None if meant is None else meant.names(call["args"])
