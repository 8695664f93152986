"""The thread belongs to its owner: whatever is written into it, wherever a run stands, goes on as a plain agent would.

Random interleavings of runs, interrupts, updates as any node, forks, time travel and resumes, each perhaps with an agent built anew, on the graph and
the durable middleware, plainly and awaited, in memory and in SQLite. Every text carries a number of its own, so that the laws can say which thread a
request has read:

- nothing is raised;
- what stood in the thread when a run began still stands there afterwards, and new messages come after it;
- a message of ours is made only of answers to the thread that it follows: nothing of a stale turn lands;
- each call of ours is whole, and has its result once the run has ended;
- an answer that the owner writes as the node `model` is that node's answer: its calls run, or the run ends, and no model is asked first.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command, interrupt

from lg_toolroute import ToolRouteMiddleware, ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Fail, Say, ScriptedModel
from tests.support.sampling import examples, whole

WHOLE = whole()
EXAMPLES = examples(300 if WHOLE else 12)
"""Histories for each surface, way and checkpointer."""
PRIMARY, WRITER, SPARE = "kimi/a", "deepseek/b", "qwen/c"
CONFIG = {"model": PRIMARY, "toolRouting": {"edit": {"primary": WRITER, "fallbacks": [SPARE]}}}
THREAD: Any = {"configurable": {"thread_id": "1"}, "recursion_limit": 60}
NODES = {
    "graph": ("route", "policy", "model", "fallback", "tools"),
    "durable": ("model", "ToolRouteMiddleware.after_model", "tools"),
}
MARK = re.compile(r"#\d+#")
QUESTIONS = ("edit", "both", "broken", "read", "approve", "talk")


class World:
    """An agent on one thread, the models and tools behind it, and what each request has read.

    Args:
        surface: A key of `NODES`.
        is_async: Runs are awaited.
        sqlite: Where the checkpoints are; unset: in memory.
    """

    def __init__(self, surface: str, *, is_async: bool, sqlite: Path | None) -> None:
        self.surface, self._is_async, self._sqlite = surface, is_async, sqlite
        self._numbers = count(1)
        self.read_by: dict[str, frozenset[str]] = {}  # the marks that a request has read, by the mark of its answer
        self.asked = 0
        self._models = {
            PRIMARY: ScriptedModel(answer=self._reason, name=PRIMARY),
            WRITER: ScriptedModel(answer=self._write_or_break, name=WRITER),
            SPARE: ScriptedModel(answer=self._write, name=SPARE),
        }
        self._tools = self._make_tools()
        self._stack = ExitStack()
        self._loop = self._stack.enter_context(asyncio.Runner())
        self._memory = InMemorySaver()
        self._closing = ExitStack()

    # -- models and tools --------------------------------------------------------------------------------------------------------------

    def mark(self) -> str:
        return f"#{next(self._numbers)}#"

    def _noted(self, request: Any) -> str:
        self.asked += 1
        mark = self.mark()
        self.read_by[mark] = marks(request.messages)
        return mark

    def _reason(self, request: Any) -> Any:
        mark = self._noted(request)
        newest = next((each for each in reversed(request.messages) if each.type in {"human", "tool"}), None)
        if newest is None or newest.type == "tool":
            return Say(f"Done. {mark}")
        wanted = newest.text.split(" ", 1)[0]
        calls = {
            "edit": [Call("edit", {})],
            "broken": [Call("edit", {})],
            "both": [Call("read", {"path": mark}), Call("edit", {})],
            "read": [Call("read", {"path": mark})],
            "approve": [Call("approve", {"path": mark}), Call("approve", {"path": mark}), Call("read", {"path": mark})],
        }
        return Say(f"Now. {mark}", calls.get(wanted, []))

    def _write(self, request: Any) -> Any:
        return Say(calls=[Call("edit", {"path": self._noted(request)})])

    def _write_or_break(self, request: Any) -> Any:
        if any(each.type == "human" and each.text.startswith("broken") for each in request.messages):
            return Fail(ConnectionError("refused"))
        return self._write(request)

    def _make_tools(self) -> list[BaseTool]:
        @tool
        def read(path: str) -> str:
            """Read a file."""
            return f"content {self.mark()}"

        @tool
        def edit(path: str) -> str:
            """Edit a file."""
            return f"edited {self.mark()}"

        @tool
        def approve(path: str) -> str:
            """Ask a human."""
            return f"{interrupt(path)} {self.mark()}"

        return [read, edit, approve]

    # -- the agent ---------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def opened(self) -> Iterator[World]:
        with self._stack:
            self.restart()
            try:
                yield self
            finally:
                self._close()

    def restart(self) -> None:
        """A new agent, router and connection, as another process has them."""
        self._close()
        saver: Any = self._memory
        if self._sqlite is not None and self._is_async:
            opening = AsyncSqliteSaver.from_conn_string(str(self._sqlite))
            saver = self._loop.run(opening.__aenter__())
            self._closing.callback(lambda: self._loop.run(opening.__aexit__(None, None, None)))
        elif self._sqlite is not None:
            saver = self._closing.enter_context(SqliteSaver.from_conn_string(str(self._sqlite)))
        router = ToolRouter(CONFIG, models=self._models, clock=lambda: 0.0)
        if self.surface == "graph":
            self._agent: Any = create_toolroute_agent(router, self._tools, checkpointer=saver)
        else:
            middleware = [ToolRouteMiddleware(router, durable=True)]
            self._agent = create_agent(self._models[PRIMARY], self._tools, middleware=middleware, checkpointer=saver)

    def _close(self) -> None:
        self._closing.close()
        self._closing = ExitStack()

    def _do(self, method: str, *args: Any, **more: Any) -> Any:
        if self._is_async:
            return self._loop.run(getattr(self._agent, f"a{method}")(*args, **more))
        return getattr(self._agent, method)(*args, **more)

    def state(self, config: Any = THREAD) -> Any:
        return self._do("get_state", config)

    def messages(self, config: Any = THREAD) -> list[BaseMessage]:
        """The thread as its checkpoint has it; `get_state` adds the results of tools that have run while others wait, under other ids each time."""
        saver = self._agent.checkpointer
        found = self._loop.run(saver.aget_tuple(config)) if self._is_async else saver.get_tuple(config)
        return list(found.checkpoint["channel_values"].get("messages", ())) if found is not None else []

    def past(self, number: int) -> Any:
        """The config of an old checkpoint."""

        async def listed() -> list[Any]:
            return [each async for each in self._agent.aget_state_history(THREAD)]

        found = self._loop.run(listed()) if self._is_async else list(self._agent.get_state_history(THREAD))
        found = [each for each in found if each.values.get("messages")]
        return {**found[number % len(found)].config, "recursion_limit": 60}

    # -- what the owner does -----------------------------------------------------------------------------------------------------------

    def run(self, given: Any, config: Any = THREAD, stops: Sequence[str] = ()) -> None:
        """A run, and the laws that hold for it."""
        before = self.messages(config)
        self._do("invoke", given, config, interrupt_before=list(stops))
        after, ended = self.messages(), not self.state().next
        assert shown(after[: len(before)]) == shown(before), "a message that stood in the thread was changed"
        for place in range(len(before), len(after)):
            self._check_message(after[place], after[:place], after[place + 1 :], ended=ended)

    def _check_message(self, message: BaseMessage, before: Sequence[BaseMessage], behind: Sequence[BaseMessage], *, ended: bool) -> None:
        if not isinstance(message, AIMessage):
            return
        own = marks([message])
        made_of = [mark for mark in own if mark in self.read_by]
        assert made_of, "a message that no model wrote"
        thread, words = marks(before), marks([each for each in before if each.type != "tool"])
        for mark in made_of:
            assert self.read_by[mark] - own <= thread, f"{mark} answers another thread"
            assert words <= self.read_by[mark], f"{mark} answers an older thread"
        assert not message.invalid_tool_calls
        for call in message.tool_calls:
            assert set(call["args"]) == {"path"}, f"a torn call {call}"
        if ended:
            answered = {each.tool_call_id for each in behind if isinstance(each, ToolMessage)}
            assert {call["id"] for call in message.tool_calls} <= answered, "a call without a result"

    def write(self, update: Any, node: str, config: Any = THREAD) -> None:
        """An update of the state, and the laws that hold for it."""
        before = self.messages(config)
        self._do("update_state", config, update, as_node=node)
        expected = applied(before, update)
        after = shown(self.messages())
        assert [each for each in after if each in expected] == expected, "what the owner wrote does not stand"
        own = [each for each in (update or {}).get("messages", []) if isinstance(each, AIMessage)]
        if node == "model" and own and self.messages()[-1].id == own[-1].id:
            self._check_answer(own[-1])
        elif node == "model" and own and self.messages()[-1].id == f"{own[-1].id} ran":
            self._check_asked()

    def _check_asked(self) -> None:
        """The run goes on with the model behind an answer that the owner wrote as `model` with its results, as it does in `create_agent`."""
        asked = self.asked
        self._do("invoke", None, THREAD)
        assert self.asked > asked, "the model has not read the results"

    def _check_answer(self, answer: AIMessage) -> None:
        """The run goes on behind an answer that the owner wrote as `model`, as it does in a plain agent."""
        asked = self.asked
        for _ in range(3):
            following = self.state().next
            if not following or "tools" in following:
                break
            assert following != ("model",), "the model is asked again"
            self._do("invoke", None, THREAD, interrupt_before="*")
        assert self.asked == asked, "a model was asked"
        assert self.state().next == ("tools",) * len(answer.tool_calls)


def shown(messages: Sequence[BaseMessage]) -> list[Any]:
    return [(each.type, each.id, each.text) for each in messages]


def applied(messages: Sequence[BaseMessage], update: Any) -> list[Any]:
    """The thread after an update, as `add_messages` has it."""
    thread = {each.id: each for each in messages}
    for each in (update or {}).get("messages", []):
        if isinstance(each, RemoveMessage):
            del thread[each.id]
        else:
            thread[each.id] = each
    return shown(list(thread.values()))


def marks(messages: Sequence[BaseMessage]) -> frozenset[str]:
    """The numbers of the texts and the arguments in these messages."""
    found: set[str] = set()
    for each in messages:
        found.update(MARK.findall(each.text))
        if isinstance(each, AIMessage):
            found.update(MARK.findall(str([call["args"] for call in each.tool_calls])))
    return frozenset(found)


def update_of(world: World, kind: str, number: int, messages: Sequence[BaseMessage]) -> Any:
    """What the owner writes into a thread of these messages."""
    mark = world.mark()
    target = messages[number % len(messages)] if messages else None
    if kind == "human":
        return {"messages": [HumanMessage(f"{QUESTIONS[number % len(QUESTIONS)]} {mark}", id=mark)]}
    if kind == "answer":
        return {"messages": [AIMessage(f"The owner says {mark}", id=mark)]}
    if kind == "calls":
        calls = [{"name": name, "args": {"path": mark}, "id": f"{name}-{mark}"} for name in ("read", "edit")[: number % 2 + 1]]
        return {"messages": [AIMessage(f"The owner calls {mark}", id=mark, tool_calls=calls)]}
    if kind == "answered":
        call = {"name": "read", "args": {"path": mark}, "id": f"read-{mark}"}
        result = ToolMessage(f"The owner ran it {mark}", id=f"{mark} ran", tool_call_id=call["id"], name="read")
        return {"messages": [AIMessage(f"The owner calls {mark}", id=mark, tool_calls=[call]), result]}
    if kind == "result":
        call = next((call for each in reversed(messages) if isinstance(each, AIMessage) for call in each.tool_calls), None)
        return {"messages": [ToolMessage(f"The owner ran it {mark}", id=mark, tool_call_id=call["id"], name=call["name"])]} if call else {}
    if kind == "remove" and target is not None and len(messages) > 1:
        return {"messages": [RemoveMessage(target.id)]}
    if kind in {"edit", "edit last"} and target is not None:
        edited = target if kind == "edit" else messages[-1]
        return {"messages": [edited.model_copy(update={"content": f"{edited.text.split(' ', 1)[0]} {mark}"})]}
    return None if kind == "none" else {}


KINDS = ("human", "answer", "calls", "calls", "answered", "result", "remove", "edit", "edit last", "nothing", "none")


def act(world: World, action: tuple[Any, ...]) -> None:
    """One thing that the owner does."""
    if isinstance(action[0], int):
        for _ in range(action[0]):
            world.run(None, stops=NODES[world.surface])
        action = action[1]
    name, node, kind, number, stops = action
    nodes = NODES[world.surface]
    node = node if isinstance(node, str) else nodes[node % len(nodes)]
    stops = [nodes[each % len(nodes)] for each in stops]
    if name == "ask":
        world.run(update_of(world, "human", number, []), stops=stops)
    elif name == "go":
        world.run(None, stops=stops)
    elif name == "write":
        world.write(update_of(world, kind, number, world.messages()), node)
    elif name == "fork":
        config = world.past(number)
        world.write(update_of(world, kind, number, world.messages(config)), node, config)
    elif name == "travel":
        world.run(None, world.past(number), stops)
    elif name == "goto":
        if world.state().next:
            return  # what waits would run beside the target, in a plain agent too
        update = update_of(world, "human", number, []) if number % 2 else None
        world.run(Command(goto="route" if world.surface == "graph" and number % 3 else "model", update=update), stops=stops)
    elif name == "resume":
        waiting = world.state().interrupts
        world.run(Command(resume={each.id: "yes" for each in waiting[: number % 2 + 1]}) if waiting else None, stops=stops)
    else:
        world.restart()


def action(*names: str, stops: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    places = st.integers(0, 4)
    return st.tuples(st.sampled_from(names), places, st.sampled_from(KINDS), st.integers(0, 11), st.lists(places, max_size=stops))


steps = action("ask", "go", "resume", "goto", "travel", "restart")
# A few single steps and an update: so each kind of update meets each point of a turn.
writes = st.tuples(st.integers(0, 4), action("write", "write", "fork", stops=0))
answers = st.tuples(
    st.integers(0, 4), st.tuples(st.just("write"), st.just("model"), st.sampled_from(["answer", "calls"]), st.integers(0, 1), st.just([]))
)
histories = st.lists(st.one_of(steps, writes, answers), min_size=1, max_size=5)


@pytest.mark.parametrize("kept", ["memory", "sqlite"])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("surface", list(NODES))
@settings(max_examples=EXAMPLES, deadline=None)
@given(begin=st.sampled_from(QUESTIONS), stop=st.integers(0, 4), history=histories)
def test_whatever_the_owner_does_the_thread_is_the_owners(
    surface: str, is_async: bool, kept: str, begin: str, stop: int, history: list[tuple[Any, ...]]
):
    with tempfile.TemporaryDirectory() as folder:
        world = World(surface, is_async=is_async, sqlite=Path(folder) / "threads.db" if kept == "sqlite" else None)
        with world.opened():
            act(world, ("ask", 0, "", QUESTIONS.index(begin), [stop]))
            for action in history:
                act(world, action)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("kind", sorted(set(KINDS)))
@pytest.mark.parametrize("surface", list(NODES))
def test_each_update_as_each_node_at_each_point_of_a_turn(surface: str, kind: str, is_async: bool):
    nodes = NODES[surface]
    for begin, steps_done, node in product(("broken", "both"), range(8), range(len(nodes))):
        # In the normal run one cell in 20; over all kinds these meet each point of a turn and each node.
        if not WHOLE and (KINDS.index(kind) + 10 * is_async + 5 * steps_done + 3 * node + (begin == "both")) % 20:
            continue
        world = World(surface, is_async=is_async, sqlite=None)
        with world.opened():
            act(world, ("ask", 0, "", QUESTIONS.index(begin), range(5)))
            act(world, (steps_done, ("write", node, kind, 0, [])))
            act(world, ("restart", 0, "", 0, []))
            act(world, ("go", 0, "", 0, []))
            act(world, ("ask", 0, "", 0, []))
