"""One turn, up to the first tool, on every surface, with everything that a consumer can see of it; the tools and the thread are a subclass's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool

from lg_toolroute import ToolRouter
from lg_toolroute.testing import ScriptedModel
from tests.support.one_turn import SURFACES, A, B, C


def read_before(task: str, text: str, path: str) -> list[AnyMessage]:
    """A thread in which a file was read, to its end."""
    read = {"name": "read_file", "args": {"file_path": path}, "id": "read1", "type": "tool_call"}
    return [
        HumanMessage(task, id="q1"),
        AIMessage("", tool_calls=[read], id="a1"),
        ToolMessage(text, tool_call_id="read1", name="read_file", id="t1"),
    ]


class FirstTurn:
    """One turn of an agent whose thread has read a file, up to the first tool.

    Attributes:
        router: The router.
        models: The models, by spec.
        told: What a consumer saw: mode and event.
        landed: The message.
        seen: All of it and every state, as text.
    """

    own_tools: ClassVar[Sequence[BaseTool]]
    """What the agent binds unless it is given other tools."""

    @staticmethod
    def own_thread() -> list[AnyMessage]:
        """The thread that the turn answers unless it is given another one."""
        raise NotImplementedError("a subclass says which thread its turns answer")

    def __init__(
        self,
        surface: str,
        way: tuple[bool, bool],
        scripts: Mapping[str, Sequence[Any]],
        config: Any,
        messages: Sequence[AnyMessage] | None = None,
        *,
        tools: Sequence[BaseTool] | None = None,
        state: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        is_async, streamed = way
        self.models = {spec: ScriptedModel(scripts.get(spec, ()), name=spec) for spec in (A, B, C)}
        self.router = ToolRouter(config, models=self.models, clock=lambda: 0.0, **settings)
        agent = SURFACES[surface](self.router, self.models, self.own_tools if tools is None else tools)
        run: Any = {"configurable": {"thread_id": "1"}}
        modes = ["custom", "messages", "updates", "values", "debug", "tasks"] if streamed else ["custom", "values"]
        self.told: list[Any] = []
        given = {"messages": list(self.own_thread() if messages is None else messages), **(state or {})}

        async def listen() -> None:
            async for event in agent.astream(given, run, stream_mode=modes):
                self.told.append(event)

        if is_async:
            asyncio.run(listen())
        else:
            self.told.extend(agent.stream(given, run, stream_mode=modes))
        state = agent.get_state(run)
        self.seen = repr((self.told, state.values, [each.values for each in agent.get_state_history(run)]))
        self.landed: AIMessage = state.values["messages"][-1]

    @property
    def added_up(self) -> AIMessageChunk | None:
        """The sum of the chunks that a consumer saw."""
        total = None
        for mode, event in self.told:
            if mode == "messages" and isinstance(event[0], AIMessageChunk):
                total = event[0] if total is None else total + event[0]
        return total
