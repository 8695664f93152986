"""The `Brief` protocol: a function of the application's that says what the model which writes a call is told in place of the whole history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.messages import BaseMessage

from lg_toolroute.files.known import KnownFile


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that is to be written, as far as it is known.

    Attributes:
        tool: The tool's name.
        schema: The JSON Schema of its arguments; `None` if the tool has none that can be read.
        arguments: Those that are known already, by name: what the primary wrote before it was cut, or its whole draft; often empty.
        file: What is known of the file that they name; `None` for a tool without one, or a file that is not known.
        numbered: The model writes it in a form that counts lines, so it is to be shown the file with line numbers.
    """

    tool: str
    schema: Mapping[str, Any] | None
    arguments: Mapping[str, Any]
    file: KnownFile | None = None
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class BriefRequest:
    """What a brief is made of.

    Attributes:
        thread: The history, as it is stored, without the system prompt. Not to be changed.
        calls: The calls to be written by one request, at least one; they may be of several tools of one route.
        budget: How many tokens the brief may hold; `None` where neither the rule nor the candidate's context window says.
    """

    thread: Sequence[BaseMessage]
    calls: tuple[PlannedCall, ...]
    budget: int | None = None

    @property
    def tool(self) -> str:
        """The tool of the first call."""
        return self.calls[0].tool

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema of its arguments."""
        return self.calls[0].schema

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Those of its arguments that are known already."""
        return self.calls[0].arguments

    @property
    def file(self) -> KnownFile | None:
        """What is known of the file that it names."""
        return self.calls[0].file


class Brief(Protocol):
    """Makes a brief. Handed in as `ToolRouter(…, briefs={"name": function})`, and named by a rule: `handoff: {brief: "name"}`.

    It is called for every candidate that is asked, plainly, also where the turn is awaited: what takes long (a query to a database) is to be prepared
    outside of it. An error in it is raised to the caller as it is.

    Example:
        ```python
        from lg_toolroute import BriefRequest, ToolRouter

        def task(request: BriefRequest) -> str | None:
            asked = [message.text for message in request.thread if message.type == "human"]
            return f"The user's task: {asked[-1]}" if asked else None

        rules = {"run_tests": {"primary": "deepseek/deepseek-v4-pro", "handoff": {"brief": "task"}}}
        router = ToolRouter({"model": "kimi/kimi-for-coding", "toolRouting": rules}, briefs={"task": task})
        ```
    """

    def __call__(self, request: BriefRequest, /) -> Sequence[BaseMessage] | str | None:
        """What stands before the primary's words and the instruction.

        Args:
            request: What is to be written, and the thread.

        Returns:
            Messages, or the text of one; `None` sends the whole history.
        """
        ...
