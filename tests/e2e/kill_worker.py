"""A process that runs one agent on a thread in SQLite, and stands still at a place until it is killed. Started by `test_kills.py`.

Every request and every run of the tool is one line in a file, written before anything else happens.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from lg_toolroute import ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Hang, Latch, Say, ScriptedModel

PRIMARY, WRITER = "kimi/a", "deepseek/b"
THREAD: Any = {"configurable": {"thread_id": "1"}}
QUESTION = {"messages": [("user", "Fix a.py")]}
LIMIT_S = 60.0
"""Longer than any test waits for a process; one that was forgotten ends by itself."""

PLACES = {
    "in the primary's stream": ("primary", "text"),
    "between the two calls": ("writer", "start"),
    "in the writer's stream": ("writer", "args"),
    "before the tool's work": ("tool", "before"),
    "after the tool's work": ("tool", "after"),
    "in the last answer": ("last", "text"),
}
"""Where a process stands still: in whose work, and where in it."""


@dataclass(frozen=True)
class Order:
    """What a process is to do.

    Attributes:
        surface: A key of `AGENTS`.
        durability: LangGraph's durability mode.
        folder: Where its database and its notes are.
        place: A key of `PLACES`; `None` runs to the end.
        saved: So many writes of the checkpointer are waited for before the process says that it stands at the place.
    """

    surface: str
    durability: str
    folder: Path
    place: str | None = None
    saved: int = 0


class CountingSaver(SqliteSaver):
    """A checkpointer that counts what it has written."""

    def count(self) -> threading.Condition:
        self.written = 0
        self.changed = threading.Condition()
        return self.changed

    def put(self, *args: Any, **more: Any) -> Any:
        return self._counted(super().put, *args, **more)

    def put_writes(self, *args: Any, **more: Any) -> None:
        self._counted(super().put_writes, *args, **more)

    def _counted(self, write: Callable[..., Any], *args: Any, **more: Any) -> Any:
        done = write(*args, **more)
        with self.changed:
            self.written += 1
            self.changed.notify_all()
        return done


class Work:
    """The models and the tool of one process."""

    def __init__(self, order: Order) -> None:
        self.routed = order.surface in ROUTED
        self.latch = Latch()
        self._notes = os.open(order.folder / "notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        whose, self._where = PLACES[order.place] if order.place else ("", "")
        if whose == "writer" and not self.routed:  # the one model writes the whole message: the same place in it
            whose, self._where = "primary", {"start": "name", "args": "args"}[self._where]
        self._whose = whose
        self.primary = ScriptedModel(answer=self._reason, name=PRIMARY)
        self.writer = ScriptedModel(answer=self._write, name=WRITER)

    def note(self, what: str) -> None:
        os.write(self._notes, f"{what}\n".encode())

    def _reason(self, request: Any) -> Any:
        self.note("primary")
        if request.messages[-1].type == "tool":
            return self._stopped("last", Say("All is done now."))
        return self._stopped("primary", Say("Let me fix that.", [Call("edit", {"path": "a.py"})]))

    def _write(self, request: Any) -> Any:
        self.note("writer")
        return self._stopped("writer", Say(calls=[Call("edit", {"path": "a.py"})]))

    def _stopped(self, whose: str, say: Say) -> Any:
        return Hang(self.latch, say, at=self._where, limit_s=LIMIT_S) if whose == self._whose else say  # type: ignore[arg-type]

    def tools(self) -> list[BaseTool]:
        @tool
        def edit(path: str) -> str:
            """Edit a file."""
            if self._whose == "tool" and self._where == "before":
                self.latch.wait(LIMIT_S)
            self.note("tool")
            if self._whose == "tool" and self._where == "after":
                self.latch.wait(LIMIT_S)
            return "edited"

        return [edit]

    def router(self) -> ToolRouter:
        return ToolRouter({"model": PRIMARY, "toolRouting": {"edit": WRITER}}, models={PRIMARY: self.primary, WRITER: self.writer})


def plain(work: Work, saver: Any) -> Any:
    return create_agent(work.primary, work.tools(), checkpointer=saver)


def hand_written(work: Work, saver: Any) -> Any:
    tools = work.tools()
    model = work.primary.bind_tools(tools)
    builder: Any = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile(checkpointer=saver)


def graph(work: Work, saver: Any) -> Any:
    return create_toolroute_agent(work.router(), work.tools(), checkpointer=saver)


def middleware(work: Work, saver: Any, **settings: Any) -> Any:
    return create_agent(work.primary, work.tools(), middleware=[ToolRouteMiddleware(work.router(), **settings)], checkpointer=saver)


def durable(work: Work, saver: Any) -> Any:
    return middleware(work, saver, durable=True)


AGENTS: dict[str, Callable[[Work, Any], Any]] = {
    "plain `create_agent`": plain,
    "hand-written graph": hand_written,
    "graph": graph,
    "middleware": middleware,
    "durable middleware": durable,
}
ROUTED = ("graph", "middleware", "durable middleware")


def run(order: Order, says: Connection) -> None:
    """Runs, or goes on with, the thread; says `("here", writes)` at the place, or `("done", answer)` at the end."""
    work = Work(order)
    with opened(order) as saver:
        changed = saver.count()

        def tell() -> None:
            work.latch.wait_reached(LIMIT_S)
            with changed:
                changed.wait_for(lambda: saver.written >= order.saved, LIMIT_S)
            says.send(("here", saver.written))

        if order.place:
            threading.Thread(target=tell, daemon=True).start()
        agent = AGENTS[order.surface](work, saver)
        # Where nothing was written before the process died, the caller has to ask again.
        given = None if agent.get_state(THREAD).next else QUESTION
        for _ in agent.stream(given, THREAD, stream_mode="messages", durability=order.durability):
            continue
        says.send(("done", agent.get_state(THREAD).values["messages"][-1].text))


@contextmanager
def opened(order: Order) -> Iterator[CountingSaver]:
    with CountingSaver.from_conn_string(str(order.folder / "threads.db")) as saver:
        yield saver  # type: ignore[misc]  # made by the class that is asked
